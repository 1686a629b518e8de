//! The request throttle, which GitLab runs before anything else.
//!
//! Windows are fixed and start at multiples of the period since 1970, so everybody's quota comes
//! back at the same instant. A bucket belongs to a user, not to a token. `RateLimit-Limit` speaks
//! of a minute whatever the period; `RateLimit-Observed` and `RateLimit-Remaining` speak of the
//! real window.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;

use crate::rest::answer::Answer;
use crate::world::UserId;

/// How many requests per period one user may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Requests per period.
    pub requests: u64,
    /// The length of a window, in whole seconds and at least one.
    pub period: Duration,
}

impl Limit {
    /// Allows so many requests in a minute.
    pub const fn per_minute(requests: u64) -> Self {
        Self { requests, period: Duration::from_mins(1) }
    }
}

/// Whether the throttle is on, and who hears of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Throttle {
    /// Off, as on a fresh self-managed GitLab: no header ever.
    #[default]
    None,
    /// On, with headers on every answer, as on gitlab.com.
    Always(Limit),
    /// On, with headers on refusals only, as in older versions.
    Only429(Limit),
}

/// What the throttle saw of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    name: &'static str,
    limit: Limit,
    observed: u64,
    reset: i64,
    retry_after: u64,
    always: bool,
}

/// The counters of the present windows.
#[derive(Debug, Default)]
pub(crate) struct Buckets {
    counts: HashMap<Option<UserId>, (u64, u64)>,
}

impl Buckets {
    /// Counts a request of a user, or of somebody unknown: all of those share one bucket, as all
    /// requests come from one address.
    pub(crate) fn count(
        &mut self,
        throttle: Throttle,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Option<Measured> {
        let (limit, always) = match throttle {
            Throttle::None => return None,
            Throttle::Always(limit) => (limit, true),
            Throttle::Only429(limit) => (limit, false),
        };
        let period = limit.period.as_secs().max(1);
        let second = u64::try_from(now.as_second()).unwrap_or(0);
        let window = second / period;
        let count = self.counts.entry(user).or_insert((window, 0));
        if count.0 != window {
            *count = (window, 0);
        }
        count.1 += 1;
        let retry_after = period - second % period;
        Some(Measured {
            name: if user.is_some() {
                "throttle_authenticated_api"
            } else {
                "throttle_unauthenticated_api"
            },
            limit,
            observed: count.1,
            reset: i64::try_from(second + retry_after).unwrap_or(i64::MAX),
            retry_after,
            always,
        })
    }
}

impl Measured {
    /// Tells whether the request is one too many.
    pub(crate) fn exceeded(&self) -> bool {
        self.observed > self.limit.requests
    }

    /// Adds the headers that go with an ordinary answer.
    pub(crate) fn describe(&self, answer: Answer) -> Answer {
        if self.always { self.add_headers(answer) } else { answer }
    }

    fn add_headers(&self, answer: Answer) -> Answer {
        let period = self.limit.period.as_secs().max(1);
        let per_minute = self.limit.requests.saturating_mul(60).div_ceil(period);
        answer
            .header("ratelimit-name", self.name)
            .header("ratelimit-limit", per_minute.to_string())
            .header("ratelimit-observed", self.observed.to_string())
            .header(
                "ratelimit-remaining",
                self.limit.requests.saturating_sub(self.observed).to_string(),
            )
            .header("ratelimit-reset", self.reset.to_string())
    }

    /// Returns the refusal.
    pub(crate) fn refusal(&self) -> Answer {
        let reset = Timestamp::from_second(self.reset)
            .unwrap_or(Timestamp::MAX)
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string();
        let answer = Answer {
            status: axum::http::StatusCode::TOO_MANY_REQUESTS,
            headers: vec![(axum::http::header::CONTENT_TYPE, "text/plain".to_owned())],
            body: b"Retry later\n".to_vec(),
        };
        self.add_headers(answer)
            .header("retry-after", self.retry_after.to_string())
            .header("ratelimit-resettime", reset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(answer: &Answer, name: &str) -> String {
        answer
            .headers
            .iter()
            .find(|(known, _)| known.as_str() == name)
            .map(|(_, value)| value.clone())
            .unwrap_or_default()
    }

    #[test]
    fn the_limit_is_told_per_minute_and_the_rest_per_window() {
        let throttle = Throttle::Always(Limit { requests: 7200, period: Duration::from_hours(1) });
        let now: Timestamp = "2026-11-22T10:59:00Z".parse().unwrap();
        let mut buckets = Buckets::default();
        let user = Some(UserId::new(1));
        let mut measured = None;
        for _ in 0..3000 {
            measured = buckets.count(throttle, user, now);
        }
        let answer = measured.unwrap().describe(Answer::json(&()));
        assert_eq!(header(&answer, "ratelimit-limit"), "120");
        assert_eq!(header(&answer, "ratelimit-observed"), "3000");
        assert_eq!(header(&answer, "ratelimit-remaining"), "4200");
        assert_eq!(
            header(&answer, "ratelimit-reset"),
            "2026-11-22T11:00:00Z".parse::<Timestamp>().unwrap().as_second().to_string()
        );
    }

    #[test]
    fn windows_are_aligned_to_the_epoch_and_buckets_belong_to_users() {
        let throttle = Throttle::Only429(Limit::per_minute(2));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let mut buckets = Buckets::default();
        let (ann, bob) = (Some(UserId::new(1)), Some(UserId::new(2)));
        let mut over = |user, time: &str| {
            buckets.count(throttle, user, at(time)).is_some_and(|measured| measured.exceeded())
        };
        assert!(!over(ann, "2026-11-22T10:00:50Z"));
        assert!(!over(ann, "2026-11-22T10:00:51Z"));
        assert!(over(ann, "2026-11-22T10:00:59Z"));
        assert!(!over(bob, "2026-11-22T10:00:59Z"));
        assert!(!over(ann, "2026-11-22T10:01:00Z"), "the quota comes back at the boundary");
    }

    #[test]
    fn a_refusal_says_when_to_come_back() {
        let mut buckets = Buckets::default();
        let now: Timestamp = "2026-11-22T10:00:50Z".parse().unwrap();
        let measured = buckets.count(Throttle::Only429(Limit::per_minute(0)), None, now).unwrap();
        let answer = measured.refusal();
        assert_eq!(answer.status.as_u16(), 429);
        assert_eq!(answer.body, b"Retry later\n");
        assert_eq!(header(&answer, "retry-after"), "10");
        assert_eq!(header(&answer, "ratelimit-resettime"), "Sun, 22 Nov 2026 10:01:00 GMT");
        assert_eq!(header(&answer, "ratelimit-name"), "throttle_unauthenticated_api");
        assert_eq!(header(&measured.describe(Answer::json(&())), "ratelimit-name"), "");
    }
}
