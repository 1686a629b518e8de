//! Runs of the sync and how far they came.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use super::build::{ALL, Index, at, issue, project, url_in};
use crate::store::{
    Error, ItemWrite, Lock, Moves, Outcome, Problem, ProjectKey, RootKey, Store, StreamKind,
    WalkRow, Window,
};

const URL: &str = "https://gitlab.example.com";

fn read_up_to(root: RootKey, second: i64) -> Moves {
    Moves::Watermark { root, kind: StreamKind::Issues, to: at(second) }
}

fn problem(subject: &str, reason: &str) -> Problem {
    Problem {
        subject: subject.to_owned(),
        stream: "issues".to_owned(),
        reason: reason.to_owned(),
        at: at(5),
        retry_at: at(125),
    }
}

#[tokio::test]
async fn a_killed_sync_is_followed_by_one_that_goes_on_where_it_was() {
    let index = Index::new().await;
    let root = index.root().await;
    index.store.begin_walk(&index.run, root, StreamKind::Issues, at(0), at(40)).await.unwrap();
    let moves = Moves::Window {
        root,
        kind: StreamKind::Issues,
        lower: at(0),
        position: at(30),
        done: false,
    };
    index.store.apply_items(&index.run, &[], &moves).await.unwrap();
    index.store.close().await;

    let store = Store::open(&url_in(&index.directory)).await.unwrap();
    let run = store.begin_sync("main", URL, at(500)).await.unwrap();
    assert_eq!((run.key > index.run.key, run.started_at), (true, at(500)));
    let stream = store.find_stream(root, StreamKind::Issues).await.unwrap();
    assert_eq!(stream.walk, Some(WalkRow { began_at: at(40), run: index.run.key }));
    let windows = store.list_windows(root, StreamKind::Issues).await.unwrap();
    let window = Window { lower: at(0), upper: at(40), position: at(30), done: false };
    assert_eq!(windows, [window]);
}

#[tokio::test]
async fn sources_have_runs_and_roots_of_their_own() {
    let index = Index::new().await;
    index.root().await;
    let other = index.store.begin_sync("other", "https://other.example.com", at(9)).await.unwrap();
    assert_ne!(other.source, index.run.source);
    assert!(index.store.list_roots(other.source).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_source_that_moved_keeps_its_rows_and_gets_its_new_address() {
    let index = Index::new().await;
    index.store.begin_sync("main", "https://git.example.org", at(9)).await.unwrap();
    let sources = index.store.list_sources().await.unwrap();
    assert_eq!(sources.len(), 1);
    assert_eq!(sources[0].url, "https://git.example.org");
}

#[tokio::test]
async fn only_a_complete_sync_counts_as_complete_and_a_failed_one_as_none() {
    let index = Index::new().await;
    let ages = async || {
        let source = index.store.list_sources().await.unwrap().remove(0);
        (source.synced_at, source.complete_at, source.outcome)
    };
    assert_eq!(ages().await, (None, None, String::new()));

    let run = index.run;
    index.store.finish_run(&run, Outcome::Failed, &[], at(10)).await.unwrap();
    assert_eq!(ages().await, (None, None, "failed".to_owned()));

    // The age of what was read is when reading began, not when it ended.
    let run = index.store.begin_sync("main", URL, at(20)).await.unwrap();
    index.store.finish_run(&run, Outcome::Complete, &[], at(30)).await.unwrap();
    assert_eq!(ages().await, (Some(at(20)), Some(at(20)), "complete".to_owned()));

    let run = index.store.begin_sync("main", URL, at(40)).await.unwrap();
    assert_eq!(ages().await, (Some(at(20)), Some(at(20)), "complete".to_owned()));
    index.store.finish_run(&run, Outcome::Incomplete, &[], at(50)).await.unwrap();
    assert_eq!(ages().await, (Some(at(40)), Some(at(20)), "incomplete".to_owned()));
}

#[tokio::test]
async fn problems_are_those_of_the_latest_sync() {
    let index = Index::new().await;
    let first = [problem("group:shop", "403"), problem("shop/a", "500"), problem("shop/a", "502")];
    index.store.finish_run(&index.run, Outcome::Incomplete, &first, at(10)).await.unwrap();
    let listed = index.store.list_problems().await.unwrap();
    let listed: Vec<(&str, &str)> =
        listed.iter().map(|row| (row.subject.as_str(), row.reason.as_str())).collect();
    assert_eq!(listed, [("group:shop", "403"), ("shop/a", "502")]);

    let run = index.store.begin_sync("main", URL, at(20)).await.unwrap();
    index.store.finish_run(&run, Outcome::Complete, &[], at(30)).await.unwrap();
    assert!(index.store.list_problems().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_end_of_a_sync_changes_answers_and_its_beginning_does_not() {
    let index = Index::new().await;
    let before = index.generation().await;
    index.root().await;
    assert_eq!(index.generation().await, before);
    index.store.finish_run(&index.run, Outcome::Complete, &[], at(10)).await.unwrap();
    assert_eq!(index.generation().await, before + 1);
    index.store.begin_sync("main", URL, at(20)).await.unwrap();
    assert_eq!(index.generation().await, before + 1);
}

#[tokio::test]
async fn old_runs_are_forgotten() {
    let index = Index::new().await;
    for second in 0..105 {
        let run = index.store.begin_sync("main", URL, at(second)).await.unwrap();
        index.store.finish_run(&run, Outcome::Complete, &[], at(second)).await.unwrap();
    }
    assert_eq!(index.number("select count(*) from sync_run").await, 101);
}

#[tokio::test]
async fn sources_that_are_no_longer_configured_go_with_all_they_had() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    index.items(key, &[issue(1).label("team", "web").mentions("jira", "WEB-1")]).await;
    index.store.begin_sync("other", "https://other.example.com", at(9)).await.unwrap();
    let before = index.generation().await;
    let removed = index.store.remove_other_sources(&["other", "third"]).await.unwrap();
    assert_eq!(removed, ["main"]);
    assert!(index.generation().await > before);
    for table in ["project", "item", "item_tag", "item_reference", "project_tag", "root", "stream"]
    {
        assert_eq!(index.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(index.store.list_sources().await.unwrap().len(), 1);
    assert!(index.store.remove_other_sources(&["other"]).await.unwrap().is_empty());
}

#[tokio::test]
async fn totals_count_what_one_source_holds() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let items = [
        issue(1).mentions("jira", "WEB-1").mentions("jira", "WEB-2"),
        issue(2).mentions("jira", "WEB-1"),
        super::build::merge_request(1).mentions("jira", "WEB-1"),
    ];
    index.items(key, &items).await;
    let totals = index.store.totals(index.run.source).await.unwrap();
    assert_eq!((totals.projects, totals.issues), (1, 2));
    assert_eq!((totals.merge_requests, totals.references), (1, 2));
}

#[tokio::test]
async fn a_page_that_cannot_be_stored_moves_no_progress() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    // The second item's project was removed in the meantime.
    let root = index.root().await;
    let page = [issue(1).write(key), issue(2).write(ProjectKey(999))];
    let moves = read_up_to(root, 30);
    let error = index.store.apply_items(&index.run, &page, &moves).await.unwrap_err();
    assert!(matches!(error, Error::Query { doing: "storing items", .. }), "{error:?}");
    assert_eq!(index.number("select count(*) from item").await, 0);
    let found = index.store.find_stream(root, StreamKind::Issues).await.unwrap();
    assert_eq!(found.watermark, None);
}

/// Polls a future some times and drops it, as a process does that dies.
async fn abandon<T>(future: impl Future<Output = T>, polls: usize) -> bool {
    let mut future = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_page_and_its_progress_are_stored_together_or_not_at_all() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let root = index.root().await;
    let mut finished = false;
    for polls in 1..2000 {
        let id = i64::try_from(polls).unwrap();
        let page: Vec<ItemWrite> = vec![issue(id).mentions("jira", "WEB-1").write(key)];
        let progress = read_up_to(root, id);
        finished = abandon(index.store.apply_items(&index.run, &page, &progress), polls).await;
        let found = index.store.find_stream(root, StreamKind::Issues).await.unwrap();
        let stored =
            index.number(&format!("select count(*) from item where gitlab_id = {id}")).await;
        assert_eq!(stored == 1, found.watermark == Some(at(id)), "dropped after {polls} polls");
        if finished {
            break;
        }
    }
    assert!(finished, "the page is never stored");
    let items = index.number("select count(*) from item").await;
    assert_eq!(
        index.mentioning("jira", "WEB-1", &ALL).await.len(),
        usize::try_from(items).unwrap()
    );
    assert_eq!(index.counts("service", "webshop", &ALL).await.issues, items);
}

#[tokio::test]
async fn a_problem_is_remembered_for_its_source_and_list() {
    let index = Index::new().await;
    let problems = [problem("shop/a", "403")];
    index.store.finish_run(&index.run, Outcome::Incomplete, &problems, at(10)).await.unwrap();
    let other = index.store.begin_sync("other", "https://other.example.com", at(9)).await.unwrap();
    index.store.finish_run(&other, Outcome::Complete, &[], at(11)).await.unwrap();
    let told = index.store.list_problems().await.unwrap();
    let told: Vec<_> = told.iter().map(|row| (row.source.as_str(), row.subject.as_str())).collect();
    assert_eq!(told, [("main", "shop/a")]);
}

#[tokio::test]
async fn one_at_a_time_may_sync_into_an_index() {
    let index = Index::new().await;
    let url = url_in(&index.directory);
    let lock = Lock::take(&url).unwrap();
    let error = Lock::take(&url).unwrap_err();
    assert!(matches!(error, Error::Locked { .. }), "{error:?}");
    assert!(error.to_string().contains("xrefd.db"), "{error}");
    drop(lock);
    Lock::take(&url).unwrap();
}
