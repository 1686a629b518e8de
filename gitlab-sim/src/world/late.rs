//! A database that lags: what was written is seen only later.
//!
//! GitLab sets `updated_at` when a change begins and shows the row when the change is committed, or
//! when a replica has caught up. In between other rows with later times can be read, so that a row
//! turns up behind the place that a reader has reached. [`World::set_commit_delay`] brings this
//! about: every write of an item goes to a queue, lists and single reads show the row as it was,
//! and further writes build on what is in the queue. Webhooks are told at once: they come from the
//! primary. Projects, groups, labels and files do not lag.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::World;
use super::entity::{Issue, Item, MergeRequest};
use super::id::{ItemKind, ItemRef};

/// A row as it was written.
#[derive(Debug, Clone)]
pub(super) enum Row {
    Issue(Box<Issue>),
    MergeRequest(Box<MergeRequest>),
    /// It was deleted.
    Gone,
}

impl Row {
    fn item(&self) -> Option<&Item> {
        match self {
            Self::Issue(row) => Some(&row.item),
            Self::MergeRequest(row) => Some(&row.item),
            Self::Gone => None,
        }
    }
}

/// When a row is due, and which write it was.
type Due = (Timestamp, u64);

/// The writes that are not to be seen yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Late {
    delay: SignedDuration,
    writes: u64,
    rows: BTreeMap<Due, (ItemRef, Row)>,
    newest: HashMap<ItemRef, Due>,
}

impl Late {
    /// Tells whether a write of this item has to wait: all do while there is a delay, and those
    /// behind an earlier write that waits.
    pub(super) fn concerns(&self, item: ItemRef) -> bool {
        self.delay > SignedDuration::ZERO || self.newest.contains_key(&item)
    }

    /// Returns the last write of an item that waits.
    pub(super) fn newest(&self, item: ItemRef) -> Option<&Row> {
        self.rows.get(self.newest.get(&item)?).map(|(_, row)| row)
    }

    /// Lets a write wait, behind the earlier ones of the same item.
    pub(super) fn add(&mut self, now: Timestamp, item: ItemRef, row: Row) {
        self.writes += 1;
        let due = now.checked_add(self.delay).unwrap_or(Timestamp::MAX);
        let due = self.newest.get(&item).map_or(due, |(before, _)| due.max(*before));
        self.rows.insert((due, self.writes), (item, row));
        self.newest.insert(item, (due, self.writes));
    }

    fn take(&mut self, now: Timestamp) -> Option<(ItemRef, Row)> {
        let first = self.rows.first_entry()?;
        if first.key().0 > now {
            return None;
        }
        let (due, (item, row)) = first.remove_entry();
        if self.newest.get(&item) == Some(&due) {
            self.newest.remove(&item);
        }
        Some((item, row))
    }
}

impl World {
    /// Sets how long a change of an item, its notes included, stays unseen. Changes that wait
    /// already keep their moment. Nothing waits at first.
    pub fn set_commit_delay(&mut self, delay: SignedDuration) {
        self.late.delay = delay.max(SignedDuration::ZERO);
    }

    /// Returns how long a change of an item stays unseen.
    pub fn commit_delay(&self) -> SignedDuration {
        self.late.delay
    }

    /// Counts the changes of items that are not to be seen yet.
    pub fn unseen_changes(&self) -> usize {
        self.late.rows.len()
    }

    /// Finds an item as it was written last, whether that is to be seen yet or not.
    pub fn newest(&self, item: ItemRef) -> Option<&Item> {
        match self.late.newest(item) {
            Some(row) => row.item(),
            None => self.item(item),
        }
    }

    /// Returns the state of an item as it was written last, whether that is to be seen yet or not:
    /// `opened`, `closed` or `merged`.
    pub fn newest_state(&self, item: ItemRef) -> Option<&'static str> {
        match (self.late.newest(item), item.kind) {
            (Some(Row::Issue(row)), _) => Some(row.state()),
            (Some(Row::MergeRequest(row)), _) => Some(row.state()),
            (Some(Row::Gone), _) => None,
            (None, ItemKind::Issue) => self.issue(item.project, item.iid).map(Issue::state),
            (None, ItemKind::MergeRequest) => {
                self.merge_request(item.project, item.iid).map(MergeRequest::state)
            }
        }
    }

    /// Tells whether a change has become due and is not shown yet.
    pub(crate) fn has_due(&self) -> bool {
        self.late.rows.first_key_value().is_some_and(|((due, _), _)| *due <= self.clock.now())
    }

    /// Shows the changes that have become due. The server does so before it answers a request; a
    /// world that is not served is brought up to date by this.
    pub fn catch_up(&mut self) {
        let now = self.clock.now();
        while let Some((item, row)) = self.late.take(now) {
            self.show(item, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Clock;
    use crate::world::{ItemRef, NewIssue, NewNote, NewProject, World};
    use jiff::{SignedDuration, Timestamp};

    #[test]
    fn further_changes_build_on_what_is_not_seen_yet() {
        let clock = Clock::at(Timestamp::UNIX_EPOCH);
        let mut world = World::with_clock(clock.clone());
        let project = world.add_project(NewProject::at("acme/shop"));
        world.set_commit_delay(SignedDuration::from_secs(5));
        let iid = world.add_issue(project, NewIssue::new("one"));
        let item = ItemRef::issue(project, iid);
        clock.advance(SignedDuration::from_secs(2));
        assert!(world.edit(item, |row| row.title.push_str(" two")));
        assert!(world.add_note(item, NewNote::new("three")) > 0);
        assert!(world.item(item).is_none());
        assert_eq!(world.newest(item).unwrap().title, "one two");
        clock.advance(SignedDuration::from_secs(3));
        world.catch_up();
        assert_eq!(world.item(item).unwrap().title, "one");
        clock.advance(SignedDuration::from_secs(2));
        world.catch_up();
        let row = world.item(item).unwrap();
        assert_eq!((row.title.as_str(), row.notes.len()), ("one two", 1));
        assert!(world.delete_item(item) && !world.delete_item(item));
        assert!(world.item(item).is_some() && world.newest(item).is_none());
        assert!(!world.edit(item, |row| row.title.clear()), "it is deleted");
        clock.advance(SignedDuration::from_secs(5));
        world.catch_up();
        assert!(world.item(item).is_none());
        assert_eq!(world.unseen_changes(), 0);
    }
}
