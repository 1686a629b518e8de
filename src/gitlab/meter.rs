//! What was asked, how often, and how long it took: plain figures by route template.
//!
//! Counted beside the event, with few and nameless routes, so that no project's path becomes a
//! label. Faces turn them into metrics; this module knows no format.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

/// Upper bounds of the durations that are told apart, in seconds: from a list out of a cache to
/// the time after which GitLab's own servers give up. What took longer is in a last one.
pub const DURATION_BOUNDS: [f64; 10] = [0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0];

/// One exchange, as it is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange<'a> {
    /// The route template.
    pub(super) route: &'a str,
    /// The status, if there was an answer.
    pub(super) status: Option<u16>,
    /// How long it waited for its pace.
    pub(super) wait: Duration,
    /// From the first byte sent to the last received.
    pub(super) duration: Duration,
    /// Size of the body, after decompression.
    pub(super) bytes: u64,
    /// GitLab's clock minus ours, where the answer showed it.
    pub(super) skew: Option<SignedDuration>,
}

/// The figures of one route and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteFigures {
    /// Requests.
    pub requests: u64,
    /// How long they waited for their pace, together.
    pub wait: Duration,
    /// How long they took, together.
    pub duration: Duration,
    /// Bytes of their bodies, after decompression.
    pub bytes: u64,
    /// How many took up to each of [`DURATION_BOUNDS`] and longer than the one before; the last is
    /// for all that took longer still.
    pub durations: [u64; DURATION_BOUNDS.len() + 1],
}

/// A clock that goes back by more than this was set; less is an answer that took long.
const CLOCK_SET: SignedDuration = SignedDuration::from_secs(90);

/// Counts exchanges.
#[derive(Debug, Default)]
pub(super) struct Meter {
    routes: Mutex<BTreeMap<(String, Option<u16>), RouteFigures>>,
    skew: Mutex<Option<SignedDuration>>,
}

impl Meter {
    /// Counts one exchange.
    pub(super) fn count(&self, exchange: Exchange<'_>) {
        if let Some(skew) = exchange.skew {
            self.learn(skew);
        }
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = routes.entry((exchange.route.to_owned(), exchange.status)).or_default();
        figures.requests += 1;
        figures.wait = figures.wait.saturating_add(exchange.wait);
        figures.duration = figures.duration.saturating_add(exchange.duration);
        figures.bytes = figures.bytes.saturating_add(exchange.bytes);
        let seconds = exchange.duration.as_secs_f64();
        let place = DURATION_BOUNDS.iter().position(|bound| seconds <= *bound);
        figures.durations[place.unwrap_or(DURATION_BOUNDS.len())] += 1;
    }

    /// Learns how far GitLab's clock is from ours. Its `Date` is cut to the second and late by the
    /// way of the answer, so the largest difference seen is the nearest; one that is far smaller
    /// comes from a clock that was set.
    fn learn(&self, skew: SignedDuration) {
        let mut known = self.skew.lock().unwrap_or_else(PoisonError::into_inner);
        if known.is_none_or(|known| skew > known || known - skew > CLOCK_SET) {
            *known = Some(skew);
        }
    }

    /// Returns GitLab's clock minus ours, as its answers show it: up to a second too little, and
    /// as much more as the fastest answer took.
    pub(super) fn skew(&self) -> Option<SignedDuration> {
        *self.skew.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the figures by route template and status.
    pub(super) fn read(&self) -> BTreeMap<(String, Option<u16>), RouteFigures> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_are_counted_by_route_and_status() {
        let meter = Meter::default();
        let exchange = |route, status, millis| Exchange {
            route,
            status,
            wait: Duration::from_millis(5),
            duration: Duration::from_millis(millis),
            bytes: 10,
            skew: status.map(|_| SignedDuration::from_secs(3)),
        };
        meter.count(exchange("/projects/:x", Some(200), 25));
        meter.count(exchange("/projects/:x", Some(200), 26));
        meter.count(exchange("/projects/:x", None, 61_000));
        assert_eq!(meter.skew(), Some(SignedDuration::from_secs(3)));
        let read = meter.read();
        let answered = read[&("/projects/:x".to_owned(), Some(200))];
        assert_eq!((answered.requests, answered.bytes), (2, 20));
        assert_eq!(answered.wait, Duration::from_millis(10));
        assert_eq!(answered.durations[..3], [1, 1, 0], "a bound belongs to what lies below it");
        let unanswered = read[&("/projects/:x".to_owned(), None)];
        assert_eq!(unanswered.durations[DURATION_BOUNDS.len()], 1);
    }
}
