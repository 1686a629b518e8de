//! A GitLab that cannot be reached, refuses, or is none.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde_json::json;

use crate::command::Sandbox;
use crate::{closed, failed, shop, source, start, stranger, sync};

#[tokio::test(flavor = "multi_thread")]
async fn gitlab_that_cannot_be_reached_is_named_with_the_cause() {
    let (url, _closed) = closed();
    let config = source(&url, "groups = [\"shop\"]");
    failed(sync(&config).await, 1, &[&url, "Connection refused", "help: check `url`, the network"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_without_an_address_is_named() {
    let config = source("http://gitlab.invalid", "groups = [\"shop\"]");
    failed(sync(&config).await, 1, &["http://gitlab.invalid", "help: check `url`"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_expired_and_revoked_tokens_are_told_apart() {
    let mut world = shop();
    let bot = world.bot();
    let day = "2020-01-01".parse().expect("a day");
    let expired = world.add_token(bot, &["read_api"], Some(day));
    let revoked = world.add_token(bot, &["read_api"], None);
    assert!(world.revoke(&revoked));
    let gitlab = start(world).await;
    let config = source(&gitlab.url(), "groups = [\"shop\"]");
    for (token, cause, step) in [
        ("glpat-unknown", "the token is not valid here", "help: check the token and `auth`"),
        (&*expired, "the token has expired", "help: make a new token with the scope read_api"),
        (&*revoked, "the token was revoked", "help: make a new token with the scope read_api"),
    ] {
        let ran = Sandbox::new(&config).with("TOKEN", token).run(&["sync"]).await;
        assert!(!ran.stderr.contains(token), "the token is shown: {ran:#?}");
        failed(ran, 1, &[&gitlab.url(), "401", cause, step]);
    }
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn token_without_the_scope_is_told_which_one_it_needs() {
    let mut world = shop();
    let bot = world.bot();
    let token = world.add_token(bot, &["read_user"], None);
    let gitlab = start(world).await;
    let config = source(&gitlab.url(), "groups = [\"shop\"]");
    let ran = Sandbox::new(&config).with("TOKEN", &token).run(&["sync"]).await;
    failed(ran, 1, &["group:shop", "403", "scope", "read_api"]);
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_group_alone_fails_and_is_named() {
    let gitlab = start(shop()).await;
    let config = source(&gitlab.url(), "groups = [\"shpo\"]");
    let ran = Sandbox::new(&config).with("TOKEN", gitlab.token()).run(&["sync"]).await;
    failed(ran, 1, &[&gitlab.url(), "group:shpo", "Group not found", "check the path"]);
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_group_beside_a_good_one_keeps_what_could_be_read() {
    let gitlab = start(shop()).await;
    let config = source(&gitlab.url(), "groups = [\"shop\", \"shpo\"]\nprojects = [\"shop/nil\"]");
    let sandbox = Sandbox::new(&config).with("TOKEN", gitlab.token());
    let summary = sandbox.run(&["sync", "--format", "json"]).await.expect(4).json();
    assert_eq!((&summary["projects"], &summary["issues"]), (&json!(1), &json!(1)));
    assert_eq!(summary["complete"], false);
    let named: Vec<_> = summary["errors"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|error| (&error["subject"], error["reason"].as_str().expect("a reason")))
        .collect();
    assert_eq!(named.len(), 2, "{named:?}");
    assert!(named[0].0 == "group:shpo" && named[0].1.contains("Group not found"), "{named:?}");
    assert!(named[1].0 == "project:shop/nil" && named[1].1.contains("Project not"), "{named:?}");

    let shown = sandbox.run(&["service", "webshop", "--format", "json"]).await.expect(0).json();
    assert_eq!(shown["data"]["counts"]["issues"], 1);
    assert_eq!(shown["complete"], false);

    // A person is told the same.
    let table = sandbox.run(&["sync", "--format", "table"]).await.expect(4);
    assert!(table.stdout.contains("could not read projects of group:shpo"), "{table:#?}");
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn source_that_fails_does_not_keep_another_from_being_read() {
    let gitlab = start(shop()).await;
    let (dead, _closed) = closed();
    let config = [
        source(&gitlab.url(), "name = \"alive\"\ngroups = [\"shop\"]"),
        source(&dead, "name = \"dead\"\ngroups = [\"shop\"]"),
    ]
    .concat();
    let sandbox = Sandbox::new(&config).with("TOKEN", gitlab.token());
    let summary = sandbox.run(&["sync", "--format", "json"]).await.expect(4).json();
    assert_eq!(summary["issues"], 1);
    let [error] = summary["errors"].as_array().expect("a list").as_slice() else {
        panic!("{summary}");
    };
    assert_eq!(error["source"], "dead");
    let reason = error["reason"].as_str().expect("a reason");
    assert!(reason.contains(&dead) && reason.contains("Connection refused"), "{reason}");
    gitlab.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_answers_pages_is_no_gitlab() {
    let page = "<!DOCTYPE html><html><body>Welcome to our intranet</body></html>";
    for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::FORBIDDEN] {
        let answer = move |_: &Uri, _: &HeaderMap| {
            (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
        };
        let (url, count) = stranger(answer).await;
        let ran = sync(&source(&url, "groups = [\"shop\"]")).await;
        assert!(!ran.stderr.contains("intranet"), "the page is no message: {ran:#?}");
        let words: [&str; 2] = match status {
            StatusCode::OK => ["does not come from GitLab's API", "help: check `url`"],
            StatusCode::FORBIDDEN => ["something in front of GitLab answered 403", "help:"],
            _ => ["the answer is not GitLab's", "check `url`"],
        };
        failed(ran, 1, &[&url, words[0], words[1]]);
        assert_eq!(count.load(Ordering::SeqCst), 3, "{status}: one page may be chance");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_leads_to_a_sign_in_page_is_told_so() {
    let answer = |_: &Uri, _: &HeaderMap| {
        (StatusCode::FOUND, [(header::LOCATION, "/users/sign_in")]).into_response()
    };
    let (url, _) = stranger(answer).await;
    let ran = sync(&source(&url, "groups = [\"shop\"]")).await;
    failed(ran, 1, &[&url, "it redirects to /users/sign_in", "help: check `url`", "sign-in page"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_sends_half_an_answer_or_none_is_given_up_after_a_few_tries() {
    for (status, body, tries, cause) in [
        (StatusCode::OK, "{\"id\": 7, \"full_path\": \"sh", 3, "cannot be read"),
        (StatusCode::BAD_GATEWAY, "{\"message\": \"not responding\"}", 4, "502"),
    ] {
        let answer = move |_: &Uri, _: &HeaderMap| {
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        };
        let (url, count) = stranger(answer).await;
        let ran = sync(&source(&url, "groups = [\"shop\"]")).await;
        let given_up = format!("given up after {tries} tries");
        failed(ran, 1, &[&url, "group:shop", &given_up, cause]);
        assert_eq!(count.load(Ordering::SeqCst), tries);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn token_is_not_sent_to_where_a_gitlab_redirects() {
    let (elsewhere, reached) = stranger(|_, _| StatusCode::OK.into_response()).await;
    for status in [StatusCode::MOVED_PERMANENTLY, StatusCode::FOUND, StatusCode::TEMPORARY_REDIRECT]
    {
        let target = elsewhere.clone();
        let answer = move |uri: &Uri, headers: &HeaderMap| {
            assert_eq!(headers["private-token"], "glpat-anything");
            let location = format!("{target}{uri}");
            (status, [(header::LOCATION, location)]).into_response()
        };
        let (url, _) = stranger(answer).await;
        let ran = sync(&source(&url, "groups = [\"shop\"]")).await;
        failed(ran, 1, &["group:shop", "redirects", &elsewhere, "the token is not sent"]);
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0, "the other host was asked");
}

/// The binary gives a silent host three minutes, which is too long for a test, so this one asks
/// the client below it, with less patience.
#[tokio::test(flavor = "multi_thread")]
async fn host_that_never_answers_is_given_up_in_time() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    let base = url.parse().expect("an address");
    let mut settings = xrefd::gitlab::Settings::new(base, xrefd::gitlab::Credential::None);
    assert!(settings.request_timeout + settings.patience < Duration::from_mins(5));
    settings.patience = Duration::from_secs(1);
    settings.request_timeout = Duration::from_millis(200);
    settings.backoff = Duration::from_millis(1);
    let clock = Arc::new(xrefd::clock::SystemClock);
    let client = xrefd::gitlab::Client::new(settings, clock).expect("a client");
    let began = Instant::now();
    let error = client.group("shop").await.expect_err("silence is no answer");
    assert!(began.elapsed() < Duration::from_secs(30));
    assert!(error.to_string().contains("has not answered since"), "{error}");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(cause.contains(&url), "{cause}");
    drop(listener);
}

#[tokio::test(flavor = "multi_thread")]
async fn host_that_hangs_up_is_given_up_soon() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    // Ends with the test's process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            drop(stream);
        }
    });
    let ran = sync(&source(&url, "groups = [\"shop\"]")).await;
    let words = ["has not answered since", "no complete answer from", &url, "check `url`"];
    failed(ran, 1, &words);
}
