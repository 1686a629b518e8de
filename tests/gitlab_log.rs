//! What the client logs at the finest level: enough to see what happened, and no secret.
//!
//! The one test of its process: what is logged where is a matter of the whole process, so that
//! another test beside it could take its lines away.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use xrefd::clock::SystemClock;
use xrefd::gitlab::{Client, Credential, Settings};

const TOKEN: &str = "glpat-hunter2";

/// Collects what is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Answers as a GitLab that is restarting, there, lacking a group, and behind a hostile proxy.
fn answer(turn: usize) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    match turn {
        0 => (StatusCode::BAD_GATEWAY, [(header::CONTENT_TYPE, "text/html")], "<html>")
            .into_response(),
        1 => (json, r#"{"version":"19.6.0","revision":"abc"}"#).into_response(),
        2 => {
            let id = [("x-request-id", "01ABC")];
            (StatusCode::NOT_FOUND, json, id, r#"{"message":"404 Group Not Found"}"#)
                .into_response()
        }
        _ => (StatusCode::FOUND, [(header::LOCATION, "https://evil.example/?a=b")]).into_response(),
    }
}

#[tokio::test]
async fn token_and_query_are_in_no_log_at_any_level() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("the only one of this process");

    let turn = AtomicUsize::new(0);
    let turn = Arc::new(turn);
    let app = Router::new().fallback(move || {
        let turn = turn.fetch_add(1, Ordering::SeqCst);
        async move { answer(turn) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    #[expect(clippy::disallowed_methods, reason = "it ends with the test")]
    tokio::spawn(async move { axum::serve(listener, app).await });

    let credential = Credential::PrivateToken(TOKEN.into());
    let settings = Settings::new(url.parse().expect("an address"), credential);
    let client = Client::new(settings, Arc::new(SystemClock)).expect("sound settings");
    client.version().await.expect("a version");
    client.group("shop").await.expect_err("not found");
    client.group("shop").await.expect_err("redirected");

    let text = String::from_utf8(log.0.lock().expect("not poisoned").clone()).expect("text");
    for told in [
        "gitlab.request{",
        "/groups/:x",
        "http.status=404",
        "wait_ms=",
        "duration_ms=",
        "bytes=",
        "gitlab.request_id=\"01ABC\"",
        "asking GitLab again",
    ] {
        assert!(text.contains(told), "{told} in {text}");
    }
    for secret in ["hunter2", "with_projects", "a=b"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
