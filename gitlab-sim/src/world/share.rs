//! What groups share, and what they lend to the projects below them.
//!
//! A project or group can be shared with a group elsewhere, whose members then reach it with at
//! most the role of the share. A group can name a project whose description templates all projects
//! below it inherit. Nothing here moves a time.

use std::collections::BTreeMap;

use super::World;
use super::entity::{AccessLevel, Group, Project};
use super::id::{GroupId, ProjectId, UserId};

/// What the world keeps about sharing.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares {
    projects: BTreeMap<ProjectId, BTreeMap<GroupId, AccessLevel>>,
    groups: BTreeMap<GroupId, BTreeMap<GroupId, AccessLevel>>,
    templates: BTreeMap<GroupId, ProjectId>,
}

impl World {
    /// Shares a project with a group. Returns false when either does not exist.
    pub fn share_project(&mut self, project: ProjectId, with: GroupId, level: AccessLevel) -> bool {
        let exists = self.project(project).is_some() && self.group(with).is_some();
        if exists {
            self.shares.projects.entry(project).or_default().insert(with, level);
        }
        exists
    }

    /// Shares a group, and all below it, with another. Returns false when either does not exist.
    pub fn share_group(&mut self, group: GroupId, with: GroupId, level: AccessLevel) -> bool {
        let exists = self.group(group).is_some() && self.group(with).is_some() && group != with;
        if exists {
            self.shares.groups.entry(group).or_default().insert(with, level);
        }
        exists
    }

    /// Ends the sharing of a project with a group. Returns false when there was none.
    pub fn unshare_project(&mut self, project: ProjectId, with: GroupId) -> bool {
        let shares = self.shares.projects.get_mut(&project);
        shares.is_some_and(|shares| shares.remove(&with).is_some())
    }

    /// Ends the sharing of a group with another. Returns false when there was none.
    pub fn unshare_group(&mut self, group: GroupId, with: GroupId) -> bool {
        let shares = self.shares.groups.get_mut(&group);
        shares.is_some_and(|shares| shares.remove(&with).is_some())
    }

    /// Names the project whose description templates the projects below a group inherit.
    pub fn set_template_project(&mut self, group: GroupId, project: Option<ProjectId>) {
        match project {
            Some(project) => self.shares.templates.insert(group, project),
            None => self.shares.templates.remove(&group),
        };
    }

    /// Returns the project that a group names for the description templates of those below it.
    pub fn template_project(&self, group: GroupId) -> Option<ProjectId> {
        self.shares.templates.get(&group).copied()
    }

    /// Lists the groups that a project is shared with.
    pub fn shares_of_project(
        &self,
        project: ProjectId,
    ) -> impl Iterator<Item = (&Group, AccessLevel)> {
        let shares = self.shares.projects.get(&project).into_iter().flatten();
        shares.filter_map(|(group, level)| Some((self.group(*group)?, *level)))
    }

    /// Lists the groups that a group is shared with.
    pub fn shares_of_group(&self, group: GroupId) -> impl Iterator<Item = (&Group, AccessLevel)> {
        let shares = self.shares.groups.get(&group).into_iter().flatten();
        shares.filter_map(|(group, level)| Some((self.group(*group)?, *level)))
    }

    /// Lists the projects that are shared with a group.
    pub fn projects_shared_with(&self, group: GroupId) -> impl Iterator<Item = &Project> {
        let shares = self.shares.projects.iter();
        shares
            .filter(move |(_, with)| with.contains_key(&group))
            .filter_map(|(project, _)| self.project(*project))
    }

    /// Lists the groups that are shared with a group.
    pub fn groups_shared_with(&self, group: GroupId) -> impl Iterator<Item = &Group> {
        let shares = self.shares.groups.iter();
        shares
            .filter(move |(_, with)| with.contains_key(&group))
            .filter_map(|(shared, _)| self.group(*shared))
    }

    /// Lists the projects from which a project inherits description templates, the nearest first.
    pub fn template_projects(&self, project: &Project) -> impl Iterator<Item = &Project> {
        let own = project.id;
        self.lineage(project.group)
            .filter_map(|group| self.project(*self.shares.templates.get(&group.id)?))
            .filter(move |row| row.id != own)
    }

    /// Returns the role that shares of a group, or of those it lies in, give a user.
    pub(super) fn shared_group_access(&self, user: UserId, group: GroupId) -> Option<AccessLevel> {
        if self.shares.groups.is_empty() {
            return None;
        }
        let invited = self.lineage(group).flat_map(|group| self.shares_of_group(group.id));
        invited.filter_map(|(group, most)| self.lent(user, group, most)).max()
    }

    /// Returns the role that shares of a project, or of the groups it lies in, give a user.
    pub(super) fn shared_access(&self, user: UserId, project: &Project) -> Option<AccessLevel> {
        if self.shares.projects.is_empty() && self.shares.groups.is_empty() {
            return None;
        }
        self.shares_of_project(project.id)
            .filter_map(|(group, most)| self.lent(user, group, most))
            .max()
            .max(self.shared_group_access(user, project.group))
    }

    /// Returns the role that a user has as a member of an invited group: at most that of the share.
    fn lent(&self, user: UserId, invited: &Group, most: AccessLevel) -> Option<AccessLevel> {
        let roles = self.lineage(invited.id).filter_map(|row| row.members.get(&user));
        roles.copied().max().map(|own| own.min(most))
    }
}
