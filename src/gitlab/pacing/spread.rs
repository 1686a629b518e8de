//! A bucket that spreads requests over time.
//!
//! It fills at a rate that its owner works out anew each time, holds a small burst, and knows
//! nothing of limits.

use std::time::Duration;

use tokio::time::Instant;

/// The longest time that is waited before the bucket is looked at again, since its rate may have
/// changed meanwhile.
const LONGEST_LOOK: Duration = Duration::from_secs(5);

/// A bucket of requests that may go out.
#[derive(Debug)]
pub(super) struct Spread {
    filled: f64,
    at: Instant,
}

impl Spread {
    /// Makes a bucket that holds so many requests.
    pub(super) fn new(filled: f64, now: Instant) -> Self {
        Self { filled, at: now }
    }

    /// Fills the bucket for the time since it was last filled, with `rate` requests a second.
    pub(super) fn fill(&mut self, rate: f64, capacity: f64, now: Instant) {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        self.filled = rate.mul_add(seconds, self.filled).min(capacity.max(1.0));
        self.at = now;
    }

    /// Says when the next request may go out, if not at once.
    pub(super) fn next(&self, rate: f64) -> Option<Instant> {
        // What is missing by rounding is not missing.
        let missing = 1.0 - 1e-6 - self.filled;
        (missing > 0.0).then(|| {
            let wait = Duration::try_from_secs_f64(missing / rate).unwrap_or(LONGEST_LOOK);
            self.at + wait.clamp(Duration::from_millis(1), LONGEST_LOOK)
        })
    }

    /// Takes one request out.
    pub(super) fn take(&mut self) {
        self.filled -= 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn bucket_lets_a_burst_through_and_then_its_rate() {
        let mut now = Instant::now();
        let mut spread = Spread::new(3.0, now);
        let mut passed = 0;
        for _ in 0..1_000 {
            spread.fill(2.0, 3.0, now);
            if spread.next(2.0).is_none() {
                spread.take();
                passed += 1;
            }
            now += Duration::from_millis(10);
        }
        assert_eq!(passed, 3 + 19);
        assert_eq!(spread.next(0.0), Some(spread.at + LONGEST_LOOK));
    }
}
