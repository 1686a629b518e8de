//! A server for the client's tests: answers as told on a real port, and remembers what it was
//! asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Client, Credential, Settings};
use crate::clock::FakeClock;

/// The token of all tests, which must never be seen outside its header.
pub(super) const TOKEN: &str = "glpat-hunter2";

/// One request that came in.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Path and query.
    pub(super) uri: String,
    pub(super) headers: HeaderMap,
}

/// A running server.
pub(super) struct Stub {
    pub(super) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stub {
    /// Starts a server. `answer` gets the request and how many came before it.
    #[expect(clippy::disallowed_methods, reason = "the server is aborted with its handle")]
    pub(super) async fn start(
        answer: impl Fn(&Asked, usize) -> Response<Body> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        let router = Router::new().fallback(move |request: Request| {
            let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
            async move {
                let asked =
                    Asked { uri: request.uri().to_string(), headers: request.headers().clone() };
                let mut log = log.lock().expect("not poisoned");
                log.push(asked.clone());
                answer(&asked, log.len() - 1)
            }
        });
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the server runs until it is aborted");
        });
        Self { url, asked, task }
    }

    /// Returns what came in so far.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("not poisoned").clone()
    }

    /// Returns path and query of what came in so far.
    pub(super) fn uris(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.uri).collect()
    }

    /// Makes a client for this server.
    pub(super) fn client(&self) -> Client {
        client(settings(&self.url))
    }
}

/// Settings for tests: quick tries, a token.
pub(super) fn settings(url: &str) -> Settings {
    let url = url.parse().expect("an address");
    let mut settings = Settings::new(url, Credential::PrivateToken(TOKEN.into()));
    settings.backoff = Duration::from_millis(4);
    settings.request_timeout = Duration::from_secs(10);
    settings.patience = Duration::from_millis(400);
    settings.first_patience = Duration::from_millis(100);
    settings
}

/// Makes a client from settings.
pub(super) fn client(settings: Settings) -> Client {
    let noon = Timestamp::from_second(1_795_348_800).expect("a time");
    Client::new(settings, Arc::new(FakeClock::new(noon))).expect("a client")
}

/// An answer with headers.
pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body.to_owned())).expect("a valid answer")
}

/// An answer in JSON.
pub(super) fn json(status: u16, body: &str) -> Response<Body> {
    answer(status, &[("content-type", "application/json")], body)
}
