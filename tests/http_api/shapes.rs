//! What answers look like, field by field.

use axum::http::{Method, Request, StatusCode};
use gitlab_sim::{GitLab, Options};
use serde_json::{Value, json};

use crate::support::shop::{COMMENTED, NOW, SHARED, Shop, at, sections, world};
use crate::support::{Answer, Bench, MEMBER, READER};

/// Returns the names of an object's fields, in order.
fn fields(value: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn sorted<const N: usize>(mut names: [&str; N]) -> Vec<&str> {
    names.sort_unstable();
    names.to_vec()
}

/// Replaces the address of the simulated GitLab, which differs from run to run.
fn without_port(value: &Value, gitlab: &GitLab) -> Value {
    let text = value.to_string().replace(&gitlab.url(), "https://gitlab.example.com");
    serde_json::from_str(&text).expect("still JSON")
}

fn evidence_for<'a>(item: &'a Value, subject: &str) -> Vec<&'a Value> {
    let all = item["evidence"].as_array().expect("a list");
    all.iter().filter(|piece| piece["for"] == subject).collect()
}

#[tokio::test]
async fn an_item_is_shown_as_the_contract_has_it() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let items = api.list("/v1/services/webshop/merge_requests?state=merged").await;
    let [item] = items.as_slice() else { panic!("one merge request is merged: {items:?}") };
    let mut item = without_port(item, &shop.gitlab);
    let evidence = item["evidence"].take();
    assert_eq!(
        item,
        json!({
            "kind": "merge_request", "reference": "acme/shop/webshop!1", "id": item["id"], "iid": 1,
            "project": {
                "id": shop.projects.webshop.get(), "path": "acme/shop/webshop",
                "web_url": "https://gitlab.example.com/acme/shop/webshop"
            },
            "title": "Pay by invoice", "state": "merged", "draft": false, "confidential": false,
            "author": "ann", "labels": ["backend", "priority::2", "service::webshop"],
            "web_url": "https://gitlab.example.com/acme/shop/webshop/-/merge_requests/1",
            "created_at": "2026-11-14T10:00:00Z", "updated_at": "2026-11-15T10:00:00Z",
            "closed_at": null, "merged_at": "2026-11-15T09:00:00Z",
            "tags": [
                {"key": "priority", "value": "2"}, {"key": "service", "value": "webshop"},
                {"key": "team", "value": "storefront"}
            ],
            "evidence": null
        })
    );
    assert!(item["id"].is_u64());
    let item = json!({"evidence": evidence});
    for piece in item["evidence"].as_array().expect("a list") {
        let names = fields(piece).into_iter().filter(|name| *name != "url").collect::<Vec<_>>();
        assert_eq!(names, sorted(["for", "via", "where", "text", "inherited", "rule"]), "{piece}");
        assert!(piece["rule"].as_str().is_some_and(|rule| !rule.is_empty()), "{piece}");
    }

    let own = evidence_for(&item, "service:webshop");
    let label = own.iter().find(|piece| piece["via"] == "label").expect("it carries a label");
    let said = [&label["where"], &label["text"], &label["inherited"]];
    assert_eq!(said, [&json!("labels"), &json!("service::webshop"), &json!(false)]);
    let topic = own.iter().find(|piece| piece["via"] == "topic").expect("its project has a topic");
    let said = [&topic["where"], &topic["text"], &topic["inherited"]];
    assert_eq!(said, [&json!("topics"), &json!("service-webshop"), &json!(true)]);

    let branch = evidence_for(&item, "jira:WEB-12");
    assert_eq!((branch.len(), &branch[0]["where"]), (1, &json!("branch")));
    let described = evidence_for(&item, &format!("pagerduty_incident:{SHARED}"));
    assert_eq!((described.len(), &described[0]["where"]), (1, &json!("description")));
    assert_eq!(described[0]["via"], "reference");
    assert!(described[0].get("url").is_none(), "only a comment has an address of its own");
    let closing = evidence_for(&item, "gitlab_issue:acme/shop/webshop#1");
    assert_eq!(closing.len(), 1, "{evidence}");
    let commented = evidence_for(&item, &format!("pagerduty_incident:{COMMENTED}"));
    assert_eq!((commented.len(), &commented[0]["where"]), (1, &json!("comment")));
    let address = commented[0]["url"].as_str().expect("a comment has an address");
    let page = "https://gitlab.example.com/acme/shop/webshop/-/merge_requests/1#note_";
    let note = address.strip_prefix(page).unwrap_or_else(|| panic!("{address}"));
    assert!(note.parse::<u64>().is_ok(), "{address}");
}

#[tokio::test]
async fn an_issue_tells_its_type_and_a_merge_request_has_none() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(MEMBER));
    let issues = api.list("/v1/services/webshop/issues?state=opened&sort=created_desc").await;
    let types: Vec<_> = issues.iter().map(|row| (&row["reference"], &row["issue_type"])).collect();
    assert_eq!(types[0], (&json!("acme/shop/webshop#2"), &json!("issue")));
    assert_eq!(types[1], (&json!("acme/shop/webshop#1"), &json!("incident")));
    let drafts = api.list("/v1/services/webshop/merge_requests?state=opened").await;
    assert_eq!(drafts[0]["draft"], true);
    assert!(drafts[0].get("issue_type").is_none());
}

#[tokio::test]
async fn lists_and_single_things_come_in_their_envelopes() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    for address in [
        "/v1/services",
        "/v1/teams",
        "/v1/services/webshop/projects",
        "/v1/services/webshop/issues",
        "/v1/services/webshop/merge_requests",
        "/v1/services/webshop/references",
        "/v1/services/webshop/owners",
        "/v1/services/webshop/pipelines",
        "/v1/references?q=WEB-12",
        "/v1/references/jira/WEB-12",
        "/v1/crawls",
    ] {
        let answer = api.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert_eq!(fields(&answer.body), sorted(["data", "next_cursor", "as_of", "complete"]));
        assert!(!answer.data().is_empty(), "{address} has rows");
        check_age(address, &answer);
    }
    for address in [
        "/v1/services/webshop",
        "/v1/teams/storefront",
        "/v1/resolve?text=webshop",
        "/v1/projects/acme%2Fshop%2Fwebshop",
        "/v1/projects/acme%2Fshop%2Fwebshop/owners",
    ] {
        let answer = api.get(address).await;
        assert_eq!(answer.status, StatusCode::OK, "{address}");
        assert_eq!(fields(&answer.body), sorted(["data", "as_of", "complete"]), "{address}");
        assert!(answer.body["data"].is_object(), "{address}");
        check_age(address, &answer);
    }
}

fn check_age(address: &str, answer: &Answer) {
    assert_eq!(answer.body["complete"], true, "{address}");
    let as_of = answer.body["as_of"].as_str().unwrap_or_else(|| panic!("{address} has an age"));
    assert!(as_of.ends_with('Z') && at(as_of) > at(NOW), "{as_of}");
    assert_eq!(answer.header("content-type"), "application/json", "{address}");
}

#[tokio::test]
async fn an_index_that_was_never_filled_says_so() {
    let (world, _) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let bench = Bench::new(&gitlab, "acme", "", &sections());
    let index = bench.open().await;
    let answer = index.api(Some(READER)).get("/v1/services").await;
    let wanted = json!({"data": [], "next_cursor": null, "as_of": null, "complete": false});
    assert_eq!(answer.body, wanted);
    let ready = index.api(None).get("/readyz").await;
    assert_eq!(ready.status, StatusCode::OK, "stale data is served with its age");
    index.sync().await;
    assert_eq!(index.api(Some(READER)).get("/v1/services").await.body["complete"], true);
}

#[tokio::test]
async fn a_part_that_cannot_be_read_makes_every_answer_incomplete_with_the_reason_on_crawls() {
    let (world, _) = world();
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let source = "projects = [\"acme/gone/away\"]";
    let bench = Bench::new(&gitlab, "acme", source, &sections());
    let index = bench.open().await;
    assert!(!index.try_sync().await.complete);
    let api = index.api(Some(READER));
    for address in ["/v1/services", "/v1/services/webshop", "/v1/resolve?text=webshop"] {
        let answer = api.get(address).await;
        assert_eq!(answer.body["complete"], false, "{address}");
        assert!(answer.body["as_of"].is_string(), "{address}");
    }
    let crawls = api.list("/v1/crawls").await;
    assert_eq!(crawls[0]["source"], "sim");
    assert_eq!(crawls[0]["outcome"], "incomplete");
    let problem = &crawls[0]["problems"][0];
    assert_eq!(problem["subject"], "project:acme/gone/away");
    assert!(problem["reason"].as_str().is_some_and(|why| why.contains("404")), "{problem}");
    let streams = crawls[0]["streams"].as_array().expect("a list");
    let lost = |stream: &&Value| stream["root"] == "project:acme/gone/away";
    let stream = streams.iter().find(lost).expect("the root is told of");
    assert_eq!(stream["state"], "waiting", "{stream:#}");
    assert_eq!(stream["incomplete"]["reason"], problem["reason"], "{stream:#}");
    assert_eq!(stream["incomplete"]["retry_at"], problem["retry_at"], "{stream:#}");
}

#[tokio::test]
async fn owners_are_shown_by_section_as_the_contract_has_them() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let base = "/v1/projects/acme%2Fshop%2Fwebshop/owners";
    let paid = api.single(&format!("{base}?path=src/pay/card.rs")).await;
    let storefront = json!({"kind": "name", "name": "@acme/storefront"});
    assert_eq!(
        paid,
        json!({
            "path": "src/pay/card.rs", "file": ".gitlab/CODEOWNERS",
            "sections": [
                {"section": "codeowners", "optional": false, "approvals": 0, "pattern": "*",
                 "line": 1, "owners": [storefront]},
                {"section": "Payments", "optional": false, "approvals": 2, "pattern": "/src/pay/",
                 "line": 4, "owners": [
                    {"kind": "name", "name": "@pia"},
                    {"kind": "email", "name": "pay@acme.example"}]}
            ]
        })
    );
    let docs = api.single(&format!("{base}?path=/docs/a.md")).await;
    let section = &docs["sections"][1];
    assert_eq!((&section["section"], &section["optional"]), (&json!("Docs"), &json!(true)));
    assert_eq!(section["owners"], json!([{"kind": "role", "name": "@@maintainer"}]));
    let all = api.single(base).await;
    assert_eq!((&all["path"], all["sections"].as_array().map(Vec::len)), (&Value::Null, Some(3)));
    let none = api.single("/v1/projects/acme%2Fshop%2Fbulk/owners?path=a").await;
    assert_eq!(none, json!({"path": "a", "file": null, "sections": []}));
}

#[tokio::test]
async fn a_project_is_found_by_id_and_by_path_in_any_case() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let by_path = api.single("/v1/projects/acme%2Fshop%2Fwebshop").await;
    let id = shop.projects.webshop;
    assert_eq!(api.single(&format!("/v1/projects/{id}")).await, by_path);
    assert_eq!(api.single("/v1/projects/Acme%2FShop%2FWebShop").await, by_path);
    assert_eq!(by_path["topics"], json!(["service-webshop", "team-storefront"]));
    assert_eq!(by_path["pipeline"]["status"], "success");
    assert_eq!(by_path["codeowners"], ".gitlab/CODEOWNERS");
    assert_eq!(by_path["issue_templates"], json!(["Bug"]));
    assert_eq!(by_path["former_paths"], json!([]));
    let tags = json!([
        {"key": "service", "value": "webshop"}, {"key": "team", "value": "storefront"}
    ]);
    assert_eq!(by_path["tags"], tags);
}

#[tokio::test]
async fn a_service_shows_all_that_the_contract_names() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let service = api.single("/v1/services/webshop").await;
    for name in [
        "aliases",
        "teams",
        "owners",
        "projects",
        "open_issues",
        "open_merge_requests",
        "recently_merged",
        "references",
        "pipelines",
    ] {
        assert!(service[name].as_array().is_some_and(|rows| !rows.is_empty()), "{name}");
    }
    assert_eq!(service["name"], "webshop");
    assert_eq!(service["aliases"], json!(["storefront-app"]));
    assert_eq!(service["teams"], json!(["storefront"]));
    let counts = json!({
        "projects": 1, "issues": 3, "open_issues": 2, "merge_requests": 2, "open_merge_requests": 1
    });
    assert_eq!(service["counts"], counts);
    assert_eq!(service["projects"][0]["path"], "acme/shop/webshop");
    assert_eq!(service["recently_merged"][0]["reference"], "acme/shop/webshop!1");
    assert_eq!(service["pipelines"][0]["project"]["path"], "acme/shop/webshop");
    for spelling in ["Web-Shop", "web_shop", "WEB%20SHOP", "storefront-app", "Storefront%20App"] {
        assert_eq!(api.single(&format!("/v1/services/{spelling}")).await, service, "{spelling}");
    }
}

#[tokio::test]
async fn what_people_paste_is_resolved_to_its_service() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let url = format!("{}/acme/shop/webshop/-/merge_requests/1", shop.gitlab.url());
    let incident = format!("https://acme.pagerduty.com/incidents/{COMMENTED}");
    for (question, kind) in [
        (format!("url={url}"), "gitlab_merge_request"),
        (format!("url={}/acme/shop/webshop", shop.gitlab.url()), "gitlab_project"),
        ("repository=acme/shop/webshop".to_owned(), "gitlab_project"),
        ("repository=git@gitlab.example.com:acme/shop/webshop.git".to_owned(), "gitlab_project"),
        ("service=Web-Shop".to_owned(), "service"),
        ("text=storefront-app".to_owned(), "service"),
        ("text=web-12".to_owned(), "jira"),
        (format!("url={incident}"), "pagerduty_incident"),
        (format!("text={}", COMMENTED.to_lowercase()), "pagerduty_incident"),
    ] {
        let found = api.single(&format!("/v1/resolve?{question}")).await;
        assert_eq!(found["input"]["kind"], kind, "{question}: {found}");
        assert_eq!(found["services"][0]["name"], "webshop", "{question}: {found}");
        let why = found["services"][0]["evidence"].as_array().map_or(0, Vec::len);
        assert!(kind == "service" || why > 0, "{question} is of the service for a reason: {found}");
    }
    let arn = "arn=arn:aws:lambda:eu-west-1:123456789012:function:web-shop";
    let found = api.single(&format!("/v1/resolve?{arn}")).await;
    assert_eq!(found["services"][0]["name"], "webshop", "{found}");
    let nothing = api.single("/v1/resolve?text=nobody-knows-this").await;
    assert_eq!((&nothing["input"]["kind"], &nothing["services"]), (&json!("unknown"), &json!([])));
}

#[tokio::test]
async fn a_text_is_read_for_ids_with_counts_and_whether_they_are_known() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    let text = format!("WEB-12%20and%20https://acme.pagerduty.com/incidents/{SHARED}%20CVE-2024-1");
    let read = api.list(&format!("/v1/references?q={text}000")).await;
    let short: Vec<_> = read.iter().map(|row| (&row["kind"], &row["id"], &row["known"])).collect();
    assert!(short.contains(&(&json!("jira"), &json!("WEB-12"), &json!(true))), "{read:?}");
    let known = (&json!("pagerduty_incident"), &json!(SHARED), &json!(true));
    assert!(short.contains(&known), "{read:?}");
    let unknown = (&json!("cve"), &json!("CVE-2024-1000"), &json!(false));
    assert!(short.contains(&unknown), "{read:?}");
    let shared = read.iter().find(|row| row["id"] == SHARED).expect("it was read");
    assert_eq!((&shared["issues"], &shared["merge_requests"]), (&json!(1), &json!(1)));
    let sentence = api.list("/v1/references?q=what%20is%20web-12%20about").await;
    assert_eq!((&sentence[0]["id"], &sentence[0]["known"]), (&json!("WEB-12"), &json!(true)));
    let none = api.get("/v1/references/jira/WEB-9999").await;
    assert_eq!((none.status, none.data().len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn errors_are_problems_with_a_stable_type() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    for (method, address, status, kind) in [
        (Method::GET, "/v1/services/nobody", 404, "not-found"),
        (Method::GET, "/v1/services/nobody/issues", 404, "not-found"),
        (Method::GET, "/v1/teams/nobody", 404, "not-found"),
        (Method::GET, "/v1/projects/acme%2Fnobody", 404, "not-found"),
        (Method::GET, "/v1/projects/999999", 404, "not-found"),
        (Method::GET, "/v1/projects/acme%2Fnobody/owners", 404, "not-found"),
        (Method::GET, "/v1/nothing", 404, "not-found"),
        (Method::GET, "/v2/services", 404, "not-found"),
        (Method::DELETE, "/v1/services", 405, "method-not-allowed"),
        (Method::GET, "/v1/services?limit=0", 400, "bad-parameter"),
        (Method::GET, "/v1/services/%FF", 400, "bad-parameter"),
    ] {
        let answer = api.send(Request::builder().method(method.clone()).uri(address)).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {address}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/problem+json", "{address}");
        assert_eq!(fields(&answer.body), sorted(["type", "title", "status", "detail"]));
        assert_eq!(answer.body["type"], format!("urn:xrefd:problem:{kind}"), "{address}");
        assert_eq!(answer.body["status"], status, "{address}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_unknown_or_cannot_be_read_is_refused_by_name() {
    let shop = Shop::open().await;
    let api = shop.index.api(Some(READER));
    for (address, name) in [
        ("/v1/services?page=2", "page"),
        ("/v1/services?state=opened", "state"),
        ("/v1/services/webshop?limit=5", "limit"),
        ("/v1/services/webshop/issues?sate=opened", "sate"),
        ("/v1/services/webshop/issues?state=open", "state"),
        ("/v1/services/webshop/issues?sort=newest", "sort"),
        ("/v1/services/webshop/issues?limit=201", "limit"),
        ("/v1/services/webshop/issues?limit=-1", "limit"),
        ("/v1/services/webshop/issues?limit=ten", "limit"),
        ("/v1/services/webshop/issues?limit=5&limit=6", "limit"),
        ("/v1/services/webshop/issues?cursor=AAAA", "cursor"),
        ("/v1/services/webshop/issues?updated_after=yesterday", "updated_after"),
        ("/v1/services/webshop/issues?updated_before=2026", "updated_before"),
        ("/v1/services/webshop/merge_requests?merged_after=x", "merged_after"),
        ("/v1/services/webshop/merge_requests?merged_before=x", "merged_before"),
        ("/v1/services/webshop/issues?tag=team", "tag"),
        ("/v1/services/webshop/issues?inherited=no", "inherited"),
        ("/v1/references", "q"),
        ("/v1/references/jira/WEB-12?item_kind=epic", "item_kind"),
        ("/v1/references/jira/WEB-12?linked=perhaps", "linked"),
        ("/v1/resolve", "text"),
        ("/v1/resolve?url=a&text=b", "text"),
        ("/v1/projects/1?path=a", "path"),
        ("/v1/projects/1/owners?file=a", "file"),
        ("/v1/crawls?limit=1", "limit"),
    ] {
        let answer = api.get(address).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{address}: {}", answer.body);
        assert_eq!(answer.body["type"], "urn:xrefd:problem:bad-parameter", "{address}");
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(&format!("`{name}`")), "{address}: {detail}");
    }
}
