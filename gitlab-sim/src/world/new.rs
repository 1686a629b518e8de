//! Descriptions of things to be added, each with a believable default for what is not said.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::entity::{IssueType, Visibility};
use super::id::ProjectId;
use crate::clock::micros;

/// A project to be added.
#[derive(Debug, Clone)]
pub struct NewProject {
    pub(super) group: String,
    pub(super) path: String,
    pub(super) name: Option<String>,
    pub(super) description: String,
    pub(super) topics: BTreeSet<String>,
    pub(super) visibility: Visibility,
    pub(super) archived: bool,
    pub(super) default_branch: String,
    pub(super) created_at: Option<Timestamp>,
    pub(super) forked_from: Option<ProjectId>,
}

impl NewProject {
    /// Describes a private project at a full path such as `acme/shop/webshop`. A path without a
    /// slash is put into a group `root`, because every project needs one.
    pub fn at(full_path: &str) -> Self {
        let full_path = full_path.trim_matches('/');
        let (group, path) = full_path.rsplit_once('/').unwrap_or(("root", full_path));
        Self {
            group: group.to_owned(),
            path: path.to_owned(),
            name: None,
            description: String::new(),
            topics: BTreeSet::new(),
            visibility: Visibility::Private,
            archived: false,
            default_branch: "main".to_owned(),
            created_at: None,
            forked_from: None,
        }
    }

    /// Sets the name on display; without it the last part of the path is taken.
    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// Sets the description.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Adds topics.
    #[must_use]
    pub fn topics<T: AsRef<str>>(mut self, topics: impl IntoIterator<Item = T>) -> Self {
        self.topics.extend(topics.into_iter().map(|topic| topic.as_ref().to_owned()));
        self
    }

    /// Sets who may see it.
    #[must_use]
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// Makes it an archived one.
    #[must_use]
    pub fn archived(mut self, archived: bool) -> Self {
        self.archived = archived;
        self
    }

    /// Sets the name of the default branch.
    #[must_use]
    pub fn default_branch(mut self, branch: &str) -> Self {
        branch.clone_into(&mut self.default_branch);
        self
    }

    /// Sets when it was made.
    #[must_use]
    pub fn created_at(mut self, time: Timestamp) -> Self {
        self.created_at = Some(micros(time));
        self
    }

    /// Makes it a fork of another project. Files are not copied.
    #[must_use]
    pub fn forked_from(mut self, origin: ProjectId) -> Self {
        self.forked_from = Some(origin);
        self
    }
}

/// What a new issue and a new merge request have in common.
#[derive(Debug, Clone, Default)]
pub(super) struct NewItem {
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) labels: Vec<String>,
    pub(super) project_labels: bool,
    pub(super) author: Option<String>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
    pub(super) closed_at: Option<Timestamp>,
}

impl NewItem {
    /// Tells whether it is made now, and not history that is imported.
    pub(super) fn is_live(&self) -> bool {
        self.created_at.is_none() && self.updated_at.is_none() && self.closed_at.is_none()
    }
}

macro_rules! item_setters {
    () => {
        /// Sets the description.
        #[must_use]
        pub fn description(mut self, description: &str) -> Self {
            self.item.description = Some(description.to_owned());
            self
        }

        /// Adds labels. Those that neither the project nor its groups define are made: in the
        /// top-level group, or in the project after [`Self::in_project`].
        #[must_use]
        pub fn labels<T: AsRef<str>>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
            self.item.labels.extend(labels.into_iter().map(|label| label.as_ref().to_owned()));
            self
        }

        /// Makes missing labels in the project instead of the top-level group.
        #[must_use]
        pub fn in_project(mut self) -> Self {
            self.item.project_labels = true;
            self
        }

        /// Sets the author by user name.
        #[must_use]
        pub fn author(mut self, username: &str) -> Self {
            self.item.author = Some(username.to_owned());
            self
        }

        /// Sets when it was made.
        #[must_use]
        pub fn created_at(mut self, time: Timestamp) -> Self {
            self.item.created_at = Some(micros(time));
            self
        }

        /// Sets when it was last changed.
        #[must_use]
        pub fn updated_at(mut self, time: Timestamp) -> Self {
            self.item.updated_at = Some(micros(time));
            self
        }

        /// Makes it closed since then.
        #[must_use]
        pub fn closed_at(mut self, time: Timestamp) -> Self {
            self.item.closed_at = Some(micros(time));
            self
        }
    };
}

/// An issue to be added.
#[derive(Debug, Clone)]
pub struct NewIssue {
    pub(super) item: NewItem,
    pub(super) issue_type: IssueType,
    pub(super) confidential: bool,
    pub(super) severity: &'static str,
}

impl NewIssue {
    /// Describes an open issue with a title.
    pub fn new(title: &str) -> Self {
        Self {
            item: NewItem { title: title.to_owned(), ..NewItem::default() },
            issue_type: IssueType::Issue,
            confidential: false,
            severity: "UNKNOWN",
        }
    }

    item_setters!();

    /// Makes it an incident, a task, or an ordinary issue.
    #[must_use]
    pub fn issue_type(mut self, issue_type: IssueType) -> Self {
        self.issue_type = issue_type;
        self
    }

    /// Shows it to members only.
    #[must_use]
    pub fn confidential(mut self, confidential: bool) -> Self {
        self.confidential = confidential;
        self
    }

    /// Sets the severity of an incident, in upper case.
    #[must_use]
    pub fn severity(mut self, severity: &'static str) -> Self {
        self.severity = severity;
        self
    }
}

/// A merge request to be added.
#[derive(Debug, Clone)]
pub struct NewMergeRequest {
    pub(super) item: NewItem,
    pub(super) source_project: Option<ProjectId>,
    pub(super) source_branch: String,
    pub(super) target_branch: Option<String>,
    pub(super) merged_at: Option<Timestamp>,
}

impl NewMergeRequest {
    /// Describes an open merge request with a title, from a branch `topic`.
    pub fn new(title: &str) -> Self {
        Self {
            item: NewItem { title: title.to_owned(), ..NewItem::default() },
            source_project: None,
            source_branch: "topic".to_owned(),
            target_branch: None,
            merged_at: None,
        }
    }

    item_setters!();

    /// Lets it come from a fork.
    #[must_use]
    pub fn source_project(mut self, fork: ProjectId) -> Self {
        self.source_project = Some(fork);
        self
    }

    /// Sets the source branch.
    #[must_use]
    pub fn source_branch(mut self, branch: &str) -> Self {
        branch.clone_into(&mut self.source_branch);
        self
    }

    /// Sets the target branch; without it the default branch is taken.
    #[must_use]
    pub fn target_branch(mut self, branch: &str) -> Self {
        self.target_branch = Some(branch.to_owned());
        self
    }

    /// Makes it merged since then.
    #[must_use]
    pub fn merged_at(mut self, time: Timestamp) -> Self {
        self.merged_at = Some(micros(time));
        self
    }
}

/// A note to be added.
#[derive(Debug, Clone)]
pub struct NewNote {
    pub(super) body: String,
    pub(super) author: Option<String>,
    pub(super) system: bool,
    pub(super) internal: bool,
    pub(super) created_at: Option<Timestamp>,
}

impl NewNote {
    /// Describes a comment.
    pub fn new(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            author: None,
            system: false,
            internal: false,
            created_at: None,
        }
    }

    /// Sets the author by user name.
    #[must_use]
    pub fn author(mut self, username: &str) -> Self {
        self.author = Some(username.to_owned());
        self
    }

    /// Makes it one of GitLab's own remarks.
    #[must_use]
    pub fn system(mut self) -> Self {
        self.system = true;
        self
    }

    /// Shows it to members only.
    #[must_use]
    pub fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    /// Sets when it was written. Such a note is history: it does not move the item's
    /// `updated_at`.
    #[must_use]
    pub fn created_at(mut self, time: Timestamp) -> Self {
        self.created_at = Some(micros(time));
        self
    }
}

/// A pipeline to be added.
#[derive(Debug, Clone)]
pub struct NewPipeline {
    pub(super) status: String,
    pub(super) branch: Option<String>,
    pub(super) source: String,
    pub(super) created_at: Option<Timestamp>,
    pub(super) updated_at: Option<Timestamp>,
}

impl NewPipeline {
    /// Describes a pipeline of the default branch with a status such as `success`.
    pub fn new(status: &str) -> Self {
        Self {
            status: status.to_owned(),
            branch: None,
            source: "push".to_owned(),
            created_at: None,
            updated_at: None,
        }
    }

    /// Sets the branch or tag.
    #[must_use]
    pub fn branch(mut self, branch: &str) -> Self {
        self.branch = Some(branch.to_owned());
        self
    }

    /// Sets what started it.
    #[must_use]
    pub fn source(mut self, source: &str) -> Self {
        source.clone_into(&mut self.source);
        self
    }

    /// Sets when it was made, and when it last changed.
    #[must_use]
    pub fn times(mut self, created: Timestamp, updated: Timestamp) -> Self {
        self.created_at = Some(micros(created));
        self.updated_at = Some(micros(updated));
        self
    }
}
