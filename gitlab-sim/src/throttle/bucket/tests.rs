//! The rules of the throttle, one by one, without a server.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::{HeaderMap, Method};

use super::super::{Class, Limit, Plan, Throttle, Who};
use super::*;
use crate::rest::query::Query;
use crate::world::World;

/// Buckets with what it takes to fill them.
struct Door {
    world: World,
    throttles: Throttles,
    buckets: Buckets,
}

impl Door {
    fn new(throttles: impl Into<Throttles>) -> Self {
        let mut world = World::new();
        world.add_user("ann");
        world.add_user("bob");
        Self { world, throttles: throttles.into(), buckets: Buckets::default() }
    }

    /// Asks from an address and returns status, rule, remaining.
    fn ask(&mut self, who: Option<&str>, path: &str, at: &str) -> Shown {
        self.ask_from([10, 0, 0, 1], who, path, at)
    }

    fn ask_from(&mut self, ip: [u8; 4], who: Option<&str>, path: &str, at: &str) -> Shown {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked = Asked {
            method: &Method::GET,
            path,
            query: &Query::parse(query),
            headers: &HeaderMap::new(),
            address: IpAddr::from(ip),
        };
        let user = who.and_then(|name| self.world.find_user(name));
        let now = format!("2026-11-22T{at}Z").parse().unwrap();
        let Some(measured) = self.buckets.count(&self.throttles, &asked, user, now) else {
            return Shown::default();
        };
        let answer = if measured.exceeded() {
            measured.refusal()
        } else {
            Answer { headers: measured.headers(), ..Answer::json(&()) }
        };
        let header = |name: &str| {
            let row = answer.headers.iter().find(|(known, _)| known.as_str() == name);
            row.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        Shown {
            status: answer.status.as_u16(),
            name: header("ratelimit-name"),
            limit: header("ratelimit-limit"),
            observed: header("ratelimit-observed"),
            remaining: header("ratelimit-remaining"),
            reset: header("ratelimit-reset"),
            retry_after: header("retry-after"),
            reset_time: header("ratelimit-resettime"),
            body: String::from_utf8(answer.body.clone()).unwrap(),
        }
    }
}

#[derive(Debug, Default)]
struct Shown {
    status: u16,
    name: String,
    limit: String,
    observed: String,
    remaining: String,
    reset: String,
    retry_after: String,
    reset_time: String,
    body: String,
}

const LIST: &str = "/api/v4/projects";
const FILE: &str = "/api/v4/projects/1/repository/files/a%2Fb";

#[test]
fn the_limit_is_told_per_minute_and_the_rest_per_window() {
    let mut door = Door::new(Throttle::Always(Limit::per_hour(7200)));
    for _ in 0..2999 {
        door.ask(Some("ann"), LIST, "10:59:00");
    }
    let shown = door.ask(Some("ann"), LIST, "10:59:00");
    assert_eq!(
        (shown.limit.as_str(), shown.observed.as_str(), shown.remaining.as_str()),
        ("120", "3000", "4200")
    );
    let hour: Timestamp = "2026-11-22T11:00:00Z".parse().unwrap();
    assert_eq!(shown.reset, hour.as_second().to_string());
    let mut odd = Door::new(Throttle::Always(Limit::per_hour(5000)));
    assert_eq!(odd.ask(Some("ann"), LIST, "10:00:00").limit, "84", "rounded up");
}

#[test]
fn a_refusal_says_when_to_come_back() {
    let mut door = Door::new(Throttle::Only429(Limit::per_minute(0)));
    let shown = door.ask(None, LIST, "10:00:50");
    assert_eq!((shown.status, shown.body.as_str()), (429, "Retry later\n"));
    assert_eq!(shown.retry_after, "10");
    assert_eq!(shown.reset_time, "Sun, 22 Nov 2026 10:01:00 GMT");
    assert_eq!(shown.name, "throttle_unauthenticated_api");
    let mut quiet = Door::new(Throttle::Only429(Limit::per_minute(5)));
    assert_eq!(quiet.ask(None, LIST, "10:00:50").name, "");
}

#[test]
fn the_rule_with_the_least_remaining_is_shown() {
    let mut door = Door::new(Throttles::tier_aware(Plan::Free));
    let first = door.ask(Some("ann"), LIST, "10:00:00");
    assert_eq!((first.limit.as_str(), first.remaining.as_str()), ("100", "99"), "the minute");
    // 49 full minutes leave 100 of the hour: from then on the hour has less than the minute.
    for minute in 0..49 {
        for _ in 0..100 {
            door.ask(Some("ann"), LIST, &format!("10:{minute:02}:30"));
        }
    }
    let later = door.ask(Some("ann"), LIST, "10:50:00");
    assert_eq!((later.limit.as_str(), later.remaining.as_str()), ("84", "98"), "the hour");
    assert_eq!(later.observed, "4902");
    for _ in 0..99 {
        door.ask(Some("ann"), LIST, "10:51:00");
    }
    let refused = door.ask(Some("ann"), LIST, "10:51:30");
    assert_eq!((refused.status, refused.retry_after.as_str()), (429, "510"), "until 11:00");
    assert_eq!(door.ask(Some("bob"), LIST, "10:51:30").status, 200);
}

#[test]
fn a_special_rule_claims_a_request_instead_of_the_general_one() {
    let mut throttles = Throttles::plain(Limit::per_minute(10));
    let rule = |name, class, who| Rule::new(name, class, who, Limit::per_minute(3));
    throttles.rules.push(rule("throttle_authenticated_files_api", Class::FilesApi, Who::User));
    throttles.rules.push(rule("old", Class::DeprecatedApi, Who::User));
    let mut door = Door::new(throttles);
    let file = door.ask(Some("ann"), FILE, "10:00:00");
    assert_eq!(
        (file.name.as_str(), file.remaining.as_str()),
        ("throttle_authenticated_files_api", "2")
    );
    assert_eq!(door.ask(Some("ann"), LIST, "10:00:00").remaining, "9", "the general one is full");
    let group = door.ask(Some("ann"), "/api/v4/groups/1", "10:00:00");
    assert_eq!((group.name.as_str(), group.remaining.as_str()), ("old", "2"));
    let lean = door.ask(Some("ann"), "/api/v4/groups/1?with_projects=false", "10:00:00");
    assert_eq!((lean.name.as_str(), lean.remaining.as_str()), ("throttle_authenticated_api", "8"));
    let anonymous = door.ask(None, FILE, "10:00:00");
    assert_eq!(anonymous.name, "throttle_unauthenticated_api", "nobody claims it from them");
}

#[test]
fn an_address_wide_limit_sits_above_the_users() {
    let mut throttles = Throttles::plain(Limit::per_minute(10));
    let all = Rule::new("throttle_ip", Class::All, Who::Everybody, Limit::per_minute(4));
    throttles.rules.push(all);
    let mut door = Door::new(throttles);
    for who in [Some("ann"), Some("bob"), None, Some("ann")] {
        assert_eq!(door.ask(who, LIST, "10:00:00").status, 200);
    }
    let refused = door.ask(Some("bob"), LIST, "10:00:00");
    assert_eq!((refused.status, refused.name.as_str()), (429, "throttle_ip"));
    assert_eq!(door.ask_from([10, 0, 0, 2], Some("bob"), LIST, "10:00:00").status, 200);
}

#[test]
fn brownouts_count_only_while_they_last() {
    let at = |time: &str| format!("2026-11-22T{time}Z").parse().unwrap();
    let throttles =
        Throttles::tier_aware(Plan::Free).plan_only_between(&[(at("10:00:00"), at("10:05:00"))]);
    let mut door = Door::new(throttles);
    assert_eq!(door.ask(Some("ann"), LIST, "09:59:59").limit, "2000", "the older table");
    assert_eq!(door.ask(Some("ann"), LIST, "10:00:00").limit, "100");
    for _ in 0..99 {
        door.ask(Some("ann"), LIST, "10:00:01");
    }
    assert_eq!(door.ask(Some("ann"), LIST, "10:00:02").status, 429);
    let after = door.ask(Some("ann"), LIST, "10:05:00");
    assert_eq!((after.status, after.limit.as_str()), (200, "2000"));
}

#[test]
fn whoever_is_on_the_allow_list_sees_nothing() {
    let mut throttles = Throttles::plain(Limit::per_minute(1));
    throttles.exempt_users.insert("ann".to_owned());
    "Come back later".clone_into(&mut throttles.text);
    let mut door = Door::new(throttles);
    for _ in 0..3 {
        let shown = door.ask(Some("ann"), LIST, "10:00:00");
        assert_eq!((shown.status, shown.name.as_str()), (0, ""), "not measured at all");
    }
    door.ask(Some("bob"), LIST, "10:00:00");
    assert_eq!(door.ask(Some("bob"), LIST, "10:00:00").body, "Come back later\n");
}

#[test]
fn a_period_of_no_length_does_no_harm() {
    let limit = Limit { requests: 1, period: Duration::ZERO };
    let mut door = Door::new(Throttle::Always(limit));
    assert_eq!(door.ask(Some("ann"), LIST, "10:00:00").limit, "60");
    assert_eq!(door.ask(Some("ann"), LIST, "10:00:00").retry_after, "1");
}

#[test]
fn presets_have_the_numbers_and_names_of_the_reference() {
    let own = |throttles: Throttles| {
        throttles
            .with_files_api(Limit::per_minute(30))
            .with_packages_api(Limit::per_minute(40))
            .with_deprecated_api(Limit::per_minute(50))
    };
    let package = "/api/v4/projects/1/packages/generic/a/1/b";
    for (throttles, who, path, name, limit) in [
        (Throttles::gitlab_com(), Some("ann"), LIST, "throttle_authenticated_api", "2000"),
        (Throttles::gitlab_com(), None, LIST, "throttle_unauthenticated_api", "500"),
        (Throttles::gitlab_com(), Some("ann"), "/acme", "throttle_authenticated_web", "1000"),
        (Throttles::self_managed_default(), Some("ann"), LIST, "", ""),
        (Throttles::self_managed_enabled(), Some("ann"), LIST, "throttle_authenticated_api", "120"),
        (Throttles::self_managed_enabled(), None, LIST, "throttle_unauthenticated_api", "60"),
        (Throttles::dedicated(1200), Some("ann"), LIST, "throttle_authenticated_api", "1200"),
        (Throttles::dedicated(1200), None, LIST, "", ""),
        (own(Throttles::none()), None, FILE, "throttle_unauthenticated_files_api", "30"),
        (own(Throttles::none()), None, package, "throttle_unauthenticated_packages_api", "40"),
        (
            own(Throttles::none()),
            Some("ann"),
            "/api/v4/groups/1",
            "throttle_authenticated_deprecated_api",
            "50",
        ),
        (Throttles::tier_aware(Plan::Premium), Some("ann"), LIST, "throttle_plan_burst", "1250"),
        (Throttles::tier_aware(Plan::Ultimate), None, LIST, "throttle_plan_unauthenticated", "1"),
    ] {
        let shown = Door::new(throttles).ask(who, path, "10:00:00");
        assert_eq!((shown.name.as_str(), shown.limit.as_str()), (name, limit), "{path} {who:?}");
    }
}
