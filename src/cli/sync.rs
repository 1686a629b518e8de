//! `xrefd sync [--full]`.

use std::path::Path;
use std::time::Duration;

use clap::Args;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::Outcome;
use super::build::{self, Parts};
use super::output::{self, Format, plain};
use super::progress;
use crate::config::Environment;
use crate::crawl::{Crawler, Error, Pass, Status, Summary};
use crate::lifecycle;
use crate::lookup::{SourceStatus, StreamStatus, Viewer};
use crate::store::Store;
use crate::telemetry::chain;

/// How long a page under way may take after a signal.
const PATIENCE: Duration = Duration::from_secs(20);

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Read all comments again, also of items that did not change
    #[arg(long)]
    full: bool,
    /// How to print the summary [default: table on a terminal, else json]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// Runs the command.
pub async fn run(
    arguments: &Arguments,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    let pass = if arguments.full { Pass::Full } else { Pass::Sync };
    run_pass(pass, arguments.format, config, environment).await
}

/// Runs one pass over all sources, and prints its summary.
pub async fn run_pass(
    pass: Pass,
    format: Option<Format>,
    config: Option<&Path>,
    environment: &Environment,
) -> anyhow::Result<Outcome> {
    build::log("warn", environment)?;
    let parts = Parts::load(config, environment)?;
    parts.config.require_sources()?;
    let _lock = parts.lock()?;
    let store = parts.open().await?;
    let watched = progress::watch();
    let crawlers = parts.crawlers(&store, &watched).await?;
    parts.forget_other_sources(&store).await?;
    let status = Status::of(&crawlers);
    let summary = until_stopped(crawlers, pass).await;
    drop(watched);
    let streams = streams(&parts, &store, &status).await;
    store.close().await;
    let (summary, streams) = (summary?, streams?);
    match Format::settle(format) {
        Format::Json => output::json(&Told { summary: &summary, streams }),
        Format::Table => output::data(&shown(&summary)),
    }
    Ok(if summary.complete { Outcome::Done } else { Outcome::Incomplete })
}

/// What a sync prints as JSON.
#[derive(Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    streams: Vec<StreamOfSource>,
}

/// How far a list of a root of a source was read.
#[derive(Debug, Serialize)]
struct StreamOfSource {
    source: String,
    #[serde(flatten)]
    stream: StreamStatus,
}

/// Reads how far each list of each root of each source was read.
async fn streams(
    parts: &Parts,
    store: &Store,
    status: &Status,
) -> anyhow::Result<Vec<StreamOfSource>> {
    let moments = status.read().into_iter().map(|now| (now.name, now.at_gitlab)).collect();
    let everyone = Viewer { confidential: true, groups: None };
    let sources = parts.lookup(store.clone()).crawls(&everyone, &moments).await?;
    let of_source = |status: SourceStatus| {
        let SourceStatus { source, streams, .. } = status;
        streams.into_iter().map(move |stream| StreamOfSource { source: source.clone(), stream })
    };
    Ok(sources.into_iter().flat_map(of_source).collect())
}

/// Syncs all sources until a signal: then the page under way is stored, and the rest is for the
/// next sync.
pub async fn until_stopped(crawlers: Vec<Crawler>, pass: Pass) -> Result<Summary, Error> {
    let stop = CancellationToken::new();
    let syncs = sync_all(&crawlers, pass, &stop);
    tokio::pin!(syncs);
    tokio::select! {
        summary = &mut syncs => summary,
        () = lifecycle::signal() => {
            stop.cancel();
            tokio::time::timeout(PATIENCE, syncs).await.unwrap_or(Err(Error::Stopped))
        }
    }
}

/// Syncs all sources. One that fails does not keep the others from being read; when all fail, the
/// first failure is the result.
async fn sync_all(
    crawlers: &[Crawler],
    pass: Pass,
    stop: &CancellationToken,
) -> Result<Summary, Error> {
    let mut total = Summary { complete: true, ..Summary::default() };
    let mut failures = Vec::new();
    for crawler in crawlers {
        match crawler.sync(pass, stop).await {
            Ok(summary) => total = total.and(summary),
            Err(Error::Stopped) => return Err(Error::Stopped),
            Err(error) => {
                total = total.and_failed(crawler.name(), chain(&error));
                failures.push(error);
            }
        }
    }
    if failures.len() == crawlers.len()
        && let Some(first) = failures.into_iter().next()
    {
        return Err(first);
    }
    Ok(total)
}

/// Shows a summary.
pub fn shown(summary: &Summary) -> String {
    let mut lines = vec![format!(
        "{} projects, {} issues, {} merge requests, {} references; {} removed\n\
         {} requests ({} throttled) in {:.1} s; {}",
        summary.projects,
        summary.issues,
        summary.merge_requests,
        summary.references,
        summary.removed,
        summary.requests,
        summary.throttled,
        Duration::from_millis(summary.duration_ms).as_secs_f64(),
        if summary.complete { "complete" } else { "incomplete" }
    )];
    for error in &summary.errors {
        let again = error.retry_at.map(|at| format!(" (again from {at:.0})")).unwrap_or_default();
        lines.push(format!(
            "could not read {} of {}: {}{again}",
            plain(&error.stream),
            plain(&error.subject),
            plain(&error.reason)
        ));
    }
    lines.join("\n")
}
