//! Identifiers of the simulated instance.
//!
//! One type per kind, so that a project id cannot be passed where a group id is meant.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// Wraps a number.
            pub const fn new(id: u64) -> Self {
                Self(id)
            }

            /// Returns the number.
            pub const fn get(self) -> u64 {
                self.0
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// The id of a user.
    UserId
);
id!(
    /// The id of a group.
    GroupId
);
id!(
    /// The id of a project, which survives renames and transfers.
    ProjectId
);
id!(
    /// The id of a label of a group or project.
    LabelId
);

id!(
    /// The id of a milestone of a group or project.
    MilestoneId
);

/// The two kinds of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// An issue of any type.
    Issue,
    /// A merge request.
    MergeRequest,
}

impl ItemKind {
    /// Returns the mark between path and number: `#` or `!`.
    pub const fn sigil(self) -> char {
        match self {
            Self::Issue => '#',
            Self::MergeRequest => '!',
        }
    }

    /// Returns the last part of the item's address before its number.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::Issue => "issues",
            Self::MergeRequest => "merge_requests",
        }
    }
}

/// Names one item of the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemRef {
    /// The project it lives in.
    pub project: ProjectId,
    /// Issue or merge request.
    pub kind: ItemKind,
    /// Its number within the project.
    pub iid: u64,
}

impl ItemRef {
    /// Names an issue.
    pub const fn issue(project: ProjectId, iid: u64) -> Self {
        Self { project, kind: ItemKind::Issue, iid }
    }

    /// Names a merge request.
    pub const fn merge_request(project: ProjectId, iid: u64) -> Self {
        Self { project, kind: ItemKind::MergeRequest, iid }
    }
}
