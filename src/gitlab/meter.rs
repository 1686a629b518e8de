//! What was asked, how often, and how long it took: plain figures by route template.
//!
//! Counted beside the event, with few and nameless routes, so that no project's path becomes a
//! label. Faces turn them into metrics; this module knows no format.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// One exchange, as it is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exchange<'a> {
    /// The route template.
    pub(super) route: &'a str,
    /// The status, if there was an answer.
    pub(super) status: Option<u16>,
    /// How long it waited for its pace.
    pub(super) wait: Duration,
    /// From the first byte sent to the last received.
    pub(super) duration: Duration,
    /// Size of the body, after decompression.
    pub(super) bytes: u64,
}

/// The figures of one route and status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RouteFigures {
    /// Requests.
    pub requests: u64,
    /// How long they waited for their pace, together.
    pub wait: Duration,
    /// How long they took, together.
    pub duration: Duration,
    /// Bytes of their bodies, after decompression.
    pub bytes: u64,
}

/// Counts exchanges.
#[derive(Debug, Default)]
pub(super) struct Meter {
    routes: Mutex<BTreeMap<(String, Option<u16>), RouteFigures>>,
}

impl Meter {
    /// Counts one exchange.
    pub(super) fn count(&self, exchange: Exchange<'_>) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let figures = routes.entry((exchange.route.to_owned(), exchange.status)).or_default();
        figures.requests += 1;
        figures.wait = figures.wait.saturating_add(exchange.wait);
        figures.duration = figures.duration.saturating_add(exchange.duration);
        figures.bytes = figures.bytes.saturating_add(exchange.bytes);
    }

    /// Returns the figures by route template and status.
    pub(super) fn read(&self) -> BTreeMap<(String, Option<u16>), RouteFigures> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
