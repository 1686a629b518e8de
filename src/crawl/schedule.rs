//! When passes run: by the clock, one at a time.
//!
//! Each of the four has its own times. What falls due while another pass runs is made up for once
//! that ends, however often it fell due; so is what fell due while no daemon ran. Where several are
//! due, the greater one does the work of the smaller. A sync that failed is tried again with the
//! next tick of any; a greater pass, or one of which a part failed by chance, an hour later. The
//! `cron` crate speaks chrono, which does not leave this file.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{Crawler, Error, Pass};
use crate::clock::Clock;
use crate::config::{self, Cron};
use crate::telemetry::chain;

/// When a pass that lists everything is begun again, if it did not end well, at the earliest.
const AFTER_A_WHILE: SignedDuration = SignedDuration::from_hours(1);

/// The longest sleep between two looks at the clock, so that a machine that slept or a clock that
/// was set is noticed.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Runs the passes over all sources.
#[derive(Debug)]
pub struct Schedule {
    crawlers: Vec<Crawler>,
    times: config::Schedule,
    clock: Arc<dyn Clock>,
}

/// When passes last began, by name.
type Begun = BTreeMap<String, Timestamp>;

/// Told to stop.
struct Stopped;

impl Schedule {
    /// Makes a schedule.
    pub fn new(crawlers: Vec<Crawler>, times: config::Schedule, clock: Arc<dyn Clock>) -> Self {
        Self { crawlers, times, clock }
    }

    /// Syncs at once, makes up for what was missed, and goes on by the clock, until told to stop. A
    /// pass that has begun a page ends it.
    pub async fn run(self, stop: CancellationToken) {
        let start = self.clock.now();
        let mut begun: Vec<Begun> = vec![Begun::new(); self.crawlers.len()];
        let mut is_start = true;
        loop {
            for (crawler, begun) in self.crawlers.iter().zip(&mut begun) {
                let mut done = self.passes_done(crawler, start).await;
                if is_start {
                    done.remove(Pass::Sync.as_str());
                }
                for (pass, at) in begun.iter().filter(|(pass, _)| *pass != Pass::Sync.as_str()) {
                    if self.clock.now().duration_since(*at) < AFTER_A_WHILE {
                        let known = done.entry(pass.clone()).or_insert(*at);
                        *known = (*known).max(*at);
                    }
                }
                // By what ended well: what failed is tried again now, unless it takes long.
                let mut due = due(&self.times, &done, self.clock.now());
                while !due.is_empty() {
                    if self.run_all(crawler, &due, begun, &stop).await.is_err() {
                        return;
                    }
                    // By what was begun: what fell due meanwhile, and nothing twice.
                    let mut since = self.passes_done(crawler, start).await;
                    for (pass, at) in begun.iter() {
                        let known = since.entry(pass.clone()).or_insert(*at);
                        *known = (*known).max(*at);
                    }
                    due = self::due(&self.times, &since, self.clock.now());
                }
            }
            is_start = false;
            let Some(next) = self.next_tick(self.clock.now()) else {
                tracing::warn!("the schedule never comes again");
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

    /// Returns when passes over a source last ended well, by their beginnings. One that never did
    /// counts from the start; a sync is due at once.
    async fn passes_done(&self, crawler: &Crawler, start: Timestamp) -> Begun {
        let mut done = crawler.passes_done().await.unwrap_or_else(|error| {
            tracing::error!(source = crawler.name(), "{}", chain(&error));
            Begun::new()
        });
        for pass in [Pass::Files, Pass::Reconcile, Pass::Sweep] {
            done.entry(pass.as_str().to_owned()).or_insert(start);
        }
        done
    }

    fn next_tick(&self, now: Timestamp) -> Option<Timestamp> {
        PASSES.into_iter().filter_map(|pass| next_after(cron_of(&self.times, pass), now)).min()
    }

    async fn run_all(
        &self,
        crawler: &Crawler,
        passes: &[Pass],
        begun: &mut Begun,
        stop: &CancellationToken,
    ) -> Result<(), Stopped> {
        for pass in passes {
            let now = self.clock.now();
            begun.extend(pass.replaces().iter().map(|word| ((*word).to_owned(), now)));
            match crawler.sync(*pass, stop).await {
                Ok(_) => {}
                Err(Error::Stopped) => return Err(Stopped),
                Err(error) => {
                    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
                    tracing::error!(
                        source = crawler.name(),
                        "{} of {} failed: {}{hint}",
                        pass.as_str(),
                        crawler.name(),
                        chain(&error)
                    );
                    continue;
                }
            }
            // After the sync, which found projects to learn from.
            if stop.run_until_cancelled(crawler.probe_daily()).await.is_none() {
                return Err(Stopped);
            }
        }
        Ok(())
    }
}

/// The passes that are scheduled.
const PASSES: [Pass; 4] = [Pass::Sweep, Pass::Reconcile, Pass::Files, Pass::Sync];

/// Returns the times of a pass.
fn cron_of(times: &config::Schedule, pass: Pass) -> &Cron {
    match pass {
        Pass::Sync => &times.sync,
        Pass::Files => &times.files,
        Pass::Reconcile => &times.reconcile,
        // Nothing that is scheduled reads everything anew; it does the work of a sweep.
        Pass::Full | Pass::Sweep => &times.sweep,
    }
}

/// Returns the passes to run now, in their order, given when each last began: the greatest that is
/// due, without those whose work it does.
fn due(times: &config::Schedule, last: &Begun, now: Timestamp) -> Vec<Pass> {
    let is_due = |pass: &Pass| match last.get(pass.as_str()) {
        None => true,
        Some(last) => next_after(cron_of(times, *pass), *last).is_some_and(|next| next <= now),
    };
    let mut passes: Vec<Pass> = Vec::new();
    for pass in PASSES.into_iter().filter(is_due) {
        if passes.iter().all(|greater| !greater.replaces().contains(&pass.as_str())) {
            passes.push(pass);
        }
    }
    passes
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

    fn at(text: &str) -> Timestamp {
        text.parse().expect("an instant")
    }

    fn all_at(time: &str) -> Begun {
        PASSES.into_iter().map(|pass| (pass.as_str().to_owned(), at(time))).collect()
    }

    fn due_at(last: &Begun, now: &str) -> Vec<Pass> {
        due(&config::Schedule::default(), last, at(now))
    }

    #[test]
    fn the_greatest_pass_that_is_due_does_the_work_of_the_others() {
        // A Saturday; the sweep comes on Sundays.
        let last = all_at("2026-11-21T03:00:00Z");
        assert_eq!(due_at(&last, "2026-11-21T03:01:00Z"), []);
        assert_eq!(due_at(&last, "2026-11-21T03:02:00Z"), [Pass::Sync]);
        assert_eq!(due_at(&last, "2026-11-21T03:15:00Z"), [Pass::Files, Pass::Sync]);
        assert_eq!(due_at(&last, "2026-11-21T03:30:00Z"), [Pass::Reconcile]);
        assert_eq!(due_at(&last, "2026-11-22T04:30:00Z"), [Pass::Sweep]);
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        let mut last = all_at("2026-11-16T10:00:00Z");
        assert_eq!(due_at(&last, "2026-11-30T12:00:00Z"), [Pass::Sweep]);
        for pass in Pass::Sweep.replaces() {
            last.insert((*pass).to_owned(), at("2026-11-30T12:00:00Z"));
        }
        assert_eq!(due_at(&last, "2026-11-30T12:00:01Z"), []);
    }

    #[test]
    fn what_never_ran_is_due() {
        let mut last = all_at("2026-11-21T03:00:00Z");
        last.remove("sync");
        assert_eq!(due_at(&last, "2026-11-21T03:00:01Z"), [Pass::Sync]);
    }

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
