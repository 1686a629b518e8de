//! Tokens of CI jobs: where they are taken, how long, and by whom they are let in.

use gitlab_sim::GitLab;
use gitlab_sim::world::{AccessLevel, NewProject, ProjectId, Visibility, World};
use serde_json::json;

use crate::client::{Reply, fetch, serve};

/// A job of `acme/ci`, whose user is a developer everywhere in `acme`; a target, and one that is
/// public.
fn world() -> (World, ProjectId, ProjectId, String) {
    let mut world = World::new();
    let source = world.add_project(NewProject::at("acme/ci"));
    let target = world.add_project(NewProject::at("acme/target"));
    world.add_project(NewProject::at("open/source").visibility(Visibility::Public));
    world.add_file(source, "README.md", "own");
    world.add_file(target, "README.md", "hello");
    let ann = world.add_user("ann");
    let acme = world.find_group("acme").unwrap().id;
    world.add_group_member(acme, ann, AccessLevel::Developer);
    let token = world.add_job_token(source, ann);
    (world, source, target, token)
}

async fn ask(gitlab: &GitLab, path: &str, headers: &[(&str, &str)]) -> Reply {
    fetch(&format!("{}/api/v4{path}", gitlab.url()), headers).await
}

async fn with_job(gitlab: &GitLab, token: &str, path: &str) -> Reply {
    ask(gitlab, path, &[("job-token", token)]).await
}

#[tokio::test]
async fn a_job_token_is_taken_as_header_parameter_and_bearer() {
    let (world, _, _, token) = world();
    let gitlab = serve(world).await;
    let path = "/projects/1/merge_requests";
    let bearer = format!("Bearer {token}");
    for (path, headers) in [
        (path.to_owned(), vec![("job-token", token.as_str())]),
        (format!("{path}?job_token={token}"), vec![]),
        (path.to_owned(), vec![("authorization", bearer.as_str())]),
    ] {
        assert_eq!(ask(&gitlab, &path, &headers).await.status, 200, "{path}");
    }
    let private = ask(&gitlab, path, &[("private-token", &token)]).await;
    assert_eq!(
        (private.status, private.json()),
        (404, json!({"message": "404 Project Not Found"})),
        "passed over: the request is anonymous"
    );
    let unknown = with_job(&gitlab, "glcbt-unknown", path).await;
    assert_eq!(unknown.status, 401);
}

#[tokio::test]
async fn a_job_token_is_ignored_on_routes_that_do_not_opt_in() {
    let (world, _, _, token) = world();
    let gitlab = serve(world).await;
    let bearer = format!("Bearer {token}");
    for headers in
        [[("job-token", token.as_str())], [("authorization", &bearer)], [("private-token", &token)]]
    {
        for (path, status) in [
            ("/projects/1", 404),
            ("/projects/1/labels", 404),
            ("/projects/1/repository/tree", 404),
            ("/projects/1/repository/files/README.md?ref=main", 404),
            ("/projects/3", 200),
            ("/projects/3/labels", 200),
            ("/projects", 200),
            ("/groups/acme", 404),
            ("/user", 401),
            ("/version", 401),
        ] {
            let reply = ask(&gitlab, path, &headers).await;
            assert_eq!(reply.status, status, "{path} {headers:?}");
        }
        assert_eq!(ask(&gitlab, "/projects", &headers).await.numbers("id"), [3], "the public one");
    }
    assert_eq!(with_job(&gitlab, "glcbt-unknown", "/projects/3").await.status, 200);
}

#[tokio::test]
async fn a_job_token_works_while_its_job_runs() {
    let (world, _, _, token) = world();
    let gitlab = serve(world).await;
    let raw = "/projects/acme%2Fci/repository/files/README.md/raw";
    assert_eq!(with_job(&gitlab, &token, raw).await.text, "own");
    assert!(gitlab.world().finish_job(&token));
    let late = with_job(&gitlab, &token, raw).await;
    assert_eq!((late.status, late.json()), (401, json!({"message": "401 Unauthorized"})));
    assert_eq!(with_job(&gitlab, &token, "/projects/3/issues").await.status, 401, "public or not");
}

#[tokio::test]
async fn a_project_must_let_the_jobs_of_another_in() {
    let (world, source, target, token) = world();
    let gitlab = serve(world).await;
    let raw = "/projects/2/repository/files/README.md/raw";
    let refused = with_job(&gitlab, &token, raw).await;
    assert_eq!(refused.status, 403);
    assert_eq!(
        refused.json()["message"],
        "403 Forbidden - Authentication by CI/CD job token not allowed from acme/ci to project #2."
    );
    assert_eq!(with_job(&gitlab, &token, "/projects/3/issues").await.status, 200, "public");
    assert!(gitlab.world().allow_job_tokens_from(target, source));
    assert_eq!(with_job(&gitlab, &token, raw).await.text, "hello");
    assert!(gitlab.world().refuse_job_tokens_from(target, source));
    assert_eq!(with_job(&gitlab, &token, raw).await.status, 403);
}

#[tokio::test]
async fn a_project_for_all_who_are_signed_in_does_not_let_jobs_in_by_that() {
    let (mut world, source, _, token) = world();
    let inner = NewProject::at("other/inner").visibility(Visibility::Internal);
    let inner = world.add_project(inner);
    let gitlab = serve(world).await;
    let refused = with_job(&gitlab, &token, "/projects/4/issues").await;
    assert_eq!(refused.status, 403, "{}", refused.text);
    gitlab.world().allow_job_tokens_from(inner, source);
    assert_eq!(with_job(&gitlab, &token, "/projects/4/merge_requests").await.status, 200);
}

#[tokio::test]
async fn what_the_user_of_the_job_cannot_see_is_not_found() {
    let (mut world, source, _, token) = world();
    let hidden = world.add_project(NewProject::at("secret/plan"));
    let gitlab = serve(world).await;
    let path = "/projects/secret%2Fplan/issues";
    for _ in 0..2 {
        let reply = with_job(&gitlab, &token, path).await;
        assert_eq!(
            (reply.status, reply.json()),
            (404, json!({"message": "404 Project Not Found"}))
        );
        gitlab.world().allow_job_tokens_from(hidden, source);
    }
}

#[tokio::test]
async fn an_entry_may_grant_some_permissions_only() {
    let (mut world, source, target, token) = world();
    world.allow_job_tokens_for(target, source, &["read_repositories"]);
    let gitlab = serve(world).await;
    let raw = "/projects/2/repository/files/README.md/raw";
    assert_eq!(with_job(&gitlab, &token, raw).await.text, "hello");
    let refused = with_job(&gitlab, &token, "/projects/2/merge_requests").await;
    assert_eq!(refused.status, 403);
    let words = refused.json()["message"].as_str().unwrap().to_owned();
    assert!(words.contains("read_merge_requests"), "{words}");
    let unauthorized = with_job(&gitlab, &token, "/projects/2/issues").await;
    assert_eq!(
        (unauthorized.status, unauthorized.json()),
        (
            403,
            json!({"message":
            "403 Forbidden - This action is unauthorized for CI/CD job tokens."})
        )
    );
}

#[tokio::test]
async fn a_job_asks_about_itself() {
    let (world, _, _, token) = world();
    let gitlab = serve(world).await;
    let job = with_job(&gitlab, &token, "/job").await.json();
    assert_eq!((&job["id"], &job["status"]), (&json!(1), &json!("running")));
    assert_eq!((&job["ref"], &job["user"]["username"]), (&json!("main"), &json!("ann")));
    assert_eq!(job["pipeline"]["project_id"], 1);
    let other = ask(&gitlab, "/job", &[("private-token", gitlab.token())]).await;
    assert_eq!((other.status, other.json()), (404, json!({"message": "404 Job Not Found"})));
    assert_eq!(ask(&gitlab, "/job", &[]).await.status, 401);
}
