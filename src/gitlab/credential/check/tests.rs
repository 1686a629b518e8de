//! What is found out about tokens of each kind, and what is said about it.

use std::sync::Arc;

use gitlab_sim::world::{NewProject, World};
use gitlab_sim::{GitLab, Options};
use jiff::civil::date;

use super::*;
use crate::clock::SystemClock;
use crate::gitlab::stub::{Stub, TOKEN, client, json, settings};
use crate::gitlab::{Keyring, Settings};

const TOKEN_BODY: &str = r#"{"id":4,"name":"xrefd","scopes":["api","read_user"],"user_id":7,
    "active":true,"revoked":false,"expires_at":"2026-12-01"}"#;

fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

fn expiring(expires_on: Option<Date>) -> TokenCheck {
    TokenCheck { name: Some("xrefd".to_owned()), expires_on, ..TokenCheck::default() }
}

#[test]
fn days_are_counted_by_the_calendar_in_utc() {
    let check = expiring(Some(date(2026, 12, 1)));
    for (now, days) in [
        ("2026-11-22T00:00:00Z", 9),
        ("2026-11-22T23:59:59Z", 9),
        ("2026-11-30T23:59:59Z", 1),
        // Midnight UTC is the end, wherever we are.
        ("2026-12-01T00:00:00Z", 0),
        ("2026-12-31T12:00:00Z", -30),
        ("2025-12-01T12:00:00Z", 365),
    ] {
        assert_eq!(check.days_left(at(now)), Some(days), "{now}");
    }
    assert_eq!(expiring(None).days_left(at("2026-12-01T00:00:00Z")), None);
}

#[test]
fn an_expiry_within_two_weeks_is_a_warning_in_a_sentence() {
    let said = |now: &str| expiring(Some(date(2026, 12, 1))).warnings(at(now));
    assert_eq!(said("2026-11-16T23:59:59Z"), Vec::<String>::new());
    for (now, sentence) in [
        ("2026-11-17T00:00:00Z", "the token `xrefd` expires on 2026-12-01, in 14 days: "),
        ("2026-11-22T10:00:00Z", "the token `xrefd` expires on 2026-12-01, in 9 days: "),
        ("2026-11-30T10:00:00Z", "the token `xrefd` expires on 2026-12-01, in 1 day: "),
        ("2026-12-02T10:00:00Z", "the token `xrefd` expired on 2026-12-01: "),
    ] {
        assert_eq!(said(now), [format!("{sentence}make a new one or rotate it")]);
    }
    assert_eq!(expiring(None).warnings(at("2026-12-01T00:00:00Z")), Vec::<String>::new());
}

#[tokio::test]
async fn an_access_token_describes_itself_in_either_header() {
    for credential in [Credential::PrivateToken(TOKEN.into()), Credential::Bearer(TOKEN.into())] {
        let stub = Stub::start(|_, _| json(200, TOKEN_BODY)).await;
        let mut settings = settings(&stub.url);
        settings.keyring = Keyring::fixed(credential);
        let check = client(settings).check_token().await.expect("a check");
        assert_eq!(stub.uris(), ["/api/v4/personal_access_tokens/self"]);
        assert_eq!((check.kind, check.user_id), (TokenKind::Access, Some(7)));
        assert_eq!(check.expires_on, Some(date(2026, 12, 1)));
        assert_eq!(check.missing, []);
        let warnings = check.warnings(at("2026-01-01T00:00:00Z"));
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(
            warnings[0].starts_with("the token `xrefd` has the scope api, which is not needed")
        );
        assert!(check.remarks().is_empty());
    }
}

#[tokio::test]
async fn a_fine_grained_token_is_judged_by_nothing_and_that_is_said() {
    let stub = Stub::start(|_, _| {
        json(200, r#"{"id":4,"name":"x\u0007y","scopes":["granular"],"granular_scopes":[{}]}"#)
    })
    .await;
    let check = stub.client().check_token().await.expect("a check");
    assert!(check.is_fine_grained && check.missing.is_empty() && check.needless.is_empty());
    assert!(check.remarks()[0].contains("the token `xy` is fine-grained"), "{:?}", check.remarks());
}

#[tokio::test]
async fn a_token_that_gitlab_does_not_describe_is_known_by_its_user_and_not_taken_for_refused() {
    for status in [401, 403, 404] {
        let stub = Stub::start(move |asked, _| match asked.uri.as_str() {
            "/api/v4/user" => json(200, r#"{"id":12,"username":"ann"}"#),
            _ => json(status, r#"{"message":"no such token"}"#),
        })
        .await;
        let mut settings = settings(&stub.url);
        settings.keyring = Keyring::fixed(Credential::Bearer(TOKEN.into()));
        let check = client(settings).check_token().await.expect("a check");
        assert_eq!((check.kind, check.user_id), (TokenKind::Other, Some(12)), "{status}");
        assert_eq!(stub.asked().len(), 2);
        assert_eq!(check.warnings(at("2026-11-22T00:00:00Z")), Vec::<String>::new());
        assert!(check.remarks()[0].contains("are not known"), "{:?}", check.remarks());
    }
}

#[tokio::test]
async fn a_refused_token_is_an_error_and_a_token_in_its_place_is_checked_instead() {
    let stub = Stub::start(|asked, _| {
        if asked.headers["private-token"] == "new" {
            json(200, TOKEN_BODY)
        } else {
            json(401, r#"{"error":"invalid_token","error_description":"Token is expired."}"#)
        }
    })
    .await;
    let error = stub.client().check_token().await.expect_err("expired");
    assert!(matches!(error, Error::Unauthorized { is_final: true, .. }), "{error:?}");
    assert!(error.to_string().contains("expired"), "{error}");

    let environment = crate::config::Environment::from([("OLD", "old"), ("NEW", "new")]);
    let place = |name: &str| crate::config::TokenSource::Env(name.to_owned());
    let mut settings = settings(&stub.url);
    let auth = crate::config::Auth::PrivateToken(place("OLD"));
    settings.keyring = Keyring::new(auth, Some(place("NEW")), environment);
    let check = client(settings).check_token().await.expect("a check");
    assert_eq!((check.kind, check.user_id), (TokenKind::Access, Some(7)));
}

#[tokio::test]
async fn without_a_token_nothing_is_asked() {
    let stub = Stub::start(|_, _| json(500, "{}")).await;
    let mut settings = settings(&stub.url);
    settings.keyring = Keyring::fixed(Credential::None);
    let check = client(settings).check_token().await.expect("a check");
    assert_eq!(check, TokenCheck::default());
    assert_eq!(stub.asked().len(), 0);
}

/// Makes a client of a simulated GitLab.
fn reader(gitlab: &GitLab, credential: Credential) -> Settings {
    Settings::new(gitlab.url().parse().expect("an address"), credential)
}

#[tokio::test]
async fn tokens_of_every_kind_are_told_apart_on_the_simulator() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let ann = world.add_user("ann");
    let day = date(2027, 1, 1);
    let personal = world.add_token(ann, &["read_user"], Some(day));
    let oauth = world.add_oauth_token(ann, &["read_api"]);
    let job_token = world.add_job_token(project, ann);
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let check = async |credential: Credential| {
        let client = Client::new(reader(&gitlab, credential), Arc::new(SystemClock));
        client.expect("a client").check_token().await
    };
    let found = check(Credential::PrivateToken(personal.as_str().into())).await.expect("a check");
    assert_eq!((found.kind, found.user_id), (TokenKind::Access, Some(ann.get())));
    assert_eq!(found.missing[0].scope, "read_api");
    assert!(found.expires_on.is_some());
    let found = check(Credential::Bearer(oauth.as_str().into())).await.expect("a check");
    assert_eq!((found.kind, found.user_id), (TokenKind::Other, Some(ann.get())));
    let found = check(Credential::JobToken(job_token.as_str().into())).await.expect("a check");
    assert_eq!((found.kind, found.user_id), (TokenKind::Job, Some(ann.get())));
    assert_eq!(found.project_id, Some(project.get()));
    // Once its job has ended, other routes would show what is public.
    assert!(gitlab.world().finish_job(&job_token));
    let error = check(Credential::JobToken(job_token.as_str().into())).await.expect_err("ended");
    assert!(matches!(error, Error::Unauthorized { is_final: true, .. }), "{error:?}");
    gitlab.stop().await;
}

#[tokio::test]
async fn sources_of_one_user_share_a_pace_and_those_of_two_bots_do_not() {
    let mut world = World::new();
    let project = world.add_project(NewProject::at("acme/shop"));
    let ann = world.add_user("ann");
    let own = world.add_token(ann, &["read_api"], None);
    let second = world.add_token(ann, &["read_api"], None);
    let bot = world.add_project_token(
        project,
        "bot",
        gitlab_sim::world::AccessLevel::Reporter,
        &["read_api"],
        None,
    );
    let gitlab = GitLab::start(world, Options::default()).await.expect("a free port");
    let access = |token: &str| reader(&gitlab, Credential::PrivateToken(token.into()));
    let first = Client::new(access(&own), Arc::new(SystemClock)).expect("a client");
    let of_the_same = first.beside(access(&second)).expect("a client");
    let of_a_bot = first.beside(access(&bot)).expect("a client");
    assert!(first.keeps_pace_with(&of_a_bot), "nobody is known yet");
    for client in [&first, &of_the_same, &of_a_bot] {
        client.check_token().await.expect("a check");
    }
    assert!(first.keeps_pace_with(&of_the_same));
    assert!(!first.keeps_pace_with(&of_a_bot));
    gitlab.stop().await;
}
