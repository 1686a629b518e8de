//! One rate-limit window, as far as it is known.
//!
//! Between two statements of the server we count for ourselves: what was sent since and has not
//! been reported counts as used. When a window ends and the next answer is still out, the next
//! one is predicted: same limit, same length, nothing used.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use super::hints::Stated;

/// Lengths that windows have in practice, in seconds. The stated figures give the length only to
/// within rounding, and a round length in that range is the true one.
const USUAL_PERIODS_SECS: [u64; 14] =
    [1, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1_800, 3_600];

/// How long a statement is trusted at least. Versions that send headers only with a 429 repeat
/// themselves only when we have gone too far, so what was learnt is kept for long.
const TRUSTED_FOR: Duration = Duration::from_hours(1);

/// Requests that can have a budget of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Family {
    /// Files of repositories.
    Files,
    /// All else.
    General,
}

impl Family {
    /// Tells the family of a route.
    pub(super) fn of(route: &str) -> Self {
        if route.contains("/repository/files/") { Self::Files } else { Self::General }
    }
}

/// A window.
#[derive(Debug)]
pub(super) struct Window {
    /// The families of requests that were seen to count in it.
    pub(super) families: BTreeSet<Family>,
    /// How many requests the server permits in it.
    pub(super) limit: u64,
    /// Used by anyone, as the server last said.
    observed: u64,
    /// Sent by us and not in `observed` for certain.
    pub(super) pending: u64,
    /// When it ends.
    pub(super) ends: Instant,
    period: Duration,
    /// The end that the server last stated, on its own clock.
    stated_reset: i64,
    stated_at: Instant,
    /// The stated window is over, and this is what the next one should be.
    predicted: bool,
}

impl Window {
    /// Makes a window from the first statement about it; `None` when the figures contradict one
    /// another.
    pub(super) fn new(stated: &Stated, family: Family, now: Instant) -> Option<Self> {
        let limit = if stated.remaining > 0 {
            stated.observed.saturating_add(stated.remaining)
        } else {
            used_up_limit(stated)
        };
        let limit = limit.max(1);
        let period = period(limit, stated)?;
        Some(Self {
            families: BTreeSet::from([family]),
            limit,
            observed: stated.observed,
            pending: 0,
            ends: now + stated.ends_in,
            period,
            stated_reset: stated.reset,
            stated_at: now,
            predicted: false,
        })
    }

    /// Takes in a further statement. `unanswered` is what is still out in the window's families.
    pub(super) fn update(
        &mut self,
        stated: &Stated,
        family: Family,
        unanswered: impl Fn(&BTreeSet<Family>) -> u64,
        now: Instant,
    ) {
        self.families.insert(family);
        let is_same = stated.reset == self.stated_reset;
        if stated.reset < self.stated_reset || (is_same && self.predicted) {
            // An answer that was overtaken: it speaks of a window that is over.
            return;
        }
        let limit = if stated.remaining > 0 {
            stated.observed.saturating_add(stated.remaining)
        } else {
            self.limit.min(stated.observed.max(1))
        };
        let Some(period) = period(limit, stated) else {
            return;
        };
        self.limit = limit;
        self.period = period;
        // Answers overtake one another; within a window the count only grows.
        self.observed = if is_same { self.observed.max(stated.observed) } else { stated.observed };
        self.pending = unanswered(&self.families);
        self.ends =
            if is_same { self.ends.min(now + stated.ends_in) } else { now + stated.ends_in };
        self.stated_reset = stated.reset;
        self.stated_at = now;
        self.predicted = false;
    }

    /// Moves on to the window that `now` lies in.
    pub(super) fn roll(&mut self, unanswered: impl Fn(&BTreeSet<Family>) -> u64, now: Instant) {
        if now < self.ends {
            return;
        }
        let late = now.duration_since(self.ends).as_secs() / self.period.as_secs().max(1);
        let steps = u32::try_from(late).unwrap_or(u32::MAX).saturating_add(1);
        self.ends += self.period.saturating_mul(steps);
        self.observed = 0;
        self.pending = unanswered(&self.families);
        self.predicted = true;
    }

    /// Says whether the last statement is too old to go by.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        now.duration_since(self.stated_at) > TRUSTED_FOR.max(self.period.saturating_mul(10))
    }

    /// Returns how much of it is used for all we know.
    pub(super) fn used(&self) -> u64 {
        self.observed.saturating_add(self.pending)
    }
}

/// Works out the real limit of a window that is used up.
///
/// It is not in the figures, because refused requests count as observed. Of the usual lengths the
/// longest is taken whose limit would be reached by what was observed.
fn used_up_limit(stated: &Stated) -> u64 {
    let in_window = |per_minute: u64, period: u64| per_minute.saturating_mul(period) / 60;
    USUAL_PERIODS_SECS
        .into_iter()
        .rev()
        .filter(|period| stated.reset.unsigned_abs().is_multiple_of(*period))
        .find(|period| in_window(stated.per_minute.saturating_sub(1), *period) <= stated.observed)
        .map_or(stated.per_minute, |period| {
            in_window(stated.per_minute, period).min(stated.observed)
        })
}

/// Works out the length of a window: `per_minute` is the limit times 60 through the length,
/// rounded up, and windows end at multiples of their length.
///
/// Returns `None` when the window would have more time left than it lasts: then the figures, or
/// the clocks, are wrong.
fn period(limit: u64, stated: &Stated) -> Option<Duration> {
    let left = stated.ends_in.as_secs();
    let scaled = limit.saturating_mul(60);
    let per_minute = stated.per_minute.max(1);
    let shortest = scaled.div_ceil(per_minute).max(1);
    let longest = match per_minute {
        1 => u64::MAX,
        _ => scaled / (per_minute - 1),
    };
    let round = USUAL_PERIODS_SECS.into_iter().find(|period| {
        (shortest..=longest).contains(period)
            && *period >= left
            && stated.reset.unsigned_abs().is_multiple_of(*period)
    });
    let seconds = round.unwrap_or(shortest);
    // Twice the length leaves room for rounding and for a server's clock that is a little off.
    (left <= seconds.saturating_mul(2)).then(|| Duration::from_secs(seconds.max(left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stated(per_minute: u64, observed: u64, remaining: u64, reset: i64, left: u64) -> Stated {
        Stated {
            name: String::new(),
            per_minute,
            observed,
            remaining,
            reset,
            ends_in: Duration::from_secs(left),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn limit_and_length_are_read_from_normalised_figures() {
        for (figures, limit, seconds) in [
            (stated(2_000, 1, 1_999, 1_776_937_500, 42), 2_000, 60),
            (stated(120, 3_000, 4_200, 1_776_934_800, 900), 7_200, 3_600),
            (stated(84, 100, 4_900, 1_776_934_800, 3_000), 5_000, 3_600),
            (stated(200, 0, 2_000, 1_776_934_800, 500), 2_000, 600),
            (stated(1, 3, 2, 1_776_934_800, 100), 5, 300),
            // Used up: a minute's window, and one that is plainly longer.
            (stated(600, 608, 0, 1_776_937_500, 42), 600, 60),
            (stated(120, 7_209, 0, 1_776_934_800, 900), 7_200, 3_600),
            (stated(84, 5_003, 0, 1_776_934_800, 900), 5_003, 3_600),
        ] {
            let window = Window::new(&figures, Family::General, Instant::now()).expect("a window");
            assert_eq!((window.limit, window.period.as_secs()), (limit, seconds), "{figures:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn window_with_more_time_left_than_it_lasts_is_not_believed() {
        let figures = stated(600, 1, 599, 1_776_937_500, 80_000);
        assert!(Window::new(&figures, Family::General, Instant::now()).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn next_window_is_predicted_and_late_answers_do_not_disturb_it() {
        let now = Instant::now();
        let first = stated(600, 500, 100, 1_776_937_500, 10);
        let mut window = Window::new(&first, Family::General, now).expect("a window");
        let later = now + Duration::from_secs(11);
        window.roll(|_| 3, later);
        assert_eq!((window.used(), window.ends), (3, now + Duration::from_secs(70)));

        window.update(&first, Family::General, |_| 2, later);
        assert_eq!(window.used(), 3, "an answer from the window that is over");

        let next = stated(600, 7, 593, 1_776_937_560, 58);
        window.update(&next, Family::General, |_| 2, later);
        assert_eq!(window.used(), 9);
        let overtaken = stated(600, 5, 595, 1_776_937_560, 58);
        window.update(&overtaken, Family::General, |_| 1, later);
        assert_eq!(window.used(), 8);
    }
}
