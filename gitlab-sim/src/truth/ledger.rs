//! What each text means, kept beside the world.
//!
//! Whoever writes a text with a meaning records it here: topics and label titles by their wording,
//! items and notes by the ids that GitLab never gives twice, CODEOWNERS files by their content. So
//! nothing has to be told when a project moves, a label is renamed, an item is relabelled or
//! somebody loses a right: [`Ledger::truth`] looks at the world as it is. A text that nobody
//! recorded means nothing. In a world that lags the ledger is ahead of what is shown: the truth is
//! right again once nothing is unseen.

use std::collections::{BTreeMap, BTreeSet};

use super::{ItemMeaning, PathOwners, Said, Settings};
use crate::generator::Planned;
use crate::world::{GroupId, ItemKind, ItemRef, ProjectId, World};

/// The meaning of a topic or label: a key such as `service`, and a canonical value.
pub(super) type Tag = (&'static str, String);

/// What each text of a world means.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    pub(super) group_path: String,
    pub(super) group: Option<GroupId>,
    pub(super) settings: Settings,
    pub(super) topics: BTreeMap<String, Tag>,
    pub(super) labels: BTreeMap<String, Tag>,
    pub(super) items: BTreeMap<(ItemKind, u64), ItemMeaning>,
    pub(super) notes: BTreeMap<u64, BTreeSet<Said>>,
    pub(super) owners: BTreeMap<Vec<u8>, Vec<PathOwners>>,
    /// How the people of the generated projects write.
    pub(crate) plans: BTreeMap<ProjectId, Planned>,
}

impl Ledger {
    /// Makes an empty ledger that speaks of one top-level group; [`Self::default`] speaks of the
    /// whole instance.
    pub fn of_group(path: &str, settings: Settings) -> Self {
        Self { group_path: path.to_owned(), settings, ..Self::default() }
    }

    /// Remembers the group by its id, so that it is still found when it is renamed.
    pub fn find_group(&mut self, world: &World) {
        self.group = world.find_group(&self.group_path).map(|group| group.id);
    }

    /// Records what a topic means.
    pub fn mean_topic(&mut self, topic: &str, key: &'static str, value: &str) {
        self.topics.insert(topic.to_owned(), (key, value.to_owned()));
    }

    /// Records what a label of this title means.
    pub fn mean_label(&mut self, title: &str, key: &'static str, value: &str) {
        self.labels.insert(title.to_owned(), (key, value.to_owned()));
    }

    /// Records what title, description and branch of an item mean. An item that does not exist is
    /// left out.
    pub fn mean_item(&mut self, world: &World, item: ItemRef, meaning: ItemMeaning) {
        if let Some(row) = world.newest(item) {
            self.items.insert((item.kind, row.id), meaning);
        }
    }

    /// Changes what the texts of an item mean.
    pub fn edit_item(&mut self, world: &World, item: ItemRef, edit: impl FnOnce(&mut ItemMeaning)) {
        if let Some(row) = world.newest(item) {
            edit(self.items.entry((item.kind, row.id)).or_default());
        }
    }

    /// Records what a note mentions.
    pub fn mean_note(&mut self, note: u64, said: BTreeSet<Said>) {
        if said.is_empty() {
            self.notes.remove(&note);
        } else {
            self.notes.insert(note, said);
        }
    }

    /// Records who owns what by a CODEOWNERS file of this content.
    pub fn mean_owners(&mut self, content: &[u8], owners: Vec<PathOwners>) {
        self.owners.insert(content.to_vec(), owners);
    }

    /// Forgets an item and its notes, before it is deleted.
    pub fn forget_item(&mut self, world: &World, item: ItemRef) {
        if let Some(row) = world.newest(item) {
            self.items.remove(&(item.kind, row.id));
            for note in &row.notes {
                self.notes.remove(&note.id);
            }
        }
    }

    /// Forgets a note.
    pub fn forget_note(&mut self, note: u64) {
        self.notes.remove(&note);
    }

    /// Gives the copy of an item, which GitLab makes when an issue is moved, the meaning of the
    /// original, notes included: the notes that were copied come in the same order.
    pub fn copy_item(&mut self, world: &World, from: ItemRef, to: ItemRef) {
        let (Some(old), Some(new)) = (world.newest(from), world.newest(to)) else {
            return;
        };
        if let Some(meaning) = self.items.get(&(from.kind, old.id)).cloned() {
            self.items.insert((to.kind, new.id), meaning);
        }
        let said: BTreeMap<&str, &BTreeSet<Said>> = old
            .notes
            .iter()
            .filter_map(|note| Some((note.body.as_str(), self.notes.get(&note.id)?)))
            .collect();
        let copies: Vec<(u64, BTreeSet<Said>)> = new
            .notes
            .iter()
            .filter_map(|note| Some((note.id, (*said.get(note.body.as_str())?).clone())))
            .collect();
        self.notes.extend(copies);
    }

    /// Forgets items and notes that are gone. The truth is the same without: it looks at what the
    /// world holds. While changes are not to be seen yet, nothing is forgotten.
    pub fn prune(&mut self, world: &World) {
        if world.unseen_changes() > 0 {
            return;
        }
        let (mut items, mut notes) = (BTreeSet::new(), BTreeSet::new());
        for project in world.projects() {
            for (kind, item) in project.items() {
                items.insert((kind, item.id));
                notes.extend(item.notes.iter().map(|note| note.id));
            }
        }
        self.items.retain(|id, _| items.contains(id));
        self.notes.retain(|id, _| notes.contains(id));
        self.plans.retain(|id, _| world.project(*id).is_some());
    }

    /// Returns the services that topics name, by canonical name.
    pub(crate) fn services(&self) -> Vec<String> {
        let named: BTreeSet<&String> = self
            .topics
            .values()
            .filter(|(key, _)| *key == "service")
            .map(|(_, value)| value)
            .collect();
        named.into_iter().cloned().collect()
    }

    /// Returns the top-level group that the ledger speaks of, by its present path. Empty for the
    /// whole instance.
    pub(crate) fn group_now<'l>(&'l self, world: &'l World) -> &'l str {
        self.group
            .and_then(|id| world.group(id))
            .map_or(self.group_path.as_str(), |group| group.full_path.as_str())
    }

    /// Tells whether the ledger speaks of a project.
    pub(crate) fn covers(&self, world: &World, project: &crate::world::Project) -> bool {
        let group = self.group.or_else(|| world.find_group(&self.group_path).map(|group| group.id));
        match group {
            Some(group) => world.is_within(project.group, group),
            None => self.group_path.is_empty(),
        }
    }
}
