//! What a hook is: where it listens, to what, and where it sends.

use std::collections::BTreeSet;

use axum::http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use super::health::Alert;
use crate::world::{GroupId, ProjectId, World};

/// The id of a hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct HookId(u64);

impl HookId {
    /// Wraps a number.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// Returns the number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for HookId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Of what a hook hears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Of one project.
    Project(ProjectId),
    /// Of a group and everything below it. GitLab sells this with Premium; the simulator does not
    /// ask.
    Group(GroupId),
    /// Of the whole instance.
    System,
}

/// The switches of a hook: which events it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// Commits on a branch, and branches that go.
    Push,
    /// Git tags made and deleted.
    TagPush,
    /// Issues, incidents and tasks, unless confidential.
    Issues,
    /// Those that are confidential.
    ConfidentialIssues,
    /// Merge requests.
    MergeRequests,
    /// Comments, unless confidential.
    Note,
    /// Internal comments, and comments on confidential issues.
    ConfidentialNote,
    /// Pipelines.
    Pipeline,
    /// Releases.
    Releases,
    /// Members of groups; for group hooks.
    Member,
    /// Projects made and deleted; for group hooks.
    Project,
    /// Subgroups made and deleted; for group hooks.
    Subgroup,
    /// All that changed in a repository, once per push; for system hooks.
    RepositoryUpdate,
}

impl Switch {
    /// All switches.
    pub const ALL: [Self; 13] = [
        Self::Push,
        Self::TagPush,
        Self::Issues,
        Self::ConfidentialIssues,
        Self::MergeRequests,
        Self::Note,
        Self::ConfidentialNote,
        Self::Pipeline,
        Self::Releases,
        Self::Member,
        Self::Project,
        Self::Subgroup,
        Self::RepositoryUpdate,
    ];

    /// Returns GitLab's name of the switch, such as `push_events`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Push => "push_events",
            Self::TagPush => "tag_push_events",
            Self::Issues => "issues_events",
            Self::ConfidentialIssues => "confidential_issues_events",
            Self::MergeRequests => "merge_requests_events",
            Self::Note => "note_events",
            Self::ConfidentialNote => "confidential_note_events",
            Self::Pipeline => "pipeline_events",
            Self::Releases => "releases_events",
            Self::Member => "member_events",
            Self::Project => "project_events",
            Self::Subgroup => "subgroup_events",
            Self::RepositoryUpdate => "repository_update_events",
        }
    }

    /// Finds a switch by GitLab's name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|switch| switch.name() == name)
    }
}

/// A hook to be registered.
#[derive(Debug, Clone)]
pub struct Hook {
    /// Of what it hears.
    pub scope: Scope,
    /// Where it sends.
    pub url: String,
    /// The secret that is sent in clear as `X-Gitlab-Token`.
    pub token: Option<String>,
    /// The secret that bodies are signed with. One that begins with `whsec_` stands for the bytes
    /// that follow in base64, as Standard Webhooks has it; any other for its own bytes.
    pub signing_token: Option<String>,
    /// What it wants to hear.
    pub events: BTreeSet<Switch>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
}

impl Hook {
    /// Describes a hook of a project. Like GitLab's it hears of pushes until told otherwise.
    pub fn on_project(project: ProjectId, url: &str) -> Self {
        Self::new(Scope::Project(project), url, Switch::Push)
    }

    /// Describes a hook of a group. Like GitLab's it hears of pushes until told otherwise.
    pub fn on_group(group: GroupId, url: &str) -> Self {
        Self::new(Scope::Group(group), url, Switch::Push)
    }

    /// Describes a system hook. It always hears of projects, groups, users and members; like
    /// GitLab's also of repository updates until told otherwise, and of pushes, tag pushes and
    /// merge requests when told so.
    pub fn on_system(url: &str) -> Self {
        Self::new(Scope::System, url, Switch::RepositoryUpdate)
    }

    fn new(scope: Scope, url: &str, switch: Switch) -> Self {
        Self {
            scope,
            url: url.to_owned(),
            token: None,
            signing_token: None,
            events: BTreeSet::from([switch]),
            headers: Vec::new(),
        }
    }

    /// Says what it wants to hear, and nothing else.
    #[must_use]
    pub fn events(mut self, events: impl IntoIterator<Item = Switch>) -> Self {
        self.events = events.into_iter().collect();
        self
    }

    /// Lets it hear everything.
    #[must_use]
    pub fn all_events(self) -> Self {
        self.events(Switch::ALL)
    }

    /// Sets the secret that is sent in clear.
    #[must_use]
    pub fn token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// Sets the secret that bodies are signed with.
    #[must_use]
    pub fn signing_token(mut self, token: &str) -> Self {
        self.signing_token = Some(token.to_owned());
        self
    }

    /// Adds a header to every delivery.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Tells whether it could work.
    pub(super) fn check(&self, world: &World) -> Result<(), Refusal> {
        let known = match self.scope {
            Scope::Project(project) => world.project(project).is_some(),
            Scope::Group(group) => world.group(group).is_some(),
            Scope::System => true,
        };
        if !known {
            return Err(Refusal::NoPlace);
        }
        let url = reqwest::Url::parse(&self.url).map_err(|_| Refusal::BadUrl)?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(Refusal::BadUrl);
        }
        let sendable = |value: &str| HeaderValue::from_str(value).is_ok();
        let fine = self.token.as_deref().is_none_or(sendable)
            && self.headers.iter().all(|(name, value)| {
                HeaderName::from_bytes(name.as_bytes()).is_ok() && sendable(value)
            });
        if fine { Ok(()) } else { Err(Refusal::BadHeader) }
    }
}

/// A hook as it stands.
#[derive(Debug, Clone)]
pub struct HookState {
    /// The id.
    pub id: HookId,
    /// What was registered.
    pub hook: Hook,
    /// Whether it is executed.
    pub alert: Alert,
    /// Until when events are, or were last, lost.
    pub disabled_until: Option<Timestamp>,
    /// Deliveries that failed in a row.
    pub failures: u32,
    /// When it was registered.
    pub created_at: Timestamp,
}

/// Why a hook was not registered, or a delivery not sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such project or group.
    NoPlace,
    /// The address is not one of HTTP.
    BadUrl,
    /// A header cannot be sent.
    BadHeader,
    /// The project has 100 hooks already, or the group 50.
    TooMany,
    /// There is no such delivery, or its hook is gone.
    NoDelivery,
    /// Five deliveries of the hook were sent again within this minute.
    TooOften,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::NoPlace => "there is no such project or group",
            Self::BadUrl => "the address of the hook is not one of HTTP",
            Self::BadHeader => "a header of the hook cannot be sent",
            Self::TooMany => "the project or group has as many hooks as it may have",
            Self::NoDelivery => "there is no such delivery, or its hook is gone",
            Self::TooOften => "deliveries of this hook were sent again too often",
        })
    }
}

impl std::error::Error for Refusal {}
