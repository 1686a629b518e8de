//! The one place where items are written.
//!
//! Whatever changes an issue, a merge request or a note comes through here, so that what hangs on
//! an item (its `updated_at`, the activity of its project, events) cannot be forgotten. `add` and
//! `change` say what is to happen; this module makes it so.

use jiff::{SignedDuration, Timestamp};

use super::World;
use super::effects::Picture;
use super::entity::{Issue, Item, MergeRequest, Project};
use super::event::{Action, Change};
use super::history::Source;
use super::id::{ItemKind, ItemRef, ProjectId, UserId};
use super::index::Keys;
use super::late::Row;

/// GitLab does not touch an item for a note when it was changed less than this ago.
const TOUCH_INTERVAL: SignedDuration = SignedDuration::from_secs(60);

impl World {
    /// Puts a new issue into a project.
    pub(super) fn insert_issue(&mut self, project: ProjectId, issue: Issue) {
        let told = self.listening.then(|| Box::new(issue.clone()));
        self.put(ItemRef::issue(project, issue.item.iid), Row::Issue(Box::new(issue)));
        self.emit(|_| {
            told.map(|after| Change::Issue { project, action: Action::Open, before: None, after })
        });
    }

    /// Puts a new merge request into a project.
    pub(super) fn insert_merge_request(&mut self, project: ProjectId, row: MergeRequest) {
        let told = self.listening.then(|| Box::new(row.clone()));
        self.numbers.read(project, &row);
        let item = ItemRef::merge_request(project, row.item.iid);
        self.put(item, Row::MergeRequest(Box::new(row)));
        self.emit(|_| {
            told.map(|after| Change::MergeRequest {
                project,
                action: Action::Open,
                before: None,
                after,
            })
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
        self.write_issue_for(project, iid, action, None, write)
    }

    /// Writes an issue, and says what brought its new state about.
    fn write_issue_for(
        &mut self,
        project: ProjectId,
        iid: u64,
        action: Action,
        source: Option<Source>,
        write: impl FnOnce(&mut Issue),
    ) -> bool {
        let now = self.clock.now();
        let listening = self.listening;
        let written = self.change_issue(project, iid, |issue| {
            let before = listening.then(|| Box::new(issue.clone()));
            let was = Picture::of_issue(issue);
            write(issue);
            issue.item.updated_at = now;
            let told = before.map(|before| (before, Box::new(issue.clone())));
            (told, was, Picture::of_issue(issue))
        });
        let Some((told, was, is)) = written else {
            return false;
        };
        self.note_activity(project, now);
        self.emit(|_| {
            let (before, after) = told?;
            // A closed issue that is moved does not close once more, and nobody is told.
            let again = action == Action::Close && before.item.closed_at.is_some();
            (!again).then_some(Change::Issue { project, action, before: Some(before), after })
        });
        self.leave_traces(ItemRef::issue(project, iid), &was, &is, source);
        true
    }

    /// Closes an issue, by hand or for what closed it.
    pub(super) fn close_issue(
        &mut self,
        issue: ItemRef,
        by: UserId,
        source: Option<Source>,
    ) -> bool {
        let now = self.clock.now();
        self.write_issue_for(issue.project, issue.iid, Action::Close, source, |row| {
            row.item.closed_at = Some(now);
            row.item.closed_by = Some(by);
        })
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
        let written = self.change_merge_request(project, iid, |row| {
            let before = listening.then(|| Box::new(row.clone()));
            let was = Picture::of_merge_request(row);
            write(row);
            row.item.updated_at = now;
            let told = before.map(|before| (before, Box::new(row.clone())));
            (told, was, Picture::of_merge_request(row))
        });
        let Some((told, was, is)) = written else {
            return false;
        };
        self.note_activity(project, now);
        self.emit(|_| {
            let (before, after) = told?;
            Some(Change::MergeRequest { project, action, before: Some(before), after })
        });
        let item = ItemRef::merge_request(project, iid);
        for text in is.new_texts(&was) {
            self.remember_numbers(item, &text);
        }
        self.leave_traces(item, &was, &is, None);
        true
    }

    /// Changes the newest form of an issue, and its place in lists with it.
    fn change_issue<T>(
        &mut self,
        project: ProjectId,
        iid: u64,
        write: impl FnOnce(&mut Issue) -> T,
    ) -> Option<T> {
        let item = ItemRef::issue(project, iid);
        if self.late.concerns(item) {
            let mut issue = match self.late.newest(item) {
                Some(Row::Issue(issue)) => issue.clone(),
                Some(_) => return None,
                None => Box::new(self.issue(project, iid)?.clone()),
            };
            let told = write(&mut issue);
            self.put(item, Row::Issue(issue));
            return Some(told);
        }
        let issue = self.projects.get_mut(&project)?.issues.get_mut(&iid)?;
        let before = Keys::of_issue(project, issue);
        let told = write(issue);
        let after = Keys::of_issue(project, issue);
        self.indexes.replace(ItemKind::Issue, Some(before), Some(after));
        Some(told)
    }

    /// Changes the newest form of a merge request, and its place in lists with it.
    fn change_merge_request<T>(
        &mut self,
        project: ProjectId,
        iid: u64,
        write: impl FnOnce(&mut MergeRequest) -> T,
    ) -> Option<T> {
        let item = ItemRef::merge_request(project, iid);
        if self.late.concerns(item) {
            let mut row = match self.late.newest(item) {
                Some(Row::MergeRequest(row)) => row.clone(),
                Some(_) => return None,
                None => Box::new(self.merge_request(project, iid)?.clone()),
            };
            let told = write(&mut row);
            self.put(item, Row::MergeRequest(row));
            return Some(told);
        }
        let row = self.projects.get_mut(&project)?.merge_requests.get_mut(&iid)?;
        let before = Keys::of_merge_request(project, row);
        let told = write(row);
        let after = Keys::of_merge_request(project, row);
        self.indexes.replace(ItemKind::MergeRequest, Some(before), Some(after));
        Some(told)
    }

    /// Writes a whole row, now or when the database has caught up.
    fn put(&mut self, item: ItemRef, row: Row) {
        if self.late.concerns(item) {
            self.late.add(self.clock.now(), item, row);
        } else {
            self.show(item, row);
        }
    }

    /// Makes a row visible.
    pub(super) fn show(&mut self, item: ItemRef, row: Row) {
        let ItemRef { project, kind, iid } = item;
        let before = self.keys(item);
        let Some(home) = self.projects.get_mut(&project) else {
            return;
        };
        match row {
            Row::Issue(issue) => drop(home.issues.insert(*issue)),
            Row::MergeRequest(row) => drop(home.merge_requests.insert(*row)),
            Row::Gone if kind == ItemKind::Issue => drop(home.issues.remove(&iid)),
            Row::Gone => drop(home.merge_requests.remove(&iid)),
        }
        let after = self.keys(item);
        self.indexes.replace(kind, before, after);
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
        let ItemRef { project, kind, iid } = item;
        match kind {
            ItemKind::Issue => self.change_issue(project, iid, |row| write(&mut row.item)),
            ItemKind::MergeRequest => {
                self.change_merge_request(project, iid, |row| write(&mut row.item))
            }
        }
    }

    /// Moves `updated_at` for a note, unless it moved within the last minute: GitLab throttles
    /// this touch.
    pub(super) fn touch_throttled(&mut self, item: ItemRef) {
        let now = self.clock.now();
        let quiet = self
            .newest(item)
            .is_some_and(|row| now.duration_since(row.updated_at) >= TOUCH_INTERVAL);
        if quiet {
            self.write_quietly(item, |row| row.updated_at = now);
            self.note_activity(item.project, now);
        }
    }

    /// Takes an item out of the world. There is no event.
    pub(super) fn remove_item(&mut self, item: ItemRef) -> bool {
        let known = self.newest(item).is_some();
        if known {
            self.put(item, Row::Gone);
        }
        known
    }

    /// Moves `last_activity_at` of a project, at most once an hour as GitLab does.
    fn note_activity(&mut self, project: ProjectId, now: Timestamp) {
        if let Some(project) = self.projects.get_mut(&project) {
            project.note_activity(now);
        }
    }

    /// Fills a project with rows that were made elsewhere, at once and without events. Their ids
    /// and numbers must be new and rise. [`World::rebuild_indexes`] has to follow.
    pub(crate) fn fill(
        &mut self,
        project: ProjectId,
        issues: Vec<Issue>,
        merge_requests: Vec<MergeRequest>,
    ) {
        let newest = |items: &mut dyn Iterator<Item = &Item>| {
            items.fold((0, 0), |(id, iid), item| (id.max(item.id), iid.max(item.iid)))
        };
        let (last_issue, issue_iid) = newest(&mut issues.iter().map(|row| &row.item));
        let (last_merge, merge_iid) = newest(&mut merge_requests.iter().map(|row| &row.item));
        let items = issues.iter().map(|row| &row.item);
        let items = items.chain(merge_requests.iter().map(|row| &row.item));
        let last_note = items.flat_map(|item| &item.notes).map(|note| note.id).max();
        let Some(row) = self.projects.get_mut(&project) else {
            return;
        };
        for merge_request in &merge_requests {
            self.numbers.read(project, merge_request);
        }
        row.issues = issues.into();
        row.merge_requests = merge_requests.into();
        row.last_issue = row.last_issue.max(issue_iid);
        row.last_merge_request = row.last_merge_request.max(merge_iid);
        self.last.issue = self.last.issue.max(last_issue);
        self.last.merge_request = self.last.merge_request.max(last_merge);
        self.last.note = self.last.note.max(last_note.unwrap_or(0));
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
