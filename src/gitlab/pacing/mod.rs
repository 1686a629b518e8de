//! The pace at which a host is asked.
//!
//! One [`Pacer`] stands before one host and credential owner, and every request passes it, retries
//! and redirects too. It is made so that a throttle answer is rare, never repeated at once, and
//! costs nothing but time. It never sends anything and never gives up: who waits can be cancelled
//! at any point.
//!
//! # Design
//!
//! A request is admitted when all of these hold:
//!
//! 1. **No rest.** A 429 of the request throttle rests the host until `Retry-After`, else until
//!    the end of the window, else for [`Pace::unstated_pause`]. A 429 of GitLab's application
//!    limiter (JSON, without `RateLimit-*`) rests its route alone, for `Retry-After` or the
//!    limiter's interval. When a rest ends, one request goes ahead and the others wait for its
//!    answer, so that there is at most one try in each interval (`tally.rs`).
//! 2. **Room in every window that counts it** (`window.rs`). The server states windows in its
//!    headers (`hints.rs`), but only the one with the least remaining, so a window that was seen
//!    once is kept to from then on, until the figures of another prove that it is gone. Files have
//!    windows of their own where the server says so; GraphQL counts as all else.
//! 3. **Room in what was learnt** where the server says nothing: from refusals without headers
//!    the number that passes in an interval, for a route or for the host (`tally.rs`).
//! 4. **Room in our own bucket**, where no window is known: governor at
//!    [`Pace::requests_per_minute`]. Many self-managed instances never send a header.
//! 5. **A free slot.** Their number adapts to latency and failures, between one and
//!    [`Pace::concurrency`] (`concurrency.rs`).
//!
//! **Spread.** Within a window requests go out at the rate that uses up what is left by its end,
//! worked out anew for each request: slack is made up for, at up to four times the mean rate. A
//! tenth of our part may go out at once after an idle time, so that a short sync does not wait;
//! the burst does not come back with a new window, only with idleness, so that no window begins
//! with a stampede. A window's end comes with jitter on top, since it is the same for all clients.
//!
//! **Share.** Our own requests stay within [`Pace::share_permille`] of a limit; the rest is free
//! for others. What others use is what the server observed and we did not send. When they use more
//! than their part, we yield: all together stay 1 % below the limit, with room for as much as
//! they used in the windows before. In windows of up to ten minutes that room is kept until the
//! end, in longer ones it is given up as time goes by. However much they use, a trickle of 2 % is
//! tried, while the server says that anything is left.
//!
//! **Waiting.** Each route has a turnstile, and so have files and all else behind it. Only the
//! first of a line looks and waits for time or change; the others wait for their turn, first come
//! first served. So thousands may wait, an answer wakes a handful, and routes take turns: one that
//! rests holds nobody up. Waiting uses the runtime's timer; the wall clock is asked only where the
//! server names a moment without saying what time it is there, and to keep what was learnt over a
//! restart ([`LearntLimit`]).

mod admission;
mod budget;
mod concurrency;
mod hints;
mod learnt;
mod sent;
mod server_clock;
mod spread;
mod state;
mod tally;
mod window;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use tokio::sync::Notify;
use tokio::time::Instant;

pub(super) use admission::Admission;
pub use budget::{Budget, WindowBudget};
pub(super) use concurrency::Ending;
pub(super) use hints::Hints;
pub use learnt::LearntLimit;
use state::State;
use tally::Obstacle;
use window::Family;

use crate::clock::Clock;

/// A wait that is told in the log.
const LONG_WAIT: Duration = Duration::from_secs(90);

/// How much of a minute's requests may go out at once where the server states no limit. The rest
/// is spread, so that an old or small instance is not hit by a minute's worth in one second.
const BURST_DIVISOR: u32 = 10;

/// How many lines of waiters are kept for routes that nobody waits for any more.
const MOST_LANES: usize = 256;

/// How a host is to be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Requests per minute where the server states no limit.
    pub(super) requests_per_minute: NonZeroU32,
    /// The share of a limit that we may use, in thousandths.
    pub(super) share_permille: u64,
    /// How many requests may be out at once, at most.
    pub(super) concurrency: usize,
    /// How long a throttled route or host rests when the server does not say.
    pub(super) unstated_pause: Duration,
}

/// Time as governor wants it, taken from the runtime so that tests can stop it.
#[derive(Debug, Clone)]
struct RuntimeClock {
    start: Instant,
}

impl governor::clock::Clock for RuntimeClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<Duration>>;

/// Stands before one host and lets requests pass in time.
#[derive(Debug)]
pub(super) struct Pacer {
    pace: Pace,
    bucket: Bucket,
    state: Mutex<State>,
    lanes: Mutex<BTreeMap<String, Arc<Lane>>>,
    files: Lane,
    general: Lane,
    clock: Arc<dyn Clock>,
}

/// A line of those who wait for the same.
#[derive(Debug, Default)]
struct Lane {
    /// Held by the first of the line while it waits. The lock of the runtime is fair, and who is
    /// cancelled leaves the line.
    turn: tokio::sync::Mutex<()>,
    /// Wakes the first, since an answer may have made room.
    changed: Notify,
}

/// What stands in the way of a request that is the first of its line.
enum Blocked {
    /// Something about its route: others may pass it.
    Route,
    /// Something about the host.
    Host(Obstacle),
}

impl Pacer {
    pub(super) fn new(pace: Pace, clock: Arc<dyn Clock>) -> Self {
        let burst = (pace.requests_per_minute.get() / BURST_DIVISOR).max(1);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(pace.requests_per_minute).allow_burst(burst);
        let start = Instant::now();
        Self {
            pace,
            bucket: RateLimiter::direct_with_clock(quota, RuntimeClock { start }),
            state: Mutex::new(State::new(&pace, start)),
            lanes: Mutex::default(),
            files: Lane::default(),
            general: Lane::default(),
            clock,
        }
    }

    /// Waits until a request to the route may go out.
    pub(super) async fn admit(&self, route: &str) -> Admission<'_> {
        let began = Instant::now();
        let family = Family::of(route);
        let lane = self.lane(route);
        let gate = self.gate(family);
        let _turn = lane.turn.lock().await;
        loop {
            lane.wait(route, || self.state().route_obstacle(&self.pace, route, Instant::now()))
                .await;
            let _gate = gate.turn.lock().await;
            loop {
                let changed = gate.changed.notified();
                tokio::pin!(changed);
                // From here on no wake-up is missed, also not between the look and the wait.
                changed.as_mut().enable();
                match self.enter(route, family) {
                    Ok(probes) => {
                        let waited = began.elapsed();
                        let lane = Arc::clone(&lane);
                        return Admission::new(self, lane, route, family, waited, probes);
                    }
                    Err(Blocked::Route) => break,
                    Err(Blocked::Host(obstacle)) => obstacle.pass("the host", changed).await,
                }
            }
        }
    }

    /// Returns what is left of the budget.
    pub(super) fn budget(&self) -> Budget {
        self.state().budget(&self.pace, self.clock.now(), Instant::now())
    }

    /// Returns what was learnt of limits, to be kept over a restart.
    pub(super) fn learnt(&self) -> Vec<LearntLimit> {
        self.state().learnt(&self.pace, self.clock.now())
    }

    /// Takes in what was learnt before a restart.
    pub(super) fn recall(&self, limits: Vec<LearntLimit>) {
        self.state().recall(&self.pace, limits, self.clock.now(), Instant::now());
        self.wake(None);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is plain figures: a panic elsewhere leaves nothing half-done in it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lane(&self, route: &str) -> Arc<Lane> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.len() >= MOST_LANES && !lanes.contains_key(route) {
            lanes.retain(|_, lane| Arc::strong_count(lane) > 1);
        }
        Arc::clone(lanes.entry(route.to_owned()).or_default())
    }

    fn gate(&self, family: Family) -> &Lane {
        match family {
            Family::Files => &self.files,
            Family::General => &self.general,
        }
    }

    /// Wakes the first of each line that may go on, since an answer may have made room.
    fn wake(&self, lane: Option<&Lane>) {
        for lane in [Some(&self.files), Some(&self.general), lane].into_iter().flatten() {
            lane.changed.notify_waiters();
        }
    }

    /// Counts a request that goes out now, unless something stands in its way.
    fn enter(&self, route: &str, family: Family) -> Result<state::Probes, Blocked> {
        let mut state = self.state();
        let now = Instant::now();
        if state.route_obstacle(&self.pace, route, now).is_some() {
            return Err(Blocked::Route);
        }
        if let Some(obstacle) = state.host_obstacle(&self.pace, family, now) {
            return Err(Blocked::Host(obstacle));
        }
        if !state.knows_window()
            && let Err(refusal) = self.bucket.check()
        {
            let wait = refusal.wait_time_from(governor::clock::Clock::now(self.bucket.clock()));
            return Err(Blocked::Host(Obstacle::Until(now + wait)));
        }
        Ok(state.enter(&self.pace, route, family, now))
    }
}

impl Lane {
    /// Waits until nothing is in the way.
    async fn wait(&self, route: &str, mut look: impl FnMut() -> Option<Obstacle>) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match look() {
                Some(obstacle) => obstacle.pass(route, changed).await,
                None => return,
            }
        }
    }
}

impl Obstacle {
    /// Waits until it may be worth another look. A long wait is told: nobody should wonder.
    async fn pass(self, whose: &str, changed: impl Future<Output = ()>) {
        match self {
            Self::Until(until) => {
                let wait = until.saturating_duration_since(Instant::now());
                if wait >= LONG_WAIT {
                    tracing::info!(
                        wait_s = wait.as_secs(),
                        "the limit of {whose} is used up: requests to it wait for {} s",
                        wait.as_secs()
                    );
                }
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = changed => {}
                }
            }
            Self::Answer => changed.await,
        }
    }
}

#[cfg(test)]
mod tests;
