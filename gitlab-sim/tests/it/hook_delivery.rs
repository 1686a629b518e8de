//! How webhooks are delivered, and how they are not.

use std::time::Duration;

use gitlab_sim::hooks::{Alert, Hook, HookOptions, Loss, Outcome, Refusal, Scope};
use gitlab_sim::world::{GroupId, ItemRef, NewIssue, NewMergeRequest, ProjectId};

use crate::hooks::{place, place_with};
use crate::receiver::{Answer, Receiver};

#[tokio::test]
async fn a_delivery_carries_the_headers_of_gitlab() {
    let place = place().await;
    let receiver = Receiver::start().await;
    let hook = Hook::on_project(place.webshop, &receiver.url)
        .all_events()
        .token("s3cret")
        .header("X-Team", "shop");
    place.gitlab.add_hook(hook).unwrap();
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    let came = receiver.take().pop().unwrap();
    let instance = place.gitlab.url();
    for (name, value) in [
        ("content-type", "application/json"),
        ("user-agent", "GitLab/19.6.0-ee"),
        ("x-gitlab-event", "Issue Hook"),
        ("x-gitlab-instance", instance.as_str()),
        ("x-gitlab-token", "s3cret"),
        ("x-team", "shop"),
    ] {
        assert_eq!(came.header(name), Some(value), "{name}");
    }
    assert_eq!(came.method, "POST");
    for name in ["idempotency-key", "x-gitlab-event-uuid", "x-gitlab-webhook-uuid"] {
        let lengths: Vec<usize> = came.header(name).unwrap().split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{name}");
    }
    let logged = place.gitlab.deliveries().pop().unwrap();
    assert_eq!(logged.header("x-gitlab-token"), Some("[REDACTED]"));
    assert_eq!((&*logged.body, logged.attempt), (came.text.as_str(), 1));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn hooks_that_hear_of_one_event_share_its_uuid_and_not_their_keys() {
    let place = place().await;
    let of_project = place.receiver(Scope::Project(place.webshop)).await;
    let of_group = place.receiver(Scope::Group(place.acme)).await;
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    let (one, other) = (of_project.take().pop().unwrap(), of_group.take().pop().unwrap());
    assert_eq!(one.text, other.text);
    assert_eq!(one.header("x-gitlab-event-uuid"), other.header("x-gitlab-event-uuid"));
    assert_ne!(one.header("idempotency-key"), other.header("idempotency-key"));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn failures_disable_nothing_where_the_flag_is_off() {
    let place = place_with(HookOptions { auto_disable: false, ..HookOptions::default() }).await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    receiver.always(Answer::Status(500));
    for _ in 0..5 {
        place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
        place.gitlab.hooks_settled().await;
    }
    assert_eq!(receiver.take().len(), 10);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_redirect_is_a_success_and_is_not_followed() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    receiver.answer([Answer::Redirect]);
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(place.gitlab.deliveries()[0].outcome, Outcome::Answered(302));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_in_time_has_failed() {
    let options = HookOptions { timeout: Duration::from_millis(50), ..HookOptions::default() };
    let place = place_with(options).await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    receiver.answer([Answer::Stall]);
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    let log = place.gitlab.deliveries();
    assert_eq!(log[0].outcome, Outcome::TimedOut);
    assert_eq!((log[1].attempt, &log[1].idempotency_key), (2, &log[0].idempotency_key));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_receiver_that_is_not_there_has_failed() {
    let place = place().await;
    // Bound and not listened at: nobody answers there, and nobody else can take the port meanwhile.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = format!("http://{}/", socket.local_addr().unwrap());
    let hook = Hook::on_project(place.webshop, &closed).all_events();
    place.gitlab.add_hook(hook).unwrap();
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    let log = place.gitlab.deliveries();
    assert!(matches!(log[0].outcome, Outcome::NoAnswer(_)), "{:?}", log[0].outcome);
    assert_eq!(log.len(), 2);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_slow_receiver_does_not_hold_up_another_hook() {
    let place = place().await;
    let slow = place.receiver(Scope::Project(place.webshop)).await;
    slow.always(Answer::Stall);
    let quick = place.receiver(Scope::Project(place.other)).await;
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.world().add_issue(place.other, NewIssue::new("two"));
    while quick.take().is_empty() {
        tokio::task::yield_now().await;
    }
    // The other one is still under way: stopping does not wait for it.
    assert!(place.gitlab.deliveries().iter().all(|row| row.outcome.succeeded()));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn system_hooks_are_never_disabled() {
    let place = place().await;
    let receiver = place.receiver(Scope::System).await;
    receiver.always(Answer::Status(500));
    for number in 0..6 {
        place.gitlab.world().add_group(&format!("group-{number}"));
        place.gitlab.hooks_settled().await;
    }
    assert_eq!(receiver.take().len(), 12);
    assert_eq!(place.gitlab.hooks()[0].alert, Alert::Executable);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_top_level_group_has_its_share_of_every_minute() {
    let options = HookOptions { per_minute: Some(2), ..HookOptions::default() };
    let place = place_with(options).await;
    let receiver = place.receiver(Scope::Group(place.acme)).await;
    let system = place.receiver(Scope::System).await;
    place.gitlab.world().clock().set("2026-11-22T10:00:30Z".parse().unwrap());
    let act = || async {
        for project in [place.webshop, place.other, place.webshop] {
            place.gitlab.world().add_merge_request(project, NewMergeRequest::new("one"));
        }
        place.gitlab.hooks_settled().await;
    };
    act().await;
    assert_eq!(receiver.take().len(), 2);
    assert_eq!(system.take().len(), 3, "the instance has no share");
    let lost = place.gitlab.deliveries();
    assert!(lost.iter().any(|row| row.outcome == Outcome::Lost(Loss::RateLimited)));
    place.gitlab.world().clock().set("2026-11-22T10:01:00Z".parse().unwrap());
    act().await;
    assert_eq!(receiver.take().len(), 2, "the next minute has its own");
    place.gitlab.stop().await;
}

#[tokio::test]
async fn nothing_is_sent_in_silent_mode_nor_afterwards_of_it() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    let silent = HookOptions { silent: true, ..place.gitlab.hook_options() };
    place.gitlab.set_hook_options(silent);
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    place.gitlab.set_hook_options(HookOptions::default());
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("two"));
    place.gitlab.hooks_settled().await;
    let titles: Vec<_> = receiver
        .take()
        .iter()
        .map(|row| row.json()["object_attributes"]["title"].clone())
        .collect();
    assert_eq!(titles, ["two"]);
    assert_eq!(place.gitlab.deliveries()[0].outcome, Outcome::Lost(Loss::Silent));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_delivery_is_sent_again_by_hand_under_its_key_five_times_a_minute() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    place.gitlab.world().clock().set("2026-11-22T10:00:30Z".parse().unwrap());
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    let first = place.gitlab.deliveries()[0].clone();
    for _ in 0..5 {
        place.gitlab.resend(first.number).unwrap();
    }
    assert_eq!(place.gitlab.resend(first.number), Err(Refusal::TooOften));
    assert_eq!(place.gitlab.resend(1_000), Err(Refusal::NoDelivery));
    place.gitlab.hooks_settled().await;
    let came = receiver.take();
    assert_eq!(came.len(), 6);
    for row in &came {
        assert_eq!(row.header("idempotency-key"), Some(first.idempotency_key.as_str()));
        assert_eq!(row.text, *first.body);
    }
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_body_of_more_than_25_megabytes_is_not_sent() {
    let place = place().await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    let long = "x".repeat(25 * 1024 * 1024);
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one").description(&long));
    place.gitlab.hooks_settled().await;
    assert!(receiver.take().is_empty());
    assert_eq!(place.gitlab.deliveries()[0].outcome, Outcome::Lost(Loss::TooLarge));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_hook_that_could_not_work_is_refused() {
    let place = place().await;
    let add = |hook: Hook| place.gitlab.add_hook(hook).map(|_| ());
    let url = "http://127.0.0.1:9/";
    for bad in ["", "no address", "ftp://127.0.0.1/"] {
        assert_eq!(add(Hook::on_system(bad)), Err(Refusal::BadUrl), "{bad}");
    }
    assert_eq!(add(Hook::on_project(ProjectId::new(99), url)), Err(Refusal::NoPlace));
    assert_eq!(add(Hook::on_group(GroupId::new(99), url)), Err(Refusal::NoPlace));
    assert_eq!(add(Hook::on_system(url).token("a\nb")), Err(Refusal::BadHeader));
    assert_eq!(add(Hook::on_system(url).header("a b", "c")), Err(Refusal::BadHeader));
    for _ in 0..100 {
        assert_eq!(add(Hook::on_project(place.webshop, url)), Ok(()));
    }
    assert_eq!(add(Hook::on_project(place.webshop, url)), Err(Refusal::TooMany));
    assert_eq!(add(Hook::on_project(place.other, url)), Ok(()));
    place.gitlab.stop().await;
}

#[tokio::test]
async fn what_does_not_fit_into_the_queue_is_lost_and_said_to_be() {
    let place = place().await;
    let stalled = place.receiver(Scope::System).await;
    stalled.always(Answer::Stall);
    let mut world = place.gitlab.world();
    for _ in 0..10_001 {
        world.set_topics(place.webshop, ["a"]);
    }
    drop(world);
    let lost: Vec<Outcome> = place.gitlab.deliveries().into_iter().map(|row| row.outcome).collect();
    assert_eq!(lost, [Outcome::Lost(Loss::QueueFull)]);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_delivery_is_tried_as_often_as_it_is_said() {
    let place = place_with(HookOptions { retries: 4, ..HookOptions::default() }).await;
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    receiver.always(Answer::Status(429));
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    place.gitlab.hooks_settled().await;
    assert_eq!(receiver.take().len(), 5);
    assert_eq!(place.gitlab.hooks()[0].failures, 1);
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_hook_that_goes_takes_along_what_waits_for_it() {
    let place = place().await;
    let receiver = Receiver::start().await;
    let hook = Hook::on_project(place.webshop, &receiver.url).all_events();
    let id = place.gitlab.add_hook(hook).unwrap();
    place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    assert!(place.gitlab.remove_hook(id));
    assert!(!place.gitlab.remove_hook(id));
    place.gitlab.hooks_settled().await;
    assert!(receiver.take().is_empty());
    place.gitlab.stop().await;
}

#[tokio::test]
async fn a_closed_issue_that_is_moved_does_not_close_once_more() {
    let place = place().await;
    let iid = place.gitlab.world().add_issue(place.webshop, NewIssue::new("one"));
    let open = place.gitlab.world().add_issue(place.webshop, NewIssue::new("two"));
    let ann = place.gitlab.world().add_user("ann");
    place.gitlab.world().close(ItemRef::issue(place.webshop, iid), ann);
    let receiver = place.receiver(Scope::Project(place.webshop)).await;
    place.gitlab.world().move_issue(place.webshop, iid, place.other);
    place.gitlab.hooks_settled().await;
    assert!(receiver.take().is_empty(), "it was closed before");
    place.gitlab.world().move_issue(place.webshop, open, place.other);
    place.gitlab.hooks_settled().await;
    assert_eq!(receiver.bodies()[0]["object_attributes"]["action"], "close");
    place.gitlab.stop().await;
}
