//! Every fault as a client meets it, and the plan by which they strike.

use std::time::Duration;

use gitlab_sim::faults::{
    Fault, FaultKind, FaultProfile, FaultSchedule, Heavy, Refusal, RequestKind, Requests,
};
use gitlab_sim::world::{NewIssue, NewProject, World};
use gitlab_sim::{Clock, Delay, GitLab, Latency, Options};
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::client::{fetch, get, serve};

async fn shop() -> (GitLab, Clock) {
    let clock = Clock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let mut world = World::with_clock(clock.clone());
    let project = world.add_project(NewProject::at("acme/shop/web"));
    for number in 0..5 {
        world.add_issue(project, NewIssue::new(&format!("Issue {number}")));
    }
    (serve(world).await, clock)
}

async fn struck_by(kind: FaultKind) -> GitLab {
    let (gitlab, _) = shop().await;
    gitlab.faults().add(Fault::new(kind));
    gitlab
}

/// Speaks HTTP by hand and returns all that comes, and how it ends.
async fn raw(gitlab: &GitLab, path: &str) -> (String, std::io::Result<()>) {
    let address = gitlab.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: gitlab\r\nprivate-token: {}\r\nconnection: close\r\n\r\n",
        gitlab.token()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await.map(drop);
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

fn parts(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n\r\n").unwrap_or((answer, ""))
}

#[tokio::test]
async fn a_proxy_answers_in_html() {
    for (status, title) in [
        (502, "502 Bad Gateway"),
        (503, "503 Service Temporarily Unavailable"),
        (504, "504 Gateway Time-out"),
    ] {
        let gitlab = struck_by(FaultKind::Html { status }).await;
        let reply = get(&gitlab, "/projects").await;
        assert_eq!((reply.status, reply.header("content-type")), (status, Some("text/html")));
        assert!(reply.text.contains(title), "{}", reply.text);
        assert_eq!(gitlab.requests()[0].faults, ["html"]);
        assert_eq!(gitlab.requests()[0].user.as_deref(), Some("xrefd-bot"));
    }
}

#[tokio::test]
async fn gitlab_itself_fails_in_json() {
    for (kind, status, body) in [
        (FaultKind::ServerError, 500, r#"{"message":"500 Internal Server Error"}"#),
        (FaultKind::Timeout, 408, r#"{"message":{"error":"Request timed out"}}"#),
        (FaultKind::Locked, 409, r#"{"message":"409 Conflict: Resource lock"}"#),
    ] {
        let gitlab = struck_by(kind).await;
        let reply = get(&gitlab, "/groups/acme/issues").await;
        assert_eq!((reply.status, reply.text.as_str()), (status, body));
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert!(reply.header("x-request-id").is_some(), "it is GitLab that answers");
        assert_eq!((reply.header("link"), reply.header("x-total")), (None, None));
    }
}

#[tokio::test]
async fn an_expired_token_is_refused_from_then_on_everywhere() {
    let (gitlab, _) = shop().await;
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    gitlab.faults().add(Fault::new(FaultKind::ExpiredToken));
    for path in ["/projects", "/version", "/nowhere"] {
        let reply = get(&gitlab, path).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]),
            (401, &"invalid_token".into()),
            "{path}"
        );
        assert!(reply.header("www-authenticate").is_some());
    }
}

#[tokio::test]
async fn a_blocked_address_gets_403_on_every_url() {
    let gitlab = struck_by(FaultKind::Blocked).await;
    for url in ["/api/v4/version", "/", "/users/sign_in"] {
        let reply = fetch(&format!("{}{url}", gitlab.url()), &[]).await;
        assert_eq!((reply.status, reply.text.as_str()), (403, "Forbidden\n"));
    }
}

#[tokio::test]
async fn a_forced_429_comes_in_both_forms() {
    let throttle = FaultKind::TooMany { form: Refusal::Throttle, retry_after: Some(7) };
    let reply = get(&struck_by(throttle).await, "/projects").await;
    assert_eq!((reply.status, reply.text.as_str()), (429, "Retry later\n"));
    assert_eq!(reply.header("retry-after"), Some("7"));
    let application = FaultKind::TooMany { form: Refusal::Application, retry_after: None };
    let reply = get(&struck_by(application).await, "/projects").await;
    assert_eq!(reply.status, 429);
    assert!(reply.json()["message"]["error"].as_str().unwrap().contains("too many times"));
    assert_eq!(reply.header("retry-after"), None);
}

#[tokio::test]
async fn a_sign_in_page_comes_with_200() {
    let reply = get(&struck_by(FaultKind::Login).await, "/projects").await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/html")));
    assert!(reply.text.contains("Sign in"));
}

#[tokio::test]
async fn a_cut_body_is_shorter_than_was_promised() {
    let gitlab = struck_by(FaultKind::Cut).await;
    let (answer, end) = raw(&gitlab, "/api/v4/projects").await;
    end.unwrap();
    let (head, body) = parts(&answer);
    let promised: usize = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(!body.is_empty() && body.len() < promised, "{} of {promised}", body.len());
    assert_eq!(gitlab.requests()[0].size_bytes, Some(promised as u64));
}

#[tokio::test]
async fn a_chunked_body_is_cut_before_its_last_chunk() {
    let gitlab = struck_by(FaultKind::CutChunked).await;
    let (answer, _) = raw(&gitlab, "/api/v4/projects").await;
    let (head, body) = parts(&answer);
    assert!(head.to_lowercase().contains("transfer-encoding: chunked"), "{head}");
    assert!(!body.is_empty() && !body.ends_with("0\r\n\r\n"), "{body}");
}

#[tokio::test]
async fn a_connection_is_reset_before_the_head_or_after_it() {
    let gitlab = struck_by(FaultKind::Reset).await;
    let (answer, end) = raw(&gitlab, "/api/v4/projects").await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(answer, "");
    assert_eq!(gitlab.requests()[0].status, 0, "nothing was answered");

    let gitlab = struck_by(FaultKind::ResetAfterHead).await;
    let (answer, end) = raw(&gitlab, "/api/v4/projects").await;
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn a_stall_ends_when_the_simulator_stops() {
    for (kind, status) in [(FaultKind::Stall, 0), (FaultKind::StallInBody, 200)] {
        let gitlab = std::sync::Arc::new(struck_by(kind).await);
        let asked = {
            let gitlab = std::sync::Arc::clone(&gitlab);
            async move { raw(&gitlab, "/api/v4/projects").await }
        };
        let watcher = std::sync::Arc::clone(&gitlab);
        let logged = async move {
            while watcher.requests().is_empty() {
                tokio::task::yield_now().await;
            }
            assert_eq!(watcher.requests()[0].status, status);
        };
        let mut asked = Box::pin(asked);
        tokio::select! {
            answer = &mut asked => panic!("answered: {answer:?}"),
            () = logged => {}
        }
        // The request still holds its half of the handle; what it waits for ends by the stop.
        let address = gitlab.url().replace("http://", "");
        drop(asked);
        std::sync::Arc::into_inner(gitlab).unwrap().stop().await;
        assert!(TcpStream::connect(address).await.is_err(), "the port is free");
    }
}

#[tokio::test]
async fn a_client_that_waits_is_cut_off_by_the_stop() {
    let gitlab = struck_by(FaultKind::Stall).await;
    let address = gitlab.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/v4/version HTTP/1.1\r\nhost: gitlab\r\n\r\n").await.unwrap();
    while gitlab.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let mut bytes = Vec::new();
    let (end, ()) = tokio::join!(stream.read_to_end(&mut bytes), gitlab.stop());
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn a_slow_body_comes_whole() {
    let (gitlab, _) = shop().await;
    let plain = get(&gitlab, "/groups/acme/issues").await.text;
    gitlab.faults().add(Fault::new(FaultKind::Slow { bytes_per_second: 50_000 }));
    let reply = get(&gitlab, "/groups/acme/issues").await;
    assert_eq!(reply.text, plain);
    assert_eq!(reply.header("content-length"), Some(plain.len().to_string().as_str()));
}

#[tokio::test]
async fn an_oversized_body_is_still_json() {
    let gitlab = struck_by(FaultKind::Oversized { bytes: 300_000 }).await;
    let reply = get(&gitlab, "/projects").await;
    assert_eq!(reply.text.len(), 300_000);
    assert_eq!(reply.texts("path_with_namespace"), ["acme/shop/web"]);
}

#[tokio::test]
async fn an_endless_body_goes_on_until_the_client_gives_up() {
    let gitlab = struck_by(FaultKind::Endless).await;
    let address = gitlab.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET /api/v4/projects HTTP/1.1\r\nhost: gitlab\r\n\r\n").await.unwrap();
    let mut bytes = vec![0; 1_000_000];
    stream.read_exact(&mut bytes).await.unwrap();
    drop(stream);
    gitlab.faults().clear();
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
    gitlab.stop().await;
}

#[tokio::test]
async fn content_is_not_what_it_says() {
    let (gitlab, _) = shop().await;
    let plain = get(&gitlab, "/projects").await;
    let meet = async |kind| {
        gitlab.faults().clear();
        gitlab.faults().add(Fault::new(kind));
        get(&gitlab, "/projects").await
    };
    let reply = meet(FaultKind::WrongType { content_type: "text/plain".to_owned() }).await;
    assert_eq!((reply.header("content-type"), &reply.text), (Some("text/plain"), &plain.text));
    let reply = meet(FaultKind::Truncated).await;
    assert_eq!(reply.text, plain.text[..plain.text.len() / 2]);
    assert_eq!(reply.header("content-length"), Some(reply.text.len().to_string().as_str()));
    let reply = meet(FaultKind::Empty { status: 200 }).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    let reply = meet(FaultKind::Empty { status: 204 }).await;
    assert_eq!((reply.status, reply.text.as_str()), (204, ""));
    assert!(raw_body(&meet(FaultKind::ByteOrderMark).await.text).starts_with('['));
    let marked = raw(&gitlab, "/api/v4/projects").await.0;
    assert!(parts(&marked).1.starts_with("\u{feff}["), "{marked}");
}

fn raw_body(text: &str) -> &str {
    text.trim_start_matches('\u{feff}')
}

#[tokio::test]
async fn links_lead_astray() {
    let (gitlab, _) = shop().await;
    let path = "/groups/acme/issues?per_page=2&page=2";
    let id = gitlab
        .faults()
        .add(Fault::new(FaultKind::LinkHost { url: "https://other.example".to_owned() }));
    let next = get(&gitlab, path).await.link("next").unwrap();
    assert!(next.starts_with("https://other.example/api/v4/groups/acme/issues?"), "{next}");
    assert!(gitlab.faults().remove(id));
    gitlab.faults().add(Fault::new(FaultKind::LinkLoop));
    let reply = get(&gitlab, path).await;
    assert_eq!(reply.link("next").unwrap(), format!("{}/api/v4{path}", gitlab.url()));
    assert_eq!(reply.header("x-next-page"), Some("2"));
}

#[tokio::test]
async fn a_proxy_that_decodes_slashes_hides_projects_by_path_but_not_by_number() {
    let (gitlab, _) = shop().await;
    assert_eq!(get(&gitlab, "/projects/acme%2Fshop%2Fweb").await.status, 200);
    gitlab.faults().add(Fault::new(FaultKind::DecodedSlashes));
    let reply = get(&gitlab, "/projects/acme%2Fshop%2Fweb").await;
    assert_eq!((reply.status, reply.text.as_str()), (404, r#"{"error":"404 Not Found"}"#));
    assert_eq!(get(&gitlab, "/projects/1").await.status, 200);
    assert!(gitlab.requests()[1].path.ends_with("acme%2Fshop%2Fweb"), "logged as sent");
}

#[tokio::test]
async fn merge_request_lists_time_out_unless_the_question_is_narrowed() {
    let (gitlab, _) = shop().await;
    let heavy =
        Heavy { per_page_over: Some(50), window_over: Some(SignedDuration::from_hours(48)) };
    let lists = Requests::path("*/merge_requests").heavy(heavy);
    gitlab.faults().add(Fault::new(FaultKind::Timeout).on(lists));
    let ask = async |query: &str| {
        get(&gitlab, &format!("/groups/acme/merge_requests?{query}")).await.status
    };
    assert_eq!(ask("per_page=100&updated_after=2026-11-22T00:00:00Z").await, 408);
    assert_eq!(ask("per_page=50&updated_after=2026-01-01").await, 408);
    assert_eq!(ask("per_page=50&updated_after=2026-11-22T00:00:00Z").await, 200);
    assert_eq!(get(&gitlab, "/groups/acme/issues?per_page=100").await.status, 200);
}

#[tokio::test]
async fn a_fault_strikes_whom_and_when_it_is_told() {
    let (gitlab, clock) = shop().await;
    let ann = {
        let mut world = gitlab.world();
        let ann = world.add_user("ann");
        world.add_token(ann, &["read_api"], None)
    };
    let faults = gitlab.faults();
    let error = || Fault::new(FaultKind::ServerError);
    let lists = Requests::kind(RequestKind::List).user("xrefd-bot").method("get");
    faults.add(error().on(lists).every(2).times(1));
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(get(&gitlab, "/projects").await.status);
        let token = [("private-token", ann.as_str())];
        let other = fetch(&format!("{}/api/v4/projects", gitlab.url()), &token).await;
        assert_eq!(other.status, 200, "ann is not meant");
        assert_eq!(get(&gitlab, "/version").await.status, 200, "no list");
    }
    assert_eq!(statuses, [200, 500, 200, 200]);
    assert_eq!((faults.list()[0].met, faults.list()[0].struck), (4, 1));
    faults.clear();

    let window = "2026-11-22T10:05:00Z".parse().unwrap()..="2026-11-22T10:06:00Z".parse().unwrap();
    faults.add(error().between(*window.start(), *window.end()));
    assert_eq!(get(&gitlab, "/version").await.status, 200);
    clock.set(*window.start());
    assert_eq!(get(&gitlab, "/version").await.status, 500);
    clock.set(*window.end());
    assert_eq!(get(&gitlab, "/version").await.status, 200);
}

#[tokio::test]
async fn a_seeded_schedule_strikes_the_same_requests_again() {
    let run = async |seed| {
        let (gitlab, _) = shop().await;
        gitlab.faults().follow(FaultSchedule::seeded(seed, FaultProfile::Rough));
        for _ in 0..150 {
            // Some of them break, which is the point.
            let _ = raw(&gitlab, "/api/v4/version").await;
        }
        gitlab.requests().iter().map(|request| request.faults.clone()).collect::<Vec<_>>()
    };
    let first = run(4).await;
    assert!(first.iter().any(|faults| !faults.is_empty()));
    assert_eq!(first, run(4).await);
}

#[tokio::test]
async fn a_request_that_is_to_wait_an_hour_is_not_answered_while_others_are() {
    let (gitlab, _) = shop().await;
    let wait = Delay::fixed(Duration::from_hours(1));
    gitlab.set_latency(Latency { single: wait, ..Latency::default() });
    let others = async {
        for _ in 0..50 {
            assert_eq!(get(&gitlab, "/projects").await.status, 200);
        }
    };
    tokio::select! {
        reply = get(&gitlab, "/projects/1") => panic!("it did not wait: {}", reply.status),
        () = others => {}
    }
    assert_eq!(gitlab.requests_for("/projects/1"), 0, "what waits is not in the log yet");
    gitlab.set_latency(Latency::default());
    assert_eq!(get(&gitlab, "/projects/1").await.status, 200);
}

#[tokio::test]
async fn a_log_with_a_bound_keeps_the_latest() {
    let options = Options { log_size: Some(3), ..Options::default() };
    let gitlab = GitLab::start(World::new(), options).await.unwrap();
    for page in 1..=5 {
        get(&gitlab, &format!("/projects?page={page}")).await;
    }
    let queries: Vec<String> = gitlab.requests().into_iter().map(|row| row.query).collect();
    assert_eq!(queries, ["page=3", "page=4", "page=5"]);
}
