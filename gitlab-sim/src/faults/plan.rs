//! The faults in force, and which of them strike a request.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::chance::draw;
use super::kind::FaultKind;
use super::requests::{Requests, Seen};
use super::schedule::FaultSchedule;
use crate::clock::later;

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What.
    pub what: FaultKind,
    /// With which requests; by default with all.
    #[serde(default)]
    pub on: Requests,
    /// When; by default always.
    #[serde(default)]
    pub when: When,
}

/// When a fault strikes a request that is meant. All that is said must hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct When {
    /// Every so many requests: the third, the sixth, … for 3.
    pub every: Option<u64>,
    /// The first so many requests only.
    pub first: Option<u64>,
    /// In so many of a hundred cases, by chance.
    pub percent: Option<f64>,
    /// Where chance starts.
    pub seed: u64,
    /// Not before this moment of the world's clock.
    pub from: Option<Timestamp>,
    /// Before this moment of the world's clock.
    pub until: Option<Timestamp>,
    /// Once it strikes, every request that is meant is struck for so long, as in a deploy.
    pub lasting: Option<SignedDuration>,
    /// After so many strokes it is over.
    pub times: Option<u64>,
}

impl Fault {
    /// Describes a fault of every request.
    pub fn new(what: FaultKind) -> Self {
        Self { what, on: Requests::all(), when: When::default() }
    }

    /// Narrows it to some requests.
    #[must_use]
    pub fn on(mut self, requests: Requests) -> Self {
        self.on = requests;
        self
    }

    /// Strikes every so many requests.
    #[must_use]
    pub fn every(mut self, nth: u64) -> Self {
        self.when.every = Some(nth);
        self
    }

    /// Strikes the first so many requests only.
    #[must_use]
    pub fn first(mut self, requests: u64) -> Self {
        self.when.first = Some(requests);
        self
    }

    /// Strikes in so many of a hundred cases, by chance from a seed.
    #[must_use]
    pub fn percent(mut self, percent: f64, seed: u64) -> Self {
        self.when.percent = Some(percent);
        self.when.seed = seed;
        self
    }

    /// Strikes from one moment of the world's clock until before another.
    #[must_use]
    pub fn between(mut self, from: Timestamp, until: Timestamp) -> Self {
        self.when.from = Some(from);
        self.when.until = Some(until);
        self
    }

    /// Goes on for so long, by the world's clock, once it strikes.
    #[must_use]
    pub fn lasting(mut self, time: SignedDuration) -> Self {
        self.when.lasting = Some(time);
        self
    }

    /// Is over after so many strokes.
    #[must_use]
    pub fn times(mut self, strokes: u64) -> Self {
        self.when.times = Some(strokes);
        self
    }

    /// Says what is wrong with the description, if anything.
    pub(crate) fn complaint(&self) -> Option<String> {
        if let Some(complaint) = self.what.complaint() {
            return Some(complaint);
        }
        if self.when.every == Some(0) {
            return Some("when.every is 0; 1 means every request".to_owned());
        }
        if self.when.percent.is_some_and(|percent| !(0.0..=100.0).contains(&percent)) {
            return Some("when.percent must be from 0 to 100".to_owned());
        }
        if let (Some(from), Some(until)) = (self.when.from, self.when.until)
            && from >= until
        {
            return Some(format!("when.from {from} is not before when.until {until}"));
        }
        None
    }
}

/// Names a fault in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(u64);

impl FaultId {
    /// Wraps a number, as the control API shows it.
    pub const fn new(id: u64) -> Self {
        Self(id)
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fault in force, and what it did so far.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FaultState {
    /// Its name.
    pub id: FaultId,
    /// Its description.
    pub fault: Fault,
    /// How many requests it could have struck.
    pub met: u64,
    /// How many it struck.
    pub struck: u64,
    /// Until when it goes on, once it struck.
    pub lasts_until: Option<Timestamp>,
}

impl FaultState {
    /// Counts a request that is meant, and tells whether it is struck.
    fn strikes(&mut self, now: Timestamp) -> bool {
        self.met += 1;
        let when = &self.fault.when;
        if when.times.is_some_and(|times| self.struck >= times) {
            return false;
        }
        let lasting = self.lasts_until.is_some_and(|until| now < until);
        let struck = lasting
            || (when.every.is_none_or(|nth| self.met.is_multiple_of(nth.max(1)))
                && when.first.is_none_or(|first| self.met <= first)
                && when.from.is_none_or(|from| now >= from)
                && when.until.is_none_or(|until| now < until)
                && when.percent.is_none_or(|percent| lucky(percent, draw(when.seed, self.met))));
        if struck {
            self.struck += 1;
            if !lasting {
                self.lasts_until = when.lasting.map(|time| later(now, time));
            }
        }
        struck
    }
}

/// Tells whether a draw falls into so many of a hundred.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 of 64 random bits decide as well as all of them"
)]
fn lucky(percent: f64, draw: u64) -> bool {
    (draw as f64) < percent / 100.0 * (u64::MAX as f64)
}

/// The faults in force on an instance.
#[derive(Debug, Default)]
pub struct Faults(Mutex<Plan>);

#[derive(Debug, Default)]
struct Plan {
    last: u64,
    faults: BTreeMap<FaultId, FaultState>,
    schedule: Option<FaultSchedule>,
    /// Requests since the schedule began.
    seen: u64,
}

impl Faults {
    /// Puts a fault in force.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut plan = self.lock();
        plan.last += 1;
        let id = FaultId(plan.last);
        let state = FaultState { id, fault, met: 0, struck: 0, lasts_until: None };
        plan.faults.insert(id, state);
        id
    }

    /// Lists the faults in force, oldest first. Those that are over stay until they are removed.
    pub fn list(&self) -> Vec<FaultState> {
        self.lock().faults.values().cloned().collect()
    }

    /// Ends a fault. Returns false when there is none of that name.
    pub fn remove(&self, id: FaultId) -> bool {
        self.lock().faults.remove(&id).is_some()
    }

    /// Ends all faults, and the schedule.
    pub fn clear(&self) {
        let mut plan = self.lock();
        plan.faults.clear();
        plan.schedule = None;
    }

    /// Follows a schedule from now on, or none.
    pub fn follow(&self, schedule: impl Into<Option<FaultSchedule>>) {
        let mut plan = self.lock();
        plan.schedule = schedule.into();
        plan.seen = 0;
    }

    /// Returns the schedule that is followed.
    pub fn schedule(&self) -> Option<FaultSchedule> {
        self.lock().schedule
    }

    /// Returns what strikes a request. `stands_still` tells that the world's clock does: then no
    /// burst of the schedule begins, because none would end.
    pub(crate) fn meet(&self, seen: &Seen<'_>, stands_still: bool) -> Vec<FaultKind> {
        let mut plan = self.lock();
        let mut struck: Vec<FaultKind> = plan
            .faults
            .values_mut()
            .filter(|state| state.fault.on.mean(seen))
            .filter_map(|state| state.strikes(seen.now).then(|| state.fault.what.clone()))
            .collect();
        if let Some(schedule) = plan.schedule {
            plan.seen += 1;
            struck.extend(schedule.strike(seen, plan.seen, stands_still));
        }
        struck
    }

    /// Tells whether nothing can go wrong at present.
    pub(crate) fn is_idle(&self) -> bool {
        let plan = self.lock();
        plan.faults.is_empty() && plan.schedule.is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        // A test that panicked meanwhile leaves whole entries behind.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::RequestKind;

    fn struck(fault: Fault, requests: u64) -> Vec<u64> {
        let faults = Faults::default();
        faults.add(fault);
        let now = "2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap();
        (1..=requests)
            .filter(|second| {
                let seen = Seen {
                    method: "GET",
                    path: "/api/v4/projects",
                    query: "",
                    kind: RequestKind::List,
                    user: None,
                    now: later(now, SignedDuration::from_secs(i64::try_from(*second).unwrap())),
                };
                !faults.meet(&seen, false).is_empty()
            })
            .collect()
    }

    #[test]
    fn conditions_add_up() {
        let fault = || Fault::new(FaultKind::ServerError);
        let at = |second: &str| format!("2026-11-22T10:00:{second}Z").parse::<Timestamp>().unwrap();
        assert_eq!(struck(fault().every(3), 10), [3, 6, 9]);
        assert_eq!(struck(fault().first(2), 10), [1, 2]);
        assert_eq!(struck(fault().every(3).times(2), 10), [3, 6]);
        assert_eq!(struck(fault().between(at("04"), at("07")), 10), [4, 5, 6]);
        let burst = fault().every(5).lasting(SignedDuration::from_secs(3)).times(4);
        assert_eq!(struck(burst, 20), [5, 6, 7, 10]);
        assert!(struck(fault().on(Requests::kind(RequestKind::File)), 10).is_empty());
    }

    #[test]
    fn chance_follows_from_the_seed() {
        let by = |seed| struck(Fault::new(FaultKind::ServerError).percent(20.0, seed), 500);
        assert_eq!(by(1), by(1));
        assert_ne!(by(1), by(2));
        assert!((60..140).contains(&by(1).len()), "{}", by(1).len());
        assert!(struck(Fault::new(FaultKind::Reset).percent(0.0, 1), 100).is_empty());
        assert_eq!(struck(Fault::new(FaultKind::Reset).percent(100.0, 1), 100).len(), 100);
    }
}
