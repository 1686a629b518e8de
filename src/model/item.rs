//! Items: issues of any type, and merge requests.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Iid, ItemId, NoteId, ProjectId, ShownLinks};

/// The two kinds of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// An issue of any type: issue, incident, task, test case.
    Issue,
    /// A merge request.
    MergeRequest,
}

impl ItemKind {
    /// Returns the word used in JSON, SQL and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::MergeRequest => "merge_request",
        }
    }

    /// Returns the mark between project path and number: `shop/webshop#1`, `shop/webshop!1`.
    pub const fn sigil(self) -> char {
        match self {
            Self::Issue => '#',
            Self::MergeRequest => '!',
        }
    }
}

/// The state of an item. GitLab may add states, so an unknown word is kept as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemState(String);

impl ItemState {
    /// Wraps the word GitLab used: `opened`, `closed`, `merged`, `locked`.
    pub fn new(state: impl Into<String>) -> Self {
        Self(state.into())
    }

    /// Returns the word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An issue or merge request as GitLab shows it, without its comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Issue or merge request.
    pub kind: ItemKind,
    /// Instance-wide id within the kind.
    pub id: ItemId,
    /// Number within the project.
    pub iid: Iid,
    /// The project it lives in. For a merge request, the target project.
    pub project: ProjectId,
    /// The title.
    pub title: String,
    /// The description as stored by GitLab; empty when there is none.
    pub description: String,
    /// The state.
    pub state: ItemState,
    /// True for a merge request marked as draft.
    pub draft: bool,
    /// True for a confidential issue.
    pub confidential: bool,
    /// `issue`, `incident`, `task`, …; empty for merge requests.
    pub issue_type: String,
    /// User name of the author; empty when GitLab names none (a deleted user, an old version).
    pub author: String,
    /// Titles of its labels, in GitLab's order.
    pub labels: Vec<String>,
    /// Source branch of a merge request; empty for issues.
    pub source_branch: String,
    /// Address of its page.
    pub web_url: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed, as far as GitLab says (label renames and comments within a
    /// minute of another change do not count).
    pub updated_at: Timestamp,
    /// When it was closed, if it is.
    pub closed_at: Option<Timestamp>,
    /// When it was merged, if it was.
    pub merged_at: Option<Timestamp>,
    /// How many comments by people GitLab counts.
    pub notes_count: i64,
    /// How it stands to others, as GitLab's fields say. GraphQL shows more of them than REST.
    pub links: ShownLinks,
}

/// A comment on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Its id.
    pub id: NoteId,
    /// User name of the author.
    pub author: String,
    /// The text.
    pub body: String,
    /// True for a note written by GitLab itself (`mentioned in merge request !2`).
    pub system: bool,
    /// True for a comment that only members may read.
    pub internal: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
}
