//! Bad input, through the real binary: each message names the thing, the cause and the next step,
//! the exit code is the contract's, and stdout holds only data.

#![allow(missing_docs)]

#[path = "support/command.rs"]
mod command;
#[path = "bad_input/configuration.rs"]
mod configuration;
#[path = "bad_input/gitlab.rs"]
mod gitlab;
#[path = "bad_input/index.rs"]
mod index;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use command::{Ran, Sandbox};
use gitlab_sim::world::{NewIssue, NewProject, World};
use gitlab_sim::{GitLab, Options};
use tokio::net::TcpSocket;

/// A configuration with one GitLab. `more` are further lines of its section, then other sections.
fn source(url: &str, more: &str) -> String {
    format!("[[gitlab]]\nurl = \"{url}\"\ntoken = {{ env = \"TOKEN\" }}\n{more}\n")
}

/// A command that failed: nothing on stdout, and these words on stderr.
fn failed(ran: Ran, code: i32, words: &[&str]) {
    let ran = ran.expect(code);
    assert_eq!(ran.stdout, "", "{ran:#?}");
    for word in words {
        assert!(ran.stderr.contains(word), "`{word}` is not said: {ran:#?}");
    }
    assert!(!ran.stderr.contains("panicked"), "{ran:#?}");
}

/// Syncs with this configuration and the token `glpat-anything`.
async fn sync(config: &str) -> Ran {
    Sandbox::new(config).with("TOKEN", "glpat-anything").run(&["sync"]).await
}

/// An address at which nothing listens. The port stays taken as long as the socket lives, so that
/// no other test comes to listen there.
fn closed() -> (String, TcpSocket) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    (format!("http://{}", socket.local_addr().expect("a bound port")), socket)
}

/// A small organisation: one group, one project, one issue.
fn shop() -> World {
    let mut world = World::new();
    let webshop = world.add_project(NewProject::at("shop/webshop").topics(["service-webshop"]));
    world.add_issue(webshop, NewIssue::new("Checkout is slow"));
    world
}

async fn start(world: World) -> GitLab {
    GitLab::start(world, Options::default()).await.expect("a free port")
}

/// Starts a server that is no GitLab: it gives the same answer to everything. Returns its address
/// and the count of requests.
#[expect(clippy::disallowed_methods, reason = "the server ends with the test's runtime")]
async fn stranger(
    answer: impl Fn(&Uri, &HeaderMap) -> Response + Clone + Send + Sync + 'static,
) -> (String, Arc<AtomicUsize>) {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("a bound port"));
    let count = Arc::new(AtomicUsize::new(0));
    let router = Router::new().fallback({
        let count = Arc::clone(&count);
        move |uri: Uri, headers: HeaderMap| {
            count.fetch_add(1, Ordering::SeqCst);
            let answer = answer(&uri, &headers);
            async move { answer }
        }
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, count)
}
