//! The right to have one request out, and what its answer changes.
//!
//! An admission is counted from the moment it is given. It ends with the headers of the answer or,
//! when the request fails or is cancelled, with the admission itself, so that nothing stays
//! counted as out.

use std::time::Duration;

use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

use super::hints::{Hints, Throttle};
use super::window::{Family, Window};
use super::{MOST_WINDOWS, Pacer, SHORTEST_PAUSE, count};

/// The right to have one request out. Dropping it gives the slot back.
#[derive(Debug)]
pub(in crate::gitlab) struct Admission<'a> {
    pacer: &'a Pacer,
    route: String,
    family: Family,
    waited: Duration,
    /// It is the first on its route after a pause. Only its answer can end the pause: others may
    /// have gone out before the pause began.
    is_probe: bool,
    answered: bool,
    _slot: SemaphorePermit<'a>,
}

impl<'a> Admission<'a> {
    pub(super) fn new(
        pacer: &'a Pacer,
        route: &str,
        family: Family,
        waited: Duration,
        is_probe: bool,
        slot: SemaphorePermit<'a>,
    ) -> Self {
        let route = route.to_owned();
        Self { pacer, route, family, waited, is_probe, answered: false, _slot: slot }
    }

    /// Returns how long the request had to wait.
    pub(in crate::gitlab) fn waited(&self) -> Duration {
        self.waited
    }

    /// Takes in what the headers of the answer say. The slot is kept while the body is read.
    pub(in crate::gitlab) fn observe(&mut self, hints: &Hints) {
        let now = Instant::now();
        let mut state = self.pacer.state();
        state.settle(self.family);
        self.answered = true;
        let state = &mut *state;
        if let Some(stated) = &hints.stated {
            let unanswered = count(&state.unanswered);
            let key = (stated.name.clone(), stated.per_minute);
            if let Some(window) = state.windows.get_mut(&key) {
                window.roll(&unanswered, now);
                window.update(stated, self.family, &unanswered, now);
            } else if let Some(mut window) = Window::new(stated, self.family, now) {
                window.pending = unanswered(&window.families);
                if state.windows.len() >= MOST_WINDOWS {
                    state.windows.clear();
                }
                state.windows.insert(key, window);
            }
        }
        let wait = hints.wait().unwrap_or(self.pacer.pace.unstated_pause).max(SHORTEST_PAUSE);
        match hints.throttle {
            Throttle::None => {
                if self.is_probe {
                    state.routes.remove(&self.route);
                }
            }
            Throttle::Host => state.pause = state.pause.max(Some(now + wait)),
            Throttle::Route => {
                state.routes.insert(self.route.clone(), now + wait);
            }
        }
        self.pacer.changed.notify_waiters();
    }
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        // Cancelled or failed: the server may have counted it, so the windows keep it.
        let mut state = self.pacer.state();
        state.settle(self.family);
        if self.is_probe
            && let Some(until) = state.routes.get_mut(&self.route)
        {
            *until = Instant::now();
        }
        drop(state);
        self.pacer.changed.notify_waiters();
    }
}
