//! The pace at which a host is asked.
//!
//! One [`Pacer`] stands before one host, and every request passes it, retries and redirects too.
//! It is made so that a throttle answer is rare, never repeated at once, and costs nothing but
//! time. It never sends anything and never gives up: who waits can be cancelled at any point.
//!
//! # Design
//!
//! A request is admitted when all of these hold:
//!
//! 1. **No pause.** A 429 of the request throttle pauses the host until `Retry-After`, else until
//!    the end of the window, else for [`Pace::unstated_pause`]. A 429 of GitLab's application
//!    limiter (JSON, without `RateLimit-*`) pauses its route alone; when that pause ends, one
//!    request goes ahead and the others wait for its answer.
//! 2. **Room in every window that is known to count it.** The server states windows in its
//!    headers (`hints.rs`); we stop at [`Pace::share_permille`] of the real limit, counting others' use
//!    too, and go on after the window's end (`window.rs`). Different throttles (files, hourly and
//!    per-minute limits at once) are windows of their own. Requests that are out count as used,
//!    so a window cannot be overrun by those that start together.
//! 3. **Room in our own bucket**, where no window is known: governor at
//!    [`Pace::requests_per_minute`]. Many self-managed instances never send a header.
//! 4. **A free slot**, of [`Pace::concurrency`].
//!
//! Windows end at the same instant for all clients, so each waiter adds a little jitter. Waiting
//! uses the runtime's timer; the wall clock is asked only where the server names a moment
//! without saying what time it is there.

mod admission;
mod hints;
mod learnt;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

pub(super) use admission::Admission;
pub(super) use hints::Hints;
pub use learnt::LearntLimit;
use window::{Family, Window};

use crate::clock::Clock;

/// How much of a minute's requests may go out at once where the server states no limit. The rest
/// is spread, so that an old or small instance is not hit by a minute's worth in one second.
const BURST_DIVISOR: u32 = 10;

/// The longest jitter after the end of a window or pause.
const JITTER: Duration = Duration::from_secs(1);

/// The shortest pause after a 429, whatever the server says: `Retry-After: 0` happens.
const SHORTEST_PAUSE: Duration = Duration::from_secs(1);

/// How many windows are kept. A server has two or three; more would be one that invents names,
/// and then all are forgotten and learnt anew.
const MOST_WINDOWS: usize = 16;

/// How a host is to be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Requests per minute where the server states no limit.
    pub(super) requests_per_minute: NonZeroU32,
    /// The share of a stated limit that may be used by anyone before we stop, in thousandths.
    pub(super) share_permille: u64,
    /// How many requests may be out at once.
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
    slots: Semaphore,
    state: Mutex<State>,
    /// Wakes those who wait, since an answer may have made room.
    changed: Notify,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct State {
    /// By name and normalised limit: one throttle may have an hourly and a per-minute limit.
    windows: BTreeMap<(String, u64), Window>,
    /// Until when the host rests.
    pause: Option<Instant>,
    /// Until when single routes rest.
    routes: BTreeMap<String, Instant>,
    /// Requests that are out.
    unanswered: BTreeMap<Family, u64>,
}

/// What is left of the budget, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The windows that the server has stated; none if it states none.
    pub windows: Vec<WindowBudget>,
    /// Until when the host rests after a throttle answer.
    pub paused_until: Option<Timestamp>,
    /// Routes that rest after a throttle answer.
    pub paused_routes: Vec<String>,
    /// Requests that are out.
    pub in_flight: u64,
}

/// One rate-limit window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowBudget {
    /// GitLab's name of the throttle.
    pub name: String,
    /// Requests that the server permits in the window.
    pub limit: u64,
    /// Requests after which we stop.
    pub allowed: u64,
    /// Requests used, by anyone.
    pub used: u64,
    /// When the window ends, on our clock.
    pub resets_at: Timestamp,
}

/// What stands in a request's way.
struct Obstacle {
    until: Instant,
    /// Whether all clients wait for the same moment.
    shared: bool,
}

impl Pacer {
    pub(super) fn new(pace: Pace, clock: Arc<dyn Clock>) -> Self {
        let burst = (pace.requests_per_minute.get() / BURST_DIVISOR).max(1);
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(pace.requests_per_minute).allow_burst(burst);
        Self {
            pace,
            bucket: RateLimiter::direct_with_clock(quota, RuntimeClock { start: Instant::now() }),
            slots: Semaphore::new(pace.concurrency),
            state: Mutex::default(),
            changed: Notify::new(),
            clock,
        }
    }

    /// Waits until a request to the route may go out.
    pub(super) async fn admit(&self, route: &str) -> Admission<'_> {
        let began = Instant::now();
        let family = Family::of(route);
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // From here on no wake-up is missed, also not between the look and the wait.
            changed.as_mut().enable();
            let obstacle = if let Some(obstacle) = self.look(route, family) {
                obstacle
            } else {
                let slot = self.slots.acquire().await.expect("the semaphore is never closed");
                match self.enter(route, family) {
                    Ok(is_probe) => {
                        let waited = began.elapsed();
                        return Admission::new(self, route, family, waited, is_probe, slot);
                    }
                    Err(obstacle) => obstacle,
                }
            };
            let jitter = if obstacle.shared {
                rand::random_range(Duration::ZERO..JITTER)
            } else {
                Duration::ZERO
            };
            tokio::select! {
                () = tokio::time::sleep_until(obstacle.until + jitter) => {}
                () = changed => {}
            }
        }
    }

    /// Returns what is left of the budget.
    pub(super) fn budget(&self) -> Budget {
        let mut state = self.state();
        let now = Instant::now();
        state.roll(now);
        let wall = self.clock.now();
        let moment = |instant: Instant| {
            wall.saturating_add(instant.duration_since(now)).unwrap_or(Timestamp::MAX)
        };
        Budget {
            windows: state
                .windows
                .iter()
                .map(|((name, _), window)| WindowBudget {
                    name: name.clone(),
                    limit: window.limit,
                    allowed: self.allowed(window),
                    used: window.used(),
                    resets_at: moment(window.ends),
                })
                .collect(),
            paused_until: state.pause.filter(|until| *until > now).map(moment),
            paused_routes: state.routes.keys().cloned().collect(),
            in_flight: state.unanswered.values().sum(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is plain figures: a panic elsewhere leaves nothing half-done in it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn allowed(&self, window: &Window) -> u64 {
        (window.limit.saturating_mul(self.pace.share_permille) / 1_000).max(1)
    }

    /// Finds what stands in the way, without a change.
    fn look(&self, route: &str, family: Family) -> Option<Obstacle> {
        let mut state = self.state();
        let now = Instant::now();
        state.roll(now);
        self.obstacle(&state, route, family, now)
    }

    fn obstacle(
        &self,
        state: &State,
        route: &str,
        family: Family,
        now: Instant,
    ) -> Option<Obstacle> {
        let pauses = [state.pause, state.routes.get(route).copied()];
        let windows = state
            .windows_of(family)
            .filter(|window| window.used() >= self.allowed(window))
            .map(|window| window.ends);
        let until =
            pauses.into_iter().flatten().chain(windows).filter(|until| *until > now).max()?;
        Some(Obstacle { until, shared: true })
    }

    /// Counts a request that goes out now, unless something stands in its way. Returns whether it
    /// is the one that tries a route after its pause.
    fn enter(&self, route: &str, family: Family) -> Result<bool, Obstacle> {
        let mut state = self.state();
        let now = Instant::now();
        state.roll(now);
        if let Some(obstacle) = self.obstacle(&state, route, family, now) {
            return Err(obstacle);
        }
        if state.windows_of(family).next().is_none()
            && let Err(refusal) = self.bucket.check()
        {
            let wait = refusal.wait_time_from(governor::clock::Clock::now(self.bucket.clock()));
            return Err(Obstacle { until: now + wait, shared: false });
        }
        let is_probe = match state.routes.get_mut(route) {
            Some(until) => {
                // The first after a pause; the others wait for its answer.
                *until = now + self.pace.unstated_pause;
                true
            }
            None => false,
        };
        *state.unanswered.entry(family).or_default() += 1;
        for window in state.windows.values_mut().filter(|window| window.families.contains(&family))
        {
            window.pending += 1;
        }
        Ok(is_probe)
    }
}

impl State {
    fn roll(&mut self, now: Instant) {
        let unanswered = count(&self.unanswered);
        self.windows.retain(|_, window| !window.is_stale(now));
        for window in self.windows.values_mut() {
            window.roll(&unanswered, now);
        }
    }

    /// The windows that count a family: those it was seen in or, before it was seen in any, all.
    fn windows_of(&self, family: Family) -> impl Iterator<Item = &Window> {
        let is_known = self.windows.values().any(|window| window.families.contains(&family));
        self.windows.values().filter(move |window| !is_known || window.families.contains(&family))
    }

    fn settle(&mut self, family: Family) {
        if let Some(out) = self.unanswered.get_mut(&family) {
            *out = out.saturating_sub(1);
        }
    }
}

/// Counts what is out in any of the families.
fn count(unanswered: &BTreeMap<Family, u64>) -> impl Fn(&BTreeSet<Family>) -> u64 + use<'_> {
    |families| families.iter().filter_map(|family| unanswered.get(family)).sum()
}

#[cfg(test)]
mod tests;
