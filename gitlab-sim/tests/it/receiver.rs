//! A receiver of webhooks on a loopback port, which answers as told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::task::JoinHandle;

/// What came.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub headers: HeaderMap,
    pub text: String,
}

impl Received {
    /// Returns a header, or nothing when it was not sent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Returns `X-Gitlab-Event`.
    pub fn event(&self) -> &str {
        self.header("x-gitlab-event").unwrap()
    }

    /// Returns the body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

/// How the receiver answers.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    Status(u16),
    /// Never.
    Stall,
    /// With a redirect to itself.
    Redirect,
}

#[derive(Debug, Default)]
struct Kept {
    received: Vec<Received>,
    next: VecDeque<Answer>,
    always: Option<Answer>,
}

/// The receiver. It stops when dropped.
pub struct Receiver {
    pub url: String,
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "the task is aborted when the receiver drops")]
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let kept = Arc::new(Mutex::new(Kept::default()));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&kept));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, kept, task }
    }

    /// Answers the next deliveries like this, and then with 200 again.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.kept.lock().unwrap().next.extend(answers);
    }

    /// Answers all deliveries like this from now on.
    pub fn always(&self, answer: Answer) {
        self.kept.lock().unwrap().always = Some(answer);
    }

    /// Returns what came since the last time.
    pub fn take(&self) -> Vec<Received> {
        std::mem::take(&mut self.kept.lock().unwrap().received)
    }

    /// Returns the bodies that came since the last time.
    pub fn bodies(&self) -> Vec<Value> {
        self.take().iter().map(Received::json).collect()
    }

    /// Returns the events that came since the last time.
    pub fn events(&self) -> Vec<String> {
        self.take().iter().map(|received| received.event().to_owned()).collect()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn receive(State(kept): State<Arc<Mutex<Kept>>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let answer = {
        let mut kept = kept.lock().unwrap();
        kept.received.push(Received {
            method: parts.method.to_string(),
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        });
        let usual = kept.always.unwrap_or(Answer::Status(200));
        kept.next.pop_front().unwrap_or(usual)
    };
    match answer {
        Answer::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Answer::Stall => std::future::pending().await,
        Answer::Redirect => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
    }
}
