//! The one place where items are written.
//!
//! Whatever changes an issue, a merge request or a note comes through here, so that what hangs on
//! an item (its `updated_at`, the activity of its project, events) cannot be forgotten. `add` and
//! `change` say what is to happen; this module makes it so.

use jiff::{SignedDuration, Timestamp};

use super::World;
use super::entity::{Issue, Item, MergeRequest, Project};
use super::event::{Action, Change};
use super::id::{ItemKind, ItemRef, ProjectId};

/// GitLab does not touch an item for a note when it was changed less than this ago.
const TOUCH_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

impl World {
    /// Puts a new issue into a project.
    pub(super) fn insert_issue(&mut self, project: ProjectId, issue: Issue) {
        let iid = issue.item.iid;
        if let Some(row) = self.projects.get_mut(&project) {
            row.issues.insert(iid, issue);
        }
        self.emit(|world| {
            let after = Box::new(world.issue(project, iid)?.clone());
            Some(Change::Issue { project, action: Action::Open, before: None, after })
        });
    }

    /// Puts a new merge request into a project.
    pub(super) fn insert_merge_request(&mut self, project: ProjectId, row: MergeRequest) {
        let iid = row.item.iid;
        if let Some(project) = self.projects.get_mut(&project) {
            project.merge_requests.insert(iid, row);
        }
        self.emit(|world| {
            let after = Box::new(world.merge_request(project, iid)?.clone());
            Some(Change::MergeRequest { project, action: Action::Open, before: None, after })
        });
    }

    /// Writes an issue and moves its `updated_at`. Returns false when there is none.
    pub(super) fn write_issue(
        &mut self,
        project: ProjectId,
        iid: u64,
        action: Action,
        write: impl FnOnce(&mut Issue),
    ) -> bool {
        let now = self.clock.now();
        let listening = self.listening;
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        let Some(issue) = row.issues.get_mut(&iid) else {
            return false;
        };
        let before = listening.then(|| Box::new(issue.clone()));
        write(issue);
        issue.item.updated_at = now;
        row.note_activity(now);
        self.emit(|world| {
            let after = Box::new(world.issue(project, iid)?.clone());
            Some(Change::Issue { project, action, before, after })
        });
        true
    }

    /// Writes a merge request and moves its `updated_at`. Returns false when there is none.
    pub(super) fn write_merge_request(
        &mut self,
        project: ProjectId,
        iid: u64,
        action: Action,
        write: impl FnOnce(&mut MergeRequest),
    ) -> bool {
        let now = self.clock.now();
        let listening = self.listening;
        let Some(row) = self.projects.get_mut(&project) else {
            return false;
        };
        let Some(merge_request) = row.merge_requests.get_mut(&iid) else {
            return false;
        };
        let before = listening.then(|| Box::new(merge_request.clone()));
        write(merge_request);
        merge_request.item.updated_at = now;
        row.note_activity(now);
        self.emit(|world| {
            let after = Box::new(world.merge_request(project, iid)?.clone());
            Some(Change::MergeRequest { project, action, before, after })
        });
        true
    }

    /// Writes what issues and merge requests have in common, and moves `updated_at`.
    pub(super) fn write_item(
        &mut self,
        item: ItemRef,
        action: Action,
        write: impl FnOnce(&mut Item),
    ) -> bool {
        let ItemRef { project, kind, iid } = item;
        match kind {
            ItemKind::Issue => self.write_issue(project, iid, action, |row| write(&mut row.item)),
            ItemKind::MergeRequest => {
                self.write_merge_request(project, iid, action, |row| write(&mut row.item))
            }
        }
    }

    /// Writes something of an item that does not count as a change of it: its notes, and ids of
    /// labels that became others.
    pub(super) fn write_quietly<T>(
        &mut self,
        item: ItemRef,
        write: impl FnOnce(&mut Item) -> T,
    ) -> Option<T> {
        let project = self.projects.get_mut(&item.project)?;
        let row = match item.kind {
            ItemKind::Issue => &mut project.issues.get_mut(&item.iid)?.item,
            ItemKind::MergeRequest => &mut project.merge_requests.get_mut(&item.iid)?.item,
        };
        Some(write(row))
    }

    /// Moves `updated_at` for a note, unless it moved within the last minute: GitLab throttles
    /// this touch.
    pub(super) fn touch_throttled(&mut self, item: ItemRef) {
        let now = self.clock.now();
        if self.item(item).is_some_and(|row| now.duration_since(row.updated_at) >= TOUCH_INTERVAL) {
            self.write_quietly(item, |row| row.updated_at = now);
            if let Some(project) = self.projects.get_mut(&item.project) {
                project.note_activity(now);
            }
        }
    }

    /// Takes an item out of the world. There is no event.
    pub(super) fn remove_item(&mut self, item: ItemRef) -> bool {
        let Some(project) = self.projects.get_mut(&item.project) else {
            return false;
        };
        match item.kind {
            ItemKind::Issue => project.issues.remove(&item.iid).is_some(),
            ItemKind::MergeRequest => project.merge_requests.remove(&item.iid).is_some(),
        }
    }
}

impl Project {
    /// Moves `last_activity_at`, at most once an hour as GitLab does, and sometimes not at all.
    pub(super) fn note_activity(&mut self, now: Timestamp) {
        if !self.loses_activity
            && now.duration_since(self.last_activity_at) >= SignedDuration::from_hours(1)
        {
            self.last_activity_at = now;
        }
    }
}
