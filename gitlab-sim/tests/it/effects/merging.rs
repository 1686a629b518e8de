//! Merging closes issues.

use gitlab_sim::world::{ItemRef, NewMergeRequest, Text};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{one, organisation, remarks};
use crate::client::get;
use crate::graphql::data;

#[tokio::test]
async fn merging_closes_the_issues_that_the_description_closes() {
    let (gitlab, clock, [shop, web]) = organisation().await;
    {
        let mut world = gitlab.world();
        let row = NewMergeRequest::new("Do it").description("Closes #1 and acme/web#1. See #2.");
        assert_eq!(world.add_merge_request(shop, row), 2);
    }
    assert_eq!(one(&gitlab, "/projects/1/issues/1").await["merge_requests_count"], 1);
    clock.advance(SignedDuration::from_secs(5));
    {
        let mut world = gitlab.world();
        let ann = world.add_user("ann");
        assert!(world.merge(shop, 2, ann));
        assert_eq!(world.issue(web, 1).unwrap().state(), "closed");
    }
    let issue = one(&gitlab, "/projects/1/issues/1").await;
    assert_eq!(issue["state"], "closed");
    assert_eq!(issue["closed_at"], "2026-11-22T10:10:05.000Z");
    assert_eq!(issue["updated_at"], issue["closed_at"]);
    assert_eq!(issue["closed_by"]["username"], "ann");
    assert_eq!(one(&gitlab, "/projects/1/issues/2").await["state"], "opened", "only mentioned");
    let merged = one(&gitlab, "/projects/1/merge_requests/2").await;
    let events = get(&gitlab, "/projects/1/issues/1/resource_state_events").await.json();
    assert_eq!(events[0]["state"], "closed");
    assert_eq!(events[0]["source_merge_request_id"], merged["id"]);
    assert_eq!(events[0]["user"]["username"], "ann");
    let events = get(&gitlab, "/projects/1/merge_requests/2/resource_state_events").await.json();
    assert_eq!(
        (events[0]["state"].as_str(), events.as_array().unwrap().len()),
        (Some("merged"), 1)
    );
    assert_eq!(get(&gitlab, "/projects/1/issues/1/closed_by").await.numbers("iid"), [2]);
    let notes = ["mentioned in merge request !2", "closed via merge request !2"];
    assert_eq!(remarks(&gitlab, "1/issues/1").await, notes);
    let notes = remarks(&gitlab, "2/issues/1").await;
    assert_eq!(notes.last().unwrap(), "closed via merge request acme/shop!2");
    let query = r#"{project(fullPath:"acme/shop"){issue(iid:"1"){state closedAt mergeRequestsCount
                   notes{nodes{body}}}}}"#;
    let seen = &data(&gitlab, query).await["project"]["issue"];
    assert_eq!(
        (&seen["state"], &seen["closedAt"]),
        (&json!("closed"), &json!("2026-11-22T10:10:05Z"))
    );
    assert_eq!(seen["mergeRequestsCount"], 1);
    assert_eq!(seen["notes"]["nodes"][1]["body"], "closed via merge request !2");
    gitlab.stop().await;
}

#[tokio::test]
async fn only_open_issues_and_the_default_branch_count() {
    let (gitlab, clock, [shop, _]) = organisation().await;
    {
        let mut world = gitlab.world();
        let bot = world.bot();
        world.close(ItemRef::issue(shop, 1), bot);
        clock.advance(SignedDuration::from_mins(5));
        let closing = |title| NewMergeRequest::new(title).description("Closes #1, closes #2");
        let old = world.add_merge_request(shop, closing("old").target_branch("stable"));
        world.merge(shop, old, bot);
        assert_eq!(world.issue(shop, 2).unwrap().state(), "opened");
        let new = world.add_merge_request(shop, closing("new"));
        world.merge(shop, new, bot);
    }
    let issue = one(&gitlab, "/projects/1/issues/1").await;
    assert_eq!(issue["closed_at"], "2026-11-22T10:10:00.000Z", "it was closed before");
    assert_eq!(one(&gitlab, "/projects/1/issues/2").await["closed_at"], "2026-11-22T10:15:00.000Z");
    gitlab.stop().await;
}

#[tokio::test]
async fn the_issue_hook_tells_that_a_merge_closed_it() {
    use gitlab_sim::hooks::{Hook, Switch};
    let (gitlab, _, [shop, _]) = organisation().await;
    let receiver = crate::receiver::Receiver::start().await;
    let hook = Hook::on_project(shop, &receiver.url);
    gitlab.add_hook(hook.events([Switch::Issues, Switch::MergeRequests, Switch::Note])).unwrap();
    {
        let mut world = gitlab.world();
        let bot = world.bot();
        let item = ItemRef::merge_request(shop, 1);
        world.edit(item, |row| row.description = Some(Text::from("Closes #1")));
        world.merge(shop, 1, bot);
    }
    gitlab.hooks_settled().await;
    let bodies = receiver.bodies();
    let told = bodies.iter().map(|body| &body["object_attributes"]["action"]);
    let told: Vec<Value> = bodies
        .iter()
        .zip(told)
        .map(|(body, action)| json!([body["object_kind"], action]))
        .collect();
    // System notes are told to nobody.
    let wanted =
        json!([["merge_request", "update"], ["merge_request", "merge"], ["issue", "close"]]);
    assert_eq!(json!(told), wanted);
    assert!(bodies[2]["changes"]["closed_at"]["current"].is_string());
    gitlab.stop().await;
}
