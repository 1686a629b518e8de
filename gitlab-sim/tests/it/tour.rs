//! A reading tour, as the usual clients take it, and what others observed on real instances.

use gitlab_sim::world::{
    AccessLevel, ItemRef, LinkKind, NewIssue, NewMergeRequest, NewNote, NewPipeline, NewProject,
    Visibility, World,
};
use gitlab_sim::{GitLab, Options, Tier};
use serde_json::{Value, json};

use crate::client::{fetch, get, get_anonymously, get_as, serve};

fn organisation() -> World {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop").topics(["web"]));
    let web = world.add_project(NewProject::at("acme/sub/web"));
    world.add_project(NewProject::at("acme/lent"));
    world.add_file(shop, "README.md", "# Shop\n");
    world.add_file(shop, "src/main.rs", "fn main() {}\n");
    world.add_file(shop, ".gitlab/issue_templates/Bug.md", "own");
    let lent = world.find_project("acme/lent").unwrap().id;
    world.add_file(lent, ".gitlab/issue_templates/Bug.md", "lent");
    world.add_file(lent, ".gitlab/issue_templates/Idea.md", "lent");
    let acme = world.find_group("acme").unwrap().id;
    world.set_template_project(acme, Some(lent));
    let ann = world.add_user("ann");
    world.add_group_member(acme, ann, AccessLevel::Developer);
    world.add_issue(shop, NewIssue::new("one").author("ann").labels(["bug"]));
    world.add_issue(web, NewIssue::new("two"));
    world.link_issues(ItemRef::issue(shop, 1), ItemRef::issue(web, 1), LinkKind::Blocks);
    world.add_note(ItemRef::issue(shop, 1), NewNote::new("hello").author("bob"));
    let new = NewMergeRequest::new("x").description("Closes #1").source_branch("feature");
    world.add_merge_request(shop, new);
    world.add_pipeline(shop, NewPipeline::new("failed").branch("feature"));
    world.add_pipeline(shop, NewPipeline::new("success"));
    let now = world.clock().now();
    world.add_tag(shop, "v1", Some("What is new"), now);
    world
}

async fn start(tier: Tier) -> GitLab {
    GitLab::start(organisation(), Options { tier, ..Options::default() }).await.unwrap()
}

#[tokio::test]
async fn every_list_of_the_tour_is_paged_with_all_headers() {
    let gitlab = start(Tier::Premium).await;
    for path in [
        "/groups",
        "/groups/acme/subgroups",
        "/groups/acme/descendant_groups",
        "/groups/acme/projects",
        "/groups/acme/projects/shared",
        "/groups/acme/groups/shared",
        "/groups/acme/invited_groups",
        "/groups/acme/members",
        "/groups/acme/members/all",
        "/groups/acme/labels",
        "/groups/acme/issues",
        "/groups/acme/merge_requests",
        "/groups/acme/milestones",
        "/groups/acme/epics",
        "/projects",
        "/projects/1/members",
        "/projects/1/members/all",
        "/projects/1/users",
        "/projects/1/groups",
        "/projects/1/forks",
        "/projects/1/labels",
        "/projects/1/milestones",
        "/projects/1/events",
        "/projects/1/issues/1/notes",
        "/projects/1/issues/1/discussions",
        "/projects/1/issues/1/participants",
        "/projects/1/issues/1/award_emoji",
        "/projects/1/issues/1/resource_label_events",
        "/projects/1/issues/1/resource_state_events",
        "/projects/1/issues/1/related_merge_requests",
        "/projects/1/issues/1/closed_by",
        "/projects/1/merge_requests/1/notes",
        "/projects/1/merge_requests/1/discussions",
        "/projects/1/merge_requests/1/commits",
        "/projects/1/merge_requests/1/diffs",
        "/projects/1/merge_requests/1/versions",
        "/projects/1/merge_requests/1/pipelines",
        "/projects/1/merge_requests/1/participants",
        "/projects/1/merge_requests/1/closes_issues",
        "/projects/1/merge_requests/1/related_issues",
        "/projects/1/merge_requests/1/approval_rules",
        "/projects/1/approval_rules",
        "/projects/1/repository/branches",
        "/projects/1/repository/tags",
        "/projects/1/repository/tree",
        "/projects/1/repository/contributors",
        "/projects/1/pipelines",
        "/projects/1/pipelines/1/jobs",
        "/projects/1/jobs",
        "/projects/1/releases",
        "/projects/1/environments",
        "/projects/1/deployments",
        "/projects/1/templates/issues",
        "/users",
        "/namespaces",
        "/topics",
        "/events",
    ] {
        let reply = get(&gitlab, &format!("{path}?per_page=1")).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        assert!(reply.json().is_array(), "{path}");
        for name in ["x-page", "x-per-page", "x-next-page", "x-prev-page", "x-total", "link"] {
            assert!(reply.header(name).is_some(), "{path} has {name}");
        }
        assert!(reply.link("first").unwrap().contains("page=1"), "{path}");
    }
}

#[tokio::test]
async fn every_single_thing_of_the_tour_is_found_and_its_neighbour_is_not() {
    let gitlab = start(Tier::Premium).await;
    for (path, missing) in [
        ("/groups/acme", "/groups/none"),
        ("/groups/acme/members/2", "/groups/acme/members/99"),
        ("/groups/acme/labels/bug", "/groups/acme/labels/Bug"),
        ("/projects/1", "/projects/99"),
        ("/projects/1/labels/bug", "/projects/1/labels/99"),
        ("/projects/1/members/all/2", "/projects/1/members/2"),
        ("/projects/1/issues/1", "/projects/1/issues/99"),
        ("/projects/1/issues/1/notes/1", "/projects/1/issues/1/notes/99"),
        ("/projects/1/issues/1/links", "/projects/1/issues/99/links"),
        ("/projects/1/merge_requests/1/changes", "/projects/1/merge_requests/99/changes"),
        ("/projects/1/merge_requests/1/approvals", "/projects/1/merge_requests/99/approvals"),
        ("/projects/1/merge_requests/1/approval_state", "/projects/1/approval_state"),
        ("/projects/1/repository/branches/feature", "/projects/1/repository/branches/none"),
        ("/projects/1/repository/commits/main", "/projects/1/repository/commits/0000000000"),
        ("/projects/1/repository/tags/v1", "/projects/1/repository/tags/v2"),
        ("/projects/1/releases/v1", "/projects/1/releases/v2"),
        ("/projects/1/releases/permalink/latest", "/projects/2/releases/permalink/latest"),
        ("/projects/1/pipelines/1", "/projects/1/pipelines/99"),
        ("/projects/1/languages", "/projects/1/environments/1"),
        ("/projects/1/approvals", "/projects/1/milestones/1"),
        ("/users/2", "/users/99"),
        ("/namespaces/acme", "/namespaces/none"),
    ] {
        let reply = get(&gitlab, path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let reply = get(&gitlab, missing).await;
        assert_eq!(reply.status, 404, "{missing}: {}", reply.text);
    }
}

#[tokio::test]
async fn links_approvals_and_pipelines_tell_what_belongs_together() {
    let gitlab = start(Tier::Free).await;
    let links = get(&gitlab, "/projects/1/issues/1/links").await.json();
    assert_eq!((&links[0]["link_type"], &links[0]["project_id"]), (&json!("blocks"), &json!(2)));
    assert!(links[0]["issue_link_id"].is_number() && links[0]["link_created_at"].is_string());
    let back = get(&gitlab, "/projects/2/issues/1/links").await.json();
    assert_eq!(back[0]["link_type"], "is_blocked_by");
    let one = get(&gitlab, "/projects/1/merge_requests/1").await.json();
    assert_eq!(one["changes_count"], "1", "a text");
    assert_eq!(one["head_pipeline"]["ref"], "feature");
    let pipelines = get(&gitlab, "/projects/1/merge_requests/1/pipelines").await;
    assert_eq!(pipelines.numbers("id"), [1]);
    let commits = get(&gitlab, "/projects/1/merge_requests/1/commits").await;
    assert_eq!(commits.column("id"), [one["sha"].clone()]);
    let who = get(&gitlab, "/projects/1/issues/1/participants").await;
    assert_eq!(who.texts("username"), ["ann", "bob"]);
}

#[tokio::test]
async fn f032_f069_the_list_of_jobs_ignores_conditions_and_names_failures_only() {
    let gitlab = start(Tier::Free).await;
    let failed = get(&gitlab, "/projects/1/pipelines/1/jobs").await;
    assert_eq!(failed.texts("failure_reason"), ["script_failure"]);
    let url = format!("{}/api/v4/projects/1/pipelines/2/jobs", gitlab.url());
    let token = gitlab.token().to_owned();
    let first = fetch(&url, &[("private-token", &token)]).await;
    assert!(first.json()[0].get("failure_reason").is_none(), "absent, not null");
    let tag = first.header("etag").unwrap().to_owned();
    let again = fetch(&url, &[("private-token", &token), ("if-none-match", &tag)]).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn f050_approvals_answer_on_every_tier_and_their_state_does_not() {
    for (tier, state, epics) in
        [(Tier::Community, 404, 404), (Tier::Free, 200, 403), (Tier::Premium, 200, 200)]
    {
        let gitlab = start(tier).await;
        let item = "/projects/1/merge_requests/1";
        assert_eq!(get(&gitlab, &format!("{item}/approvals")).await.json()["approved"], true);
        assert_eq!(get(&gitlab, &format!("{item}/approval_state")).await.status, state);
        assert_eq!(get(&gitlab, "/groups/acme/epics").await.status, epics);
        let issue = get(&gitlab, "/projects/1/issues/1").await.json();
        assert_eq!(issue.get("weight").is_some(), tier == Tier::Premium, "F061");
    }
}

#[tokio::test]
async fn f055_issues_are_work_items_since_gitlab_19() {
    for (version, word) in [("19.6.0-ee", "work_items"), ("18.4.2-ee", "issues")] {
        let options = Options { version: version.to_owned(), ..Options::default() };
        let gitlab = GitLab::start(organisation(), options).await.unwrap();
        let url = get(&gitlab, "/projects/1/issues/1").await.json()["web_url"].clone();
        assert_eq!(url, format!("{}/acme/shop/-/{word}/1", gitlab.url()));
    }
}

#[tokio::test]
async fn f056_an_issue_by_its_instance_wide_id_is_for_administrators() {
    let mut world = organisation();
    let root = world.add_user("root");
    world.set_admin(root, true);
    let token = world.add_token(root, &["api"], None);
    let gitlab = serve(world).await;
    assert_eq!(get(&gitlab, "/issues/1").await.status, 403);
    assert_eq!(get_as(&gitlab, Some(&token), "/issues/2").await.json()["title"], "two");
}

#[tokio::test]
async fn f017_an_address_that_is_too_long_is_refused_in_html() {
    let gitlab = start(Tier::Free).await;
    let many = "iids[]=1&".repeat(1000);
    let reply = get(&gitlab, &format!("/projects/1/issues?{many}")).await;
    assert_eq!((reply.status, reply.header("content-type")), (414, Some("text/html")));
}

#[tokio::test]
async fn templates_are_inherited_with_a_licence_and_the_closest_wins() {
    let gitlab = start(Tier::Free).await;
    let names = get(&gitlab, "/projects/1/templates/issues").await.texts("key");
    assert_eq!(names, ["Bug"]);
    assert_eq!(get(&gitlab, "/groups/acme").await.json().get("file_template_project_id"), None);

    let gitlab = start(Tier::Premium).await;
    assert_eq!(get(&gitlab, "/groups/acme").await.json()["file_template_project_id"], 3);
    assert!(get(&gitlab, "/groups/acme%2Fsub").await.json()["file_template_project_id"].is_null());
    let names = get(&gitlab, "/projects/1/templates/issues").await.texts("key");
    assert_eq!(names, ["Bug", "Idea"]);
    let content = async |path: &str| get(&gitlab, path).await.json()["content"].clone();
    assert_eq!(content("/projects/1/templates/issues/Bug").await, "own");
    assert_eq!(content("/projects/2/templates/issues/Bug").await, "lent");
    let chosen = "/projects/1/templates/issues/Bug?source_template_project_id=3";
    assert_eq!(content(chosen).await, "lent");
}

#[tokio::test]
async fn a_tree_is_walked_by_page_token() {
    let gitlab = start(Tier::Free).await;
    let mut path =
        "/projects/1/repository/tree?recursive=true&pagination=keyset&per_page=2".to_owned();
    let mut seen: Vec<String> = Vec::new();
    loop {
        let reply = get(&gitlab, &path).await;
        assert_eq!(reply.header("x-total"), None);
        seen.extend(reply.texts("path"));
        let Some(next) = reply.link("next") else { break };
        path = next.split_once("/api/v4").unwrap().1.to_owned();
    }
    assert_eq!(seen.len(), 6);
    assert!(seen.contains(&"src/main.rs".to_owned()));
    let all = get(&gitlab, "/projects/1/repository/tree?pagination=none").await;
    assert_eq!(all.status, 400);
    let all = get(&gitlab, "/projects/1/repository/tree?pagination=none&recursive=true").await;
    assert_eq!(all.texts("path"), seen);
}

#[tokio::test]
async fn members_of_a_group_that_a_project_is_shared_with_reach_it() {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop"));
    let other = world.add_group("other");
    let ann = world.add_user("ann");
    world.add_group_member(other, ann, AccessLevel::Owner);
    let token = world.add_token(ann, &["read_api"], None);
    let gitlab = serve(world).await;
    let status = async || get_as(&gitlab, Some(&token), "/projects/1").await.status;
    assert_eq!(status().await, 404);
    gitlab.world().share_project(shop, other, AccessLevel::Reporter);
    assert_eq!(status().await, 200);
    let member = get(&gitlab, "/projects/1/members/all/2").await.json();
    assert_eq!(member["access_level"], 20, "no more than the share gives");
    gitlab.world().set_visibility(shop, Visibility::Public);
    assert_eq!(get(&gitlab, "/projects/1/members").await.json(), Value::Array(vec![]));
}

#[tokio::test]
async fn deployments_filtered_by_a_time_must_be_ordered_by_it() {
    let gitlab = start(Tier::Free).await;
    let unpaired = get(&gitlab, "/projects/1/deployments?updated_after=2020-01-01").await;
    assert_eq!(unpaired.status, 400);
    let paired = "/projects/1/deployments?updated_after=2020-01-01&order_by=updated_at";
    assert_eq!(get(&gitlab, paired).await.status, 200);
}

#[tokio::test]
async fn anonymous_callers_get_no_short_cut_to_members() {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop"));
    let gitlab = serve(world).await;
    assert_eq!(get_anonymously(&gitlab, "/projects/1/members").await.status, 404);
    gitlab.world().set_visibility(shop, Visibility::Public);
    assert_eq!(get_anonymously(&gitlab, "/projects/1/members").await.status, 401);
}
