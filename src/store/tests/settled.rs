//! When names and counts still hold, and when they are worked out again.

use super::build::{Index, at, issue, project, url_in};
use crate::store::{Outcome, Store};

/// Makes the kept count of references one that nothing else gives, and returns it.
async fn mark(index: &Index) -> u64 {
    index.number("update settled set mentioned = 77 returning mentioned").await;
    77
}

async fn mentioned(index: &Index) -> u64 {
    index.store.totals(index.run.source).await.unwrap().references
}

async fn settle(index: &Index) {
    index.store.settle_names(&index.run).await.unwrap();
}

#[tokio::test]
async fn what_is_settled_holds_until_something_changes() {
    let mut index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let items = [issue(1).mentions("jira", "WEB-1"), issue(2).mentions("jira", "WEB-2")];
    index.items(key, &items).await;
    settle(&index).await;
    assert_eq!(mentioned(&index).await, 2);
    let kept = mark(&index).await;

    // Neither the end of a run nor one that sees nothing new counts anything.
    index.next_run().await;
    index.items(key, &items).await;
    settle(&index).await;
    index.store.finish_run(&index.run, Outcome::Complete, &[], at(200)).await.unwrap();
    assert_eq!(mentioned(&index).await, kept);

    index.items(key, &[issue(3).mentions("jira", "WEB-3")]).await;
    assert_eq!(mentioned(&index).await, 3, "it is counted where it is not settled");
    settle(&index).await;
    assert_eq!(mentioned(&index).await, 3);
}

#[tokio::test]
async fn a_sync_that_was_killed_before_names_were_settled_leaves_that_to_the_next() {
    let mut index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    settle(&index).await;
    index.items(key, &[issue(1).label("service", "webshop")]).await;
    index.store = Store::open(&url_in(&index.directory)).await.unwrap();
    index.next_run().await;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by name"]);
}

#[tokio::test]
async fn what_one_source_names_is_settled_for_the_others_too() {
    let mut index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    settle(&index).await;
    let first = index.run;
    index.run = index.store.begin_sync("other", "https://other.example.com", at(9)).await.unwrap();
    let other = index.project(&project(2, "ops/infra").topic("service", "webshop")).await;
    settle(&index).await;
    assert!(index.tags_of(key).await.is_empty());
    assert_eq!(index.tags_of(other).await, ["service:webshop by topic"]);
    index.run = first;
    settle(&index).await;
    assert_eq!(index.tags_of(key).await, ["service:webshop by name"]);
}
