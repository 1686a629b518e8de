//! What is kept of every request, and how one is told from another.

use std::collections::BTreeSet;
use std::time::Duration;

use gitlab_sim::world::World;
use gitlab_sim::{Delay, Latency};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::client::{get, serve};

#[tokio::test]
async fn no_two_answers_have_the_same_request_id() {
    let gitlab = serve(World::new()).await;
    // All come before the first is answered.
    gitlab.set_latency(Latency::all(Delay::fixed(Duration::from_millis(100))));
    let replies = futures_util::future::join_all((0..20).map(|_| get(&gitlab, "/version"))).await;
    let ids: BTreeSet<&str> =
        replies.iter().map(|reply| reply.header("x-request-id").unwrap()).collect();
    assert_eq!(ids.len(), 20);
    gitlab.stop().await;
}

#[tokio::test]
async fn a_request_whose_client_did_not_wait_is_in_the_log() {
    let gitlab = serve(World::new()).await;
    gitlab.set_latency(Latency::all(Delay::fixed(Duration::from_hours(1))));
    let mut client = TcpStream::connect(gitlab.url().replace("http://", "")).await.unwrap();
    client.write_all(b"GET /api/v4/version HTTP/1.1\r\nhost: gitlab\r\n\r\n").await.unwrap();
    client.shutdown().await.unwrap();
    drop(client);
    while gitlab.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    let requests = gitlab.requests();
    assert_eq!((requests[0].path.as_str(), requests[0].status), ("/api/v4/version", 0));
    gitlab.stop().await;
}
