//! What a count, a link or a list of others' things must not tell.

use gitlab_sim::GitLab;
use gitlab_sim::world::{
    AccessLevel, ItemRef, LabelOwner, NewIssue, NewMergeRequest, NewProject, Visibility, World,
};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::client::{Reply, get, get_anonymously, get_as, serve};

/// Asks with a token, or as nobody.
pub async fn graphql(gitlab: &GitLab, token: Option<&str>, query: &str) -> Value {
    let mut headers = HeaderMap::new();
    if let Some(token) = token {
        headers.insert("private-token", token.parse().unwrap());
    }
    #[expect(clippy::disallowed_methods, reason = "a test client is unpaced")]
    let reply = reqwest::Client::new()
        .post(format!("{}/api/graphql", gitlab.url()))
        .headers(headers)
        .json(&json!({ "query": query }))
        .send()
        .await
        .unwrap();
    reply.json().await.unwrap()
}

#[tokio::test]
async fn counts_of_labels_and_projects_leave_out_confidential_issues() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    world.add_issue(project, NewIssue::new("open").labels(["bug"]));
    world.add_issue(project, NewIssue::new("secret").labels(["bug"]).confidential(true));
    let closed = world.add_issue(project, NewIssue::new("was").labels(["bug"]).confidential(true));
    let bot = world.bot();
    world.close(ItemRef::issue(project, closed), bot);
    let gitlab = serve(world).await;
    let counts = |reply: &Reply| {
        let row = &reply.json()[0];
        (row["open_issues_count"].clone(), row["closed_issues_count"].clone())
    };
    let path = "/projects/1/labels?with_counts=true";
    assert_eq!(counts(&get(&gitlab, path).await), (json!(2), json!(1)));
    assert_eq!(counts(&get_anonymously(&gitlab, path).await), (json!(1), json!(0)));
    let member = get(&gitlab, "/projects/1").await.json();
    let nobody = get_anonymously(&gitlab, "/projects/1").await.json();
    // A project counts for nobody in particular.
    assert_eq!(
        (&member["open_issues_count"], &nobody["open_issues_count"]),
        (&json!(1), &json!(1))
    );
    let asked = graphql(&gitlab, None, r#"{project(fullPath:"acme/open"){openIssuesCount}}"#).await;
    assert_eq!(asked["data"]["project"]["openIssuesCount"], 1, "as REST says");
}

#[tokio::test]
async fn labels_do_not_count_merge_requests_of_code_that_is_not_to_be_read() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shut"));
    world.add_merge_request(project, NewMergeRequest::new("x").labels(["bug"]));
    let guest = world.add_user("guest");
    world.add_project_member(project, guest, AccessLevel::Guest);
    let token = world.add_token(guest, &["read_api"], None);
    let gitlab = serve(world).await;
    let path = "/projects/1/labels?with_counts=true";
    assert_eq!(get(&gitlab, path).await.json()[0]["open_merge_requests_count"], 1);
    let seen = get_as(&gitlab, Some(&token), path).await.json();
    assert_eq!(seen[0]["open_merge_requests_count"], 0);
}

#[tokio::test]
async fn labels_of_groups_below_that_are_hidden_are_not_listed() {
    let mut world = World::new();
    world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    world.add_project(NewProject::at("acme/shut/secret"));
    let (acme, shut) =
        (world.find_group("acme").unwrap().id, world.find_group("acme/shut").unwrap().id);
    world.add_label(LabelOwner::Group(acme), "known");
    world.add_label(LabelOwner::Group(shut), "hidden");
    world.set_group_visibility(acme, Visibility::Public);
    let gitlab = serve(world).await;
    let path = "/groups/acme/labels?include_descendant_groups=true";
    assert_eq!(get(&gitlab, path).await.texts("name"), ["hidden", "known"]);
    assert_eq!(get_anonymously(&gitlab, path).await.texts("name"), ["known"]);
    let query = r#"{group(fullPath:"acme"){labels(includeDescendantGroups:true){nodes{title}}}}"#;
    let seen = graphql(&gitlab, None, query).await;
    assert_eq!(seen["data"]["group"]["labels"]["nodes"], json!([{"title": "known"}]));
}

#[tokio::test]
async fn a_hidden_original_is_not_named_by_its_duplicate() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    let original = world.add_issue(project, NewIssue::new("secret").confidential(true));
    let duplicate = world.add_issue(project, NewIssue::new("again"));
    let bot = world.bot();
    let [original, duplicate] = [original, duplicate].map(|iid| ItemRef::issue(project, iid));
    world.close_as_duplicate(duplicate, original, bot);
    let gitlab = serve(world).await;
    let of = |reply: Reply| reply.json()["_links"]["closed_as_duplicate_of"].clone();
    let path = "/projects/1/issues/2";
    assert!(of(get(&gitlab, path).await).as_str().unwrap().ends_with("/projects/1/issues/1"));
    assert_eq!(of(get_anonymously(&gitlab, path).await), Value::Null);
}

#[tokio::test]
async fn merge_requests_that_are_hidden_are_not_counted_with_an_issue() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    let shut = world.add_project(NewProject::at("acme/shut"));
    world.add_issue(project, NewIssue::new("broken"));
    world.add_merge_request(shut, NewMergeRequest::new("x").description("Closes acme/open#1"));
    let gitlab = serve(world).await;
    let query = r#"{project(fullPath:"acme/open"){issue(iid:"1"){mergeRequestsCount}}}"#;
    let count = async |token: Option<&str>| {
        let reply = graphql(&gitlab, token, query).await;
        reply["data"]["project"]["issue"]["mergeRequestsCount"].clone()
    };
    assert_eq!(count(Some(gitlab.token())).await, 1);
    assert_eq!(count(None).await, 0);
}

#[tokio::test]
async fn with_whom_something_is_shared_is_told_to_those_who_see_them() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/open").visibility(Visibility::Public));
    world.add_project(NewProject::at("guild/own"));
    let guild = world.find_group("guild").unwrap().id;
    world.share_project(project, guild, AccessLevel::Reporter);
    let gitlab = serve(world).await;
    let shares = |reply: Reply| reply.json()["shared_with_groups"].as_array().unwrap().len();
    assert_eq!(shares(get(&gitlab, "/projects/1").await), 1);
    assert_eq!(shares(get_anonymously(&gitlab, "/projects/1").await), 0);
}

#[tokio::test]
async fn members_of_an_invited_group_reach_the_group_and_what_is_in_it() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shut/web"));
    world.add_issue(project, NewIssue::new("one"));
    let acme = world.find_group("acme").unwrap().id;
    let guild = world.add_group("guild");
    let ann = world.add_user("ann");
    world.add_group_member(guild, ann, AccessLevel::Developer);
    let token = world.add_token(ann, &["read_api"], None);
    let gitlab = serve(world).await;
    let ask = async |path: &str| get_as(&gitlab, Some(&token), path).await;
    assert_eq!(ask("/groups/acme").await.status, 404);
    assert_eq!(ask("/groups").await.texts("full_path"), ["guild"]);
    gitlab.world().share_group(acme, guild, AccessLevel::Reporter);
    assert_eq!(ask("/groups/acme/issues").await.texts("title"), ["one"]);
    assert_eq!(ask("/groups").await.texts("full_path"), ["acme", "guild", "acme/shut"]);
    let query = r#"{group(fullPath:"acme"){projects(includeSubgroups:true){count}}}"#;
    let seen = graphql(&gitlab, Some(&token), query).await;
    assert_eq!(seen["data"]["group"]["projects"]["count"], 1);
}

#[tokio::test]
async fn a_shared_project_shows_the_groups_above_it() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shut/web"));
    let guild = world.add_group("guild");
    let ann = world.add_user("ann");
    world.add_group_member(guild, ann, AccessLevel::Developer);
    world.share_project(project, guild, AccessLevel::Reporter);
    let token = world.add_token(ann, &["read_api"], None);
    let gitlab = serve(world).await;
    for path in ["/projects/acme%2Fshut%2Fweb", "/groups/acme%2Fshut", "/groups/acme"] {
        assert_eq!(get_as(&gitlab, Some(&token), path).await.status, 200, "{path}");
    }
    gitlab.world().hide_project(project, true);
    assert_eq!(get_as(&gitlab, Some(&token), "/groups/acme").await.status, 404);
}

#[tokio::test]
async fn a_job_is_not_told_that_a_hidden_project_is_there() {
    let mut world = World::new();
    let home = world.add_project(NewProject::at("acme/home"));
    let hidden = world.add_project(NewProject::at("acme/hidden"));
    let bot = world.bot();
    let token = world.add_job_token(home, bot);
    let gitlab = serve(world).await;
    let ask =
        async || get_as(&gitlab, None, &format!("/projects/2/issues?job_token={token}")).await;
    assert_eq!(ask().await.status, 403, "not on the allow-list");
    gitlab.world().hide_project(hidden, true);
    assert_eq!(ask().await.json(), json!({"message": "404 Project Not Found"}));
}
