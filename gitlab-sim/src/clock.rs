//! The clock of the simulated GitLab.
//!
//! Everything that depends on the time of day (the windows of the throttle, the expiry of tokens,
//! the moment of an edit) asks this clock, so that a test can stand still or jump. It refuses to
//! stamp what the generator makes: generated items get their times from the seed.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Tells the time: the system's, until a test sets another.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Mutex<Option<Timestamp>>>);

impl Clock {
    /// Returns a clock that follows the system's.
    pub fn system() -> Self {
        Self::default()
    }

    /// Returns a clock that stands still at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Some(now))))
    }

    /// Returns the present moment, in whole microseconds as GitLab's database keeps it.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of the simulator that reads the system's clock"
    )]
    pub fn now(&self) -> Timestamp {
        micros(self.lock().unwrap_or_else(Timestamp::now))
    }

    /// Tells whether the clock stands still until a test moves it.
    pub fn stands_still(&self) -> bool {
        self.lock().is_some()
    }

    /// Stops the clock at `now`. All copies of the clock follow.
    pub fn set(&self, now: Timestamp) {
        *self.lock() = Some(now);
    }

    /// Moves the clock, which stands still afterwards. A moment beyond the end of time leaves the
    /// clock where it was.
    pub fn advance(&self, by: SignedDuration) {
        let now = self.now();
        self.set(now.checked_add(by).unwrap_or(now));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Timestamp>> {
        // A panic elsewhere cannot leave half a timestamp behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Drops what is finer than a microsecond.
pub(crate) fn micros(time: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(time.as_microsecond()).unwrap_or(time)
}

/// Returns the moment so long before another, or the beginning of time.
pub(crate) fn earlier(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// Returns the moment so long after another, or the end of time.
pub(crate) fn later(time: Timestamp, by: SignedDuration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_clock_stands_still_and_moves_on_demand() {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let clock = Clock::at(start);
        let copy = clock.clone();
        copy.advance(SignedDuration::from_secs(61));
        assert_eq!(clock.now().to_string(), "2026-11-22T10:01:01Z");
        assert_eq!(clock.now(), clock.now());
    }

    #[test]
    fn times_are_kept_in_microseconds() {
        let fine: Timestamp = "2026-11-22T10:00:00.123456789Z".parse().unwrap();
        assert_eq!(Clock::at(fine).now().to_string(), "2026-11-22T10:00:00.123456Z");
    }
}
