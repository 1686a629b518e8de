//! The log of deliveries.

use std::sync::Arc;

use jiff::Timestamp;

use super::hook::HookId;

/// What became of one attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The number in the log, counted from 1.
    pub number: u64,
    /// The hook.
    pub hook: HookId,
    /// The value of `X-Gitlab-Event`.
    pub event: &'static str,
    /// The value of `Idempotency-Key`.
    pub idempotency_key: String,
    /// Which attempt it was, from 1; 0 for what was never sent.
    pub attempt: u32,
    /// When it was sent, or lost.
    pub at: Timestamp,
    /// Where it went.
    pub url: String,
    /// The headers it had, the secret token left out.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Arc<str>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered with a status.
    Answered(u16),
    /// The receiver did not answer in time.
    TimedOut,
    /// There was no answer, for a reason.
    NoAnswer(String),
    /// It was never sent.
    Lost(Loss),
}

impl Outcome {
    /// Tells whether GitLab takes it for a success: any answer below 400.
    pub fn succeeded(&self) -> bool {
        matches!(self, Self::Answered(200..400))
    }
}

/// Why something was never sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The hook was disabled.
    Disabled,
    /// The top-level group had its share of this minute.
    RateLimited,
    /// The instance is in silent mode.
    Silent,
    /// The body is larger than 25 MB.
    TooLarge,
    /// Too much waits already.
    QueueFull,
    /// The hook was removed meanwhile.
    Removed,
}

impl Loss {
    /// Returns the reason in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::RateLimited => "rate_limited",
            Self::Silent => "silent",
            Self::TooLarge => "too_large",
            Self::QueueFull => "queue_full",
            Self::Removed => "removed",
        }
    }
}

impl Delivery {
    /// Returns a header that was sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        let same = |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.headers.iter().find(same).map(|(_, value)| value.as_str())
    }
}
