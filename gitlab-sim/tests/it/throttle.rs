//! The request throttle and the limits of endpoints over HTTP.

use std::time::Duration;

use gitlab_sim::world::{NewProject, World};
use gitlab_sim::{
    Clock, EndpointLimit, EndpointLimits, GitLab, Limit, Options, Throttle, Throttles,
};

use crate::client::{Reply, fetch, get, get_anonymously, get_as};

async fn limited(throttle: Throttle) -> (GitLab, Clock) {
    let clock = Clock::at("2026-11-22T10:00:45Z".parse().unwrap());
    let mut world = World::with_clock(clock.clone());
    let ann = world.add_user("ann");
    world.add_token(ann, &["read_api"], None);
    world.add_token(ann, &["read_api"], None);
    let options = Options { throttle, ..Options::default() };
    (GitLab::start(world, options).await.unwrap(), clock)
}

#[tokio::test]
async fn over_the_limit_comes_a_plain_refusal_until_the_window_ends() {
    let (gitlab, clock) = limited(Throttle::Always(Limit::per_minute(2))).await;
    let first = get(&gitlab, "/version").await;
    assert_eq!(first.header("ratelimit-name"), Some("throttle_authenticated_api"));
    assert_eq!(first.header("ratelimit-limit"), Some("2"));
    assert_eq!(first.header("ratelimit-observed"), Some("1"));
    assert_eq!(first.header("ratelimit-remaining"), Some("1"));
    let missing = get(&gitlab, "/projects/9").await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("ratelimit-remaining"), Some("0"), "errors count and tell too");
    let refused = get(&gitlab, "/version").await;
    assert_eq!((refused.status, refused.text.as_str()), (429, "Retry later\n"));
    assert_eq!(refused.header("content-type"), Some("text/plain"));
    assert_eq!(refused.header("retry-after"), Some("15"));
    assert_eq!(refused.header("ratelimit-remaining"), Some("0"));
    assert_eq!(refused.header("ratelimit-resettime"), Some("Sun, 22 Nov 2026 10:01:00 GMT"));
    assert_eq!(get_anonymously(&gitlab, "/projects").await.status, 200, "another bucket");
    clock.advance(jiff::SignedDuration::from_secs(15));
    assert_eq!(get(&gitlab, "/version").await.status, 200);
    assert_eq!(gitlab.requests().iter().filter(|request| request.status == 429).count(), 1);
}

#[tokio::test]
async fn two_tokens_of_a_user_share_a_bucket() {
    let hourly = Limit { requests: 1, period: Duration::from_hours(1) };
    let (gitlab, _) = limited(Throttle::Only429(hourly)).await;
    let tokens = ["glpat-sim00000000000000002", "glpat-sim00000000000000003"];
    let first = get_as(&gitlab, Some(tokens[0]), "/user").await;
    assert_eq!(first.json()["username"], "ann");
    assert_eq!(first.header("ratelimit-limit"), None, "only refusals tell");
    let second = get_as(&gitlab, Some(tokens[1]), "/user").await;
    assert_eq!(second.status, 429);
    assert_eq!(second.header("ratelimit-limit"), Some("1"), "normalised to a minute, rounded up");
    assert_eq!(second.header("retry-after"), Some("3555"));
    assert_eq!(get(&gitlab, "/user").await.status, 200, "the bot has its own");
}

#[tokio::test]
async fn a_throttle_that_is_off_says_nothing() {
    let (gitlab, _) = limited(Throttle::None).await;
    let reply = get(&gitlab, "/version").await;
    assert!(reply.headers.keys().all(|name| !name.as_str().starts_with("ratelimit")));
}

/// The headers of the request throttle that an answer has.
fn limit_headers(reply: &Reply) -> Vec<&str> {
    let names = reply.headers.keys().map(reqwest::header::HeaderName::as_str);
    names.filter(|name| name.starts_with("ratelimit") || *name == "retry-after").collect()
}

#[tokio::test]
async fn a_token_that_does_not_work_counts_as_none() {
    let (gitlab, _) = limited(Throttle::Always(Limit::per_minute(2))).await;
    let wrong = get_as(&gitlab, Some("glpat-wrong"), "/version").await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.header("ratelimit-name"), Some("throttle_unauthenticated_api"));
    assert_eq!(get_anonymously(&gitlab, "/projects").await.header("ratelimit-observed"), Some("2"));
    assert_eq!(get_as(&gitlab, Some("glpat-wrong"), "/version").await.status, 429);
}

#[tokio::test]
async fn an_answer_that_was_not_sent_again_still_counts() {
    let (gitlab, _) = limited(Throttle::Always(Limit::per_minute(5))).await;
    let first = get(&gitlab, "/projects").await;
    let url = format!("{}/api/v4/projects", gitlab.url());
    let headers =
        [("private-token", gitlab.token()), ("if-none-match", first.header("etag").unwrap())];
    let second = fetch(&url, &headers).await;
    assert_eq!(second.status, 304);
    assert_eq!(second.header("ratelimit-remaining"), Some("3"));
}

#[tokio::test]
async fn whoever_is_exempt_or_bypasses_sees_no_headers() {
    let mut throttles = Throttles::plain(Limit::per_minute(1));
    throttles.exempt_users.insert("ann".to_owned());
    throttles.bypass_header = Some("gitlab-bypass".to_owned());
    let (gitlab, _) = limited(Throttle::Custom(throttles)).await;
    for _ in 0..3 {
        let exempt = get_as(&gitlab, Some("glpat-sim00000000000000002"), "/user").await;
        assert_eq!((exempt.status, limit_headers(&exempt)), (200, vec![]));
        let url = format!("{}/api/v4/projects", gitlab.url());
        let bypassed = fetch(&url, &[("gitlab-bypass", "1")]).await;
        assert_eq!((bypassed.status, limit_headers(&bypassed)), (200, vec![]));
    }
    assert_eq!(get(&gitlab, "/user").await.header("ratelimit-remaining"), Some("0"));
}

#[tokio::test]
async fn the_address_is_that_of_the_connection_or_of_a_trusted_proxy() {
    for trusted in [false, true] {
        let options = Options {
            throttle: Throttle::Always(Limit::per_minute(1)),
            trust_forwarded_for: trusted,
            ..Options::default()
        };
        let clock = Clock::at("2026-11-22T10:00:45Z".parse().unwrap());
        let gitlab = GitLab::start(World::with_clock(clock), options).await.unwrap();
        let url = format!("{}/api/v4/projects", gitlab.url());
        for (address, refused) in [
            ("203.0.113.1, 10.0.0.1", false),
            ("203.0.113.2", !trusted),
            ("203.0.113.1", true),
            ("nonsense", !trusted),
        ] {
            let reply = fetch(&url, &[("x-forwarded-for", address)]).await;
            assert_eq!(reply.status == 429, refused, "{address}, trusted: {trusted}");
        }
    }
}

#[tokio::test]
async fn a_banned_address_gets_403_whatever_it_asks_for() {
    let local = std::net::IpAddr::from([127, 0, 0, 1]);
    let (gitlab, clock) = limited(Throttle::Always(Limit::per_minute(100))).await;
    gitlab.ban(local, Some("2026-11-22T11:00:00Z".parse().unwrap()));
    for url in ["/api/v4/projects", "/api/v4/version", "/api/graphql", "/acme/shop"] {
        let url = format!("{}{url}", gitlab.url());
        let reply = fetch(&url, &[("private-token", gitlab.token())]).await;
        assert_eq!((reply.status, reply.text.as_str()), (403, "Forbidden\n"), "{url}");
        assert_eq!(limit_headers(&reply), Vec::<&str>::new());
    }
    clock.set("2026-11-22T11:00:00Z".parse().unwrap());
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    gitlab.ban(local, None);
    assert_eq!(get(&gitlab, "/projects").await.status, 403);
    assert!(gitlab.lift_ban(local));
    assert!(!gitlab.lift_ban(local));
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    let options = Options { banned: [local].into(), ..Options::default() };
    let banned = GitLab::start(World::new(), options).await.unwrap();
    assert_eq!(get(&banned, "/projects").await.status, 403);
}

#[tokio::test]
async fn limits_can_be_changed_while_they_are_in_force() {
    let (gitlab, _) = limited(Throttle::None).await;
    assert_eq!(limit_headers(&get(&gitlab, "/version").await), Vec::<&str>::new());
    gitlab.set_throttle(Throttle::Always(Limit::per_minute(0)));
    assert_eq!(get(&gitlab, "/version").await.status, 429);
    gitlab.set_throttle(Throttle::None);
    let entry = EndpointLimit::new("version", "/version", Limit::per_minute(1));
    gitlab.set_endpoint_limits(EndpointLimits::none().with(entry));
    assert_eq!(get(&gitlab, "/version").await.status, 200);
    assert_eq!(get(&gitlab, "/version").await.status, 429);
    assert_eq!(get(&gitlab, "/user").await.status, 200, "another endpoint");
}

#[tokio::test]
async fn both_systems_count_one_request_and_each_refuses_in_its_own_way() {
    let (gitlab, _) = limited(Throttle::Always(Limit::per_minute(3))).await;
    let entry = EndpointLimit::new("version", "/version", Limit::per_minute(1));
    gitlab.set_endpoint_limits(EndpointLimits::none().with(entry));
    let first = get(&gitlab, "/version").await;
    assert_eq!(first.header("ratelimit-remaining"), Some("2"));
    let second = get(&gitlab, "/version").await;
    assert_eq!(second.header("content-type"), Some("application/json"));
    assert_eq!((second.status, limit_headers(&second)), (429, vec![]));
    let third = get(&gitlab, "/user").await;
    assert_eq!(third.header("ratelimit-remaining"), Some("0"), "the refusal was counted");
    let fourth = get(&gitlab, "/version").await;
    assert_eq!((fourth.status, fourth.text.as_str()), (429, "Retry later\n"), "the outer first");
}

#[tokio::test]
async fn a_search_has_a_limit_and_the_same_list_without_it_has_none() {
    let mut world = World::with_clock(Clock::at("2026-11-22T10:00:45Z".parse().unwrap()));
    world.add_project(NewProject::at("acme/shop"));
    let options = Options { endpoint_limits: EndpointLimits::self_managed(), ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    for number in 1..=31 {
        let searched = get(&gitlab, "/projects/1/issues?search=x").await;
        assert_eq!(searched.status, if number <= 30 { 200 } else { 429 }, "{number}");
        assert_eq!(get(&gitlab, "/projects/1/issues?search=").await.status, 200);
    }
}

#[tokio::test]
async fn an_option_tells_how_long_to_stay_away_from_an_endpoint() {
    let (gitlab, _) = limited(Throttle::None).await;
    let entry = EndpointLimit::new("user", "/user", Limit::per_minute(1));
    let limits = EndpointLimits { retry_after: Some(Duration::from_mins(1)), ..Default::default() };
    gitlab.set_endpoint_limits(limits.with(entry));
    get(&gitlab, "/user").await;
    let refused = get(&gitlab, "/user").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("60")));
}

#[tokio::test]
async fn graphql_is_refused_by_its_application_limit_in_its_own_shape() {
    let (gitlab, _) = limited(Throttle::None).await;
    let entry = EndpointLimit::new("graphql", "/api/graphql", Limit::per_minute(1));
    gitlab.set_endpoint_limits(EndpointLimits::none().with(entry));
    let url = format!("{}/api/graphql", gitlab.url());
    let headers = [("private-token", gitlab.token())];
    assert_ne!(fetch(&url, &headers).await.status, 429);
    let refused = fetch(&url, &headers).await;
    assert_eq!(refused.status, 429);
    assert!(refused.json()["errors"][0]["message"].is_string(), "{}", refused.text);
}

#[tokio::test]
async fn whoever_acts_as_another_uses_up_their_own_quota() {
    let mut world = World::with_clock(Clock::at("2026-11-22T10:00:45Z".parse().unwrap()));
    let (root, ann) = (world.add_user("root"), world.add_user("ann"));
    world.set_admin(root, true);
    let sudo = world.add_token(root, &["api", "sudo"], None);
    let ann = world.add_token(ann, &["api"], None);
    let options =
        Options { throttle: Throttle::Always(Limit::per_minute(9)), ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    let url = format!("{}/api/v4/user", gitlab.url());
    let as_ann = fetch(&url, &[("private-token", &sudo), ("sudo", "ann")]).await;
    assert_eq!(as_ann.header("ratelimit-remaining"), Some("8"));
    let as_nobody = fetch(&url, &[("private-token", &sudo), ("sudo", "nobody")]).await;
    assert_eq!(
        (as_nobody.status, as_nobody.header("ratelimit-remaining")),
        (404, Some("7")),
        "the token is known, whatever it is refused"
    );
    let own = get_as(&gitlab, Some(&ann), "/user").await;
    assert_eq!(own.header("ratelimit-remaining"), Some("8"));
    assert_eq!(get_as(&gitlab, Some(&sudo), "/user").await.header("ratelimit-observed"), Some("3"));
}
