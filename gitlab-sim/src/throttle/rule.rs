//! The rules of the request throttle: which requests each counts, and for whom.
//!
//! Specialised rules (files, packages, deprecated addresses) claim a request instead of the general
//! rule of the same callers. Rules over everybody and over all traffic are displaced by nothing.

use std::collections::BTreeSet;
use std::net::IpAddr;

use jiff::Timestamp;

use super::Limit;
use crate::asked::Asked;
use crate::world::UserId;

/// The traffic that a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// REST and GraphQL, unless a specialised rule claims the request.
    Api,
    /// Files of repositories: `/projects/:id/repository/files/…`.
    FilesApi,
    /// Packages.
    PackagesApi,
    /// `GET /groups/:id` without `with_projects=false`.
    DeprecatedApi,
    /// What is no API.
    Web,
    /// Everything.
    All,
}

/// Whose requests a rule counts, and by what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// Signed-in callers, by user.
    User,
    /// Everybody else, by address. A token that does not work is as good as none.
    Anonymous,
    /// All callers, by address.
    Everybody,
}

/// Which answers carry the headers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Headers {
    /// Every answer for which a rule was evaluated.
    #[default]
    Always,
    /// Refusals only, as in older versions.
    Only429,
}

/// One throttle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What `RateLimit-Name` says.
    pub name: String,
    /// How many requests per period.
    pub limit: Limit,
    /// Which requests are counted.
    pub class: Class,
    /// Whose requests are counted.
    pub who: Who,
    /// Start and end of the only times at which the rule is in force, as for an announced
    /// brownout. An empty list means always.
    pub in_force: Vec<(Timestamp, Timestamp)>,
}

impl Rule {
    /// Makes a rule that is always in force.
    pub fn new(name: &str, class: Class, who: Who, limit: Limit) -> Self {
        Self { name: name.to_owned(), limit, class, who, in_force: Vec::new() }
    }

    fn is_in_force(&self, now: Timestamp) -> bool {
        self.in_force.is_empty()
            || self.in_force.iter().any(|(start, end)| *start <= now && now < *end)
    }

    /// Returns the bucket that a caller has under this rule.
    pub(super) fn key(&self, user: Option<UserId>, address: IpAddr) -> Option<Key> {
        match (self.who, user) {
            (Who::User, Some(user)) => Some(Key::User(user)),
            (Who::Anonymous, None) | (Who::Everybody, _) => Some(Key::Address(address)),
            (Who::User, None) | (Who::Anonymous, Some(_)) => None,
        }
    }
}

/// Whose bucket it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    User(UserId),
    Address(IpAddr),
}

/// Several throttles at once. All count; the one with the least remaining is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttles {
    /// The rules. Where two have the same remaining, the earlier is shown.
    pub rules: Vec<Rule>,
    /// Which answers carry the headers.
    pub headers: Headers,
    /// The text of refusals, which administrators can set. A newline follows it.
    pub text: String,
    /// User names on the allow-list: they are not counted, and see no headers.
    pub exempt_users: BTreeSet<String>,
    /// A header that the operator's load balancer sets to `1` on requests that are not counted.
    pub bypass_header: Option<String>,
}

impl Throttles {
    /// Tells whether the request is on no list at all.
    pub(super) fn exempts(&self, asked: &Asked<'_>, username: Option<&str>) -> bool {
        let bypass = self.bypass_header.as_deref().and_then(|name| asked.header(name));
        bypass.is_some_and(|value| value.trim() == "1")
            || username.is_some_and(|name| self.exempt_users.contains(name))
    }

    /// Returns the rules that count a request, with their place in the list.
    pub(super) fn counting(
        &self,
        asked: &Asked<'_>,
        user: Option<UserId>,
        now: Timestamp,
    ) -> Vec<(usize, &Rule, Key)> {
        let special = special_class(asked);
        let general = if asked.path.starts_with("/api/") { Class::Api } else { Class::Web };
        let applies = |rule: &Rule, class: Class| rule.class == class && rule.is_in_force(now);
        let claimed = |who: Who| {
            special.is_some_and(|class| {
                self.rules.iter().any(|rule| rule.who == who && applies(rule, class))
            })
        };
        self.rules
            .iter()
            .enumerate()
            .filter(|(_, rule)| match rule.class {
                Class::All => rule.is_in_force(now),
                class if Some(class) == special => rule.is_in_force(now),
                class => class == general && rule.is_in_force(now) && !claimed(rule.who),
            })
            .filter_map(|(place, rule)| Some((place, rule, rule.key(user, asked.address)?)))
            .collect()
    }
}

/// Returns the specialised class of a request.
fn special_class(asked: &Asked<'_>) -> Option<Class> {
    let segments = asked.segments();
    match segments.as_slice() {
        ["projects", _, "repository", "files", _, ..] => Some(Class::FilesApi),
        ["packages", ..]
        | ["projects" | "groups", _, "packages", ..]
        | ["groups", _, "-", "packages", ..] => Some(Class::PackagesApi),
        ["groups", id] if !id.is_empty() && asked.reads() => {
            let projects = asked.query.text("with_projects").map(str::to_ascii_lowercase);
            let without = projects
                .is_some_and(|word| ["false", "0", "f", "no", "n", "off"].contains(&word.as_str()));
            (!without).then_some(Class::DeprecatedApi)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, Method};

    use super::*;
    use crate::rest::query::Query;

    #[test]
    fn addresses_fall_into_their_classes() {
        for (path, query, class) in [
            ("/api/v4/projects/1/repository/files/a%2Fb/raw", "", Some(Class::FilesApi)),
            ("/api/v4/projects/acme%2Fshop/repository/files/a", "", Some(Class::FilesApi)),
            ("/api/v4/projects/1/repository/tree", "", None),
            ("/api/v4/groups/1", "", Some(Class::DeprecatedApi)),
            ("/api/v4/groups/1", "with_projects=true", Some(Class::DeprecatedApi)),
            ("/api/v4/groups/1", "with_projects=false", None),
            ("/api/v4/groups/1/projects", "", None),
            ("/api/v4/groups", "", None),
            ("/api/v4/projects/1/packages/generic/a/1/b", "", Some(Class::PackagesApi)),
            ("/api/graphql", "", None),
            ("/acme/shop", "", None),
        ] {
            let asked = Asked {
                method: &Method::GET,
                path,
                query: &Query::parse(query),
                headers: &HeaderMap::new(),
                address: IpAddr::from([127, 0, 0, 1]),
            };
            assert_eq!(special_class(&asked), class, "{path}?{query}");
        }
    }
}
