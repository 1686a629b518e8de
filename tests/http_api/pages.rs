//! Pages, orders, filters, and answers that did not change.

use std::collections::BTreeSet;

use axum::http::{Request, StatusCode};
use serde_json::Value;

use crate::support::shop::{BULK, Shop};
use crate::support::{Api, MEMBER, READER};

const ISSUES: &str = "/v1/services/bulk/issues";
const MERGE_REQUESTS: &str = "/v1/services/bulk/merge_requests";

fn references(items: &[Value]) -> BTreeSet<String> {
    items.iter().map(|item| text(item, "reference").to_owned()).collect()
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name].as_str().unwrap_or_default()
}

#[tokio::test]
async fn pages_of_any_size_and_order_show_each_item_once() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    for (base, total) in [(ISSUES, BULK), (MERGE_REQUESTS, BULK)] {
        for sort in ["updated_desc", "updated_asc", "created_desc", "merged_desc"] {
            let merged = base == MERGE_REQUESTS && sort == "merged_desc";
            let mut wanted = total;
            if sort == "merged_desc" {
                wanted = if merged { BULK * 2 / 3 } else { 0 };
            }
            let whole = api.list(&format!("{base}?sort={sort}&limit=200")).await;
            assert_eq!(whole.len() as u64, wanted, "{base} {sort}");
            check_order(sort, &whole);
            for limit in [1, 7, 32, 33, 34] {
                let paged = api.list(&format!("{base}?sort={sort}&limit={limit}")).await;
                assert_eq!(paged, whole, "{base} {sort} in pages of {limit}");
            }
            assert_eq!(references(&whole).len() as u64, wanted, "{base} {sort}");
        }
    }
}

fn check_order(sort: &str, items: &[Value]) {
    let at = |item: &Value| match sort {
        "created_desc" => text(item, "created_at").to_owned(),
        "merged_desc" => text(item, "merged_at").to_owned(),
        _ => text(item, "updated_at").to_owned(),
    };
    let ordered = items.windows(2).all(|pair| {
        let (first, second) = (at(&pair[0]), at(&pair[1]));
        if sort == "updated_asc" { first <= second } else { first >= second }
    });
    assert!(ordered, "{sort}: {:?}", items.iter().map(at).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_list_turns_its_pages() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(MEMBER));
    for base in [
        "/v1/services",
        "/v1/teams",
        "/v1/services/webshop/references",
        "/v1/services/webshop/owners",
        "/v1/references/pagerduty_incident/Q285NZXJG65XDH",
    ] {
        let whole = api.list(base).await;
        assert!(whole.len() > 1, "{base} has {} rows", whole.len());
        assert_eq!(api.list(&format!("{base}?limit=1")).await, whole, "{base}");
    }
}

#[tokio::test]
async fn fifty_rows_come_unless_asked_otherwise_and_two_hundred_at_most() {
    let shop = Shop::open().await;
    {
        let mut world = shop.gitlab.world();
        for number in 0..180 {
            let title = format!("More {number}");
            world.add_issue(shop.projects.bulk, gitlab_sim::world::NewIssue::new(&title));
        }
    }
    shop.index.sync().await;
    let api = shop.index.api(Some(READER));
    for (address, rows) in [(ISSUES.to_owned(), 50), (format!("{ISSUES}?limit=200"), 200)] {
        let answer = api.get(&address).await;
        assert_eq!(answer.data().len(), rows, "{address}");
        assert!(answer.body["next_cursor"].is_string(), "{address}");
    }
}

#[tokio::test]
async fn a_cursor_works_for_its_own_question_only() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let first = api.get(&format!("{ISSUES}?limit=3&state=opened")).await;
    let cursor = first.body["next_cursor"].as_str().expect("there is more").to_owned();
    let same = api.get(&format!("{ISSUES}?state=opened&limit=9&cursor={cursor}")).await;
    assert_eq!(same.status, StatusCode::OK, "another limit asks the same question");
    for other in [
        format!("{ISSUES}?cursor={cursor}"),
        format!("{ISSUES}?state=opened&sort=created_desc&cursor={cursor}"),
        format!("{MERGE_REQUESTS}?state=opened&cursor={cursor}"),
        format!("/v1/services?cursor={cursor}"),
    ] {
        assert_eq!(api.get(&other).await.status, StatusCode::BAD_REQUEST, "{other}");
    }
}

#[tokio::test]
async fn a_filter_lists_those_and_only_those_that_it_admits() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let moment = "2026-11-04T00:00:00Z";
    let own = |item: &Value| {
        let pieces = item["evidence"].as_array().expect("a list");
        pieces.iter().any(|piece| piece["for"] == "service:bulk" && piece["inherited"] == false)
    };
    let labelled = |item: &Value| {
        let labels = item["labels"].as_array().expect("a list");
        labels.iter().any(|label| label == "component::belt")
    };
    check(&api, ISSUES, "state=opened", |item| text(item, "state") == "opened").await;
    check(&api, ISSUES, "state=closed", |item| text(item, "state") == "closed").await;
    check(&api, ISSUES, "author=ann", |item| text(item, "author") == "ann").await;
    check(&api, ISSUES, "label=component::belt", labelled).await;
    check(&api, ISSUES, "tag=component:Belt", labelled).await;
    check(&api, ISSUES, "inherited=false", own).await;
    check(&api, MERGE_REQUESTS, "state=merged", |item| item["merged_at"].is_string()).await;
    for base in [ISSUES, MERGE_REQUESTS] {
        let after = format!("updated_after={moment}");
        check(&api, base, &after, |item| text(item, "updated_at") >= moment).await;
        let before = "updated_before=2026-11-03T00:00:00Z";
        check(&api, base, before, |item| text(item, "updated_at") <= "2026-11-03T00:00:00Z").await;
    }
    let moment = "2026-11-01T00:00:00%2B00:00";
    let merged = |item: &Value| text(item, "merged_at").to_owned();
    check(&api, MERGE_REQUESTS, &format!("merged_after={moment}"), |item| {
        merged(item).as_str() >= "2026-11-01T00:00:00Z"
    })
    .await;
    check(&api, MERGE_REQUESTS, &format!("merged_before={moment}"), |item| {
        let at = merged(item);
        !at.is_empty() && at.as_str() <= "2026-11-01T00:00:00Z"
    })
    .await;
    check(&api, ISSUES, "author=ann&state=opened&tag=component:belt&tag=service:bulk", |item| {
        text(item, "author") == "ann" && text(item, "state") == "opened" && labelled(item)
    })
    .await;
    for nothing in ["label=none", "author=nobody", "tag=component:none", "tag=team:storefront"] {
        assert_eq!(api.list(&format!("{ISSUES}?{nothing}")).await.len(), 0, "{nothing}");
    }
}

/// Requires that a filter gives what the whole list holds of it, and that it holds some.
async fn check(api: &Api, base: &str, filter: &str, admits: impl Fn(&Value) -> bool) {
    let whole = api.list(&format!("{base}?limit=200")).await;
    let wanted: Vec<Value> = whole.iter().filter(|item| admits(item)).cloned().collect();
    assert!(!wanted.is_empty() && wanted.len() < whole.len(), "{filter} tells items apart");
    assert_eq!(api.list(&format!("{base}?{filter}&limit=4")).await, wanted, "{base}?{filter}");
}

#[tokio::test]
async fn mentions_are_filtered_by_the_kind_of_item() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let base = "/v1/references/pagerduty_incident/q285nzxjg65xdh";
    for (kind, wanted) in [("issue", "acme/pay/ledger#1"), ("merge_request", "acme/shop/webshop!1")]
    {
        let items = api.list(&format!("{base}?item_kind={kind}")).await;
        assert_eq!(references(&items), BTreeSet::from([wanted.to_owned()]));
    }
    let merged = api.list(&format!("{base}?state=merged")).await;
    assert_eq!(references(&merged), BTreeSet::from(["acme/shop/webshop!1".to_owned()]));
}

#[tokio::test]
async fn an_answer_that_did_not_change_is_not_sent_again() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let first = api.get("/v1/services/webshop").await;
    let tag = first.header("etag").to_owned();
    assert!(!tag.is_empty());
    let ask = async |api: &Api, address: &str, tag: &str| {
        api.send(Request::get(address).header("if-none-match", tag)).await
    };
    let again = ask(&api, "/v1/services/webshop", &tag).await;
    assert_eq!((again.status, again.bytes.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header("etag"), tag);
    let listed = format!("\"other\", {tag}");
    let again = ask(&api, "/v1/services/webshop", &listed).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);

    let elsewhere = ask(&api, "/v1/services/bulk", &tag).await;
    assert_eq!(elsewhere.status, StatusCode::OK, "a tag belongs to its question");
    let member = ask(&shop.index.api(Some(MEMBER)), "/v1/services/webshop", &tag).await;
    assert_eq!(member.status, StatusCode::OK, "a tag belongs to its caller");

    let item = gitlab_sim::world::ItemRef::issue(shop.projects.webshop, 1);
    shop.gitlab.world().edit(item, |row| "Checkout is up".clone_into(&mut row.title));
    shop.index.sync().await;
    let changed = ask(&api, "/v1/services/webshop", &tag).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.header("etag"), tag);
}
