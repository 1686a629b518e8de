//! Whose certificates are accepted, and what is said of the others, against real servers.

use axum::body::Body;
use axum::http::{Response, Version};

use super::*;
use crate::gitlab::stub::tls::{Authority, Validity, self_signed};
use crate::gitlab::stub::{Stub, answer, client, json, settings};
use crate::gitlab::{Client, Verdict};

const VERSION: &str = r#"{"version":"19.0.0-pre","revision":"3b95b4c0792"}"#;
const BOTH: &[&str] = &["h2", "http/1.1"];

fn trusting(stub: &Stub, authority: &Authority) -> Client {
    let mut settings = settings(&stub.url);
    settings.ca_file = Some(authority.file());
    client(settings)
}

async fn server(authority: &Authority, name: &str, validity: Validity, alpn: &[&str]) -> Stub {
    Stub::start_tls(authority.acceptor(name, validity, alpn), |_, _| json(200, VERSION)).await
}

#[tokio::test]
async fn authority_of_the_file_is_believed_beside_others_in_it() {
    let (authority, other) = (Authority::new(), Authority::new());
    let stub = server(&authority, "127.0.0.1", Validity::Present, BOTH).await;
    trusting(&stub, &authority).version().await.expect("a version");

    let text = format!("# What we believe.\n{}\n{}", other.pem, authority.pem);
    std::fs::write(other.file(), text).expect("a file");
    trusting(&stub, &other).version().await.expect("a version");
}

#[tokio::test]
async fn server_that_vouches_for_itself_is_believed_when_the_file_names_it() {
    let (acceptor, pem) = self_signed("127.0.0.1");
    let stub = Stub::start_tls(acceptor, |_, _| json(200, VERSION)).await;
    let file = Authority::new();
    assert!(trusting(&stub, &file).version().await.is_err());
    std::fs::write(file.file(), pem).expect("a file");
    trusting(&stub, &file).version().await.expect("a version");
}

#[tokio::test]
async fn certificate_that_is_not_accepted_stops_at_once_and_says_what_to_do() {
    let (authority, other) = (Authority::new(), Authority::named("Other Root"));
    // It has the name of the right one, as when an authority has been made anew.
    let namesake = Authority::new();
    for (name, validity, believed, says) in [
        ("127.0.0.1", Validity::Present, &other, "`ca_file`"),
        ("127.0.0.1", Validity::Present, &namesake, "`ca_file`"),
        ("127.0.0.1", Validity::Past, &authority, "expired"),
        ("gitlab.example", Validity::Present, &authority, "another name"),
    ] {
        let stub = server(&authority, name, validity, BOTH).await;
        let client = trusting(&stub, believed);
        let error = client.version().await.expect_err("refused");
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
        assert_eq!(error.verdict(), Verdict::Abort);
        let hint = error.hint().expect("a next step");
        assert!(hint.contains(says), "{hint}");
        assert!(error.to_string().contains(&stub.url), "{error}");
        assert_eq!(client.stats().requests, 1, "it would only repeat");
        assert_eq!(stub.asked().len(), 0, "no token was sent");
    }
}

#[test]
fn file_that_holds_no_certificate_is_named_with_what_is_wrong() {
    let authority = Authority::new();
    let damaged = authority.pem.replace("\nM", "\n\u{fffd}");
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, says) in [
        (None, "cannot be read"),
        (Some(""), "no certificate in PEM"),
        (Some("\u{0}\u{1}binary"), "no certificate in PEM"),
        (Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "no certificate"),
        (Some(damaged.as_str()), "damaged"),
        (Some(no_certificate), "damaged"),
    ] {
        match text {
            Some(text) => std::fs::write(authority.file(), text).expect("a file"),
            None => std::fs::remove_file(authority.file()).expect("the file was there"),
        }
        let mut settings = settings("https://gitlab.example");
        settings.ca_file = Some(authority.file());
        let made = Client::new(settings, std::sync::Arc::new(crate::clock::SystemClock));
        let error = made.expect_err("no client");
        assert!(error.to_string().contains("ca.pem"), "{error}");
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains(says), "{text:?}: {cause}");
        assert_eq!(error.verdict(), Verdict::Abort);
        assert!(error.hint().expect("a next step").contains("ca_file"));
    }
}

#[tokio::test]
async fn newest_protocol_that_the_server_speaks_is_spoken() {
    let authority = Authority::new();
    for (alpn, version) in
        [(BOTH, Version::HTTP_2), (&["http/1.1"][..], Version::HTTP_11), (&[], Version::HTTP_11)]
    {
        let stub = server(&authority, "127.0.0.1", Validity::Present, alpn).await;
        trusting(&stub, &authority).version().await.expect("a version");
        assert_eq!(stub.asked()[0].version, version, "{alpn:?}");
    }
}

#[tokio::test]
async fn pages_and_limits_are_read_from_the_headers_of_either_protocol() {
    let authority = Authority::new();
    for alpn in [BOTH, &["http/1.1"]] {
        let acceptor = authority.acceptor("127.0.0.1", Validity::Present, alpn);
        let stub = Stub::start_tls(acceptor, |asked, _| {
            let next = if asked.uri.contains("&page=2") { "" } else { "2" };
            let headers = [
                ("Content-Type", "application/json"),
                ("Date", "Sun, 22 Nov 2026 12:00:10 GMT"),
                ("RateLimit-Name", "throttle_authenticated_api"),
                ("X-Next-Page", next),
                ("RateLimit-Limit", "2000"),
                ("RateLimit-Observed", "7"),
                ("RateLimit-Remaining", "1993"),
                ("RateLimit-Reset", "1795348860"),
            ];
            answer(200, &headers, r#"[{"name":"a","description":null}]"#)
        })
        .await;
        let client = trusting(&stub, &authority);
        let labels = client.project_labels(crate::model::ProjectId::new(7)).await.expect("labels");
        assert_eq!(labels.len(), 2);
        assert_eq!(client.budget().windows[0].limit, 2_000);
    }
}

/// A body in gzip.
fn packed(body: &[u8]) -> Response<Body> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    io::Write::write_all(&mut packer, body).expect("a Vec takes every write");
    Response::builder()
        .header("content-type", "application/json")
        .header("content-encoding", "gzip")
        .body(Body::from(packer.finish().expect("a Vec takes every write")))
        .expect("a valid answer")
}

#[tokio::test]
async fn body_in_gzip_is_unpacked_and_nothing_else_is_offered() {
    let stub = Stub::start(|_, _| packed(VERSION.as_bytes())).await;
    stub.client().version().await.expect("a version");
    assert_eq!(stub.asked()[0].headers["accept-encoding"], "gzip");
}

#[tokio::test]
async fn small_body_that_unpacks_to_a_large_one_is_left() {
    let stub = Stub::start(|_, _| packed(&vec![b' '; 8 * 1024 * 1024])).await;
    let mut settings = settings(&stub.url);
    settings.max_body_bytes = 64 * 1024;
    let error = client(settings).version().await.expect_err("too large");
    let error = match error {
        Error::TooManyRetries { source, .. } => *source,
        error => error,
    };
    assert!(matches!(error, Error::BodyTooLarge { limit_bytes: 65_536, .. }), "{error:?}");
}
