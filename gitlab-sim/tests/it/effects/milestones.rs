//! Milestones, reviewers and forks.

use gitlab_sim::world::{ItemRef, MilestoneOwner, NewMergeRequest, NewProject};
use serde_json::{Value, json};

use super::{one, organisation, remarks};
use crate::client::get;
use crate::graphql::data;

#[tokio::test]
async fn items_are_on_milestones_of_their_project_and_the_groups_above() {
    let (gitlab, _, [shop, web]) = organisation().await;
    {
        let mut world = gitlab.world();
        let group = world.find_group("acme").unwrap().id;
        let own = world.add_milestone(MilestoneOwner::Project(shop), "v1");
        let late = world.add_milestone(MilestoneOwner::Project(shop), "v2");
        let shared = world.add_milestone(MilestoneOwner::Group(group), "summer");
        world.edit_milestone(own, |row| row.due_date = Some("2026-11-01".parse().unwrap()));
        world.edit_milestone(late, |row| row.closed = true);
        assert!(world.set_milestone(ItemRef::issue(shop, 1), Some(own)));
        assert!(world.set_milestone(ItemRef::merge_request(shop, 1), Some(shared)));
        assert!(!world.set_milestone(ItemRef::issue(web, 1), Some(own)), "of another project");
    }
    let list = get(&gitlab, "/projects/1/milestones").await;
    assert_eq!(list.texts("title"), ["v1", "v2"]);
    assert_eq!(list.json()[0]["expired"], true);
    let all = get(&gitlab, "/projects/1/milestones?include_ancestors=true&state=active").await;
    assert_eq!(all.texts("title"), ["v1", "summer"]);
    assert_eq!(get(&gitlab, "/projects/1/milestones?title=v2").await.texts("state"), ["closed"]);
    let of_group = get(&gitlab, "/groups/acme/milestones").await.json();
    assert_eq!((&of_group[0]["title"], &of_group[0]["group_id"]), (&json!("summer"), &json!(1)));
    assert!(of_group[0].get("project_id").is_none());
    let issue = one(&gitlab, "/projects/1/issues/1").await;
    assert_eq!(
        (&issue["milestone"]["title"], &issue["milestone"]["due_date"]),
        (&json!("v1"), &json!("2026-11-01"))
    );
    assert_eq!(issue["milestone"], one(&gitlab, "/projects/1/milestones/1").await);
    for (query, wanted) in [
        ("/projects/1/issues?milestone=v1", &[1][..]),
        ("/projects/1/issues?milestone=summer", &[]),
        ("/projects/1/issues?milestone=None", &[2]),
        ("/projects/1/issues?milestone=Any", &[1]),
        ("/projects/1/issues?not[milestone]=v1", &[2]),
        ("/projects/1/issues?milestone_id=Any", &[1]),
        ("/projects/1/issues?milestone=Started", &[]),
        ("/groups/acme/merge_requests?milestone=summer", &[1]),
        ("/projects/1/merge_requests?milestone=None", &[]),
        ("/projects/1/milestones/1/issues", &[1]),
        ("/projects/1/milestones/1/merge_requests", &[]),
    ] {
        assert_eq!(get(&gitlab, query).await.numbers("iid"), wanted, "{query}");
    }
    assert_eq!(get(&gitlab, "/projects/2/milestones/1").await.status, 404);
    let query = r#"{project(fullPath:"acme/shop"){
        issue(iid:"1"){milestone{title iid state dueDate expired webPath}}
        all:issues(milestoneTitle:"v1"){nodes{iid}} none:issues(milestoneWildcardId:NONE){nodes{iid}}
        mergeRequests(milestoneTitle:"summer"){nodes{milestone{title webPath}}}}}"#;
    let seen = &data(&gitlab, query).await["project"];
    let milestone = json!({"title": "v1", "iid": "1", "state": "active", "expired": true,
        "dueDate": "2026-11-01T00:00:00Z", "webPath": "/acme/shop/-/milestones/1"});
    assert_eq!(seen["issue"]["milestone"], milestone);
    assert_eq!(
        (&seen["all"], &seen["none"]),
        (&json!({"nodes": [{"iid": "1"}]}), &json!({"nodes": [{"iid": "2"}]}))
    );
    let shared = json!({"title": "summer", "webPath": "/groups/acme/-/milestones/1"});
    assert_eq!(seen["mergeRequests"]["nodes"][0]["milestone"], shared);
    let events = get(&gitlab, "/projects/1/issues/1/resource_milestone_events").await.json();
    assert_eq!(
        (&events[0]["action"], &events[0]["milestone"]["title"]),
        (&json!("add"), &json!("v1"))
    );
    assert_eq!(remarks(&gitlab, "1/issues/1").await, Vec::<String>::new());
    gitlab.stop().await;
}

#[tokio::test]
async fn reviewers_are_listed_and_filtered_by() {
    let (gitlab, _, [shop, _]) = organisation().await;
    let bob = {
        let mut world = gitlab.world();
        let bob = world.add_user("bob");
        world.add_merge_request(shop, NewMergeRequest::new("four"));
        assert!(world.request_reviews(ItemRef::merge_request(shop, 2), vec![bob]));
        bob
    };
    let row = one(&gitlab, "/projects/1/merge_requests/2").await;
    assert_eq!(row["reviewers"][0]["username"], "bob");
    let reviewers = one(&gitlab, "/projects/1/merge_requests/2/reviewers").await;
    assert_eq!(
        (&reviewers[0]["user"]["id"], &reviewers[0]["state"]),
        (&json!(bob), &json!("unreviewed"))
    );
    for (query, wanted) in [
        (format!("reviewer_id={bob}"), &[2][..]),
        ("reviewer_username=bob".to_owned(), &[2]),
        ("reviewer_username=nobody".to_owned(), &[]),
        ("reviewer_id=None".to_owned(), &[1]),
        ("reviewer_id=Any".to_owned(), &[2]),
        ("not[reviewer_username]=bob".to_owned(), &[1]),
    ] {
        let reply = get(&gitlab, &format!("/projects/1/merge_requests?{query}")).await;
        assert_eq!(reply.numbers("iid"), wanted, "{query}");
    }
    let query = r#"{project(fullPath:"acme/shop"){
        bob:mergeRequests(reviewerUsername:"bob"){nodes{iid reviewers{nodes{username}}}}
        none:mergeRequests(reviewerWildcardId:NONE){nodes{iid}}}}"#;
    let seen = &data(&gitlab, query).await["project"];
    assert_eq!(
        seen["bob"]["nodes"],
        json!([{"iid": "2", "reviewers": {"nodes": [{"username": "bob"}]}}])
    );
    assert_eq!(seen["none"]["nodes"], json!([{"iid": "1"}]));
    gitlab.stop().await;
}

#[tokio::test]
async fn a_merge_request_from_a_fork_names_it() {
    let (gitlab, _, [shop, _]) = organisation().await;
    let fork = {
        let mut world = gitlab.world();
        let fork = world.add_project(NewProject::at("people/ann/shop").forked_from(shop));
        world.add_merge_request(shop, NewMergeRequest::new("From afar").source_project(fork));
        fork
    };
    assert_eq!(get(&gitlab, "/projects/1/forks").await.numbers("id"), [fork.get()]);
    assert_eq!(one(&gitlab, "/projects/1").await["forks_count"], 1);
    let origin = &one(&gitlab, &format!("/projects/{fork}")).await["forked_from_project"];
    assert_eq!(origin["path_with_namespace"], "acme/shop");
    assert!(one(&gitlab, "/projects/1").await.get("forked_from_project").is_none());
    let row = one(&gitlab, "/projects/1/merge_requests/2").await;
    assert_eq!(
        (&row["source_project_id"], &row["target_project_id"]),
        (&json!(fork), &json!(shop))
    );
    assert_eq!(row["allow_collaboration"], false);
    assert!(
        one(&gitlab, "/projects/1/merge_requests/1").await.get("allow_collaboration").is_none()
    );
    for (source, wanted) in [(fork, [2]), (shop, [1])] {
        let path = format!("/projects/1/merge_requests?source_project_id={source}");
        assert_eq!(get(&gitlab, &path).await.numbers("iid"), wanted);
    }
    let query = r#"{project(fullPath:"acme/shop"){forksCount mergeRequest(iid:"2"){
                   sourceProject{fullPath isForked forkedFrom{fullPath}} targetProject{fullPath}}}}"#;
    let seen = &data(&gitlab, query).await["project"];
    let source = json!({"fullPath": "people/ann/shop", "isForked": true,
                        "forkedFrom": {"fullPath": "acme/shop"}});
    assert_eq!((&seen["forksCount"], &seen["mergeRequest"]["sourceProject"]), (&json!(1), &source));
    // A fork that is gone takes nothing with it.
    gitlab.world().delete_project(fork);
    assert_eq!(get(&gitlab, "/projects/1/forks").await.json(), json!([]));
    let seen = data(&gitlab, query).await;
    assert_eq!(seen["project"]["mergeRequest"]["sourceProject"], Value::Null);
    gitlab.stop().await;
}

#[tokio::test]
async fn the_control_api_makes_milestones_reviewers_and_forks() {
    let mut world = gitlab_sim::World::new();
    let shop = world.add_project(NewProject::at("acme/shop"));
    world.add_merge_request(shop, NewMergeRequest::new("one"));
    world.add_user("bob");
    let options = gitlab_sim::Options { control: true, ..Default::default() };
    let gitlab = gitlab_sim::GitLab::start(world, options).await.unwrap();
    let send = async |command: &str, body: Value| {
        let command = command.replacen(' ', " /_sim", 1);
        let reply = crate::control::tell(&gitlab, &command, body).await;
        (reply.status, reply.json())
    };
    let wish = json!({"title": "v1", "due_date": "2026-12-24"});
    let made = send("POST /projects/1/milestones", wish).await.1;
    assert_eq!((&made["iid"], &made["due_date"]), (&json!(1), &json!("2026-12-24")));
    send("PATCH /milestones/1", json!({"closed": true})).await;
    let edit = json!({"reviewers": ["bob"], "milestone": "v1"});
    assert_eq!(send("PATCH /projects/1/merge_requests/1", edit).await.0, 200);
    let row = one(&gitlab, "/projects/1/merge_requests/1").await;
    assert_eq!(
        (&row["milestone"]["state"], &row["reviewers"][0]["username"]),
        (&json!("closed"), &json!("bob"))
    );
    let edit = json!({"milestone": ""});
    assert_eq!(send("PATCH /projects/1/merge_requests/1", edit).await.0, 200);
    assert_eq!(one(&gitlab, "/projects/1/merge_requests/1").await["milestone"], Value::Null);
    let edit = json!({"milestone": "v9"});
    assert_eq!(send("PATCH /projects/1/merge_requests/1", edit).await.0, 404);
    assert_eq!(send("POST /groups/acme/milestones", json!({})).await.0, 400);
    assert_eq!(send("PATCH /milestones/99", json!({})).await.0, 404);
    send("POST /projects", json!({"full_path": "acme/fork", "forked_from": "acme/shop"})).await;
    let new = json!({"title": "two", "source_project": 2});
    assert_eq!(send("POST /projects/1/merge_requests", new).await.0, 200);
    assert_eq!(one(&gitlab, "/projects/1/merge_requests/2").await["source_project_id"], 2);
    gitlab.stop().await;
}
