//! The truth of a moment: the world as one caller sees it, read with the ledger.
//!
//! What hangs on the present state is worked out here and never recorded: which labels an item
//! carries, what it inherits, which projects are namesakes of a service, where a short reference
//! leads. What the caller may not see is not there, and makes no name known.

use std::collections::{BTreeMap, BTreeSet};

use super::ledger::Ledger;
use super::{
    Carried, ItemKind, ItemTruth, LatestPipeline, Place, ProjectTruth, Reference, Tagged, Truth,
    match_key,
};
use crate::world::{Caller, Item, Project, World};

/// Where GitLab looks for CODEOWNERS, the first found counting.
pub(crate) const CODEOWNERS: [&str; 3] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

impl Ledger {
    /// Returns the truth about the present state of a world as a caller sees it, archived projects
    /// included. Of a caller without an account nobody expects comments: GitLab shows none.
    pub fn truth(&self, world: &World, caller: Caller<'_>) -> Truth {
        let truth = Truth {
            group: self.group_now(world).to_owned(),
            settings: self.settings.clone(),
            ..Truth::default()
        };
        let mut view = View { ledger: self, world, caller, truth };
        let projects: Vec<&Project> = world
            .projects()
            .filter(|project| self.covers(world, project))
            .filter(|project| world.sees_project(caller, project))
            .collect();
        for project in &projects {
            view.project(project);
        }
        view.truth.name_namesakes();
        view.truth.inherit();
        view.truth
    }
}

struct View<'v> {
    ledger: &'v Ledger,
    world: &'v World,
    caller: Caller<'v>,
    truth: Truth,
}

impl View<'_> {
    fn project(&mut self, project: &Project) {
        let path = &project.full_path;
        for topic in &project.topics {
            if let Some((key, value)) = self.ledger.topics.get(topic) {
                self.truth.tagged(key, value).projects.insert(path.clone(), Carried::Topic);
            }
        }
        let readable = self.world.reads_code(self.caller, project);
        let codeowners = CODEOWNERS
            .into_iter()
            .find_map(|file| Some((file, project.files.get(file)?)))
            .filter(|_| readable);
        let owners = codeowners
            .and_then(|(_, content)| self.ledger.owners.get(content).cloned())
            .unwrap_or_default();
        let latest = project
            .pipelines
            .iter()
            .filter(|row| readable && row.branch == project.default_branch)
            .max_by_key(|row| row.id);
        self.truth.projects.insert(
            path.clone(),
            ProjectTruth {
                id: project.id.get(),
                name: project.name.clone(),
                archived: project.archived,
                empty: project.files.is_empty(),
                codeowners: codeowners.map(|(file, _)| file),
                owners,
                latest_pipeline: latest.map(|row| LatestPipeline {
                    id: row.id,
                    status: row.status.clone(),
                    branch: row.branch.clone(),
                }),
            },
        );
        for issue in project.issues.values() {
            if self.world.sees_issue(self.caller, project, issue) {
                self.item(project, ItemKind::Issue, &issue.item, issue.confidential);
            }
        }
        for row in project.merge_requests.values().filter(|_| readable) {
            self.item(project, ItemKind::MergeRequest, &row.item, false);
        }
    }

    fn item(&mut self, project: &Project, kind: ItemKind, item: &Item, confidential: bool) {
        let itself = Reference::to_item(&project.full_path, kind, item.iid);
        for label in item.labels.iter().filter_map(|id| self.world.label(*id)) {
            if let Some((key, value)) = self.ledger.labels.get(&label.title) {
                self.truth.tagged(key, value).items.insert(itself.id.clone());
            }
        }
        if let Some(meaning) = self.ledger.items.get(&(kind, item.id)) {
            for (place, text) in meaning.texts() {
                for (key, value) in &text.tags {
                    self.truth.tagged(key, value).items.insert(itself.id.clone());
                }
                for said in &text.mentions {
                    self.mention(&itself, said.reference(&project.full_path), place);
                }
            }
        }
        let signed_in = self.caller.user().is_some();
        for note in item.notes.iter().filter(|note| signed_in && !note.system) {
            let Some(said) = self.ledger.notes.get(&note.id) else {
                continue;
            };
            if !self.world.sees_note(self.caller, project, note) {
                continue;
            }
            let place = if note.internal { Place::InternalComment } else { Place::Comment };
            for said in said {
                self.mention(&itself, said.reference(&project.full_path), place);
            }
        }
        self.truth.items.insert(
            itself.id,
            ItemTruth {
                project: project.full_path.clone(),
                kind,
                iid: item.iid,
                title: item.title.clone(),
                confidential,
            },
        );
    }

    /// Notes a mention. An item's mention of itself means nothing.
    fn mention(&mut self, itself: &Reference, reference: Reference, place: Place) {
        if reference != *itself {
            self.truth
                .references
                .entry(reference)
                .or_default()
                .entry(itself.id.clone())
                .or_default()
                .insert(place);
        }
    }
}

impl Truth {
    fn tagged(&mut self, key: &'static str, value: &str) -> &mut Tagged {
        self.tags.entry(key).or_default().entry(value.to_owned()).or_default()
    }

    /// Gives projects without a service of their own the service whose name they have. A service
    /// that only confidential issues speak of gives its name to none: whom they are not shown to
    /// would learn it from the project.
    fn name_namesakes(&mut self) {
        let shown = |id: &String| self.items.get(id).is_some_and(|item| !item.confidential);
        let known: BTreeMap<String, String> = self
            .services()
            .filter(|(_, tagged)| !tagged.projects.is_empty() || tagged.items.iter().any(shown))
            .map(|(name, _)| (match_key(name), name.clone()))
            .collect();
        let own: BTreeSet<String> =
            self.services().flat_map(|(_, tagged)| tagged.projects.keys().cloned()).collect();
        let found: Vec<(String, String)> = self
            .projects
            .iter()
            .filter(|(path, _)| !own.contains(*path))
            .filter_map(|(path, project)| {
                let last = path.rsplit('/').next().unwrap_or(path);
                let names = [last, project.name.as_str()];
                let service = names.iter().find_map(|name| known.get(&match_key(name)))?;
                Some((path.clone(), service.clone()))
            })
            .collect();
        for (path, service) in found {
            self.tagged("service", &service).projects.insert(path, Carried::Name);
        }
    }

    /// Gives items what their project carries, where that is one value of a key.
    fn inherit(&mut self) {
        let mut carried: BTreeMap<(String, &'static str), BTreeSet<String>> = BTreeMap::new();
        for (key, values) in &self.tags {
            for (value, tagged) in values {
                for path in tagged.projects.keys() {
                    carried.entry((path.clone(), key)).or_default().insert(value.clone());
                }
            }
        }
        let mut items: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
        for (reference, item) in &self.items {
            items.entry(&item.project).or_default().push(reference);
        }
        for ((path, key), values) in carried {
            let mut values = values.into_iter();
            let (Some(value), None) = (values.next(), values.next()) else {
                continue;
            };
            let below = items.get(path.as_str()).into_iter().flatten();
            if let Some(tagged) = self.tags.get_mut(key).and_then(|all| all.get_mut(&value)) {
                tagged.inherited.extend(below.map(|reference| (*reference).clone()));
            }
        }
    }

    /// Works out again what hangs on which names are known, after something was left out.
    pub(super) fn rename_namesakes(&mut self) {
        for values in self.tags.values_mut() {
            for tagged in values.values_mut() {
                tagged.projects.retain(|_, carried| *carried != Carried::Name);
                tagged.inherited.clear();
            }
        }
        self.drop_empty();
        self.name_namesakes();
        self.inherit();
    }
}
