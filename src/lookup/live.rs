//! What the crawler of a source does just now, as it is shown.
//!
//! The index does not know it: the daemon that crawls does, and puts it into the answer. A viewer
//! who is limited to groups sees how far along things are, and nothing that describes the token.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Viewer;

/// What the crawler of a source does, and what it knows of its GitLab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Live {
    /// Whether it syncs.
    pub state: CrawlState,
    /// What is left of the rate limit.
    pub budget: BudgetStatus,
    /// What is known of the token; null until it was checked.
    pub token: Option<TokenStatus>,
    /// What is known of the GitLab.
    pub gitlab: GitLabStatus,
    /// What is not to be had there, and is not asked for.
    pub unavailable: Vec<UnavailablePart>,
    /// What came of webhooks.
    pub webhooks: WebhookStatus,
}

/// What came of the webhooks of a source since the daemon started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WebhookStatus {
    /// When the last event came; null before the first.
    pub last_event_at: Option<Timestamp>,
    /// How many items and projects are marked and not yet read.
    pub waiting: u64,
}

/// Whether a source syncs, and how its last sync ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CrawlState {
    /// `running` or `idle`.
    pub now: String,
    /// Since when a sync runs; null while it is idle.
    pub running_since: Option<Timestamp>,
    /// The last sync since the daemon started; null before it has ended.
    pub last: Option<EndedSync>,
}

/// A sync that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EndedSync {
    /// `complete`, `incomplete`, `failed` or `stopped`.
    pub outcome: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Requests sent, retries included.
    pub requests: u64,
}

/// What is left of the rate limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetStatus {
    /// The windows that GitLab states; none if it states none.
    pub windows: Vec<BudgetWindow>,
    /// Until when all requests rest after a throttle answer.
    pub paused_until: Option<Timestamp>,
    /// Route templates that rest after a throttle answer.
    pub paused_routes: Vec<String>,
    /// Limits that were learnt from refusals.
    pub learnt: Vec<LearntLimit>,
    /// Requests that are out.
    pub in_flight: u64,
    /// How many requests may be out at once, at present.
    pub concurrency: u64,
}

/// One window of a rate limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BudgetWindow {
    /// GitLab's name of the throttle.
    pub name: String,
    /// Requests that GitLab permits in the window.
    pub limit: u64,
    /// Requests of ours after which we stop: our share, or less when others use much.
    pub allowed: u64,
    /// Requests used, by anyone.
    pub used: u64,
    /// Requests that others used for certain.
    pub others: u64,
    /// When the window ends.
    pub resets_at: Timestamp,
}

/// A limit that was learnt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LearntLimit {
    /// The route template that it holds for; null for all requests.
    pub route: Option<String>,
    /// GitLab's name of the throttle; empty where it has none.
    pub throttle: String,
    /// How many requests pass in an interval.
    pub requests: u64,
    /// The interval, in seconds.
    pub interval_seconds: u64,
    /// When it was learnt.
    pub learnt_at: Timestamp,
}

/// What is known of the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenStatus {
    /// Its name on GitLab; null where GitLab does not say it, or the key may not know.
    pub name: Option<String>,
    /// Its scopes; empty where GitLab does not say them, or the key may not know.
    pub scopes: Vec<String>,
    /// The day on which it stops working; null when it never does, or that is not known.
    pub expires_on: Option<Date>,
    /// Whole days until then; negative after.
    pub days_left: Option<i64>,
    /// What an operator should see to.
    pub warnings: Vec<String>,
    /// Scopes that it lacks, with what that costs.
    pub missing: Vec<TokenScope>,
    /// Scopes that it does not need, with the risk.
    pub needless: Vec<TokenScope>,
    /// When GitLab was asked.
    pub checked_at: Option<Timestamp>,
}

/// A scope that is missing or too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenScope {
    /// The scope.
    pub scope: String,
    /// What it costs to lack it, or what somebody could do who finds the token.
    pub why: String,
}

/// What is known of a GitLab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GitLabStatus {
    /// Its version; null where it does not say it.
    pub version: Option<String>,
    /// `community` or `enterprise`; null where it does not say it.
    pub edition: Option<String>,
    /// `free` or `paid`, as far as its answers tell; null while they do not.
    pub tier: Option<String>,
    /// When it was asked.
    pub probed_at: Option<Timestamp>,
}

/// Something that is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnavailablePart {
    /// What: `graphql`, `groups`, `issues`, `merge_requests`, `labels`, `templates`, `comments`,
    /// `files`, `pipelines` or `approval_rules`.
    pub part: String,
    /// Why: `instance` (it has none: nothing is missed), `credential` (it is there and not read)
    /// or `configuration` (left out).
    pub lack: String,
    /// Why, as a sentence.
    pub reason: String,
    /// Since when it is known.
    pub since: Timestamp,
}

impl Live {
    /// Returns what of it a viewer may see.
    #[must_use]
    pub fn seen_by(mut self, viewer: &Viewer) -> Self {
        if viewer.groups.is_some()
            && let Some(token) = &mut self.token
        {
            // The warnings name it, and scopes describe what could be done with it.
            token.name = None;
            token.scopes.clear();
            token.warnings.clear();
            token.missing.clear();
            token.needless.clear();
        }
        self
    }
}
