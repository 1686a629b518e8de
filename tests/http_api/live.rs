//! What is told of the crawler that runs in the same process: `/v1/crawls` and `/metrics`.

use axum::http::{Request, StatusCode};

use gitlab_sim::world::NewProject;
use gitlab_sim::{GitLab, Limit, Options, Throttle, World};

use crate::support::shop::{SHOP_ONLY, SYNC_ONLY, Shop, sections};
use crate::support::{Bench, Index, MEMBER, READER};

/// A GitLab that states its limits, with a clock that goes, and its index.
async fn open_limited() -> (GitLab, Bench, Index) {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/webshop"));
    let throttle = Throttle::Always(Limit::per_minute(2_000));
    let options = Options { throttle, ..Options::default() };
    let gitlab = GitLab::start(world, options).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &sections());
    let index = bench.open().await;
    index.sync().await;
    (gitlab, bench, index)
}

#[tokio::test]
async fn crawls_tell_state_budget_token_and_version() {
    let (_gitlab, _bench, index) = open_limited().await;
    let rows = index.api(Some(READER)).list("/v1/crawls").await;
    let row = &rows[0];
    assert_eq!(row["state"]["now"], "idle");
    assert_eq!(row["state"]["last"]["outcome"], "complete");
    assert!(row["state"]["last"]["requests"].as_u64().is_some_and(|requests| requests > 0));
    let window = &row["budget"]["windows"][0];
    assert!(window["used"].as_u64() <= window["limit"].as_u64(), "{window}");
    assert!(window["allowed"].as_u64() < window["limit"].as_u64(), "a share is left: {window}");
    assert_eq!(row["token"]["scopes"], serde_json::json!(["read_api"]), "{row:#}");
    assert!(row["token"]["checked_at"].is_string());
    assert!(row["unavailable"].is_array() && row["gitlab"].is_object());
}

#[tokio::test]
async fn a_key_limited_to_groups_learns_nothing_of_the_token() {
    let shop = Shop::open().await;
    let rows = shop.index.api(Some(SHOP_ONLY)).list("/v1/crawls").await;
    let token = &rows[0]["token"];
    assert!(token["checked_at"].is_string(), "{token}");
    assert!(token["name"].is_null(), "{token}");
    for list in ["scopes", "warnings", "missing", "needless"] {
        assert_eq!(token[list], serde_json::json!([]), "{token}");
    }
}

#[tokio::test]
async fn crawls_tell_of_each_list_of_each_root_how_far_it_was_read() {
    let (_gitlab, _bench, index) = open_limited().await;
    let rows = index.api(Some(READER)).list("/v1/crawls").await;
    let streams = rows[0]["streams"].as_array().expect("a list");
    let names: Vec<_> = streams.iter().map(|s| (&s["root"], &s["stream"])).collect();
    let root = serde_json::json!("group:acme");
    let lists = ["projects", "issues", "merge_requests"].map(|list| serde_json::json!(list));
    assert_eq!(names, lists.iter().map(|list| (&root, list)).collect::<Vec<_>>());
    for stream in streams {
        assert_eq!(stream["state"], "incremental", "{stream:#}");
        assert_eq!(stream["origin"], "configured", "{stream:#}");
        for instant in ["watermark", "last_success"] {
            assert!(stream[instant].is_string(), "{stream:#}");
        }
        assert!(stream["lag_seconds"].is_u64(), "{stream:#}");
        assert!(stream["incomplete"].is_null() && stream["progress"].is_null(), "{stream:#}");
    }
    assert!(streams[1]["whole_at"].is_string(), "{streams:#?}");
}

#[tokio::test]
async fn a_key_limited_to_groups_is_told_of_lists_of_these_alone() {
    let shop = Shop::open().await;
    let told = shop.index.api(Some(MEMBER)).list("/v1/crawls").await;
    assert_eq!(told[0]["streams"][0]["root"], "group:acme", "{told:#?}");
    let told = shop.index.api(Some(SHOP_ONLY)).list("/v1/crawls").await;
    assert_eq!(told[0]["streams"], serde_json::json!([]), "the root is not in the group");
}

#[tokio::test]
async fn the_tag_of_crawls_changes_with_the_budget_and_that_of_others_does_not() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(MEMBER));
    let (crawls, services) = (api.get("/v1/crawls").await, api.get("/v1/services").await);
    // Nothing has changed, so nothing is committed but the age; the budget is used.
    shop.index.sync().await;
    let again = api.get("/v1/crawls").await;
    assert_ne!(crawls.header("etag"), again.header("etag"));
    assert_ne!(services.header("etag"), "");
    let asked = Request::get("/v1/crawls").header("if-none-match", crawls.header("etag"));
    assert_eq!(api.send(asked).await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_requests_by_route_and_never_name_a_project() {
    let (gitlab, _bench, index) = open_limited().await;
    let answer = index.api(Some(READER)).get("/metrics").await;
    assert_eq!(answer.status, StatusCode::OK);
    let kind = answer.header("content-type");
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(answer.bytes).expect("it is text");
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in [
        "xrefd_gitlab_requests_total{source=\"sim\",route=\"/groups/:x\",status=\"200\"} 1",
        "xrefd_gitlab_throttled_total{source=\"sim\"} 0",
        "xrefd_sync_running{source=\"sim\"} 0",
        "xrefd_syncs_total{source=\"sim\",outcome=\"complete\"} 1",
        "xrefd_source_problems{source=\"sim\"} 0",
        "xrefd_gitlab_paused{source=\"sim\"} 0",
        "xrefd_gitlab_outage{source=\"sim\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    for name in [
        "xrefd_gitlab_request_duration_seconds_bucket{le=\"+Inf\"",
        "xrefd_gitlab_budget_limit{source=\"sim\",throttle=",
        "xrefd_gitlab_token_checked_timestamp_seconds{",
        "xrefd_source_complete_timestamp_seconds{",
        "xrefd_stream_watermark_timestamp_seconds{source=\"sim\",root=\"group:acme\",stream=\"issues\"}",
        "xrefd_stream_lag_seconds{source=\"sim\",root=\"group:acme\",stream=\"projects\"}",
        "xrefd_stream_problems{source=\"sim\",root=\"group:acme\",stream=\"merge_requests\"} 0",
    ] {
        assert!(text.contains(name), "{name} is not in\n{text}");
    }
    for secret in ["webshop", gitlab.token()] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}

#[tokio::test]
async fn metrics_are_for_keys_that_see_everything() {
    let shop = Shop::open().await;
    for (key, status) in [
        (None, StatusCode::UNAUTHORIZED),
        (Some(SYNC_ONLY), StatusCode::FORBIDDEN),
        (Some(SHOP_ONLY), StatusCode::FORBIDDEN),
        (Some(MEMBER), StatusCode::OK),
    ] {
        assert_eq!(shop.index.api(key).get("/metrics").await.status, status, "{key:?}");
    }
}
