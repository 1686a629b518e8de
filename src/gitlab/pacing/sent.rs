//! What we sent lately, by quarters of a second.
//!
//! A window is often seen only when it is nearly used up, because the headers show the throttle
//! with the least remaining. How much of it was our own use is found here then.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use super::window::Family;

/// How far back it goes: the longest window that GitLab is known to have.
const KEPT: Duration = Duration::from_hours(1);

/// How finely it tells.
const SLOT: Duration = Duration::from_millis(250);

/// The requests of the last hour.
#[derive(Debug, Default)]
pub(super) struct Sent {
    slots: VecDeque<(Instant, Family, u64)>,
}

impl Sent {
    /// Counts one request.
    pub(super) fn count(&mut self, family: Family, now: Instant) {
        while let Some((began, ..)) = self.slots.front()
            && now.duration_since(*began) > KEPT
        {
            self.slots.pop_front();
        }
        // The newest of each family is among the last two.
        let present = self
            .slots
            .iter_mut()
            .rev()
            .take(2)
            .find(|(began, of, _)| *of == family && now.duration_since(*began) < SLOT);
        match present {
            Some((_, _, count)) => *count += 1,
            None => self.slots.push_back((now, family, 1)),
        }
    }

    /// Returns how many requests of the families were sent since `start`, to within a
    /// quarter of a second.
    pub(super) fn since(&self, start: Instant, families: &BTreeSet<Family>) -> u64 {
        self.slots
            .iter()
            .rev()
            .take_while(|(began, ..)| *began + SLOT > start)
            .filter(|(_, family, _)| families.contains(family))
            .map(|(.., count)| count)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_are_counted_by_family_and_forgotten_after_an_hour() {
        let start = Instant::now();
        let mut sent = Sent::default();
        for tenth in 0..100 {
            let family = if tenth % 2 == 0 { Family::General } else { Family::Files };
            sent.count(family, start + Duration::from_millis(tenth * 100));
        }
        let both = BTreeSet::from([Family::General, Family::Files]);
        assert_eq!(sent.since(start, &both), 100);
        assert_eq!(sent.since(start, &BTreeSet::from([Family::Files])), 50);
        assert!(sent.slots.len() <= 80);
        let later = start + Duration::from_mins(61);
        sent.count(Family::General, later);
        assert_eq!(sent.since(start, &both), 1);
    }
}
