//! The way of one request, against real servers.

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use secrecy::SecretString;

use tokio::time::Instant;

use super::*;
use crate::gitlab::stub::{Stub, TOKEN, answer, client, json, settings};
use crate::gitlab::{Credential, CredentialFault, Verdict, Version};

const VERSION: &str = r#"{"version":"19.0.0-pre","revision":"3b95b4c0792","enterprise":true}"#;

/// Prints an error with all its causes, as the log does.
fn chain(error: &Error) -> String {
    let mut text = format!("{error}\n{error:?}\n{}", error.hint().unwrap_or_default());
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, "\n{error}\n{error:?}").expect("a String takes every write");
        cause = error.source();
    }
    text
}

/// Answers connections with raw bytes, one after the other, and the last ones ever after.
fn raw_server(answers: Vec<&'static [u8]>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for turn in 0.. {
            let Ok((mut socket, _)) = listener.accept() else {
                return;
            };
            // What was asked and whether the client still listens does not matter here.
            let _asked_bytes = socket.read(&mut [0; 4096]);
            socket.write_all(answers[answers.len().min(turn + 1) - 1]).ok();
        }
    });
    url
}

#[tokio::test]
async fn each_credential_is_sent_in_its_header_and_nowhere_else() {
    let stub = Stub::start(|_, _| json(200, VERSION)).await;
    let token = || SecretString::from(TOKEN);
    for (credential, header, value) in [
        (Credential::PrivateToken(token()), "private-token", TOKEN.to_owned()),
        (Credential::Bearer(token()), "authorization", format!("Bearer {TOKEN}")),
        (Credential::JobToken(token()), "job-token", TOKEN.to_owned()),
    ] {
        let mut settings = settings(&stub.url);
        settings.keyring = Keyring::fixed(credential);
        client(settings).version().await.expect("a version");
        let asked = stub.asked().pop().expect("a request");
        assert_eq!(asked.headers[header], value.as_str());
        let carriers = asked
            .headers
            .values()
            .filter(|value| value.to_str().is_ok_and(|value| value.contains(TOKEN)));
        assert_eq!(carriers.count(), 1);
        assert_eq!(asked.uri, "/api/v4/version");
        assert_eq!(asked.headers["user-agent"], USER_AGENT);
    }
    let mut settings = settings(&stub.url);
    settings.keyring = Keyring::fixed(Credential::None);
    client(settings).version().await.expect("a version");
    let asked = stub.asked().pop().expect("a request");
    for header in ["private-token", "authorization", "job-token"] {
        assert!(!asked.headers.contains_key(header), "{header}");
    }
}

#[tokio::test]
async fn token_does_not_follow_a_redirect_to_another_origin() {
    let other = Stub::start(|_, _| json(200, VERSION)).await;
    for path in ["/api/v4/version", "/api/v4/projects/9", "/steal"] {
        let location = format!("{}{path}", other.url);
        for status in [301, 302, 303, 307, 308] {
            let location = location.clone();
            let stub =
                Stub::start(move |_, _| answer(status, &[("location", &location)], "")).await;
            let error = stub.client().version().await.expect_err("refused");
            assert!(matches!(error.cause(), Error::ForeignRedirect { .. }), "{error:?}");
            assert!(chain(&error).contains(&other.url), "{error}");
            assert!(error.hint().is_some());
            assert_eq!(stub.asked().len(), 3, "again, in case it was chance");
        }
    }
    assert_eq!(other.asked().len(), 0, "the other server was never asked");
}

#[tokio::test]
async fn moved_project_is_followed_with_the_token() {
    let stub = Stub::start(|asked, _| match asked.uri.as_str() {
        // GitLab sees itself under https, on its own port.
        "/api/v4/projects/old%2Fname" => answer(
            301,
            &[("location", "https://127.0.0.1/api/v4/projects/7"), ("content-type", "text/plain")],
            "This resource has been moved permanently",
        ),
        "/api/v4/projects/7" => json(200, r#"{"id":7,"path_with_namespace":"new/name"}"#),
        uri => json(500, uri),
    })
    .await;
    let fetched = stub.client().project("old/name").await.expect("the project");
    assert_eq!(fetched.project.path, "new/name");
    let asked = stub.asked();
    assert_eq!(asked.len(), 2);
    assert!(asked.iter().all(|asked| asked.headers["private-token"] == TOKEN));
}

#[tokio::test]
async fn moved_project_is_found_where_gitlab_sends_us_to_its_external_name() {
    let other = Stub::start(|_, _| json(200, VERSION)).await;
    let external = other.url.replace("127.0.0.1", "localhost");
    let stub = Stub::start(move |asked, _| match asked.uri.as_str() {
        "/gl/api/v4/projects/shop%2Fold" => {
            answer(301, &[("location", &format!("{external}/api/v4/projects/7"))], "moved")
        }
        "/gl/api/v4/projects/7" => json(200, r#"{"id":7,"path_with_namespace":"shop/new"}"#),
        uri => json(500, uri),
    })
    .await;
    let client = client(settings(&format!("{}/gl", stub.url)));
    let fetched = client.project("shop/old").await.expect("the project");
    assert_eq!(fetched.project.path, "shop/new");
    assert_eq!(other.asked().len(), 0, "the token stays here");
}

#[tokio::test]
async fn endless_redirects_end() {
    let stub = Stub::start(|_, turn| {
        answer(302, &[("location", &format!("/api/v4/projects/{turn}"))], "")
    })
    .await;
    let error = stub.client().version().await.expect_err("an error");
    assert!(matches!(error.cause(), Error::RedirectLoop { .. }), "{error:?}");
    assert_eq!(stub.asked().len(), 3 * 6);
}

#[tokio::test]
async fn base_with_a_sub_path_works() {
    let stub = Stub::start(|_, _| json(200, VERSION)).await;
    for base in ["/gitlab", "/gitlab/", "/gitlab/api/v4"] {
        client(settings(&format!("{}{base}", stub.url))).version().await.expect("a version");
        assert_eq!(stub.uris().pop().as_deref(), Some("/gitlab/api/v4/version"));
    }
}

#[tokio::test]
async fn throttle_answer_in_text_is_waited_out() {
    let stub = Stub::start(|_, turn| match turn {
        0 => answer(429, &[("content-type", "text/plain"), ("retry-after", "1")], "Retry later\n"),
        _ => json(200, VERSION),
    })
    .await;
    let client = stub.client();
    let began = Instant::now();
    client.version().await.expect("a version");
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(client.stats(), Stats { requests: 2, throttled: 1, retries: 1 });
}

#[tokio::test]
async fn throttle_answer_without_any_header_is_waited_out() {
    let body = r#"{"message":{"error":"This endpoint has been requested too many times."}}"#;
    let stub = Stub::start(move |_, turn| match turn {
        0 => json(429, body),
        _ => json(200, VERSION),
    })
    .await;
    let mut settings = settings(&stub.url);
    settings.unstated_pause = Duration::from_millis(1_500);
    let client = client(settings);
    let began = Instant::now();
    client.version().await.expect("a version");
    assert!(began.elapsed() >= Duration::from_millis(1_500));
    assert_eq!(client.stats().throttled, 1);
    assert!(client.budget().paused_routes.is_empty());
}

#[tokio::test]
async fn throttle_that_never_ends_is_given_up() {
    let stub = Stub::start(|_, _| answer(429, &[("retry-after", "0")], "Retry later\n")).await;
    let error = stub.client().version().await.expect_err("given up");
    assert!(matches!(error, Error::TooManyRetries { attempts: 4, .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Skip);
    assert_eq!(stub.asked().len(), 4);
}

#[tokio::test]
async fn bad_gateway_in_html_is_tried_again() {
    let stub = Stub::start(|_, turn| match turn {
        0 => answer(502, &[("content-type", "text/html")], "<html>GitLab is not responding</html>"),
        1 => answer(503, &[], ""),
        _ => json(200, VERSION),
    })
    .await;
    let client = stub.client();
    client.version().await.expect("a version");
    assert_eq!(client.stats(), Stats { requests: 3, throttled: 0, retries: 2 });
}

#[tokio::test]
async fn body_that_breaks_off_is_tried_again_in_every_form() {
    const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
        content-length: 21\r\nconnection: close\r\n\r\n{\"version\":\"19.0.0\"} ";
    for cut in [
        // Shorter than announced; a chunk that does not end; an end that nothing announced.
        &b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"ver"[..],
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
          transfer-encoding: chunked\r\n\r\n5\r\n{\"ver\r\n",
        b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"ver",
        b"HTTP/1.1 20",
        b"",
    ] {
        let url = raw_server(vec![cut, cut, WHOLE]);
        let version = client(settings(&url)).version().await.expect("a version");
        assert_eq!(version.version, "19.0.0", "{}", String::from_utf8_lossy(cut));
    }
}

#[tokio::test]
async fn refusal_that_breaks_off_is_tried_again_where_its_body_says_what_is_refused() {
    const WHOLE: &[u8] = b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\n\
        content-length: 35\r\nconnection: close\r\n\r\n{\"message\":\"404 Project Not Found\"}";
    for cut in [
        &b"HTTP/1.1 404 Not Found\r\ncontent-type: application/json\r\n\
          content-length: 99\r\n\r\n{\"mess"[..],
        b"HTTP/1.1 403 Forbidden\r\ncontent-type: application/json\r\n\
          transfer-encoding: chunked\r\n\r\n6\r\n{\"mess\r\n",
    ] {
        let url = raw_server(vec![cut, WHOLE]);
        let error = client(settings(&url)).version().await.expect_err("a refusal");
        assert!(error.is_absence(), "{error:?}");
    }
}

#[tokio::test]
async fn unreachable_host_stops_everything_and_names_itself() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let client = client(settings(&url));
    let error = client.version().await.expect_err("no server");
    assert_eq!(error.verdict(), Verdict::Abort);
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(chain(&error).contains(&url), "{}", chain(&error));
    assert!(error.hint().is_some());
}

#[tokio::test]
async fn host_that_never_answers_ends_in_bounded_time() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut settings = settings(&format!("http://{}", listener.local_addr().expect("an address")));
    settings.request_timeout = Duration::from_millis(50);
    let error = client(settings).version().await.expect_err("no answer");
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn oversized_body_is_refused_announced_or_not() {
    let large = "x".repeat(2_000);
    let stub = Stub::start(move |asked, _| {
        if asked.uri.ends_with("/version") {
            return answer(200, &[("content-type", "application/json")], &large);
        }
        let stream = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(100)));
        axum::response::Response::new(axum::body::Body::from_stream(stream))
    })
    .await;
    let mut settings = settings(&stub.url);
    settings.max_body_bytes = 1_000;
    let client = client(settings);
    let error = client.version().await.expect_err("too large");
    assert!(matches!(error.cause(), Error::BodyTooLarge { limit_bytes: 1_000, .. }), "{error:?}");
    let error = client.group("endless").await.expect_err("too large");
    assert!(matches!(error.cause(), Error::BodyTooLarge { .. }), "{error:?}");
    assert_eq!(error.verdict(), Verdict::Skip);
    assert_eq!(stub.asked().len(), 6, "again, in case it was chance");
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let stub = Stub::start(|asked, _| match asked.uri.rsplit('/').next() {
        Some("expired?with_projects=false") => json(
            401,
            r#"{"error":"invalid_token","error_description":"Token is expired. You can either…"}"#,
        ),
        Some("unknown?with_projects=false") => json(401, r#"{"message":"401 Unauthorized"}"#),
        Some("scope?with_projects=false") => {
            json(403, r#"{"error":"insufficient_scope","error_description":"…","scope":"api"}"#)
        }
        Some("gone?with_projects=false") => json(404, r#"{"message":"404 Group Not Found"}"#),
        Some("page?with_projects=false") => {
            answer(404, &[("content-type", "text/html")], "<html>nginx</html>")
        }
        Some("login?with_projects=false") => {
            answer(200, &[("content-type", "text/html")], "<html>Sign in</html>")
        }
        Some("self") => json(200, "{}"),
        _ => json(400, r#"{"error":"id is invalid"}"#),
    })
    .await;
    let client = stub.client();
    for (group, says, verdict) in [
        ("expired", "expired", Verdict::Skip),
        ("unknown", "not valid", Verdict::Skip),
        ("scope", "403", Verdict::Skip),
        ("gone", "Group not found", Verdict::Skip),
        ("page", "not GitLab's", Verdict::Skip),
        ("else", "id is invalid", Verdict::Skip),
        ("login", "does not come from GitLab's API (text/html)", Verdict::Skip),
    ] {
        let error = client.group(group).await.expect_err("refused");
        let text = chain(&error);
        assert!(text.contains(says) && text.contains(&format!("/groups/{group}")), "{text}");
        assert!(!text.contains("with_projects"), "no query string: {text}");
        assert_eq!(error.verdict(), verdict, "{text}");
    }
    // The two pages and the two refusals of a token that is valid elsewhere are asked for twice
    // more each: it may be chance.
    assert_eq!(client.stats().retries, 8);
}

#[tokio::test]
async fn token_is_asked_about_once_before_all_stops() {
    let dead = Stub::start(|_, _| json(401, r#"{"message":"401 Unauthorized"}"#)).await;
    let client = dead.client();
    let asked = futures_util::future::join_all((0..8).map(|_| client.version())).await;
    for error in asked {
        let error = error.expect_err("refused");
        assert!(matches!(error, Error::Unauthorized { is_final: true, .. }), "{error:?}");
        assert_eq!(error.verdict(), Verdict::Abort);
    }
    let looks = dead.uris().into_iter().filter(|uri| uri.contains("personal_access_tokens/self"));
    assert!(looks.count() < 8, "they share a look");

    let alive = Stub::start(|asked, _| {
        if asked.uri.contains("/groups/") {
            json(401, r#"{"message":"401 Unauthorized"}"#)
        } else {
            json(200, VERSION)
        }
    })
    .await;
    let client = alive.client();
    let error = client.group("shop").await.expect_err("refused");
    assert_eq!(error.verdict(), Verdict::Skip);
    client.version().await.expect("other routes work");
    let groups = alive.uris().into_iter().filter(|uri| uri.contains("/groups/"));
    assert_eq!(groups.count(), 3, "again, in case it was chance");
    let looks = alive.uris().into_iter().filter(|uri| uri.contains("personal_access_tokens/self"));
    assert_eq!(looks.count(), 1, "GitLab said that the token is valid");
}

#[tokio::test]
async fn refusals_by_chance_of_a_question_and_of_the_look_at_its_token_stop_nothing() {
    let stub = Stub::start(|_, turn| match turn {
        0 | 1 => json(401, r#"{"message":"401 Unauthorized"}"#),
        _ => json(200, VERSION),
    })
    .await;
    stub.client().version().await.expect("a version");
    let look = "/api/v4/personal_access_tokens/self";
    assert_eq!(stub.uris(), ["/api/v4/version", look, look, "/api/v4/version"]);
}

#[tokio::test]
async fn one_kind_of_trouble_after_the_other_spends_the_tries_of_each() {
    let stub = Stub::start(|asked, turn| match turn {
        0 | 4 => answer(200, &[("content-type", "text/html")], "<html>Sign in</html>"),
        1 | 5 => answer(302, &[("location", &asked.uri)], ""),
        2 => answer(403, &[], "<html>no</html>"),
        3 => json(409, r#"{"message":"409 Conflict: Resource lock"}"#),
        6 => answer(502, &[], ""),
        _ => json(200, VERSION),
    })
    .await;
    stub.client().version().await.expect("a version");
    assert_eq!(stub.asked().len(), 8);

    // All kinds together have their bound.
    let stub = Stub::start(|asked, turn| match turn % 4 {
        0 => answer(502, &[], ""),
        1 => json(500, "{}"),
        2 => answer(302, &[("location", &asked.uri)], ""),
        _ => json(409, "{}"),
    })
    .await;
    let error = stub.client().version().await.expect_err("given up");
    assert!(matches!(error, Error::TooManyRetries { attempts: 8, .. }), "{error:?}");
}

#[tokio::test]
async fn lock_is_waited_for() {
    let stub = Stub::start(|_, turn| match turn {
        0..5 => json(409, r#"{"message":"409 Conflict: Resource lock"}"#),
        _ => json(200, VERSION),
    })
    .await;
    stub.client().version().await.expect("a version");
    assert_eq!(stub.asked().len(), 6);
}

#[tokio::test]
async fn page_before_one_route_bars_that_route_and_no_other() {
    let stub = Stub::start(|asked, _| {
        if asked.uri.contains("/groups/") {
            answer(403, &[("content-type", "text/html")], "<html>no</html>")
        } else {
            json(200, VERSION)
        }
    })
    .await;
    let client = stub.client();
    let groups = futures_util::future::join_all((0..4).map(|_| client.group("shop"))).await;
    for error in groups {
        let error = error.expect_err("refused");
        assert!(matches!(error.cause(), Error::Blocked { .. }), "{error:?}");
        assert_eq!(error.verdict(), Verdict::Skip, "{error:?}");
    }
    assert!(stub.uris().iter().any(|uri| uri.ends_with("/version")), "GitLab was asked");

    let all = Stub::start(|_, _| answer(403, &[], "<html>no</html>")).await;
    let client = all.client();
    let versions = futures_util::future::join_all((0..4).map(|_| client.version())).await;
    assert!(versions.iter().any(|version| matches!(version, Err(Error::Barred { .. }))));
    let sign_in =
        Stub::start(|_, _| answer(200, &[("content-type", "text/html")], "<html>Sign in</html>"))
            .await;
    let client = sign_in.client();
    let versions = futures_util::future::join_all((0..4).map(|_| client.version())).await;
    assert!(versions.iter().any(|version| matches!(version, Err(Error::Barred { .. }))));
}

#[tokio::test]
async fn deploy_is_waited_out_without_losing_a_request() {
    use std::sync::atomic::AtomicBool;

    let is_down = Arc::new(AtomicBool::new(true));
    let stub = Stub::start({
        let is_down = Arc::clone(&is_down);
        move |_, turn| {
            if turn >= 30 {
                is_down.store(false, Ordering::SeqCst);
            }
            if is_down.load(Ordering::SeqCst) {
                return answer(502, &[("content-type", "text/html")], "<html>down</html>");
            }
            json(200, VERSION)
        }
    })
    .await;
    let mut settings = settings(&stub.url);
    settings.patience = Duration::from_mins(1);
    let client = client(settings);
    let answers = futures_util::future::join_all((0..40).map(|_| client.version())).await;
    for answer in answers {
        answer.expect("a version");
    }
    assert!(stub.asked().len() <= 30 + 40 + 8, "{}", stub.asked().len());
}

#[tokio::test]
async fn refusal_without_a_token_leaves_only_that_resource() {
    let stub = Stub::start(|_, _| json(401, r#"{"message":"401 Unauthorized"}"#)).await;
    let mut settings = settings(&stub.url);
    settings.keyring = Keyring::fixed(Credential::None);
    let error = client(settings).version().await.expect_err("refused");
    assert_eq!(error.verdict(), Verdict::Skip);
    assert!(matches!(error, Error::Unauthorized { reason: CredentialFault::Missing, .. }));
}

#[tokio::test]
async fn token_is_in_no_error_and_no_debug() {
    let stub = Stub::start(|asked, turn| match turn % 6 {
        0 => json(401, r#"{"message":"401 Unauthorized"}"#),
        1 => json(200, "{"),
        2 => answer(302, &[("location", "https://evil.example/?a=b")], ""),
        3 => answer(200, &[("content-type", "text/html")], "<html>"),
        4 => json(400, &asked.uri),
        _ => json(200, r#"{"id":"a","full_path":["b"]}"#),
    })
    .await;
    let client = stub.client();
    let mut texts = vec![format!("{client:?}"), format!("{:?}", settings(&stub.url))];
    for _ in 0..12 {
        if let Err(error) = client.group("shop").await {
            texts.push(chain(&error));
        }
    }
    let mut unreachable = settings("http://127.0.0.1:1");
    unreachable.keyring = Keyring::fixed(Credential::Bearer(TOKEN.into()));
    texts.push(chain(&self::client(unreachable).version().await.expect_err("no server")));
    assert!(texts.len() > 8);
    for text in texts {
        assert!(!text.contains("hunter2") && !text.contains("a=b"), "{text}");
    }
}

#[tokio::test]
async fn calls_can_be_made_from_any_task() {
    fn can_move<T: Send>(_: &T) {}
    let client = client(settings("http://127.0.0.1:1"));
    can_move(&client.version());
    can_move(&client.templates(crate::model::ProjectId::new(1), crate::model::ItemKind::Issue));
    can_move(&client.raw_file(crate::model::ProjectId::new(1), "a", None));
    assert_eq!(client.stats().requests, 0, "what is not awaited is not sent");
}

#[tokio::test]
async fn stated_limit_shows_in_the_budget() {
    let stub = Stub::start(|_, _| {
        answer(
            200,
            &[
                ("content-type", "application/json"),
                ("date", "Sun, 22 Nov 2026 12:00:10 GMT"),
                ("ratelimit-name", "throttle_authenticated_api"),
                ("ratelimit-limit", "2000"),
                ("ratelimit-observed", "41"),
                ("ratelimit-remaining", "1959"),
                ("ratelimit-reset", "1795348860"),
            ],
            VERSION,
        )
    })
    .await;
    let client = stub.client();
    client.version().await.expect("a version");
    let budget = client.budget();
    assert_eq!(budget.in_flight, 0);
    let window = &budget.windows[0];
    assert_eq!((window.limit, window.allowed, window.used), (2_000, 1_600, 41));
}

#[test]
fn settings_without_sense_are_refused() {
    let refused = |change: fn(&mut Settings)| {
        let mut settings = settings("https://gitlab.example.com");
        change(&mut settings);
        let clock = Arc::new(crate::clock::SystemClock);
        matches!(Client::new(settings, clock), Err(Error::Settings { .. }))
    };
    assert!(refused(|settings| settings.share = 0.0));
    assert!(refused(|settings| settings.share = 1.1));
    assert!(refused(|settings| settings.share = f64::NAN));
    assert!(refused(|settings| settings.concurrency = 0));
    assert!(refused(|settings| settings.concurrency = usize::MAX));
    assert!(refused(|settings| settings.requests_per_minute = 0));
    assert!(refused(|settings| settings.keyring = Keyring::fixed(Credential::Bearer("".into()))));
    assert!(!refused(|_| {}));
}

#[tokio::test]
async fn version_is_read() {
    let stub = Stub::start(|_, _| json(200, VERSION)).await;
    let version = stub.client().version().await.expect("a version");
    let expected = Version {
        version: "19.0.0-pre".to_owned(),
        revision: "3b95b4c0792".to_owned(),
        enterprise: Some(true),
    };
    assert_eq!(version, expected);
}
