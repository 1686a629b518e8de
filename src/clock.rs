//! Where time comes from.
//!
//! Code that asks the machine for the time cannot be tested at midnight, in a leap second, or a
//! month later. So nobody calls `now()`: time is asked of a [`Clock`] that the composition root
//! hands down. This module refuses to sleep; waiting is the runtime's work.

use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Tells the time.
pub trait Clock: Send + Sync + Debug {
    /// Returns the present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the machine")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FakeClock {
    now: Mutex<Timestamp>,
}

impl FakeClock {
    /// Makes a clock that shows the given time.
    pub fn new(now: Timestamp) -> Self {
        Self { now: Mutex::new(now) }
    }

    /// Sets the clock, forwards or back.
    pub fn set(&self, now: Timestamp) {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock by a duration; at the end of representable time it stops.
    pub fn advance(&self, by: SignedDuration) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by).unwrap_or(*now);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fake_clock_stands_still_until_it_is_moved() {
        let clock = FakeClock::new(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), clock.now());

        clock.advance(SignedDuration::from_secs(90));
        assert_eq!(clock.now().as_second(), 90);

        clock.set(Timestamp::MAX);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(clock.now(), Timestamp::MAX);
    }

    #[test]
    fn system_clock_does_not_show_the_past() {
        let built_after: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a valid time");
        assert!(SystemClock.now() > built_after);
    }
}
