//! References: mentions of something outside the item.

use std::fmt;

/// Something mentioned, in canonical form: `pagerduty_incident` `Q285NZXJG65XDH`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    /// What it is: `jira`, `gitlab_issue`, `aws_arn`, … An open set, because rules add kinds.
    pub kind: String,
    /// Its canonical id within the kind.
    pub id: String,
}

impl Reference {
    /// Makes a reference from a kind and an id that is already canonical.
    pub fn new(kind: impl Into<String>, id: impl Into<String>) -> Self {
        Self { kind: kind.into(), id: id.into() }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind, self.id)
    }
}
