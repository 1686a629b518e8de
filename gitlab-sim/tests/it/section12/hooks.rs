//! Points of section 12 about webhooks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gitlab_sim::hooks::{Alert, Hook, HookId, HookOptions, Loss, Outcome};
use gitlab_sim::world::{
    ItemRef, NewCommit, NewIssue, NewMergeRequest, NewNote, NewProject, ProjectId, World,
};
use gitlab_sim::{Clock, GitLab, Options};
use hmac::{Hmac, KeyInit, Mac};
use jiff::SignedDuration;
use sha2::Sha256;

use crate::receiver::{Answer, Receiver};

/// A project with a hook that hears everything, on a clock that stands still.
async fn hooked(options: HookOptions) -> (GitLab, Receiver, ProjectId, HookId) {
    let start = "2026-11-22T10:00:00Z".parse().unwrap();
    let mut world = World::with_clock(Clock::at(start));
    let project = world.add_project(NewProject::at("acme/shop"));
    let options = Options { hooks: options, ..Options::default() };
    let gitlab = GitLab::start(world, options).await.unwrap();
    let receiver = Receiver::start().await;
    let hook = gitlab.add_hook(Hook::on_project(project, &receiver.url).all_events()).unwrap();
    (gitlab, receiver, project, hook)
}

/// Opens an issue and waits until everybody was told.
async fn open_issue(gitlab: &GitLab, project: ProjectId) {
    gitlab.world().add_issue(project, NewIssue::new("Checkout is slow"));
    gitlab.hooks_settled().await;
}

fn alert(gitlab: &GitLab, hook: HookId) -> Alert {
    gitlab.find_hook(hook).unwrap().alert
}

fn advance(gitlab: &GitLab, seconds: i64) {
    gitlab.world().clock().advance(SignedDuration::from_secs(seconds));
}

const ONCE: HookOptions = HookOptions {
    timeout: std::time::Duration::from_secs(10),
    retries: 0,
    auto_disable: true,
    per_minute: None,
    silent: false,
};

#[tokio::test]
async fn point_11_deletions_of_items_and_notes_and_labels_are_told_to_nobody() {
    let (gitlab, receiver, project, _) = hooked(HookOptions::default()).await;
    let everywhere = Receiver::start().await;
    let group = gitlab.world().find_group("acme").unwrap().id;
    gitlab.add_hook(Hook::on_group(group, &everywhere.url).all_events()).unwrap();
    gitlab.add_hook(Hook::on_system(&everywhere.url).all_events()).unwrap();
    let (issue, merge_request, note, label) = {
        let mut world = gitlab.world();
        let issue = ItemRef::issue(project, world.add_issue(project, NewIssue::new("one")));
        let new = NewMergeRequest::new("two").labels(["service::webshop"]);
        let merge_request = ItemRef::merge_request(project, world.add_merge_request(project, new));
        let note = world.add_note(issue, NewNote::new("three"));
        (issue, merge_request, note, world.find_label(project, "service::webshop").unwrap())
    };
    gitlab.hooks_settled().await;
    assert_eq!(receiver.events(), ["Issue Hook", "Merge Request Hook", "Note Hook"]);
    assert_eq!(everywhere.take().len(), 4, "the merge request went to the system hook too");

    let mut world = gitlab.world();
    assert!(world.delete_note(issue, note));
    assert!(world.delete_item(issue));
    assert!(world.delete_item(merge_request));
    assert!(world.rename_label(label, "service::shop"));
    assert!(world.delete_label(label));
    drop(world);
    gitlab.hooks_settled().await;
    assert!(receiver.take().is_empty() && everywhere.take().is_empty());
    // Not even lost: there was nothing to tell.
    assert_eq!(gitlab.deliveries().len(), 7);
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_a_delivery_is_tried_again_under_one_idempotency_key() {
    let (gitlab, receiver, project, hook) = hooked(HookOptions::default()).await;
    receiver.answer([Answer::Status(503)]);
    open_issue(&gitlab, project).await;
    open_issue(&gitlab, project).await;
    let came = receiver.take();
    assert_eq!(came.len(), 3);
    let column = |name: &str| -> Vec<String> {
        came.iter().map(|row| row.header(name).unwrap().to_owned()).collect()
    };
    let keys = column("idempotency-key");
    assert_eq!(keys[0], keys[1], "tried again");
    assert_ne!(keys[1], keys[2], "another event");
    let attempts = column("x-gitlab-webhook-uuid");
    assert_ne!(attempts[0], attempts[1]);
    let events = column("x-gitlab-event-uuid");
    assert!(events[0] == events[1] && events[1] != events[2]);
    assert_eq!(came[0].text, came[1].text);
    assert_eq!(gitlab.find_hook(hook).unwrap().failures, 0, "what succeeds at last is a success");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_a_delivery_that_fails_for_good_is_not_made_up_for() {
    let (gitlab, receiver, project, hook) = hooked(HookOptions::default()).await;
    receiver.answer([Answer::Status(500); 2]);
    open_issue(&gitlab, project).await;
    assert_eq!(receiver.take().len(), 2);
    assert_eq!(gitlab.find_hook(hook).unwrap().failures, 1, "two attempts are one failure");
    advance(&gitlab, 24 * 3600);
    gitlab.hooks_settled().await;
    assert!(receiver.take().is_empty());
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_four_failures_disable_a_hook_for_a_minute_then_two_and_events_are_lost() {
    let (gitlab, receiver, project, hook) = hooked(ONCE).await;
    receiver.always(Answer::Status(404));
    for _ in 0..3 {
        open_issue(&gitlab, project).await;
    }
    assert_eq!(alert(&gitlab, hook), Alert::Executable);
    open_issue(&gitlab, project).await;
    assert_eq!(alert(&gitlab, hook), Alert::TemporarilyDisabled);
    assert_eq!(receiver.take().len(), 4);

    open_issue(&gitlab, project).await;
    assert!(receiver.take().is_empty(), "nothing is sent to a disabled hook");
    let lost = gitlab.deliveries().pop().unwrap();
    assert_eq!(lost.outcome, Outcome::Lost(Loss::Disabled));

    advance(&gitlab, 59);
    open_issue(&gitlab, project).await;
    assert!(receiver.take().is_empty(), "a minute is not over");
    advance(&gitlab, 1);
    assert_eq!(alert(&gitlab, hook), Alert::Executable, "it heals by itself");
    assert!(receiver.take().is_empty(), "what was lost does not come");
    open_issue(&gitlab, project).await;
    assert_eq!(receiver.take().len(), 1);

    advance(&gitlab, 119);
    assert_eq!(alert(&gitlab, hook), Alert::TemporarilyDisabled, "the fifth lasts twice as long");
    advance(&gitlab, 1);
    receiver.always(Answer::Status(200));
    open_issue(&gitlab, project).await;
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(gitlab.find_hook(hook).unwrap().failures, 0, "a success forgets the failures");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_the_rest_of_a_hook_grows_to_a_day_and_the_fortieth_failure_switches_it_off() {
    let (gitlab, receiver, project, hook) = hooked(ONCE).await;
    receiver.always(Answer::Status(500));
    let day = 24 * 3600;
    for failure in 1..=39 {
        open_issue(&gitlab, project).await;
        assert_eq!(receiver.take().len(), 1, "failure {failure} was sent");
        if failure >= 15 {
            advance(&gitlab, day - 1);
            assert_eq!(alert(&gitlab, hook), Alert::TemporarilyDisabled, "failure {failure}");
            advance(&gitlab, 1);
        } else {
            advance(&gitlab, day);
        }
        assert_eq!(alert(&gitlab, hook), Alert::Executable, "failure {failure}");
    }
    open_issue(&gitlab, project).await;
    assert_eq!(alert(&gitlab, hook), Alert::Disabled);
    receiver.take();
    receiver.always(Answer::Status(200));
    advance(&gitlab, 365 * day);
    open_issue(&gitlab, project).await;
    assert!(receiver.take().is_empty(), "it does not heal any more");
    assert!(gitlab.enable_hook(hook));
    open_issue(&gitlab, project).await;
    assert_eq!(receiver.take().len(), 1);
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_a_push_shows_its_newest_20_commits_and_counts_all() {
    let (gitlab, receiver, project, _) = hooked(HookOptions::default()).await;
    let commit = |number| NewCommit::new(&format!("commit {number}")).write("a.txt", "text");
    for (commits, shown) in [(20, 20), (21, 20), (50, 20)] {
        gitlab.world().push(project, (1..=commits).map(commit).collect());
        gitlab.hooks_settled().await;
        let body = receiver.take().pop().unwrap().json();
        let rows = body["commits"].as_array().unwrap();
        assert_eq!((rows.len(), &body["total_commits_count"]), (shown, &commits.into()));
        assert_eq!(rows[0]["message"], format!("commit {}", commits - 19));
        assert_eq!(rows[shown - 1]["id"], body["after"]);
    }
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_times_come_in_two_formats() {
    let (gitlab, receiver, project, _) = hooked(HookOptions::default()).await;
    let system = Receiver::start().await;
    gitlab.add_hook(Hook::on_system(&system.url)).unwrap();
    open_issue(&gitlab, project).await;
    gitlab.world().add_file(project, "README.md", "text");
    gitlab.world().rename_project(project, "store");
    gitlab.hooks_settled().await;
    let bodies = receiver.bodies();
    assert_eq!(bodies[0]["object_attributes"]["created_at"], "2026-11-22 10:00:00 UTC");
    assert_eq!(bodies[0]["object_attributes"]["updated_at"], "2026-11-22 10:00:00 UTC");
    assert_eq!(bodies[1]["commits"][0]["timestamp"], "2026-11-22T10:00:00+00:00");
    let renamed = system.take().pop().unwrap().json();
    assert_eq!(renamed["created_at"], "2026-11-22T10:00:00Z");
    gitlab.stop().await;
}

#[tokio::test]
async fn point_39_a_body_is_signed_when_there_is_a_signing_token() {
    let (gitlab, receiver, project, hook) = hooked(HookOptions::default()).await;
    open_issue(&gitlab, project).await;
    assert_eq!(receiver.take()[0].header("webhook-signature"), None);
    gitlab.remove_hook(hook);
    let signed = Hook::on_project(project, &receiver.url).all_events().signing_token("s3cret");
    gitlab.add_hook(signed).unwrap();
    open_issue(&gitlab, project).await;
    let came = receiver.take().pop().unwrap();
    let id = came.header("webhook-id").unwrap();
    let timestamp = came.header("webhook-timestamp").unwrap();
    assert_eq!(Some(id), came.header("idempotency-key"));
    assert_eq!(timestamp, gitlab.world().clock().now().as_second().to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(format!("{id}.{timestamp}.{}", came.text).as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(came.header("webhook-signature"), Some(expected.as_str()));
    gitlab.stop().await;
}
