//! What all clients of one host share: the breaker, and one pacer for each owner of a credential.
//!
//! GitLab counts requests by user, not by token: two tokens of one user share one budget, those
//! of two bots do not. Whose a token is comes to light with its first check
//! ([`super::TokenCheck`]); until then all clients of a host keep one pace, which is never too
//! fast. It refuses to guess the owner.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::breaker::{Breaker, Endurance};
use super::pacing::{Pace, Pacer};
use crate::clock::Clock;

/// One host.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) breaker: Breaker,
    clock: Arc<dyn Clock>,
    pacers: Mutex<Pacers>,
}

#[derive(Debug)]
struct Pacers {
    /// For those whose owner is not known yet.
    unclaimed: Arc<Pacer>,
    /// By the owner's user id.
    owned: BTreeMap<u64, Arc<Pacer>>,
}

impl Host {
    pub(super) fn new(pace: Pace, endurance: Endurance, clock: Arc<dyn Clock>) -> Self {
        let unclaimed = Arc::new(Pacer::new(pace, Arc::clone(&clock)));
        let pacers = Mutex::new(Pacers { unclaimed, owned: BTreeMap::new() });
        let breaker = Breaker::new(endurance, Arc::clone(&clock));
        Self { breaker, clock, pacers }
    }

    /// Returns the pacer of a credential whose owner is not known.
    pub(super) fn unclaimed(&self) -> Arc<Pacer> {
        let pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&pacers.unclaimed)
    }

    /// Returns the pacer of an owner. The first owner keeps the pacer that was used before anybody
    /// was known, with all that it has learnt.
    pub(super) fn owned_by(&self, user: u64, pace: Pace) -> Arc<Pacer> {
        let mut pacers = self.pacers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pacer) = pacers.owned.get(&user) {
            return Arc::clone(pacer);
        }
        let pacer = if pacers.owned.is_empty() {
            Arc::clone(&pacers.unclaimed)
        } else {
            Arc::new(Pacer::new(pace, Arc::clone(&self.clock)))
        };
        pacers.owned.insert(user, Arc::clone(&pacer));
        pacer
    }
}
