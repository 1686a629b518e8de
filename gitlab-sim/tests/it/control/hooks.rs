//! Commands about webhooks.

use serde_json::json;

use super::{WEB, controlled, done, tell};
use crate::receiver::{Answer, Receiver};

#[tokio::test]
async fn hooks_are_added_told_listed_and_removed_and_show_no_secret() {
    let gitlab = controlled().await;
    let receiver = Receiver::start().await;
    let new = json!({"url": receiver.url, "events": ["issues_events"], "token": "clear-secret",
                     "signing_token": "signing-secret", "headers": {"x-mine": "header-secret"}});
    let hook = done(&gitlab, &format!("POST {WEB}/hooks"), new).await;
    assert_eq!((&hook["scope"], &hook["of"]), (&json!("project"), &json!("acme/shop/web")));
    assert_eq!((&hook["has_token"], &hook["headers"]), (&json!(true), &json!(["x-mine"])));
    let group = json!({"url": receiver.url, "events": "all"});
    let group = done(&gitlab, "POST /_sim/groups/acme/hooks", group).await;
    assert_eq!(group["events"].as_array().unwrap().len(), 13);
    let system = done(&gitlab, "POST /_sim/hooks", json!({"url": receiver.url})).await;
    assert_eq!(system["events"], json!(["repository_update_events"]));

    done(&gitlab, &format!("POST {WEB}/issues/1/close?by=ann"), json!({})).await;
    let settled = done(&gitlab, "GET /_sim/hooks/settled", json!({})).await;
    assert_eq!(settled, json!({"settled": true, "waiting": 0}));
    let of_project = format!("GET /_sim/hooks/deliveries?hook={}", hook["id"]);
    let log = done(&gitlab, &of_project, json!({})).await;
    let row = &log["deliveries"][0];
    assert_eq!((&row["event"], &row["detail"]), (&json!("Issue Hook"), &json!(200)));
    assert_eq!((&row["body"]["user"]["username"], &row["attempt"]), (&json!("ann"), &json!(1)));
    assert_eq!(row["headers"]["x-mine"], "[hidden]");
    let came = receiver.take();
    assert!(came.iter().any(|one| one.header("x-gitlab-token") == Some("clear-secret")));
    assert!(came.iter().any(|one| one.header("x-mine") == Some("header-secret")));

    let all = done(&gitlab, "GET /_sim/hooks", json!({})).await;
    assert_eq!(all["hooks"].as_array().unwrap().len(), 3);
    let log = done(&gitlab, "GET /_sim/hooks/deliveries", json!({})).await;
    for shown in [&hook, &all, &log] {
        assert!(!shown.to_string().contains("-secret"), "{shown}");
    }
    let number = row["number"].clone();
    done(&gitlab, &format!("POST /_sim/hooks/deliveries/{number}/resend"), json!({})).await;
    done(&gitlab, "GET /_sim/hooks/settled", json!({})).await;
    let last = done(&gitlab, "GET /_sim/hooks/deliveries?last=1", json!({})).await;
    assert_eq!(last["deliveries"][0]["idempotency_key"], row["idempotency_key"]);
    done(&gitlab, "DELETE /_sim/hooks/deliveries", json!({})).await;
    assert!(gitlab.deliveries().is_empty());

    let at = format!("/_sim/hooks/{}", hook["id"]);
    done(&gitlab, &format!("DELETE {at}"), json!({})).await;
    assert_eq!(tell(&gitlab, &format!("GET {at}"), json!({})).await.status, 404);
}

#[tokio::test]
async fn a_hook_that_failed_is_enabled_again_and_deliveries_follow_the_options() {
    let gitlab = controlled().await;
    let receiver = Receiver::start().await;
    receiver.always(Answer::Status(500));
    let options = json!({"retries": 0, "timeout": "3s", "per_minute": 100, "auto_disable": true});
    let shown = done(&gitlab, "PATCH /_sim/hooks/options", options).await;
    assert_eq!((&shown["timeout"], &shown["per_minute"]), (&json!("PT3S"), &json!(100)));
    let new = json!({"url": receiver.url, "events": ["note_events"]});
    let hook = done(&gitlab, &format!("POST {WEB}/hooks"), new).await;
    let at = format!("/_sim/hooks/{}", hook["id"]);
    let note = async || {
        done(&gitlab, &format!("POST {WEB}/issues/1/notes"), json!({"body": "hm"})).await;
        done(&gitlab, "GET /_sim/hooks/settled", json!({})).await;
    };
    for _ in 0..5 {
        note().await;
    }
    let shown = done(&gitlab, &format!("GET {at}"), json!({})).await;
    assert_eq!(
        (&shown["alert_status"], &shown["failures"]),
        (&json!("temporarily_disabled"), &json!(4))
    );
    let last = done(&gitlab, "GET /_sim/hooks/deliveries?last=1", json!({})).await;
    assert_eq!(last["deliveries"][0]["detail"], "disabled");
    let shown = done(&gitlab, &format!("POST {at}/enable"), json!({})).await;
    assert_eq!(shown["alert_status"], "executable");
    done(&gitlab, "PATCH /_sim/hooks/options", json!({"silent": true, "per_minute": 0})).await;
    note().await;
    let last = done(&gitlab, "GET /_sim/hooks/deliveries?last=1", json!({})).await;
    assert_eq!(last["deliveries"][0]["detail"], "silent");
    let shown = done(&gitlab, "GET /_sim/hooks/options", json!({})).await;
    assert_eq!((&shown["silent"], &shown["per_minute"]), (&json!(true), &json!(null)));
}
