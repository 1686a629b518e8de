//! Points of section 12 about limits, tokens and scopes.

use std::time::Duration;

use gitlab_sim::world::{AccessLevel, NewProject, Visibility, World};
use gitlab_sim::{
    Class, Clock, EndpointLimit, EndpointLimits, GitLab, Limit, Options, Plan, Rule, Throttle,
    Throttles, Who,
};
use jiff::SignedDuration;
use serde_json::json;

use crate::client::{Reply, fetch, get, get_anonymously, get_as};

fn clock() -> Clock {
    Clock::at("2026-11-22T10:00:45Z".parse().unwrap())
}

async fn limited(throttle: Throttle) -> (GitLab, Clock) {
    let clock = clock();
    let world = World::with_clock(clock.clone());
    let options = Options { throttle, ..Options::default() };
    (GitLab::start(world, options).await.unwrap(), clock)
}

/// All headers that speak of limits.
fn limit_headers(reply: &Reply) -> Vec<&str> {
    let names = reply.headers.keys().map(reqwest::header::HeaderName::as_str);
    names.filter(|name| name.starts_with("ratelimit") || *name == "retry-after").collect()
}

#[tokio::test]
async fn point_03_an_endpoint_refuses_with_json_and_without_headers_out_of_a_blue_sky() {
    let clock = clock();
    let options = Options {
        throttle: Throttle::Custom(Throttles::gitlab_com()),
        endpoint_limits: EndpointLimits::gitlab_com(),
        ..Options::default()
    };
    let gitlab = GitLab::start(World::with_clock(clock.clone()), options).await.unwrap();
    for number in 1..=50 {
        let reply = get(&gitlab, "/groups").await;
        assert_eq!(reply.status, 200);
        let remaining = (2000 - number).to_string();
        assert_eq!(reply.header("ratelimit-remaining"), Some(remaining.as_str()), "ample");
    }
    let refused = get(&gitlab, "/groups").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("content-type"), Some("application/json"));
    assert_eq!(
        refused.json(),
        json!({"message": {"error":
            "This endpoint has been requested too many times. Try again later."}})
    );
    assert_eq!(limit_headers(&refused), Vec::<&str>::new());
    let other = get(&gitlab, "/projects").await;
    assert_eq!((other.status, other.header("ratelimit-remaining")), (200, Some("1948")));
    clock.advance(SignedDuration::from_secs(15));
    assert_eq!(get(&gitlab, "/groups").await.status, 200, "the window is over");
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
async fn point_04_the_throttle_refuses_in_plain_text_on_rest_and_graphql() {
    let (gitlab, _) = limited(Throttle::Always(Limit::per_minute(1))).await;
    assert_eq!(get(&gitlab, "/version").await.status, 200);
    let refused = get(&gitlab, "/version").await;
    let reset = "2026-11-22T10:01:00Z".parse::<jiff::Timestamp>().unwrap().as_second().to_string();
    let graphql = reqwest::Client::new()
        .post(format!("{}/api/graphql", gitlab.url()))
        .header("private-token", gitlab.token())
        .json(&json!({"query": "{ currentUser { username } }"}))
        .send()
        .await
        .unwrap();
    let graphql = Reply {
        status: graphql.status().as_u16(),
        headers: graphql.headers().clone(),
        text: graphql.text().await.unwrap(),
    };
    for (reply, observed) in [(refused, "2"), (graphql, "3")] {
        assert_eq!((reply.status, reply.text.as_str()), (429, "Retry later\n"));
        assert_eq!(reply.header("content-type"), Some("text/plain"));
        assert_eq!(reply.header("retry-after"), Some("15"));
        assert_eq!(reply.header("ratelimit-reset"), Some(reset.as_str()));
        assert_eq!(reply.header("ratelimit-resettime"), Some("Sun, 22 Nov 2026 10:01:00 GMT"));
        assert_eq!(reply.header("ratelimit-name"), Some("throttle_authenticated_api"));
        assert_eq!(reply.header("ratelimit-observed"), Some(observed), "one bucket for both");
        assert_eq!(reply.header("ratelimit-remaining"), Some("0"));
    }
}

#[tokio::test]
async fn point_12_the_limit_is_per_minute_while_the_rest_is_of_the_real_window() {
    let hourly = Limit { requests: 7200, period: Duration::from_hours(1) };
    let (gitlab, _) = limited(Throttle::Always(hourly)).await;
    let mut last = get(&gitlab, "/version").await;
    for _ in 1..30 {
        last = get(&gitlab, "/version").await;
    }
    assert_eq!(last.header("ratelimit-limit"), Some("120"));
    assert_eq!(last.header("ratelimit-observed"), Some("30"));
    assert_eq!(last.header("ratelimit-remaining"), Some("7170"), "not 120 - 30");
    let odd = Limit { requests: 5000, period: Duration::from_hours(1) };
    gitlab.set_throttle(Throttle::Always(odd));
    assert_eq!(get(&gitlab, "/version").await.header("ratelimit-limit"), Some("84"), "rounded up");
}

#[tokio::test]
async fn point_13_windows_are_fixed_and_the_quota_jumps_back_at_the_boundary() {
    let ten = Limit::per_ten_minutes(2);
    let (gitlab, clock) = limited(Throttle::Always(ten)).await;
    let at = |time: &str| clock.set(format!("2026-11-22T{time}Z").parse().unwrap());
    let boundary = "2026-11-22T10:10:00Z".parse::<jiff::Timestamp>().unwrap();
    for (time, status, wait) in [
        ("10:08:20", 200, None),
        ("10:09:00", 200, None),
        ("10:09:10", 429, Some("50")),
        ("10:09:59.999", 429, Some("1")),
    ] {
        at(time);
        let reply = get(&gitlab, "/version").await;
        assert_eq!((reply.status, reply.header("retry-after")), (status, wait), "{time}");
        let reset = boundary.as_second().to_string();
        assert_eq!(reply.header("ratelimit-reset"), Some(reset.as_str()), "{time}");
    }
    at("10:10:00");
    let back = get(&gitlab, "/version").await;
    assert_eq!((back.status, back.header("ratelimit-remaining")), (200, Some("1")));
}

#[tokio::test]
async fn point_14_headers_come_never_always_or_on_refusals_as_the_instance_is_run() {
    let (off, _) = limited(Throttle::Custom(Throttles::self_managed_default())).await;
    for _ in 0..3 {
        assert_eq!(limit_headers(&get(&off, "/version").await), Vec::<&str>::new());
    }
    let (com, _) = limited(Throttle::Custom(Throttles::gitlab_com())).await;
    for (path, status) in [("/version", 200), ("/projects/9", 404), ("/nothing", 404)] {
        let reply = get(&com, path).await;
        assert_eq!((reply.status, limit_headers(&reply).len()), (status, 5), "{path}");
        assert_eq!(reply.header("ratelimit-limit"), Some("2000"));
    }
    let (old, _) = limited(Throttle::Only429(Limit::per_minute(1))).await;
    assert_eq!(limit_headers(&get(&old, "/version").await), Vec::<&str>::new());
    assert_eq!(limit_headers(&get(&old, "/version").await).len(), 7);
}

#[tokio::test]
async fn point_28_a_token_expires_at_midnight_and_then_nothing_answers_not_even_the_public() {
    let clock = Clock::at("2026-11-22T23:59:59Z".parse().unwrap());
    let mut world = World::with_clock(clock.clone());
    world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    let ann = world.add_user("ann");
    let token = world.add_token(ann, &["read_api"], Some("2026-11-23".parse().unwrap()));
    let gitlab = GitLab::start(world, Options::default()).await.unwrap();
    let paths = ["/projects/1", "/projects", "/projects/1/issues", "/personal_access_tokens/self"];
    for path in paths {
        assert_eq!(get_as(&gitlab, Some(&token), path).await.status, 200, "{path}");
    }
    clock.advance(SignedDuration::from_secs(1));
    for path in paths {
        let reply = get_as(&gitlab, Some(&token), path).await;
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(reply.json()["error"], "invalid_token");
        let words = reply.json()["error_description"].as_str().unwrap().to_owned();
        assert!(words.starts_with("Token is expired."), "{words}");
        assert!(reply.header("www-authenticate").unwrap().contains("invalid_token"));
    }
    assert_eq!(get_anonymously(&gitlab, "/projects/1").await.status, 200);
}

#[tokio::test]
async fn point_28_a_scope_that_does_not_suffice_and_an_unknown_token_have_their_own_words() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    world.add_file(project, "README.md", "hello");
    let ann = world.add_user("ann");
    let narrow = world.add_token(ann, &["read_user"], None);
    let code = world.add_token(ann, &["read_repository"], None);
    let gitlab = GitLab::start(world, Options::default()).await.unwrap();
    let files = "/projects/1/repository/files/README.md/raw";
    for (token, path, scope) in [
        (&narrow, "/projects/1", "api read_api"),
        (&narrow, "/projects", "api read_api"),
        (&narrow, files, "api read_api read_repository"),
        (&code, "/projects/1/issues", "api read_api"),
        (&code, "/projects/1/repository/tree", "api read_api"),
        (&code, "/user", "api read_user"),
    ] {
        let reply = get_as(&gitlab, Some(token), path).await;
        assert_eq!(reply.status, 403, "{path}");
        assert_eq!(reply.json()["error"], "insufficient_scope");
        assert_eq!(reply.json()["scope"], scope, "{path}");
    }
    assert_eq!(get_as(&gitlab, Some(&code), files).await.text, "hello");
    assert_eq!(get_as(&gitlab, Some(&narrow), "/user").await.status, 200);
    for path in ["/projects/1", "/projects", files, "/user"] {
        let reply = get_as(&gitlab, Some("glpat-unknown"), path).await;
        assert_eq!((reply.status, reply.json()), (401, json!({"message": "401 Unauthorized"})));
        assert_eq!(reply.header("www-authenticate"), None);
    }
}

#[tokio::test]
async fn point_37_tokens_of_one_user_share_a_quota_and_bots_do_not_below_one_for_the_address() {
    let mut world = World::with_clock(clock());
    let shop = world.add_project(NewProject::at("acme/shop"));
    let ann = world.add_user("ann");
    let ann: Vec<String> = (0..2).map(|_| world.add_token(ann, &["read_api"], None)).collect();
    let level = AccessLevel::Reporter;
    let bots: Vec<String> =
        (0..2).map(|_| world.add_project_token(shop, "bot", level, &["read_api"], None)).collect();
    let mut throttles = Throttles::plain(Limit::per_minute(2));
    let above = Rule::new("throttle_ip", Class::All, Who::Everybody, Limit::per_minute(6));
    throttles.rules.push(above);
    let options = Options { throttle: Throttle::Custom(throttles), ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    let remaining = async |token: &String| {
        let reply = get_as(&gitlab, Some(token), "/user").await;
        let left = reply.header("ratelimit-remaining").unwrap().to_owned();
        (reply.status, reply.header("ratelimit-name").unwrap().to_owned(), left)
    };
    let api = || "throttle_authenticated_api".to_owned();
    assert_eq!(remaining(&ann[0]).await, (200, api(), "1".to_owned()));
    assert_eq!(remaining(&ann[1]).await, (200, api(), "0".to_owned()), "the same quota");
    assert_eq!(remaining(&ann[1]).await.0, 429);
    assert_eq!(remaining(&bots[0]).await, (200, api(), "1".to_owned()));
    assert_eq!(remaining(&bots[1]).await, (200, api(), "1".to_owned()), "its own quota");
    let last = remaining(&bots[1]).await;
    assert_eq!((last.0, last.2.as_str()), (200, "0"));
    let above = remaining(&bots[0]).await;
    assert_eq!((above.0, above.1.as_str()), (429, "throttle_ip"), "although one is left");
}

#[tokio::test]
async fn point_38_the_plan_limits_the_hour_and_the_minute_and_headers_show_the_tighter() {
    let mut throttles = Throttles::tier_aware(Plan::Free);
    // The hour of the plan cut to 120, so that the test need not send 5,000 requests.
    for rule in &mut throttles.rules {
        if rule.limit == Limit::per_hour(5_000) {
            rule.limit = Limit::per_hour(120);
        }
    }
    let (gitlab, clock) = limited(Throttle::Custom(throttles)).await;
    let shown = |reply: &Reply| {
        let header = |name| reply.header(name).unwrap().to_owned();
        (header("ratelimit-limit"), header("ratelimit-observed"), header("ratelimit-remaining"))
    };
    let text = |limit: &str, observed: &str, remaining: &str| {
        (limit.to_owned(), observed.to_owned(), remaining.to_owned())
    };
    for _ in 0..99 {
        get(&gitlab, "/version").await;
    }
    assert_eq!(shown(&get(&gitlab, "/version").await), text("100", "100", "0"), "the minute");
    assert_eq!(get(&gitlab, "/version").await.header("retry-after"), Some("15"));
    clock.advance(SignedDuration::from_secs(15));
    assert_eq!(shown(&get(&gitlab, "/version").await), text("2", "102", "18"), "the hour");
    for _ in 0..18 {
        assert_eq!(get(&gitlab, "/version").await.status, 200);
    }
    let refused = get(&gitlab, "/version").await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("3540")));
    let web = fetch(&format!("{}/acme", gitlab.url()), &[]).await;
    assert_eq!(web.header("ratelimit-limit"), Some("1"), "60 an hour without a user, web too");
}

#[tokio::test]
async fn point_38_a_brownout_is_in_force_between_its_announced_start_and_end() {
    let at = |time: &str| format!("2026-11-22T{time}Z").parse::<jiff::Timestamp>().unwrap();
    let throttles =
        Throttles::tier_aware(Plan::Free).plan_only_between(&[(at("11:00:00"), at("11:05:00"))]);
    let (gitlab, clock) = limited(Throttle::Custom(throttles)).await;
    for (time, limit) in
        [("10:59:59", "2000"), ("11:00:00", "100"), ("11:04:59", "100"), ("11:05:00", "2000")]
    {
        clock.set(at(time));
        let reply = get(&gitlab, "/version").await;
        assert_eq!(reply.header("ratelimit-limit"), Some(limit), "{time}");
    }
}

#[tokio::test]
async fn point_03_both_limits_of_the_table_and_one_of_ones_own_are_counted_apart() {
    let clock = clock();
    let entry = EndpointLimit::new("labels", "/projects/:id/labels", Limit::per_minute(1));
    let options =
        Options { endpoint_limits: EndpointLimits::none().with(entry), ..Options::default() };
    let mut world = World::with_clock(clock);
    world.add_project(NewProject::at("acme/shop"));
    let gitlab = GitLab::start(world, options).await.unwrap();
    assert_eq!(get(&gitlab, "/projects/1/labels").await.status, 200);
    assert_eq!(get(&gitlab, "/projects/acme%2Fshop/labels").await.status, 429, "per user");
    assert_eq!(get(&gitlab, "/projects/1/issues").await.status, 200);
    assert_eq!(get_anonymously(&gitlab, "/projects/1/labels").await.status, 404, "not counted");
}
