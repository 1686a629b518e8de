//! The clock of the simulated GitLab.
//!
//! Everything that depends on the time of day (the windows of the throttle, the expiry of tokens,
//! the moment of an edit) asks this clock, so that a test can stand still or jump. It refuses to
//! stamp what the generator makes: generated items get their times from the seed.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// Tells the time: the system's, until a test sets another.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<Mutex<Gait>>);

/// How a clock goes.
#[derive(Debug, Clone, Copy, Default)]
enum Gait {
    /// With the system's.
    #[default]
    System,
    /// As quickly as the system's, so much ahead of it.
    Ahead(SignedDuration),
    /// Not at all.
    Still(Timestamp),
}

impl Gait {
    fn now(self) -> Timestamp {
        micros(match self {
            Self::System => system_now(),
            Self::Ahead(by) => later(system_now(), by),
            Self::Still(now) => now,
        })
    }
}

impl Clock {
    /// Returns a clock that follows the system's.
    pub fn system() -> Self {
        Self::default()
    }

    /// Returns a clock that stands still at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Gait::Still(now))))
    }

    /// Returns a clock that shows `now` and goes on from there.
    pub fn running_from(now: Timestamp) -> Self {
        let clock = Self::system();
        clock.run_from(now);
        clock
    }

    /// Returns the present moment, in whole microseconds as GitLab's database keeps it.
    pub fn now(&self) -> Timestamp {
        let gait = *self.lock();
        gait.now()
    }

    /// Tells whether the clock stands still until somebody moves it.
    pub fn stands_still(&self) -> bool {
        matches!(*self.lock(), Gait::Still(_))
    }

    /// Tells whether the clock shows the system's time.
    pub fn follows_system(&self) -> bool {
        matches!(*self.lock(), Gait::System)
    }

    /// Stops the clock at `now`. All copies of the clock follow.
    pub fn set(&self, now: Timestamp) {
        *self.lock() = Gait::Still(now);
    }

    /// Sets the clock to `now`, from where it goes on. All copies of the clock follow.
    pub fn run_from(&self, now: Timestamp) {
        *self.lock() = Gait::Ahead(now.duration_since(system_now()));
    }

    /// Follows the system's clock again.
    pub fn follow_system(&self) {
        *self.lock() = Gait::System;
    }

    /// Moves the clock. One that runs goes on running, one that stands still stands still.
    pub fn skip(&self, by: SignedDuration) {
        // Under one lock, so that of two who move the clock at once neither is forgotten.
        let mut gait = self.lock();
        *gait = match *gait {
            Gait::Still(now) => Gait::Still(now.checked_add(by).unwrap_or(now)),
            running @ (Gait::System | Gait::Ahead(_)) => {
                Gait::Ahead(later(running.now(), by).duration_since(system_now()))
            }
        };
    }

    /// Moves the clock, which stands still afterwards. A moment beyond the end of time leaves the
    /// clock where it was.
    pub fn advance(&self, by: SignedDuration) {
        let mut gait = self.lock();
        let now = gait.now();
        *gait = Gait::Still(now.checked_add(by).unwrap_or(now));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Gait> {
        // A panic elsewhere cannot leave half a timestamp behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place of the simulator that reads the system's clock"
)]
fn system_now() -> Timestamp {
    Timestamp::now()
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
    fn a_running_clock_goes_on_from_where_it_was_set() {
        let start: Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
        let clock = Clock::running_from(start);
        let first = clock.now();
        assert!(first >= start && first < later(start, SignedDuration::from_hours(1)));
        clock.skip(SignedDuration::from_hours(24));
        assert!(clock.now() >= later(first, SignedDuration::from_hours(24)));
        assert!(!clock.stands_still());
        clock.follow_system();
        assert!(
            clock.follows_system() && clock.now() > later(start, SignedDuration::from_hours(48))
        );
        clock.set(start);
        clock.skip(SignedDuration::from_secs(1));
        assert_eq!(clock.now().to_string(), "2020-01-01T00:00:01Z");
    }

    #[test]
    fn of_many_who_move_the_clock_at_once_none_is_forgotten() {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let clock = Clock::at(start);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        clock.advance(SignedDuration::from_millis(1));
                        clock.skip(SignedDuration::from_millis(1));
                    }
                });
            }
        });
        assert_eq!(clock.now(), later(start, SignedDuration::from_secs(80)));
    }

    #[test]
    fn times_are_kept_in_microseconds() {
        let fine: Timestamp = "2026-11-22T10:00:00.123456789Z".parse().unwrap();
        assert_eq!(Clock::at(fine).now().to_string(), "2026-11-22T10:00:00.123456Z");
    }
}
