//! Comments that do not come with the list of their items: which are due, and how they are read.

use gitlab_sim::world::{ItemRef, NewIssue, NewNote, NewProject};
use gitlab_sim::{GitLab, Options, World};
use jiff::SignedDuration;

use super::check;
use crate::support::shop;
use crate::support::{Bench, Index};

/// Opens the index again with another setting for comments.
async fn with_comments(bench: &Bench, index: Index, from: &str, to: &str) -> Index {
    let text = bench.config_text();
    assert!(text.contains(from), "{text}");
    bench.write_config(&text.replacen(from, to, 1));
    index.close().await;
    bench.open().await
}

/// Serves items of one project that were commented on long ago.
async fn serve(items: u64) -> GitLab {
    let mut world = World::new();
    let hour = SignedDuration::from_hours(1);
    world.clock().skip(-hour);
    let project = world.add_project(NewProject::at("acme/app"));
    for number in 1..=items {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
        world.add_note(ItemRef::issue(project, number), NewNote::new("see CVE-2024-1234"));
    }
    world.clock().skip(hour);
    GitLab::start(world, Options::default()).await.expect("a free port")
}

#[tokio::test]
async fn comments_that_are_read_again_after_they_were_switched_off_are_all_there() {
    let gitlab = GitLab::start(shop::world().0, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "comments = true", &shop::sections());
    let index = bench.open().await;
    index.sync().await;
    let (on, off) = ("comments = true", "comments = false");
    let index = with_comments(&bench, index, on, off).await;
    index.sync().await;
    assert!(index.rows("select id from note").await.is_empty());
    let index = with_comments(&bench, index, off, on).await;
    // A page of the list that brings an item with its comments meets what is known of them.
    for crawler in &index.crawlers {
        let stop = tokio_util::sync::CancellationToken::new();
        crawler.sync(xrefd::crawl::Pass::Full, &stop).await.expect("it goes through");
    }
    check("comments off and on", &gitlab, &index).await;
}

#[tokio::test]
async fn comments_of_many_items_that_are_due_come_together() {
    let gitlab = serve(120).await;
    let bench = Bench::new(&gitlab, "acme", "comments = false", "");
    let index = bench.open().await;
    index.sync().await;
    let index = with_comments(&bench, index, "comments = false", "comments = true").await;
    gitlab.forget_requests();
    index.sync().await;
    assert_eq!(index.rows("select id from note").await.len(), 120);
    assert_eq!(gitlab.requests_for("/notes"), 0, "comments are read one by one");
    assert!(gitlab.requests_for("/api/graphql") <= 8, "{}", gitlab.requests_for("/api/graphql"));
}

#[tokio::test]
async fn the_comments_of_an_item_that_is_gone_are_asked_for_once() {
    for transport in ["transport = \"auto\"", "transport = \"rest\""] {
        let gitlab = serve(3).await;
        let bench = Bench::new(&gitlab, "acme", transport, "");
        let index = bench.open().await;
        index.sync().await;
        let project = gitlab.world().find_project("acme/app").expect("it is there").id;
        // Commented on just now, so that its comments are due once more; and gone.
        gitlab.world().add_note(ItemRef::issue(project, 2), NewNote::new("spam"));
        index.sync().await;
        gitlab.world().delete_item(ItemRef::issue(project, 2));
        index.sync().await;
        gitlab.forget_requests();
        let summary = index.sync().await;
        assert!(summary.complete, "{:#?}", summary.errors);
        let asked = gitlab.requests_for("/notes") + gitlab.requests_for("iids");
        assert_eq!(asked, 0, "{transport}: it is asked for again and again");
    }
}
