//! Commands about tokens of all kinds, and about jobs.

use gitlab_sim::GitLab;
use serde_json::{Value, json};

use super::{WEB, controlled, done, tell};
use crate::client::{fetch, get_as};

fn secret(token: &Value) -> String {
    token["token"].as_str().unwrap().to_owned()
}

async fn with_job(gitlab: &GitLab, token: &str, path: &str) -> u16 {
    fetch(&format!("{}/api/v4{path}", gitlab.url()), &[("job-token", token)]).await.status
}

#[tokio::test]
async fn a_secret_is_shown_where_it_is_made_and_nowhere_else() {
    let gitlab = controlled().await;
    let personal = done(&gitlab, "POST /_sim/tokens", json!({"user": "1"})).await;
    let oauth = json!({"user": "1", "kind": "oauth", "scopes": ["api"]});
    let oauth = done(&gitlab, "POST /_sim/tokens", oauth).await;
    assert_eq!(
        (&oauth["kind"], &oauth["ends_at"]),
        (&json!("oauth"), &json!("2026-11-22T12:00:00Z"))
    );
    let mine = json!({"name": "crawler", "access_level": "guest", "expires_at": "2027-01-01"});
    let project = done(&gitlab, &format!("POST {WEB}/tokens"), mine).await;
    assert_eq!((&project["kind"], &project["name"]), (&json!("project"), &json!("crawler")));
    let group = done(&gitlab, "POST /_sim/groups/acme/tokens", json!({"name": "all"})).await;
    assert_eq!(group["kind"], "group");
    assert_eq!(get_as(&gitlab, Some(&secret(&group)), "/projects/1").await.status, 200);

    let old = personal["id"].clone();
    let fresh = done(&gitlab, &format!("POST /_sim/tokens/{old}/rotate"), json!({})).await;
    assert_ne!(secret(&fresh), secret(&personal));
    assert_eq!(get_as(&gitlab, Some(&secret(&personal)), "/version").await.status, 401);
    assert_eq!(get_as(&gitlab, Some(&secret(&fresh)), "/version").await.status, 200);
    let again = tell(&gitlab, &format!("POST /_sim/tokens/{old}/rotate"), json!({})).await;
    assert_eq!(again.status, 409);
    assert_eq!(get_as(&gitlab, Some(&secret(&fresh)), "/version").await.status, 401, "the family");

    let path = format!("/api/v4/version?private_token={}&page=1", secret(&oauth));
    fetch(&format!("{}{path}", gitlab.url()), &[]).await;
    let log = done(&gitlab, "GET /_sim/requests?last=1", json!({})).await;
    assert_eq!(log["requests"][0]["query"], "private_token=[hidden]&page=1");

    let expired = format!("POST /_sim/tokens/{}/expire", project["id"]);
    let expired = done(&gitlab, &expired, json!({})).await;
    let revoked = format!("POST /_sim/tokens/{}/revoke", group["id"]);
    let revoked = done(&gitlab, &revoked, json!({})).await;
    let list = done(&gitlab, "GET /_sim/tokens", json!({})).await;
    for shown in [expired, revoked, list] {
        for token in [&personal, &oauth, &project, &group, &fresh] {
            assert!(!shown.to_string().contains(&secret(token)), "{shown}");
        }
        assert!(!shown.to_string().contains(gitlab.token()), "{shown}");
    }
}

#[tokio::test]
async fn a_job_begins_is_let_in_and_ends() {
    let gitlab = controlled().await;
    done(&gitlab, "POST /_sim/users", json!({"username": "ann"})).await;
    let role = json!({"access_level": "developer"});
    done(&gitlab, "PUT /_sim/groups/acme/members/ann", role).await;
    let job = done(&gitlab, &format!("POST {WEB}/jobs"), json!({"user": "ann"})).await;
    let (token, other) = (secret(&job), "/projects/2/releases");
    assert_eq!(with_job(&gitlab, &token, "/projects/1/releases").await, 200);
    let refused = with_job(&gitlab, &token, other).await;
    assert!(refused >= 400, "{refused}");
    let list = "/_sim/projects/2/job_token_allowlist";
    let only = json!({"permissions": ["read_releases"]});
    let shown = done(&gitlab, &format!("PUT {list}/acme%2Fshop%2Fweb"), only).await;
    let row = json!({"project": "acme/shop/web", "permissions": ["read_releases"]});
    assert_eq!(shown["allowed"], json!([row]));
    assert_eq!(with_job(&gitlab, &token, other).await, 200);
    done(&gitlab, &format!("PUT {list}/1"), json!({})).await;
    let shown = done(&gitlab, &format!("GET {list}"), json!({})).await;
    assert_eq!(shown["allowed"][0]["permissions"], Value::Null);
    done(&gitlab, &format!("DELETE {list}/1"), json!({})).await;
    assert_eq!(with_job(&gitlab, &token, other).await, refused);

    let ended = done(&gitlab, &format!("POST /_sim/jobs/{}/finish", job["job"]), json!({})).await;
    assert_eq!(ended["active"], false);
    assert_eq!(with_job(&gitlab, &token, "/projects/1/releases").await, 401);
    let again = tell(&gitlab, &format!("POST /_sim/jobs/{}/finish", job["job"]), json!({})).await;
    assert_eq!(again.status, 409);
}
