//! The right to have one request out, and what its answer changes.
//!
//! An admission is counted from the moment it is given. It ends with the headers of the answer or,
//! when the request fails or is cancelled, with the admission itself, so that nothing stays
//! counted as out.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::concurrency::Ending;
use super::hints::Hints;
use super::state::Probes;
use super::window::Family;
use super::{Lane, Pacer};

/// The right to have one request out. Dropping it gives the slot back.
#[derive(Debug)]
pub(in crate::gitlab) struct Admission<'a> {
    pacer: &'a Pacer,
    lane: Arc<Lane>,
    route: String,
    family: Family,
    waited: Duration,
    sent_at: Instant,
    answered_at: Option<Instant>,
    /// Whether it is the first after a rest. Only its answer can end the rest: others may have
    /// gone out before the rest began.
    probes: Probes,
}

impl<'a> Admission<'a> {
    pub(super) fn new(
        pacer: &'a Pacer,
        lane: Arc<Lane>,
        route: &str,
        family: Family,
        waited: Duration,
        probes: Probes,
    ) -> Self {
        let (route, sent_at) = (route.to_owned(), Instant::now());
        Self { pacer, lane, route, family, waited, sent_at, answered_at: None, probes }
    }

    /// Returns how long the request had to wait.
    pub(in crate::gitlab) fn waited(&self) -> Duration {
        self.waited
    }

    /// Takes in what the headers of the answer say. The slot is kept while the body is read.
    pub(in crate::gitlab) fn observe(&mut self, hints: &Hints) {
        let now = Instant::now();
        let wall = self.pacer.clock.now();
        self.answered_at = Some(now);
        self.pacer.state().answered(
            &self.pacer.pace,
            (&self.route, self.family),
            hints,
            self.probes,
            (self.sent_at, now, wall),
        );
        self.pacer.wake(Some(&self.lane));
    }

    /// Takes in how the exchange ended, for the number of requests that may be out at once.
    pub(in crate::gitlab) fn ended(&self, ending: Ending) {
        let now = Instant::now();
        let latency = self.answered_at.unwrap_or(now).duration_since(self.sent_at);
        let mut state = self.pacer.state();
        state.concurrency.ended(&self.route, ending, latency, self.sent_at, now);
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        let mut state = self.pacer.state();
        state.leave();
        if self.answered_at.is_none() {
            let now = Instant::now();
            state.broke(&self.pacer.pace, &self.route, self.family, self.probes, now);
        }
        drop(state);
        self.pacer.wake(Some(&self.lane));
    }
}
