//! GraphQL that is not to be had, or not now.

use gitlab_sim::world::NewProject;
use gitlab_sim::{Options, World};
use secrecy::SecretString;

use super::super::standing::Kind;
use super::{client_with, serve};
use crate::gitlab::stub::{self, Stub, answer, json};
use crate::gitlab::{
    Client, Credential, Feature, FilesAnswer, GraphqlFailure, ItemOrder, ItemsQuery, Lack, Place,
    Want,
};
use crate::model::{ItemKind, ProjectId};

async fn ask(client: &Client) -> FilesAnswer {
    let ids: Vec<ProjectId> = (1..=40).map(ProjectId::new).collect();
    client.project_files(&ids, &["CODEOWNERS"], Want::First).await
}

fn lack(client: &Client) -> Option<Lack> {
    let unavailable = client.capabilities().unavailable;
    unavailable.iter().find(|one| one.feature == Feature::Graphql).map(|one| one.lack)
}

fn is_off(answer: &FilesAnswer) -> bool {
    answer.projects.is_empty() && matches!(answer.failure, Some(GraphqlFailure::Off { .. }))
}

#[tokio::test]
async fn refusal_in_gitlabs_words_is_remembered_at_once() {
    for (status, body, expected) in [
        (404, r#"{"error":"404 Not Found"}"#, Lack::Instance),
        (403, r#"{"errors":[{"message":"API not accessible for user"}]}"#, Lack::Credential),
        (405, r#"{"error":"405 Not Allowed"}"#, Lack::Instance),
    ] {
        let stub = Stub::start(move |_, _| json(status, body)).await;
        let client = stub.client();
        for _ in 0..3 {
            assert!(is_off(&ask(&client).await), "{status} {body}");
        }
        assert_eq!(stub.uris(), ["/api/graphql"], "{status} {body}");
        assert_eq!(lack(&client), Some(expected), "{status} {body}");
    }
}

#[tokio::test]
async fn page_of_something_in_front_of_gitlab_is_doubted_first_and_forgotten_later() {
    for status in [200, 403, 404] {
        let page = "<html>Sign in</html>";
        let stub = Stub::start(move |_, _| answer(status, &[("content-type", "text/html")], page));
        let stub = stub.await;
        let client = stub.client();
        for _ in 0..3 {
            assert!(is_off(&ask(&client).await), "{status}");
        }
        assert_eq!(stub.asked().len(), 3, "{status}");
        assert_eq!(lack(&client), None, "{status}: it may pass");
    }
}

#[tokio::test]
async fn one_page_in_the_way_changes_nothing() {
    let page = |number| match number {
        0 => answer(200, &[("content-type", "text/html")], "<html>Sign in</html>"),
        _ => json(200, r#"{"data":{"projects":{"nodes":[]}}}"#),
    };
    let stub = Stub::start(move |_, number| page(number)).await;
    let answer = ask(&stub.client()).await;
    assert!(answer.failure.is_none(), "{:?}", answer.failure);
    assert_eq!(answer.projects.len(), 40);
}

#[tokio::test]
async fn token_without_the_scope_for_graphql_is_not_taken_for_expired() {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/shop"));
    let bot = world.bot();
    let token = world.add_token(bot, &["read_repository"], None);
    let gitlab = serve(world, Options::default()).await;
    let client = client_with(&gitlab, Credential::PrivateToken(SecretString::from(token)));
    assert!(is_off(&ask(&client).await));
    assert!(is_off(&ask(&client).await));
    assert_eq!(gitlab.requests_for("/api/graphql"), 3, "and never again with this token");
    assert_eq!(lack(&client), None, "another token may be better");
    gitlab.stop().await;
}

#[tokio::test]
async fn nothing_is_asked_with_a_job_token_or_against_the_configuration() {
    let stub = Stub::start(|_, _| json(200, "{}")).await;
    let mut with_job = stub::settings(&stub.url);
    with_job.keyring =
        crate::gitlab::Keyring::fixed(Credential::JobToken(SecretString::from("job-token")));
    let mut by_rest = stub::settings(&stub.url);
    by_rest.graphql = false;
    for (settings, expected) in [(with_job, Lack::Credential), (by_rest, Lack::Configuration)] {
        let client = stub::client(settings);
        assert!(is_off(&ask(&client).await));
        assert!(is_off(&ask(&client).await));
        assert_eq!(lack(&client), Some(expected));
    }
    assert_eq!(stub.uris(), [""; 0]);
}

#[tokio::test]
async fn query_with_what_this_version_lacks_is_sent_once_and_others_go_on() {
    let lacking = r#"{"errors":[{"message":"Field 'rootRef' doesn't exist on type 'Repository'",
        "locations":[{"line":1,"column":9}],"extensions":{"code":"undefinedField"}}]}"#;
    let stub = Stub::start(move |_, _| json(200, lacking)).await;
    let client = stub.client();
    let failure = ask(&client).await.failure;
    assert!(matches!(failure, Some(GraphqlFailure::Lacks { .. })), "{failure:?}");
    assert!(is_off(&ask(&client).await));
    assert_eq!(stub.asked().len(), 1);
    let issues = ItemsQuery::all(ItemKind::Issue, Place::Group("acme"), ItemOrder::Updated);
    let failure = client.items_page(&issues).await.expect_err("lacking too");
    assert!(matches!(failure, GraphqlFailure::Lacks { .. }), "{failure}");
    assert_eq!(stub.asked().len(), 3, "another kind of query is tried, with links and without");
}

#[tokio::test]
async fn issues_come_without_links_where_a_field_of_links_is_lacking() {
    let lacking = r#"{"errors":[{"message":"Field 'linkedWorkItems' doesn't exist on type 'Issue'",
        "locations":[{"line":1,"column":9}],"extensions":{"code":"undefinedField"}}]}"#;
    let good = r#"{"data":{"group":{"page":{"nodes":[],"pageInfo":{"hasNextPage":false}}}}}"#;
    let stub = Stub::start(move |_, number| match number {
        0 => json(200, lacking),
        _ => json(200, good),
    });
    let stub = stub.await;
    let client = stub.client();
    let issues = ItemsQuery::all(ItemKind::Issue, Place::Group("acme"), ItemOrder::Updated);
    for asked in [2, 3] {
        client.items_page(&issues).await.expect("a page");
        assert_eq!(stub.asked().len(), asked, "the lacking field is asked for once");
    }
}

#[tokio::test]
async fn query_that_is_too_much_is_halved_and_not_sent_again_as_it_is() {
    let good = r#"{"data":{"projects":{"nodes":[]}}}"#;
    for (status, bad) in [
        (503, r#"{"errors":[{"message":"Request timed out. Please try a less complex query."}]}"#),
        (422, r#"{"errors":[{"message":"Query too large"}]}"#),
        (500, r#"{"errors":[{"message":"Internal server error"}]}"#),
        (200, r#"{"errors":[{"message":"Timeout on validation of query"}]}"#),
        (200, r#"{"data":null,"errors":[{"message":"Timeout"}]}"#),
    ] {
        let stub = Stub::start(move |_, number| match number {
            0 | 1 => json(status, bad),
            _ => json(200, good),
        });
        let stub = stub.await;
        let client = stub.client();
        let answer = ask(&client).await;
        assert!(answer.failure.is_none(), "{status}: {:?}", answer.failure);
        // Forty and twenty are refused, ten are answered, four times.
        assert_eq!(stub.asked().len(), 6, "{status}");
        assert_eq!(client.stats().retries, 0, "{status}");
        assert_eq!(client.graphql().size(Kind::Files), 12, "{status}: ten, and four good answers");
    }
}

#[tokio::test]
async fn query_that_fails_however_small_rests_after_a_few_times() {
    let bad = r#"{"errors":[{"message":"Internal server error"}]}"#;
    let stub = Stub::start(move |_, _| json(500, bad)).await;
    let client = stub.client();
    for _ in 0..3 {
        let failure = ask(&client).await.failure;
        assert!(matches!(failure, Some(GraphqlFailure::Heavy { .. })), "{failure:?}");
    }
    let asked = stub.asked().len();
    assert!(asked <= 8, "40, 20, 10, 5, 2, 1, 1 and 1: {asked}");
    assert!(is_off(&ask(&client).await));
    assert_eq!(stub.asked().len(), asked);
}

#[tokio::test]
async fn throttled_query_waits_and_is_sent_again() {
    for (kind, body) in [
        ("text/plain", "Retry later\n"),
        (
            "application/json",
            r#"{"errors":[{"message":"This endpoint has been requested too many times."}]}"#,
        ),
    ] {
        let stub = Stub::start(move |_, number| match number {
            0 => answer(429, &[("content-type", kind), ("retry-after", "0")], body),
            _ => json(200, r#"{"data":{"projects":{"nodes":[]}}}"#),
        });
        let stub = stub.await;
        let mut settings = stub::settings(&stub.url);
        settings.unstated_pause = std::time::Duration::from_millis(1);
        let client = stub::client(settings);
        let answer = ask(&client).await;
        assert!(answer.failure.is_none(), "{:?}", answer.failure);
        assert_eq!((stub.asked().len(), client.stats().throttled), (2, 1), "{kind}");
    }
}

#[tokio::test]
async fn answer_of_another_shape_is_a_failure_and_never_a_list_without_projects() {
    let bodies = ["[]", "{", "null", r#"{"data":{"projects":7}}"#];
    for body in bodies {
        let stub = Stub::start(move |_, _| json(200, body)).await;
        let answer = ask(&stub.client()).await;
        assert!(answer.projects.is_empty(), "{body}: {:?}", answer.projects);
        assert!(answer.failure.is_some(), "{body}");
    }
    for body in [
        r#"{"data":[]}"#,
        r#"{"data":{}}"#,
        r#"{"data":{"projects":null}}"#,
        r#"{"data":{"projects":{"nodes":null}}}"#,
        r#"{"data":{"projects":{"nodes":[null]}}}"#,
        r#"{"data":{"projects":{"nodes":[{"id":"gid://gitlab/Project/1","repository":
            {"empty":false,"rootRef":"main","blobs":{"nodes":[null]}}}]}},
            "errors":[{"message":"x"}]}"#,
    ] {
        let stub = Stub::start(move |_, _| json(200, body)).await;
        let client = stub.client();
        let answer = ask(&client).await;
        assert!(stub.asked().len() <= 9, "{body}: {}", stub.asked().len());
        assert!(answer.failure.is_some() && is_off(&ask(&client).await), "{body}");
        for fetched in answer.projects.values() {
            assert!(matches!(fetched, crate::gitlab::Fetched::Failed(_)), "{body}: {fetched:?}");
        }
    }
}
