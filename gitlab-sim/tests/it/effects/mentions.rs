//! Who speaks of whom.

use gitlab_sim::world::{
    AccessLevel, ItemRef, NewCommit, NewIssue, NewMergeRequest, NewNote, NewProject, Text, World,
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{one, organisation, remarks, remarks_as};
use crate::client::{get_as, serve};
use crate::graphql::data;

#[tokio::test]
async fn every_form_of_a_mention_leaves_a_note_on_what_is_mentioned() {
    let (gitlab, _, [shop, web]) = organisation().await;
    let url = gitlab.url();
    {
        let mut world = gitlab.world();
        let text = format!("See #1, web#1 and {url}/acme/web/-/issues/2; not `#2`.");
        world.add_merge_request(shop, NewMergeRequest::new("four").description(&text));
        world.add_issue(web, NewIssue::new("Same as acme/shop!1"));
    }
    assert_eq!(remarks(&gitlab, "1/issues/1").await, ["mentioned in merge request !2"]);
    assert_eq!(remarks(&gitlab, "2/issues/1").await, ["mentioned in merge request acme/shop!2"]);
    assert_eq!(remarks(&gitlab, "2/issues/2").await, ["mentioned in merge request acme/shop!2"]);
    assert_eq!(remarks(&gitlab, "1/merge_requests/1").await, ["mentioned in issue acme/web#3"]);
    assert_eq!(remarks(&gitlab, "1/issues/2").await, Vec::<String>::new(), "it stood in code");
    let query = r#"{project(fullPath:"acme/web"){issue(iid:"1"){userNotesCount
                   notes{nodes{body system author{username}}}}}}"#;
    let issue = &data(&gitlab, query).await["project"]["issue"];
    assert_eq!(issue["notes"]["nodes"][0]["body"], "mentioned in merge request acme/shop!2");
    assert_eq!(issue["notes"]["nodes"][0]["system"], true);
    assert_eq!(issue["userNotesCount"], 0);
    assert_eq!(one(&gitlab, "/projects/2/issues/1").await["user_notes_count"], 0);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_pair_is_told_once_whatever_is_edited_and_written() {
    let (gitlab, _, [shop, _]) = organisation().await;
    let item = ItemRef::merge_request(shop, 1);
    {
        let mut world = gitlab.world();
        let note = world.add_note(item, NewNote::new("like #1"));
        world.edit_note(item, note, "like #1 and #2");
        world.edit(item, |row| row.description = Some(Text::from("For #1, and for !1 itself.")));
        world.edit(item, |row| row.title = "Fix #1".to_owned());
        world.rename_project(shop, "store");
        world.add_note(item, NewNote::new("acme/store#1 again"));
    }
    for issue in ["1/issues/1", "1/issues/2"] {
        assert_eq!(remarks(&gitlab, issue).await, ["mentioned in merge request !1"], "{issue}");
    }
    let own = remarks(&gitlab, "1/merge_requests/1").await;
    assert_eq!(
        own,
        ["changed the description", "changed title from **{-three-}** to **{+Fix #1+}**"]
    );
    gitlab.stop().await;
}

#[tokio::test]
async fn a_mention_touches_its_target_as_any_note_does() {
    let (gitlab, clock, [shop, _]) = organisation().await;
    let updated = async || one(&gitlab, "/projects/1/issues/1").await["updated_at"].clone();
    gitlab.world().add_note(ItemRef::issue(shop, 2), NewNote::new("see #1"));
    assert_eq!(updated().await, "2026-11-22T10:10:00.000Z");
    clock.advance(SignedDuration::from_secs(59));
    gitlab.world().add_note(ItemRef::merge_request(shop, 1), NewNote::new("see #1"));
    assert_eq!(updated().await, "2026-11-22T10:10:00.000Z", "it was not quiet for a minute");
    assert_eq!(remarks(&gitlab, "1/issues/1").await.len(), 2);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_note_about_something_hidden_is_withheld_and_the_page_gets_short() {
    let (gitlab, _, [shop, web]) = organisation().await;
    let (token, planner) = {
        let mut world = gitlab.world();
        let [ann, bob] = ["ann", "bob"].map(|name| world.add_user(name));
        world.add_project_member(shop, ann, AccessLevel::Guest);
        world.add_project_member(shop, bob, AccessLevel::Planner);
        world.add_project_member(web, bob, AccessLevel::Reporter);
        world.add_issue(shop, NewIssue::new("secret, like #1").confidential(true));
        world.add_note(ItemRef::merge_request(web, 1), NewNote::new("see acme/shop#1"));
        world.add_note(ItemRef::issue(shop, 2), NewNote::new("see #1"));
        (world.add_token(ann, &["read_api"], None), world.add_token(bob, &["read_api"], None))
    };
    let all =
        ["mentioned in issue #3", "mentioned in merge request acme/web!1", "mentioned in issue #2"];
    assert_eq!(remarks_as(&gitlab, &planner, "1/issues/1").await, all);
    let reply = get_as(&gitlab, Some(&token), "/projects/1/issues/1/notes?sort=asc").await;
    assert_eq!(reply.texts("body"), ["mentioned in issue #2"]);
    assert_eq!(reply.header("x-total"), Some("3"), "totals are counted before");
    let query = json!({"query": "{project(fullPath:\"acme/shop\"){issue(iid:\"1\"){
                                  notes{nodes{body}}}}}"});
    let seen = crate::graphql::post(&gitlab, Some(&token), &query).await.json();
    let notes = &seen["data"]["project"]["issue"]["notes"]["nodes"];
    assert_eq!(*notes, json!([{"body": "mentioned in issue #2"}]));
    // Former paths lead to the same things.
    gitlab.world().transfer_project(web, "acme/inner");
    assert_eq!(remarks_as(&gitlab, &token, "1/issues/1").await, ["mentioned in issue #2"]);
    assert_eq!(remarks_as(&gitlab, &planner, "1/issues/1").await, all);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_member_who_does_not_see_the_target_leaves_no_note_there() {
    let (gitlab, _, [shop, web]) = organisation().await;
    {
        let mut world = gitlab.world();
        let ann = world.add_user("ann");
        world.add_project_member(shop, ann, AccessLevel::Developer);
        let note = NewNote::new("like acme/web#1 and #2").author("ann");
        world.add_note(ItemRef::issue(shop, 1), note);
        assert!(world.issue(web, 1).unwrap().item.notes.is_empty());
    }
    assert_eq!(remarks(&gitlab, "1/issues/2").await, ["mentioned in issue #1"]);
    gitlab.stop().await;
}

#[tokio::test]
async fn what_was_imported_or_built_before_leaves_no_notes() {
    let mut world = World::new();
    let shop = world.add_project(NewProject::at("acme/shop"));
    world.add_issue(shop, NewIssue::new("one"));
    world.add_issue(shop, NewIssue::new("like #1"));
    let gitlab = serve(world).await;
    {
        let mut world = gitlab.world();
        let then = "2025-01-01T00:00:00Z".parse().unwrap();
        world.add_issue(shop, NewIssue::new("like #1").labels(["bug"]).created_at(then));
        let note = NewNote::new("like #1").created_at(then);
        world.add_note(ItemRef::issue(shop, 2), note);
        world.add_note(ItemRef::issue(shop, 2), NewNote::new("like #1").system());
        world.cross_reference(false);
        world.add_note(ItemRef::issue(shop, 2), NewNote::new("like #1"));
    }
    assert_eq!(remarks(&gitlab, "1/issues/1").await, Vec::<String>::new());
    let events = one(&gitlab, "/projects/1/issues/3/resource_label_events").await;
    assert_eq!(events, json!([]));
    gitlab.world().cross_reference(true);
    gitlab.world().add_note(ItemRef::issue(shop, 2), NewNote::new("like #1"));
    assert_eq!(remarks(&gitlab, "1/issues/1").await, ["mentioned in issue #2"]);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_pushed_commit_mentions_and_closes() {
    let (gitlab, _, [shop, web]) = organisation().await;
    let sha = {
        let mut world = gitlab.world();
        let commit = NewCommit::new("Fixes #1, see web#2").write("a.txt", "x");
        assert!(world.push(shop, vec![commit]));
        assert_eq!(world.issue(web, 2).unwrap().state(), "opened");
        world.project(shop).unwrap().head()
    };
    let closed = one(&gitlab, "/projects/1/issues/1").await;
    assert_eq!(
        (&closed["state"], &closed["closed_by"]["username"]),
        (&json!("closed"), &json!("xrefd-bot"))
    );
    let events = one(&gitlab, "/projects/1/issues/1/resource_state_events").await;
    assert_eq!((&events[0]["state"], &events[0]["source_commit"]), (&json!("closed"), &json!(sha)));
    let here = [format!("mentioned in commit {sha}"), format!("closed via commit {sha}")];
    assert_eq!(remarks(&gitlab, "1/issues/1").await, here);
    let there = [format!("mentioned in commit acme/shop@{sha}")];
    assert_eq!(remarks(&gitlab, "2/issues/2").await, there);
    let (member, guest) = {
        let mut world = gitlab.world();
        let [ann, bob] = ["ann", "bob"].map(|name| world.add_user(name));
        world.add_project_member(web, ann, AccessLevel::Reporter);
        world.add_project_member(web, bob, AccessLevel::Reporter);
        world.add_project_member(shop, ann, AccessLevel::Reporter);
        (world.add_token(ann, &["read_api"], None), world.add_token(bob, &["read_api"], None))
    };
    assert_eq!(remarks_as(&gitlab, &member, "2/issues/2").await, there);
    assert_eq!(remarks_as(&gitlab, &guest, "2/issues/2").await, Vec::<String>::new());
    gitlab.stop().await;
}

#[tokio::test]
async fn related_merge_requests_follow_the_texts_and_the_paths() {
    let (gitlab, _, [shop, web]) = organisation().await;
    let related = async |path: &str| -> Vec<Value> {
        let rows = one(&gitlab, &format!("/projects/{path}/related_merge_requests")).await;
        rows.as_array().unwrap().iter().map(|row| row["references"]["full"].clone()).collect()
    };
    {
        let mut world = gitlab.world();
        let item = ItemRef::merge_request(shop, 1);
        world.edit(item, |row| row.description = Some(Text::from("See acme/web#1.")));
        world.add_note(ItemRef::merge_request(web, 1), NewNote::new("and #1"));
        world.project_mut(web).unwrap().merge_requests.get_mut(&1).unwrap().item.title =
            "By hand, for #2".to_owned();
    }
    assert_eq!(related("2/issues/1").await, ["acme/shop!1", "acme/web!1"]);
    assert_eq!(related("2/issues/2").await, ["acme/web!1"]);
    assert_eq!(related("1/issues/1").await, Vec::<Value>::new());
    let query = r#"{project(fullPath:"acme/web"){issue(iid:"1"){
                   relatedMergeRequests{nodes{reference(full:true)}}}}}"#;
    let nodes = &data(&gitlab, query).await["project"]["issue"]["relatedMergeRequests"]["nodes"];
    assert_eq!(*nodes, json!([{"reference": "acme/shop!1"}, {"reference": "acme/web!1"}]));
    {
        let mut world = gitlab.world();
        world.edit(ItemRef::merge_request(shop, 1), |row| row.description = None);
        world.rename_project(web, "site");
    }
    assert_eq!(related("2/issues/1").await, ["acme/site!1"]);
    gitlab.stop().await;
}
