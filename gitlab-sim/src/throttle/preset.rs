//! The limits of well-known instances.
//!
//! Numbers are those of the reference, section 2.5 and 2.6. The names of the announced plan limits
//! are not known yet, and the limit of gitlab.com on all traffic of an address has none that a
//! client ever saw: those names are made up.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Limit;
use super::rule::{Class, Headers, Rule, Throttles, Who};

/// Requests per minute and user that GitLab Dedicated grants to the smallest instance: 1,000 users.
pub const SMALLEST_DEDICATED: u64 = 1_200;

/// Names of the rules that come with a plan.
const PLAN_RULES: [&str; 3] =
    ["throttle_plan_sustained", "throttle_plan_burst", "throttle_plan_unauthenticated"];

/// A subscription of gitlab.com, on which the announced limits depend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Without payment.
    Free,
    /// The smaller subscription.
    Premium,
    /// The larger subscription.
    Ultimate,
}

impl Plan {
    /// Returns requests per hour and per minute of one user.
    const fn limits(self) -> (u64, u64) {
        match self {
            Self::Free => (5_000, 100),
            Self::Premium => (15_000, 1_250),
            Self::Ultimate => (25_000, 2_000),
        }
    }
}

impl Throttles {
    /// No throttle at all: no request is counted, no header sent.
    pub fn none() -> Self {
        Self {
            rules: Vec::new(),
            headers: Headers::Always,
            text: "Retry later".to_owned(),
            exempt_users: BTreeSet::new(),
            bypass_header: None,
        }
    }

    /// The same limit for each user, and for each address without one.
    pub fn plain(limit: Limit) -> Self {
        Self::general(limit, limit)
    }

    /// What gitlab.com enforces today: per user, per address without a user, per address.
    pub fn gitlab_com() -> Self {
        let mut throttles = Self::general(Limit::per_minute(2_000), Limit::per_minute(500));
        let web = [
            ("throttle_authenticated_web", Who::User, 1_000),
            ("throttle_unauthenticated_web", Who::Anonymous, 500),
        ];
        for (name, who, requests) in web {
            throttles.rules.push(Rule::new(name, Class::Web, who, Limit::per_minute(requests)));
        }
        let all = Limit::per_minute(2_000);
        throttles.rules.push(Rule::new("throttle_ip", Class::All, Who::Everybody, all));
        throttles
    }

    /// A self-managed GitLab as it is installed: the throttles are off.
    pub fn self_managed_default() -> Self {
        Self::none()
    }

    /// A self-managed GitLab whose throttles were switched on, with the numbers that it proposes.
    pub fn self_managed_enabled() -> Self {
        let mut throttles = Self::general(Limit::per_hour(7_200), Limit::per_hour(3_600));
        let web = [
            ("throttle_authenticated_web", Who::User, 7_200),
            ("throttle_unauthenticated_web", Who::Anonymous, 3_600),
        ];
        for (name, who, requests) in web {
            throttles.rules.push(Rule::new(name, Class::Web, who, Limit::per_hour(requests)));
        }
        throttles
    }

    /// GitLab Dedicated: so many requests per minute and user, from [`SMALLEST_DEDICATED`] upward
    /// with the size of the instance.
    pub fn dedicated(requests: u64) -> Self {
        let limit = Limit::per_minute(requests);
        let rule = Rule::new("throttle_authenticated_api", Class::Api, Who::User, limit);
        Self { rules: vec![rule], ..Self::none() }
    }

    /// The announced limits of gitlab.com above those of today: an hourly and a minute limit at
    /// once, for all traffic of a user. [`Self::plan_only_between`] makes brownouts of them.
    pub fn tier_aware(plan: Plan) -> Self {
        let mut throttles = Self::gitlab_com();
        let (sustained, burst) = plan.limits();
        let limits = [
            (Who::User, Limit::per_hour(sustained)),
            (Who::User, Limit::per_minute(burst)),
            (Who::Anonymous, Limit::per_hour(60)),
        ];
        for (name, (who, limit)) in PLAN_RULES.into_iter().zip(limits) {
            throttles.rules.push(Rule::new(name, Class::All, who, limit));
        }
        throttles
    }

    /// Puts the limits of the plan into force only between these starts and ends.
    #[must_use]
    pub fn plan_only_between(mut self, brownouts: &[(Timestamp, Timestamp)]) -> Self {
        for rule in &mut self.rules {
            if PLAN_RULES.contains(&rule.name.as_str()) {
                // A list without a brownout must not read as "always".
                rule.in_force = if brownouts.is_empty() {
                    vec![(Timestamp::MIN, Timestamp::MIN)]
                } else {
                    brownouts.to_vec()
                };
            }
        }
        self
    }

    /// Gives reading of files a limit of its own, as an administrator can.
    #[must_use]
    pub fn with_files_api(self, limit: Limit) -> Self {
        self.with_both("files_api", Class::FilesApi, limit)
    }

    /// Gives packages a limit of their own.
    #[must_use]
    pub fn with_packages_api(self, limit: Limit) -> Self {
        self.with_both("packages_api", Class::PackagesApi, limit)
    }

    /// Gives `GET /groups/:id` with its projects a limit of its own.
    #[must_use]
    pub fn with_deprecated_api(self, limit: Limit) -> Self {
        self.with_both("deprecated_api", Class::DeprecatedApi, limit)
    }

    fn with_both(mut self, name: &str, class: Class, limit: Limit) -> Self {
        for (word, who) in [("authenticated", Who::User), ("unauthenticated", Who::Anonymous)] {
            self.rules.push(Rule::new(&format!("throttle_{word}_{name}"), class, who, limit));
        }
        self
    }

    fn general(user: Limit, anonymous: Limit) -> Self {
        let rules = vec![
            Rule::new("throttle_authenticated_api", Class::Api, Who::User, user),
            Rule::new("throttle_unauthenticated_api", Class::Api, Who::Anonymous, anonymous),
        ];
        Self { rules, ..Self::none() }
    }
}
