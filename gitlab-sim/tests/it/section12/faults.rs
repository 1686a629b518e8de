//! Points of section 12 about failures of the instance.

use gitlab_sim::faults::{Fault, FaultKind, FaultProfile, FaultSchedule, Requests};
use gitlab_sim::world::{NewProject, World};
use gitlab_sim::{Clock, GitLab};
use jiff::SignedDuration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::client::{get, serve};

async fn instance() -> (GitLab, Clock) {
    let clock = Clock::at("2026-11-22T10:00:00Z".parse().unwrap());
    let mut world = World::with_clock(clock.clone());
    world.add_project(NewProject::at("acme/shop/web"));
    (serve(world).await, clock)
}

#[tokio::test]
async fn point_29_a_deploy_answers_everything_with_html_until_its_seconds_are_over() {
    let (gitlab, clock) = instance().await;
    let deploy = |status, seconds| {
        Fault::new(FaultKind::Html { status }).lasting(SignedDuration::from_secs(seconds)).first(1)
    };
    for (status, seconds) in [(502, 5), (503, 60)] {
        gitlab.faults().clear();
        gitlab.faults().add(deploy(status, seconds));
        for path in ["/projects", "/groups/acme/issues", "/version"] {
            let reply = get(&gitlab, path).await;
            assert_eq!((reply.status, reply.header("content-type")), (status, Some("text/html")));
            assert!(reply.text.starts_with("<html>"), "{}", reply.text);
        }
        clock.advance(SignedDuration::from_secs(seconds - 1));
        assert_eq!(get(&gitlab, "/projects").await.status, status);
        clock.advance(SignedDuration::from_secs(1));
        assert_eq!(get(&gitlab, "/projects").await.status, 200, "the deploy is over");
    }
}

/// Asks by hand for the version on a connection of its own, and returns what comes of the answer.
async fn raw(gitlab: &GitLab, path: &str, headers: &str) -> String {
    let address = gitlab.url().replace("http://", "");
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let token = gitlab.token();
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: gitlab\r\nprivate-token: {token}\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    // A connection that is reset ends with an error, after what came before.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn point_29_a_seeded_schedule_has_such_deploys() {
    let (gitlab, clock) = instance().await;
    clock.run_from("2026-11-22T10:00:00Z".parse().unwrap());
    gitlab.faults().follow(FaultSchedule::seeded(1, FaultProfile::Rough));
    let mut longest = 0;
    let mut burst = 0;
    for _ in 0..300 {
        clock.skip(SignedDuration::from_secs(5));
        let answer = raw(&gitlab, "/api/v4/version", "connection: close\r\n").await;
        burst = if answer.contains("content-type: text/html") { burst + 1 } else { 0 };
        longest = longest.max(burst);
    }
    assert!((2..=13).contains(&longest), "bursts of up to {longest} times five seconds");
}

#[tokio::test]
async fn point_29_a_json_500_and_a_408_of_merge_request_lists() {
    let (gitlab, _) = instance().await;
    gitlab.faults().add(Fault::new(FaultKind::ServerError).on(Requests::path("*/issues")));
    gitlab.faults().add(Fault::new(FaultKind::Timeout).on(Requests::path("*/merge_requests")));
    let reply = get(&gitlab, "/groups/acme/issues").await;
    assert_eq!(reply.status, 500);
    assert_eq!(reply.json()["message"], "500 Internal Server Error");
    let reply = get(&gitlab, "/groups/acme/merge_requests").await;
    assert_eq!(reply.status, 408);
    assert_eq!(reply.json()["message"]["error"], "Request timed out");
    assert_eq!(get(&gitlab, "/projects").await.status, 200);
}

#[tokio::test]
async fn point_29_a_connection_is_cut_in_the_middle_of_a_body() {
    let (gitlab, _) = instance().await;
    for kind in [FaultKind::Cut, FaultKind::CutChunked] {
        gitlab.faults().clear();
        gitlab.faults().add(Fault::new(kind));
        // The connection was to stay open, so its end is the cut.
        let answer = raw(&gitlab, "/api/v4/projects", "").await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(body.contains("acme") && !body.ends_with("0\r\n\r\n"), "{body}");
        assert!(serde_json::from_str::<serde_json::Value>(body).is_err());
    }
}
