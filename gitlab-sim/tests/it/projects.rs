//! Projects, groups and labels: lists, renames, transfers.

use gitlab_sim::world::{ItemRef, LabelOwner, NewIssue, NewProject, World};
use serde_json::json;

use crate::client::{get, serve};

fn organisation() -> World {
    let mut world = World::new();
    for path in ["acme/a", "acme/shop/b", "acme/shop/deep/c", "other/d"] {
        world.add_project(NewProject::at(path));
    }
    world
}

#[tokio::test]
async fn group_projects_recurse_only_when_asked() {
    let gitlab = serve(organisation()).await;
    let paths = async |query: &str| {
        get(&gitlab, &format!("/groups/acme/projects?order_by=id&sort=asc{query}"))
            .await
            .texts("path_with_namespace")
    };
    assert_eq!(paths("").await, ["acme/a"]);
    let all = paths("&include_subgroups=true&with_shared=false&simple=true").await;
    assert_eq!(all, ["acme/a", "acme/shop/b", "acme/shop/deep/c"]);
    let simple = get(&gitlab, "/groups/acme/projects?simple=true").await.json();
    assert!(simple[0].get("archived").is_none() && simple[0].get("topics").is_some());
    let full = get(&gitlab, "/groups/acme/projects").await.json();
    assert_eq!(full[0]["archived"], false);
    assert_eq!(full[0]["namespace"]["full_path"], "acme");
}

#[tokio::test]
async fn groups_are_listed_as_children_and_as_descendants() {
    let gitlab = serve(organisation()).await;
    let paths = async |path: &str| get(&gitlab, path).await.texts("full_path");
    assert_eq!(paths("/groups?top_level_only=true").await, ["acme", "other"]);
    assert_eq!(paths("/groups/acme/subgroups").await, ["acme/shop"]);
    let below = paths("/groups/acme/descendant_groups?per_page=100").await;
    assert_eq!(below, ["acme/shop/deep", "acme/shop"], "by name");
    let one = get(&gitlab, "/groups/acme%2Fshop").await.json();
    assert_eq!(one["full_name"], "Acme / Shop");
    assert_eq!(one["projects"][0]["path"], "b");
    let lean = get(&gitlab, "/groups/acme%2Fshop?with_projects=false").await.json();
    assert!(lean.get("projects").is_none());
    assert_eq!(one["parent_id"], 1);
}

#[tokio::test]
async fn a_renamed_project_redirects_by_number() {
    let gitlab = serve(organisation()).await;
    let project = gitlab.world().find_project("acme/a").unwrap().id;
    assert!(gitlab.world().rename_project(project, "z"));
    let reply = get(&gitlab, "/projects/acme%2Fa/issues?state=opened").await;
    assert_eq!(reply.status, 301);
    let location = format!("{}/api/v4/projects/1/issues?state=opened", gitlab.url());
    assert_eq!(reply.header("location"), Some(location.as_str()));
    assert_eq!(reply.header("content-type"), Some("text/plain"));
    assert!(reply.text.starts_with("This resource has been moved permanently"));
    assert_eq!(get(&gitlab, "/projects/acme%2Fz").await.json()["id"], 1);
    assert_eq!(get(&gitlab, "/projects/ACME%2FZ").await.status, 200, "paths are found in any case");
    gitlab.world().add_project(NewProject::at("acme/a"));
    assert_eq!(get(&gitlab, "/projects/acme%2Fa").await.json()["id"], 5, "the path was taken over");
}

#[tokio::test]
async fn a_renamed_group_is_gone_but_its_projects_redirect() {
    let gitlab = serve(organisation()).await;
    let group = gitlab.world().find_group("acme/shop").unwrap().id;
    assert!(gitlab.world().rename_group(group, "store"));
    let gone = get(&gitlab, "/groups/acme%2Fshop").await;
    assert_eq!((gone.status, gone.json()), (404, json!({"message": "404 Group Not Found"})));
    assert_eq!(get(&gitlab, "/groups/acme%2Fstore%2Fdeep").await.status, 200);
    let moved = get(&gitlab, "/projects/acme%2Fshop%2Fdeep%2Fc").await;
    let location = format!("{}/api/v4/projects/3", gitlab.url());
    assert_eq!((moved.status, moved.header("location")), (301, Some(location.as_str())));
    let path = get(&gitlab, "/projects/3").await.json()["path_with_namespace"].clone();
    assert_eq!(path, "acme/store/deep/c");
}

#[tokio::test]
async fn a_transfer_changes_references_but_not_updated_at() {
    let mut world = organisation();
    let project = world.find_project("acme/a").unwrap().id;
    world.add_issue(project, NewIssue::new("x").labels(["service::a"]));
    let gitlab = serve(world).await;
    let before = get(&gitlab, "/projects/1/issues").await.json();
    assert!(gitlab.world().transfer_project(project, "other"));
    let after = get(&gitlab, "/projects/1/issues").await.json();
    assert_eq!(after[0]["references"]["full"], "other/a#1");
    assert_eq!(after[0]["updated_at"], before[0]["updated_at"]);
    assert_eq!(after[0]["labels"], json!(["service::a"]), "labels come along");
    let labels = get(&gitlab, "/projects/1/labels").await.json();
    assert_eq!(
        (&labels[0]["name"], &labels[0]["is_project_label"]),
        (&json!("service::a"), &json!(true))
    );
}

#[tokio::test]
async fn labels_are_inherited_and_renamed_everywhere_at_once() {
    let mut world = organisation();
    let project = world.find_project("acme/shop/b").unwrap().id;
    world.add_issue(project, NewIssue::new("x").labels(["service::b", "bug"]));
    world.add_label(LabelOwner::Project(project), "own");
    let gitlab = serve(world).await;
    let names = async |path: &str| get(&gitlab, path).await.texts("name");
    assert_eq!(names("/projects/2/labels").await, ["bug", "own", "service::b"]);
    assert_eq!(names("/projects/2/labels?include_ancestor_groups=false").await, ["own"]);
    assert_eq!(names("/groups/acme/labels?search=SERVICE").await, ["service::b"]);
    assert_eq!(names("/groups/acme%2Fshop/labels").await, ["bug", "service::b"]);
    assert_eq!(names("/groups/acme/labels?only_group_labels=false").await.len(), 3);
    let before = get(&gitlab, "/projects/2/issues").await.json();
    let label = gitlab.world().find_label(project, "service::b").unwrap();
    assert!(gitlab.world().rename_label(label, "service::c"));
    let after = get(&gitlab, "/projects/2/issues").await.json();
    assert_eq!(after[0]["labels"], json!(["bug", "service::c"]));
    assert_eq!(after[0]["updated_at"], before[0]["updated_at"]);
    let counted = get(&gitlab, "/projects/2/labels?with_counts=true&search=bug").await.json();
    assert_eq!(counted[0]["open_issues_count"], 1);
    assert!(gitlab.world().delete_label(label));
    assert_eq!(get(&gitlab, "/projects/2/issues").await.json()[0]["labels"], json!(["bug"]));
}

#[tokio::test]
async fn project_lists_pair_updated_filters_with_their_order() {
    let gitlab = serve(organisation()).await;
    let unpaired = get(&gitlab, "/projects?updated_after=2020-01-01").await;
    assert_eq!(unpaired.status, 400);
    assert!(unpaired.json()["message"].as_str().unwrap().starts_with("400 Bad request - "));
    let paired = get(&gitlab, "/projects?updated_after=2020-01-01&order_by=updated_at").await;
    assert_eq!(paired.numbers("id").len(), 4);
    let archived = gitlab.world().find_project("other/d").unwrap().id;
    gitlab.world().archive(archived, true);
    assert_eq!(get(&gitlab, "/projects?archived=true").await.numbers("id"), [4]);
    assert_eq!(get(&gitlab, "/projects?archived=false&sort=asc").await.numbers("id"), [1, 2, 3]);
    gitlab.world().set_topics(archived, ["service-d"]);
    assert_eq!(get(&gitlab, "/projects?topic=service-d").await.numbers("id"), [4]);
}

#[tokio::test]
async fn a_project_marked_for_deletion_stays_and_a_deleted_one_goes() {
    let gitlab = serve(organisation()).await;
    let project = gitlab.world().find_project("acme/a").unwrap().id;
    gitlab.world().add_issue(project, NewIssue::new("x"));
    gitlab.world().mark_for_deletion(project);
    assert!(get(&gitlab, "/projects/1").await.json()["marked_for_deletion_on"].is_string());
    assert!(gitlab.world().delete_project(project));
    assert_eq!(get(&gitlab, "/projects/1").await.status, 404);
    assert!(!gitlab.world().delete_item(ItemRef::issue(project, 1)));
    assert_eq!(get(&gitlab, "/groups/acme/issues").await.text, "[]");
}
