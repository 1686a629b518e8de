//! What is left of the budget, for people to read.

use jiff::Timestamp;

/// What is left of the budget, for people to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The windows that are known; none if the server states none.
    pub windows: Vec<WindowBudget>,
    /// Until when the host rests after a throttle answer.
    pub paused_until: Option<Timestamp>,
    /// Routes that rest after a throttle answer.
    pub paused_routes: Vec<String>,
    /// Requests that are out.
    pub in_flight: u64,
    /// How many requests may be out at once, at present.
    pub concurrency: usize,
}

/// One rate-limit window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowBudget {
    /// GitLab's name of the throttle.
    pub name: String,
    /// Requests that the server permits in the window.
    pub limit: u64,
    /// Requests of ours after which we stop: our share, or less when others use much.
    pub allowed: u64,
    /// Requests used, by anyone.
    pub used: u64,
    /// Requests that others used for certain.
    pub others: u64,
    /// When the window ends, on our clock.
    pub resets_at: Timestamp,
}
