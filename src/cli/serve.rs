//! `xrefd serve`: the daemon.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use super::Outcome;
use super::build::{self, Parts};
use crate::config::Environment;
use crate::crawl::{Crawler, Progress, Schedule, Silent, Status};
use crate::lifecycle::{Hangups, Lifecycle};
use crate::serve::{self, App};

/// Runs the command.
pub async fn run(config: Option<&Path>, environment: &Environment) -> anyhow::Result<Outcome> {
    build::log("info", environment)?;
    let parts = Parts::load(config, environment)?;
    parts.config.require_sources()?;
    tracing::info!(config = %parts.config.redacted(), "xrefd {} starts", env!("CARGO_PKG_VERSION"));
    let address = parts.config.server.listen;
    // Before the database: a second daemon is told so before it touches the first one's index.
    let listener = serve::bind(address).await.with_context(|| {
        format!("cannot listen on {address}: stop what holds it, or set [server] listen to another")
    })?;
    let _lock = parts.lock()?;
    let store = parts.open().await?;
    let silent: Arc<dyn Progress> = Arc::new(Silent);
    let crawlers = parts.crawlers(&store, &silent).await?;
    parts.forget_other_sources(&store).await?;
    let lifecycle = Lifecycle::default();
    let app = App {
        lookup: parts.lookup(store.clone()),
        keys: Arc::new(parts.config.api_keys.clone()),
        status: Status::of(&crawlers),
        hooks: Arc::new(parts.hook_secrets().await?),
        bodies: App::bodies(),
        start: rand::random(),
    };
    let stop = lifecycle.soft();
    // Before anybody knows that it runs: an unheard hangup would end it.
    let hangups = Hangups::listen();
    lifecycle.spawn("tokens", {
        let (crawlers, stop) = (crawlers.clone(), stop.clone());
        async move {
            reload_tokens(&crawlers, hangups, stop).await;
            Ok(())
        }
    });
    for crawler in &crawlers {
        let (crawler, stop) = (crawler.clone(), stop.clone());
        lifecycle.spawn("events", async move {
            Box::pin(crawler.read_marks(stop)).await;
            Ok(())
        });
    }
    let schedule = Schedule::new(crawlers, parts.config.schedule.clone(), parts.clock.clone());
    tracing::info!("listening on http://{}", listener.local_addr().unwrap_or(address));
    lifecycle.spawn("http", {
        let stop = stop.clone();
        async move { serve::serve(listener, app, stop).await.context("the HTTP server failed") }
    });
    lifecycle.spawn("schedule", async move {
        schedule.run(stop).await;
        Ok(())
    });
    let ended = lifecycle.run().await;
    store.close().await;
    ended?;
    tracing::info!("stopped");
    Ok(Outcome::Done)
}

/// Reads all tokens again at each hangup, until told to stop.
async fn reload_tokens(crawlers: &[Crawler], mut hangups: Hangups, stop: CancellationToken) {
    while stop.run_until_cancelled(hangups.next()).await.is_some() {
        tracing::info!("hangup: the tokens are read again");
        for crawler in crawlers {
            crawler.reload_token().await;
        }
    }
}
