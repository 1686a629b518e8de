//! Answers, in the shapes of the contract (design.md, section 8).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::live::{
    BudgetStatus, CrawlState, GitLabStatus, Live, TokenStatus, UnavailablePart, WebhookStatus,
};
use super::streams::StreamStatus;

/// A page of a list.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub data: Vec<T>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<Cursor>,
}

/// Where a page begins: after the row with these values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cursor {
    /// An instant in milliseconds, and a key.
    At(i64, i64),
    /// A name or path.
    After(String),
}

/// How much carries a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Projects.
    pub projects: i64,
    /// Issues, those that inherit it included.
    pub issues: i64,
    /// Of these, the open ones.
    pub open_issues: i64,
    /// Merge requests, those that inherit it included.
    pub merge_requests: i64,
    /// Of these, the open ones.
    pub open_merge_requests: i64,
}

/// A service, a team, or any other name, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NameSummary {
    /// The name as shown.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// How much carries it.
    pub counts: Counts,
}

/// All about one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct NameDetail {
    /// The name as shown.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// How much carries it.
    pub counts: Counts,
    /// Teams of its projects.
    pub teams: Vec<String>,
    /// Services of its projects; for a service, the others that share a project with it.
    pub services: Vec<String>,
    /// Whom the CODEOWNERS files of its projects name.
    pub owners: Vec<NameOwner>,
    /// Its projects, the first 50 by path.
    pub projects: Vec<Project>,
    /// Newest open issues.
    pub open_issues: Vec<Item>,
    /// Newest open merge requests.
    pub open_merge_requests: Vec<Item>,
    /// Merge requests merged last.
    pub recently_merged: Vec<Item>,
    /// What its items mention, the last mentioned first.
    pub references: Vec<ReferenceSummary>,
    /// Latest pipelines of its projects.
    pub pipelines: Vec<ProjectPipeline>,
}

/// An owner, and where it is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NameOwner {
    /// `name`, `role` or `email`.
    pub kind: OwnerKind,
    /// As written, with its marks.
    pub name: String,
    /// Paths of the projects whose CODEOWNERS name it.
    pub projects: Vec<String>,
    /// Sections that name it.
    pub sections: Vec<String>,
}

/// How an owner is named.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum OwnerKind {
    /// A user or group.
    Name,
    /// A role of the project.
    Role,
    /// An e-mail address.
    Email,
}

impl From<crate::model::OwnerKind> for OwnerKind {
    fn from(kind: crate::model::OwnerKind) -> Self {
        match kind {
            crate::model::OwnerKind::Name => Self::Name,
            crate::model::OwnerKind::Role => Self::Role,
            crate::model::OwnerKind::Email => Self::Email,
        }
    }
}

/// An owner as CODEOWNERS writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Owner {
    /// `name`, `role` or `email`.
    pub kind: OwnerKind,
    /// As written, with its marks.
    pub name: String,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub struct Tag {
    /// `service`, `team`, ….
    pub key: String,
    /// The name.
    pub value: String,
}

/// Why an item or project carries a tag or mentions something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Evidence {
    /// What for: `service:webshop`, `jira:WEB-12`.
    #[serde(rename = "for")]
    pub subject: String,
    /// `topic`, `label`, `field`, `reference`, `name`, ….
    pub via: String,
    /// `title`, `description`, `branch`, `comment`, `labels`, `topics`, `file`.
    #[serde(rename = "where")]
    pub location: String,
    /// The text that was read.
    pub text: String,
    /// True when the item has it from its project.
    pub inherited: bool,
    /// The rule that read it.
    pub rule: String,
    /// Address of the comment that it stands in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A project, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectLink {
    /// GitLab's id.
    pub id: i64,
    /// Full path.
    pub path: String,
    /// Address of its page.
    pub web_url: String,
}

/// The two kinds of item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemKind {
    /// An issue of any type.
    Issue,
    /// A merge request.
    MergeRequest,
}

impl From<crate::model::ItemKind> for ItemKind {
    fn from(kind: crate::model::ItemKind) -> Self {
        match kind {
            crate::model::ItemKind::Issue => Self::Issue,
            crate::model::ItemKind::MergeRequest => Self::MergeRequest,
        }
    }
}

impl From<ItemKind> for crate::model::ItemKind {
    fn from(kind: ItemKind) -> Self {
        match kind {
            ItemKind::Issue => Self::Issue,
            ItemKind::MergeRequest => Self::MergeRequest,
        }
    }
}

/// An issue or merge request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Item {
    /// Issue or merge request.
    pub kind: ItemKind,
    /// `shop/webshop!42`.
    pub reference: String,
    /// GitLab's id.
    pub id: i64,
    /// Number within the project.
    pub iid: i64,
    /// Its project.
    pub project: ProjectLink,
    /// Title.
    pub title: String,
    /// `opened`, `closed`, `merged`, `locked`.
    pub state: String,
    /// True for a draft merge request.
    pub draft: bool,
    /// True for a confidential issue.
    pub confidential: bool,
    /// `issue`, `incident`, `task`, …; absent for merge requests.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issue_type: String,
    /// Author's user name.
    pub author: String,
    /// Label titles.
    pub labels: Vec<String>,
    /// Address of its page.
    pub web_url: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// Its tags, inherited ones included.
    pub tags: Vec<Tag>,
    /// Why it carries its tags, and what it mentions.
    pub evidence: Vec<Evidence>,
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pipeline {
    /// GitLab's id.
    pub id: i64,
    /// `success`, `failed`, `running`, ….
    pub status: String,
    /// Branch.
    #[serde(rename = "ref")]
    pub git_ref: String,
    /// Commit.
    pub sha: String,
    /// Address of its page.
    pub web_url: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// The latest pipeline of a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectPipeline {
    /// The project.
    pub project: ProjectLink,
    /// Its pipeline.
    #[serde(flatten)]
    pub pipeline: Pipeline,
}

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// GitLab's id.
    pub id: i64,
    /// Name of its source.
    pub source: String,
    /// Full path.
    pub path: String,
    /// Display name.
    pub name: String,
    /// One-line description.
    pub description: String,
    /// Address of its page.
    pub web_url: String,
    /// Default branch; null for an empty repository.
    pub default_branch: Option<String>,
    /// `public`, `internal`, `private`; empty when GitLab does not say.
    pub visibility: String,
    /// True when it or a group above it is archived.
    pub archived: bool,
    /// Topics.
    pub topics: Vec<String>,
    /// Last activity that GitLab saw; moves at most hourly.
    pub last_activity_at: Option<Timestamp>,
    /// Latest pipeline of the default branch.
    pub pipeline: Option<Pipeline>,
    /// Its tags.
    pub tags: Vec<Tag>,
    /// Why it carries its tags.
    pub evidence: Vec<Evidence>,
}

/// A project with what only its own page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProjectDetail {
    /// The project.
    #[serde(flatten)]
    pub project: Project,
    /// Paths it had before a rename or transfer.
    pub former_paths: Vec<String>,
    /// The CODEOWNERS file that counts; null when there is none.
    pub codeowners: Option<String>,
    /// Names of the description templates for issues that it offers.
    pub issue_templates: Vec<String>,
    /// Names of the description templates for merge requests that it offers.
    pub merge_request_templates: Vec<String>,
}

/// Whom a CODEOWNERS file names for a path, or for all paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PathOwners {
    /// The path asked about; null when all entries are listed.
    pub path: Option<String>,
    /// The file that counts; null when there is none.
    pub file: Option<String>,
    /// By section, the entry that counts; all entries when no path was asked about.
    pub sections: Vec<SectionOwners>,
}

/// An entry of a CODEOWNERS file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SectionOwners {
    /// Name of the section; `codeowners` before the first heading.
    pub section: String,
    /// True when its approval is optional.
    pub optional: bool,
    /// The number of approvals written; 0 when none is.
    pub approvals: u32,
    /// The pattern as written.
    pub pattern: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Whom it names.
    pub owners: Vec<Owner>,
}

/// A reference that items mention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReferenceSummary {
    /// What it is.
    pub kind: String,
    /// Its canonical id.
    pub id: String,
    /// Issues that mention it.
    pub issues: i64,
    /// Merge requests that mention it.
    pub merge_requests: i64,
    /// Last change of an item that mentions it.
    pub updated_at: Timestamp,
}

/// An id read out of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadReference {
    /// What it is.
    pub kind: String,
    /// Its canonical id.
    pub id: String,
    /// The text it was read from.
    pub text: String,
    /// True when an item mentions it.
    pub known: bool,
    /// Issues that mention it.
    pub issues: i64,
    /// Merge requests that mention it.
    pub merge_requests: i64,
}

/// What an input is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ResolvedInput {
    /// As given.
    pub text: String,
    /// `gitlab_project`, `gitlab_issue`, `gitlab_merge_request`, `gitlab_group`, `service`, `team`,
    /// a kind of reference such as `pagerduty_incident`, or `unknown`.
    pub kind: String,
    /// Its canonical id or name, when it has one.
    pub id: Option<String>,
}

/// A service with its resources in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ServiceLinks {
    /// The service.
    pub name: String,
    /// Why the input belongs to it.
    pub evidence: Vec<Evidence>,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// How much carries it.
    pub counts: Counts,
    /// Teams of its projects.
    pub teams: Vec<String>,
    /// Its projects, the first 10 by path.
    pub projects: Vec<ProjectLink>,
    /// Newest open issues, 5 at most.
    pub open_issues: Vec<ItemLink>,
    /// Newest open merge requests, 5 at most.
    pub open_merge_requests: Vec<ItemLink>,
    /// Whom the CODEOWNERS files of its projects name.
    pub owners: Vec<Owner>,
    /// Latest pipelines of its projects.
    pub pipelines: Vec<ProjectPipeline>,
}

/// An item, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ItemLink {
    /// Issue or merge request.
    pub kind: ItemKind,
    /// `shop/webshop!42`.
    pub reference: String,
    /// Title.
    pub title: String,
    /// State.
    pub state: String,
    /// Address of its page.
    pub web_url: String,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl From<&Item> for ItemLink {
    fn from(item: &Item) -> Self {
        Self {
            kind: item.kind,
            reference: item.reference.clone(),
            title: item.title.clone(),
            state: item.state.clone(),
            web_url: item.web_url.clone(),
            updated_at: item.updated_at,
        }
    }
}

/// What an input is, the services it belongs to, and their resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Resolved {
    /// What the input is.
    pub input: ResolvedInput,
    /// The services it belongs to, the surest first.
    pub services: Vec<ServiceLinks>,
    /// The projects it is or lives in.
    pub projects: Vec<Project>,
    /// The item it is, or the items that mention it, last changed first.
    pub items: Vec<Item>,
    /// The ids read out of it.
    pub references: Vec<ReadReference>,
    /// What it was, if that is no longer in the index; null otherwise.
    pub gone: Option<GoneThing>,
}

/// A project or item that was in the index and is no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GoneThing {
    /// `project`, `issue` or `merge_request`. An item that went with its project is the project.
    pub kind: String,
    /// The last path, with the item's number: `shop/webshop#12`.
    pub reference: String,
    /// Where its page was.
    pub web_url: String,
    /// When it was noticed to be gone.
    pub gone_at: Timestamp,
    /// `not_shown` (deleted, or hidden from the token: GitLab does not tell which),
    /// `outside_roots`, `excluded`, `archived` or `root_removed`.
    pub reason: String,
    /// The reason as a sentence.
    pub explanation: String,
}

/// How fresh a source is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceStatus {
    /// The source.
    pub source: String,
    /// GitLab's address.
    pub url: String,
    /// Start of the last sync that ended.
    pub as_of: Option<Timestamp>,
    /// Start of the last sync that read everything.
    pub complete_as_of: Option<Timestamp>,
    /// `complete`, `incomplete` or `failed`; empty before the first sync has ended.
    pub outcome: String,
    /// How far each list of each root was read.
    pub streams: Vec<StreamStatus>,
    /// What could not be read in the last sync.
    pub problems: Vec<SourceProblem>,
    /// What its crawler does now; null unless the daemon that crawls is asked.
    pub state: Option<CrawlState>,
    /// What is left of the rate limit; null unless the daemon that crawls is asked.
    pub budget: Option<BudgetStatus>,
    /// What is known of the token; null unless the daemon that crawls is asked, and has checked it.
    pub token: Option<TokenStatus>,
    /// What is known of the GitLab; null unless the daemon that crawls is asked.
    pub gitlab: Option<GitLabStatus>,
    /// What is not to be had, and is not asked for; null unless the daemon that crawls is asked.
    pub unavailable: Option<Vec<UnavailablePart>>,
    /// What came of its webhooks; null unless the daemon that crawls is asked.
    pub webhooks: Option<WebhookStatus>,
}

impl SourceStatus {
    /// Adds what its crawler does now.
    #[must_use]
    pub fn with(mut self, live: Live) -> Self {
        self.state = Some(live.state);
        self.budget = Some(live.budget);
        self.token = live.token;
        self.gitlab = Some(live.gitlab);
        self.unavailable = Some(live.unavailable);
        self.webhooks = Some(live.webhooks);
        self
    }
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SourceProblem {
    /// A root or project.
    pub subject: String,
    /// Which of its lists.
    pub stream: String,
    /// Why.
    pub reason: String,
    /// When it was tried.
    pub at: Timestamp,
    /// When it is tried again.
    pub retry_at: Timestamp,
}
