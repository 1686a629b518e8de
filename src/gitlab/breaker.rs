//! The breaker of a host: when everything fails, nothing more is sent for a while.
//!
//! A GitLab that is being deployed answers every request with an error page for up to a minute. To
//! try each request a few times would cost many requests and lose them all. So after several
//! failures in a row that are the host's own, the breaker opens: all requests wait and spend no
//! tries, one is sent ahead to see, after delays that grow, and when GitLab answers all go on. An
//! outage that outlasts the patience ends as [`Error::Unreachable`]; after that one request at a
//! time may still look, so that the next sync finds out by itself when the host is back.
//!
//! It also counts answers in a row that something else gave in GitLab's place: a block of our
//! address looks like that. It never decides what a failure means: that is `trouble.rs`'s. It
//! knows no request and sends nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Error;
use super::trouble::Whose;
use crate::clock::Clock;

/// Failures in a row that open the breaker: two can be chance while several requests are out.
const FAILURES: u32 = 3;

/// Answers in a row from something else than GitLab that mean that it is in the way of all.
const STRANGE_ANSWERS: u32 = 4;

/// How much longer than the first the delays before a look may become.
const LONGEST_REST: u32 = 30;

/// How long a breaker rests and waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Endurance {
    /// The delay before the first look; later ones double it, up to [`LONGEST_REST`] times.
    pub(super) rest: Duration,
    /// How long an outage is waited for.
    pub(super) patience: Duration,
    /// The same for a host that cannot be reached and never answered: most likely a wrong address.
    pub(super) first_patience: Duration,
}

/// The breaker of one host.
#[derive(Debug)]
pub(super) struct Breaker {
    endurance: Endurance,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The host has answered at some time.
    known: bool,
    /// Failures in a row.
    failures: u32,
    /// When the first of them was sent.
    since: Option<(Instant, Timestamp)>,
    /// Answers in a row that were not GitLab's.
    strange: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    /// One request is out to see.
    probing: bool,
    /// When the next may go.
    next: Instant,
    /// How many looks failed.
    looks: u32,
    patience: Duration,
    last: Arc<Error>,
}

/// What a failure leads to.
#[derive(Debug)]
pub(super) enum Noted {
    /// It is this request's: its tries decide.
    Single(Error),
    /// It is part of an outage: the request waits, and no try is spent.
    Outage,
    /// It stands in the way of everything.
    Barred(Error),
}

impl Breaker {
    pub(super) fn new(endurance: Endurance, clock: Arc<dyn Clock>) -> Self {
        Self { endurance, clock, state: Mutex::default(), changed: Notify::new() }
    }

    /// Begins the way of one request past the breaker.
    pub(super) fn passage(&self) -> Passage<'_> {
        Passage { breaker: self, began: (Instant::now(), self.clock.now()), is_probe: false }
    }

    /// Returns since when the host has not answered, while all wait for it.
    pub(super) fn open_since(&self) -> Option<Timestamp> {
        let state = self.state();
        state.open.as_ref().and(state.since).map(|(_, since)| since)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Half is sure and half is chance, so that several processes do not look at once.
    fn rest(&self, looks: u32) -> Duration {
        let doubled = self.endurance.rest.saturating_mul(1 << looks.min(16));
        let rest = doubled.min(self.endurance.rest.saturating_mul(LONGEST_REST));
        rest / 2 + rest.mul_f64(rand::random_range(0.0..0.5))
    }

    fn patience(&self, state: &State, error: &Error) -> Duration {
        let lost = matches!(error, Error::Transport { source, .. } if !source.is_timeout());
        if lost && !state.known { self.endurance.first_patience } else { self.endurance.patience }
    }
}

/// The way of one request past the breaker. Dropped without a result, as when it is cancelled, it
/// lets another one look.
#[derive(Debug)]
pub(super) struct Passage<'a> {
    breaker: &'a Breaker,
    began: (Instant, Timestamp),
    is_probe: bool,
}

impl Passage<'_> {
    /// Waits until the request may be sent.
    ///
    /// # Errors
    ///
    /// When the host has not answered for so long that there is no point in waiting.
    pub(super) async fn wait(&mut self) -> Result<(), Error> {
        loop {
            let changed = self.breaker.changed.notified();
            tokio::pin!(changed);
            // From here on no change is missed, also not between the look and the wait.
            changed.as_mut().enable();
            let Some(until) = self.look()? else {
                self.began = (Instant::now(), self.breaker.clock.now());
                return Ok(());
            };
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = changed => {}
            }
        }
    }

    /// Returns until when to wait at most, `None` when the request may go.
    fn look(&mut self) -> Result<Option<Instant>, Error> {
        let mut state = self.breaker.state();
        let (now, since) = (Instant::now(), state.since.unwrap_or(self.began));
        let Some(open) = &mut state.open else { return Ok(None) };
        if self.is_probe {
            return Ok(None);
        }
        let over = since.0 + open.patience;
        if open.probing {
            // Its result wakes all; a probe that hangs has a time limit of its own.
            return Ok(Some(now + self.breaker.endurance.patience));
        }
        if now >= open.next {
            open.probing = true;
            self.is_probe = true;
            return Ok(None);
        }
        if now >= over {
            return Err(Error::Unreachable { since: since.1, source: Arc::clone(&open.last) });
        }
        Ok(Some(open.next.min(over)))
    }

    /// True when nothing has opened the breaker meanwhile, or this is the one that looks.
    pub(super) fn is_free(&self) -> bool {
        self.is_probe || self.breaker.state().open.is_none()
    }

    /// True when the breaker is open and this request is sent ahead to see.
    pub(super) fn is_probe(&self) -> bool {
        self.is_probe
    }

    /// Takes note that GitLab answered.
    pub(super) fn answered(mut self) {
        self.lives(Whose::GitLab);
    }

    /// Takes note of a failure, and says what it leads to.
    pub(super) fn failed(mut self, error: Error) -> Noted {
        match error.trouble().whose {
            Whose::Host => self.outage(error),
            whose @ (Whose::GitLab | Whose::Nobody) => {
                self.lives(whose);
                Noted::Single(error)
            }
            Whose::Front => {
                let answers = self.lives(Whose::Front);
                if answers < STRANGE_ANSWERS {
                    return Noted::Single(error);
                }
                Noted::Barred(Error::Barred { answers, source: Box::new(error) })
            }
        }
    }

    /// Closes the breaker, since something answered, and returns how many strange answers came in
    /// a row.
    fn lives(&mut self, whose: Whose) -> u32 {
        let mut state = self.breaker.state();
        state.failures = 0;
        state.since = None;
        let was_open = state.open.take();
        match whose {
            Whose::GitLab => {
                state.strange = 0;
                state.known = true;
            }
            Whose::Front => state.strange = state.strange.saturating_add(1),
            Whose::Nobody | Whose::Host => {}
        }
        self.is_probe = false;
        let strange = state.strange;
        drop(state);
        if was_open.is_some() {
            tracing::info!("GitLab answers again: going on");
            self.breaker.changed.notify_waiters();
        }
        strange
    }

    fn outage(&mut self, error: Error) -> Noted {
        let mut state = self.breaker.state();
        let now = Instant::now();
        state.failures = state.failures.saturating_add(1);
        let since = *state.since.get_or_insert(self.began);
        let patience = self.breaker.patience(&state, &error);
        let failures = state.failures;
        if let Some(open) = &mut state.open {
            if self.is_probe {
                open.probing = false;
                open.looks = open.looks.saturating_add(1);
                open.next = now + self.breaker.rest(open.looks);
            }
            open.patience = patience;
            open.last = Arc::new(error);
        } else {
            let long = failures > 1 && now.duration_since(since.0) >= patience;
            if failures < FAILURES && !long {
                return Noted::Single(error);
            }
            tracing::warn!(
                "GitLab does not answer ({failures} failures in a row, the last: {error}): waiting"
            );
            let next = now + self.breaker.rest(0);
            let last = Arc::new(error);
            state.open = Some(Open { probing: false, next, looks: 0, patience, last });
        }
        self.is_probe = false;
        drop(state);
        self.breaker.changed.notify_waiters();
        Noted::Outage
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        if !self.is_probe {
            return;
        }
        if let Some(open) = &mut self.breaker.state().open {
            open.probing = false;
            open.next = Instant::now();
        }
        self.breaker.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
