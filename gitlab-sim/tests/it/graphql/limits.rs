//! Transport, credentials and limits.

use gitlab_sim::world::{NewProject, Visibility, World};
use gitlab_sim::{GitLab, Limit, Options, Throttle};
use serde_json::{Value, json};

use super::{ask, message, post};
use crate::client::{fetch, serve};

fn world() -> World {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.set_visibility(project, Visibility::Public);
    world.add_file(project, "README.md", "hello");
    world
}

#[tokio::test]
async fn ten_thousand_characters_are_the_longest_query_also_in_sum() {
    let gitlab = serve(world()).await;
    let token = Some(gitlab.token());
    let long = |length: usize| format!("{{currentUser{{id}}}}{}", " ".repeat(length - 17));
    let fits = post(&gitlab, token, &json!({"query": long(10_000)})).await;
    assert_eq!(fits.status, 200);
    let refused = post(&gitlab, token, &json!({"query": long(10_001)})).await;
    assert_eq!(
        (refused.status, refused.json()),
        (422, json!({"errors": [{"message": "Query too large"}]}))
    );
    let batch = json!([{"query": long(5_000)}, {"query": long(5_001)}]);
    assert_eq!(post(&gitlab, token, &batch).await.status, 422);
    let variables = json!({"query": "{currentUser{id}}", "variables": {"x": "y".repeat(20_000)}});
    assert_eq!(post(&gitlab, token, &variables).await.status, 200, "variables are not counted");
    gitlab.stop().await;
}

#[tokio::test]
async fn a_batch_is_one_request_with_several_answers() {
    let options =
        Options { throttle: Throttle::Always(Limit::per_minute(2)), ..Options::default() };
    let gitlab = GitLab::start(world(), options).await.unwrap();
    let batch = json!([
        {"query": "{currentUser{username}}"},
        {"query": "{nope}"},
        {"query": "query A{echo(text:\"a\")} query B{echo(text:\"b\")}", "operationName": "B"},
    ]);
    let reply = post(&gitlab, Some(gitlab.token()), &batch).await;
    assert_eq!(reply.header("ratelimit-observed"), Some("1"));
    let rows = reply.json();
    assert_eq!(rows[0]["data"]["currentUser"]["username"], "xrefd-bot");
    assert_eq!(rows[1]["errors"][0]["message"], "Field 'nope' doesn't exist on type 'Query'");
    assert_eq!(rows[2]["data"]["echo"], "\"xrefd-bot\" says: b");
    post(&gitlab, Some(gitlab.token()), &batch).await;
    let refused = post(&gitlab, Some(gitlab.token()), &batch).await;
    assert_eq!((refused.status, refused.text.as_str()), (429, "Retry later\n"));
    gitlab.stop().await;
}

#[tokio::test]
async fn a_get_asks_and_never_changes() {
    let gitlab = serve(world()).await;
    let url = |query: &str| format!("{}/api/graphql?query={query}", gitlab.url());
    let token = [("private-token", gitlab.token())];
    let reply = fetch(&url("%7BcurrentUser%7Busername%7D%7D"), &token).await;
    assert_eq!(reply.json()["data"]["currentUser"]["username"], "xrefd-bot");
    let refused = fetch(&url("mutation%7Bx%7D"), &token).await;
    assert_eq!(refused.status, 422);
    assert_eq!(message(&refused.json()), "Mutations are forbidden in GET requests");
    let body = ask(&gitlab, "mutation{x}").await;
    assert_eq!(body.get("data"), None, "{body}");
    assert!(body["errors"].is_array());
    gitlab.stop().await;
}

#[tokio::test]
async fn a_bad_token_is_refused_even_for_public_data() {
    let mut world = world();
    let ann = world.add_user("ann");
    let user_only = world.add_token(ann, &["read_user"], None);
    let revoked = world.add_token(ann, &["api"], None);
    world.revoke(&revoked);
    let gitlab = serve(world).await;
    let query = json!({"query": "{project(fullPath:\"acme/shop\"){id}}"});
    for token in ["glpat-nobody", &user_only, &revoked] {
        let reply = post(&gitlab, Some(token), &query).await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.json(), json!({"errors": [{"message": "Invalid token"}]}));
    }
    let open = post(&gitlab, None, &query).await.json();
    assert_eq!(open["data"]["project"]["id"], "gid://gitlab/Project/1");
    gitlab.stop().await;
}

#[tokio::test]
async fn wrong_queries_are_two_hundred_without_data() {
    let gitlab = serve(world()).await;
    for query in ["{", "{nope}", "{project{id}}", "{project(fullPath:\"a\",x:1){id}}", "{...F}", ""]
    {
        let body = ask(&gitlab, query).await;
        assert_eq!(body.get("data"), None, "{query}");
        assert!(body["errors"].is_array(), "{query}");
    }
    let many = ask(&gitlab, "{a b c d e f g h}").await;
    assert_eq!(many["errors"].as_array().unwrap().len(), 5, "five are told");
    gitlab.stop().await;
}

#[tokio::test]
async fn no_body_breaks_it() {
    let gitlab = serve(world()).await;
    let token = Some(gitlab.token());
    for body in [
        json!(null),
        json!(1),
        json!([]),
        json!([1, "x", null]),
        json!({"query": 5}),
        json!({"query": "{currentUser{id}}", "variables": [1]}),
        json!({"query": "{currentUser{id}}", "variables": "{"}),
        json!({"query": "query($x:Int!){project(fullPath:$x){id}}", "variables": {"x": {}}}),
        json!({"query": "{projects(first:-5){nodes{id}}}"}),
        json!({"query": "{projects(first:99999999999999999999){nodes{id}}}"}),
        json!({"query": "{projects(after:\"bnVsbA==\"){nodes{id}}}"}),
        json!({"query": "\u{0}\u{feff}{"}),
        json!({"query": "{".repeat(5_000)}),
        json!({"query": format!("{}1{}", "{a(x:".to_owned() + &"[".repeat(4_000), "]".repeat(4_000))}),
    ] {
        let reply = post(&gitlab, token, &body).await;
        assert!(matches!(reply.status, 200 | 400 | 422), "{}: {}", reply.status, reply.text);
    }
    let after = ask(&gitlab, "{currentUser{username}}").await;
    assert_eq!(after["data"]["currentUser"]["username"], "xrefd-bot");
    gitlab.stop().await;
}

#[tokio::test]
async fn deprecated_fields_can_be_left_out() {
    let gitlab = serve(world()).await;
    let query = "%7Bproject(fullPath:%22acme/shop%22)%7BtagList%7D%7D";
    let url = format!("{}/api/graphql?query={query}", gitlab.url());
    let with = fetch(&url, &[]).await.json();
    assert_eq!(with["data"]["project"]["tagList"], "");
    let without = fetch(&format!("{url}&remove_deprecated=true"), &[]).await.json();
    assert_eq!(message(&without), "Field 'tagList' doesn't exist on type 'Project'");
    gitlab.stop().await;
}

#[tokio::test]
async fn the_usual_introspection_is_not_too_complex() {
    let gitlab = serve(world()).await;
    let inner =
        (0..8).fold("kind name".to_owned(), |inner, _| format!("kind name ofType{{{inner}}}"));
    let query = format!(
        "{{__schema{{queryType{{name}} mutationType{{name}} types{{kind name fields{{name \
         args{{name type{{{inner}}}}} type{{{inner}}}}} interfaces{{name}} possibleTypes{{name}}}}}}}}"
    );
    let reply = post(&gitlab, None, &json!({"query": query})).await.json();
    assert_eq!(reply.get("errors"), None);
    assert_eq!(reply["data"]["__schema"]["mutationType"], Value::Null);
    gitlab.stop().await;
}

#[tokio::test]
async fn blobs_that_were_refused_leave_room_for_smaller_ones() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    for (path, size) in [("a", 15 * 1024 * 1024), ("b", 15 * 1024 * 1024), ("c", 10)] {
        world.add_file(project, path, vec![b'x'; size]);
    }
    let gitlab = serve(world).await;
    let one = |path: &str| format!("{path}:blobs(paths:[\"{path}\"]){{nodes{{rawTextBlob}}}}");
    let query = format!(
        "{{project(fullPath:\"acme/shop\"){{repository{{{} {} {}}}}}}}",
        one("a"),
        one("b"),
        one("c")
    );
    let body = ask(&gitlab, &query).await;
    let found = &body["data"]["project"]["repository"];
    assert!(found["a"]["nodes"][0]["rawTextBlob"].is_string());
    assert_eq!(found["b"], Value::Null);
    assert_eq!(found["c"]["nodes"][0]["rawTextBlob"], "xxxxxxxxxx");
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
    assert_eq!(body["errors"][0]["path"], json!(["project", "repository", "b"]));
    gitlab.stop().await;
}
