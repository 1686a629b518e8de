//! Carries what was learnt of GitLab's limits over a restart.
//!
//! What it means, and when it is too old to go by, is the pacer's; where it lies is the store's.
//! This knows both, and translates.

use std::sync::atomic::Ordering;

use super::{Crawler, Error};
use crate::gitlab::LearntLimit;
use crate::store::{self, Run};

impl Crawler {
    /// Tells the pacer what an earlier process learnt, before the first request of this one.
    pub(super) async fn recall_limits(&self) -> Result<(), Error> {
        if self.inner.recalled.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let kept = self.inner.store.list_limits(self.name()).await?;
        let limits = kept.into_iter().map(|limit| LearntLimit {
            route: limit.route,
            throttle: limit.throttle,
            requests: limit.requests,
            interval: limit.interval,
            learnt_at: limit.learnt_at,
        });
        self.inner.client.recall(limits.collect());
        Ok(())
    }

    /// Keeps what is known of limits now for the next process.
    pub(super) async fn keep_limits(&self, run: &Run) -> Result<(), Error> {
        let learnt = self.inner.client.learnt().into_iter();
        let limits: Vec<store::LearntLimit> = learnt
            .map(|limit| store::LearntLimit {
                route: limit.route,
                throttle: limit.throttle,
                requests: limit.requests,
                interval: limit.interval,
                learnt_at: limit.learnt_at,
            })
            .collect();
        Ok(self.inner.store.store_limits(run.source, &limits).await?)
    }
}
