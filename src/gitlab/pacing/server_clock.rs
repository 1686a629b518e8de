//! What the server's clock shows, on ours.
//!
//! Windows end at a moment that only the server knows, and its `Date` has whole seconds and came
//! late by the way of the answer. Both make a second seem to begin later than it did, so the
//! earliest of many guesses is the best, and what is left of the error is on the careful side: a
//! window is never thought to be over before it is.

use std::time::Duration;

use tokio::time::Instant;

/// A guess that is later than the best one by more than this was made by a clock that was set
/// back: no answer is on its way for so long.
const SET_BACK: Duration = Duration::from_secs(90);

/// By which part of the time since, in thousandths, an old guess gives way: clocks drift.
const DRIFT_PERMILLE: u32 = 1;

/// Maps seconds of the server's clock to ours.
#[derive(Debug, Default)]
pub(super) struct ServerClock {
    best: Option<Guess>,
}

#[derive(Debug, Clone, Copy)]
struct Guess {
    /// A second of the server's clock.
    second: i64,
    /// When it began, at the latest.
    began: Instant,
    /// When that was found.
    found: Instant,
}

impl ServerClock {
    /// Takes in that the server's clock showed `second` in an answer that came in at `now`.
    pub(super) fn take(&mut self, second: i64, now: Instant) {
        let best = self.best.and_then(|best| {
            let began = shift(best.began, second.checked_sub(best.second)?)?;
            Some((began, began + now.duration_since(best.found) * DRIFT_PERMILLE / 1_000))
        });
        let is_better = match best {
            Some((began, relaxed)) => now <= relaxed || now.duration_since(began) > SET_BACK,
            None => true,
        };
        if is_better {
            self.best = Some(Guess { second, began: now, found: now });
        }
    }

    /// Returns when a second of the server's clock begins; `None` before the first answer.
    pub(super) fn instant_of(&self, second: i64) -> Option<Instant> {
        let best = self.best?;
        shift(best.began, second.checked_sub(best.second)?)
    }

    /// Returns what the clock shows at `now`; `None` before the first answer.
    pub(super) fn second_at(&self, now: Instant) -> Option<i64> {
        let best = self.best?;
        let since = i64::try_from(now.checked_duration_since(best.began)?.as_secs()).ok()?;
        best.second.checked_add(since)
    }
}

fn shift(instant: Instant, seconds: i64) -> Option<Instant> {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { instant.checked_sub(by) } else { instant.checked_add(by) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn earliest_guess_is_kept_and_later_ones_do_no_harm() {
        let begin = Instant::now();
        let millis = |millis| begin + Duration::from_millis(millis);
        let mut clock = ServerClock::default();
        assert_eq!(clock.instant_of(100), None);
        clock.take(100, millis(900));
        assert_eq!(clock.instant_of(160), Some(millis(60_900)));
        clock.take(105, millis(5_080));
        assert_eq!(clock.instant_of(160), Some(millis(60_080)));
        clock.take(110, millis(10_700));
        assert_eq!(clock.instant_of(160), Some(millis(60_080)));
        assert_eq!(clock.second_at(millis(12_081)), Some(112));
    }

    #[tokio::test(start_paused = true)]
    async fn clock_that_was_set_back_is_followed() {
        let begin = Instant::now();
        let mut clock = ServerClock::default();
        clock.take(1_000, begin);
        clock.take(700, begin + Duration::from_secs(10));
        assert_eq!(clock.instant_of(700), Some(begin + Duration::from_secs(10)));
    }
}
