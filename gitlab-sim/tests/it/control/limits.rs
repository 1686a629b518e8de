//! Commands about limits.

use serde_json::json;

use super::{controlled, done};
use crate::client::get;

#[tokio::test]
async fn the_throttle_is_replaced_by_a_preset_with_rules_of_ones_own() {
    let gitlab = controlled().await;
    let shown = done(&gitlab, "GET /_sim/limits", json!({})).await;
    assert_eq!(shown["throttle"]["rules"], json!([]));
    let limit = json!({"preset": "always", "requests": 2, "period": "1h", "text": "Slow down"});
    done(&gitlab, "PUT /_sim/limits/throttle", limit).await;
    let first = get(&gitlab, "/projects").await;
    assert_eq!((first.status, first.header("ratelimit-remaining")), (200, Some("1")));
    get(&gitlab, "/projects").await;
    let refused = get(&gitlab, "/projects").await;
    assert_eq!((refused.status, refused.text.as_str()), (429, "Slow down\n"));

    let rule = json!({"headers": "only-429", "rules": [
        {"name": "mine", "requests": 1, "class": "files_api", "who": "everybody"},
        {"name": "later", "requests": 0, "class": "all",
         "in_force": [["2026-11-22T11:00:00Z", "2026-11-22T12:00:00Z"]]},
    ]});
    let shown = done(&gitlab, "PUT /_sim/limits/throttle", rule).await;
    assert_eq!(shown["throttle"]["rules"][0]["class"], "files_api");
    assert_eq!(shown["throttle"]["headers"], "only-429");
    let file = "/projects/1/repository/files/a/raw";
    let statuses = [get(&gitlab, file).await.status, get(&gitlab, file).await.status];
    assert_eq!(statuses, [404, 429]);
    let other = get(&gitlab, "/projects").await;
    assert_eq!((other.status, other.header("ratelimit-limit")), (200, None));
    done(&gitlab, "POST /_sim/clock/advance", json!({"by": "1h"})).await;
    assert_eq!(get(&gitlab, "/projects").await.status, 429, "the brownout has begun");

    let exempt = json!({"preset": "always", "requests": 0, "exempt_users": ["xrefd-bot"]});
    done(&gitlab, "PUT /_sim/limits/throttle", exempt).await;
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    let plan = json!({"preset": "tier-free", "plan_only_between": [], "bypass_header": "X-Mine"});
    let shown = done(&gitlab, "PUT /_sim/limits/throttle", plan).await;
    assert_eq!(shown["throttle"]["bypass_header"], "x-mine");
    assert!(shown["throttle"]["rules"].as_array().unwrap().len() > 6);
    let none = done(&gitlab, "PUT /_sim/limits/throttle", json!({})).await;
    assert_eq!(none["throttle"]["rules"], json!([]));
}

#[tokio::test]
async fn limits_of_endpoints_are_replaced_and_refuse_with_json() {
    let gitlab = controlled().await;
    let entry = json!({"preset": "self-managed", "retry_after": 30, "entries": [
        {"name": "labels", "paths": ["/projects/:id/labels"], "requests": 1, "period": "10m",
         "scope": "caller_and_project", "parameter": "search", "who": "user"},
    ]});
    let shown = done(&gitlab, "PUT /_sim/limits/endpoints", entry).await;
    let entries = shown["endpoints"]["entries"].as_array().unwrap();
    let last = entries.last().unwrap();
    assert_eq!((&last["name"], &last["period"]), (&json!("labels"), &json!("PT10M")));
    assert!(entries.len() > 10);
    for (path, status) in [
        ("/projects/1/labels?search=a", 200),
        ("/projects/1/labels", 200),
        ("/projects/2/labels?search=a", 200),
        ("/projects/1/labels?search=a", 429),
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!(reply.status, status, "{path}");
        let wait = (status == 429).then_some("30");
        assert_eq!(reply.header("retry-after"), wait, "{path}");
    }
    done(&gitlab, "PUT /_sim/limits/endpoints", json!({"preset": "none"})).await;
    assert_eq!(get(&gitlab, "/projects/1/labels?search=a").await.status, 200);
}

#[tokio::test]
async fn addresses_are_banned_and_let_in_again() {
    let gitlab = controlled().await;
    let until = json!({"until": "2026-11-22T10:01:00Z"});
    let shown = done(&gitlab, "PUT /_sim/limits/bans/127.0.0.1", until).await;
    assert_eq!(shown["banned"], json!({"127.0.0.1": "2026-11-22T10:01:00Z"}));
    assert_eq!(get(&gitlab, "/projects").await.status, 403);
    done(&gitlab, "POST /_sim/clock/advance", json!({"by": "1m"})).await;
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    done(&gitlab, "PUT /_sim/limits/bans/127.0.0.1", json!({})).await;
    assert_eq!(get(&gitlab, "/projects").await.text, "Forbidden\n");
    done(&gitlab, "DELETE /_sim/limits/bans/127.0.0.1", json!({})).await;
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
}
