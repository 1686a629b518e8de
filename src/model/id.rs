//! Identifiers given out by GitLab.

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
        )]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(i64);

        impl $name {
            /// Wraps a number that GitLab gave out.
            pub const fn new(id: i64) -> Self {
                Self(id)
            }

            /// Returns the number.
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// GitLab's numeric project id, which survives renames and transfers.
    ProjectId
);
id!(
    /// GitLab's numeric group id.
    GroupId
);
id!(
    /// GitLab's instance-wide id of an issue or of a merge request. The two kinds count apart, so
    /// an item is named by kind and id together.
    ItemId
);
id!(
    /// The number of an item within its project: the 42 of `shop/webshop!42`.
    Iid
);
id!(
    /// GitLab's id of a comment, unique on the instance.
    NoteId
);
id!(
    /// GitLab's id of a label, which survives renames. A label of a group is one label in all
    /// projects below.
    LabelId
);
id!(
    /// GitLab's id of a pipeline.
    PipelineId
);
