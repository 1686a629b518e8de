//! What was learnt of limits that the server does not state beforehand, in a form to keep.
//!
//! A limit with a throttle's name is a fixed window of the request throttle, which the server
//! stated at some time. One without a name was found by counting, and holds for any interval.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// For how long a limit is remembered that nobody has spoken of since.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A limit that was learnt from refusals, or from headers.
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
    /// When it was learnt, or last stated.
    pub learnt_at: Timestamp,
}

/// Says whether what was learnt at a moment is too old to go by.
pub(super) fn is_old(learnt_at: Timestamp, now: Timestamp) -> bool {
    now.duration_since(learnt_at) > KEPT
}
