//! Tokens, visibility, and errors in GitLab's words.

use gitlab_sim::world::{AccessLevel, ItemRef, NewIssue, NewNote, NewProject, Visibility, World};
use gitlab_sim::{GitLab, Options, Tier};
use serde_json::json;

use crate::client::{fetch, get, get_anonymously, get_as, serve};

#[tokio::test]
async fn an_unknown_token_is_refused_even_where_everybody_may_look() {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    let gitlab = serve(world).await;
    assert_eq!(get_anonymously(&gitlab, "/projects/1").await.status, 200);
    let reply = get_as(&gitlab, Some("glpat-wrong"), "/projects/1").await;
    assert_eq!((reply.status, reply.json()), (401, json!({"message": "401 Unauthorized"})));
}

#[tokio::test]
async fn expired_and_revoked_tokens_have_their_own_words() {
    let mut world = World::new();
    let user = world.add_user("ann");
    let expired = world.add_token(user, &["api"], Some("2020-01-01".parse().unwrap()));
    let revoked = world.add_token(user, &["api"], None);
    world.revoke(&revoked);
    let gitlab = serve(world).await;
    for (token, words) in [(expired, "Token is expired."), (revoked, "Token was revoked.")] {
        let reply = get_as(&gitlab, Some(&token), "/version").await;
        assert_eq!(reply.status, 401);
        assert_eq!(reply.json()["error"], "invalid_token");
        let description = reply.json()["error_description"].clone();
        assert!(description.as_str().unwrap().starts_with(words), "{description}");
        assert!(reply.header("www-authenticate").is_some());
    }
}

#[tokio::test]
async fn scopes_open_what_they_are_for() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_file(project, "README.md", "hello");
    let user = world.add_user("ann");
    world.add_project_member(project, user, AccessLevel::Developer);
    let code = world.add_token(user, &["read_repository"], None);
    let name = world.add_token(user, &["read_user"], None);
    let gitlab = serve(world).await;
    let raw = "/projects/1/repository/files/README.md/raw";
    assert_eq!(get_as(&gitlab, Some(&code), raw).await.text, "hello");
    assert_eq!(get_as(&gitlab, Some(&name), "/user").await.json()["username"], "ann");
    let own = get_as(&gitlab, Some(&name), "/personal_access_tokens/self").await.json();
    assert_eq!((&own["scopes"], &own["active"]), (&json!(["read_user"]), &json!(true)));
    let refused = get_as(&gitlab, Some(&code), "/projects/1/issues").await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["error"], "insufficient_scope");
    assert_eq!(refused.json()["scope"], "api read_api");
}

#[tokio::test]
async fn what_is_hidden_does_not_exist() {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/secret"));
    world.add_project(NewProject::at("acme/inner").visibility(Visibility::Internal));
    world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    let stranger = world.add_user("stranger");
    let token = world.add_token(stranger, &["read_api"], None);
    let gitlab = serve(world).await;
    let hidden = get_as(&gitlab, Some(&token), "/projects/acme%2Fsecret").await;
    let missing = get_as(&gitlab, Some(&token), "/projects/acme%2Fnowhere").await;
    assert_eq!((hidden.status, &hidden.text), (missing.status, &missing.text));
    assert_eq!(hidden.json(), json!({"message": "404 Project Not Found"}));
    let sees = async |token: Option<&str>| {
        get_as(&gitlab, token, "/projects?order_by=id&sort=asc").await.numbers("id")
    };
    assert_eq!(sees(None).await, [3]);
    assert_eq!(sees(Some(&token)).await, [2, 3]);
    assert_eq!(sees(Some(gitlab.token())).await, [1, 2, 3]);
    let group = get_as(&gitlab, Some(&token), "/groups/acme").await;
    assert_eq!((group.status, group.json()), (404, json!({"message": "404 Group Not Found"})));
    let own = get_as(&gitlab, Some(&token), "/projects?membership=true").await;
    assert_eq!(own.text, "[]");
}

#[tokio::test]
async fn confidential_issues_and_internal_notes_are_for_members() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    world.add_issue(project, NewIssue::new("open"));
    world.add_issue(project, NewIssue::new("secret").confidential(true).author("ann"));
    let item = ItemRef::issue(project, 1);
    world.add_note(item, NewNote::new("for all"));
    world.add_note(item, NewNote::new("for members").internal());
    let ann = world.add_user("ann");
    let bob = world.add_user("bob");
    let guest = world.add_user("guest");
    world.add_project_member(project, guest, AccessLevel::Guest);
    world.add_project_member(project, bob, AccessLevel::Reporter);
    let token = |world: &mut World, user| world.add_token(user, &["read_api"], None);
    let (ann, bob, guest) =
        (token(&mut world, ann), token(&mut world, bob), token(&mut world, guest));
    let gitlab = serve(world).await;
    for (who, secret, expected) in [
        ("nobody", None, 1),
        ("a guest", Some(&guest), 1),
        ("the author", Some(&ann), 2),
        ("a reporter", Some(&bob), 2),
    ] {
        let issues = get_as(&gitlab, secret.map(String::as_str), "/projects/1/issues").await;
        assert_eq!(issues.numbers("iid").len(), expected, "{who}");
        let direct = get_as(&gitlab, secret.map(String::as_str), "/projects/1/issues/2").await;
        assert_eq!(direct.status, if expected == 2 { 200 } else { 404 }, "{who}");
    }
    let notes = "/projects/1/issues/1/notes";
    assert_eq!(get_as(&gitlab, Some(&guest), notes).await.texts("body"), ["for all"]);
    assert_eq!(get_as(&gitlab, Some(&bob), notes).await.texts("body").len(), 2);
    let anonymous = get_anonymously(&gitlab, notes).await;
    assert_eq!(
        (anonymous.status, anonymous.text.as_str()),
        (401, r#"{"message":"401 Unauthorized"}"#)
    );
}

#[tokio::test]
async fn an_address_without_a_route_differs_from_a_missing_thing() {
    let gitlab = serve(World::new()).await;
    for path in ["/projects/acme/shop", "/nothing", "/projects/1/repository/files/a/b?ref=main"] {
        let reply = get(&gitlab, path).await;
        assert_eq!(
            (reply.status, reply.json()),
            (404, json!({"error": "404 Not Found"})),
            "{path}"
        );
    }
    for url in ["", "/", "/api/v4", "/api/v4x/projects", "/%00%ff"] {
        assert_eq!(fetch(&format!("{}{url}", gitlab.url()), &[]).await.status, 404, "{url}");
    }
    let user = get_anonymously(&gitlab, "/user").await;
    assert_eq!(user.status, 401);
    assert_eq!(get_anonymously(&gitlab, "/version").await.status, 401);
}

#[tokio::test]
async fn approval_rules_depend_on_the_tier() {
    for (tier, status) in [(Tier::Community, 404), (Tier::Free, 403), (Tier::Premium, 200)] {
        let mut world = World::new();
        let project = world.add_project(NewProject::at("acme/shop"));
        let ann = world.add_user("ann");
        let acme = world.find_group("acme").unwrap().id;
        world.add_approval_rule(project, "Two eyes", 2, vec![ann], vec![acme]);
        let options = Options { tier, ..Options::default() };
        let gitlab = GitLab::start(world, options).await.unwrap();
        let reply = get(&gitlab, "/projects/1/approval_rules").await;
        assert_eq!(reply.status, status, "{tier:?}");
        if status == 200 {
            let rule = &reply.json()[0];
            assert_eq!(rule["approvals_required"], 2);
            assert_eq!(rule["users"][0]["username"], "ann");
            assert_eq!(rule["groups"][0]["full_path"], "acme");
        }
        let enterprise = get(&gitlab, "/metadata").await.json()["enterprise"].clone();
        assert_eq!(enterprise, tier != Tier::Community);
    }
}

#[tokio::test]
async fn an_answer_known_to_the_client_is_not_sent_again() {
    let gitlab = serve(World::new()).await;
    let url = format!("{}/api/v4/projects", gitlab.url());
    let etag = fetch(&url, &[]).await.header("etag").unwrap().to_owned();
    assert_eq!(etag, "W/\"4f53cda18c2baa0c0354bb5f9a3ecbe5\"", "the digest of []");
    let again = fetch(&url, &[("if-none-match", &etag)]).await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    assert_eq!(again.header("x-total"), Some("0"));
}

#[tokio::test]
async fn the_log_tells_who_asked_for_what() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    world.add_file(project, "docs/CODEOWNERS", "* @ann");
    let gitlab = serve(world).await;
    get(&gitlab, "/projects/1/repository/files/docs%2FCODEOWNERS/raw?ref=main").await;
    get_anonymously(&gitlab, "/user").await;
    let requests = gitlab.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].method, "GET");
    assert_eq!(requests[0].path, "/api/v4/projects/1/repository/files/docs%2FCODEOWNERS/raw");
    assert_eq!(requests[0].query, "ref=main");
    assert_eq!(requests[0].user.as_deref(), Some("xrefd-bot"));
    assert_eq!(requests[0].user_agent.as_deref(), Some("gitlab-sim tests"));
    assert_eq!((requests[1].status, &requests[1].user), (401, &None));
    assert_eq!(gitlab.requests_for("docs/CODEOWNERS"), 1);
    gitlab.forget_requests();
    assert_eq!(gitlab.requests_for("CODEOWNERS"), 0);
}

#[tokio::test]
async fn a_stopped_server_frees_its_port() {
    let gitlab = serve(World::new()).await;
    let address: std::net::SocketAddr =
        gitlab.url().strip_prefix("http://").unwrap().parse().unwrap();
    let taken = GitLab::bind(address, World::new(), Options::default()).await;
    assert_eq!(taken.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    gitlab.stop().await;
    let again = GitLab::bind(address, World::new(), Options::default()).await.unwrap();
    assert_eq!(get(&again, "/version").await.status, 200);
}
