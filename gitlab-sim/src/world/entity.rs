//! The things of the world, as plain data.
//!
//! Times are kept in microseconds, as in GitLab's database; the REST interface prints milliseconds.
//! Labels are kept by id, so that renaming one changes every item that carries it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::Text;
use super::history::History;
use super::id::{GroupId, LabelId, MilestoneId, ProjectId, UserId};
use super::link::ExternalTracker;
use super::rows::{Numbered, Rows};

/// Who may see a group or project without being a member.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Members only.
    Private,
    /// Everybody who is signed in.
    Internal,
    /// Everybody.
    Public,
}

/// The role of a member. GitLab's numbers, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AccessLevel {
    /// 10.
    Guest,
    /// 15.
    Planner,
    /// 20.
    Reporter,
    /// 30.
    Developer,
    /// 40.
    Maintainer,
    /// 50.
    Owner,
}

impl AccessLevel {
    /// Returns GitLab's number for the role.
    pub const fn number(self) -> u64 {
        match self {
            Self::Guest => 10,
            Self::Planner => 15,
            Self::Reporter => 20,
            Self::Developer => 30,
            Self::Maintainer => 40,
            Self::Owner => 50,
        }
    }
}

/// A user, person or bot.
#[derive(Debug, Clone)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// The name after the `@`.
    pub username: String,
    /// The name on display.
    pub name: String,
    /// True for the user behind a project or group token.
    pub bot: bool,
    /// True for an administrator, who sees everything.
    pub admin: bool,
    /// When the user was made.
    pub created_at: Timestamp,
}

/// A group, with or without a parent.
#[derive(Debug, Clone)]
pub struct Group {
    /// The id.
    pub id: GroupId,
    /// The group it lies in.
    pub parent: Option<GroupId>,
    /// The last part of the full path.
    pub path: String,
    /// The name on display.
    pub name: String,
    /// All parts of the path.
    pub full_path: String,
    /// The names on display of it and its ancestors, joined by ` / `.
    pub full_name: String,
    /// The description.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// When it was made.
    pub created_at: Timestamp,
    /// Direct members.
    pub members: BTreeMap<UserId, AccessLevel>,
    /// The day on which it was marked for deletion.
    pub marked_for_deletion_on: Option<Date>,
}

/// A project.
#[derive(Debug, Clone)]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// The group it lies in.
    pub group: GroupId,
    /// The last part of the full path.
    pub path: String,
    /// The name on display.
    pub name: String,
    /// All parts of the path.
    pub full_path: String,
    /// The description.
    pub description: String,
    /// Who may see it.
    pub visibility: Visibility,
    /// Its topics.
    pub topics: BTreeSet<String>,
    /// True once it was archived.
    pub archived: bool,
    /// True while nobody may see it: it is being deleted, or an administrator hid it.
    pub hidden: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its row was last written.
    pub updated_at: Timestamp,
    /// When something last happened in it, to the hour.
    pub last_activity_at: Timestamp,
    /// True when updates of `last_activity_at` get lost, as was seen on GitLab 18.2.
    pub loses_activity: bool,
    /// The day on which it was marked for deletion.
    pub marked_for_deletion_on: Option<Date>,
    /// Who made it.
    pub creator: UserId,
    /// Direct members.
    pub members: BTreeMap<UserId, AccessLevel>,
    /// The default branch, of which the files are. Without files the repository is empty.
    pub default_branch: String,
    /// The files of the default branch.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Counts the changes of the files: the head commit follows from it.
    pub revision: u64,
    /// The project of which it is a fork.
    pub forked_from: Option<ProjectId>,
    /// The tracker elsewhere that it uses, beside its own issues.
    pub external_tracker: Option<ExternalTracker>,
    /// The default text of new issues.
    pub issues_template: Option<String>,
    /// The default text of new merge requests.
    pub merge_requests_template: Option<String>,
    /// Issues by number.
    pub issues: Rows<Issue>,
    /// Merge requests by number.
    pub merge_requests: Rows<MergeRequest>,
    /// Pipelines, oldest first.
    pub pipelines: Vec<Pipeline>,
    /// Releases, oldest first.
    pub releases: Vec<Release>,
    /// Git tags, oldest first.
    pub tags: Vec<GitTag>,
    /// Approval rules, served where the tier has them.
    pub approval_rules: Vec<ApprovalRule>,
    /// The last number given to an issue: numbers are not used twice.
    pub last_issue: u64,
    /// The last number given to a merge request.
    pub last_merge_request: u64,
}

/// Where a label is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelOwner {
    /// In a group, for it and everything below it.
    Group(GroupId),
    /// In a project.
    Project(ProjectId),
}

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    /// The id.
    pub id: LabelId,
    /// Where it is defined.
    pub owner: LabelOwner,
    /// The title.
    pub title: String,
    /// The description.
    pub description: Option<String>,
    /// The colour, as `#rrggbb`.
    pub color: String,
}

/// What issues and merge requests have in common.
#[derive(Debug, Clone)]
pub struct Item {
    /// The id, unique on the instance within the kind.
    pub id: u64,
    /// The number within the project.
    pub iid: u64,
    /// The title.
    pub title: String,
    /// The description.
    pub description: Option<Text>,
    /// Its labels.
    pub labels: Vec<LabelId>,
    /// Who made it.
    pub author: UserId,
    /// To whom it is assigned.
    pub assignees: Vec<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// Who closed it.
    pub closed_by: Option<UserId>,
    /// The milestone it is on.
    pub milestone: Option<MilestoneId>,
    /// Its notes, oldest first.
    pub notes: Vec<Note>,
    /// What became of its labels, state and milestone.
    pub history: History,
}

impl Item {
    /// Counts the comments: notes that are not GitLab's own.
    pub fn comments(&self) -> usize {
        self.notes.iter().filter(|note| !note.system).count()
    }
}

/// The type of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum IssueType {
    /// An ordinary issue.
    Issue,
    /// An incident.
    Incident,
    /// A task.
    Task,
}

impl IssueType {
    /// Returns the word of `issue_type`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Incident => "incident",
            Self::Task => "task",
        }
    }
}

/// An issue.
#[derive(Debug, Clone)]
pub struct Issue {
    /// What it has in common with merge requests.
    pub item: Item,
    /// Issue, incident or task.
    pub issue_type: IssueType,
    /// True when only members may see it.
    pub confidential: bool,
    /// `UNKNOWN`, `CRITICAL`, `HIGH`, `MEDIUM`, `LOW`.
    pub severity: String,
    /// The issue that it was moved to.
    pub moved_to: Option<u64>,
}

impl Issue {
    /// Returns `opened` or `closed`.
    pub fn state(&self) -> &'static str {
        if self.item.closed_at.is_some() { "closed" } else { "opened" }
    }
}

/// A merge request.
#[derive(Debug, Clone)]
pub struct MergeRequest {
    /// What it has in common with issues.
    pub item: Item,
    /// The fork from which it comes, unless both branches are of one project.
    pub source_project: Option<ProjectId>,
    /// Who is asked to review it.
    pub reviewers: Vec<UserId>,
    /// The branch to be merged.
    pub source_branch: String,
    /// The branch it goes to.
    pub target_branch: String,
    /// When it was merged.
    pub merged_at: Option<Timestamp>,
    /// Who merged it.
    pub merge_user: Option<UserId>,
}

impl MergeRequest {
    /// Returns `opened`, `closed` or `merged`.
    pub fn state(&self) -> &'static str {
        if self.merged_at.is_some() {
            "merged"
        } else if self.item.closed_at.is_some() {
            "closed"
        } else {
            "opened"
        }
    }

    /// Tells whether the title marks it as a draft. `WIP:` has not done so for years.
    pub fn draft(&self) -> bool {
        let title = self.item.title.trim_start();
        ["draft:", "[draft]", "(draft)"].iter().any(|mark| {
            title.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark))
        })
    }
}

/// A note: a comment, or GitLab's own remark.
#[derive(Debug, Clone)]
pub struct Note {
    /// The id, unique on the instance.
    pub id: u64,
    /// The text.
    pub body: String,
    /// Who wrote it.
    pub author: UserId,
    /// True for GitLab's own remarks.
    pub system: bool,
    /// True when only members may see it.
    pub internal: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
}

/// A pipeline.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// The id.
    pub id: u64,
    /// The number within the project.
    pub iid: u64,
    /// The commit it ran for.
    pub sha: String,
    /// The branch or tag it ran for.
    pub branch: String,
    /// `success`, `failed`, `running`, …
    pub status: String,
    /// `push`, `schedule`, …
    pub source: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A release.
#[derive(Debug, Clone)]
pub struct Release {
    /// The id.
    pub id: u64,
    /// The git tag it belongs to.
    pub tag: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Who made it.
    pub author: UserId,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was, or will be, released.
    pub released_at: Timestamp,
}

/// A git tag.
#[derive(Debug, Clone)]
pub struct GitTag {
    /// Its name.
    pub name: String,
    /// The message of an annotated tag.
    pub message: String,
    /// The commit it points to.
    pub sha: String,
    /// When that commit was made.
    pub created_at: Timestamp,
}

/// An approval rule of a project.
#[derive(Debug, Clone)]
pub struct ApprovalRule {
    /// The id.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// `regular`, `any_approver`, `code_owner`, `report_approver`.
    pub rule_type: String,
    /// How many approvals it asks for.
    pub approvals_required: u64,
    /// Users that may approve.
    pub users: Vec<UserId>,
    /// Groups whose members may approve.
    pub groups: Vec<GroupId>,
}

impl Numbered for User {
    type Number = UserId;

    fn number(&self) -> &UserId {
        &self.id
    }
}

impl Numbered for Project {
    type Number = ProjectId;

    fn number(&self) -> &ProjectId {
        &self.id
    }
}

impl Numbered for Issue {
    type Number = u64;

    fn number(&self) -> &u64 {
        &self.item.iid
    }
}

impl Numbered for MergeRequest {
    type Number = u64;

    fn number(&self) -> &u64 {
        &self.item.iid
    }
}
