//! The state of the simulated GitLab, in memory.
//!
//! [`World`] holds users, groups, projects and everything below them; `add` and `contents` make
//! things that `new` describes, `change` edits, renames, moves and deletes them, `commit` writes
//! items on behalf of both, `late` holds back what a slow database does not show yet, `index` keeps
//! items in the orders of lists, `event` keeps what happened, `effects` writes what GitLab adds of
//! its own (system notes, resource events), `mention` follows references from item to item, `sight`
//! decides who may see what, `link` says how items hang together. The world knows nothing of HTTP:
//! the `rest` module renders it. Texts that speak of this instance hold [`SELF_URL`], which is
//! replaced by its address when they are served.

mod add;
mod change;
mod commit;
mod contents;
mod effects;
mod entity;
mod event;
mod history;
mod id;
pub(crate) mod index;
mod job;
mod late;
mod link;
mod mention;
mod milestone;
mod new;
mod prose;
mod push;
mod reference;
mod relocate;
mod rows;
mod share;
mod sight;
pub(crate) mod text;
pub(crate) mod token;
mod walk;

use std::collections::{BTreeMap, HashMap};

pub use entity::{
    AccessLevel, ApprovalRule, GitTag, Group, Issue, IssueType, Item, Label, LabelOwner,
    MergeRequest, Note, Pipeline, Project, Release, User, Visibility,
};
pub use event::{Action, Change, Commit, Event, MemberOf, Named, PlaceChange};
pub use history::{Happened, History, Reached, ResourceEvent, Source};
pub use id::{GroupId, ItemKind, ItemRef, LabelId, MilestoneId, ProjectId, UserId};
pub use job::{JobPermissions, TokenJob};
pub use link::{ExternalTracker, IssueLink, LinkKind, Related};
pub use milestone::{Milestone, MilestoneOwner};
pub use new::{NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject};
pub use push::NewCommit;
pub use rows::{Numbered, Rows};
pub use sight::Caller;
pub use text::{Outside, Text};
pub use token::{LastUsed, NotRotated, Token, TokenKind};

use crate::clock::Clock;
use index::Indexes;
use late::Late;

/// Stands in texts for the external address of the instance, without a slash at its end. A
/// character of the private use area, so that no real text holds it by accident.
pub const SELF_URL: &str = "\u{E000}";

/// The whole state of one instance.
#[derive(Debug, Clone)]
pub struct World {
    clock: Clock,
    bot: UserId,
    bot_token: String,
    users: Rows<User>,
    tokens: BTreeMap<String, Token>,
    groups: BTreeMap<GroupId, Group>,
    projects: Rows<Project>,
    labels: BTreeMap<LabelId, Label>,
    milestones: BTreeMap<MilestoneId, Milestone>,
    /// Lower-cased full path, because GitLab finds paths in any case.
    paths: HashMap<String, Place>,
    /// Lower-cased paths that projects had before a rename or transfer.
    former_paths: HashMap<String, ProjectId>,
    /// Titles of labels by owner: adding an item looks its labels up.
    titles: HashMap<(LabelOwner, String), LabelId>,
    last: Counters,
    links: link::Links,
    shares: share::Shares,
    /// The jobs behind job tokens, and who lets them in.
    jobs: job::Jobs,
    /// Which merge requests could speak of an issue.
    numbers: mention::Numbers,
    /// Whether changes leave system notes; not said until it is served.
    remarks: Option<bool>,
    /// True once there was a fork.
    has_forks: bool,
    /// Who does what is done.
    acting: UserId,
    /// True when events are kept.
    listening: bool,
    events: Vec<Event>,
    /// Items in the orders of lists.
    indexes: Indexes,
    /// Counts the changes that are over.
    state: u64,
    /// What was written but is not to be seen yet.
    late: Late,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Group(GroupId),
    Project(ProjectId),
}

/// The last id given out, by kind.
#[derive(Debug, Clone, Default)]
struct Counters {
    user: u64,
    token: u64,
    group: u64,
    project: u64,
    label: u64,
    milestone: u64,
    event: u64,
    issue: u64,
    merge_request: u64,
    note: u64,
    pipeline: u64,
    release: u64,
    rule: u64,
}

/// Counts up and returns the new value.
fn next(counter: &mut u64) -> u64 {
    *counter += 1;
    *counter
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// Makes an instance that holds nothing but a bot user with a `read_api` token. The bot is a
    /// member of every top-level group, and so sees everything.
    pub fn new() -> Self {
        Self::with_clock(Clock::system())
    }

    /// Makes an empty instance with a clock of its own.
    pub fn with_clock(clock: Clock) -> Self {
        let mut world = Self {
            clock,
            bot: UserId::new(1),
            bot_token: String::new(),
            users: Rows::default(),
            tokens: BTreeMap::new(),
            groups: BTreeMap::new(),
            projects: Rows::default(),
            labels: BTreeMap::new(),
            milestones: BTreeMap::new(),
            paths: HashMap::new(),
            former_paths: HashMap::new(),
            titles: HashMap::new(),
            last: Counters::default(),
            links: link::Links::default(),
            shares: share::Shares::default(),
            jobs: job::Jobs::default(),
            numbers: mention::Numbers::default(),
            remarks: None,
            has_forks: false,
            acting: UserId::new(1),
            listening: false,
            events: Vec::new(),
            indexes: Indexes::default(),
            state: 0,
            late: Late::default(),
        };
        world.bot = world.add_user("xrefd-bot");
        world.acting = world.bot;
        if let Some(bot) = world.users.get_mut(&world.bot) {
            bot.bot = true;
            "xrefd bot".clone_into(&mut bot.name);
        }
        world.bot_token = world.add_token(world.bot, &["read_api"], None);
        world
    }

    /// Returns the clock. Copies of it move together.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Gives the world a clock that follows the system's again.
    pub fn use_system_clock(&mut self) {
        self.clock = Clock::system();
    }

    /// Returns the secret of the bot's token.
    pub fn bot_token(&self) -> &str {
        &self.bot_token
    }

    /// Returns a number that is another after every change, once the world is settled.
    pub(crate) fn state(&self) -> u64 {
        self.state
    }

    /// Returns the bot user.
    pub fn bot(&self) -> UserId {
        self.bot
    }

    /// Finds a user by id.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.users.get(&id)
    }

    /// Lists all users by id.
    pub fn users(&self) -> impl DoubleEndedIterator<Item = &User> {
        self.users.values()
    }

    /// Finds a user by user name.
    pub fn find_user(&self, username: &str) -> Option<&User> {
        self.users.values().find(|user| user.username == username)
    }

    /// Finds a token by its secret.
    pub fn token(&self, secret: &str) -> Option<&Token> {
        self.tokens.get(secret)
    }

    /// Finds a group by id.
    pub fn group(&self, id: GroupId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// Finds a group by its full path, in any case.
    pub fn find_group(&self, full_path: &str) -> Option<&Group> {
        match self.paths.get(&full_path.to_lowercase())? {
            Place::Group(id) => self.groups.get(id),
            Place::Project(_) => None,
        }
    }

    /// Lists all groups by id.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// Finds a project by id.
    pub fn project(&self, id: ProjectId) -> Option<&Project> {
        self.projects.get(&id)
    }

    /// Finds a project by id, to be changed. Prefer the methods that change the world: they keep
    /// times and indexes right.
    pub fn project_mut(&mut self, id: ProjectId) -> Option<&mut Project> {
        self.indexes.forget(id);
        self.projects.get_mut(&id)
    }

    /// Finds a project by its present full path, in any case.
    pub fn find_project(&self, full_path: &str) -> Option<&Project> {
        match self.paths.get(&full_path.to_lowercase())? {
            Place::Project(id) => self.projects.get(id),
            Place::Group(_) => None,
        }
    }

    /// Finds the project that had this path before it was renamed or moved.
    pub fn find_moved_project(&self, full_path: &str) -> Option<&Project> {
        self.projects.get(self.former_paths.get(&full_path.to_lowercase())?)
    }

    /// Lists all projects by id.
    pub fn projects(&self) -> impl Iterator<Item = &Project> {
        self.projects.values()
    }

    /// Finds the project with the highest id.
    pub(crate) fn last_project(&self) -> Option<&Project> {
        self.projects.values().next_back()
    }

    /// Finds a label by id.
    pub fn label(&self, id: LabelId) -> Option<&Label> {
        self.labels.get(&id)
    }

    /// Lists all labels by id.
    pub fn labels(&self) -> impl Iterator<Item = &Label> {
        self.labels.values()
    }

    /// Returns the titles of labels in the order GitLab prints them.
    pub fn label_titles(&self, labels: &[LabelId]) -> Vec<&str> {
        let mut titles: Vec<&str> =
            labels.iter().filter_map(|id| Some(self.label(*id)?.title.as_str())).collect();
        titles.sort_unstable();
        titles
    }

    /// Finds an issue.
    pub fn issue(&self, project: ProjectId, iid: u64) -> Option<&Issue> {
        self.project(project)?.issues.get(&iid)
    }

    /// Finds a merge request.
    pub fn merge_request(&self, project: ProjectId, iid: u64) -> Option<&MergeRequest> {
        self.project(project)?.merge_requests.get(&iid)
    }

    /// Finds what issues and merge requests have in common.
    pub fn item(&self, item: ItemRef) -> Option<&Item> {
        match item.kind {
            ItemKind::Issue => Some(&self.issue(item.project, item.iid)?.item),
            ItemKind::MergeRequest => Some(&self.merge_request(item.project, item.iid)?.item),
        }
    }

    /// Returns the full reference of an item, such as `acme/shop/webshop!4`.
    pub fn reference(&self, item: ItemRef) -> Option<String> {
        let project = self.project(item.project)?;
        Some(format!("{}{}{}", project.full_path, item.kind.sigil(), item.iid))
    }

    /// Returns a group and its ancestors, the nearest first.
    pub fn lineage(&self, id: GroupId) -> impl Iterator<Item = &Group> {
        std::iter::successors(self.group(id), |group| self.group(group.parent?))
    }

    /// Tells whether a group is another or lies anywhere below it.
    pub fn is_within(&self, id: GroupId, ancestor: GroupId) -> bool {
        self.lineage(id).any(|group| group.id == ancestor)
    }
}
