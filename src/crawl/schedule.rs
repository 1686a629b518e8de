//! When syncs run: by the clock, one at a time.
//!
//! A tick that falls into a running sync is made up by the next one, never queued. The `cron`
//! crate speaks chrono, which does not leave this file.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::{Crawler, Error, Pass};
use crate::clock::Clock;
use crate::config::Cron;
use crate::telemetry::chain;

/// The longest sleep between two looks at the clock, so that a machine that slept or a clock that
/// was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Runs the syncs of all sources.
#[derive(Debug)]
pub struct Schedule {
    crawlers: Vec<Crawler>,
    sync: Cron,
    clock: Arc<dyn Clock>,
}

impl Schedule {
    /// Makes a schedule.
    pub fn new(crawlers: Vec<Crawler>, sync: Cron, clock: Arc<dyn Clock>) -> Self {
        Self { crawlers, sync, clock }
    }

    /// Syncs at once, then by the clock, until told to stop. A sync that has begun a page ends it.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            self.sync_all(&stop).await;
            let Some(next) = next_after(&self.sync, self.clock.now()) else {
                tracing::warn!("the schedule `{}` never comes again", self.sync);
                return stop.cancelled().await;
            };
            while let Some(wait) = until(next, self.clock.now()) {
                let sleep = tokio::time::sleep(wait.min(LONGEST_SLEEP));
                if stop.run_until_cancelled(sleep).await.is_none() {
                    return;
                }
            }
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn sync_all(&self, stop: &CancellationToken) {
        for crawler in &self.crawlers {
            match crawler.sync(Pass::Sync, stop).await {
                Ok(_) => {}
                Err(Error::Stopped) => return,
                Err(error) => {
                    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                    tracing::error!(
                        source = crawler.name(),
                        "sync of {} failed: {}{hint}",
                        crawler.name(),
                        chain(&error)
                    );
                    continue;
                }
            }
            // After the sync, which found projects to learn from.
            if stop.run_until_cancelled(crawler.probe_daily()).await.is_none() {
                return;
            }
        }
    }
}

/// Returns how long to wait for an instant; `None` when it has come.
fn until(next: Timestamp, now: Timestamp) -> Option<Duration> {
    let wait = next.duration_since(now);
    if wait.is_positive() { wait.try_into().ok() } else { None }
}

/// Returns the first tick after an instant.
fn next_after(cron: &Cron, now: Timestamp) -> Option<Timestamp> {
    let now = DateTime::<Utc>::from_timestamp_millis(now.as_millisecond())?;
    let next = cron.schedule().after(&now).next()?;
    Timestamp::from_millisecond(next.timestamp_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_tick_lies_after_now() {
        let cron = Cron::parse("0 */2 * * * *").expect("a valid schedule");
        let now: Timestamp = "2026-11-22T10:01:30Z".parse().expect("an instant");
        let next = next_after(&cron, now).expect("it comes again");
        assert_eq!(next.to_string(), "2026-11-22T10:02:00Z");
        let again = next_after(&cron, next).expect("it comes again");
        assert_eq!(again.to_string(), "2026-11-22T10:04:00Z");
        assert_eq!(until(next, now), Some(Duration::from_secs(30)));
        assert_eq!(until(now, next), None);
    }
}
