//! What happened in the world, for webhooks and for whoever else wants to follow.
//!
//! Every change that GitLab would tell somebody about is kept as an [`Event`] until it is taken.
//! Nothing is kept unless somebody listens: a generator that adds a million items must not pay for
//! it. Deletions of items and notes leave no event, because on GitLab they leave none.

use jiff::Timestamp;

use super::World;
use super::entity::{AccessLevel, Group, Issue, MergeRequest, Note, Pipeline, Project, Release};
use super::id::{GroupId, ItemRef, ProjectId, UserId};

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: UserId,
    /// What it was.
    pub what: Change,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Change {
    /// An issue was opened or changed.
    Issue {
        /// Where.
        project: ProjectId,
        /// How GitLab calls it.
        action: Action,
        /// The issue before, unless it is new.
        before: Option<Box<Issue>>,
        /// The issue after.
        after: Box<Issue>,
    },
    /// A merge request was opened or changed.
    MergeRequest {
        /// Where.
        project: ProjectId,
        /// How GitLab calls it.
        action: Action,
        /// The merge request before, unless it is new.
        before: Option<Box<MergeRequest>>,
        /// The merge request after.
        after: Box<MergeRequest>,
    },
    /// A comment was written or edited. System notes are told to nobody.
    Note {
        /// On what.
        item: ItemRef,
        /// The comment.
        note: Box<Note>,
        /// True when an old comment was edited.
        edited: bool,
    },
    /// The default branch moved.
    Push {
        /// Where.
        project: ProjectId,
        /// The head before; all zeros in an empty repository.
        before: String,
        /// The head after.
        after: String,
        /// The commits, oldest first.
        commits: Vec<Commit>,
    },
    /// A branch other than the default one was deleted.
    BranchDeleted {
        /// Where.
        project: ProjectId,
        /// The name.
        name: String,
        /// The commit it pointed to.
        sha: String,
    },
    /// A git tag was made.
    Tag {
        /// Where.
        project: ProjectId,
        /// The name.
        name: String,
        /// The commit it points to.
        sha: String,
    },
    /// A git tag was deleted.
    TagDeleted {
        /// Where.
        project: ProjectId,
        /// The name.
        name: String,
        /// The commit it pointed to.
        sha: String,
    },
    /// A pipeline was made or went on.
    Pipeline {
        /// Where.
        project: ProjectId,
        /// The pipeline.
        pipeline: Box<Pipeline>,
    },
    /// A release was made.
    Release {
        /// Where.
        project: ProjectId,
        /// The release.
        release: Box<Release>,
    },
    /// Something happened to a project as a whole.
    Project {
        /// The project, afterwards; before, when it was deleted.
        project: Named<ProjectId>,
        /// What happened to it.
        change: PlaceChange,
    },
    /// Something happened to a group as a whole.
    Group {
        /// The group, afterwards.
        group: Named<GroupId>,
        /// What happened to it.
        change: PlaceChange,
    },
    /// Somebody's role changed.
    Member {
        /// Where.
        of: MemberOf,
        /// Whose.
        user: UserId,
        /// The role before, or nothing when the membership is new.
        before: Option<AccessLevel>,
        /// The role afterwards, or nothing when the membership ended.
        level: Option<AccessLevel>,
    },
    /// A user was made.
    User {
        /// Who.
        user: UserId,
    },
}

/// One commit of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its name.
    pub sha: String,
    /// Its message.
    pub message: String,
    /// Paths of new files.
    pub added: Vec<String>,
    /// Paths of changed files.
    pub modified: Vec<String>,
    /// Paths of removed files.
    pub removed: Vec<String>,
}

/// GitLab's words for what happened to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Open,
    /// It was edited.
    Update,
    /// It was closed.
    Close,
    /// It was opened again.
    Reopen,
    /// It was merged.
    Merge,
}

impl Action {
    /// Returns GitLab's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Update => "update",
            Self::Close => "close",
            Self::Reopen => "reopen",
            Self::Merge => "merge",
        }
    }
}

/// What happened to a project or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceChange {
    /// It is new.
    Created,
    /// A setting changed.
    Updated,
    /// Its own path changed.
    Renamed {
        /// The full path before.
        old: String,
    },
    /// It went to another group.
    Transferred {
        /// The full path before.
        old: String,
    },
    /// It is gone.
    Destroyed,
}

/// What a project or group is called, kept beyond its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<I> {
    /// The id.
    pub id: I,
    /// The name on display.
    pub name: String,
    /// The last part of the full path.
    pub path: String,
    /// All parts of the path.
    pub full_path: String,
    /// Who may see it.
    pub visibility: super::Visibility,
    /// When it was made.
    pub created_at: Timestamp,
    /// The group it lies in, or lay in.
    pub parent: Option<GroupId>,
}

impl From<&Project> for Named<ProjectId> {
    fn from(row: &Project) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            path: row.path.clone(),
            full_path: row.full_path.clone(),
            visibility: row.visibility,
            created_at: row.created_at,
            parent: Some(row.group),
        }
    }
}

impl From<&Group> for Named<GroupId> {
    fn from(row: &Group) -> Self {
        Self {
            id: row.id,
            name: row.name.clone(),
            path: row.path.clone(),
            full_path: row.full_path.clone(),
            visibility: row.visibility,
            created_at: row.created_at,
            parent: row.parent,
        }
    }
}

/// Of what somebody is a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberOf {
    /// Of a group.
    Group(GroupId),
    /// Of a project.
    Project(ProjectId),
}

impl World {
    /// Starts to keep events, or stops.
    pub fn listen(&mut self, listening: bool) {
        self.listening = listening;
        if !listening {
            self.events.clear();
        }
    }

    /// Takes what happened since the last time, oldest first.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Says who does what is done from now on. At first it is the bot.
    pub fn act_as(&mut self, user: UserId) {
        self.acting = user;
    }

    /// Keeps an event if somebody listens. What it says is made only then.
    pub(super) fn emit(&mut self, what: impl FnOnce(&Self) -> Option<Change>) {
        if !self.listening {
            return;
        }
        if let Some(what) = what(self) {
            self.events.push(Event { at: self.clock.now(), by: self.acting, what });
        }
    }

    pub(super) fn emit_project(&mut self, project: ProjectId, change: PlaceChange) {
        self.emit(|world| {
            Some(Change::Project { project: world.project(project)?.into(), change })
        });
    }

    pub(super) fn emit_group(&mut self, group: GroupId, change: PlaceChange) {
        self.emit(|world| Some(Change::Group { group: world.group(group)?.into(), change }));
    }

    /// Tells of a push of one commit that touched one file.
    pub(super) fn emit_push(&mut self, project: ProjectId, before: String, file: Touched) {
        self.emit(|world| {
            let after = world.project(project)?.head();
            let mut commit = Commit::new(after.clone(), String::new());
            commit.message = commit.touch(file);
            Some(Change::Push { project, before, after, commits: vec![commit] })
        });
    }
}

/// What a commit did to a file.
#[derive(Debug)]
pub(super) enum Touched {
    Added(String),
    Modified(String),
    Removed(String),
}

impl Commit {
    pub(super) const fn new(sha: String, message: String) -> Self {
        Self { sha, message, added: Vec::new(), modified: Vec::new(), removed: Vec::new() }
    }

    /// Notes what happened to a file, and returns the message that GitLab's editor proposes for it.
    pub(super) fn touch(&mut self, file: Touched) -> String {
        let (verb, paths, path) = match file {
            Touched::Added(path) => ("Add", &mut self.added, path),
            Touched::Modified(path) => ("Update", &mut self.modified, path),
            Touched::Removed(path) => ("Delete", &mut self.removed, path),
        };
        let message = format!("{verb} {path}");
        paths.push(path);
        message
    }
}
