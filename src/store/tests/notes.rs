//! Comments: when they are due, and what is kept of them.

use super::build::{ALL, Index, at, issue, merge_request, note, project};
use crate::model::ProjectId;
use crate::store::ItemKey;

/// Lists the numbers of the items whose comments are due.
async fn due(index: &Index) -> Vec<i64> {
    let due = index.store.list_due_notes(&index.run, None, 100).await.unwrap();
    due.iter().map(|due| due.iid.get()).collect()
}

#[tokio::test]
async fn comments_of_new_and_changed_items_are_due_until_they_were_read() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let (one, two) = (issue(1).notes(1), merge_request(2).notes(3));
    index.items(key, &[one.clone(), two.clone(), issue(3)]).await;
    assert_eq!(due(&index).await, [1, 2, 3], "GitLab counts no system notes");
    index.notes(&one, &[note(77, false, &[])], at(500)).await;
    index.notes(&issue(3), &[], at(500)).await;
    assert_eq!(due(&index).await, [2]);
    index.notes(&two, &[], at(500)).await;
    assert!(due(&index).await.is_empty());
    index.items(key, &[one.times(1, 600).notes(2)]).await;
    assert_eq!(due(&index).await, [1]);
}

#[tokio::test]
async fn what_is_due_names_the_item_and_comes_in_pages() {
    let index = Index::new().await;
    let key = index.project(&project(71, "shop/webshop")).await;
    let items: Vec<_> = (1..=5).map(|id| issue(id).notes(1)).collect();
    index.items(key, &items).await;
    let mut after: Option<ItemKey> = None;
    let mut found = Vec::new();
    loop {
        let page = index.store.list_due_notes(&index.run, after, 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        assert!(page.iter().all(|due| due.project == ProjectId::new(71)));
        found.extend(page.iter().map(|due| due.iid.get()));
    }
    assert_eq!(found, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn comments_read_within_three_minutes_of_a_change_are_read_once_more() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    // Items 1 to 4 changed at second 1000; their comments were read so long after.
    let delays = [0, 179, 180, 4000];
    for (id, delay) in (1..).zip(delays) {
        let item = issue(id).notes(1).times(0, 1000);
        index.items(key, std::slice::from_ref(&item)).await;
        index.notes(&item, &[note(id, false, &[])], at(1000 + delay)).await;
    }
    assert!(due(&index).await.is_empty());
    let oldest = index.store.oldest_second_look(index.run.source, at(0)).await.unwrap();
    assert_eq!(oldest, Some(at(1000)));
    // What this run has read itself is for the next one.
    index.store.mark_notes_due(&index.run, at(1100), false).await.unwrap();
    assert_eq!(due(&index).await, [1]);
    index.store.mark_notes_due(&index.run, at(9000), false).await.unwrap();
    assert_eq!(due(&index).await, [1, 2]);
    // And all that were read before a given instant, whatever the item's last change.
    index.store.mark_notes_due(&index.run, at(1181), true).await.unwrap();
    assert_eq!(due(&index).await, [1, 2, 3]);
}

#[tokio::test]
async fn marking_comments_changes_no_answer_and_reading_them_does() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).notes(1);
    index.items(key, std::slice::from_ref(&builder)).await;
    let before = index.generation().await;
    index.store.mark_notes_due(&index.run, at(9999), true).await.unwrap();
    assert_eq!(index.generation().await, before);
    index.notes(&builder, &[note(77, false, &["WEB-1"])], at(500)).await;
    assert_eq!(index.generation().await, before + 1);
}

#[tokio::test]
async fn comments_that_were_read_replace_those_stored() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).notes(2).mentions("jira", "WEB-9");
    index.items(key, std::slice::from_ref(&builder)).await;
    let first = [note(77, false, &["WEB-1"]), note(78, false, &["WEB-2"])];
    index.notes(&builder, &first, at(500)).await;
    // 77 was deleted, 78 edited, 79 added.
    let second = [note(78, false, &["WEB-3"]), note(79, false, &["WEB-2"])];
    index.notes(&builder, &second, at(600)).await;
    assert_eq!(
        index.mentions_of(&builder, &ALL).await,
        ["jira:WEB-2 in comment", "jira:WEB-3 in comment", "jira:WEB-9 in description"]
    );
    assert!(index.mentioning("jira", "WEB-1", &ALL).await.is_empty());
    let ids = index.texts("select cast(gitlab_id as text) from note order by gitlab_id").await;
    assert_eq!(ids, ["78", "79"]);
    let rows = index.store.list_reference_evidence("[1]", &ALL).await.unwrap();
    let notes: Vec<(i64, &str)> = rows.iter().map(|row| (row.note, row.id.as_str())).collect();
    assert_eq!(notes, [(79, "WEB-2"), (78, "WEB-3"), (0, "WEB-9")]);
}

#[tokio::test]
async fn a_comment_that_is_listed_twice_is_stored_once() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).notes(2);
    index.items(key, std::slice::from_ref(&builder)).await;
    // Pages of comments shift while they are read.
    let twice = [note(77, false, &["WEB-1"]), note(77, false, &["WEB-1"])];
    index.notes(&builder, &twice, at(500)).await;
    assert_eq!(index.mentions_of(&builder, &ALL).await, ["jira:WEB-1 in comment"]);
}

#[tokio::test]
async fn a_reference_that_a_public_text_shares_with_an_internal_comment_is_public() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).notes(2);
    index.items(key, std::slice::from_ref(&builder)).await;
    let notes = [note(77, true, &["WEB-1", "WEB-2"]), note(78, false, &["WEB-1"])];
    index.notes(&builder, &notes, at(500)).await;
    assert_eq!(index.mentioning("jira", "WEB-1", &super::build::PUBLIC).await, [1]);
    assert!(index.mentioning("jira", "WEB-2", &super::build::PUBLIC).await.is_empty());
    assert_eq!(index.mentions_of(&builder, &super::build::PUBLIC).await, ["jira:WEB-1 in comment"]);
    assert_eq!(index.mentioning("jira", "WEB-2", &ALL).await, [1]);
}
