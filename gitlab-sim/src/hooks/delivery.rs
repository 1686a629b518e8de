//! The task that delivers.
//!
//! Hooks are served side by side, the events of one hook one after the other. Told to stop, it
//! cuts what is under way and forgets what waits: a simulator that goes down owes nobody anything.

use std::error::Error;
use std::fmt::Write;
use std::sync::Arc;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use reqwest::{Client, redirect};
use tokio_util::sync::CancellationToken;

use super::log::Outcome;
use super::registry::{Attempt, Registry};
use super::sender::Job;

/// How much of an answer is read, in bytes. What follows is left unread.
const MAX_ANSWER: usize = 64 * 1024;

/// Delivers until told to stop.
pub(crate) async fn deliver(registry: Arc<Registry>, stop: CancellationToken) {
    let mut client = None;
    let mut under_way = FuturesUnordered::new();
    loop {
        for job in registry.take(under_way.len()) {
            // Made on the first delivery: reading the certificates of the system takes a while,
            // and most simulators have no hooks.
            let client = client.get_or_insert_with(new_client).clone();
            under_way.push(run(&registry, client, job));
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = registry.wake.notified() => {}
            Some(()) = under_way.next() => {}
        }
    }
}

fn new_client() -> Result<Client, String> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(|error| chain(&error))
}

/// Delivers one event to one hook, more than once if need be.
async fn run(registry: &Registry, client: Result<Client, String>, job: Job) {
    let mut succeeded = None;
    for number in 1.. {
        let Some(attempt) = registry.prepare(&job, number) else {
            break;
        };
        let outcome = match &client {
            Ok(client) => post(client, &attempt, &job.body).await,
            Err(reason) => Outcome::NoAnswer(reason.clone()),
        };
        succeeded = Some(outcome.succeeded());
        if !registry.record(&job, number, attempt, outcome) {
            break;
        }
    }
    registry.finish(&job, succeeded);
}

#[expect(
    clippy::disallowed_methods,
    reason = "the simulator is the server here: nobody paces what it tells others"
)]
async fn post(client: &Client, attempt: &Attempt, body: &str) -> Outcome {
    let mut request = client.post(&attempt.url).timeout(attempt.timeout).body(body.to_owned());
    for (name, value) in &attempt.headers {
        request = request.header(name, value);
    }
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) => return failure(error),
    };
    let mut read = 0;
    while read < MAX_ANSWER {
        match answer.chunk().await {
            Ok(Some(bytes)) => read += bytes.len(),
            Ok(None) => break,
            Err(error) => return failure(error),
        }
    }
    Outcome::Answered(answer.status().as_u16())
}

fn failure(error: reqwest::Error) -> Outcome {
    if error.is_timeout() {
        return Outcome::TimedOut;
    }
    Outcome::NoAnswer(chain(&error.without_url()))
}

/// Returns an error with its causes.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to a string cannot fail");
        cause = error.source();
    }
    text
}
