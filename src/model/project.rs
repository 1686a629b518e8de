//! Projects and what hangs on them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ItemKind, LabelId, PipelineId, ProjectId};

/// A project as GitLab shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Full path, `shop/webshop`.
    pub path: String,
    /// Display name, `Webshop`.
    pub name: String,
    /// One-line description; empty when there is none.
    pub description: String,
    /// Address of its page.
    pub web_url: String,
    /// Default branch; `None` for an empty repository or without permission to read code.
    pub default_branch: Option<String>,
    /// Topics, sorted by GitLab.
    pub topics: Vec<String>,
    /// `public`, `internal` or `private`; empty when GitLab does not say (anonymous callers).
    pub visibility: String,
    /// True when the project or a group above it is archived.
    pub archived: bool,
    /// When GitLab last saw activity; moves at most hourly.
    pub last_activity_at: Option<Timestamp>,
}

/// What a project offers. Where GitLab says nothing (the short form, few rights, old versions),
/// a feature counts as offered: to ask in vain costs one request, not to ask loses data.
#[expect(clippy::struct_excessive_bools, reason = "independent switches, as GitLab has them")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFeatures {
    /// Issues are switched on.
    pub issues_enabled: bool,
    /// Merge requests are switched on.
    pub merge_requests_enabled: bool,
    /// Pipelines are switched on.
    pub builds_enabled: bool,
    /// The repository has no commit.
    pub empty_repo: bool,
    /// The repository is switched on.
    pub repository_readable: bool,
    /// Only its items are known, because the credential does not reach the project itself: its
    /// settings, topics and default branch are not known, and it is not public.
    pub is_sketch: bool,
    /// The text that new issues begin with; empty when there is none (a Premium setting).
    pub issues_template: String,
    /// The text that new merge requests begin with; empty when there is none.
    pub merge_requests_template: String,
}

impl ProjectFeatures {
    /// Returns whether the project has a list of items of this kind.
    #[must_use]
    pub const fn offers(&self, kind: ItemKind) -> bool {
        match kind {
            ItemKind::Issue => self.issues_enabled,
            ItemKind::MergeRequest => self.merge_requests_enabled,
        }
    }
}

/// A label that may be put on a project's items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Its id; `None` where GitLab does not say.
    pub id: Option<LabelId>,
    /// The title, `service::webshop`.
    pub name: String,
    /// What it means, in words; may carry aliases.
    pub description: String,
}

/// The latest pipeline of a project's default branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// `success`, `failed`, `running`, … (GitLab adds words).
    pub status: String,
    /// Branch or tag.
    pub git_ref: String,
    /// Commit.
    pub sha: String,
    /// Address of its page.
    pub web_url: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed, if GitLab says.
    pub updated_at: Option<Timestamp>,
}

/// A description template that a project offers, its own or inherited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// The project that offers it.
    pub project: ProjectId,
    /// What it is a template for.
    pub kind: ItemKind,
    /// Its name, `Incident`.
    pub name: String,
    /// Its text.
    pub content: String,
}
