//! Pages: together they give each row exactly once, in order, whatever the times.

use super::build::{ALL, Index, ItemBuilder, ProjectBuilder, at, issue, merge_request, project};
use crate::model::ItemKind;
use crate::store::read::{Filter, ItemRow, Listing, Sort};

const SORTS: [Sort; 4] = [Sort::UpdatedDesc, Sort::UpdatedAsc, Sort::CreatedDesc, Sort::MergedDesc];

/// Makes merge requests whose times are equal in threes, in orders that differ by kind of time.
/// Every fourth is not merged.
fn requests() -> Vec<ItemBuilder> {
    (0..23)
        .map(|n| {
            let builder = merge_request(n + 1).times((n * 7 % 23) / 3, 100 + (n * 5 % 23) / 3);
            let builder = builder.label("service", "webshop").mentions("jira", "WEB-1");
            if n % 4 == 3 { builder } else { builder.merged(200 + (n * 11 % 23) / 3) }
        })
        .collect()
}

/// Turns all pages of a list.
async fn pages(index: &Index, listing: Listing, sort: Sort, limit: i64) -> Vec<ItemRow> {
    let mut cursor = None;
    let mut rows = Vec::new();
    loop {
        let filter = Filter::default();
        let page =
            index.store.list_items(listing, &filter, sort, cursor, limit, &ALL).await.unwrap();
        assert!(i64::try_from(page.len()).unwrap() <= limit);
        let Some(last) = page.last() else { return rows };
        cursor = Some(last.cursor(sort));
        rows.extend(page);
        assert!(rows.len() < 100, "the pages do not end");
    }
}

#[tokio::test]
async fn pages_of_every_size_give_each_item_once_and_in_order() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop")).await;
    index.items(key, &requests()).await;
    let tag = index.store.find_tag("service", "webshop").await.unwrap().unwrap();
    let reference = index.store.find_reference("jira", "WEB-1").await.unwrap().unwrap();
    let listings = [
        Listing::Tag(tag.id, ItemKind::MergeRequest),
        Listing::Reference(reference.key, None),
        Listing::Reference(reference.key, Some(ItemKind::MergeRequest)),
    ];
    for listing in listings {
        for sort in SORTS {
            for limit in [1, 2, 3, 7, 23, 200] {
                let rows = pages(&index, listing, sort, limit).await;
                let case = format!("{listing:?} {sort:?} by {limit}");
                let mut ids: Vec<i64> = rows.iter().map(|row| row.iid).collect();
                let times: Vec<i64> = rows.iter().map(|row| row.cursor(sort).at).collect();
                match sort {
                    Sort::UpdatedAsc => assert!(times.is_sorted(), "{case}"),
                    Sort::UpdatedDesc | Sort::CreatedDesc | Sort::MergedDesc => {
                        assert!(times.is_sorted_by(|a, b| a >= b), "{case}");
                    }
                }
                ids.sort_unstable();
                let expected: Vec<i64> =
                    (1..=23).filter(|id| sort != Sort::MergedDesc || (id - 1) % 4 != 3).collect();
                assert_eq!(ids, expected, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_goes_on_where_it_was_when_rows_came_or_went_meanwhile() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let items: Vec<_> = (1..=6).map(|id| issue(id).times(0, 10)).collect();
    index.items(key, &items).await;
    let tag = index.store.find_tag("service", "webshop").await.unwrap().unwrap();
    let listing = Listing::Tag(tag.id, ItemKind::Issue);
    let page = async |cursor| {
        let (filter, sort) = (Filter::default(), Sort::UpdatedDesc);
        index.store.list_items(listing, &filter, sort, cursor, 2, &ALL).await.unwrap()
    };
    let ids = |rows: &[ItemRow]| rows.iter().map(|row| row.iid).collect::<Vec<_>>();
    let first = page(None).await;
    assert_eq!(ids(&first), [6, 5]);
    // The last one seen is removed, and another becomes the newest.
    let seen = index.item_key(&issue(5)).await;
    index
        .store
        .remove_items(&[seen], crate::store::Gone::NotShown, super::build::at(9))
        .await
        .unwrap();
    index.items(key, &[issue(7).times(0, 99)]).await;
    let second = page(first.last().map(|row| row.cursor(Sort::UpdatedDesc))).await;
    assert_eq!(ids(&second), [4, 3]);
}

#[tokio::test]
async fn pages_of_references_give_each_once() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let items: Vec<_> = (0..12)
        .map(|n| {
            let item = issue(n + 1).times(0, 10 + n / 4);
            item.mentions("jira", &format!("WEB-{n}")).mentions("jira", "WEB-99")
        })
        .collect();
    index.items(key, &items).await;
    let tag = index.store.find_tag("service", "webshop").await.unwrap().unwrap();
    for limit in [1, 3, 5, 13, 50] {
        let mut cursor = None;
        let mut found = Vec::new();
        loop {
            let page =
                index.store.list_references_of_tag(tag.id, cursor, limit, &ALL).await.unwrap();
            let Some((_, last)) = page.last() else { break };
            cursor = Some(*last);
            found.extend(page.into_iter().map(|(row, _)| (row.updated_at, row.id, row.issues)));
            assert!(found.len() < 100, "the pages do not end");
        }
        assert!(found.is_sorted_by(|a, b| a.0 >= b.0), "by {limit}");
        assert_eq!(found.len(), 13, "by {limit}");
        let most = found.iter().find(|(_, id, _)| id == "WEB-99").unwrap();
        assert_eq!((most.2, most.0), (12, at(12)));
        found.sort_by(|a, b| a.1.cmp(&b.1));
        found.dedup_by(|a, b| a.1 == b.1);
        assert_eq!(found.len(), 13, "by {limit}");
    }
}

#[tokio::test]
async fn pages_of_projects_give_each_once() {
    let index = Index::new().await;
    let builders: Vec<_> = (1..=9)
        .map(|id| project(id, &format!("shop/p{}", id * 7 % 9)).topic("service", "webshop"))
        .collect();
    index.projects(&builders).await;
    // Another source has projects at the same paths.
    let other = index.store.begin_sync("other", "https://other.example.com", at(9)).await.unwrap();
    let page: Vec<_> = builders.iter().map(ProjectBuilder::write).collect();
    index.store.apply_projects(&other, &page).await.unwrap();
    let tag = index.store.find_tag("service", "webshop").await.unwrap().unwrap();
    let expected: Vec<String> = (0..18).map(|n| format!("shop/p{}", n / 2)).collect();
    for limit in [1, 2, 3, 50] {
        let mut after: Option<(String, i64)> = None;
        let mut found = Vec::new();
        loop {
            let from = after.as_ref().map(|(path, key)| (path.as_str(), *key));
            let page = index.store.list_projects_of_tag(tag.id, from, limit, &ALL).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some((last.path.clone(), last.key));
            found.extend(page.into_iter().map(|row| row.path));
            assert!(found.len() < 100, "the pages do not end");
        }
        assert_eq!(found, expected, "by {limit}");
    }
}
