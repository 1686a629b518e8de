//! How old and how whole an index is said to be.

use std::collections::BTreeMap;

use super::*;
use crate::lookup::{Freshness, SourceProblem};
use crate::store::{Problem, Run};

fn lookup(index: &Index, sources: &[&str]) -> Lookup {
    let sources = sources.iter().map(|source| (*source).to_owned()).collect();
    Lookup::new(index.store.clone(), Arc::new(reader()), sources)
}

async fn begin(index: &Index, name: &str, second: i64) -> Run {
    index.store.begin_sync(name, "https://gitlab.example.com", at(second)).await.unwrap()
}

async fn end(index: &Index, run: &Run, outcome: Outcome) {
    index.store.finish_run(run, outcome, &[], at(900)).await.unwrap();
}

fn fresh(second: Option<i64>, complete: bool) -> Freshness {
    Freshness { as_of: second.map(at), complete }
}

#[tokio::test]
async fn an_index_is_incomplete_until_its_first_sync_has_ended() {
    let index = Index::new().await;
    let main = lookup(&index, &["main"]);
    assert_eq!(main.freshness().await.unwrap(), fresh(None, false));
    end(&index, &index.run, Outcome::Complete).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(0), true));
}

#[tokio::test]
async fn an_index_of_nothing_is_incomplete() {
    let directory = tempfile::tempdir().unwrap();
    let url = crate::store::tests::build::url_in(&directory);
    let store = crate::store::Store::open(&url).await.unwrap();
    let lookup = Lookup::new(store, Arc::new(reader()), Vec::new());
    assert_eq!(lookup.freshness().await.unwrap(), fresh(None, false));
}

#[tokio::test]
async fn a_configured_source_that_was_never_read_makes_the_index_incomplete() {
    let index = Index::new().await;
    end(&index, &index.run, Outcome::Complete).await;
    let both = lookup(&index, &["main", "other"]);
    assert_eq!(both.freshness().await.unwrap(), fresh(None, false));
    let run = begin(&index, "other", 70).await;
    assert_eq!(both.freshness().await.unwrap(), fresh(None, false));
    end(&index, &run, Outcome::Complete).await;
    assert_eq!(both.freshness().await.unwrap(), fresh(Some(0), true));
}

#[tokio::test]
async fn the_oldest_source_gives_the_age() {
    let index = Index::new().await;
    end(&index, &index.run, Outcome::Complete).await;
    let other = begin(&index, "other", 70).await;
    end(&index, &other, Outcome::Complete).await;
    let main = begin(&index, "main", 90).await;
    let both = lookup(&index, &["main", "other"]);
    assert_eq!(both.freshness().await.unwrap(), fresh(Some(0), true));
    end(&index, &main, Outcome::Complete).await;
    assert_eq!(both.freshness().await.unwrap(), fresh(Some(70), true));
}

#[tokio::test]
async fn a_part_that_could_not_be_read_makes_the_index_incomplete_until_it_could() {
    let index = Index::new().await;
    let main = lookup(&index, &["main"]);
    end(&index, &index.run, Outcome::Incomplete).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(0), false));
    let run = begin(&index, "main", 70).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(0), false));
    end(&index, &run, Outcome::Complete).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(70), true));
}

#[tokio::test]
async fn a_failed_sync_keeps_the_age_of_what_is_there_and_stays_failed_while_it_is_tried_again() {
    let index = Index::new().await;
    let main = lookup(&index, &["main"]);
    end(&index, &index.run, Outcome::Complete).await;
    let run = begin(&index, "main", 70).await;
    end(&index, &run, Outcome::Failed).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(0), false));
    let run = begin(&index, "main", 80).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(0), false));
    end(&index, &run, Outcome::Complete).await;
    assert_eq!(main.freshness().await.unwrap(), fresh(Some(80), true));
}

#[tokio::test]
async fn problems_are_told_to_those_who_may_know_of_their_subject() {
    let index = Index::new().await;
    let problem = |subject: &str| Problem {
        subject: subject.to_owned(),
        stream: "issues".to_owned(),
        reason: format!("403 for {subject}"),
        at: at(1),
        retry_at: at(2),
    };
    let problems = ["group:shop", "shop/webshop", "shop-old/x", "project:vault/safe"].map(problem);
    index.store.finish_run(&index.run, Outcome::Incomplete, &problems, at(9)).await.unwrap();
    let main = lookup(&index, &["main"]);
    let told = async |viewer: &Viewer| {
        let status = main.crawls(viewer, &BTreeMap::new()).await.unwrap().remove(0);
        assert_eq!((status.source.as_str(), status.outcome.as_str()), ("main", "incomplete"));
        assert_eq!((status.as_of, status.complete_as_of), (Some(at(0)), None));
        let subject = |problem: SourceProblem| problem.subject;
        status.problems.into_iter().map(subject).collect::<Vec<_>>()
    };
    assert_eq!(told(&all()).await.len(), 4);
    assert_eq!(told(&of_groups(&["Shop"])).await, ["group:shop", "shop/webshop"]);
    assert_eq!(told(&of_groups(&["vault"])).await, ["project:vault/safe"]);
    assert!(told(&of_groups(&["other"])).await.is_empty());
}
