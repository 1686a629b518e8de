//! What is gone, and what brings it back.

use super::build::{Index, at, issue, project};
use crate::model::{ItemKind, ProjectId};
use crate::store::{Cause, Ended, Gone, ItemKey, Outcome, StreamKind, SuspectedDrop};

async fn key_of_issue(index: &Index, number: i64) -> ItemKey {
    let later = i64::MAX;
    let unseen = index
        .store
        .list_unseen_items(
            index.run.source,
            ItemKind::Issue,
            later,
            &[ProjectId::new(1), ProjectId::new(2)],
        )
        .await;
    let unseen = unseen.unwrap().into_iter().find(|item| item.iid.get() == number);
    unseen.expect("it is stored").key
}

#[tokio::test]
async fn a_removed_item_leaves_a_tombstone_until_it_is_stored_again() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, &[issue(1), issue(2)]).await;
    let item = key_of_issue(&index, 1).await;
    index.store.remove_items(&[item], Gone::NotShown, at(7)).await.unwrap();

    let gone = index.store.find_gone_item(key.0, ItemKind::Issue, 1).await.unwrap();
    let gone = gone.expect("a tombstone");
    assert_eq!((gone.reason, gone.gone_at), (Gone::NotShown, at(7)));
    assert_eq!(gone.path, "shop/webshop");
    assert!(index.store.find_gone_item(key.0, ItemKind::Issue, 2).await.unwrap().is_none());
    assert!(index.store.find_gone_item(key.0, ItemKind::MergeRequest, 1).await.unwrap().is_none());

    index.items(key, &[issue(1)]).await;
    assert!(index.store.find_gone_item(key.0, ItemKind::Issue, 1).await.unwrap().is_none());
}

#[tokio::test]
async fn a_removed_project_is_found_by_its_paths_in_any_case_until_it_is_stored_again() {
    let index = Index::new().await;
    index.project(&project(1, "shop/old")).await;
    let key = index.project(&project(1, "shop/new")).await;
    index.store.remove_project(key, Some(Gone::Excluded), at(7)).await.unwrap();
    for path in ["shop/new", "Shop/OLD"] {
        let gone = index.store.list_gone_projects(path).await.unwrap();
        assert_eq!(gone.len(), 1, "{path}");
        assert_eq!((gone[0].reason, gone[0].path.as_str()), (Gone::Excluded, "shop/new"));
    }
    index.project(&project(1, "shop/new")).await;
    assert!(index.store.list_gone_projects("shop/new").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_project_that_another_source_holds_leaves_no_tombstone() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.store.remove_project(key, None, at(7)).await.unwrap();
    assert!(index.store.list_gone_projects("shop/webshop").await.unwrap().is_empty());
    assert!(index.store.list_held(index.run.source).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_drop_is_confirmed_by_a_later_run_that_finds_no_more_gone() {
    let mut index = Index::new().await;
    let root = crate::store::RootWrite {
        name: "group:shop".to_owned(),
        origin: crate::store::Origin::Configured,
        gitlab_id: Some(3),
        path: "shop".to_owned(),
        found_at: None,
    };
    let root = index.store.put_roots(index.run.source, &[root]).await.unwrap()[0].key;
    let kind = StreamKind::Issues;
    let drop = |gone| SuspectedDrop { root, kind, cause: Cause::NotListed, gone };
    let first = index.run.key;
    for _ in 0..2 {
        let confirmed = index.store.suspect_drop(&index.run, &drop(200), first).await.unwrap();
        assert!(!confirmed, "the same run says nothing new");
    }
    index.next_run().await;
    let (run, now) = (index.run, index.run.key);
    let suspect =
        async |drop: SuspectedDrop, since| index.store.suspect_drop(&run, &drop, since).await;
    assert!(!suspect(drop(200), first).await.unwrap(), "the same list, read on");
    assert!(!suspect(drop(201), now).await.unwrap(), "more is gone");
    let off = SuspectedDrop { cause: Cause::SwitchedOff, ..drop(150) };
    assert!(!suspect(off, now).await.unwrap(), "another reason");
    assert!(suspect(drop(150), now).await.unwrap());
    index.store.forget_drops(&run, root, kind).await.unwrap();
    index.next_run().await;
    let (run, now) = (index.run, index.run.key);
    assert!(index.store.suspect_drop(&run, &drop(201), now).await.unwrap(), "found by the last");
    index.store.forget_drops(&run, root, kind).await.unwrap();
    index.next_run().await;
    assert!(!index.store.suspect_drop(&index.run, &drop(1), index.run.key).await.unwrap());
}

#[tokio::test]
async fn a_pass_is_noted_unless_it_failed_and_only_items_make_answers_fresher() {
    let index = Index::new().await;
    let ended = |outcome, reads_items| Ended {
        outcome,
        problems: &[],
        passes: &["reconcile", "files"],
        reads_items,
        began_by_gitlab: index.run.started_at,
    };
    let failed = ended(Outcome::Failed, true);
    index.store.finish_pass(&index.run, &failed, at(9)).await.unwrap();
    assert!(index.store.list_passes("main").await.unwrap().is_empty());
    let files = ended(Outcome::Complete, false);
    index.store.finish_pass(&index.run, &files, at(9)).await.unwrap();
    let passes = index.store.list_passes("main").await.unwrap();
    assert_eq!(passes.keys().collect::<Vec<_>>(), ["files", "reconcile"]);
    assert_eq!(index.store.list_sources().await.unwrap()[0].synced_at, None);
    let items = ended(Outcome::Complete, true);
    index.store.finish_pass(&index.run, &items, at(9)).await.unwrap();
    let source = &index.store.list_sources().await.unwrap()[0];
    assert_eq!(source.synced_at, Some(index.run.started_at));
    assert_eq!(source.complete_at, source.synced_at);
    assert!(index.store.find_gone_item(1, ItemKind::Issue, 1).await.unwrap().is_none());
    assert!(index.store.count_items(index.run.source).await.unwrap().is_empty());
    assert!(index.store.list_held_by(&["main".to_owned()]).await.unwrap().is_empty());
    let none = [(ProjectId::new(1), "backend")];
    let stale = index.store.list_items_with_labels(index.run.source, &none).await.unwrap();
    assert!(stale.is_empty());
}
