//! Rows of issues and merge requests in the orders that lists ask for.
//!
//! A page of a group list is found here without sorting: [`Ordered`] keeps the rows of the whole
//! instance by a time and, within equal times, by falling id, which is GitLab's order in both
//! directions. It is a list of short sorted runs, so that a change costs little and the row at any
//! offset is found by adding up lengths. `commit` keeps it right row by row; a project that was
//! handed out to be changed at will is stale, and its rows are read again by [`World::settle`]
//! when the change is over.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::World;
use super::entity::{Issue, Item, MergeRequest};
use super::id::{GroupId, ItemKind, ItemRef, ProjectId, UserId};

/// A run is split when it gets longer than this.
const RUN: usize = 1_024;

/// What of a row decides over its place and whether it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The time that orders, in microseconds since 1970.
    pub(crate) at: i64,
    pub(crate) id: u64,
    pub(crate) project: ProjectId,
    pub(crate) iid: u64,
    pub(crate) confidential: bool,
}

impl Entry {
    fn key(&self) -> (i64, std::cmp::Reverse<u64>) {
        (self.at, std::cmp::Reverse(self.id))
    }
}

/// A place between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    run: usize,
    offset: usize,
}

/// Rows by rising time, within a time by falling id.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ordered {
    runs: Vec<Vec<Entry>>,
}

impl Ordered {
    /// The place before all rows.
    pub(crate) const START: Place = Place { run: 0, offset: 0 };

    fn build(mut entries: Vec<Entry>) -> Self {
        entries.sort_unstable_by_key(Entry::key);
        Self { runs: entries.chunks(RUN / 2).map(<[Entry]>::to_vec).collect() }
    }

    fn insert(&mut self, entry: Entry) {
        let place = self.place_of(|other| other.key() < entry.key());
        // Behind the last row of all, the last run goes on.
        let run = place.run.min(self.runs.len().saturating_sub(1));
        let Some(rows) = self.runs.get_mut(run) else {
            self.runs.push(vec![entry]);
            return;
        };
        let offset = if place.run > run { rows.len() } else { place.offset };
        rows.insert(offset, entry);
        if rows.len() > RUN {
            let behind = rows.split_off(RUN / 2);
            self.runs.insert(run + 1, behind);
        }
    }

    fn remove(&mut self, entry: &Entry) {
        let Place { run, offset } = self.place_of(|other| other.key() < entry.key());
        let Some(rows) = self.runs.get_mut(run) else {
            return;
        };
        if rows.get(offset).is_some_and(|row| row.key() == entry.key()) {
            rows.remove(offset);
            if rows.is_empty() {
                self.runs.remove(run);
            }
        }
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        for rows in &mut self.runs {
            rows.retain(&keep);
        }
        self.runs.retain(|rows| !rows.is_empty());
    }

    /// Returns the place before the first row that is not `before`, which holds for the first
    /// rows and for none behind them.
    fn place_of(&self, before: impl Fn(&Entry) -> bool) -> Place {
        let run = self.runs.partition_point(|rows| rows.last().is_some_and(&before));
        let offset = self.runs.get(run).map_or(0, |rows| rows.partition_point(&before));
        Place { run, offset }
    }

    /// Returns the place before the first row of that time or a later one.
    pub(crate) fn time_start(&self, at: i64) -> Place {
        self.place_of(|row| row.at < at)
    }

    /// Returns the place behind the last row of that time or an earlier one.
    pub(crate) fn time_end(&self, at: i64) -> Place {
        self.place_of(|row| row.at <= at)
    }

    /// Returns the place behind all rows.
    pub(crate) fn end(&self) -> Place {
        Place { run: self.runs.len(), offset: 0 }
    }

    /// Counts the rows before a place.
    pub(crate) fn rank(&self, place: Place) -> usize {
        self.runs.iter().take(place.run).map(Vec::len).sum::<usize>() + place.offset
    }

    /// Returns the place that so many rows lie before.
    fn at_rank(&self, mut rank: usize) -> Place {
        for (run, rows) in self.runs.iter().enumerate() {
            if rank < rows.len() {
                return Place { run, offset: rank };
            }
            rank -= rows.len();
        }
        self.end()
    }

    /// Returns the row behind a place.
    fn row(&self, place: Place) -> Option<&Entry> {
        self.runs.get(place.run)?.get(place.offset)
    }

    /// Returns the place one row further to the front.
    fn back(&self, place: Place) -> Option<Place> {
        if place.offset > 0 {
            return Some(Place { offset: place.offset - 1, ..place });
        }
        let run = place.run.checked_sub(1)?;
        Some(Place { run, offset: self.runs[run].len() - 1 })
    }

    /// Returns the rows between two places by rising time.
    fn between(&self, from: Place, to: Place) -> impl Iterator<Item = &Entry> {
        let last = to.run.min(self.runs.len().saturating_sub(1));
        let runs = self.runs.get(from.run..=last).unwrap_or_default();
        runs.iter().enumerate().flat_map(move |(index, rows)| {
            let run = from.run + index;
            let start = if run == from.run { from.offset } else { 0 };
            let end = if run == to.run { to.offset } else { rows.len() };
            rows.get(start..end).unwrap_or_default()
        })
    }

    /// Returns the rows between two places in the order of a list, without the first `skip`.
    pub(crate) fn list(
        &self,
        from: Place,
        to: Place,
        descending: bool,
        skip: usize,
    ) -> Box<dyn Iterator<Item = &Entry> + '_> {
        let (first, last) = (self.rank(from), self.rank(to));
        if skip >= last.saturating_sub(first) {
            return Box::new(std::iter::empty());
        }
        if !descending {
            let from = if skip == 0 { from } else { self.at_rank(first + skip) };
            return Box::new(self.between(from, to));
        }
        let end = if skip == 0 { to } else { self.at_rank(last - skip) };
        Box::new(self.falling(from, end, to))
    }

    /// Returns the rows from `end` to the front down to `from`: times fall, and within a time ids
    /// fall too, so that the rows of one time come in the order they are kept in. `limit` is
    /// where the list began; rows of one time between `end` and it were given out by then, as
    /// many as lie between, but from the front.
    fn falling(&self, from: Place, end: Place, limit: Place) -> impl Iterator<Item = &Entry> {
        let mut end = end;
        let mut same_time = self.between(end, end);
        let begun = self.back(end).and_then(|place| self.row(place)).map(|row| {
            let behind = self.time_end(row.at).min(limit);
            (row.at, self.rank(behind) - self.rank(end))
        });
        if let Some((at, given)) = begun.filter(|(_, given)| *given > 0) {
            let start = self.time_start(at).max(from);
            let rest = self.at_rank(self.rank(start) + given);
            same_time = self.between(rest, self.time_end(at).min(limit));
            end = start;
        }
        std::iter::from_fn(move || {
            loop {
                if let Some(row) = same_time.next() {
                    return Some(row);
                }
                if end <= from {
                    return None;
                }
                let last = self.back(end)?;
                let at = self.row(last)?.at;
                let alone = last <= from
                    || self
                        .back(last)
                        .and_then(|place| self.row(place))
                        .is_none_or(|row| row.at != at);
                let start = if alone { last } else { self.time_start(at).max(from) };
                same_time = self.between(start, end);
                end = start;
            }
        })
    }
}

/// The rows of one kind in both orders.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    pub(crate) by_created: Ordered,
    pub(crate) by_updated: Ordered,
}

impl Index {
    fn build(rows: &[Keys]) -> Self {
        Self {
            by_created: Ordered::build(rows.iter().map(|keys| keys.created).collect()),
            by_updated: Ordered::build(rows.iter().map(|keys| keys.updated).collect()),
        }
    }

    fn replace(&mut self, before: Option<Keys>, after: Option<Keys>) {
        if before == after {
            return;
        }
        if let Some(Keys { created, updated }) = before {
            self.by_created.remove(&created);
            self.by_updated.remove(&updated);
        }
        if let Some(Keys { created, updated }) = after {
            self.by_created.insert(created);
            self.by_updated.insert(updated);
        }
    }

    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        self.by_created.retain(&keep);
        self.by_updated.retain(&keep);
    }
}

/// The places of one row in both orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    created: Entry,
    updated: Entry,
}

impl Keys {
    fn new(project: ProjectId, item: &Item, confidential: bool) -> Self {
        let entry = |time: Timestamp| Entry {
            at: time.as_microsecond(),
            id: item.id,
            project,
            iid: item.iid,
            confidential,
        };
        Self { created: entry(item.created_at), updated: entry(item.updated_at) }
    }

    pub(super) fn of_issue(project: ProjectId, issue: &Issue) -> Self {
        Self::new(project, &issue.item, issue.confidential)
    }

    pub(super) fn of_merge_request(project: ProjectId, row: &MergeRequest) -> Self {
        Self::new(project, &row.item, false)
    }
}

/// What somebody sees of a list that spans projects: a flag per project, by its number.
pub(crate) type Sight = Arc<[Seen]>;

/// What somebody sees of a project's items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    /// Nothing.
    Nothing,
    /// What is not confidential.
    Open,
    /// Everything.
    All,
}

/// Whose sight of what: the caller, the group or the whole instance, whether archived projects
/// are left out, and of which kind.
pub(crate) type SightKey = (Option<UserId>, Option<GroupId>, bool, ItemKind);

/// Both kinds, what of them is stale, and what was found out since the last change.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    pub(super) issues: Index,
    pub(super) merge_requests: Index,
    stale: BTreeSet<ProjectId>,
    sights: Mutex<HashMap<SightKey, Sight>>,
}

impl Clone for Indexes {
    fn clone(&self) -> Self {
        Self {
            issues: self.issues.clone(),
            merge_requests: self.merge_requests.clone(),
            stale: self.stale.clone(),
            sights: Mutex::default(),
        }
    }
}

impl Indexes {
    pub(super) fn replace(&mut self, kind: ItemKind, before: Option<Keys>, after: Option<Keys>) {
        match kind {
            ItemKind::Issue => self.issues.replace(before, after),
            ItemKind::MergeRequest => self.merge_requests.replace(before, after),
        }
    }

    pub(super) fn forget(&mut self, project: ProjectId) {
        self.stale.insert(project);
    }
}

impl World {
    /// Returns the rows of a kind in their orders. It is right once the world is settled.
    pub(crate) fn index(&self, kind: ItemKind) -> &Index {
        match kind {
            ItemKind::Issue => &self.indexes.issues,
            ItemKind::MergeRequest => &self.indexes.merge_requests,
        }
    }

    /// Finds an item by its id on the instance.
    pub(crate) fn find_by_id(&self, kind: ItemKind, id: u64) -> Option<ItemRef> {
        let mut rows = self.index(kind).by_created.runs.iter().flatten();
        let row = rows.find(|row| row.id == id)?;
        Some(ItemRef { project: row.project, kind, iid: row.iid })
    }

    /// Returns what `find` finds out, which is kept until the world changes.
    pub(crate) fn sight(&self, key: SightKey, find: impl FnOnce() -> Sight) -> Sight {
        let sights = || self.indexes.sights.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = sights().get(&key) {
            return Arc::clone(known);
        }
        let found = find();
        sights().insert(key, Arc::clone(&found));
        found
    }

    /// Returns where an item stands in the orders.
    pub(super) fn keys(&self, item: ItemRef) -> Option<Keys> {
        match item.kind {
            ItemKind::Issue => {
                Some(Keys::of_issue(item.project, self.issue(item.project, item.iid)?))
            }
            ItemKind::MergeRequest => Some(Keys::of_merge_request(
                item.project,
                self.merge_request(item.project, item.iid)?,
            )),
        }
    }

    /// Brings the orders of items up to date after a change. The server does so whenever a change
    /// is over.
    pub(crate) fn settle(&mut self) {
        self.catch_up();
        self.state += 1;
        self.indexes.sights.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        let stale = std::mem::take(&mut self.indexes.stale);
        if stale.is_empty() {
            return;
        }
        let Indexes { issues, merge_requests, .. } = &mut self.indexes;
        issues.retain(|entry| !stale.contains(&entry.project));
        merge_requests.retain(|entry| !stale.contains(&entry.project));
        for project in stale.iter().filter_map(|id| self.projects.get(id)) {
            for issue in project.issues.values() {
                issues.replace(None, Some(Keys::of_issue(project.id, issue)));
            }
            for row in project.merge_requests.values() {
                merge_requests.replace(None, Some(Keys::of_merge_request(project.id, row)));
                self.numbers.read(project.id, row);
            }
        }
    }

    /// Builds the orders of items anew, for a world that was filled in bulk.
    pub(crate) fn rebuild_indexes(&mut self) {
        let mut issues = Vec::new();
        let mut merge_requests = Vec::new();
        for project in self.projects.values() {
            issues.extend(project.issues.values().map(|row| Keys::of_issue(project.id, row)));
            merge_requests.extend(
                project.merge_requests.values().map(|row| Keys::of_merge_request(project.id, row)),
            );
        }
        self.indexes.issues = Index::build(&issues);
        self.indexes.merge_requests = Index::build(&merge_requests);
        self.indexes.stale.clear();
    }
}

#[cfg(test)]
mod tests;
