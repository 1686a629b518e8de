//! Counting in fixed windows that start at multiples of their period.
//!
//! Counters of windows that are over are dropped once there are many, so that a client that sends
//! ever new addresses or paths cannot fill the memory.

use std::collections::HashMap;
use std::hash::Hash;

use super::Limit;

/// How many counters are kept before old ones are dropped.
const MANY: usize = 10_000;

/// One count of one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count {
    /// Requests in the window, the present one included.
    pub(super) observed: u64,
    /// Seconds until the window ends: between one and the period.
    pub(super) left: u64,
    /// The second since 1970 at which it ends.
    pub(super) reset: u64,
}

/// Counters by key.
#[derive(Debug)]
pub(super) struct Windows<K> {
    /// By key: the second at which the window ends, and the count.
    counts: HashMap<K, (u64, u64)>,
    /// The number of counters at which old ones are dropped next. It grows with what could not be
    /// dropped, so that a crowd does not make every request walk through all counters.
    full: usize,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self { counts: HashMap::new(), full: MANY }
    }
}

impl<K: Hash + Eq> Windows<K> {
    /// Counts one more for a key.
    pub(super) fn count(&mut self, key: K, limit: Limit, second: u64) -> Count {
        if self.counts.len() >= self.full && !self.counts.contains_key(&key) {
            self.counts.retain(|_, (reset, _)| *reset > second);
            self.full = MANY.max(self.counts.len() * 2);
        }
        let period = limit.period.as_secs().max(1);
        let left = period - second % period;
        let reset = second.saturating_add(left);
        let row = self.counts.entry(key).or_insert((reset, 0));
        if row.0 != reset {
            *row = (reset, 0);
        }
        row.1 += 1;
        Count { observed: row.1, left, reset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_aligned_to_the_epoch() {
        let limit = Limit::per_hour(5);
        let mut windows = Windows::default();
        let count = |windows: &mut Windows<u8>, key, second| windows.count(key, limit, second);
        assert_eq!(count(&mut windows, 1, 3599), Count { observed: 1, left: 1, reset: 3600 });
        assert_eq!(count(&mut windows, 1, 3600), Count { observed: 1, left: 3600, reset: 7200 });
        assert_eq!(count(&mut windows, 1, 7199).observed, 2);
        assert_eq!(count(&mut windows, 2, 7199).observed, 1, "another key");
        assert_eq!(count(&mut windows, 1, 3599).observed, 1, "a clock that went back");
    }

    #[test]
    fn counters_of_past_windows_are_dropped_when_there_are_many() {
        let mut windows = Windows::default();
        for key in 0..MANY {
            windows.count(key, Limit::per_minute(1), 30);
        }
        windows.count(MANY, Limit::per_minute(1), 90);
        assert_eq!(windows.counts.len(), 1);
    }
}
