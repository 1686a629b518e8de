//! What events say is to be looked at, until it was looked at.
//!
//! One [`Inbox`] for each source takes events in, and `marks_reader` takes what they mark out of
//! it. Marks of the same thing are one, so that any number of doubled or reordered events costs one
//! look. All of it is memory and bounded; what is lost with it is found by the next sync, which
//! needs no event. It asks GitLab nothing and checks no sender.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::gitlab::{Event, Subject};
use crate::model::{Iid, ItemKind, ProjectId};

/// How many things may be marked. When there are more, all marks give way to one sync, which is
/// then the cheaper way to read them.
const MOST_MARKS: usize = 2_000;

/// How many deliveries are remembered to know one that comes twice. Forgetting one costs a look.
const MOST_KEYS: usize = 4_096;

/// The start of a digest of a delivery's key.
type KeyDigest = [u8; 16];

/// What is to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// Issues and merge requests, by project.
    pub items: BTreeMap<(ProjectId, ItemKind), BTreeSet<Iid>>,
    /// Projects whose files or pipeline changed.
    pub details: BTreeSet<ProjectId>,
    /// A sync is due: projects came, went or changed, or there were too many marks.
    pub sync: bool,
    number: usize,
}

impl Marks {
    /// Marks what an event is about. Returns false when it is about nothing.
    pub(super) fn add(&mut self, subject: Subject) -> bool {
        match subject {
            Subject::Nothing => return false,
            Subject::Item(project, kind, iid) => {
                self.number +=
                    usize::from(self.items.entry((project, kind)).or_default().insert(iid));
            }
            Subject::Files(project) | Subject::Pipeline(project) => {
                self.number += usize::from(self.details.insert(project));
            }
            Subject::Projects => self.sync = true,
        }
        if self.number > MOST_MARKS {
            *self = Self { sync: true, ..Self::default() };
        }
        true
    }

    /// Takes out the items and details, and leaves the wish for a sync.
    fn take(&mut self) -> Self {
        let sync = self.sync;
        Self { sync: false, ..std::mem::replace(self, Self { sync, ..Self::default() }) }
    }
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Received {
    /// It marked something.
    Marked,
    /// It is about nothing that is in the index.
    Ignored,
    /// The same delivery had come before.
    Doubled,
}

impl Received {
    /// Returns the word used in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marked => "marked",
            Self::Ignored => "ignored",
            Self::Doubled => "doubled",
        }
    }
}

/// What an inbox has seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Events {
    /// When the last event came.
    pub last_at: Option<Timestamp>,
    /// How many came, by kind and what became of them.
    pub received: BTreeMap<(&'static str, Received), u64>,
    /// How many items and projects are marked and not yet read.
    pub waiting: u64,
}

/// Takes events in and gives marks out.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    /// Rung when an item or project is marked.
    pub(super) marked: Notify,
    /// Rung when a sync is wanted.
    pub(super) sync: Notify,
}

#[derive(Debug, Default)]
struct State {
    marks: Marks,
    events: Events,
    keys: BTreeSet<KeyDigest>,
    order: VecDeque<KeyDigest>,
}

impl Inbox {
    /// Takes in the body of a delivery whose sender was checked. `key` stays the same when GitLab
    /// sends one again.
    pub fn receive(&self, body: &[u8], key: Option<&str>, now: Timestamp) -> Received {
        let event = Event::read(body);
        let mut state = self.state();
        let received = if key.is_some_and(|key| !state.is_first(key)) {
            Received::Doubled
        } else if state.marks.add(event.subject) {
            Received::Marked
        } else {
            Received::Ignored
        };
        state.events.last_at = Some(now);
        *state.events.received.entry((event.kind, received)).or_default() += 1;
        self.ring(&state);
        drop(state);
        tracing::debug!(
            event.kind,
            outcome = received.as_str(),
            "an event of kind {} came",
            event.kind
        );
        received
    }

    /// Returns what was seen so far.
    pub fn events(&self) -> Events {
        let state = self.state();
        Events { waiting: state.marks.number as u64, ..state.events.clone() }
    }

    /// Takes out the items and projects that are marked.
    pub(super) fn take(&self) -> Marks {
        self.state().marks.take()
    }

    /// Puts back what was taken out and could not be looked at.
    pub(super) fn put_back(&self, marks: Marks) {
        let mut state = self.state();
        for ((project, kind), iids) in marks.items {
            for iid in iids {
                state.marks.add(Subject::Item(project, kind, iid));
            }
        }
        for project in marks.details {
            state.marks.add(Subject::Files(project));
        }
        self.ring(&state);
    }

    /// Says whether a sync is wanted, and forgets it.
    pub(super) fn take_sync(&self) -> bool {
        std::mem::take(&mut self.state().marks.sync)
    }

    /// Asks for a sync.
    pub(super) fn want_sync(&self) {
        let mut state = self.state();
        state.marks.sync = true;
        self.ring(&state);
    }

    fn ring(&self, state: &State) {
        if state.marks.number > 0 {
            self.marked.notify_one();
        }
        if state.marks.sync {
            self.sync.notify_one();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Remembers a delivery, and says whether it is the first of its key.
    fn is_first(&mut self, key: &str) -> bool {
        let mut digest = KeyDigest::default();
        digest.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]);
        if !self.keys.insert(digest) {
            return false;
        }
        self.order.push_back(digest);
        if self.order.len() > MOST_KEYS
            && let Some(oldest) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(iid: i64) -> Vec<u8> {
        let body = serde_json::json!({
            "object_kind": "issue", "project": {"id": 7}, "object_attributes": {"iid": iid}
        });
        body.to_string().into_bytes()
    }

    #[test]
    fn doubled_and_reordered_events_mark_one_thing_once() {
        let inbox = Inbox::default();
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(inbox.receive(&issue(2), Some("a"), now), Received::Marked);
        assert_eq!(inbox.receive(&issue(2), Some("a"), now), Received::Doubled);
        assert_eq!(inbox.receive(&issue(1), Some("b"), now), Received::Marked);
        assert_eq!(inbox.receive(&issue(2), None, now), Received::Marked);
        let marks = inbox.take();
        let iids = BTreeSet::from([Iid::new(1), Iid::new(2)]);
        assert_eq!(marks.items, BTreeMap::from([((ProjectId::new(7), ItemKind::Issue), iids)]));
        assert!(inbox.take() == Marks::default() && !inbox.take_sync());
    }

    #[test]
    fn what_could_not_be_looked_at_is_there_again() {
        let inbox = Inbox::default();
        inbox.receive(&issue(1), None, Timestamp::UNIX_EPOCH);
        let taken = inbox.take();
        inbox.receive(&issue(2), None, Timestamp::UNIX_EPOCH);
        inbox.put_back(taken);
        let iids = BTreeSet::from([Iid::new(1), Iid::new(2)]);
        assert_eq!(inbox.take().items.into_values().collect::<Vec<_>>(), [iids]);
    }

    #[test]
    fn ten_thousand_events_at_once_become_one_sync() {
        let inbox = Inbox::default();
        for iid in 1..=10_000 {
            inbox.receive(&issue(iid), Some(&iid.to_string()), Timestamp::UNIX_EPOCH);
            let state = inbox.state();
            assert!(state.marks.number <= MOST_MARKS && state.keys.len() <= MOST_KEYS);
            assert_eq!(state.keys.len(), state.order.len());
        }
        assert!(inbox.take_sync());
    }
}
