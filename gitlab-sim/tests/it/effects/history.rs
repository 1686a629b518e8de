//! Remarks and resource events.

use gitlab_sim::World;
use gitlab_sim::world::{ItemRef, NewIssue, NewMergeRequest, NewProject};
use serde_json::{Value, json};

use super::{one, organisation, remarks};
use crate::client::{get, serve};
use crate::graphql::data;

#[tokio::test]
async fn edits_leave_the_remarks_that_gitlab_writes() {
    let (gitlab, _, [shop, _]) = organisation().await;
    let (issue, merge_request) = (ItemRef::issue(shop, 1), ItemRef::merge_request(shop, 1));
    {
        let mut world = gitlab.world();
        let [ann, bob] = ["ann", "bob"].map(|name| world.add_user(name));
        world.act_as(ann);
        world.edit(issue, |row| row.title = "one more".to_owned());
        world.edit(issue, |row| row.description = Some("text".into()));
        world.assign(issue, vec![ann, bob]);
        world.assign(issue, vec![bob]);
        world.set_confidential(shop, 1, true);
        world.set_confidential(shop, 1, false);
        world.relabel(issue, ["bug"]);
        world.edit(merge_request, |row| row.title = "Draft: three".to_owned());
        world.edit(merge_request, |row| row.title = "four".to_owned());
        assert!(world.request_reviews(merge_request, vec![bob]));
        assert!(world.request_reviews(merge_request, vec![]));
        assert!(!world.request_reviews(issue, vec![bob]), "issues have no reviewers");
    }
    let wanted = [
        "changed title from **one** to **one{+ more+}**",
        "changed the description",
        "assigned to @ann and @bob",
        "unassigned @ann",
        "made the issue confidential",
        "made the issue visible to everyone",
    ];
    assert_eq!(remarks(&gitlab, "1/issues/1").await, wanted);
    let wanted = [
        "marked this merge request as **draft**",
        "marked this merge request as **ready**",
        "changed title from **{-Draft: three-}** to **{+four+}**",
        "requested review from @bob",
        "removed review request for @bob",
    ];
    assert_eq!(remarks(&gitlab, "1/merge_requests/1").await, wanted);
    let note = &one(&gitlab, "/projects/1/issues/1/notes?sort=asc").await[0];
    assert_eq!((&note["author"]["username"], &note["system"]), (&json!("ann"), &json!(true)));
    assert_eq!(one(&gitlab, "/projects/1/issues/1").await["user_notes_count"], 0);
    let comments = "/projects/1/issues/1/notes?activity_filter=only_comments";
    assert_eq!(one(&gitlab, comments).await, json!([]));
    let query = r#"{project(fullPath:"acme/shop"){issue(iid:"1"){userNotesCount
                   notes(filter:ONLY_ACTIVITY){nodes{system}}}}}"#;
    let seen = &data(&gitlab, query).await["project"]["issue"];
    assert_eq!(seen["notes"]["nodes"].as_array().unwrap().len(), 6);
    assert_eq!(seen["userNotesCount"], 0);
    gitlab.stop().await;
}

#[tokio::test]
async fn labels_that_come_and_go_are_events_and_no_notes() {
    let (gitlab, _, [shop, _]) = organisation().await;
    let bug = {
        let mut world = gitlab.world();
        let ann = world.add_user("ann");
        let new = NewIssue::new("three").labels(["new"]).author("ann");
        assert_eq!(world.add_issue(shop, new), 3);
        world.act_as(ann);
        world.relabel(ItemRef::issue(shop, 3), ["bug"]);
        world.find_label(shop, "bug").unwrap()
    };
    assert_eq!(remarks(&gitlab, "1/issues/3").await, Vec::<String>::new());
    let path = "/projects/1/issues/3/resource_label_events";
    let told = async || -> Value {
        let rows = get(&gitlab, path).await.json();
        let rows = rows.as_array().unwrap().iter();
        rows.map(|row| json!([row["action"], row["label"]["name"]])).collect()
    };
    assert_eq!(told().await, json!([["add", "new"], ["add", "bug"], ["remove", "new"]]));
    let events = get(&gitlab, path).await.json();
    let issue = one(&gitlab, "/projects/1/issues/3").await;
    assert_eq!(
        (&events[0]["resource_type"], &events[0]["resource_id"]),
        (&json!("Issue"), &issue["id"])
    );
    assert_eq!(events[1]["user"]["username"], "ann");
    assert_eq!(events[1]["created_at"], "2026-11-22T10:10:00.000Z");
    let single = get(&gitlab, &format!("{path}/{}", events[1]["id"])).await.json();
    assert_eq!(single, events[1]);
    assert_eq!(get(&gitlab, &format!("{path}/99999")).await.status, 404);
    assert_eq!(get(&gitlab, &format!("{path}?per_page=2&page=2")).await.numbers("id").len(), 1);
    // A label is told by its present name, and not at all once it is gone.
    gitlab.world().rename_label(bug, "defect");
    assert_eq!(told().await[1], json!(["add", "defect"]));
    gitlab.world().delete_label(bug);
    assert_eq!(told().await[1], json!(["add", null]));
    gitlab.stop().await;
}

#[tokio::test]
async fn every_change_of_state_is_an_event() {
    let (gitlab, _, [shop, _]) = organisation().await;
    {
        let mut world = gitlab.world();
        let ann = world.add_user("ann");
        for item in [ItemRef::issue(shop, 1), ItemRef::merge_request(shop, 1)] {
            world.close(item, ann);
            world.reopen(item);
        }
        world.close(ItemRef::issue(shop, 1), ann);
        world.merge(shop, 1, ann);
    }
    let states = async |item: &str| {
        get(&gitlab, &format!("/projects/1/{item}/resource_state_events")).await.texts("state")
    };
    assert_eq!(states("issues/1").await, ["closed", "reopened", "closed"]);
    assert_eq!(states("merge_requests/1").await, ["closed", "reopened", "merged"]);
    assert_eq!(states("issues/2").await, Vec::<String>::new());
    let events = one(&gitlab, "/projects/1/issues/1/resource_state_events").await;
    assert_eq!(events[0]["user"]["username"], "ann");
    assert_eq!(events[0]["source_merge_request_id"], Value::Null);
    assert_eq!(remarks(&gitlab, "1/issues/1").await, Vec::<String>::new());
    gitlab.stop().await;
}

#[tokio::test]
async fn what_was_imported_closed_or_merged_has_one_event_of_that_time() {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop"));
    let then = "2025-01-01T00:00:00Z".parse().unwrap();
    world.add_issue(shop, NewIssue::new("one").closed_at(then));
    world.add_merge_request(shop, NewMergeRequest::new("two").merged_at(then));
    let gitlab = serve(world).await;
    for (item, state) in [("issues/1", "closed"), ("merge_requests/1", "merged")] {
        let events = get(&gitlab, &format!("/projects/1/{item}/resource_state_events")).await;
        assert_eq!(events.texts("state"), [state]);
        assert_eq!(events.texts("created_at"), ["2025-01-01T00:00:00.000Z"]);
    }
    gitlab.stop().await;
}
