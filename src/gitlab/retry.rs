//! When a failed request is tried again.
//!
//! Tries are few, since the crawl comes back anyway, and jittered, since many requests fail at
//! once when GitLab restarts. Which failures are worth it, and how often: the table in
//! `trouble.rs`. Only reads are ever sent, so every request may be repeated. The pause after a
//! throttle answer is not here: the pacer holds back the next try together with all other
//! requests. Nor is an outage of the host: `breaker.rs` waits for its end, and no try is spent.

use std::time::Duration;

use super::Error;
use super::trouble::MOST_TRIES;

/// The longest delay before a try. GitLab's longest known request outside a throttle is 60 s, for
/// its read-only mode; who asks for more is better visited by the next sync.
const LONGEST_DELAY: Duration = Duration::from_mins(2);

/// Decides about the next try after `tries` of them failed, `alike` of them in this way: the delay
/// before it, or the error to give up with.
///
/// Each kind of trouble has its own number of tries: one that strikes by chance says nothing about
/// another.
pub(super) fn next(
    error: Error,
    alike: u32,
    tries: u32,
    backoff: Duration,
) -> Result<Duration, Error> {
    let allowed = error.trouble().tries;
    if allowed <= 1 {
        return Err(error);
    }
    if alike >= allowed || tries >= MOST_TRIES {
        return Err(Error::TooManyRetries { attempts: tries, source: Box::new(error) });
    }
    if matches!(error, Error::Throttled { .. }) {
        return Ok(Duration::ZERO);
    }
    let asked = error.asked_wait().unwrap_or_default();
    Ok(jittered(tries, backoff).max(asked).min(LONGEST_DELAY))
}

/// Returns a delay that doubles with each try. Half is sure and half is chance: neither a stampede
/// nor an immediate repeat.
pub(super) fn jittered(tries: u32, backoff: Duration) -> Duration {
    let doubled = backoff.saturating_mul(1 << tries.saturating_sub(1).min(16));
    doubled / 2 + doubled.mul_f64(rand::random_range(0.0..0.5))
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn bad_gateway(retry_after: Option<u64>) -> Error {
        Error::Refused {
            status: StatusCode::BAD_GATEWAY,
            path: "/version".to_owned(),
            message: "an HTML page".to_owned(),
            is_gitlab: false,
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn delays_grow_with_jitter_and_end() {
        let second = Duration::from_secs(1);
        for (tries, least, most) in [(1, 500, 1_000), (2, 1_000, 2_000), (3, 2_000, 4_000)] {
            let delay =
                next(bad_gateway(None), tries, tries, second).expect("another try").as_millis();
            assert!((least..=most).contains(&delay), "{tries}: {delay}");
        }
        let error = next(bad_gateway(None), 6, 6, second).expect_err("given up");
        assert!(matches!(error, Error::TooManyRetries { attempts: 6, .. }));
        assert_eq!(error.verdict(), crate::gitlab::Verdict::Skip);
    }

    #[test]
    fn wish_of_the_server_is_kept_within_reason() {
        let second = Duration::from_secs(1);
        let delay = |asked| next(bad_gateway(Some(asked)), 1, 1, second).expect("another try");
        assert_eq!(delay(60), Duration::from_mins(1));
        assert_eq!(delay(86_400), LONGEST_DELAY);
    }

    #[test]
    fn each_kind_of_trouble_has_its_own_tries_within_a_bound_over_all() {
        let stray = || Error::RedirectLoop { path: "/version".to_owned() };
        assert!(next(stray(), 2, 7, Duration::ZERO).is_ok());
        for (alike, tries) in [(3, 3), (1, 8)] {
            let error = next(stray(), alike, tries, Duration::ZERO).expect_err("given up");
            let Error::TooManyRetries { attempts, .. } = error else { panic!("{error:?}") };
            assert_eq!(attempts, tries);
        }
    }

    #[test]
    fn lasting_failure_is_not_tried_again() {
        let error = Error::Name { name: "..".to_owned() };
        assert!(matches!(next(error, 1, 1, Duration::ZERO), Err(Error::Name { .. })));
    }
}
