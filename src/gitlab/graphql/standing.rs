//! What is remembered of GraphQL on one GitLab: whether it may be asked, and how much at once.
//!
//! That GraphQL is not to be had at all is noted in [`crate::gitlab::Capabilities`] too, once. That
//! one kind of query fails switches off this kind alone, for a time. A refused token is remembered
//! by its number: the next token is tried again. Nothing here is kept over a restart.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::size::Size;

/// How long a query that this GitLab does not understand is not sent again. A GitLab is updated
/// more rarely.
const UNTIL_UPDATED: SignedDuration = SignedDuration::from_hours(24);

/// How long a query that fails again and again is not sent.
const UNTIL_RESTED: SignedDuration = SignedDuration::from_hours(1);

/// So many failures in a row of even the smallest query, and it rests.
const FAILURES: u32 = 3;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Files of projects.
    Files,
    /// Labels, ids of files and pipelines of projects.
    Details,
    /// Counts of items of projects.
    Counts,
    /// Counts of what a group holds.
    GroupCounts,
    /// Issues with comments and links.
    LinkedIssues,
    /// Issues with comments, where this GitLab lacks a field of links.
    Issues,
    /// Merge requests with comments.
    MergeRequests,
    /// Comments on one item.
    Notes,
    /// The instance itself.
    Instance,
}

impl Kind {
    /// Returns the size to begin with. Files of a project cost Gitaly calls, items carry comments;
    /// comments alone are light.
    pub(super) const fn size(self) -> Size {
        match self {
            // Each list of projects is counted by the database: not too many in one query. Issues
            // as a published connector has them: what comes with merge requests is less.
            Self::Files | Self::Details | Self::Counts | Self::LinkedIssues | Self::Issues => {
                Size::new(50, PAGE_MAXIMUM)
            }
            Self::MergeRequests | Self::Notes => Size::new(PAGE_MAXIMUM, PAGE_MAXIMUM),
            Self::GroupCounts | Self::Instance => Size::new(1, 1),
        }
    }
}

/// The largest page of a connection (GitLab's `default_max_page_size`).
pub(super) const PAGE_MAXIMUM: u32 = 100;

/// What is remembered.
#[derive(Debug, Default)]
pub(in crate::gitlab) struct Standing {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    kinds: BTreeMap<Kind, OfKind>,
    /// The number of a key that GraphQL refused.
    refused_key: Option<u64>,
    /// True when the contents of several paths do not fit into one query.
    one_path: bool,
}

#[derive(Debug)]
struct OfKind {
    size: Size,
    off: Option<(Timestamp, String)>,
    failures: u32,
}

impl Standing {
    /// Returns why a kind of query is not to be sent, if so.
    pub(super) fn off(&self, kind: Kind, now: Timestamp) -> Option<String> {
        let mut state = self.lock();
        let of_kind = state.of(kind);
        match &of_kind.off {
            Some((until, reason)) if now < *until => Some(reason.clone()),
            Some(_) => {
                *of_kind = OfKind::new(kind);
                None
            }
            None => None,
        }
    }

    /// Returns the present size of a kind of query.
    pub(super) fn size(&self, kind: Kind) -> u32 {
        self.lock().of(kind).size.present()
    }

    /// Returns the size with which a process begins that knows what this one has learnt of the
    /// complexity of a kind of query only by asking.
    pub(super) fn anew(&self, kind: Kind) -> (Size, u32) {
        (kind.size(), self.lock().of(kind).size.ceiling())
    }

    /// Takes note of an answer, with its complexity and the limit where GitLab said them.
    pub(super) fn went_well(&self, kind: Kind, asked: u32, cost: Option<(u64, u64)>) {
        let mut state = self.lock();
        let of_kind = state.of(kind);
        of_kind.failures = 0;
        of_kind.size.went_well(asked, cost);
    }

    /// Shrinks a size; false when it cannot.
    pub(super) fn too_complex(&self, kind: Kind, asked: u32, score: u64, limit: u64) -> bool {
        let mut state = self.lock();
        state.of(kind).size.too_complex(asked, score, limit)
    }

    /// Shrinks a size; false when it cannot.
    pub(super) fn too_heavy(&self, kind: Kind, asked: u32) -> bool {
        self.lock().of(kind).size.too_heavy(asked)
    }

    /// Switches a kind of query off until GitLab may have been updated. True the first time.
    pub(super) fn lacks(&self, kind: Kind, reason: &str, now: Timestamp) -> bool {
        self.lock().of(kind).rest(reason, now, UNTIL_UPDATED)
    }

    /// Takes note of a failure of even the smallest query. True when it is one too many.
    pub(super) fn failed(&self, kind: Kind) -> bool {
        let mut state = self.lock();
        let of_kind = state.of(kind);
        of_kind.failures += 1;
        of_kind.failures >= FAILURES
    }

    /// Leaves a kind of query alone for a time. True the first time.
    pub(super) fn rest(&self, kind: Kind, reason: &str, now: Timestamp) -> bool {
        let mut state = self.lock();
        state.of(kind).rest(reason, now, UNTIL_RESTED)
    }

    /// Takes note that GraphQL refuses a key.
    pub(super) fn refuse_key(&self, generation: u64) {
        let mut state = self.lock();
        state.refused_key = Some(generation);
    }

    /// True when GraphQL refused this key.
    pub(super) fn is_refused_key(&self, generation: u64) -> bool {
        self.lock().refused_key == Some(generation)
    }

    /// True when contents are asked for one path at a time.
    pub(super) fn is_one_path(&self) -> bool {
        self.lock().one_path
    }

    /// Asks for contents one path at a time from now on. False when that is so already.
    pub(super) fn take_one_path(&self) -> bool {
        let mut state = self.lock();
        if state.one_path {
            return false;
        }
        state.one_path = true;
        state.kinds.remove(&Kind::Files);
        true
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&mut self, kind: Kind) -> &mut OfKind {
        self.kinds.entry(kind).or_insert_with(|| OfKind::new(kind))
    }
}

impl OfKind {
    const fn new(kind: Kind) -> Self {
        Self { size: kind.size(), off: None, failures: 0 }
    }

    fn rest(&mut self, reason: &str, now: Timestamp, time: SignedDuration) -> bool {
        let is_new = self.off.is_none();
        let until = now.saturating_add(time).unwrap_or(now);
        self.off = Some((until, reason.to_owned()));
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_795_348_800 + 3_600 * hour).expect("a time")
    }

    #[test]
    fn query_that_is_not_understood_rests_until_gitlab_may_be_newer() {
        let standing = Standing::default();
        assert!(standing.lacks(Kind::Issues, "no such field", at(0)));
        assert!(!standing.lacks(Kind::Issues, "no such field", at(0)), "told once");
        assert_eq!(standing.off(Kind::Issues, at(23)).as_deref(), Some("no such field"));
        assert_eq!(standing.off(Kind::Files, at(0)), None, "the others go on");
        assert_eq!(standing.off(Kind::Issues, at(24)), None);
    }

    #[test]
    fn failures_in_a_row_make_a_query_rest_and_good_answers_between_them_do_not() {
        let standing = Standing::default();
        for _ in 0..5 {
            assert!(!standing.failed(Kind::Files));
            assert!(!standing.failed(Kind::Files));
            standing.went_well(Kind::Files, 50, None);
        }
        let failures = [0, 1, 2].map(|_| standing.failed(Kind::Files));
        assert_eq!(failures, [false, false, true]);
        assert!(standing.rest(Kind::Files, "slow", at(0)));
        assert!(standing.off(Kind::Files, at(0)).is_some());
        assert_eq!(standing.off(Kind::Files, at(1)), None);
        assert_eq!(standing.size(Kind::Files), 50, "and it begins anew");
    }

    #[test]
    fn another_token_is_tried_where_one_was_refused() {
        let standing = Standing::default();
        standing.refuse_key(1);
        assert!(standing.is_refused_key(1) && !standing.is_refused_key(2));
    }
}
