//! Removing what is gone.

use super::build::{ALL, Index, at, issue, merge_request, note, project};
use crate::model::{ItemKind, ProjectId};
use crate::store::{Gone, ItemKey};

#[tokio::test]
async fn unseen_items_are_those_of_one_kind_in_any_project() {
    let mut index = Index::new().await;
    let (here, gone) = (project(1, "shop/here"), project(2, "shop/gone"));
    index.projects(&[here.clone(), gone]).await;
    let (a, b) = (index.key_of(ProjectId::new(1)).await, index.key_of(ProjectId::new(2)).await);
    index.items(a, &[issue(1), issue(2), merge_request(3)]).await;
    index.items(b, &[issue(4)]).await;
    index.next_run().await;
    index.projects(&[here]).await;
    index.items(a, &[issue(2)]).await;

    let unseen = index
        .store
        .list_unseen_items(
            index.run.source,
            ItemKind::Issue,
            index.run.key,
            &[ProjectId::new(1), ProjectId::new(2)],
        )
        .await
        .unwrap();
    assert_eq!(unseen.len(), 2);
    assert_eq!((unseen[0].iid.get(), unseen[0].project), (1, ProjectId::new(1)));
    assert_eq!((unseen[1].iid.get(), unseen[1].path.as_str()), (4, "shop/gone"));
    assert_eq!(unseen[0].project_key, a);
    let unseen = index
        .store
        .list_unseen_items(
            index.run.source,
            ItemKind::MergeRequest,
            index.run.key,
            &[ProjectId::new(1), ProjectId::new(2)],
        )
        .await
        .unwrap();
    assert_eq!(unseen.iter().map(|item| item.iid.get()).collect::<Vec<_>>(), [3]);

    let one = [ProjectId::new(2)];
    let unseen = index
        .store
        .list_unseen_items(index.run.source, ItemKind::Issue, index.run.key, &one)
        .await
        .unwrap();
    let found: Vec<_> = unseen.iter().map(|item| (item.project.get(), item.iid.get())).collect();
    assert_eq!(found, [(2, 4)], "those of other projects are not read");

    let unseen = index.store.list_unseen_projects(&index.run).await.unwrap();
    assert_eq!(unseen.len(), 1);
    assert_eq!((unseen[0].key, unseen[0].id), (b, ProjectId::new(2)));
    assert_eq!(unseen[0].path, "shop/gone");
}

#[tokio::test]
async fn other_sources_are_never_among_the_unseen() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, &[issue(1)]).await;
    let other = index.store.begin_sync("other", "https://other.example.com", super::build::at(9));
    let other = other.await.unwrap();
    assert!(index.store.list_unseen_projects(&other).await.unwrap().is_empty());
    assert!(
        index
            .store
            .list_unseen_items(
                other.source,
                ItemKind::Issue,
                other.key,
                &[ProjectId::new(1), ProjectId::new(2)]
            )
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_kept_item_is_no_longer_unseen_and_changes_no_answer() {
    let mut index = Index::new().await;
    let builder = project(1, "shop/webshop");
    let key = index.project(&builder).await;
    index.items(key, &[issue(1), issue(2)]).await;
    index.next_run().await;
    index.project(&builder).await;
    let before = index.generation().await;
    let kept = index.item_key(&issue(1)).await;
    index.store.keep_items(&index.run, &[kept]).await.unwrap();
    let unseen = index
        .store
        .list_unseen_items(
            index.run.source,
            ItemKind::Issue,
            index.run.key,
            &[ProjectId::new(1), ProjectId::new(2)],
        )
        .await
        .unwrap();
    assert_eq!(unseen.iter().map(|item| item.iid.get()).collect::<Vec<_>>(), [2]);
    assert_eq!(index.generation().await, before);
}

#[tokio::test]
async fn a_removed_item_leaves_nothing_behind() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let (gone, stays) = (
        issue(1).label("team", "web").mentions("jira", "WEB-1").notes(1).described("text"),
        issue(2).mentions("jira", "WEB-1"),
    );
    index.items(key, &[gone.clone(), stays]).await;
    index.notes(&gone, &[note(77, false, &["WEB-2"])], super::build::at(500)).await;
    let before = index.generation().await;
    let removed = index.item_key(&gone).await;
    index.store.remove_items(&[removed], Gone::NotShown, at(9)).await.unwrap();
    assert_eq!(index.generation().await, before + 1);
    for table in [
        "item_text",
        "note",
        "item_tag_evidence",
        "item_tag",
        "reference_evidence",
        "item_reference",
    ] {
        let left = format!("select count(*) from {table} where item_id = {}", removed.0);
        assert_eq!(index.number(&left).await, 0, "{table}");
    }
    assert_eq!(index.listed("webshop", ItemKind::Issue, &ALL).await, [2]);
    assert_eq!(index.mentioning("jira", "WEB-1", &ALL).await, [2]);
    assert!(index.mentioning("jira", "WEB-2", &ALL).await.is_empty());

    let before = index.generation().await;
    index.store.remove_items(&[removed, ItemKey(999)], Gone::NotShown, at(9)).await.unwrap();
    assert_eq!(index.generation().await, before, "nothing was there to remove");
}

#[tokio::test]
async fn a_removed_project_goes_with_everything_of_its() {
    let index = Index::new().await;
    let renamed = project(1, "shop/new").topic("service", "webshop");
    index.project(&project(1, "shop/old")).await;
    let key = index.project(&renamed).await;
    index.items(key, &[issue(1).label("team", "web").mentions("jira", "WEB-1")]).await;
    let other = index.project(&project(2, "shop/other").topic("service", "webshop")).await;
    let before = index.generation().await;
    index.store.remove_project(key, Some(Gone::NotShown), at(9)).await.unwrap();
    assert_eq!(index.generation().await, before + 1);
    for table in ["item", "item_tag", "item_reference", "former_path"] {
        assert_eq!(index.number(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    assert_eq!(index.tags_of(other).await, ["service:webshop by topic"]);
    let at_old = index.store.list_projects_at("shop/old", &ALL).await.unwrap();
    assert!(at_old.is_empty());
    index.store.remove_project(key, Some(Gone::NotShown), at(9)).await.unwrap();
    assert_eq!(index.generation().await, before + 1, "nothing was there to remove");
}
