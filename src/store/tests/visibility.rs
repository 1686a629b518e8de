//! What an asker may not see is neither shown nor counted.

use super::build::{ALL, Index, PUBLIC, at, issue, merge_request, note, project};
use crate::model::ItemKind;
use crate::store::read::{TagCounts, Visibility};

async fn limited(index: &Index, confidential: bool, groups: &[&str]) -> Visibility {
    let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
    index.store.visibility(confidential, Some(&groups)).await.unwrap()
}

async fn names(index: &Index, key: &str, visibility: &Visibility) -> Vec<String> {
    let rows = index.store.list_tags(key, "", 100, visibility).await.unwrap();
    rows.into_iter().map(|row| row.value).collect()
}

async fn mention_counts(index: &Index, id: &str, visibility: &Visibility) -> (i64, i64) {
    let row = index.store.find_reference("jira", id).await.unwrap().unwrap();
    index.store.count_reference(row.key, visibility).await.unwrap()
}

/// Lists what the items of a service mention, with counts.
async fn mentioned(index: &Index, name: &str, visibility: &Visibility) -> Vec<(String, i64, i64)> {
    let tag = index.store.find_tag("service", name).await.unwrap().unwrap();
    let rows = index.store.list_references_of_tag(tag.id, None, 100, visibility).await.unwrap();
    rows.into_iter().map(|(row, _)| (row.id, row.issues, row.merge_requests)).collect()
}

#[tokio::test]
async fn confidential_issues_are_hidden_in_every_list_and_count() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let items = [
        issue(1).mentions("jira", "WEB-1"),
        issue(2).mentions("jira", "WEB-1").mentions("jira", "WEB-2").confidential(),
        issue(3).label("service", "secret").confidential(),
        merge_request(4).mentions("jira", "WEB-1"),
    ];
    index.items(key, &items).await;

    assert_eq!(index.listed("webshop", ItemKind::Issue, &ALL).await, [3, 2, 1]);
    assert_eq!(index.listed("webshop", ItemKind::Issue, &PUBLIC).await, [1]);
    let counts = |issues| TagCounts {
        projects: 1,
        issues,
        open_issues: issues,
        merge_requests: 1,
        open_merge_requests: 1,
    };
    assert_eq!(index.counts("service", "webshop", &ALL).await, counts(3));
    assert_eq!(index.counts("service", "webshop", &PUBLIC).await, counts(1));

    assert_eq!(names(&index, "service", &ALL).await, ["secret", "webshop"]);
    assert_eq!(names(&index, "service", &PUBLIC).await, ["webshop"]);
    assert_eq!(index.counts("service", "secret", &PUBLIC).await, TagCounts::default());

    assert_eq!(index.mentioning("jira", "WEB-1", &PUBLIC).await, [4, 1]);
    assert_eq!(mention_counts(&index, "WEB-1", &ALL).await, (2, 1));
    assert_eq!(mention_counts(&index, "WEB-1", &PUBLIC).await, (1, 1));
    assert_eq!(mention_counts(&index, "WEB-2", &PUBLIC).await, (0, 0));
    assert_eq!(mentioned(&index, "webshop", &PUBLIC).await, [("WEB-1".to_owned(), 1, 1)]);
    assert_eq!(mentioned(&index, "webshop", &ALL).await.len(), 2);

    let find = async |visibility| {
        index.store.find_item(key.0, ItemKind::Issue, 2, visibility).await.unwrap()
    };
    assert!(find(&ALL).await.is_some());
    assert!(find(&PUBLIC).await.is_none());
}

#[tokio::test]
async fn what_only_internal_comments_mention_is_hidden() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    let builder = issue(1).notes(1);
    index.items(key, std::slice::from_ref(&builder)).await;
    index.notes(&builder, &[note(77, true, &["WEB-1"])], at(500)).await;
    assert_eq!(index.mentioning("jira", "WEB-1", &ALL).await, [1]);
    assert!(index.mentioning("jira", "WEB-1", &PUBLIC).await.is_empty());
    assert_eq!(mention_counts(&index, "WEB-1", &ALL).await, (1, 0));
    assert_eq!(mention_counts(&index, "WEB-1", &PUBLIC).await, (0, 0));
    assert!(mentioned(&index, "webshop", &PUBLIC).await.is_empty());
    assert!(index.mentions_of(&builder, &PUBLIC).await.is_empty());
    assert_eq!(index.listed("webshop", ItemKind::Issue, &PUBLIC).await, [1], "the issue is not");
}

/// An index with the same service in three groups.
async fn three_groups() -> Index {
    let index = Index::new().await;
    for (id, path) in [(1, "shop/webshop"), (2, "Shop/sub/api"), (3, "shop-old/webshop")] {
        let builder = project(id, path).topic("service", "webshop").topic("team", path);
        let key = index.project(&builder).await;
        index.items(key, &[issue(id).mentions("jira", "WEB-1")]).await;
    }
    index
}

#[tokio::test]
async fn a_limit_to_groups_admits_them_with_subgroups_in_any_case_and_no_namesakes() {
    let index = three_groups().await;
    let cases: [(&[&str], &[i64]); 8] = [
        (&["shop"], &[2, 1]),
        (&["SHOP"], &[2, 1]),
        (&["shop/sub"], &[2]),
        (&["shop/webshop"], &[1]),
        (&["shop-old", "shop/sub"], &[3, 2]),
        (&["shop", "shop/sub"], &[2, 1]),
        (&["sho", "webshop", "sub", "%", ""], &[]),
        (&[], &[]),
    ];
    for (groups, expected) in cases {
        let visibility = limited(&index, true, groups).await;
        assert_eq!(
            index.listed("webshop", ItemKind::Issue, &visibility).await,
            expected,
            "{groups:?}"
        );
        assert_eq!(index.mentioning("jira", "WEB-1", &visibility).await, expected, "{groups:?}");
        let number = i64::try_from(expected.len()).unwrap();
        let counts = index.counts("service", "webshop", &visibility).await;
        assert_eq!((counts.projects, counts.issues), (number, number), "{groups:?}");
        assert_eq!(mention_counts(&index, "WEB-1", &visibility).await, (number, 0), "{groups:?}");
        let teams = names(&index, "team", &visibility).await;
        assert_eq!(teams.len(), expected.len(), "{groups:?} {teams:?}");
    }
}

#[tokio::test]
async fn projects_of_other_groups_cannot_be_looked_up() {
    let index = three_groups().await;
    let visibility = limited(&index, true, &["shop"]).await;
    let store = &index.store;
    for (path, found) in [("shop/webshop", 1), ("SHOP/webshop", 1), ("shop-old/webshop", 0)] {
        let rows = store.list_projects_at(path, &visibility).await.unwrap();
        assert_eq!(rows.len(), found, "{path}");
    }
    assert_eq!(store.list_projects_with_id(1, &visibility).await.unwrap().len(), 1);
    assert_eq!(store.list_projects_with_id(3, &visibility).await.unwrap().len(), 0);
    let tag = store.find_tag("service", "webshop").await.unwrap().unwrap();
    let rows = store.list_projects_of_tag(tag.id, None, 10, &visibility).await.unwrap();
    let paths: Vec<&str> = rows.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(paths, ["Shop/sub/api", "shop/webshop"]);
    let key = index.key_of(crate::model::ProjectId::new(3)).await;
    let item = store.find_item(key.0, ItemKind::Issue, 3, &visibility).await.unwrap();
    assert!(item.is_none());
}

#[tokio::test]
async fn a_project_that_left_a_limited_group_is_hidden_at_its_old_path_too() {
    let index = Index::new().await;
    index.project(&project(1, "shop/webshop")).await;
    index.project(&project(1, "private/webshop")).await;
    let visibility = limited(&index, true, &["shop"]).await;
    let rows = index.store.list_projects_at("shop/webshop", &visibility).await.unwrap();
    assert!(rows.is_empty());
    assert_eq!(index.store.list_projects_at("shop/webshop", &PUBLIC).await.unwrap().len(), 1);
}

#[tokio::test]
async fn both_limits_hold_at_once() {
    let index = Index::new().await;
    let key = index.project(&project(1, "shop/webshop").topic("service", "webshop")).await;
    index.items(key, &[issue(1), issue(2).confidential()]).await;
    let other = index.project(&project(2, "ops/infra").topic("service", "webshop")).await;
    index.items(other, &[issue(3)]).await;
    let shop = limited(&index, false, &["shop"]).await;
    assert_eq!(index.listed("webshop", ItemKind::Issue, &shop).await, [1]);
    let shop = limited(&index, true, &["shop"]).await;
    assert_eq!(index.listed("webshop", ItemKind::Issue, &shop).await, [2, 1]);
}
