//! What belongs where, as the writers of the texts meant it.
//!
//! The generator and the life that follows it record in a [`Ledger`] what they write: they know
//! what each text says, so nothing is parsed and no code of xrefd is used. [`Truth`] is the view of
//! a moment: the world as one caller sees it, read with the ledger. [`State`] is the plainer half of
//! it: what exists, without what it means. Names are canonical spellings; the texts hold other
//! spellings of the same match key, so compare names by [`match_key`].
//!
//! A truth refuses to know the future: paths and references are those of the moment it was taken.

mod json;
mod ledger;
mod meaning;
mod state;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use ledger::Ledger;
pub use meaning::{ItemMeaning, Meaning, Said};
pub(crate) use view::CODEOWNERS;

pub use state::{ItemState, NoteState, ProjectState, State};

pub use crate::world::ItemKind;

/// Everything that a perfect reader of the generated organisation would find.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The top-level group.
    pub group: String,
    /// What a reader has to be told beforehand.
    pub settings: Settings,
    /// Tags by key (`service`, `team`, `component`, `severity`, `priority`, `environment`,
    /// `tier`) and canonical value.
    pub tags: BTreeMap<&'static str, BTreeMap<String, Tagged>>,
    /// Where each reference is mentioned, by the full reference of the item.
    #[serde(serialize_with = "json::references")]
    pub references: BTreeMap<Reference, BTreeMap<String, BTreeSet<Place>>>,
    /// All items by full reference, such as `acme/shop/web-shop!4`.
    pub items: BTreeMap<String, ItemTruth>,
    /// All projects by full path.
    pub projects: BTreeMap<String, ProjectTruth>,
}

/// What a reader has to be told beforehand: prefixes of bare keys, and hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// Prefixes of bare keys by kind: `jira` → `SHOP`, `PAY`, …
    pub prefixes: BTreeMap<&'static str, Vec<String>>,
}

/// What carries one value of a tag.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tagged {
    /// Projects that carry it, by full path, with the reason.
    pub projects: BTreeMap<String, Carried>,
    /// Items that carry it on their own, by a label or a filled field.
    pub items: BTreeSet<String>,
    /// Items that carry it because their project does. They may be among [`Self::items`] too.
    pub inherited: BTreeSet<String>,
}

/// Why a project carries a service or team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Carried {
    /// By a topic.
    Topic,
    /// Because its path or name equals a service that is known from elsewhere.
    Name,
}

/// A reference in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The kind, such as `pagerduty_incident`.
    pub kind: &'static str,
    /// The canonical id.
    pub id: String,
}

/// Where an item mentions a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the title.
    Title,
    /// In the description.
    Description,
    /// In the source branch.
    Branch,
    /// In a comment that every reader of the item sees.
    Comment,
    /// In a comment for members only.
    InternalComment,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemTruth {
    /// The full path of its project.
    pub project: String,
    /// Issue or merge request.
    pub kind: ItemKind,
    /// The number within the project.
    pub iid: u64,
    /// The title.
    pub title: String,
    /// True when only members see it.
    pub confidential: bool,
}

/// One project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProjectTruth {
    /// GitLab's id of it.
    pub id: u64,
    /// The name on display.
    pub name: String,
    /// True when it is archived.
    pub archived: bool,
    /// True when its repository holds nothing.
    pub empty: bool,
    /// Where its CODEOWNERS file lies, if it has one.
    pub codeowners: Option<&'static str>,
    /// The owners of some paths.
    pub owners: Vec<PathOwners>,
    /// The latest pipeline of the default branch.
    pub latest_pipeline: Option<LatestPipeline>,
}

/// Who owns a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathOwners {
    /// The path, without a slash at its start.
    pub path: &'static str,
    /// The sections that apply, in the order of the file.
    pub sections: Vec<SectionOwners>,
}

/// The owners that one section gives to a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionOwners {
    /// The name of the section; `codeowners` for what stands before the first heading.
    pub section: &'static str,
    /// True for `^[Section]`.
    pub optional: bool,
    /// The number of approvals written, 0 if none is.
    pub approvals: u64,
    /// The owners as written.
    pub owners: Vec<Owner>,
}

/// An owner.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Owner {
    /// `name`, `role` or `email`.
    pub kind: &'static str,
    /// As written: `@acme/platform`, `@@maintainer`, `docs@acme.example`.
    pub name: String,
}

/// The latest pipeline of a default branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LatestPipeline {
    /// Its id.
    pub id: u64,
    /// Its status.
    pub status: String,
    /// The branch.
    pub branch: String,
}

impl Truth {
    /// Returns the services by canonical name.
    pub fn services(&self) -> impl ExactSizeIterator<Item = (&String, &Tagged)> {
        self.tags_of("service")
    }

    /// Returns the teams by canonical name.
    pub fn teams(&self) -> impl ExactSizeIterator<Item = (&String, &Tagged)> {
        self.tags_of("team")
    }

    /// Returns the values of a key.
    pub fn tags_of(&self, key: &str) -> impl ExactSizeIterator<Item = (&String, &Tagged)> {
        self.tags.get(key).unwrap_or(const { &BTreeMap::new() }).iter()
    }

    /// Returns what carries a value, whatever its spelling.
    pub fn tag(&self, key: &str, value: &str) -> Option<&Tagged> {
        let wanted = match_key(value);
        self.tags_of(key).find(|(name, _)| match_key(name) == wanted).map(|(_, tagged)| tagged)
    }

    /// Returns the items that mention a reference, with the places.
    pub fn mentions(&self, kind: &str, id: &str) -> Option<&BTreeMap<String, BTreeSet<Place>>> {
        self.references
            .iter()
            .find(|(reference, _)| reference.kind == kind && reference.id == id)
            .map(|(_, items)| items)
    }

    /// Returns the truth for a reader that leaves archived projects out.
    #[must_use]
    pub fn without_archived(self) -> Self {
        self.of_projects(|_, project| !project.archived)
    }

    /// Returns the truth for a reader that knows only some projects, by path and what is said of
    /// them.
    #[must_use]
    pub fn of_projects(mut self, keep: impl Fn(&str, &ProjectTruth) -> bool) -> Self {
        self.projects.retain(|path, project| keep(path, project));
        let kept: BTreeSet<String> = self.projects.keys().cloned().collect();
        self.keep_items(|item| kept.contains(&item.project));
        for values in self.tags.values_mut() {
            for tagged in values.values_mut() {
                tagged.projects.retain(|path, _| kept.contains(path));
            }
        }
        self.rename_namesakes();
        self.drop_empty();
        self
    }

    /// Returns the truth for a reader that reads no comments.
    #[must_use]
    pub fn without_comments(mut self) -> Self {
        for items in self.references.values_mut() {
            for places in items.values_mut() {
                places.retain(|place| !matches!(place, Place::Comment | Place::InternalComment));
            }
            items.retain(|_, places| !places.is_empty());
        }
        self.drop_empty();
        self
    }

    /// Returns the truth for a reader who is shown neither confidential issues nor internal
    /// comments.
    #[must_use]
    pub fn without_confidential(mut self) -> Self {
        self.keep_items(|item| !item.confidential);
        for items in self.references.values_mut() {
            for places in items.values_mut() {
                places.remove(&Place::InternalComment);
            }
            items.retain(|_, places| !places.is_empty());
        }
        self.drop_empty();
        self
    }

    fn keep_items(&mut self, keep: impl Fn(&ItemTruth) -> bool) {
        self.items.retain(|_, item| keep(item));
        let items = &self.items;
        for values in self.tags.values_mut() {
            for tagged in values.values_mut() {
                tagged.items.retain(|item| items.contains_key(item));
                tagged.inherited.retain(|item| items.contains_key(item));
            }
        }
        for mentions in self.references.values_mut() {
            mentions.retain(|item, _| items.contains_key(item));
        }
    }

    fn drop_empty(&mut self) {
        for values in self.tags.values_mut() {
            values.retain(|_, tagged| !tagged.projects.is_empty() || !tagged.items.is_empty());
        }
        self.references.retain(|_, items| !items.is_empty());
    }
}

/// Returns what two spellings of a name have in common: lower-case letters and digits. The
/// generator's names are ASCII, so there is nothing to normalise beyond that.
pub fn match_key(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
