//! The request throttle over HTTP.

use std::time::Duration;

use gitlab_sim::world::World;
use gitlab_sim::{Clock, GitLab, Limit, Options, Throttle};

use crate::client::{get, get_anonymously, get_as};

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
