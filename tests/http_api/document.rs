//! The document of the API, and that it speaks of what is served.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::Value;

use crate::support::READER;
use crate::support::shop::Shop;

/// What the contract asks for, less what later versions add.
const PATHS: [&str; 22] = [
    "/v1/crawls",
    "/v1/projects/{project}",
    "/v1/projects/{project}/owners",
    "/v1/references",
    "/v1/references/{kind}/{id}",
    "/v1/resolve",
    "/v1/services",
    "/v1/services/{name}",
    "/v1/services/{name}/issues",
    "/v1/services/{name}/merge_requests",
    "/v1/services/{name}/owners",
    "/v1/services/{name}/pipelines",
    "/v1/services/{name}/projects",
    "/v1/services/{name}/references",
    "/v1/teams",
    "/v1/teams/{name}",
    "/v1/teams/{name}/issues",
    "/v1/teams/{name}/merge_requests",
    "/v1/teams/{name}/owners",
    "/v1/teams/{name}/pipelines",
    "/v1/teams/{name}/projects",
    "/v1/teams/{name}/references",
];

#[tokio::test]
async fn the_document_is_openapi_3_1_and_changes_only_knowingly() {
    let shop = Shop::open().await;
    let answer = shop.index.api(None).get("/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let version = answer.body["openapi"].as_str().unwrap_or_default();
    assert!(version.starts_with("3.1"), "{version}");
    assert_eq!(answer.body, shop.index.document);
    let mut document = answer.body;
    document["info"]["version"] = "[version]".into();
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_json_snapshot!("openapi", document);
    });
}

#[tokio::test]
async fn every_endpoint_of_the_contract_is_documented() {
    let shop = Shop::open().await;
    let paths = shop.index.document["paths"].as_object().expect("paths");
    let documented: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    let missing: Vec<&str> = PATHS.into_iter().filter(|path| !documented.contains(path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[tokio::test]
async fn every_documented_question_is_answered() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let mut asked = 0;
    let mut operations = BTreeSet::new();
    for (path, methods) in shop.index.document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let id = operation["operationId"].as_str().unwrap_or_default();
            assert!(!id.is_empty() && operations.insert(id.to_owned()), "{path} {id}");
            assert!(operation["responses"]["default"].is_object(), "{path} tells its problems");
            if method != "get" {
                continue;
            }
            let address = filled(path, operation);
            let answer = api.get(&address).await;
            assert_eq!(answer.status, StatusCode::OK, "{address}: {}", answer.body);
            asked += 1;
        }
    }
    assert!(asked >= PATHS.len(), "{asked}");
}

/// Writes an address for a path: its names, and every parameter that it documents.
fn filled(path: &str, operation: &Value) -> String {
    let team = path.starts_with("/v1/teams");
    let address = path
        .replace("{name}", if team { "storefront" } else { "webshop" })
        .replace("{project}", "acme%2Fshop%2Fwebshop")
        .replace("{kind}", "jira")
        .replace("{id}", "WEB-12");
    let mut query = Vec::new();
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        if parameter["in"] != "query" {
            continue;
        }
        let value = match parameter["name"].as_str().unwrap_or_default() {
            "state" => "opened",
            "updated_after" | "merged_after" => "2026-01-01T00:00:00Z",
            "updated_before" | "merged_before" => "2026-12-31T00:00:00Z",
            "label" => "backend",
            "tag" => "service:webshop",
            "author" => "ann",
            "inherited" => "true",
            "sort" => "created_desc",
            "limit" => "10",
            "item_kind" => "issue",
            "q" => "WEB-12",
            "path" => "src/pay/card.rs",
            "text" => "webshop",
            // One way to ask is enough, and a cursor comes with an answer.
            "url" | "repository" | "arn" | "service" | "cursor" => continue,
            other => panic!("{path}: the test knows no value for `{other}`"),
        };
        query.push(format!("{}={value}", parameter["name"].as_str().unwrap_or_default()));
    }
    format!("{address}?{}", query.join("&"))
}

#[tokio::test]
async fn the_daemon_says_that_it_lives_and_that_it_can_answer() {
    let shop = Shop::open().await;
    let api = shop.index.api(None);
    let alive = api.get("/healthz").await;
    assert_eq!((alive.status, alive.bytes.as_slice()), (StatusCode::OK, &b"ok\n"[..]));
    let ready = api.get("/readyz").await;
    assert_eq!(ready.body["ready"], true);
    assert_eq!(ready.body["complete"], true);
    assert!(ready.body["as_of"].is_string());
    let page = api.get("/").await;
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn an_index_that_is_gone_is_not_ready_and_not_an_answer() {
    let shop = Shop::open().await;
    shop.index.store.close().await;
    let api = shop.index.api(Some(READER));
    assert_eq!(api.get("/healthz").await.status, StatusCode::OK);
    assert_eq!(api.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let answer = api.get("/v1/services").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.body["type"], "urn:xrefd:problem:internal");
    let told = answer.body.to_string();
    assert!(!told.to_lowercase().contains("sql") && !told.contains("xrefd.db"), "{told}");
}
