//! Counts requests against the rules, and words what comes of it.
//!
//! `RateLimit-Limit` speaks of a minute whatever the period; `RateLimit-Observed` and
//! `RateLimit-Remaining` speak of the real window.

use axum::http::StatusCode;
use axum::http::header::{self, HeaderName};
use jiff::Timestamp;

use super::rule::{Key, Rule};
use super::window::{Count, Windows};
use super::{Headers, Throttles, second};
use crate::asked::Asked;
use crate::rest::answer::Answer;
use crate::world::User;

/// What one rule saw of a request.
#[derive(Debug, Clone, Copy)]
struct Seen<'t> {
    rule: &'t Rule,
    count: Count,
}

impl Seen<'_> {
    fn remaining(&self) -> u64 {
        self.rule.limit.requests.saturating_sub(self.count.observed)
    }

    fn exceeded(&self) -> bool {
        self.count.observed > self.rule.limit.requests
    }
}

/// What the throttles saw of a request.
#[derive(Debug)]
pub(crate) struct Measured<'t> {
    throttles: &'t Throttles,
    shown: Seen<'t>,
}

/// The counters of the present windows.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    /// By the place of the rule and whose bucket it is.
    windows: Windows<(usize, Key)>,
}

impl Buckets {
    /// Counts a request against every rule that applies. Returns nothing where none does.
    pub(crate) fn count<'t>(
        &mut self,
        throttles: &'t Throttles,
        asked: &Asked<'_>,
        user: Option<&User>,
        now: Timestamp,
    ) -> Option<Measured<'t>> {
        if throttles.exempts(asked, user.map(|user| user.username.as_str())) {
            return None;
        }
        let seen: Vec<Seen<'t>> = throttles
            .counting(asked, user.map(|user| user.id), now)
            .into_iter()
            .map(|(place, rule, key)| Seen {
                rule,
                count: self.windows.count((place, key), rule.limit, second(now)),
            })
            .collect();
        // Of several refusals the longest wait counts: after a shorter one the next would follow.
        let refusing =
            seen.iter().filter(|seen| seen.exceeded()).max_by_key(|seen| seen.count.left);
        let shown = *refusing.or_else(|| seen.iter().min_by_key(|seen| seen.remaining()))?;
        Some(Measured { throttles, shown })
    }
}

impl Measured<'_> {
    /// Tells whether the request is one too many.
    pub(crate) fn exceeded(&self) -> bool {
        self.shown.exceeded()
    }

    /// Returns the headers that go with an ordinary answer.
    pub(crate) fn headers(&self) -> Vec<(HeaderName, String)> {
        match self.throttles.headers {
            Headers::Always => self.all_headers(),
            Headers::Only429 => Vec::new(),
        }
    }

    fn all_headers(&self) -> Vec<(HeaderName, String)> {
        let Seen { rule, count } = self.shown;
        let period = rule.limit.period.as_secs().max(1);
        let per_minute = rule.limit.requests.saturating_mul(60).div_ceil(period);
        [
            ("ratelimit-name", rule.name.clone()),
            ("ratelimit-limit", per_minute.to_string()),
            ("ratelimit-observed", count.observed.to_string()),
            ("ratelimit-remaining", self.shown.remaining().to_string()),
            ("ratelimit-reset", count.reset.to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), value))
        .collect()
    }

    /// Returns the refusal.
    pub(crate) fn refusal(&self) -> Answer {
        let count = self.shown.count;
        let reset = i64::try_from(count.reset)
            .ok()
            .and_then(|reset| Timestamp::from_second(reset).ok())
            .unwrap_or(Timestamp::MAX)
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let mut headers = self.all_headers();
        headers.push((header::CONTENT_TYPE, "text/plain".to_owned()));
        let answer = Answer {
            status: StatusCode::TOO_MANY_REQUESTS,
            headers,
            body: format!("{}\n", self.throttles.text).into_bytes(),
        };
        answer.header("retry-after", count.left.to_string()).header("ratelimit-resettime", reset)
    }
}

#[cfg(test)]
mod tests;
