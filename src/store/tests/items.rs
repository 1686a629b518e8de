//! Items: what a page changes, and what it leaves.

use super::build::{ALL, Index, PUBLIC, at, issue, merge_request, note, project};
use crate::model::{ItemKind, ItemState, ProjectId};
use crate::store::read::{Filter, Listing};
use crate::store::{Moves, NotesOfItem, text};

#[tokio::test]
async fn an_item_comes_back_as_it_was_stored() {
    let index = Index::new().await;
    let key = index.project(&project(9, "shop/webshop")).await;
    let mut builder = merge_request(42).titled("Fix \"it\"").merged(60).label("service", "webshop");
    builder.item.draft = true;
    builder.item.source_branch = "web-12-fix".to_owned();
    builder.item.closed_at = Some(at(59));
    index.items(key, &[builder.clone()]).await;
    let row =
        index.store.find_item(key.0, ItemKind::MergeRequest, 42, &PUBLIC).await.unwrap().unwrap();
    let item = &builder.item;
    assert_eq!((row.kind, row.id, row.iid), (ItemKind::MergeRequest, 42, 42));
    assert_eq!((row.project_id, row.project_path.as_str()), (9, "shop/webshop"));
    assert_eq!(row.project_url, "https://gitlab.example.com/shop/webshop");
    assert_eq!((&row.title, ItemState::new(row.state.clone())), (&item.title, item.state.clone()));
    assert_eq!((row.draft, row.confidential), (true, false));
    assert_eq!((&row.issue_type, &row.author), (&item.issue_type, &item.author));
    assert_eq!((&row.labels, &row.source_branch), (&item.labels, &item.source_branch));
    assert_eq!((&row.web_url, row.created_at), (&item.web_url, item.created_at));
    assert_eq!((row.updated_at, row.closed_at), (item.updated_at, item.closed_at));
    assert_eq!(row.merged_at, item.merged_at);
    let none = index.store.find_item(key.0, ItemKind::Issue, 42, &PUBLIC).await.unwrap();
    assert!(none.is_none(), "issues and merge requests count apart");
}

#[tokio::test]
async fn the_description_is_kept_compressed() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let description = "service: webshop\n".repeat(500);
    index.items(key, &[issue(1).described(&description), issue(2)]).await;
    let blobs: Vec<Vec<u8>> =
        sqlx::query_scalar("select description from item_text order by item_id")
            .fetch_all(&index.store.writer)
            .await
            .unwrap();
    assert!(blobs[0].len() < 500);
    assert_eq!(text::unpack(&blobs[0]).unwrap(), description);
    assert_eq!(text::unpack(&blobs[1]).unwrap(), "");
}

#[tokio::test]
async fn an_unchanged_item_is_only_marked_as_seen() {
    let mut index = Index::new().await;
    let builder = issue(1).label("service", "webshop").mentions("jira", "WEB-1").notes(1);
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, std::slice::from_ref(&builder)).await;
    index.notes(&builder, &[note(77, false, &["WEB-2"])], at(500)).await;
    index.next_run().await;
    index.project(&project(1, "shop/webshop")).await;
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
    assert_eq!(unseen.len(), 1);
    let before = index.generation().await;
    index.items(key, std::slice::from_ref(&builder)).await;
    assert_eq!(index.generation().await, before);
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
    assert!(unseen.is_empty());
    assert!(index.store.list_due_notes(&index.run, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_changed_item_has_only_the_evidence_of_what_it_says_now() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let before =
        issue(1).label("service", "webshop").label("team", "web").mentions("jira", "WEB-1");
    index.items(key, &[before, issue(2).mentions("jira", "WEB-1")]).await;
    let after = issue(1).label("service", "checkout").mentions("jira", "WEB-2").times(1, 90);
    let generation = index.generation().await;
    index.items(key, std::slice::from_ref(&after)).await;
    assert_eq!(index.generation().await, generation + 1);
    assert_eq!(index.tags_on(&after).await, ["service:checkout"]);
    assert_eq!(index.mentions_of(&after, &ALL).await, ["jira:WEB-2 in description"]);
    assert_eq!(index.mentioning("jira", "WEB-1", &ALL).await, [2]);
    assert_eq!(index.mentioning("jira", "WEB-2", &ALL).await, [1]);
    assert!(index.listed("webshop", ItemKind::Issue, &ALL).await.is_empty());
    assert_eq!(index.listed("checkout", ItemKind::Issue, &ALL).await, [1]);
    assert_eq!(index.number("select count(*) from item").await, 2);
}

#[tokio::test]
async fn a_changed_item_moves_to_its_place_in_every_list() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let page = [issue(1).mentions("jira", "WEB-1"), issue(2).mentions("jira", "WEB-1")];
    index.items(key, &page).await;
    assert_eq!(index.listed("webshop", ItemKind::Issue, &ALL).await, [2, 1]);
    index.items(key, &[issue(1).mentions("jira", "WEB-1").times(1, 90)]).await;
    assert_eq!(index.listed("webshop", ItemKind::Issue, &ALL).await, [1, 2]);
    assert_eq!(index.mentioning("jira", "WEB-1", &ALL).await, [1, 2]);
}

#[tokio::test]
async fn comments_keep_their_references_when_their_item_changes() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).mentions("jira", "WEB-1").notes(2);
    index.items(key, std::slice::from_ref(&builder)).await;
    let notes = [note(77, false, &["WEB-2"]), note(78, true, &["WEB-3"])];
    index.notes(&builder, &notes, at(500)).await;
    let all = ["jira:WEB-1 in description", "jira:WEB-2 in comment", "jira:WEB-3 in comment"];
    assert_eq!(index.mentions_of(&builder, &ALL).await, all);

    let changed = builder.titled("Another").times(1, 90);
    index.items(key, std::slice::from_ref(&changed)).await;
    assert_eq!(index.mentions_of(&changed, &ALL).await, all);
    assert_eq!(index.mentioning("jira", "WEB-2", &ALL).await, [1]);
    assert!(index.mentioning("jira", "WEB-3", &PUBLIC).await.is_empty());
}

#[tokio::test]
async fn an_item_without_comments_any_more_loses_those_that_were_stored() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).mentions("jira", "WEB-1").notes(1);
    index.items(key, std::slice::from_ref(&builder)).await;
    index.notes(&builder, &[note(77, false, &["WEB-2"])], at(500)).await;
    let other = issue(2).notes(1);
    index.items(key, std::slice::from_ref(&other)).await;
    index.notes(&other, &[note(79, false, &["WEB-2"])], at(500)).await;

    let changed = builder.notes(0).times(1, 90);
    index.items(key, std::slice::from_ref(&changed)).await;
    assert_eq!(index.mentions_of(&changed, &ALL).await, ["jira:WEB-1 in description"]);
    assert_eq!(index.texts("select cast(gitlab_id as text) from note").await, ["79"]);
    assert_eq!(index.mentioning("jira", "WEB-2", &ALL).await, [2]);
}

#[tokio::test]
async fn notes_that_are_not_counted_stay_when_their_item_changes() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1).notes(0);
    for changed in [builder.clone(), builder.titled("Another").times(1, 90)] {
        let mut write = changed.write(key);
        let notes = vec![note(77, false, &["WEB-2"])];
        write.notes = Some(NotesOfItem { notes, fingerprint: vec![1] });
        index.store.apply_items(&index.run, &[write], &Moves::Nothing).await.unwrap();
        assert_eq!(index.texts("select cast(gitlab_id as text) from note").await, ["77"]);
        assert_eq!(index.mentioning("jira", "WEB-2", &ALL).await, [1]);
    }
}

#[tokio::test]
async fn an_issue_and_a_merge_request_may_share_an_id() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    index.items(key, &[issue(5), merge_request(5)]).await;
    assert_eq!(index.number("select count(*) from item").await, 2);
    let counts = index.counts("service", "webshop", &ALL).await;
    assert_eq!((counts.issues, counts.merge_requests), (1, 1));
}

#[tokio::test]
async fn an_item_that_stands_twice_on_a_page_is_stored_as_it_was_last() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let first = issue(1).label("service", "webshop").mentions("jira", "WEB-1");
    let last = issue(1).label("service", "checkout").mentions("jira", "WEB-2").titled("Last");
    index.items(key, &[first, last.clone()]).await;
    assert_eq!(index.tags_on(&last).await, ["service:checkout"]);
    assert_eq!(index.mentions_of(&last, &ALL).await, ["jira:WEB-2 in description"]);
    assert_eq!(index.texts("select title from item").await, ["Last"]);
}

#[tokio::test]
async fn several_pieces_of_evidence_for_one_thing_are_all_kept() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let builder = issue(1)
        .label("service", "webshop")
        .label("service", "Web-Shop")
        .mentions("jira", "WEB-1")
        .mentions("jira", "WEB-1");
    index.items(key, std::slice::from_ref(&builder)).await;
    let keys = format!("[{}]", index.item_key(&builder).await.0);
    let why = index.store.list_tag_evidence(&keys).await.unwrap();
    let texts: Vec<&str> = why.iter().map(|row| row.text.as_str()).collect();
    assert_eq!(texts, ["service::webshop", "service::Web-Shop"]);
    assert_eq!(index.mentions_of(&builder, &ALL).await.len(), 2);
    assert_eq!(index.mentioning("jira", "WEB-1", &ALL).await, [1]);
    assert_eq!(index.counts("service", "webshop", &ALL).await.issues, 1);
}

#[tokio::test]
async fn filters_narrow_a_list() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let items = [
        merge_request(1).by("bob"),
        merge_request(2).merged(200).label("team", "web"),
        merge_request(3).merged(300).label("service", "webshop"),
        merge_request(4).state("closed").label("team", "web").label("severity", "1"),
    ];
    index.items(key, &items).await;
    let service = index.store.find_tag("service", "webshop").await.unwrap().unwrap();
    let team = index.store.find_tag("team", "web").await.unwrap().unwrap();
    let severity = index.store.find_tag("severity", "1").await.unwrap().unwrap();
    let none = Filter::default;
    let cases: Vec<(Filter, &[i64])> = vec![
        (none(), &[4, 3, 2, 1]),
        (Filter { state: Some("merged".to_owned()), ..none() }, &[3, 2]),
        (Filter { author: Some("bob".to_owned()), ..none() }, &[1]),
        (Filter { label: Some("team::web".to_owned()), ..none() }, &[4, 2]),
        (Filter { label: Some("team".to_owned()), ..none() }, &[]),
        (Filter { tags: vec![team.id], ..none() }, &[4, 2]),
        (Filter { tags: vec![team.id, severity.id], ..none() }, &[4]),
        (Filter { tags: vec![team.id, 0], ..none() }, &[]),
        (Filter { updated_after: Some(at(3)), ..none() }, &[4, 3]),
        (Filter { updated_before: Some(at(2)), ..none() }, &[2, 1]),
        (Filter { merged_after: Some(at(300)), ..none() }, &[3]),
        (Filter { merged_before: Some(at(299)), ..none() }, &[2]),
        (Filter { own_only: true, ..none() }, &[3]),
        (Filter { state: Some("merged".to_owned()), merged_after: Some(at(250)), ..none() }, &[3]),
    ];
    for (filter, expected) in cases {
        let listing = Listing::Tag(service.id, ItemKind::MergeRequest);
        let rows = index.list(listing, &filter, &ALL).await;
        let found: Vec<i64> = rows.iter().map(|row| row.iid).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn the_filters_hold_in_the_list_of_a_reference_too() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    let items = [
        issue(1).mentions("jira", "WEB-1").state("closed"),
        issue(2).mentions("jira", "WEB-1").label("team", "web"),
        merge_request(3).mentions("jira", "WEB-1").merged(300),
    ];
    index.items(key, &items).await;
    let reference = index.store.find_reference("jira", "WEB-1").await.unwrap().unwrap();
    let team = index.store.find_tag("team", "web").await.unwrap().unwrap();
    let (issues, requests) = (Some(ItemKind::Issue), Some(ItemKind::MergeRequest));
    let none = Filter::default;
    let cases: Vec<(Option<ItemKind>, Filter, &[i64])> = vec![
        (None, none(), &[3, 2, 1]),
        (issues, none(), &[2, 1]),
        (requests, none(), &[3]),
        (None, Filter { state: Some("closed".to_owned()), ..none() }, &[1]),
        (None, Filter { tags: vec![team.id], ..none() }, &[2]),
        (issues, Filter { updated_after: Some(at(2)), ..none() }, &[2]),
        // What a reference is listed for has no owner: nothing of it is inherited.
        (None, Filter { own_only: true, ..none() }, &[3, 2, 1]),
    ];
    for (kind, filter, expected) in cases {
        let rows = index.list(Listing::Reference(reference.key, kind), &filter, &ALL).await;
        let found: Vec<i64> = rows.iter().map(|row| row.iid).collect();
        assert_eq!(found, expected, "{kind:?} {filter:?}");
    }
}
