//! What the headers of an answer say about pace.
//!
//! `RateLimit-Limit` is normalised to a minute and rounded up, while `RateLimit-Observed` and
//! `RateLimit-Remaining` count in the real window, which may be an hour. So the real limit is
//! observed plus remaining, and limit minus observed means nothing. `RateLimit-Reset` is a moment
//! on the server's clock and is compared with the server's `Date`, so that a wrong clock on
//! either side does no harm. Any header may be missing, and none is believed blindly.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that a header can ask of us. GitLab's longest known window is an hour; a
/// larger figure is a mistake, and after an hour we may well ask again.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// The longest window that is believed.
const LONGEST_WINDOW_SECS: i64 = 86_400;

/// What the server says about the window that this answer was counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stated {
    /// Which throttle; "" in versions that do not name it.
    pub(super) name: String,
    /// The limit normalised to 60 seconds.
    pub(super) per_minute: u64,
    /// Requests in the real window, this one included, others' too.
    pub(super) observed: u64,
    /// What is left of the real window.
    pub(super) remaining: u64,
    /// The end of the window on the server's clock, in Unix seconds.
    pub(super) reset: i64,
    /// How long until then.
    pub(super) ends_in: Duration,
}

/// Who refused with a 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Throttle {
    /// Nobody did.
    None,
    /// The request throttle, or a CDN: it counts all requests.
    Host,
    /// GitLab's application limiter, which counts one kind of request only.
    Route,
}

/// What the headers of one answer say about pace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::gitlab) struct Hints {
    pub(super) stated: Option<Stated>,
    pub(super) throttle: Throttle,
    /// How long the server wants us to wait, if it says.
    retry_after: Option<Duration>,
    /// What the server's clock showed.
    date: Option<Timestamp>,
}

impl Hints {
    /// Reads the headers of an answer that came in at `now`.
    pub(in crate::gitlab) fn read(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Self {
        let date = text(headers, DATE.as_str()).and_then(http_date);
        let server_now = date.unwrap_or(now);
        let stated = read_window(headers, server_now);
        let throttle = if status != StatusCode::TOO_MANY_REQUESTS {
            Throttle::None
        } else if headers.contains_key("ratelimit-limit") || !is_json(headers) {
            Throttle::Host
        } else {
            Throttle::Route
        };
        let retry_after = text(headers, RETRY_AFTER.as_str())
            .and_then(|value| match value.parse::<u64>() {
                Ok(seconds) => Some(Duration::from_secs(seconds)),
                // Before now, in a date, means now.
                Err(_) => http_date(value).map(|moment| {
                    Duration::try_from(moment.duration_since(server_now)).unwrap_or_default()
                }),
            })
            .map(|wait| wait.min(LONGEST_WAIT));
        Self { stated, throttle, retry_after, date }
    }

    /// Returns how long to wait after a refusal, if the server says: `Retry-After`, else the end
    /// of the window.
    pub(in crate::gitlab) fn wait(&self) -> Option<Duration> {
        self.retry_after.or_else(|| match self.throttle {
            Throttle::Host => self.stated.as_ref().map(|window| window.ends_in.min(LONGEST_WAIT)),
            // A window of the request throttle says nothing about any other refusal.
            Throttle::None | Throttle::Route => None,
        })
    }

    /// Returns what the server's clock showed.
    pub(in crate::gitlab) fn date(&self) -> Option<Timestamp> {
        self.date
    }
}

fn read_window(headers: &HeaderMap, server_now: Timestamp) -> Option<Stated> {
    let number = |name| text(headers, name).and_then(|value| value.parse::<u64>().ok());
    let reset = text(headers, "ratelimit-reset")?.parse::<i64>().ok()?;
    let left = reset.checked_sub(server_now.as_second())?;
    if !(1..=LONGEST_WINDOW_SECS).contains(&left) {
        return None;
    }
    let remaining = number("ratelimit-remaining")?;
    let limit = number("ratelimit-limit");
    let observed = number("ratelimit-observed")
        .or_else(|| limit.map(|limit| limit.saturating_sub(remaining)))?;
    Some(Stated {
        name: text(headers, "ratelimit-name").unwrap_or_default().chars().take(64).collect(),
        per_minute: limit.unwrap_or_else(|| observed.saturating_add(remaining)),
        observed,
        remaining,
        reset,
        ends_in: Duration::from_secs(left.unsigned_abs()),
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn http_date(value: &str) -> Option<Timestamp> {
    static PARSER: rfc2822::DateTimeParser = rfc2822::DateTimeParser::new();
    PARSER.parse_timestamp(value).ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    text(headers, CONTENT_TYPE.as_str())
        .is_some_and(|value| value.to_ascii_lowercase().contains("json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hints(status: u16, headers: &[(&'static str, &str)]) -> Hints {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a header value"));
        }
        let now = "2026-11-22T12:00:00Z".parse().expect("a time");
        Hints::read(StatusCode::from_u16(status).expect("a status"), &map, now)
    }

    #[test]
    fn hourly_window_is_read_with_its_real_limit() {
        let stated = hints(
            200,
            &[
                ("ratelimit-limit", "120"),
                ("ratelimit-observed", "3000"),
                ("ratelimit-remaining", "4200"),
                ("ratelimit-reset", "1795352400"), // 13:00
                ("ratelimit-name", "throttle_authenticated_api"),
            ],
        )
        .stated
        .expect("a window");
        assert_eq!((stated.per_minute, stated.observed, stated.remaining), (120, 3000, 4200));
        assert_eq!(stated.ends_in, Duration::from_hours(1));
    }

    #[test]
    fn reset_is_compared_with_the_servers_clock() {
        let headers = [
            ("date", "Tue, 25 Feb 2020 17:43:41 GMT"),
            ("ratelimit-limit", "600"),
            ("ratelimit-observed", "1"),
            ("ratelimit-remaining", "599"),
            ("ratelimit-reset", "1582652681"),
        ];
        let stated = hints(200, &headers).stated.expect("a window");
        assert_eq!(stated.ends_in, Duration::from_mins(1));
        assert_eq!(hints(200, &headers[1..]).stated, None, "by our clock it is long over");
    }

    #[test]
    fn window_without_sense_is_not_believed() {
        for headers in [
            &[("ratelimit-limit", "600"), ("ratelimit-remaining", "599")][..],
            &[("ratelimit-remaining", "5"), ("ratelimit-reset", "99999999999999999999")],
            &[("ratelimit-remaining", "5"), ("ratelimit-reset", "-9223372036854775808")],
            &[("ratelimit-remaining", "-1"), ("ratelimit-reset", "1795352400")],
            &[
                ("ratelimit-limit", "1"),
                ("ratelimit-remaining", "1"),
                ("ratelimit-reset", "1895352400"),
            ],
        ] {
            assert_eq!(hints(200, headers).stated, None, "{headers:?}");
        }
    }

    #[test]
    fn wait_comes_from_retry_after_before_the_window() {
        let window = [
            ("ratelimit-limit", "600"),
            ("ratelimit-observed", "601"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1795348830"), // 12:00:30
        ];
        assert_eq!(hints(429, &window).wait(), Some(Duration::from_secs(30)));
        assert_eq!(hints(500, &window).wait(), None);
        for (value, seconds) in [
            ("7", Some(7)),
            ("0", Some(0)),
            ("999999", Some(3600)),
            ("Sun, 22 Nov 2026 12:00:09 GMT", Some(9)),
            ("Sun, 22 Nov 2026 11:00:00 GMT", Some(0)),
            ("soon", Some(30)),
        ] {
            let mut headers = window.to_vec();
            headers.push(("retry-after", value));
            assert_eq!(hints(429, &headers).wait(), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[test]
    fn application_limiter_is_told_from_the_request_throttle() {
        let json = ("content-type", "application/json");
        let plain = ("content-type", "text/plain");
        assert_eq!(hints(429, &[json]).throttle, Throttle::Route);
        assert_eq!(hints(429, &[plain]).throttle, Throttle::Host);
        assert_eq!(hints(429, &[]).throttle, Throttle::Host);
        assert_eq!(hints(429, &[json, ("ratelimit-limit", "9")]).throttle, Throttle::Host);
        assert_eq!(hints(200, &[json]).throttle, Throttle::None);
    }
}
