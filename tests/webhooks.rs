//! Webhooks: what an event tells is in the index at once and without a sync, at one or two requests;
//! what no event tells, the next sync finds all the same.

mod support;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gitlab_sim::hooks::Hook;
use gitlab_sim::world::{ItemRef, NewIssue, NewNote, NewPipeline, NewProject};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use support::daemon::{self, Daemon, wait_for};
use support::shop::{self, Shop};
use support::{Bench, HOOK_SIGNING, HOOK_TOKEN, Index, MEMBER, escaped};
use tower::ServiceExt as _;
use xrefd::clock::{Clock as _, SystemClock};

/// The most requests that an event may cost.
const MOST_REQUESTS: usize = 2;

/// Tells an index what happens while a test runs.
async fn told<T>(shop: &Shop, test: impl Future<Output = T>) -> T {
    let (url, serving) = shop.index.served().await;
    let url = format!("{url}/v1/webhooks/gitlab/sim");
    let acme = shop.gitlab.world().find_group("acme").expect("the root").id;
    let hooks: Vec<_> = [Hook::on_group(acme, &url), Hook::on_system(&url)]
        .map(|hook| shop.gitlab.add_hook(hook.all_events().token(HOOK_TOKEN)).expect("a hook"))
        .into();
    let done = tokio::select! {
        done = test => done,
        () = serving => panic!("the server ended"),
        () = shop.index.read_marks() => panic!("the reader ended"),
    };
    for hook in hooks {
        shop.gitlab.remove_hook(hook);
    }
    done
}

/// Returns an item as it is shown; null when it is not.
async fn shown(shop: &Shop, address: &str) -> Value {
    let url = format!("{}/{address}", shop.gitlab.url());
    let answer = shop.index.api(Some(MEMBER));
    let answer = answer.get(&format!("/v1/resolve?url={}", escaped(&url))).await;
    answer.body["data"]["items"].get(0).cloned().unwrap_or_default()
}

/// Waits until an item has a title.
async fn titled(shop: &Shop, address: &str, title: &str) {
    wait_for(title, async || (shown(shop, address).await["title"] == title).then_some(())).await;
}

/// Says how often each body came, and with which answer.
fn answers(shop: &Shop) -> Vec<String> {
    shop.gitlab.deliveries().iter().map(|row| format!("{:?}", row.outcome)).collect()
}

#[tokio::test]
async fn an_edited_issue_is_read_again_at_one_request() {
    let shop = Shop::open().await;
    told(&shop, async {
        shop.gitlab.forget_requests();
        let issue = ItemRef::issue(shop.projects.webshop, 1);
        shop.gitlab.world().edit(issue, |row| "Checkout is slow".clone_into(&mut row.title));
        titled(&shop, "acme/shop/webshop/-/issues/1", "Checkout is slow").await;
        let asked = shop.gitlab.requests();
        assert!((1..=MOST_REQUESTS).contains(&asked.len()), "{asked:#?}");
    })
    .await;
}

#[tokio::test]
async fn an_edited_merge_request_and_a_comment_are_read_again() {
    let shop = Shop::open().await;
    told(&shop, async {
        let change = ItemRef::merge_request(shop.projects.webshop, 1);
        shop.gitlab.world().edit(change, |row| "Pay later".clone_into(&mut row.title));
        titled(&shop, "acme/shop/webshop/-/merge_requests/1", "Pay later").await;
        let text = "Again: https://acme.pagerduty.com/incidents/Q9HOOKEDHOOKED";
        let slow = ItemRef::issue(shop.projects.webshop, 3);
        shop.gitlab.hooks_settled().await;
        shop.gitlab.forget_requests();
        shop.gitlab.world().add_note(slow, NewNote::new(text).author("ann"));
        wait_for("the mention", async || {
            let api = shop.index.api(Some(MEMBER));
            let answer = api.get("/v1/references/pagerduty_incident/Q9HOOKEDHOOKED").await;
            answer.body.to_string().contains("acme/shop/webshop#3").then_some(())
        })
        .await;
        let asked = shop.gitlab.requests();
        assert!((1..=MOST_REQUESTS).contains(&asked.len()), "{asked:#?}");
    })
    .await;
}

#[tokio::test]
async fn a_push_to_the_default_branch_brings_the_owners() {
    let shop = Shop::open().await;
    told(&shop, async {
        let ledger = shop.projects.ledger;
        shop.gitlab.world().add_file(ledger, "CODEOWNERS", "* @acme/after-the-push\n");
        wait_for("the owners", async || {
            let api = shop.index.api(Some(MEMBER));
            let answer = api.get("/v1/projects/acme%2Fpay%2Fledger/owners").await;
            answer.body.to_string().contains("after-the-push").then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_pipeline_of_the_default_branch_is_shown() {
    let shop = Shop::open().await;
    told(&shop, async {
        let ledger = shop.projects.ledger;
        shop.gitlab.world().add_pipeline(ledger, NewPipeline::new("failed"));
        wait_for("the pipeline", async || {
            let path = shop.index.api(Some(MEMBER)).get("/v1/projects/acme%2Fpay%2Fledger").await;
            path.body.to_string().contains("\"failed\"").then_some(())
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn a_new_project_and_its_items_come_with_a_sync_that_its_events_ask_for() {
    let shop = Shop::open().await;
    told(&shop, async {
        let project = shop.gitlab.world().add_project(NewProject::at("acme/shop/newcomer"));
        shop.gitlab.world().add_issue(project, NewIssue::new("The first of all"));
        titled(&shop, "acme/shop/newcomer/-/issues/1", "The first of all").await;
    })
    .await;
}

#[tokio::test]
async fn doubled_late_and_reordered_events_change_nothing() {
    let shop = Shop::open().await;
    let (webshop, address) = (shop.projects.webshop, "acme/shop/webshop/-/issues/1");
    let issue = ItemRef::issue(webshop, 1);
    told(&shop, async {
        for title in ["One", "Two", "Three"] {
            shop.gitlab.world().edit(issue, |row| title.clone_into(&mut row.title));
        }
        titled(&shop, address, "Three").await;
        shop.gitlab.hooks_settled().await;
        let mut deliveries = shop.gitlab.deliveries();
        assert!(deliveries.len() >= 3, "{:?}", answers(&shop));
        assert!(deliveries.iter().all(|row| row.outcome.succeeded()), "{:?}", answers(&shop));
        // The last first, each twice, as themselves and under no key.
        deliveries.reverse();
        // Five a minute: GitLab sends no more again.
        shop.gitlab.resend(deliveries[0].number).expect("it is known");
        for delivery in &deliveries {
            for _ in 0..2 {
                let bodied = Body::from(delivery.body.to_string());
                assert_eq!(post(&shop.index, &[("x-gitlab-token", HOOK_TOKEN)], bodied).await, 202);
            }
        }
        shop.gitlab.hooks_settled().await;
        // Whatever is read again says the same; the next change is shown as ever.
        shop.gitlab.world().edit(issue, |row| "Four".clone_into(&mut row.title));
        titled(&shop, address, "Four").await;
    })
    .await;
    // Nobody tells of this: the sync sees it.
    shop.gitlab.world().edit(issue, |row| "Five".clone_into(&mut row.title));
    assert_eq!(shown(&shop, address).await["title"], "Four");
    shop.index.sync().await;
    assert_eq!(shown(&shop, address).await["title"], "Five");
}

#[tokio::test]
async fn an_event_about_something_foreign_costs_nothing() {
    let shop = Shop::open().await;
    shop.gitlab.forget_requests();
    let body = json!({"object_kind": "wiki_page", "project": {"id": 1}}).to_string();
    assert_eq!(post(&shop.index, &[("x-gitlab-token", HOOK_TOKEN)], Body::from(body)).await, 202);
    let mine = "{\"my\": \"own template\"";
    assert_eq!(post(&shop.index, &[("x-gitlab-token", HOOK_TOKEN)], Body::from(mine)).await, 202);
    let shown = shop.index.api(Some(MEMBER)).get("/v1/crawls").await;
    let shown = &shown.data()[0]["webhooks"];
    assert!(shown["last_event_at"].is_string() && shown["waiting"] == 0, "{shown}");
    let events = &shop.index.crawlers[0].inbox().events();
    assert_eq!((events.waiting, events.received.values().sum::<u64>()), (0, 2));
    assert!(shop.gitlab.requests().is_empty());
}

/// Sends a delivery by hand, and returns the status of the answer.
async fn post(index: &Index, headers: &[(&str, &str)], body: Body) -> u16 {
    let mut request = Request::post("/v1/webhooks/gitlab/sim");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).expect("a request");
    let Ok(answer) = index.router.clone().oneshot(request).await;
    answer.status().as_u16()
}

fn signature(secret: &str, id: &str, time: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{id}.{time}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn who_does_not_know_the_secret_is_refused_and_marks_nothing() {
    let shop = Shop::open().await;
    let body = json!({
        "object_kind": "issue", "project": {"id": shop.projects.webshop.get()},
        "object_attributes": {"iid": 1},
    });
    let body = body.to_string();
    let now = SystemClock.now().as_second();
    let old = (now - 600).to_string();
    let now = now.to_string();
    let good = signature(HOOK_SIGNING, "m1", &now, &body);
    let stale = signature(HOOK_SIGNING, "m1", &old, &body);
    let forged = signature("another secret", "m1", &now, &body);
    let other_body = signature(HOOK_SIGNING, "m1", &now, "{}");
    let signed = |time: &str, signature: &str| {
        [
            ("webhook-id", "m1".to_owned()),
            ("webhook-timestamp", time.to_owned()),
            ("webhook-signature", signature.to_owned()),
        ]
    };
    let refused = [
        signed(&old, &stale),
        signed(&now, &forged),
        signed(&now, &other_body),
        signed("soon", &good),
        signed(&now, "v2,AAAA"),
    ];
    for headers in refused {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(post(&shop.index, &headers, Body::from(body.clone())).await, 401, "{headers:?}");
        // A token does not make a wrong signature good.
        let both = [headers.as_slice(), &[("x-gitlab-token", HOOK_TOKEN)]].concat();
        assert_eq!(post(&shop.index, &both, Body::from(body.clone())).await, 401, "{both:?}");
    }
    for headers in [vec![], vec![("x-gitlab-token", "guessed")], vec![("x-gitlab-token", "")]] {
        assert_eq!(post(&shop.index, &headers, Body::from(body.clone())).await, 401, "{headers:?}");
    }
    assert_eq!(shop.index.crawlers[0].inbox().events().waiting, 0);

    // While a secret is exchanged, both sign.
    let several = format!("{forged} {good}");
    let headers = signed(&now, &several);
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(post(&shop.index, &headers, Body::from(body)).await, 202);
    assert_eq!(shop.index.crawlers[0].inbox().events().waiting, 1);
}

#[tokio::test]
async fn a_stranger_is_refused_before_the_body_is_read() {
    let shop = Shop::open().await;
    // A body that never ends: whoever waits for it waits for ever.
    let endless =
        Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let answer = post(&shop.index, &[("x-gitlab-token", "guessed")], endless);
    let answer = tokio::time::timeout(Duration::from_secs(30), answer).await;
    assert_eq!(answer.expect("it does not wait for the body"), 401);
    let large = vec![b' '; 26 * 1024 * 1024];
    let answer = post(&shop.index, &[("x-gitlab-token", HOOK_TOKEN)], Body::from(large)).await;
    assert_eq!(answer, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_takes_webhooks_where_its_configuration_names_a_secret() {
    let (world, projects) = shop::world();
    let gitlab = gitlab_sim::GitLab::start(world, gitlab_sim::Options::default()).await;
    let gitlab = gitlab.expect("a free port");
    let never = "[schedule]\nsync = \"0 0 0 29 2 *\"\n";
    let more = shop::sections() + never;
    let bench = Bench::new(&gitlab, "acme", "webhook_token = { file = \"hook\" }", &more);
    std::fs::write(bench.config().with_file_name("hook"), "of-the-daemon\n").expect("our folder");
    let mut command = daemon::command(&bench, &["serve"]);
    command.current_dir(bench.config().parent().expect("a folder"));
    let log = bench.config().with_file_name("daemon.log");
    let daemon = Daemon::spawn(command, log, "listening on ").await;
    daemon.synced().await;
    let url = format!("{}/v1/webhooks/gitlab/sim", daemon.url);
    let hook = Hook::on_project(projects.webshop, &url).all_events().token("of-the-daemon");
    gitlab.add_hook(hook).expect("a hook");
    let issue = ItemRef::issue(projects.webshop, 1);
    gitlab.world().edit(issue, |row| "Told to the daemon".clone_into(&mut row.title));
    let address = format!("{}/acme/shop/webshop/-/issues/1", gitlab.url());
    let address = format!("/v1/resolve?url={}", escaped(&address));
    wait_for("the title", async || {
        let (_, body) = daemon.get(&address, Some(MEMBER)).await?;
        body.to_string().contains("Told to the daemon").then_some(())
    })
    .await;
    daemon.signal("TERM").await;
    let (status, log) = daemon.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("of-the-daemon"), "the secret is in no log");
}
