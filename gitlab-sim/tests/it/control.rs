//! The control API as a script uses it.

mod hooks;
mod limits;
mod relations;
mod tokens;

use gitlab_sim::world::{NewIssue, NewProject, World};
use gitlab_sim::{Clock, GitLab, Options, Tier};
use serde_json::{Value, json};

use crate::client::{Reply, get, get_as};

async fn controlled() -> GitLab {
    controlled_at(Tier::default()).await
}

async fn controlled_at(tier: Tier) -> GitLab {
    let mut world = World::with_clock(Clock::at("2026-11-22T10:00:00Z".parse().unwrap()));
    let web = world.add_project(NewProject::at("acme/shop/web"));
    world.add_project(NewProject::at("acme/pay/api"));
    world.add_issue(web, NewIssue::new("Checkout is slow").labels(["bug"]));
    let options = Options { control: true, tier, ..Options::default() };
    GitLab::start(world, options).await.unwrap()
}

/// Gives a command.
#[expect(clippy::disallowed_methods, reason = "this client exists to be unpaced")]
pub async fn tell(gitlab: &GitLab, command: &str, body: Value) -> Reply {
    let (method, path) = command.split_once(' ').unwrap();
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let url = format!("{}{path}", gitlab.url());
    let response =
        reqwest::Client::new().request(method, url).body(body.to_string()).send().await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

/// Gives a command that must succeed.
async fn done(gitlab: &GitLab, command: &str, body: Value) -> Value {
    let reply = tell(gitlab, command, body).await;
    assert_eq!(reply.status, 200, "{command}: {}", reply.text);
    reply.json()
}

const WEB: &str = "/_sim/projects/acme%2Fshop%2Fweb";

#[tokio::test]
async fn without_the_option_there_is_no_control_api() {
    let gitlab = GitLab::start(World::new(), Options::default()).await.unwrap();
    assert_eq!(tell(&gitlab, "GET /_sim/state", Value::Null).await.status, 404);
    assert_eq!(gitlab.requests().len(), 1, "it is a request like others");
}

#[tokio::test]
async fn commands_are_neither_logged_nor_struck_by_faults_nor_need_a_token() {
    let gitlab = controlled().await;
    done(&gitlab, "POST /_sim/faults", json!({"what": {"kind": "reset"}})).await;
    let state = done(&gitlab, "GET /_sim/state", json!({})).await;
    assert_eq!((&state["projects"], &state["issues"]), (&json!(2), &json!(1)));
    assert_eq!(state["token"], gitlab.token());
    assert!(gitlab.requests().is_empty());
    let commands = done(&gitlab, "GET /_sim", json!({})).await;
    assert!(commands["commands"].as_array().unwrap().len() > 60);
    assert_eq!(done(&gitlab, "GET /_sim/options", json!({})).await["tier"], "free");
}

#[tokio::test]
async fn a_refusal_names_the_thing_and_the_next_step() {
    let gitlab = controlled().await;
    for (command, body, status, part) in [
        ("GET /_sim/nowhere", json!({}), 404, "no command GET /_sim/nowhere"),
        ("PUT /_sim/state", json!({}), 405, "knows GET"),
        ("GET /_sim/projects/acme%2Fnone", json!({}), 404, "no project acme/none"),
        ("GET /_sim/projects/1/issues/9", json!({}), 404, "no acme/shop/web#9"),
        ("GET /_sim/projects/1/issues/x", json!({}), 400, "\"x\" is no number"),
        ("POST /_sim/projects/1/issues", json!({}), 400, "missing field `title`"),
        ("POST /_sim/projects/1/issues", json!({"title": " "}), 400, "the title"),
        ("POST /_sim/projects/1/issues", json!({"title": "a", "labels": ["a,b"]}), 400, "comma"),
        ("POST /_sim/projects/1/issues", json!({"title": "a", "severity": "odd"}), 400, "severity"),
        ("PATCH /_sim/projects/1/issues/1", json!({"tilte": "a"}), 400, "unknown field `tilte`"),
        ("POST /_sim/projects/1/issues/1/reopen", json!({}), 409, "is not closed"),
        ("POST /_sim/projects/1/issues/1/move", json!({"to": 1}), 409, "cannot move"),
        ("POST /_sim/projects", json!({"full_path": "acme/shop/web"}), 409, "is taken"),
        ("POST /_sim/projects", json!({"full_path": "acme/shop/web/below"}), 409, "is taken"),
        ("POST /_sim/projects", json!({"full_path": "a//b"}), 400, "no path"),
        ("POST /_sim/groups/acme/transfer", json!({"to": "acme/shop"}), 409, "is taken"),
        (
            "PUT /_sim/groups/acme/members/nobody",
            json!({"access_level": 30}),
            404,
            "no user nobody",
        ),
        ("PUT /_sim/groups/acme/members/1", json!({"access_level": 31}), 400, "no role"),
        ("POST /_sim/tokens", json!({"user": "1", "scopes": ["all"]}), 400, "no scope all"),
        ("POST /_sim/tokens/none/revoke", json!({}), 404, "no such token"),
        ("PUT /_sim/projects/1/files/a", json!({}), 400, "one content"),
        ("PUT /_sim/projects/1/files/a", json!({"content_base64": "*"}), 400, "decoded"),
        ("DELETE /_sim/projects/1/files/a", json!({}), 404, "no file a"),
        ("POST /_sim/projects/1/pipelines", json!({"status": "great"}), 400, "no status"),
        ("DELETE /_sim/labels/99", json!({}), 404, "no label 99"),
        ("DELETE /_sim/faults/99", json!({}), 404, "no fault 99"),
        ("POST /_sim/faults", json!({"what": {"kind": "odd"}}), 400, "unknown variant `odd`"),
        ("POST /_sim/faults", json!({"what": {"kind": "html", "status": 200}}), 400, "no error"),
        (
            "POST /_sim/faults",
            json!({"what": {"kind": "reset"}, "when": {"percent": 101}}),
            400,
            "0 to 100",
        ),
        ("PUT /_sim/clock", json!({}), 400, "cannot be set"),
        ("PUT /_sim/clock", json!({"now": "later"}), 400, "not what this command takes"),
        ("POST /_sim/clock/advance", json!({"by": "999999999h"}), 400, "the end of time"),
        ("GET /_sim/requests?last=few", json!({}), 400, "no number"),
        ("PUT /_sim/latency", json!({"lists": {}}), 400, "unknown field `lists`"),
        ("PUT /_sim/lag", json!({"delay": "-5s"}), 400, "is negative"),
        ("PUT /_sim/limits/throttle", json!({"preset": "odd"}), 400, "no preset odd"),
        ("PUT /_sim/limits/throttle", json!({"period": "0s"}), 400, "no length of a window"),
        ("PUT /_sim/limits/endpoints", json!({"preset": "odd"}), 400, "no preset odd"),
        ("PUT /_sim/limits/bans/here", json!({}), 400, "no address"),
        ("DELETE /_sim/limits/bans/10.0.0.1", json!({}), 404, "is not banned"),
        ("POST /_sim/hooks", json!({"url": "ftp://a"}), 400, "not one of HTTP"),
        ("POST /_sim/hooks", json!({"url": "http://a", "events": ["odd"]}), 400, "no switch odd"),
        ("POST /_sim/hooks/9/enable", json!({}), 404, "no hook 9"),
        ("POST /_sim/hooks/deliveries/9/resend", json!({}), 404, "no such delivery"),
        ("PATCH /_sim/hooks/options", json!({"timeout": "0s"}), 400, "some time"),
        ("POST /_sim/jobs/9/finish", json!({}), 404, "no job 9"),
        ("PUT /_sim/projects/1/job_token_allowlist/9", json!({}), 404, "no project 9"),
        ("DELETE /_sim/projects/1/job_token_allowlist/2", json!({}), 404, "not on the list"),
        ("POST /_sim/projects/1/issues/1/links", json!({"to": {"iid": 1}}), 409, "linked already"),
        ("POST /_sim/projects/1/issues/1/links", json!({"to": {"iid": 7}}), 404, "no issue 7"),
        ("DELETE /_sim/projects/1/issues/1/links/7", json!({}), 404, "no link 7"),
        ("POST /_sim/projects/1/issues/1/duplicate", json!({"of": {"iid": 1}}), 409, "itself"),
        ("DELETE /_sim/projects/1/shares/acme", json!({}), 404, "not shared with acme"),
        ("PUT /_sim/groups/acme/shares/acme", json!({"access_level": 20}), 409, "itself"),
        (
            "PUT /_sim/projects/1/external_tracker",
            json!({"issue_url": "http://jira"}),
            400,
            "where the key goes",
        ),
        ("POST /_sim/projects/1/push", json!({"commits": []}), 400, "nothing to push"),
        ("DELETE /_sim/projects/1/branches/main", json!({}), 409, "default branch"),
        ("DELETE /_sim/projects/1/tags/v9", json!({}), 404, "no tag v9"),
    ] {
        let reply = tell(&gitlab, command, body).await;
        assert_eq!(reply.status, status, "{command}: {}", reply.text);
        let error = reply.json();
        assert!(error["error"].as_str().unwrap().contains(part), "{command}: {}", reply.text);
        assert!(!error["next"].as_str().unwrap().is_empty(), "{command}: {}", reply.text);
    }
}

#[tokio::test]
async fn no_command_falls_over_whatever_it_is_sent() {
    let gitlab = controlled().await;
    let commands = done(&gitlab, "GET /_sim", json!({})).await["commands"].clone();
    for command in commands.as_array().unwrap() {
        let command = command["command"].as_str().unwrap();
        for name in ["1", "acme", "%00%ff", "99999999999999999999", "..%2F.."] {
            let filled: Vec<&str> = command
                .split('/')
                .map(|part| match part {
                    ":items" => "issues",
                    part if part.starts_with(':') => name,
                    part => part,
                })
                .collect();
            let filled = filled.join("/");
            for body in [json!({"odd": 1}), json!([1]), json!("text"), Value::Null] {
                let reply = tell(&gitlab, &filled, body).await;
                assert!(
                    [200, 400, 404, 409].contains(&reply.status),
                    "{filled}: {} {}",
                    reply.status,
                    reply.text
                );
            }
        }
    }
}

#[tokio::test]
async fn changes_stay_unseen_while_the_database_lags_and_can_be_changed_meanwhile() {
    let gitlab = controlled().await;
    let lag = done(&gitlab, "PUT /_sim/lag", json!({"delay": "5s"})).await;
    assert_eq!(lag, json!({"delay": "PT5S", "unseen_changes": 0}));
    let new = done(&gitlab, &format!("POST {WEB}/issues"), json!({"title": "Late"})).await;
    assert_eq!((&new["title"], &new["state"]), (&json!("Late"), &json!("opened")));
    let at = format!("{WEB}/issues/2");
    done(&gitlab, &format!("POST {at}/close"), json!({})).await;
    let note = done(&gitlab, &format!("POST {at}/notes"), json!({"body": "hm"})).await;
    assert_eq!(note["body"], "hm");
    assert_eq!(done(&gitlab, &format!("GET {at}"), json!({})).await["state"], "closed");
    assert_eq!(get(&gitlab, "/projects/1/issues/2").await.status, 404);
    // The issue, that it was closed, the event of that, and the comment.
    assert_eq!(done(&gitlab, "GET /_sim/lag", json!({})).await["unseen_changes"], 4);
    done(&gitlab, "POST /_sim/clock/advance", json!({"by": "5s"})).await;
    assert_eq!(get(&gitlab, "/projects/1/issues/2").await.json()["state"], "closed");
    assert_eq!(done(&gitlab, "GET /_sim/lag", json!({})).await["unseen_changes"], 0);
    done(&gitlab, "PUT /_sim/lag", json!({"delay": "0s"})).await;
    done(&gitlab, &format!("POST {at}/reopen"), json!({})).await;
    assert_eq!(get(&gitlab, "/projects/1/issues/2").await.json()["state"], "opened");
}

#[tokio::test]
async fn the_clock_is_set_moved_and_let_go() {
    let gitlab = controlled().await;
    let clock = async |command: &str, body| done(&gitlab, command, body).await;
    let shown = clock("PUT /_sim/clock", json!({"now": "2030-01-01T00:00:00Z"})).await;
    assert_eq!((&shown["now"], &shown["runs"]), (&json!("2030-01-01T00:00:00Z"), &json!(false)));
    let shown = clock("POST /_sim/clock/advance", json!({"by": "1h 30m"})).await;
    assert_eq!(shown["now"], "2030-01-01T01:30:00Z");
    let shown = clock("PUT /_sim/clock", json!({"runs": true})).await;
    assert_eq!((&shown["runs"], &shown["follows_system"]), (&json!(true), &json!(false)));
    let shown = clock("PUT /_sim/clock", json!({"follow_system": true})).await;
    assert_eq!(shown["follows_system"], true);
    assert_eq!(clock("GET /_sim/clock", json!({})).await["runs"], true);
}

#[tokio::test]
async fn items_live_and_die() {
    let gitlab = controlled().await;
    let issue = done(
        &gitlab,
        &format!("POST {WEB}/issues?by=ann"),
        json!({"title": "Down", "description": "see INC-1", "labels": ["sev::1"],
               "issue_type": "incident", "severity": "high", "confidential": true}),
    )
    .await;
    assert_eq!((&issue["iid"], &issue["labels"]), (&json!(2), &json!(["sev::1"])));
    let seen = get(&gitlab, "/projects/1/issues/2").await.json();
    assert_eq!((&seen["author"]["username"], &seen["severity"]), (&json!("ann"), &json!("HIGH")));
    assert_eq!((&seen["issue_type"], &seen["confidential"]), (&json!("incident"), &json!(true)));

    let at = format!("{WEB}/issues/2");
    let edit = json!({"title": "Up", "description": "well", "labels": ["bug"],
                      "assignees": ["ann"], "confidential": false});
    done(&gitlab, &format!("PATCH {at}"), edit).await;
    let seen = get(&gitlab, "/projects/1/issues/2").await.json();
    assert_eq!((&seen["title"], &seen["labels"]), (&json!("Up"), &json!(["bug"])));
    assert_eq!(seen["assignees"][0]["username"], "ann");

    done(&gitlab, &format!("POST {at}/close?by=ann"), json!({})).await;
    let seen = get(&gitlab, "/projects/1/issues/2").await.json();
    assert_eq!((&seen["state"], &seen["closed_by"]["username"]), (&json!("closed"), &json!("ann")));
    done(&gitlab, &format!("POST {at}/reopen"), json!({})).await;
    assert_eq!(done(&gitlab, &format!("GET {at}"), json!({})).await["state"], "opened");

    let note = done(&gitlab, &format!("POST {at}/notes"), json!({"body": "hm"})).await;
    let one = format!("{at}/notes/{}", note["id"]);
    done(&gitlab, &format!("PATCH {one}"), json!({"body": "ah"})).await;
    let comments = "/projects/1/issues/2/notes?activity_filter=only_comments";
    assert_eq!(get(&gitlab, comments).await.texts("body"), ["ah"]);
    done(&gitlab, &format!("DELETE {one}"), json!({})).await;
    assert!(get(&gitlab, comments).await.column("id").is_empty());

    let moved = done(&gitlab, &format!("POST {at}/move"), json!({"to": "acme/pay/api"})).await;
    assert_eq!(moved["reference"], "acme/pay/api#1");
    let old = get(&gitlab, "/projects/1/issues/2").await.json();
    assert_eq!((&old["state"], &old["moved_to_id"]), (&json!("closed"), &moved["id"]));
    done(&gitlab, &format!("DELETE {at}"), json!({})).await;
    assert_eq!(get(&gitlab, "/projects/1/issues/2").await.status, 404);
}

#[tokio::test]
async fn merge_requests_are_made_and_merged() {
    let gitlab = controlled().await;
    let new = json!({"title": "Fix", "source_branch": "WEB-1-fix", "target_branch": "main"});
    done(&gitlab, &format!("POST {WEB}/merge_requests"), new).await;
    done(&gitlab, &format!("POST {WEB}/merge_requests/1/notes"), json!({"body": "good"})).await;
    done(&gitlab, &format!("POST {WEB}/merge_requests/1/merge?by=ann"), json!({})).await;
    let seen = get(&gitlab, "/projects/1/merge_requests/1").await.json();
    assert_eq!((&seen["state"], &seen["source_branch"]), (&json!("merged"), &json!("WEB-1-fix")));
    assert_eq!(seen["merge_user"]["username"], "ann");
    let again = tell(&gitlab, &format!("POST {WEB}/merge_requests/1/close"), json!({})).await;
    assert_eq!(again.status, 409);
}

#[tokio::test]
async fn projects_are_made_edited_moved_hidden_and_deleted() {
    let gitlab = controlled().await;
    let new = json!({"full_path": "acme/new/thing", "topics": ["a"], "visibility": "public"});
    let id = done(&gitlab, "POST /_sim/projects", new).await["id"].clone();
    let at = format!("/_sim/projects/{id}");
    let api = format!("/projects/{id}");
    let edit = json!({"path": "other", "topics": ["b"], "archived": true, "description": "d",
                      "name": "Other", "visibility": "private"});
    done(&gitlab, &format!("PATCH {at}"), edit).await;
    let seen = get(&gitlab, &api).await.json();
    assert_eq!(seen["path_with_namespace"], "acme/new/other");
    assert_eq!((&seen["topics"], &seen["archived"]), (&json!(["b"]), &json!(true)));
    assert_eq!(get(&gitlab, "/projects/acme%2Fnew%2Fthing").await.status, 301);
    done(&gitlab, &format!("POST {at}/transfer"), json!({"to": "acme/shop"})).await;
    assert_eq!(get(&gitlab, "/projects/acme%2Fshop%2Fother").await.status, 200);
    done(&gitlab, &format!("POST {at}/mark_for_deletion"), json!({})).await;
    assert_eq!(get(&gitlab, &api).await.json()["marked_for_deletion_on"], "2026-11-22");
    done(&gitlab, &format!("POST {at}/restore"), json!({})).await;
    assert_eq!(get(&gitlab, &api).await.json()["marked_for_deletion_on"], Value::Null);
    done(&gitlab, &format!("PATCH {at}"), json!({"hidden": true})).await;
    assert_eq!(get(&gitlab, &api).await.status, 404);
    assert!(!get(&gitlab, "/projects").await.text.contains("acme/shop/other"));
    done(&gitlab, &format!("PATCH {at}"), json!({"hidden": false})).await;
    assert_eq!(get(&gitlab, &api).await.status, 200);
    done(&gitlab, &format!("DELETE {at}"), json!({})).await;
    assert_eq!(get(&gitlab, &api).await.status, 404);
    assert_eq!(done(&gitlab, "GET /_sim/projects", json!({})).await["projects"][0]["id"], 1);
    assert_eq!(done(&gitlab, &format!("GET {WEB}"), json!({})).await["issues"], 1);
}

#[tokio::test]
async fn groups_are_made_renamed_moved_and_deleted() {
    let gitlab = controlled().await;
    let new = json!({"full_path": "acme/ops/infra", "visibility": "internal"});
    done(&gitlab, "POST /_sim/groups", new).await;
    let edit = json!({"path": "base", "name": "Base", "description": "d", "visibility": "private"});
    done(&gitlab, "PATCH /_sim/groups/acme%2Fops%2Finfra", edit).await;
    let shown = done(&gitlab, "GET /_sim/groups/acme%2Fops%2Fbase", json!({})).await;
    assert_eq!((&shown["name"], &shown["visibility"]), (&json!("Base"), &json!("private")));
    assert_eq!(get(&gitlab, "/groups/acme%2Fops%2Finfra").await.status, 404);
    done(&gitlab, "POST /_sim/groups/acme%2Fshop/transfer", json!({"to": "acme/ops"})).await;
    let seen = get(&gitlab, "/projects/1").await.json();
    assert_eq!(seen["path_with_namespace"], "acme/ops/shop/web");
    let ops = "/_sim/groups/acme%2Fops";
    done(&gitlab, &format!("POST {ops}/mark_for_deletion"), json!({})).await;
    let shown = done(&gitlab, &format!("GET {ops}"), json!({})).await;
    assert_eq!(shown["marked_for_deletion_on"], "2026-11-22");
    done(&gitlab, &format!("POST {ops}/restore"), json!({})).await;
    done(&gitlab, &format!("DELETE {ops}"), json!({})).await;
    assert_eq!(get(&gitlab, "/projects/1").await.status, 404);
    let left = done(&gitlab, "GET /_sim/groups", json!({})).await;
    assert_eq!(left["groups"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn members_and_tokens_come_and_go() {
    let gitlab = controlled().await;
    done(&gitlab, "POST /_sim/users", json!({"username": "ann"})).await;
    let token = done(&gitlab, "POST /_sim/tokens", json!({"user": "ann"})).await;
    let secret = token["token"].as_str().unwrap();
    let status = async |path: &str| get_as(&gitlab, Some(secret), path).await.status;
    assert_eq!(status("/projects/1").await, 404);
    for (place, path) in
        [("groups/acme%2Fshop", "/groups/acme%2Fshop"), ("projects/1", "/projects/1")]
    {
        let member = format!("/_sim/{place}/members/ann");
        done(&gitlab, &format!("PUT {member}"), json!({"access_level": "reporter"})).await;
        assert_eq!(status(path).await, 200, "{path}");
        done(&gitlab, &format!("DELETE {member}"), json!({})).await;
        assert_eq!(status(path).await, 404, "{path}");
    }
    done(&gitlab, "PATCH /_sim/users/ann", json!({"admin": true})).await;
    assert_eq!(status("/projects/1").await, 200);
    let at = format!("/_sim/tokens/{secret}");
    done(&gitlab, &format!("POST {at}/expire"), json!({})).await;
    assert_eq!(get_as(&gitlab, Some(secret), "/version").await.json()["error"], "invalid_token");
    done(&gitlab, &format!("POST {at}/revoke"), json!({})).await;
    let tokens = done(&gitlab, "GET /_sim/tokens", json!({})).await;
    assert_eq!(tokens["tokens"][1]["revoked"], true);
    let users = done(&gitlab, "GET /_sim/users", json!({})).await;
    assert_eq!(users["users"][1]["username"], "ann");
}

#[tokio::test]
async fn labels_files_pipelines_and_tags_change() {
    let gitlab = controlled().await;
    let label = done(&gitlab, &format!("POST {WEB}/labels"), json!({"title": "mine"})).await;
    assert_eq!(label["owner"], "acme/shop/web");
    let new = json!({"title": "all", "color": "#112233", "description": "d"});
    let label = done(&gitlab, "POST /_sim/groups/acme/labels", new).await;
    let at = format!("/_sim/labels/{}", label["id"]);
    done(&gitlab, &format!("PATCH {at}"), json!({"title": "every"})).await;
    let titles = done(&gitlab, "GET /_sim/labels", json!({})).await.to_string();
    assert!(titles.contains("every") && !titles.contains("\"all\""), "{titles}");
    done(&gitlab, &format!("DELETE {at}"), json!({})).await;
    done(&gitlab, "DELETE /_sim/labels/1", json!({})).await;
    assert_eq!(get(&gitlab, "/projects/1/issues/1").await.json()["labels"], json!([]));

    let file = format!("{WEB}/files/docs%2FREADME.md");
    done(&gitlab, &format!("PUT {file}"), json!({"content": "see WEB-1"})).await;
    let raw = "/projects/1/repository/files/docs%2FREADME.md/raw";
    assert_eq!(get(&gitlab, raw).await.text, "see WEB-1");
    done(&gitlab, &format!("PUT {file}"), json!({"content_base64": "AAE="})).await;
    assert_eq!(get(&gitlab, raw).await.text, "\0\u{1}");
    done(&gitlab, &format!("DELETE {file}"), json!({})).await;
    assert_eq!(get(&gitlab, raw).await.status, 404);

    let new = json!({"status": "running", "branch": "main", "source": "web"});
    let pipeline = done(&gitlab, &format!("POST {WEB}/pipelines"), new).await;
    let at = format!("{WEB}/pipelines/{}", pipeline["id"]);
    done(&gitlab, &format!("PATCH {at}"), json!({"status": "failed"})).await;
    assert_eq!(get(&gitlab, "/projects/1/pipelines").await.texts("status"), ["failed"]);
    done(&gitlab, &format!("POST {WEB}/tags"), json!({"name": "v1", "release": "First"})).await;
    assert_eq!(get(&gitlab, "/projects/1/releases").await.texts("tag_name"), ["v1"]);
    let again = tell(&gitlab, &format!("POST {WEB}/tags"), json!({"name": "v1"})).await;
    assert_eq!(again.status, 409);
    done(&gitlab, &format!("DELETE {WEB}/tags/v1"), json!({})).await;
    assert_eq!(get(&gitlab, "/projects/1/repository/tags").await.json(), json!([]));
    done(&gitlab, &format!("DELETE {WEB}/branches/topic"), json!({})).await;

    let commits = json!({"commits": [
        {"message": "one", "write": {"a.md": "A", "b.md": "B"}},
        {"message": "two", "write": {"a.md": "AA"}, "remove": ["b.md"]},
    ]});
    let head = done(&gitlab, &format!("POST {WEB}/push"), commits).await["commit"].clone();
    let paths = get(&gitlab, "/projects/1/repository/tree").await.texts("path");
    assert_eq!(paths, ["a.md"]);
    assert_eq!(
        get(&gitlab, "/projects/1/repository/branches/main").await.json()["commit"]["id"],
        head
    );
}

#[tokio::test]
async fn faults_waits_and_the_log_are_in_reach() {
    let gitlab = controlled().await;
    let fault = json!({
        "what": {"kind": "html", "status": 503},
        "on": {"path": "/api/v4/projects*", "kind": "list"},
        "when": {"first": 1, "lasting": "20s"},
    });
    let id = done(&gitlab, "POST /_sim/faults", fault).await["id"].clone();
    assert_eq!(get(&gitlab, "/projects").await.status, 503);
    let listed = done(&gitlab, "GET /_sim/faults", json!({})).await;
    assert_eq!(listed["faults"][0]["struck"], 1);
    assert_eq!(listed["faults"][0]["lasts_until"], "2026-11-22T10:00:20Z");
    done(&gitlab, "POST /_sim/clock/advance", json!({"by": "20s"})).await;
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    done(&gitlab, &format!("DELETE /_sim/faults/{id}"), json!({})).await;
    let schedule = json!({"seed": 3, "profile": "hostile"});
    let listed = done(&gitlab, "PUT /_sim/faults/schedule", schedule.clone()).await;
    assert_eq!(listed, json!({"faults": [], "schedule": schedule}));
    let listed = done(&gitlab, "DELETE /_sim/faults/schedule", json!({})).await;
    assert_eq!(listed["schedule"], Value::Null);
    done(&gitlab, "POST /_sim/faults", json!({"what": {"kind": "stall"}})).await;
    assert_eq!(done(&gitlab, "DELETE /_sim/faults", json!({})).await["faults"], json!([]));

    let wait = json!({"list": {"least": "1ms", "most": "2ms"}, "seed": 5});
    done(&gitlab, "PUT /_sim/latency", wait).await;
    let shown = done(&gitlab, "GET /_sim/latency", json!({})).await;
    assert_eq!((&shown["list"]["most"], &shown["seed"]), (&json!("PT0.002S"), &json!(5)));

    get(&gitlab, "/groups?page=7").await;
    let rows = done(&gitlab, "GET /_sim/requests?last=1", json!({})).await;
    let row = &rows["requests"][0];
    assert_eq!((&row["path"], &row["query"]), (&json!("/api/v4/groups"), &json!("page=7")));
    assert_eq!(
        (&row["user"], &row["user_agent"]),
        (&json!("xrefd-bot"), &json!("gitlab-sim tests"))
    );
    assert_eq!((&row["at"], &row["size_bytes"]), (&json!("2026-11-22T10:00:20Z"), &json!(2)));
    let counts = done(&gitlab, "GET /_sim/requests/counts", json!({})).await;
    assert_eq!(counts, json!({"all": 3, "by_status": {"200": 2, "503": 1}}));
    let counts = done(&gitlab, "GET /_sim/requests/counts?holds=page%3D7", json!({})).await;
    assert_eq!(counts["all"], 1);
    done(&gitlab, "DELETE /_sim/requests", json!({})).await;
    assert!(gitlab.requests().is_empty());
}
