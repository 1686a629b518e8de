//! What the crawlers of this process do just now, for those who show it.
//!
//! A [`Status`] is a shared handle: it reads the live figures when it is asked and keeps none, so
//! it cannot be behind. It starts nothing, asks GitLab nothing, and knows no format. What is known
//! without a crawler (freshness, problems) is the index's.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::{Crawler, Error, Events, Summary};
use crate::gitlab::{RouteFigures, Stats};
use crate::store::Outcome;

// Faces know the crawl and not GitLab.
pub use crate::gitlab::{
    Budget, Capabilities, DURATION_BOUNDS, LearntLimit, ScopeFinding, TokenCheck,
};

/// Reads what the crawlers of this process do. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Status {
    crawlers: Vec<Crawler>,
}

/// What the crawler of one source does, and what it knows of its GitLab.
#[derive(Debug, Clone)]
pub struct SourceNow {
    /// The source.
    pub name: String,
    /// Whether it syncs, and how its syncs ended.
    pub activity: Activity,
    /// The present moment.
    pub at: Timestamp,
    /// The same by GitLab's clock, as far as that is known.
    pub at_gitlab: Timestamp,
    /// What is left of the rate limit.
    pub budget: Budget,
    /// Since when GitLab has not answered, while all requests wait for it.
    pub outage: Option<Timestamp>,
    /// Limits that were learnt from refusals.
    pub learnt: Vec<LearntLimit>,
    /// What is known of the token, once it was checked.
    pub token: Option<TokenCheck>,
    /// What is known of the GitLab, and what is not to be had there.
    pub capabilities: Capabilities,
    /// Requests of this process.
    pub stats: Stats,
    /// Requests of this process by route template and status (`None`: no answer).
    pub figures: BTreeMap<(String, Option<u16>), RouteFigures>,
    /// Events of webhooks that came to this process.
    pub events: Events,
}

/// Whether a source syncs, and how its syncs ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// Since when a sync runs; `None` between two.
    pub running_since: Option<Timestamp>,
    /// The last sync of this process that ended.
    pub last: Option<LastSync>,
    /// How many syncs of this process ended so, by outcome.
    pub ended: BTreeMap<&'static str, u64>,
    /// How long all of them took together.
    pub spent: Duration,
}

/// A sync that ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSync {
    /// `complete`, `incomplete`, `failed` or `stopped`.
    pub outcome: &'static str,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Requests sent, retries included.
    pub requests: u64,
}

/// The word for a sync that was told to stop.
const STOPPED: &str = "stopped";

impl Status {
    /// Makes a handle on the crawlers of this process.
    pub fn of(crawlers: &[Crawler]) -> Self {
        Self { crawlers: crawlers.to_vec() }
    }

    /// Returns the crawler of a source.
    pub fn find(&self, source: &str) -> Option<&Crawler> {
        self.crawlers.iter().find(|crawler| crawler.name() == source)
    }

    /// Reads what they do now, one for each source.
    pub fn read(&self) -> Vec<SourceNow> {
        self.crawlers.iter().map(Crawler::now).collect()
    }
}

impl Activity {
    /// Notes that a sync begins.
    pub(super) fn begin(&mut self, now: Timestamp) {
        self.running_since = Some(now);
    }

    /// Notes how the sync that runs ended.
    pub(super) fn end(&mut self, outcome: &'static str, requests: u64, now: Timestamp) {
        let began_at = self.running_since.take().unwrap_or(now);
        *self.ended.entry(outcome).or_default() += 1;
        let took = Duration::try_from(now.duration_since(began_at)).unwrap_or_default();
        self.spent = self.spent.saturating_add(took);
        self.last = Some(LastSync { outcome, began_at, ended_at: now, requests });
    }
}

/// Returns the word for how a sync ended.
pub(super) fn outcome(result: &Result<Summary, Error>) -> &'static str {
    match result {
        Ok(summary) if summary.complete => Outcome::Complete.as_str(),
        Ok(_) => Outcome::Incomplete.as_str(),
        Err(Error::Stopped) => STOPPED,
        Err(_) => Outcome::Failed.as_str(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn a_sync_is_running_until_it_ends_and_is_then_the_last() {
        let mut activity = Activity::default();
        activity.begin(at(100));
        assert_eq!(activity.running_since, Some(at(100)));
        activity.end("complete", 12, at(130));
        activity.begin(at(200));
        activity.end("failed", 1, at(201));
        assert_eq!(activity.running_since, None);
        assert_eq!(activity.ended, BTreeMap::from([("complete", 1), ("failed", 1)]));
        assert_eq!(activity.spent, Duration::from_secs(31));
        let last = activity.last.expect("two have ended");
        assert_eq!((last.outcome, last.began_at, last.requests), ("failed", at(200), 1));
    }

    #[test]
    fn a_clock_that_was_set_back_makes_no_negative_time() {
        let mut activity = Activity::default();
        activity.begin(at(100));
        activity.end("complete", 1, at(40));
        assert_eq!(activity.spent, Duration::ZERO);
    }
}
