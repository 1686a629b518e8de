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

impl Throttle {
    /// The names that command line and control API know.
    pub const NAMES: [&str; 9] = [
        "none",
        "always",
        "only-429",
        "gitlab-com",
        "self-managed",
        "dedicated",
        "tier-free",
        "tier-premium",
        "tier-ultimate",
    ];

    /// Finds a throttle by its name. The limit is for those that leave it open: `always`,
    /// `only-429`, and `dedicated`, which takes its requests per minute.
    pub fn named(name: &str, limit: Limit) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "always" => Self::Always(limit),
            "only-429" => Self::Only429(limit),
            "gitlab-com" => Self::Custom(Throttles::gitlab_com()),
            "self-managed" => Self::Custom(Throttles::self_managed_enabled()),
            "dedicated" => Self::Custom(Throttles::dedicated(limit.requests)),
            "tier-free" => Self::Custom(Throttles::tier_aware(Plan::Free)),
            "tier-premium" => Self::Custom(Throttles::tier_aware(Plan::Premium)),
            "tier-ultimate" => Self::Custom(Throttles::tier_aware(Plan::Ultimate)),
            _ => return None,
        })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_stands_for_something_of_its_own() {
        let limit = Limit::per_minute(7);
        for (place, name) in Throttle::NAMES.iter().enumerate() {
            let throttle = Throttle::named(name, limit).unwrap();
            for other in &Throttle::NAMES[..place] {
                assert_ne!(Throttle::named(other, limit).unwrap(), throttle, "{other}, {name}");
            }
        }
        assert_eq!(Throttle::named("odd", limit), None);
        for name in EndpointLimits::NAMES {
            let limits = EndpointLimits::named(name).unwrap();
            assert_eq!(limits.entries.is_empty(), name == "none", "{name}");
        }
        assert_eq!(EndpointLimits::named("odd"), None);
    }
}
