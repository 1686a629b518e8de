//! How many requests may be out at once.
//!
//! The number grows by one for each round trip that goes well and shrinks when GitLab shows that
//! it is at its limits: answers take much longer than the route's answers used to take, or fail
//! with 408 or 5xx, or do not come. It stays between one and the configured bound. Within one
//! round trip it shrinks once, since those that were out together suffered from one cause.
//! A refusal for pace (429) says nothing about it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::gitlab) enum Ending {
    /// With an answer of this status.
    Answered(u16),
    /// Without an answer, or with one that broke off.
    Broken,
}

/// An answer is slow when it takes so many times as long as usual on its route…
const SLOW_TIMES: u32 = 3;

/// …and this much longer, so that what is quick anyway may vary.
const SLOW_BY: Duration = Duration::from_millis(250);

/// What is left of the number after slow answers, and after failures.
const AFTER_SLOW: f64 = 0.8;
const AFTER_FAILURE: f64 = 0.5;

/// How many routes are watched; more would be made up by links, and then all begin anew.
const MOST_ROUTES: usize = 256;

/// The number of requests that may be out at once.
#[derive(Debug)]
pub(super) struct Concurrency {
    bound: f64,
    present: f64,
    /// When it last shrank.
    shrank: Option<Instant>,
    routes: BTreeMap<String, Latency>,
}

/// How long the answers of a route take.
#[derive(Debug)]
struct Latency {
    /// A minimum that follows slowly when all answers take longer.
    usual: Duration,
    /// The mean of the last few.
    recent: Duration,
}

impl Concurrency {
    pub(super) fn new(bound: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "nobody asks for 2^52 connections")]
        let bound = bound as f64;
        Self { bound, present: bound, shrank: None, routes: BTreeMap::new() }
    }

    /// Returns the present number.
    pub(super) fn present(&self) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between one and the bound"
        )]
        let present = self.present as usize;
        present.max(1)
    }

    /// Takes in how an exchange that was sent at `sent_at` ended. `latency` is the time until its
    /// headers came.
    pub(super) fn ended(
        &mut self,
        route: &str,
        ending: Ending,
        latency: Duration,
        sent_at: Instant,
        now: Instant,
    ) {
        let factor = match ending {
            Ending::Broken | Ending::Answered(408 | 500 | 502..=599) => Some(AFTER_FAILURE),
            Ending::Answered(status) if status < 400 => {
                self.is_slow(route, latency).then_some(AFTER_SLOW)
            }
            // Refusals are quick or slow for reasons of their own.
            Ending::Answered(_) => return,
        };
        match factor {
            Some(factor) => {
                if self.shrank.is_none_or(|shrank| sent_at >= shrank) {
                    self.present = (self.present * factor).max(1.0);
                    self.shrank = Some(now);
                }
            }
            None => self.present = (self.present + 1.0 / self.present).min(self.bound),
        }
    }

    fn is_slow(&mut self, route: &str, latency: Duration) -> bool {
        if self.routes.len() >= MOST_ROUTES {
            self.routes.clear();
        }
        let Some(known) = self.routes.get_mut(route) else {
            let first = Latency { usual: latency, recent: latency };
            self.routes.insert(route.to_owned(), first);
            return false;
        };
        known.recent = (known.recent * 7 + latency * 3) / 10;
        known.usual =
            if latency < known.usual { latency } else { (known.usual * 199 + latency) / 200 };
        known.recent > (known.usual * SLOW_TIMES).max(known.usual + SLOW_BY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn failures_of_one_round_trip_count_once_and_successes_bring_it_back() {
        let mut concurrency = Concurrency::new(8);
        let sent = Instant::now();
        let came = sent + QUICK;
        for ending in [Ending::Answered(502), Ending::Broken, Ending::Answered(408)] {
            concurrency.ended("/a", ending, QUICK, sent, came);
        }
        assert_eq!(concurrency.present(), 4);
        for _ in 0..10 {
            concurrency.ended("/a", Ending::Answered(500), QUICK, came, came);
        }
        assert_eq!(concurrency.present(), 1, "never below one");
        for _ in 0..40 {
            concurrency.ended("/a", Ending::Answered(200), QUICK, came, came);
        }
        assert_eq!(concurrency.present(), 8, "never above the bound");
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_shrink_it_and_refusals_do_not() {
        let mut concurrency = Concurrency::new(8);
        let mut now = Instant::now();
        for _ in 0..20 {
            concurrency.ended("/a", Ending::Answered(200), QUICK, now, now);
        }
        for status in [400, 401, 403, 404, 409, 429, 501] {
            concurrency.ended("/a", Ending::Answered(status), QUICK * 100, now, now);
        }
        assert_eq!(concurrency.present(), 8);
        for _ in 0..10 {
            let sent = now;
            now += QUICK * 20;
            concurrency.ended("/a", Ending::Answered(200), QUICK * 20, sent, now);
        }
        assert!(concurrency.present() <= 3, "{}", concurrency.present());
        concurrency.ended("/b", Ending::Answered(200), QUICK * 20, now, now);
        for _ in 0..100 {
            concurrency.ended("/a", Ending::Answered(200), QUICK, now, now);
        }
        assert_eq!(concurrency.present(), 8);
    }
}
