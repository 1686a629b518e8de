//! What a sync did, in numbers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::store::Problem;

/// The result of a sync that ran to its end (design.md, section 6).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Projects in the index now.
    pub projects: u64,
    /// Issues in the index now.
    pub issues: u64,
    /// Merge requests in the index now.
    pub merge_requests: u64,
    /// Different things that items mention now.
    pub references: u64,
    /// Projects and items removed, because GitLab no longer shows them.
    pub removed: u64,
    /// Throttle answers.
    pub throttled: u64,
    /// How long it took.
    pub duration_ms: u64,
    /// True when everything that the token can see was read.
    pub complete: bool,
    /// What could not be read.
    pub errors: Vec<SummaryError>,
}

/// A part that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummaryError {
    /// The source.
    pub source: String,
    /// A root or project.
    pub subject: String,
    /// Which of its lists.
    pub stream: String,
    /// Why.
    pub reason: String,
    /// When it is tried again; null where that is for who runs the sync to say.
    pub retry_at: Option<Timestamp>,
}

impl SummaryError {
    pub(super) fn new(source: &str, problem: Problem) -> Self {
        Self {
            source: source.to_owned(),
            subject: problem.subject,
            stream: problem.stream,
            reason: problem.reason,
            retry_at: Some(problem.retry_at),
        }
    }
}

impl Summary {
    /// Notes that a source could not be read at all.
    #[must_use]
    pub fn and_failed(mut self, source: &str, reason: String) -> Self {
        self.complete = false;
        self.errors.push(SummaryError {
            source: source.to_owned(),
            subject: "source".to_owned(),
            stream: "sync".to_owned(),
            reason,
            retry_at: None,
        });
        self
    }

    /// Adds the summary of another source that was read beside this one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.requests += other.requests;
        self.projects += other.projects;
        self.issues += other.issues;
        self.merge_requests += other.merge_requests;
        self.references += other.references;
        self.removed += other.removed;
        self.throttled += other.throttled;
        self.duration_ms += other.duration_ms;
        self.complete &= other.complete;
        self.errors.extend(other.errors);
        self
    }

    /// Writes the one log line of a run.
    pub(super) fn log(&self, source: &str) {
        tracing::info!(
            source,
            requests = self.requests,
            projects = self.projects,
            issues = self.issues,
            merge_requests = self.merge_requests,
            references = self.references,
            removed = self.removed,
            throttled = self.throttled,
            duration_ms = self.duration_ms,
            complete = self.complete,
            errors = self.errors.len(),
            "sync of {source} ended: {} projects, {} issues, {} merge requests in {} requests",
            self.projects,
            self.issues,
            self.merge_requests,
            self.requests
        );
    }
}
