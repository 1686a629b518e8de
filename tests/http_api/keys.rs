//! Who may ask, and what is kept from whom.

use axum::http::{Request, StatusCode};
use gitlab_sim::{GitLab, Options};
use serde_json::{Value, json};

use crate::support::shop::{
    CONFIDENTIAL, FOREIGN, INTERNAL, SHARED, SHOP_ONLY, SYNC_ONLY, Shop, world,
};
use crate::support::{Api, Bench, MEMBER, READER};

fn names(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["name"].as_str()).collect()
}

fn references(rows: &[Value]) -> Vec<&str> {
    rows.iter().filter_map(|row| row["reference"].as_str()).collect()
}

async fn counts(api: &Api, service: &str) -> Value {
    let rows = api.list("/v1/services").await;
    let row = rows.into_iter().find(|row| row["name"] == service);
    row.unwrap_or_else(|| panic!("{service} is listed"))["counts"].take()
}

#[tokio::test]
async fn without_a_key_that_is_known_nothing_is_told() {
    let shop = Shop::open().await;
    for key in [None, Some("xrefd_wrong"), Some("")] {
        for address in ["/v1/services", "/v1/services/webshop", "/v1/crawls", "/v1/resolve?text=a"]
        {
            let answer = shop.index.api(key).get(address).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{key:?} {address}");
            assert_eq!(answer.body["type"], "urn:xrefd:problem:unauthorized");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.header("etag"), "");
        }
    }
    let basic = Request::get("/v1/services").header("authorization", format!("Basic {READER}"));
    assert_eq!(shop.index.api(None).send(basic).await.status, StatusCode::UNAUTHORIZED);
    let lower = Request::get("/v1/services").header("authorization", format!("bearer {READER}"));
    assert_eq!(shop.index.api(None).send(lower).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_key_without_the_scope_is_forbidden() {
    let shop = Shop::open().await;
    let answer = shop.index.api(Some(SYNC_ONLY)).get("/v1/services").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_eq!(answer.body["type"], "urn:xrefd:problem:forbidden");
    assert!(answer.body["detail"].as_str().is_some_and(|text| text.contains("`read`")));
}

#[tokio::test]
async fn health_and_contract_need_no_key() {
    let shop = Shop::open().await;
    for address in ["/healthz", "/readyz", "/openapi.json", "/"] {
        assert_eq!(shop.index.api(None).get(address).await.status, StatusCode::OK, "{address}");
    }
}

#[tokio::test]
async fn while_no_key_is_configured_everyone_reads_and_nobody_sees_what_is_confidential() {
    let (world, _) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", "");
    let index = bench.open().await;
    index.sync().await;
    let api = index.api(None);
    assert_eq!(names(&api.list("/v1/services").await), ["bulk", "ledger", "webshop"]);
    assert_eq!(api.list(&format!("/v1/references/pagerduty_incident/{INTERNAL}")).await.len(), 0);
}

#[tokio::test]
async fn what_is_confidential_is_neither_shown_nor_counted_without_the_scope() {
    let shop = Shop::open().await;
    let (member, reader) = (shop.index.api(Some(MEMBER)), shop.index.api(Some(READER)));
    assert_eq!(names(&member.list("/v1/services").await), ["bulk", "ledger", "shadow", "webshop"]);
    assert_eq!(names(&reader.list("/v1/services").await), ["bulk", "ledger", "webshop"]);
    assert_eq!(reader.get("/v1/services/shadow").await.status, StatusCode::NOT_FOUND);
    assert_eq!(member.get("/v1/services/shadow").await.status, StatusCode::OK);

    let issues = "/v1/services/webshop/issues?sort=created_desc";
    let all = ["acme/shop/webshop#3", "acme/shop/webshop#2", "acme/shop/webshop#1"];
    assert_eq!(references(&member.list(issues).await)[..3], all);
    assert_eq!(references(&reader.list(issues).await)[..2], [all[0], all[2]]);
    assert_eq!(counts(&member, "webshop").await["issues"], 4);
    assert_eq!(counts(&reader, "webshop").await["issues"], 3);

    for hidden in [CONFIDENTIAL, INTERNAL] {
        let (base, q) = (
            format!("/v1/references/pagerduty_incident/{hidden}"),
            format!("/v1/references?q=https://acme.pagerduty.com/incidents/{hidden}"),
        );
        assert_eq!(member.list(&base).await.len(), 1, "{hidden}");
        assert_eq!(reader.list(&base).await.len(), 0, "{hidden}");
        let read = reader.list(&q).await;
        let told = (&read[0]["known"], &read[0]["issues"]);
        assert_eq!(told, (&json!(false), &json!(0)), "{hidden}");
        assert_eq!(member.list(&q).await[0]["known"], true, "{hidden}");
        let alone = format!("/v1/references?q={}", hidden.to_lowercase());
        assert_eq!(reader.list(&alone).await.len(), 0, "a guess tells that {hidden} is there");
        let found = reader.single(&format!("/v1/resolve?text={hidden}")).await;
        assert_eq!(found["items"], json!([]), "{hidden}");
        let told = reader.list("/v1/services/webshop/references").await;
        assert!(told.iter().all(|row| row["id"] != hidden), "{hidden}");
    }
    let found = reader.single("/v1/resolve?text=acme/shop/webshop%232").await;
    assert_eq!(found["items"], json!([]));
    let found = member.single("/v1/resolve?text=acme/shop/webshop%232").await;
    assert_eq!(found["items"][0]["confidential"], true);

    let slow = format!("{issues}&state=closed");
    let shown = reader.list(&slow).await;
    assert!(!shown[0].to_string().contains(INTERNAL), "{}", shown[0]);
    assert!(member.list(&slow).await[0].to_string().contains(INTERNAL));
}

#[tokio::test]
async fn a_key_limited_to_groups_sees_nothing_of_other_groups() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(SHOP_ONLY));
    assert_eq!(names(&api.list("/v1/services").await), ["bulk", "shadow", "webshop"]);
    assert_eq!(names(&api.list("/v1/teams").await), ["storefront"]);
    let issues = api.list("/v1/services/webshop/issues?limit=200").await;
    assert_eq!(issues.len(), 3);
    assert!(references(&issues).iter().all(|item| item.starts_with("acme/shop/")), "{issues:?}");
    assert_eq!(counts(&api, "webshop").await["issues"], 3);
    assert_eq!(counts(&shop.index.api(Some(MEMBER)), "webshop").await["issues"], 4);

    let ledger = shop.projects.ledger;
    for address in [
        "/v1/services/ledger".to_owned(),
        "/v1/services/ledger/issues".to_owned(),
        "/v1/teams/money".to_owned(),
        "/v1/projects/acme%2Fpay%2Fledger".to_owned(),
        format!("/v1/projects/{ledger}"),
        format!("/v1/projects/{ledger}/owners"),
    ] {
        assert_eq!(api.get(&address).await.status, StatusCode::NOT_FOUND, "{address}");
    }
    let shared = api.list(&format!("/v1/references/pagerduty_incident/{SHARED}")).await;
    assert_eq!(references(&shared), ["acme/shop/webshop!1"]);
    let read = api.list(&format!("/v1/references?q={SHARED}")).await;
    assert_eq!((&read[0]["issues"], &read[0]["merge_requests"]), (&json!(0), &json!(1)));
    assert_eq!(api.list(&format!("/v1/references/pagerduty_incident/{FOREIGN}")).await.len(), 0);
    assert_eq!(api.list(&format!("/v1/references?q={FOREIGN}")).await.len(), 0);
    for text in ["acme/pay/ledger", "ledger", "acme/pay/ledger%231", FOREIGN] {
        let found = api.single(&format!("/v1/resolve?text={text}")).await;
        assert_eq!(found["services"], json!([]), "{text}");
        assert_eq!((&found["projects"], &found["items"]), (&json!([]), &json!([])), "{text}");
    }
    let whole = api.single("/v1/services/webshop").await.to_string();
    for foreign in ["acme/pay", "ledger", "money", FOREIGN] {
        assert!(!whole.contains(foreign), "{foreign} in {whole}");
    }
}

#[tokio::test]
async fn a_group_does_not_open_another_whose_name_begins_alike() {
    let (mut world, _) = world();
    let other = gitlab_sim::world::NewProject::at("acme/shopfront/window");
    world.add_project(other.topics(["service-window"]));
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &crate::support::shop::sections());
    let index = bench.open().await;
    index.sync().await;
    let answer = index.api(Some(SHOP_ONLY)).get("/v1/services/window").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_eq!(index.api(Some(READER)).get("/v1/services/window").await.status, StatusCode::OK);
}
