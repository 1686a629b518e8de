//! Commands about the instance as a whole: its state, clock, waits and log.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::clock::{Clock, later};
use crate::latency::Latency;
use crate::log::Request;
use crate::rest::query::decode;
use crate::server::{Shared, lock};
use crate::world::World;

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn state(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let (mut issues, mut merge_requests) = (0, 0);
    for project in world.projects() {
        issues += project.issues.len();
        merge_requests += project.merge_requests.len();
    }
    Ok(json!({
        "url": shared.site.url,
        "token": world.bot_token(),
        "clock": show_clock(world.clock()),
        "users": world.users().count(),
        "groups": world.groups().count(),
        "projects": world.projects().count(),
        "issues": issues,
        "merge_requests": merge_requests,
        "labels": world.labels().count(),
        "requests": lock(&shared.log).counted(),
    }))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn options(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(json!({
        "external_url": shared.site.url,
        "version": shared.site.version,
        "tier": format!("{:?}", shared.site.tier).to_lowercase(),
        "blobs": format!("{:?}", shared.site.blobs).to_lowercase(),
        "graphql_fields": shared.site.graphql_fields,
        "stale_lists": shared.site.stale_lists,
        "constant_etag": shared.site.constant_etag,
        "offset_ceiling": shared.site.offset_ceiling,
        "projects_have_ceiling": shared.site.projects_have_ceiling,
        "hooks": super::hooks::show_options(&shared.site.hooks.options()),
        "limits": super::limits::shown(&shared.limits),
        "latency": *lock(&shared.latency),
        "fault_schedule": shared.faults.schedule(),
        "log_size": lock(&shared.log).bound(),
    }))
}

fn show_clock(clock: &Clock) -> Value {
    json!({
        "now": clock.now(),
        "runs": !clock.stands_still(),
        "follows_system": clock.follows_system(),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn clock(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(show_clock(shared.read().clock()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct SetClock {
    now: Option<Timestamp>,
    runs: Option<bool>,
    follow_system: bool,
}

pub(super) fn set_clock(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let wish: SetClock = ask.read()?;
    let world = shared.read();
    let clock = world.clock();
    match (wish.follow_system, wish.now, wish.runs) {
        (true, None, None) => clock.follow_system(),
        (false, Some(now), Some(true)) => clock.run_from(now),
        (false, Some(now), Some(false) | None) => clock.set(now),
        (false, None, Some(true)) => clock.run_from(clock.now()),
        (false, None, Some(false)) => clock.set(clock.now()),
        (true, _, _) | (false, None, None) => {
            return Err(Refusal::wrong(
                "the clock cannot be set like this",
                "send {\"now\": \"2026-11-22T10:00:00Z\"}, with \"runs\": true to let it go on \
                 from there, or {\"follow_system\": true}",
            ));
        }
    }
    Ok(show_clock(clock))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: SignedDuration,
}

pub(super) fn advance_clock(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Advance { by } = ask.read()?;
    let world = shared.read();
    let clock = world.clock();
    if later(clock.now(), by) == Timestamp::MAX {
        return Err(Refusal::wrong(
            format!("{by:#} is beyond the end of time"),
            "send a shorter time, such as {\"by\": \"90s\"}",
        ));
    }
    clock.skip(by);
    Ok(show_clock(clock))
}

/// The parameters that carry a secret.
const SECRETS: [&str; 3] = ["private_token", "access_token", "job_token"];

/// Hides the values of parameters that carry a secret. That they were sent stays to be seen.
fn without_secrets(query: &str) -> String {
    let parts: Vec<String> = query
        .split('&')
        .map(|part| match part.split_once('=') {
            Some((name, _)) if SECRETS.contains(&decode(name, true).as_str()) => {
                format!("{name}=[hidden]")
            }
            Some(_) | None => part.to_owned(),
        })
        .collect();
    parts.join("&")
}

fn show(request: &Request) -> Value {
    json!({
        "at": request.at,
        "method": request.method,
        "path": request.path,
        "query": without_secrets(&request.query),
        "status": request.status,
        "user": request.user,
        "user_agent": request.user_agent,
        "duration_ms": u64::try_from(request.duration.as_millis()).unwrap_or(u64::MAX),
        "size_bytes": request.size_bytes,
        "faults": request.faults,
    })
}

pub(super) fn requests(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let last = match ask.parameter("last") {
        None => usize::MAX,
        Some(text) => text.parse().map_err(|_| {
            Refusal::wrong(format!("last={text} is no number"), "send last=10, or nothing")
        })?,
    };
    let log = lock(&shared.log);
    let mut rows: Vec<Value> = log
        .iter()
        .rev()
        .filter(|request| ask.parameter("holds").is_none_or(|part| request.holds(part)))
        .take(last)
        .map(show)
        .collect();
    rows.reverse();
    Ok(json!({"requests": rows}))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn forget_requests(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    lock(&shared.log).clear();
    Ok(json!({"requests": []}))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn count_requests(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let log = lock(&shared.log);
    let Some(part) = ask.parameter("holds") else {
        return Ok(json!({"all": log.counted(), "by_status": log.by_status()}));
    };
    let mut by_status = std::collections::BTreeMap::<u16, u64>::new();
    for request in log.iter().filter(|request| request.holds(part)) {
        *by_status.entry(request.status).or_default() += 1;
    }
    Ok(json!({"all": by_status.values().sum::<u64>(), "by_status": by_status}))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn latency(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(json!(*lock(&shared.latency)))
}

pub(super) fn set_latency(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let latency: Latency = ask.read()?;
    *lock(&shared.latency) = latency;
    Ok(json!(latency))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn lag(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(show_lag(&shared.read()))
}

fn show_lag(world: &World) -> Value {
    json!({"delay": world.commit_delay(), "unseen_changes": world.unseen_changes()})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lag {
    delay: SignedDuration,
}

pub(super) fn set_lag(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Lag { delay } = ask.read()?;
    if delay.is_negative() {
        return Err(Refusal::wrong(
            format!("{delay:#} is negative"),
            "send a time such as {\"delay\": \"5s\"}, or \"0s\"",
        ));
    }
    let mut world = ask.change(shared);
    world.set_commit_delay(delay);
    Ok(show_lag(&world))
}
