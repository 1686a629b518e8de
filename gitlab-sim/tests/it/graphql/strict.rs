//! What GitLab refuses and the engine alone would take.

use gitlab_sim::faults::{Fault, FaultKind, Refusal, Requests};
use gitlab_sim::world::{NewIssue, NewProject, World};
use serde_json::{Value, json};

use super::{ask, data, message, post};
use crate::client::serve;

fn world() -> World {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_issue(project, NewIssue::new("one"));
    world.add_file(project, "docs/a.md", "a");
    world
}

#[tokio::test]
async fn values_of_the_wrong_type_are_refused_before_anything_is_executed() {
    let gitlab = serve(world()).await;
    let in_shop = |rest: &str| format!("{{project(fullPath:\"acme/shop\"){{{rest}}}}}");
    for (query, words) in [
        (
            in_shop("issues(sort:\"UPDATED_ASC\"){count}"),
            "Argument 'sort' on Field 'issues' has an invalid value (\"UPDATED_ASC\"). Expected \
             type 'IssueSort'.",
        ),
        (in_shop("workItems(types:[\"ISSUE\"]){count}"), "Argument 'types' on Field 'workItems'"),
        (in_shop("issues(not:{types:[\"ISSUE\"]}){count}"), "Argument 'not' on Field 'issues'"),
        (
            "{projects(first:99999999999){count}}".to_owned(),
            "Argument 'first' on Field 'projects' has an invalid value (99999999999). Expected \
             type 'Int'.",
        ),
        (
            "query($x:ID){project(fullPath:$x){id}}".to_owned(),
            "Nullability mismatch on variable $x and argument fullPath (ID / ID!)",
        ),
        (
            "query($x:[String]){project(fullPath:\"a\"){repository{blobs(paths:$x){nodes{path}}}}}"
                .to_owned(),
            "Nullability mismatch on variable $x and argument paths ([String] / [String!]!)",
        ),
        (
            "query($x:ID){projects(ids:$x){count}}".to_owned(),
            "List dimension mismatch on variable $x and argument ids (ID / [ID!])",
        ),
        (
            "query($x:Boolean){currentUser @skip(if:$x){id}}".to_owned(),
            "Nullability mismatch on variable $x and argument if (Boolean / Boolean!)",
        ),
        (
            "query($x:[String]){project(fullPath:\"a\"){...F}} fragment F on Project{issues(\
             not:{labelName:$x}){count}}"
                .to_owned(),
            "Nullability mismatch on variable $x and argument labelName ([String] / [String!])",
        ),
    ] {
        let body = ask(&gitlab, &query).await;
        assert_eq!(body.get("data"), None, "{query}");
        assert!(message(&body).starts_with(words), "{body}");
        assert!(body["errors"][0]["locations"][0]["column"].is_u64(), "{body}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn defaults_and_lists_of_one_are_no_mismatch() {
    let gitlab = serve(world()).await;
    for (query, variables) in [
        ("query($x:ID=\"acme/shop\"){project(fullPath:$x){id}}", json!({})),
        ("query($x:Int!){projects(first:$x){count}}", json!({"x": 1})),
        ("query($x:[ID!]!){projects(ids:$x){count}}", json!({"x": "gid://gitlab/Project/1"})),
        ("query($x:IssueSort){group(fullPath:\"acme\"){issues(sort:$x){count}}}", json!({})),
        (
            "query($x:NegatedIssueFilterInput){group(fullPath:\"acme\"){issues(not:$x){count}}}",
            json!({"x": {"types": "INCIDENT", "labelName": ["bug"]}}),
        ),
        ("query($x:Boolean=true){currentUser @include(if:$x){id}}", json!({})),
        (
            "query($x:Boolean!){project(fullPath:\"a\"){issues(confidential:$x){count}}}",
            json!({"x": true}),
        ),
    ] {
        let body = json!({"query": query, "variables": variables});
        let reply = post(&gitlab, Some(gitlab.token()), &body).await.json();
        assert_eq!(reply.get("errors"), None, "{query}: {reply}");
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn variables_hold_what_they_were_declared_to_hold() {
    let gitlab = serve(world()).await;
    for (kind, wrong) in [
        ("Int!", json!({})),
        ("Int!", json!({"x": null})),
        ("Int!", json!({"x": "1"})),
        ("Int!", json!({"x": 1.5})),
        ("Int", json!({"x": 3_000_000_000_u64})),
        ("Int", json!({"x": true})),
        ("Int", json!({"x": [1]})),
    ] {
        let query = format!("query($x:{kind}){{projects(first:$x){{count}}}}");
        let body = json!({"query": query, "variables": wrong});
        let reply = post(&gitlab, Some(gitlab.token()), &body).await;
        assert_eq!(reply.status, 200);
        let reply = reply.json();
        assert_eq!(reply.get("data"), None, "{kind} {wrong}");
        let words = format!("Variable $x of type {kind} was provided invalid value");
        assert_eq!(message(&reply), words);
    }
    let types =
        "query($x:[IssueType!]){project(fullPath:\"acme/shop\"){workItems(types:$x){count}}}";
    for wrong in [json!("NOPE"), json!(["ISSUE", null]), json!([1]), json!({"a": 1})] {
        let body = json!({"query": types, "variables": {"x": wrong}});
        let reply = post(&gitlab, Some(gitlab.token()), &body).await.json();
        assert_eq!(
            message(&reply),
            "Variable $x of type [IssueType!] was provided invalid value",
            "{wrong}"
        );
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn a_time_that_is_no_text_is_not_overlooked() {
    let gitlab = serve(world()).await;
    let query = "{project(fullPath:\"acme/shop\"){issues(updatedAfter:5){count}}}";
    let body = ask(&gitlab, query).await;
    assert_eq!(body["data"]["project"]["issues"], Value::Null);
    assert_eq!(message(&body), "updatedAfter: 5 is not a time");
    gitlab.stop().await;
}

#[tokio::test]
async fn fragments_that_go_round_are_named() {
    let gitlab = serve(world()).await;
    let query = "{project(fullPath:\"acme/shop\"){...A}} fragment A on Project{group{...B}} \
                 fragment B on Group{projects{nodes{...A}}}";
    let body = ask(&gitlab, query).await;
    assert_eq!(body.get("data"), None);
    assert_eq!(message(&body), "Fragment A contains an infinite loop");
    gitlab.stop().await;
}

#[tokio::test]
async fn what_is_deprecated_says_why() {
    let gitlab = serve(world()).await;
    let query = "{__type(name:\"Project\"){fields(includeDeprecated:true){name isDeprecated \
                 deprecationReason}}}";
    let rows = data(&gitlab, query).await["__type"]["fields"].take();
    let deprecated: Vec<&Value> =
        rows.as_array().unwrap().iter().filter(|row| row["isDeprecated"] == true).collect();
    assert!(deprecated.iter().any(|row| row["name"] == "tagList"));
    assert!(deprecated.iter().all(|row| row["deprecationReason"].is_string()), "{deprecated:?}");
    gitlab.stop().await;
}

#[tokio::test]
async fn faults_of_gitlab_itself_speak_graphql() {
    let gitlab = serve(world()).await;
    let application = FaultKind::TooMany { form: Refusal::Application, retry_after: None };
    for (fault, status, words) in [
        (FaultKind::ServerError, 500, "Internal server error"),
        (FaultKind::Timeout, 503, "Request timed out. Please try a less complex query"),
        (FaultKind::ExpiredToken, 401, "Invalid token"),
        (application, 429, "This endpoint has been requested too many times."),
    ] {
        gitlab.faults().add(Fault::new(fault).on(Requests::path("/api/graphql")).first(1));
        let query = json!({"query": "{currentUser{id}}"});
        let reply = post(&gitlab, Some(gitlab.token()), &query).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert_eq!(reply.header("content-type"), Some("application/json"));
        let body = reply.json();
        assert!(message(&body).starts_with(words), "{body}");
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        let after = post(&gitlab, Some(gitlab.token()), &query).await;
        assert_eq!(after.status, 200);
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn commits_of_paths_that_are_not_there_are_null() {
    let gitlab = serve(world()).await;
    let query = "{project(fullPath:\"acme/shop\"){repository{a:lastCommit(path:\"docs\"){sha} \
                 b:lastCommit(path:\"docs/a.md\"){sha} c:lastCommit(path:\"nope\"){sha} \
                 d:lastCommit{sha}}}}";
    let rows = data(&gitlab, query).await["project"]["repository"].take();
    assert!(["a", "b", "d"].iter().all(|name| rows[name]["sha"].is_string()), "{rows}");
    assert_eq!(rows["c"], Value::Null);
    gitlab.stop().await;
}
