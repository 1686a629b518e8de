//! Runs of the sync and how far they came.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use super::build::{ALL, Index, at, issue, project, stream, url_in};
use crate::store::{Error, ItemWrite, Lock, Outcome, Problem, ProjectKey, Store, Stream};

const URL: &str = "https://gitlab.example.com";

fn read_up_to(second: i64) -> Stream {
    Stream { watermark: Some(at(second)), ..stream("issues", false) }
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
async fn a_killed_sync_is_gone_on_with_where_it_was() {
    let index = Index::new().await;
    index.store.finish_stream(&index.run, &stream("projects", true)).await.unwrap();
    index.store.finish_stream(&index.run, &read_up_to(30)).await.unwrap();
    index.store.close().await;

    let store = Store::open(&url_in(&index.directory)).await.unwrap();
    let run = store.begin_sync("main", URL, at(500)).await.unwrap();
    assert!(run.resumed);
    assert_eq!((run.key, run.started_at), (index.run.key, at(0)));
    let found = store.find_stream(&run, "group:shop", "projects").await.unwrap();
    assert_eq!(found, stream("projects", true));
    let found = store.find_stream(&run, "group:shop", "issues").await.unwrap();
    assert_eq!(found, read_up_to(30));
    let found = store.find_stream(&run, "group:shop", "merge_requests").await.unwrap();
    assert_eq!(found, stream("merge_requests", false));
}

#[tokio::test]
async fn a_failed_sync_keeps_its_progress_and_is_gone_on_with() {
    let index = Index::new().await;
    index.store.finish_stream(&index.run, &read_up_to(30)).await.unwrap();
    index.store.finish_run(&index.run, Outcome::Failed, &[], at(40)).await.unwrap();
    let run = index.store.begin_sync("main", URL, at(500)).await.unwrap();
    assert!(run.resumed);
    let found = index.store.find_stream(&run, "group:shop", "issues").await.unwrap();
    assert_eq!(found, read_up_to(30));
}

#[tokio::test]
async fn a_sync_that_ended_is_followed_by_a_new_one() {
    for outcome in [Outcome::Complete, Outcome::Incomplete] {
        let index = Index::new().await;
        index.store.finish_stream(&index.run, &read_up_to(30)).await.unwrap();
        index.store.finish_run(&index.run, outcome, &[], at(40)).await.unwrap();
        let run = index.store.begin_sync("main", URL, at(500)).await.unwrap();
        assert!(!run.resumed);
        assert!(run.key > index.run.key);
        assert_eq!(run.started_at, at(500));
        let found = index.store.find_stream(&run, "group:shop", "issues").await.unwrap();
        assert_eq!(found, stream("issues", false));
    }
}

#[tokio::test]
async fn sources_have_runs_of_their_own() {
    let index = Index::new().await;
    let other = index.store.begin_sync("other", "https://other.example.com", at(9)).await.unwrap();
    assert!(!other.resumed);
    assert_ne!(other.source, index.run.source);
    index.store.finish_stream(&other, &read_up_to(30)).await.unwrap();
    let found = index.store.find_stream(&index.run, "group:shop", "issues").await.unwrap();
    assert_eq!(found.watermark, None);
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
    assert_eq!(ages().await, (Some(at(0)), Some(at(0)), "complete".to_owned()));

    let run = index.store.begin_sync("main", URL, at(40)).await.unwrap();
    assert_eq!(ages().await, (Some(at(0)), Some(at(0)), "complete".to_owned()));
    index.store.finish_run(&run, Outcome::Incomplete, &[], at(50)).await.unwrap();
    assert_eq!(ages().await, (Some(at(40)), Some(at(0)), "incomplete".to_owned()));
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
    index.store.finish_stream(&index.run, &stream("projects", true)).await.unwrap();
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
    for table in ["project", "item", "item_tag", "item_reference", "project_tag", "sync_stream"] {
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
    let page = [issue(1).write(key), issue(2).write(ProjectKey(999))];
    let error = index.store.apply_items(&index.run, &page, &read_up_to(30)).await.unwrap_err();
    assert!(matches!(error, Error::Query { doing: "storing items", .. }), "{error:?}");
    assert_eq!(index.number("select count(*) from item").await, 0);
    let found = index.store.find_stream(&index.run, "group:shop", "issues").await.unwrap();
    assert_eq!(found, stream("issues", false));
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
    let mut finished = false;
    for polls in 1..2000 {
        let id = i64::try_from(polls).unwrap();
        let page: Vec<ItemWrite> = vec![issue(id).mentions("jira", "WEB-1").write(key)];
        let progress = read_up_to(id);
        finished = abandon(index.store.apply_items(&index.run, &page, &progress), polls).await;
        let found = index.store.find_stream(&index.run, "group:shop", "issues").await.unwrap();
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
    assert!(index.store.find_problem(index.run.source, "issues").await.unwrap().is_some());
    assert!(index.store.find_problem(index.run.source, "merge_requests").await.unwrap().is_none());
    assert!(index.store.find_problem(other.source, "issues").await.unwrap().is_none());
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
