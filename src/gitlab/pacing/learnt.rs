//! What was learnt of limits that the server does not state beforehand, in a form to keep.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A limit that was learnt from refusals, or from headers that come only with one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LearntLimit {
    /// The route template that it holds for; `None` for all requests.
    pub route: Option<String>,
    /// GitLab's name of the throttle; "" where it has none.
    pub throttle: String,
    /// How many requests pass in an interval.
    pub requests: u64,
    /// The interval.
    pub interval: Duration,
    /// When it was learnt.
    pub learnt_at: Timestamp,
}
