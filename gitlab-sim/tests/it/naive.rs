//! What a naive crawler loses here, and what a careful one keeps.
//!
//! Every fault has a test of its own, which says what is lost. The naive crawler is how crawlers are
//! written by people who have read the first page of the documentation: offset pages by
//! `updated_at`, an end where a page is short, trust in `X-Total`, one look at the comments, a 404
//! taken for a deletion. The careful one walks by a watermark and looks twice.

mod crawler;

use gitlab_sim::life::{Deed, Weights};
use gitlab_sim::world::{
    AccessLevel, ItemRef, NewIssue, NewNote, NewProject, ProjectId, Visibility,
};
use gitlab_sim::{Clock, Generator, GitLab, Life, Options, Pace, World};
use jiff::{SignedDuration, Timestamp};

use crate::client::{get, get_as, serve};
use crawler::{Careful, Naive, at, missed};

/// Makes a project with issues, each changed a minute after the one before.
fn with_issues(count: i64) -> (World, ProjectId) {
    let start: Timestamp = "2026-11-22T12:00:00.123456Z".parse().unwrap();
    let mut world = World::with_clock(Clock::at(start));
    let project = world.add_project(NewProject::at("acme/shop"));
    for number in 1..=count {
        world.clock().advance(SignedDuration::from_mins(1));
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    world.clock().advance(SignedDuration::from_hours(1));
    (world, project)
}

#[tokio::test]
async fn a_change_between_two_pages_hides_the_first_row_of_the_next_page() {
    let (world, project) = with_issues(30);
    let gitlab = serve(world).await;
    let path = "/groups/acme/issues?order_by=updated_at&sort=asc&per_page=10";
    let first = get(&gitlab, path).await.numbers("iid");
    gitlab.world().close(ItemRef::issue(project, 3), gitlab_sim::world::UserId::new(1));
    let mut seen = first.clone();
    for page in 2..=3 {
        seen.extend(get(&gitlab, &format!("{path}&page={page}")).await.numbers("iid"));
    }
    assert_eq!(first, (1..=10).collect::<Vec<u64>>());
    assert!(!seen.contains(&11), "issue 11 moved to the first page, which was read already");
    assert_eq!(seen.len(), 30, "and the number of rows gives no hint");
}

#[tokio::test]
async fn offset_pages_lose_rows_of_a_living_organisation_and_a_watermark_loses_none() {
    let (mut lost, mut kept) = (0, 0);
    for seed in 1..4 {
        for careful in [false, true] {
            let generator = Generator {
                seed,
                projects: 10,
                issues_per_project: 12,
                merge_requests_per_project: 2,
                now: "2026-11-22T12:00:00Z".parse().unwrap(),
            };
            let (world, ledger) = generator.organisation();
            world.clock().set(generator.now);
            let gitlab = serve(world).await.with_ledger(ledger);
            let touching = [Deed::Close, Deed::EditTitle, Deed::EditDescription, Deed::Relabel];
            let life = Life::seeded(seed).weights(Weights::only(touching));
            gitlab.live(life, Pace::AfterRequests(1));
            let seen = if careful {
                let mut crawler = Careful::default();
                crawler.walk(&gitlab, 10).await;
                gitlab.quiet().await;
                crawler.walk(&gitlab, 10).await;
                crawler.rows
            } else {
                Naive::walk(&gitlab, 10).await
            };
            let steps = gitlab.quiet().await;
            let missed = missed(&gitlab, &seen);
            if careful {
                assert_eq!(missed, Vec::<String>::new(), "seed {seed}, after {steps:?}");
                kept += seen.len();
            } else {
                lost += missed.len();
            }
            gitlab.stop().await;
        }
    }
    assert!(lost > 0, "the naive crawler must lose some of {kept} issues");
}

#[tokio::test]
async fn comments_behind_a_short_page_are_lost_to_who_stops_there() {
    let (mut world, project) = with_issues(1);
    world.set_visibility(project, Visibility::Public);
    for number in 1..=9 {
        let note = NewNote::new(&format!("comment {number}"));
        world
            .add_note(ItemRef::issue(project, 1), if number == 2 { note.internal() } else { note });
    }
    let visitor = world.add_user("visitor");
    let token = world.add_token(visitor, &["read_api"], None);
    let gitlab = serve(world).await;
    let naive = Naive::comments(&gitlab, &token, 1, 3).await;
    assert_eq!(naive, ["comment 1", "comment 3"], "comments 4 to 9 are lost");
    let careful = Careful::comments(&gitlab, &token, 1, 3).await;
    assert_eq!(careful.len(), 8);
    assert_eq!(careful.last().unwrap(), "comment 9");
}

#[tokio::test]
async fn rows_beyond_the_first_total_are_lost_to_who_trusts_it() {
    let (world, project) = with_issues(20);
    let gitlab = serve(world).await;
    let path = "/groups/acme/issues?order_by=created_at&sort=asc&per_page=10";
    let first = get(&gitlab, path).await;
    let pages: u64 = first.header("x-total-pages").unwrap().parse().unwrap();
    let mut seen = first.numbers("iid");
    gitlab.world().add_issue(project, NewIssue::new("Issue 21, opened while they were read"));
    for page in 2..=pages {
        seen.extend(get(&gitlab, &format!("{path}&page={page}")).await.numbers("iid"));
    }
    assert_eq!(seen, (1..=20).collect::<Vec<u64>>(), "issue 21 is on a page that is not asked for");
    let mut crawler = Careful::default();
    crawler.walk(&gitlab, 10).await;
    assert!(missed(&gitlab, &crawler.rows).is_empty());
}

#[tokio::test]
async fn all_but_the_first_page_is_lost_where_there_is_no_total() {
    let (mut world, project) = with_issues(1);
    for number in 2..=10_001 {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    let gitlab = serve(world).await;
    let path = "/groups/acme/issues?order_by=updated_at&sort=asc&per_page=100";
    let first = get(&gitlab, path).await;
    let pages = first.header("x-total-pages").and_then(|pages| pages.parse().ok()).unwrap_or(1);
    assert_eq!(pages, 1_u64, "so issues 101 to 10,001 are lost");
    let mut crawler = Careful::default();
    crawler.walk(&gitlab, 100).await;
    assert_eq!(crawler.rows.len(), 10_001, "although 10,000 of them share one moment");
    assert!(missed(&gitlab, &crawler.rows).is_empty());
}

#[tokio::test]
async fn a_comment_within_a_minute_of_the_last_look_is_lost_to_who_looks_once() {
    let (world, project) = with_issues(1);
    let item = ItemRef::issue(project, 1);
    let gitlab = serve(world).await;
    gitlab.world().add_note(item, NewNote::new("first"));
    let (mut naive, mut careful) = (Naive::default(), Careful::default());
    naive.sync(&gitlab).await;
    careful.sync(&gitlab).await;
    gitlab.world().clock().advance(SignedDuration::from_secs(30));
    gitlab.world().add_note(item, NewNote::new("thirty seconds later"));
    for _ in 0..3 {
        gitlab.world().clock().advance(SignedDuration::from_mins(10));
        naive.sync(&gitlab).await;
        careful.sync(&gitlab).await;
    }
    assert_eq!(naive.comments_of(1), ["first"], "the second comment moved no updated_at");
    assert_eq!(careful.comments_of(1), ["first", "thirty seconds later"]);
}

#[tokio::test]
async fn the_row_at_the_edge_is_lost_to_who_goes_back_by_the_printed_time() {
    let start: Timestamp = "2026-11-22T12:00:00.123456Z".parse().unwrap();
    let mut world = World::with_clock(Clock::at(start));
    let project = world.add_project(NewProject::at("acme/shop"));
    for number in 1..=3 {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    let gitlab = serve(world).await;
    let path = "/groups/acme/issues?order_by=updated_at&sort=desc&per_page=2";
    let first = get(&gitlab, path).await;
    assert_eq!(first.numbers("iid"), [3, 2]);
    let printed = first.texts("updated_at").pop().unwrap();
    let rest = get(&gitlab, &format!("{path}&updated_before={printed}")).await;
    assert_eq!(rest.text, "[]", "issue 1 was changed 456 microseconds after {printed}");
    let mut crawler = Careful::default();
    crawler.walk(&gitlab, 2).await;
    assert_eq!(crawler.rows.len(), 3);
}

#[tokio::test]
async fn a_project_out_of_sight_for_a_while_is_lost_to_who_takes_404_for_its_end() {
    let (mut world, project) = with_issues(5);
    let reader = world.add_user("reader");
    let token = world.add_token(reader, &["read_api"], None);
    world.add_project_member(project, reader, AccessLevel::Reporter);
    let gitlab = GitLab::start(world, Options::default()).await.unwrap();
    let list = |since: Timestamp| {
        format!("/projects/1/issues?order_by=updated_at&sort=asc&updated_after={since}")
    };
    let first = get_as(&gitlab, Some(&token), &list(Timestamp::UNIX_EPOCH)).await;
    let mut kept = first.numbers("iid");
    let watermark = at(first.texts("updated_at").last().unwrap());
    assert_eq!(kept.len(), 5);

    gitlab.world().remove_project_member(project, reader);
    let gone = get_as(&gitlab, Some(&token), &list(watermark)).await;
    assert_eq!(gone.status, 404);
    kept.clear(); // so the naive crawler does

    gitlab.world().add_project_member(project, reader, AccessLevel::Reporter);
    kept.extend(get_as(&gitlab, Some(&token), &list(watermark)).await.numbers("iid"));
    assert_eq!(kept, [5], "issues 1 to 4 never come back: nothing moved their updated_at");
    assert_eq!(gitlab.state(Some(&token)).issues.len(), 5);
    // The careful crawler reads a project that comes back from the start.
    let again = get_as(&gitlab, Some(&token), &list(Timestamp::UNIX_EPOCH)).await;
    assert_eq!(again.numbers("iid").len(), 5);
}
