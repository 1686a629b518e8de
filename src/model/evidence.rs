//! Evidence: why an item or project carries a tag or a reference.

use serde::{Deserialize, Serialize};

use super::NoteId;

/// The way by which something was learnt. Ordered by trust, the strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// The operator's configuration says so.
    Config,
    /// A catalog file names this project.
    Catalog,
    /// A label on the item.
    Label,
    /// A filled field of the description.
    Field,
    /// A topic of the project.
    Topic,
    /// A path rule.
    Path,
    /// A CODEOWNERS entry.
    Codeowners,
    /// An approval rule.
    ApprovalRule,
    /// A mention in a text.
    Reference,
    /// A link that GitLab keeps between two items.
    Linked,
    /// The project's own name equals a known name: the weakest.
    Name,
}

/// Where a text was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Location {
    /// The item's title, or the project's name.
    Title,
    /// The description.
    Description,
    /// The source branch of a merge request.
    Branch,
    /// A comment.
    Comment,
    /// The labels of an item.
    Labels,
    /// The topics of a project.
    Topics,
    /// A file of the repository.
    File,
}

/// Why an item or project carries one tag or one reference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Evidence {
    /// The way by which it was learnt.
    pub via: Via,
    /// Where the text stood.
    pub location: Location,
    /// The text that was read, with a little of its surroundings.
    pub text: String,
    /// The name of the rule that read it.
    pub rule: String,
    /// The comment it stood in, for [`Location::Comment`].
    pub note: Option<NoteId>,
}

impl Via {
    /// Every way, the strongest first.
    pub const ALL: [Self; 11] = [
        Self::Config,
        Self::Catalog,
        Self::Label,
        Self::Field,
        Self::Topic,
        Self::Path,
        Self::Codeowners,
        Self::ApprovalRule,
        Self::Reference,
        Self::Linked,
        Self::Name,
    ];

    /// Returns the word used in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Catalog => "catalog",
            Self::Label => "label",
            Self::Field => "field",
            Self::Topic => "topic",
            Self::Path => "path",
            Self::Codeowners => "codeowners",
            Self::ApprovalRule => "approval_rule",
            Self::Reference => "reference",
            Self::Linked => "linked",
            Self::Name => "name",
        }
    }

    /// Finds the way that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == word)
    }
}

impl Location {
    /// Every place.
    pub const ALL: [Self; 7] = [
        Self::Title,
        Self::Description,
        Self::Branch,
        Self::Comment,
        Self::Labels,
        Self::Topics,
        Self::File,
    ];

    /// Returns the word used in JSON and SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Description => "description",
            Self::Branch => "branch",
            Self::Comment => "comment",
            Self::Labels => "labels",
            Self::Topics => "topics",
            Self::File => "file",
        }
    }

    /// Finds the place that a word names.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|location| location.as_str() == word)
    }
}
