//! Commands about what hangs together.

use gitlab_sim::Tier;
use serde_json::{Value, json};

use super::{WEB, controlled, controlled_at, done};
use crate::client::{get, get_as};

#[tokio::test]
async fn issues_are_linked_and_unlinked() {
    let gitlab = controlled().await;
    done(&gitlab, "POST /_sim/projects/2/issues", json!({"title": "Other"})).await;
    let at = format!("{WEB}/issues/1/links");
    let new = json!({"to": {"project": "acme/pay/api", "iid": 1}, "link_type": "blocks"});
    let links = done(&gitlab, &format!("POST {at}"), new).await;
    let wanted = json!({"id": 1, "to": "acme/pay/api#1", "link_type": "blocks"});
    assert_eq!(links["links"], json!([wanted]));
    let seen = get(&gitlab, "/projects/2/issues/1/links").await.json();
    assert_eq!(seen[0]["link_type"], "is_blocked_by");
    assert_eq!(done(&gitlab, &format!("GET {at}"), json!({})).await, links);
    done(&gitlab, &format!("DELETE {at}/1"), json!({})).await;
    assert_eq!(get(&gitlab, "/projects/2/issues/1/links").await.json(), json!([]));
}

#[tokio::test]
async fn an_issue_is_closed_as_a_duplicate() {
    let gitlab = controlled().await;
    done(&gitlab, &format!("POST {WEB}/issues"), json!({"title": "Again"})).await;
    let of = json!({"of": {"iid": 1}});
    let shown = done(&gitlab, &format!("POST {WEB}/issues/2/duplicate?by=ann"), of).await;
    assert_eq!(shown["duplicate_of"], "acme/shop/web#1");
    let seen = get(&gitlab, "/projects/1/issues/2").await.json();
    assert_eq!((&seen["state"], &seen["closed_by"]["username"]), (&json!("closed"), &json!("ann")));
}

#[tokio::test]
async fn projects_and_groups_are_shared_and_shared_no_more() {
    let gitlab = controlled().await;
    done(&gitlab, "POST /_sim/groups", json!({"full_path": "guests"})).await;
    done(&gitlab, "POST /_sim/users", json!({"username": "ann"})).await;
    let role = json!({"access_level": "developer"});
    done(&gitlab, "PUT /_sim/groups/guests/members/ann", role).await;
    let token = done(&gitlab, "POST /_sim/tokens", json!({"user": "ann"})).await;
    let secret = token["token"].as_str().unwrap();
    let status = async || get_as(&gitlab, Some(secret), "/projects/1").await.status;
    assert_eq!(status().await, 404);
    for place in ["projects/1", "groups/acme"] {
        let at = format!("/_sim/{place}/shares/guests");
        let shares = done(&gitlab, &format!("PUT {at}"), json!({"access_level": 20})).await;
        assert_eq!(shares, json!({"shared_with": {"guests": 20}}));
        assert_eq!(status().await, 200, "{place}");
        done(&gitlab, &format!("DELETE {at}"), json!({})).await;
        assert_eq!(status().await, 404, "{place}");
    }
}

#[tokio::test]
async fn templates_are_inherited_and_trackers_lie_elsewhere() {
    let gitlab = controlled_at(Tier::Premium).await;
    let path = "/_sim/projects/2/files/.gitlab%2Fissue_templates%2FBug.md";
    done(&gitlab, &format!("PUT {path}"), json!({"content": "What happened?"})).await;
    let named = json!({"project": "acme/pay/api"});
    done(&gitlab, "PUT /_sim/groups/acme/template_project", named).await;
    assert_eq!(get(&gitlab, "/projects/1/templates/issues").await.texts("name"), ["Bug"]);
    done(&gitlab, "PUT /_sim/groups/acme/template_project", json!({"project": null})).await;
    assert_eq!(get(&gitlab, "/projects/1/templates/issues").await.json(), json!([]));

    let tracker = json!({"issue_url": "https://jira.example.com/browse/:id"});
    let shown = done(&gitlab, &format!("PUT {WEB}/external_tracker"), tracker).await;
    assert_eq!(shown["name"], "Jira");
    let new = json!({"title": "Fix", "description": "Closes ABC-1"});
    done(&gitlab, &format!("POST {WEB}/merge_requests"), new).await;
    let closes =
        async || get(&gitlab, "/projects/1/merge_requests/1/closes_issues").await.column("id");
    assert_eq!(closes().await, [json!("ABC-1")]);
    done(&gitlab, &format!("DELETE {WEB}/external_tracker"), json!({})).await;
    assert_eq!(closes().await, Vec::<Value>::new());
}

#[tokio::test]
async fn approval_rules_are_added() {
    let gitlab = controlled().await;
    done(&gitlab, "POST /_sim/users", json!({"username": "ann"})).await;
    let rule = json!({"name": "Security", "users": ["ann"], "groups": ["acme"]});
    let shown = done(&gitlab, &format!("POST {WEB}/approval_rules"), rule).await;
    assert_eq!(shown["approvals_required"], 1);
    let world = gitlab.world();
    let project = world.find_project("acme/shop/web").unwrap();
    assert_eq!(project.approval_rules[0].users.len(), 1);
}
