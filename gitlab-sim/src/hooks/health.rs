//! Whether a hook is executed: how failures disable it, and how it heals.
//!
//! The rules of GitLab since 17.11: a fourth failure in a row disables the hook for a minute, each
//! further one for twice as long up to a day, the fortieth for good. One success, or a person,
//! makes it whole. Pure: the time is handed in.

use jiff::{SignedDuration, Timestamp};

use crate::clock::later;

/// The failure in a row that disables a hook for the first time.
const FIRST_DISABLING: u32 = 4;
/// The failure in a row that disables it for good.
const LAST_FAILURE: u32 = 40;
/// How long the first disabling lasts.
const FIRST_REST: SignedDuration = SignedDuration::from_mins(1);
/// How long a disabling lasts at most.
const LONGEST_REST: SignedDuration = SignedDuration::from_hours(24);

/// What GitLab calls `alert_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alert {
    /// Events are delivered.
    Executable,
    /// Events are lost until a moment.
    TemporarilyDisabled,
    /// Events are lost until a person enables the hook again.
    Disabled,
}

impl Alert {
    /// Returns GitLab's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Executable => "executable",
            Self::TemporarilyDisabled => "temporarily_disabled",
            Self::Disabled => "disabled",
        }
    }
}

/// The failures of a hook.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Health {
    failures: u32,
    disabled_until: Option<Timestamp>,
}

impl Health {
    /// Returns the failures in a row.
    pub(crate) const fn failures(self) -> u32 {
        self.failures
    }

    /// Returns the moment until which events are, or were last, lost.
    pub(crate) const fn disabled_until(self) -> Option<Timestamp> {
        self.disabled_until
    }

    /// Tells whether the hook is executed at a moment.
    pub(crate) fn alert(self, now: Timestamp) -> Alert {
        if self.failures >= LAST_FAILURE {
            Alert::Disabled
        } else if self.disabled_until.is_some_and(|until| now < until) {
            Alert::TemporarilyDisabled
        } else {
            Alert::Executable
        }
    }

    /// Notes a delivery that failed.
    pub(crate) fn failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1).min(LAST_FAILURE);
        if let Some(doublings) = self.failures.checked_sub(FIRST_DISABLING) {
            let rest = 2i32.checked_pow(doublings).and_then(|times| FIRST_REST.checked_mul(times));
            let rest = rest.unwrap_or(LONGEST_REST).min(LONGEST_REST);
            self.disabled_until = Some(later(now, rest));
        }
    }

    /// Notes a delivery that succeeded, or a person who enabled the hook.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes_after(failures: u32) -> Option<i64> {
        let start = Timestamp::UNIX_EPOCH;
        let mut health = Health::default();
        for _ in 0..failures {
            health.failed(start);
        }
        health.disabled_until().map(|until| until.duration_since(start).as_mins())
    }

    #[test]
    fn rests_begin_at_a_minute_and_double_up_to_a_day() {
        for (failures, minutes) in [
            (3, None),
            (4, Some(1)),
            (5, Some(2)),
            (6, Some(4)),
            (14, Some(1024)),
            (15, Some(1440)),
            (39, Some(1440)),
        ] {
            assert_eq!(minutes_after(failures), minutes, "after {failures} failures");
        }
    }

    #[test]
    fn the_fortieth_failure_disables_for_good() {
        let start = Timestamp::UNIX_EPOCH;
        let mut health = Health::default();
        for _ in 0..39 {
            health.failed(start);
        }
        let years_later = later(start, SignedDuration::from_hours(24 * 365 * 10));
        assert_eq!(health.alert(start), Alert::TemporarilyDisabled);
        assert_eq!(health.alert(years_later), Alert::Executable);
        health.failed(start);
        assert_eq!(health.alert(years_later), Alert::Disabled);
        health.heal();
        assert_eq!(health.alert(start), Alert::Executable);
    }

    #[test]
    fn a_rest_ends_by_itself_and_a_success_forgets_all_failures() {
        let start = Timestamp::UNIX_EPOCH;
        let mut health = Health::default();
        for _ in 0..4 {
            health.failed(start);
        }
        let second = SignedDuration::from_secs(1);
        assert_eq!(health.alert(later(start, second * 59)), Alert::TemporarilyDisabled);
        assert_eq!(health.alert(later(start, second * 60)), Alert::Executable);
        health.heal();
        assert_eq!((health.failures(), health.disabled_until()), (0, None));
    }
}
