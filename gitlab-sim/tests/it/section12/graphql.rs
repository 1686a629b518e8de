//! Points of section 12 about GraphQL.

use gitlab_sim::world::{NewIssue, NewMergeRequest, NewProject, ProjectId, World};
use gitlab_sim::{BlobRegime, GitLab, Options};
use serde_json::{Value, json};

use crate::client::{get, serve};
use crate::graphql::{ask, data, message, post};

fn world() -> (World, ProjectId) {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop/webshop"));
    world.add_issue(project, NewIssue::new("one"));
    world.add_merge_request(project, NewMergeRequest::new("one").source_branch("a"));
    (world, project)
}

#[tokio::test]
async fn point_07_graphql_leaves_subgroups_out_unless_asked() {
    let gitlab = serve(world().0).await;
    for kind in ["projects", "issues", "mergeRequests"] {
        let count = async |arguments: &str| {
            let query = format!("{{group(fullPath:\"acme\"){{{kind}{arguments}{{count}}}}}}");
            data(&gitlab, &query).await["group"][kind]["count"].as_u64().unwrap()
        };
        assert_eq!(count("").await, 0, "{kind}");
        assert_eq!(count("(includeSubgroups:true)").await, 1, "{kind}");
    }
    let rest = get(&gitlab, "/groups/acme/issues").await;
    assert_eq!(rest.numbers("iid"), [1], "REST always recurses");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_17_too_complex_is_two_hundred_with_errors_only() {
    let (mut world, _) = world();
    let admin = world.add_user("root");
    world.set_admin(admin, true);
    let admin = world.add_token(admin, &["read_api"], None);
    let gitlab = serve(world).await;
    // (n + nodes + 1) × 2 + project, for n fields: 208, 258 and 308.
    for (fields, refused) in
        [(101, [true, false, false]), (126, [true, true, false]), (151, [true; 3])]
    {
        let fields: Vec<String> = (0..fields).map(|n| format!("f{n}:iid")).collect();
        let fields = fields.join(" ");
        let query =
            format!("{{project(fullPath:\"acme/shop/webshop\"){{issues{{nodes{{{fields}}}}}}}}}");
        let callers = [None, Some(gitlab.token()), Some(admin.as_str())];
        for ((token, limit), refused) in callers.into_iter().zip([200, 250, 300]).zip(refused) {
            let reply = post(&gitlab, token, &json!({"query": query})).await;
            assert_eq!(reply.status, 200);
            let body = reply.json();
            assert_eq!(body.get("data").is_none(), refused, "{body}");
            if refused {
                let text = message(&body);
                let end = format!(", which exceeds max complexity of {limit}");
                assert!(
                    text.starts_with("Query has complexity of ") && text.ends_with(&end),
                    "{text}"
                );
            }
        }
    }
    let long = "{currentUser{id}}".to_owned() + &" ".repeat(10_000);
    assert_eq!(post(&gitlab, None, &json!({"query": long})).await.status, 422);
    let score =
        "queryComplexity{score limit} project(fullPath:\"x\"){issues(first:20){nodes{iid title}}}";
    let row = data(&gitlab, &format!("{{{score}}}")).await;
    assert_eq!(row["queryComplexity"], json!({"score": 3 + 1 + 4, "limit": 250}));
    gitlab.stop().await;
}

#[tokio::test]
async fn point_17_too_deep_is_refused_too() {
    let gitlab = serve(world().0).await;
    let mut query = String::from("id");
    for _ in 0..7 {
        query = format!("parent{{descendantGroups(first:1){{nodes{{{query}}}}}}}");
    }
    let query = json!({"query": format!("{{group(fullPath:\"acme\"){{{query}}}}}")});
    for (token, deepest) in [(None, 15), (Some(gitlab.token()), 20)] {
        let reply = post(&gitlab, token, &query).await;
        assert_eq!(reply.status, 200);
        assert!(
            reply
                .text
                .contains(&format!("Query has depth of 23, which exceeds max depth of {deepest}")),
            "{}",
            reply.text
        );
    }
    let query = (0..18).fold("id".to_owned(), |inner, _| format!("parent{{{inner}}}"));
    let query = json!({"query": format!("{{group(fullPath:\"acme\"){{{query}}}}}")});
    let user = post(&gitlab, Some(gitlab.token()), &query).await.json();
    assert_eq!(user["data"]["group"]["parent"], Value::Null, "twenty levels are fine for a user");
    let nobody = post(&gitlab, None, &query).await.json();
    assert_eq!(message(&nobody), "Query has depth of 20, which exceeds max depth of 15");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_18_the_hidden_is_null_and_a_limit_is_null_with_an_error() {
    let (mut world, _) = world();
    world.add_project(NewProject::at("acme/other"));
    let gitlab = serve(world).await;
    let nothing =
        data(&gitlab, r#"{project(fullPath:"no/such"){id} group(fullPath:"no"){id}}"#).await;
    assert_eq!(nothing, json!({"project": null, "group": null}));
    let query = r#"{a:project(fullPath:"acme/shop/webshop"){name environments{nodes{name}}}
        b:project(fullPath:"acme/other"){name environments{nodes{name}}}}"#;
    let body = ask(&gitlab, query).await;
    assert_eq!(body["data"]["a"]["environments"]["nodes"], json!([]));
    assert_eq!(body["data"]["b"], json!({"name": "other", "environments": null}));
    assert_eq!(body["errors"][0]["path"], json!(["b", "environments"]));
    assert_eq!(
        message(&body),
        "\"environments\" field can be requested only for 1 Project(s) at a time."
    );
    gitlab.stop().await;
}

#[tokio::test]
async fn point_18_what_is_not_reached_in_time_is_null_with_an_error() {
    let options = Options { graphql_fields: Some(6), ..Options::default() };
    let gitlab = GitLab::start(world().0, options).await.unwrap();
    let query = r"{a:currentUser{bot} b:currentUser{createdAt} c:currentUser{publicEmail}
        d:currentUser{publicEmail} e:currentUser{publicEmail}}";
    let reply = post(&gitlab, Some(gitlab.token()), &json!({"query": query})).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    let errors = body["errors"].as_array().unwrap();
    assert!(errors.iter().all(|row| row["message"].as_str().unwrap().starts_with("Timeout on ")));
    assert!(errors.iter().all(|row| row["path"].is_array()));
    assert_ne!(body["data"]["a"], Value::Null, "what came first is there");
    assert!(body.to_string().contains("null"), "the rest is not");
    gitlab.stop().await;
}

fn blobs(paths: usize) -> String {
    let paths: Vec<String> = (0..paths).map(|n| format!("\"f{n}\"")).collect();
    format!(
        "{{project(fullPath:\"acme/shop/webshop\"){{id repository{{blobs(paths:[{}])\
         {{nodes{{path rawTextBlob}}}}}}}}}}",
        paths.join(",")
    )
}

async fn in_regime(regime: BlobRegime, size: usize) -> GitLab {
    let (mut world, project) = world();
    for n in 0..3 {
        world.add_file(project, &format!("f{n}"), vec![b'x'; if n == 2 { 10 } else { size }]);
    }
    let options = Options { blobs: regime, ..Options::default() };
    GitLab::start(world, options).await.unwrap()
}

fn found(body: &Value) -> usize {
    let nodes = &body["data"]["project"]["repository"]["blobs"]["nodes"];
    nodes.as_array().unwrap_or_else(|| panic!("{body}")).len()
}

#[tokio::test]
async fn point_19_old_blobs_are_cheap() {
    let gitlab = in_regime(BlobRegime::Old, 10).await;
    assert_eq!(found(&ask(&gitlab, &blobs(100)).await), 3);
    let body = ask(&gitlab, &blobs(118)).await;
    assert_eq!(message(&body), "Query has complexity of 251, which exceeds max complexity of 250");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_19_two_costly_blobs_are_too_many() {
    let gitlab = in_regime(BlobRegime::Costly, 10).await;
    assert_eq!(found(&ask(&gitlab, &blobs(1)).await), 1);
    for (paths, score) in [(2, 346), (3, 357)] {
        let body = ask(&gitlab, &blobs(paths)).await;
        assert_eq!(body.get("data"), None);
        let expected =
            format!("Query has complexity of {score}, which exceeds max complexity of 250");
        assert_eq!(message(&body), expected);
    }
    let names = blobs(3).replace("rawTextBlob", "oid");
    assert_eq!(found(&ask(&gitlab, &names).await), 3, "only contents are dear");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_19_new_blobs_are_capped_by_their_size() {
    let gitlab = in_regime(BlobRegime::New, 21 * 1024 * 1024).await;
    assert_eq!(found(&ask(&gitlab, &blobs(1)).await), 1, "one may be larger than the cap");
    let body = ask(&gitlab, &blobs(3)).await;
    assert_eq!(body["data"]["project"]["repository"]["blobs"], Value::Null);
    assert!(message(&body).contains("20 MB"), "{body}");
    let names = blobs(3).replace("rawTextBlob", "oid");
    assert_eq!(found(&ask(&gitlab, &names).await), 3, "names weigh nothing");
    gitlab.stop().await;
}
