//! `GET /v1/crawls`.

use std::collections::BTreeMap;

use axum::extract::State;
use jiff::Timestamp;

use crate::crawl::status::{self, Budget, Capabilities, ScopeFinding, TokenCheck};
use crate::crawl::{Activity, SourceNow};
use crate::lookup::{
    BudgetStatus, BudgetWindow, CrawlState, EndedSync, GitLabStatus, LearntLimit, Live, Page,
    SourceStatus, TokenScope, TokenStatus, UnavailablePart, Viewer, WebhookStatus,
};
use crate::serve::caller::Caller;
use crate::serve::question::Question;
use crate::serve::{App, List, Problem, reply};

/// How fresh each source is, what its crawler does now, what is left of the rate limit, and what
/// could not be read, with the reason.
#[utoipa::path(get, path = "/v1/crawls", tag = "crawl",
    responses((status = 200, body = List<SourceStatus>),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn crawls(
    State(app): State<App>,
    caller: Caller,
    question: Question,
) -> Result<List<SourceStatus>, Problem> {
    question.only(&[])?;
    let mut live = live(&app, &caller.viewer);
    let data = app.lookup.crawls(&caller.viewer, &moments(&app)).await?;
    let data = data
        .into_iter()
        .map(|status| match live.iter().position(|(name, _)| *name == status.source) {
            Some(place) => status.with(live.swap_remove(place).1),
            None => status,
        })
        .collect();
    Ok(reply::list(&question, Page { data, next: None }))
}

/// Returns the present by the clock of each GitLab that this process crawls.
pub fn moments(app: &App) -> BTreeMap<String, Timestamp> {
    app.status.read().into_iter().map(|now| (now.name, now.at_gitlab)).collect()
}

/// Returns what the crawlers of this process do now, by source, as a viewer may see it.
pub fn live(app: &App, viewer: &Viewer) -> Vec<(String, Live)> {
    let now = app.status.read().into_iter();
    now.map(|now| (now.name.clone(), shown(now).seen_by(viewer))).collect()
}

fn shown(now: SourceNow) -> Live {
    Live {
        state: state(now.activity),
        budget: budget(now.budget, now.learnt),
        token: now.token.map(|check| token(check, now.at)),
        unavailable: now
            .capabilities
            .unavailable
            .iter()
            .map(|part| UnavailablePart {
                part: part.feature.as_str().to_owned(),
                lack: part.lack.as_str().to_owned(),
                reason: part.reason.clone(),
                since: part.since,
            })
            .collect(),
        gitlab: gitlab(now.capabilities),
        webhooks: WebhookStatus { last_event_at: now.events.last_at, waiting: now.events.waiting },
    }
}

fn state(activity: Activity) -> CrawlState {
    CrawlState {
        now: if activity.running_since.is_some() { "running" } else { "idle" }.to_owned(),
        running_since: activity.running_since,
        last: activity.last.map(|last| EndedSync {
            outcome: last.outcome.to_owned(),
            began_at: last.began_at,
            ended_at: last.ended_at,
            requests: last.requests,
        }),
    }
}

fn budget(budget: Budget, learnt: Vec<status::LearntLimit>) -> BudgetStatus {
    BudgetStatus {
        windows: budget
            .windows
            .into_iter()
            .map(|window| BudgetWindow {
                name: window.name,
                limit: window.limit,
                allowed: window.allowed,
                used: window.used,
                others: window.others,
                resets_at: window.resets_at,
            })
            .collect(),
        paused_until: budget.paused_until,
        paused_routes: budget.paused_routes,
        learnt: learnt
            .into_iter()
            .map(|limit| LearntLimit {
                route: limit.route,
                throttle: limit.throttle,
                requests: limit.requests,
                interval_seconds: limit.interval.as_secs(),
                learnt_at: limit.learnt_at,
            })
            .collect(),
        in_flight: budget.in_flight,
        concurrency: budget.concurrency as u64,
    }
}

fn gitlab(capabilities: Capabilities) -> GitLabStatus {
    let edition = capabilities.version.as_ref().and_then(|version| version.enterprise);
    GitLabStatus {
        edition: edition.map(|paid| if paid { "enterprise" } else { "community" }.to_owned()),
        version: capabilities.version.map(|version| version.version),
        tier: capabilities.tier.map(|tier| tier.as_str().to_owned()),
        probed_at: capabilities.probed_at,
    }
}

fn token(check: TokenCheck, now: Timestamp) -> TokenStatus {
    let scopes = |findings: Vec<ScopeFinding>| {
        let found = findings.into_iter();
        found.map(|found| TokenScope { scope: found.scope, why: found.why }).collect()
    };
    TokenStatus {
        days_left: check.days_left(now),
        warnings: check.warnings(now),
        name: check.name,
        scopes: check.scopes,
        expires_on: check.expires_on,
        missing: scopes(check.missing),
        needless: scopes(check.needless),
        checked_at: check.checked_at,
    }
}
