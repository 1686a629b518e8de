//! What a text means, in a form that outlives changes around it.
//!
//! A text that names an item by its number alone speaks of the project it stands in, wherever that
//! goes; a text with a path or an address says the same for ever, as GitLab leaves it unchanged
//! when a project gets another path.

use std::collections::BTreeSet;

use super::{ItemKind, Place, Reference};

/// Something that a text mentions.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    /// Written out: it means the same wherever the text stands.
    Written(Reference),
    /// By its number alone: an item of the project in which the text stands.
    Near(ItemKind, u64),
}

impl Said {
    /// Returns the reference that it is in a project of this path.
    pub fn reference(&self, project: &str) -> Reference {
        match self {
            Self::Written(reference) => reference.clone(),
            Self::Near(kind, iid) => Reference::to_item(project, *kind, *iid),
        }
    }
}

impl Reference {
    /// Returns the reference to an item of a project of this path.
    pub fn to_item(project: &str, kind: ItemKind, iid: u64) -> Self {
        Self { kind: Self::kind_of(kind), id: format!("{project}{}{iid}", kind.sigil()) }
    }

    /// Returns the kind of references to such items.
    pub const fn kind_of(kind: ItemKind) -> &'static str {
        match kind {
            ItemKind::Issue => "gitlab_issue",
            ItemKind::MergeRequest => "gitlab_merge_request",
        }
    }
}

/// What one text means.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Tags by key and canonical value, from filled fields.
    pub tags: BTreeSet<(&'static str, String)>,
    /// What it mentions.
    pub mentions: BTreeSet<Said>,
}

/// What the texts of an item mean, its comments aside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemMeaning {
    /// The title.
    pub title: Meaning,
    /// The description.
    pub description: Meaning,
    /// The source branch.
    pub branch: Meaning,
}

impl ItemMeaning {
    /// Returns the meaning of one text of the item, to be changed; comments are kept elsewhere.
    pub fn text_mut(&mut self, place: Place) -> Option<&mut Meaning> {
        match place {
            Place::Title => Some(&mut self.title),
            Place::Description => Some(&mut self.description),
            Place::Branch => Some(&mut self.branch),
            Place::Comment | Place::InternalComment => None,
        }
    }

    /// Lists the texts with their places.
    pub fn texts(&self) -> [(Place, &Meaning); 3] {
        [
            (Place::Title, &self.title),
            (Place::Description, &self.description),
            (Place::Branch, &self.branch),
        ]
    }
}
