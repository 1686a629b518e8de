//! Milestones of projects and groups, and what they are put on.

use jiff::Timestamp;
use jiff::civil::Date;

use super::event::Action;
use super::id::{GroupId, ItemKind, ItemRef, MilestoneId, ProjectId, UserId};
use super::{World, next};

/// Where a milestone is defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MilestoneOwner {
    /// In a group, for it and everything below it.
    Group(GroupId),
    /// In a project.
    Project(ProjectId),
}

/// A milestone.
#[derive(Debug, Clone)]
pub struct Milestone {
    /// The id, unique on the instance.
    pub id: MilestoneId,
    /// The number within the project or group.
    pub iid: u64,
    /// Where it is defined.
    pub owner: MilestoneOwner,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// True once it was closed.
    pub closed: bool,
    /// The day it begins.
    pub start_date: Option<Date>,
    /// The day it is due.
    pub due_date: Option<Date>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Milestone {
    /// Returns GitLab's word for its state.
    pub const fn state(&self) -> &'static str {
        if self.closed { "closed" } else { "active" }
    }

    /// Tells whether its day is over.
    pub fn expired(&self, today: Date) -> bool {
        self.due_date.is_some_and(|due| due < today)
    }
}

impl World {
    /// Adds an open milestone, or finds the one of that title in the same place.
    pub fn add_milestone(&mut self, owner: MilestoneOwner, title: &str) -> MilestoneId {
        let mut iid = 1;
        for row in self.milestones.values().filter(|row| row.owner == owner) {
            if row.title == title {
                return row.id;
            }
            iid = row.iid + 1;
        }
        let id = MilestoneId::new(next(&mut self.last.milestone));
        let now = self.clock.now();
        let row = Milestone {
            id,
            iid,
            owner,
            title: title.to_owned(),
            description: String::new(),
            closed: false,
            start_date: None,
            due_date: None,
            created_at: now,
            updated_at: now,
        };
        self.milestones.insert(id, row);
        id
    }

    /// Edits a milestone: title, description, state, dates. No item is touched. Returns false when
    /// there is none.
    pub fn edit_milestone(
        &mut self,
        milestone: MilestoneId,
        edit: impl FnOnce(&mut Milestone),
    ) -> bool {
        let now = self.clock.now();
        let Some(row) = self.milestones.get_mut(&milestone) else {
            return false;
        };
        edit(row);
        row.updated_at = now;
        true
    }

    /// Finds a milestone by id.
    pub fn milestone(&self, id: MilestoneId) -> Option<&Milestone> {
        self.milestones.get(&id)
    }

    /// Lists all milestones by id.
    pub fn milestones(&self) -> impl DoubleEndedIterator<Item = &Milestone> {
        self.milestones.values()
    }

    /// Finds the milestone that an item of the project would get by this title: the project's own,
    /// or that of the nearest group.
    pub fn find_milestone(&self, project: ProjectId, title: &str) -> Option<MilestoneId> {
        let group = self.project(project)?.group;
        let owners = std::iter::once(MilestoneOwner::Project(project))
            .chain(self.lineage(group).map(|group| MilestoneOwner::Group(group.id)));
        owners
            .filter_map(|owner| {
                self.milestones.values().find(|row| row.owner == owner && row.title == title)
            })
            .map(|row| row.id)
            .next()
    }

    /// Puts an item on a milestone, or takes it off. Returns false when there is no such item or
    /// milestone, or when the milestone is none of the item's project and the groups above it.
    pub fn set_milestone(&mut self, item: ItemRef, milestone: Option<MilestoneId>) -> bool {
        if milestone.is_some_and(|id| !self.reaches_milestone(item.project, id)) {
            return false;
        }
        self.edit(item, |row| row.milestone = milestone)
    }

    /// Tells whether items of a project can be on a milestone.
    pub(super) fn reaches_milestone(&self, project: ProjectId, milestone: MilestoneId) -> bool {
        let (Some(project), Some(row)) = (self.project(project), self.milestone(milestone)) else {
            return false;
        };
        match row.owner {
            MilestoneOwner::Project(owner) => owner == project.id,
            MilestoneOwner::Group(owner) => self.is_within(project.group, owner),
        }
    }

    /// Replaces those who are asked to review a merge request. Returns false when there is none.
    pub fn request_reviews(&mut self, item: ItemRef, users: Vec<UserId>) -> bool {
        item.kind == ItemKind::MergeRequest
            && self.write_merge_request(item.project, item.iid, Action::Update, |row| {
                row.reviewers = users;
            })
    }

    /// Drops the milestones of projects and groups that are gone.
    pub(super) fn forget_milestones(&mut self) {
        let (groups, projects) = (&self.groups, &self.projects);
        self.milestones.retain(|_, row| match row.owner {
            MilestoneOwner::Group(id) => groups.contains_key(&id),
            MilestoneOwner::Project(id) => projects.contains_key(&id),
        });
    }
}
