//! `GET /metrics`: the figures of this process for Prometheus.
//!
//! As open as `/healthz` while no API key is configured, which is possible on a loopback address
//! only. With keys, one with the scope `read` is needed that is not limited to groups: the figures
//! are of all sources, and cannot be told apart by group. Labels are sources, route templates,
//! statuses, GitLab's names of throttles and the roots that the configuration names; no
//! other project.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;

use super::caller::Caller;
use super::{App, Problem, v1};
use crate::crawl::SourceNow;
use crate::crawl::status::DURATION_BOUNDS;
use crate::lookup::{SourceStatus, StreamState, Viewer};
use crate::telemetry::metrics::{CONTENT_TYPE, Distribution, Families, Labels};

/// A day without leap seconds, which is what `expires_at` counts in.
const SECONDS_OF_A_DAY: f64 = 86_400.0;

/// The origin of roots that the configuration names: few, and they stay.
const CONFIGURED: &str = "configured";

/// Answers with all metrics.
pub async fn metrics(State(app): State<App>, caller: Caller) -> Result<Response, Problem> {
    if caller.viewer.groups.is_some() {
        return Err(Problem::forbidden("read, without a limit to groups"));
    }
    let mut families = Families::default();
    families.set(
        "build_info",
        "The version that runs.",
        vec![("version", env!("CARGO_PKG_VERSION").to_owned())],
        1.0,
    );
    let everyone = Viewer { confidential: true, groups: None };
    for source in app.lookup.crawls(&everyone, &v1::moments(&app)).await? {
        streams(&source, &mut families);
        let labels = vec![("source", source.source)];
        families.set(
            "source_problems",
            "Parts that could not be read in the last sync.",
            labels.clone(),
            count(source.problems.len() as u64),
        );
        for (name, help, at) in [
            (
                "source_synced_timestamp_seconds",
                "Start of the last sync that ended, in seconds since 1970.",
                source.as_of,
            ),
            (
                "source_complete_timestamp_seconds",
                "Start of the last sync that read everything, in seconds since 1970.",
                source.complete_as_of,
            ),
        ] {
            if let Some(at) = at {
                families.set(name, help, labels.clone(), at.as_duration().as_secs_f64());
            }
        }
    }
    for now in app.status.read() {
        gather(&now, &mut families);
    }
    let text = families.write().expect("a text in memory takes what is written");
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response())
}

/// Gathers how far the lists of a source were read. Roots of single projects that nobody named come
/// and go, and are as many as there are projects: they are counted, not named.
fn streams(source: &SourceStatus, families: &mut Families) {
    let mut unnamed = 0;
    for stream in &source.streams {
        if stream.origin != CONFIGURED {
            unnamed += u64::from(stream.state != StreamState::Incremental);
            continue;
        }
        let labels = vec![
            ("source", source.source.clone()),
            ("root", stream.root.clone()),
            ("stream", stream.stream.clone()),
        ];
        if let Some(at) = stream.watermark {
            families.set(
                "stream_watermark_timestamp_seconds",
                "Every change before this was read, by GitLab's clock, in seconds since 1970.",
                labels.clone(),
                at.as_duration().as_secs_f64(),
            );
        }
        if let Some(lag) = stream.lag_seconds {
            families.set(
                "stream_lag_seconds",
                "How long ago that is, in seconds.",
                labels.clone(),
                count(lag),
            );
        }
        let gaps = stream.incomplete.as_ref().map_or(0, |gap| gap.parts);
        families.set(
            "stream_problems",
            "Parts of the list that could not be read in the last sync.",
            labels,
            count(gaps),
        );
    }
    families.set(
        "streams_unread",
        "Lists of projects on their own that were not read to their end yet.",
        vec![("source", source.source.clone())],
        count(unnamed),
    );
}

/// Gathers the figures of one source.
fn gather(now: &SourceNow, families: &mut Families) {
    let source = || vec![("source", now.name.clone())];
    requests(now, families);
    families.count(
        "gitlab_throttled",
        "Throttle answers (429) of GitLab.",
        source(),
        now.stats.throttled,
    );
    families.count(
        "gitlab_retries",
        "Requests that repeat one that failed.",
        source(),
        now.stats.retries,
    );
    budget(now, families);
    for part in &now.capabilities.unavailable {
        let mut labels = source();
        labels.push(("part", part.feature.as_str().to_owned()));
        labels.push(("lack", part.lack.as_str().to_owned()));
        families.set("gitlab_unavailable", "Parts that are not to be had.", labels, 1.0);
    }
    events(now, families);
    token(now, families);
    let activity = &now.activity;
    let running = if activity.running_since.is_some() { 1.0 } else { 0.0 };
    families.set("sync_running", "1 while a sync runs.", source(), running);
    for (outcome, number) in &activity.ended {
        let mut labels = source();
        labels.push(("outcome", (*outcome).to_owned()));
        families.count("syncs", "Syncs that ended, by outcome.", labels, *number);
    }
    families.add(
        "sync_duration_seconds",
        "Time that the syncs that ended took together, in seconds.",
        source(),
        activity.spent.as_secs_f64(),
    );
    if let Some(last) = &activity.last {
        let took = last.ended_at.duration_since(last.began_at).as_secs_f64();
        families.set(
            "sync_last_duration_seconds",
            "Time that the last sync took, in seconds.",
            source(),
            took,
        );
    }
}

fn events(now: &SourceNow, families: &mut Families) {
    for ((kind, outcome), number) in &now.events.received {
        let labels = vec![
            ("source", now.name.clone()),
            ("kind", (*kind).to_owned()),
            ("outcome", outcome.as_str().to_owned()),
        ];
        families.count(
            "webhook_events",
            "Events of webhooks, by kind and outcome.",
            labels,
            *number,
        );
    }
    families.set(
        "webhook_marks_waiting",
        "Items that events marked and that are not yet read.",
        vec![("source", now.name.clone())],
        count(now.events.waiting),
    );
}

fn token(now: &SourceNow, families: &mut Families) {
    let Some(check) = &now.token else { return };
    let source = || vec![("source", now.name.clone())];
    if let Some(expires_on) = check.expires_on
        && let Ok(midnight) = expires_on.to_zoned(TimeZone::UTC)
    {
        let left = midnight.timestamp().duration_since(now.at).as_secs_f64();
        families.set(
            "gitlab_token_days_left",
            "Days until the token stops working; negative after.",
            source(),
            left / SECONDS_OF_A_DAY,
        );
    }
    if let Some(at) = check.checked_at {
        families.set(
            "gitlab_token_checked_timestamp_seconds",
            "When GitLab was asked about the token, in seconds since 1970.",
            source(),
            at.as_duration().as_secs_f64(),
        );
    }
}

fn requests(now: &SourceNow, families: &mut Families) {
    for ((route, status), figures) in &now.figures {
        let by_route = || vec![("source", now.name.clone()), ("route", route.clone())];
        let mut labels = by_route();
        labels.push(("status", status.map_or_else(|| "none".to_owned(), |s| s.to_string())));
        families.count(
            "gitlab_requests",
            "Requests to GitLab, retries and redirects included, by route template and status; \
             `none` where there was no answer.",
            labels,
            figures.requests,
        );
        families.add(
            "gitlab_request_wait_seconds",
            "Time that requests waited for their pace, in seconds.",
            by_route(),
            figures.wait.as_secs_f64(),
        );
        families.count(
            "gitlab_response_bytes",
            "Bytes of GitLab's answers, after decompression.",
            by_route(),
            figures.bytes,
        );
    }
    for (labels, value) in durations(now) {
        families.distribute(
            "gitlab_request_duration_seconds",
            "Time from the first byte sent to the last received, in seconds.",
            labels,
            value,
        );
    }
}

/// Adds up the durations of each route, whatever the status.
fn durations(now: &SourceNow) -> Vec<(Labels, Distribution)> {
    let mut routes: Vec<(Labels, Distribution)> = Vec::new();
    let bounds = || DURATION_BOUNDS.into_iter().chain([f64::INFINITY]);
    for ((route, _), figures) in &now.figures {
        let labels = vec![("source", now.name.clone()), ("route", route.clone())];
        // The figures are sorted by route, so those of one stand together.
        if routes.last().is_none_or(|(last, _)| *last != labels) {
            let buckets = bounds().map(|bound| (bound, 0)).collect();
            routes.push((labels, Distribution { buckets, sum: 0.0 }));
        }
        let (_, distribution) = routes.last_mut().expect("one was pushed");
        for ((_, number), more) in distribution.buckets.iter_mut().zip(figures.durations) {
            *number += more;
        }
        distribution.sum += figures.duration.as_secs_f64();
    }
    routes
}

fn budget(now: &SourceNow, families: &mut Families) {
    let source = || vec![("source", now.name.clone())];
    for window in &now.budget.windows {
        let labels = || {
            let mut labels = source();
            labels.push(("throttle", window.name.clone()));
            // Two windows of one throttle differ by it.
            labels.push(("window", window.limit.to_string()));
            labels
        };
        for (name, help, value) in [
            ("gitlab_budget_limit", "Requests that GitLab permits in the window.", window.limit),
            ("gitlab_budget_allowed", "Requests after which we stop.", window.allowed),
            ("gitlab_budget_others", "Requests that others used for certain.", window.others),
            ("gitlab_budget_used", "Requests used in the window, by anyone.", window.used),
        ] {
            families.set(name, help, labels(), count(value));
        }
    }
    let paused = if now.budget.paused_until.is_some() { 1.0 } else { 0.0 };
    families.set(
        "gitlab_paused",
        "1 while all requests rest after a throttle answer.",
        source(),
        paused,
    );
    let outage = if now.outage.is_some() { 1.0 } else { 0.0 };
    families.set(
        "gitlab_outage",
        "1 while GitLab does not answer, and all requests wait for it.",
        source(),
        outage,
    );
    families.set(
        "gitlab_paused_routes",
        "Routes that rest after a throttle answer.",
        source(),
        count(now.budget.paused_routes.len() as u64),
    );
    families.set(
        "gitlab_concurrency",
        "Requests that may be out at once, at present.",
        source(),
        count(now.budget.concurrency as u64),
    );
    families.set(
        "gitlab_in_flight",
        "Requests that are out.",
        source(),
        count(now.budget.in_flight),
    );
}

#[expect(clippy::cast_precision_loss, reason = "no gauge of ours comes near 2^53")]
fn count(number: u64) -> f64 {
    number as f64
}
