//! Who may see what.
//!
//! The rules are GitLab's, cut to what the simulator holds: visibility levels, roles inherited from
//! groups, confidential issues and internal notes. What a caller may not see does not exist for
//! them, so the answers here are booleans and the REST interface turns them into 404.

use super::World;
use super::entity::{AccessLevel, Group, Issue, Note, Project, User, Visibility};
use super::id::UserId;
use super::token::Token;

/// Who is asking.
#[derive(Debug, Clone, Copy)]
pub enum Caller<'w> {
    /// Nobody known.
    Anonymous,
    /// A user, by a token.
    User {
        /// The user.
        user: &'w User,
        /// The token.
        token: &'w Token,
    },
}

impl<'w> Caller<'w> {
    /// Returns the user, if there is one.
    pub fn user(self) -> Option<&'w User> {
        match self {
            Self::Anonymous => None,
            Self::User { user, .. } => Some(user),
        }
    }
}

impl World {
    /// Returns the role of a caller in a group, inherited ones and those by invited groups
    /// included.
    pub fn group_access(&self, caller: Caller<'_>, group: &Group) -> Option<AccessLevel> {
        let user = caller.user()?;
        if user.admin {
            return Some(AccessLevel::Owner);
        }
        let own = self.lineage(group.id).filter_map(|group| group.members.get(&user.id).copied());
        own.max().max(self.shared_group_access(user.id, group.id))
    }

    /// Returns the role of a caller in a project, inherited ones included. The token of a CI job has
    /// none where its project is not let in.
    pub fn access(&self, caller: Caller<'_>, project: &Project) -> Option<AccessLevel> {
        let user = caller.user()?;
        if !self.is_let_in(caller, project) {
            return None;
        }
        let direct = project.members.get(&user.id).copied();
        let inherited =
            self.group(project.group).and_then(|group| self.group_access(caller, group));
        direct.max(inherited).max(self.shared_access(user.id, project))
    }

    /// Tells whether a project lets a caller in as far as job tokens are concerned.
    pub fn is_let_in(&self, caller: Caller<'_>, project: &Project) -> bool {
        match caller {
            Caller::Anonymous => true,
            Caller::User { token, .. } => self.token_permissions(token, project.id).is_some(),
        }
    }

    /// Tells whether a caller sees a project.
    pub fn sees_project(&self, caller: Caller<'_>, project: &Project) -> bool {
        if project.hidden {
            return false;
        }
        match project.visibility {
            Visibility::Public => true,
            Visibility::Internal => caller.user().is_some() && self.is_let_in(caller, project),
            Visibility::Private => self.access(caller, project).is_some(),
        }
    }

    /// Tells whether a user would see a project, whatever the token.
    pub(crate) fn user_sees_project(&self, user: UserId, project: &Project) -> bool {
        let Some(user) = self.user(user).filter(|_| !project.hidden) else {
            return false;
        };
        let member = project.members.contains_key(&user.id)
            || self.lineage(project.group).any(|group| group.members.contains_key(&user.id))
            || self.shared_access(user.id, project).is_some();
        project.visibility != Visibility::Private || user.admin || member
    }

    /// Tells whether a caller sees a group: by its visibility, as a member, or as one who reaches
    /// something below it.
    pub fn sees_group(&self, caller: Caller<'_>, group: &Group) -> bool {
        match group.visibility {
            Visibility::Public => return true,
            Visibility::Internal if caller.user().is_some() => return true,
            Visibility::Internal | Visibility::Private => {}
        }
        let Some(user) = caller.user() else {
            return false;
        };
        self.group_access(caller, group).is_some()
            || self.groups().any(|below| {
                (below.members.contains_key(&user.id)
                    || self.shared_group_access(user.id, below.id).is_some())
                    && self.is_within(below.id, group.id)
            })
            || self.projects().any(|project| {
                (project.members.contains_key(&user.id)
                    || self.shared_access(user.id, project).is_some())
                    && !project.hidden
                    && self.is_within(project.group, group.id)
            })
    }

    /// Tells whether a caller may read code and pipelines of a project.
    pub fn reads_code(&self, caller: Caller<'_>, project: &Project) -> bool {
        if project.hidden {
            return false;
        }
        match project.visibility {
            Visibility::Public | Visibility::Internal => self.sees_project(caller, project),
            Visibility::Private => {
                self.access(caller, project).is_some_and(|level| level >= AccessLevel::Reporter)
            }
        }
    }

    /// Tells whether a caller may read confidential issues and internal notes of a project.
    pub fn reads_confidential(&self, caller: Caller<'_>, project: &Project) -> bool {
        self.access(caller, project).is_some_and(|level| level >= AccessLevel::Planner)
    }

    /// Tells whether a caller who sees the project sees an issue of it.
    pub fn sees_issue(&self, caller: Caller<'_>, project: &Project, issue: &Issue) -> bool {
        !issue.confidential
            || self.reads_confidential(caller, project)
            || caller.user().is_some_and(|user| {
                user.id == issue.item.author || issue.item.assignees.contains(&user.id)
            })
    }

    /// Tells whether a caller who sees the item sees a note of it.
    pub fn sees_note(&self, caller: Caller<'_>, project: &Project, note: &Note) -> bool {
        !note.internal || self.reads_confidential(caller, project)
    }
}
