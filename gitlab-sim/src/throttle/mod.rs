//! How often one may ask: GitLab's two systems of limits.
//!
//! The request throttle runs before anything else: [`Throttle`] chooses it, [`Throttles`] holds
//! several [`Rule`]s at once, `bucket` counts. The application limiter runs inside endpoints:
//! [`EndpointLimits`]. They know nothing of each other, and one request may count in both: the
//! headers of the first never speak of the second.
//!
//! Windows of both are fixed and start at multiples of the period since 1970, so everybody's quota
//! comes back at the same instant. A bucket belongs to a user, not to a token.

mod bucket;
mod endpoint;
mod preset;
mod rule;
mod window;

use std::time::Duration;

use jiff::Timestamp;

pub(crate) use bucket::Buckets;
pub(crate) use endpoint::{EndpointBuckets, refusal_of_endpoint};
pub use endpoint::{EndpointLimit, EndpointLimits, EndpointScope};
pub use preset::{Plan, SMALLEST_DEDICATED};
pub use rule::{Class, Headers, Rule, Throttles, Who};

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

    /// Allows so many requests in ten minutes.
    pub const fn per_ten_minutes(requests: u64) -> Self {
        Self { requests, period: Duration::from_mins(10) }
    }

    /// Allows so many requests in an hour.
    pub const fn per_hour(requests: u64) -> Self {
        Self { requests, period: Duration::from_hours(1) }
    }
}

/// Whether the throttle is on, and who hears of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Throttle {
    /// Off, as on a fresh self-managed GitLab: no header ever.
    #[default]
    None,
    /// On, with headers on every answer, as on gitlab.com.
    Always(Limit),
    /// On, with headers on refusals only, as in older versions.
    Only429(Limit),
    /// Several throttles at once, such as [`Throttles::gitlab_com`].
    Custom(Throttles),
}

impl From<Throttle> for Throttles {
    fn from(throttle: Throttle) -> Self {
        match throttle {
            Throttle::None => Self::none(),
            Throttle::Always(limit) => Self::plain(limit),
            Throttle::Only429(limit) => Self { headers: Headers::Only429, ..Self::plain(limit) },
            Throttle::Custom(throttles) => throttles,
        }
    }
}

/// Returns the second of a moment since 1970.
fn second(now: Timestamp) -> u64 {
    u64::try_from(now.as_second()).unwrap_or(0)
}
