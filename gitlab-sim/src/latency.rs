//! How long an instance takes to answer, by kind of request.
//!
//! The wait is spent before the world is looked at, outside its lock: slow answers do not make
//! each other slower, and it costs no work. By default there is none.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::faults::{RequestKind, chance};

/// A wait, from the shortest to the longest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delay {
    /// The shortest wait.
    pub least: SignedDuration,
    /// The longest wait; the same makes all waits equal.
    pub most: SignedDuration,
}

impl Delay {
    /// Waits so long every time.
    pub fn fixed(time: Duration) -> Self {
        Self::between(time, time)
    }

    /// Waits from one time to another, by chance.
    pub fn between(least: Duration, most: Duration) -> Self {
        let signed = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::MAX);
        Self { least: signed(least), most: signed(most) }
    }

    fn draw(self, seed: u64, number: u64) -> Duration {
        let micros = |time: SignedDuration| u64::try_from(time.as_micros()).unwrap_or(0);
        let (least, most) = (micros(self.least), micros(self.most));
        Duration::from_micros(chance::between(seed, number, least, most.max(least)))
    }
}

/// The waits of all kinds of request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Latency {
    /// Lists other than of notes.
    pub list: Delay,
    /// Single things.
    pub single: Delay,
    /// Notes and discussions.
    pub notes: Delay,
    /// Files, trees and whatever else asks the repository.
    pub file: Delay,
    /// GraphQL.
    pub graphql: Delay,
    /// Everything else.
    pub other: Delay,
    /// Where chance starts.
    pub seed: u64,
}

impl Latency {
    /// Makes every kind of request wait the same.
    pub fn all(delay: Delay) -> Self {
        Self {
            list: delay,
            single: delay,
            notes: delay,
            file: delay,
            graphql: delay,
            other: delay,
            seed: 0,
        }
    }

    /// Returns how long the so-manyth request waits.
    pub(crate) fn of(&self, kind: RequestKind, number: u64) -> Duration {
        let delay = match kind {
            RequestKind::List => self.list,
            RequestKind::Single => self.single,
            RequestKind::Notes => self.notes,
            RequestKind::File => self.file,
            RequestKind::GraphQl => self.graphql,
            RequestKind::Other => self.other,
        };
        delay.draw(self.seed, number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_stay_within_their_bounds_and_follow_from_the_seed() {
        let (low, high) = (Duration::from_millis(20), Duration::from_millis(30));
        let latency = Latency { file: Delay::between(low, high), ..Latency::default() };
        let waits: Vec<Duration> =
            (0..100).map(|number| latency.of(RequestKind::File, number)).collect();
        assert!(waits.iter().all(|wait| (low..=high).contains(wait)));
        assert_ne!(waits.first(), waits.last());
        assert_eq!(waits[7], latency.of(RequestKind::File, 7));
        assert_eq!(latency.of(RequestKind::List, 1), Duration::ZERO);
    }

    #[test]
    fn a_longest_wait_below_the_shortest_counts_as_equal() {
        let delay = Delay::between(Duration::from_secs(2), Duration::from_secs(1));
        assert_eq!(delay.draw(1, 1), Duration::from_secs(2));
    }
}
