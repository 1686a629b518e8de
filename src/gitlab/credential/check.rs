//! What GitLab says about the token in force: its scopes and its expiry.
//!
//! A token that is about to expire, that lacks a scope, or that may do more than it needs is a
//! finding for the operator before it is an outage or a leak.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// How long before its expiry a token is worth a warning, in days.
pub const EXPIRY_WARNING_DAYS: i64 = 14;

/// What is known of the token in force.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TokenCheck {
    /// When GitLab was asked; `None` when it was not, as for a job token.
    pub checked_at: Option<Timestamp>,
    /// The token's name on GitLab.
    pub name: Option<String>,
    /// The user that it acts as: tokens of one user share one budget.
    pub user_id: Option<u64>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// The last day on which it does not work any more: it expires at midnight UTC of that date.
    pub expires_on: Option<Date>,
    /// Scopes that it lacks, with what that costs.
    pub missing: Vec<ScopeFinding>,
    /// Scopes that it does not need, with the risk.
    pub needless: Vec<ScopeFinding>,
}

/// A scope that is missing or too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeFinding {
    /// The scope.
    pub scope: String,
    /// What it costs to lack it, or what somebody could do who finds the token.
    pub why: String,
}
