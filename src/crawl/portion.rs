//! How much of a list is asked for at once: less where GitLab cannot answer in time.
//!
//! GitLab ends what takes its database too long, and repeats nothing itself: the same question
//! fails again. A smaller page helps, and where the smallest does not, a narrower span of time
//! does. Both grow back, since one slow minute must not make a walk of a hundred thousand items
//! ten times as dear; and after a failure right after growing they wait longer before they grow
//! again. It is a pure plan: it asks nothing.

use jiff::{SignedDuration, Timestamp};

/// The largest page that GitLab gives.
const FULL_PAGE: u32 = 100;

/// The smallest page that is asked for. Smaller ones cost GitLab the same query.
const SMALLEST_PAGE: u32 = 10;

/// The narrowest span of time. What fails within a minute fails for another reason.
const NARROWEST: SignedDuration = SignedDuration::from_mins(1);

/// By how much a span is narrowed at once. Lists reach back years: halves would take twenty steps.
const NARROWER_BY: i32 = 8;

/// How many good answers there may have to be before more is asked for.
const MOST_PATIENCE: u32 = 64;

/// GitLab is not older than its first commit.
const FIRST: Timestamp = Timestamp::constant(1_318_000_000, 0);

/// How much of a list is asked for at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Portion {
    per_page: u32,
    /// How long a span of time; `None` for all that there is.
    span: Option<SignedDuration>,
    /// Good answers since the last change, and how many there must be before the next.
    good: u32,
    needed: u32,
    /// The last change was to ask for more.
    grew: bool,
}

impl Portion {
    /// Everything at once, in the largest pages.
    pub fn new() -> Self {
        Self { per_page: FULL_PAGE, span: None, good: 0, needed: 1, grew: false }
    }

    /// Returns the size of a page.
    pub fn per_page(&self) -> u32 {
        self.per_page
    }

    /// Returns the end of the span to ask for, from a time on; `None` for an open end.
    pub fn until(&self, from: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let end = from.unwrap_or(FIRST).checked_add(self.span?).ok()?;
        (end < now).then_some(end)
    }

    /// Asks for less, and says whether that was possible. `Some(now)` where a span of time may be
    /// narrowed.
    pub fn shrink(&mut self, from: Option<Timestamp>, now: Option<Timestamp>) -> bool {
        if self.grew {
            self.needed = (self.needed * 4).min(MOST_PATIENCE);
        }
        (self.good, self.grew) = (0, false);
        if self.per_page > SMALLEST_PAGE {
            self.per_page = (self.per_page / 2).max(SMALLEST_PAGE);
            return true;
        }
        let Some(now) = now else { return false };
        let present = self.span.unwrap_or_else(|| now.duration_since(from.unwrap_or(FIRST)));
        if present <= NARROWEST {
            return false;
        }
        self.span = Some((present / NARROWER_BY).max(NARROWEST));
        true
    }

    /// Takes note of a good answer, after which more may be asked for.
    pub fn answered(&mut self) {
        if self.per_page == FULL_PAGE && self.span.is_none() {
            return;
        }
        self.good += 1;
        if self.good < self.needed {
            return;
        }
        (self.good, self.grew) = (0, true);
        if self.per_page < FULL_PAGE {
            self.per_page = (self.per_page * 2).min(FULL_PAGE);
        } else if let Some(span) = self.span {
            // A span beyond all there is counts as none.
            let wider = span.checked_mul(NARROWER_BY);
            self.span = wider.filter(|wider| *wider < SignedDuration::from_hours(24 * 365 * 40));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn one_failure_costs_one_small_page() {
        let mut portion = Portion::new();
        assert!(portion.shrink(None, Some(now())));
        assert_eq!(portion.per_page(), 50);
        portion.answered();
        assert_eq!(portion, Portion { grew: true, ..Portion::new() });
    }

    #[test]
    fn what_fails_whenever_it_grows_is_tried_ever_more_seldom() {
        let mut portion = Portion::new();
        let mut failures = 0;
        for _ in 0..500 {
            if portion.per_page() > 50 {
                portion.shrink(None, Some(now()));
                failures += 1;
            } else {
                portion.answered();
            }
        }
        assert!((3..=12).contains(&failures), "{failures}");
    }

    #[test]
    fn the_span_is_narrowed_only_where_the_smallest_page_fails_and_not_for_ever() {
        let mut portion = Portion::new();
        let mut steps = 0;
        while portion.until(None, now()).is_none() {
            assert!(portion.shrink(None, Some(now())));
            steps += 1;
        }
        assert_eq!((steps, portion.per_page()), (5, 10));
        while portion.shrink(None, Some(now())) {
            steps += 1;
        }
        assert!(steps < 16, "{steps}");
        let end = portion.until(Some(FIRST), now()).expect("an end");
        assert_eq!(end.duration_since(FIRST), NARROWEST);
        for _ in 0..2_000 {
            portion.answered();
        }
        assert_eq!((portion.per_page(), portion.until(None, now())), (100, None));
    }

    #[test]
    fn a_span_that_reaches_beyond_now_has_no_end() {
        let portion = Portion { span: Some(SignedDuration::from_hours(1)), ..Portion::new() };
        let hour_ago = now() - SignedDuration::from_mins(90);
        assert_eq!(
            portion.until(Some(hour_ago), now()),
            Some(now() - SignedDuration::from_mins(30))
        );
        assert_eq!(portion.until(Some(now()), now()), None);
    }

    #[test]
    fn where_no_span_may_be_narrowed_the_smallest_page_is_the_least() {
        let mut portion = Portion::new();
        for _ in 0..4 {
            assert!(portion.shrink(None, None));
        }
        assert!(!portion.shrink(None, None));
    }
}
