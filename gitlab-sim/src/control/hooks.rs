//! Commands about webhooks and system hooks, and about what was delivered.
//!
//! Secrets are taken and never shown: neither the tokens of a hook nor the values of the headers
//! that were added to it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::hooks::{self, Delivery, Hook, HookId, HookOptions, HookState, Outcome, Scope, Switch};
use crate::server::Shared;
use crate::world::World;

/// What stands for a value that is not shown.
const HIDDEN: &str = "[hidden]";

fn show(world: &World, state: &HookState) -> Value {
    let hook = &state.hook;
    let (scope, place) = match hook.scope {
        Scope::Project(id) => ("project", world.project(id).map(|row| row.full_path.as_str())),
        Scope::Group(id) => ("group", world.group(id).map(|row| row.full_path.as_str())),
        Scope::System => ("system", None),
    };
    json!({
        "id": state.id,
        "scope": scope,
        "of": place,
        "url": hook.url,
        "events": hook.events.iter().map(|switch| switch.name()).collect::<Vec<_>>(),
        "has_token": hook.token.is_some(),
        "has_signing_token": hook.signing_token.is_some(),
        "headers": hook.headers.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "alert_status": state.alert.word(),
        "disabled_until": state.disabled_until,
        "failures": state.failures,
        "created_at": state.created_at,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn list(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let states = shared.site.hooks.states();
    Ok(json!({"hooks": states.iter().map(|state| show(&world, state)).collect::<Vec<_>>()}))
}

fn find(shared: &Shared, ask: &Ask) -> Result<HookState, Refusal> {
    let id = ask.number("hook")?;
    let states = shared.site.hooks.states();
    states.into_iter().find(|state| state.id.get() == id).ok_or_else(|| {
        Refusal::missing(format!("there is no hook {id}"), "GET /_sim/hooks lists them")
    })
}

pub(super) fn one(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    find(shared, ask).map(|state| show(&world, &state))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHook {
    url: String,
    /// Without it the hook hears what GitLab lets a new one hear.
    #[serde(default)]
    events: Option<Events>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    signing_token: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

/// What a hook wants to hear: the names of switches, or the word `all`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Events {
    Word(String),
    Names(Vec<String>),
}

impl Events {
    fn switches(&self) -> Result<BTreeSet<Switch>, Refusal> {
        let names = match self {
            Self::Word(word) if word == "all" => return Ok(BTreeSet::from(Switch::ALL)),
            Self::Word(word) => std::slice::from_ref(word),
            Self::Names(names) => names,
        };
        names
            .iter()
            .map(|name| {
                Switch::find(name).ok_or_else(|| {
                    let known: Vec<&str> = Switch::ALL.iter().map(|one| one.name()).collect();
                    Refusal::wrong(
                        format!("hooks have no switch {name}"),
                        format!("take \"all\", or some of {}", known.join(", ")),
                    )
                })
            })
            .collect()
    }
}

impl From<hooks::Refusal> for Refusal {
    fn from(why: hooks::Refusal) -> Self {
        let error = why.to_string();
        match why {
            hooks::Refusal::NoPlace => Self::missing(error, "GET /_sim/projects, /_sim/groups"),
            hooks::Refusal::BadUrl => Self::wrong(error, "send one such as http://127.0.0.1:9000/"),
            hooks::Refusal::BadHeader => Self::wrong(error, "send names and values in ASCII"),
            hooks::Refusal::TooMany => Self::conflict(error, "DELETE /_sim/hooks/:hook first"),
            hooks::Refusal::NoDelivery => {
                Self::missing(error, "GET /_sim/hooks/deliveries lists them")
            }
            hooks::Refusal::TooOften => {
                Self::conflict(error, "POST /_sim/clock/advance by a minute, or wait")
            }
        }
    }
}

fn register(
    shared: &Shared,
    ask: &Ask,
    on: impl FnOnce(&World, &str) -> Result<Hook, Refusal>,
) -> Result<Value, Refusal> {
    let new: NewHook = ask.read()?;
    let mut world = ask.change(shared);
    let mut hook = on(&world, &new.url)?;
    if let Some(events) = &new.events {
        hook.events = events.switches()?;
    }
    hook.token = new.token;
    hook.signing_token = new.signing_token;
    hook.headers = new.headers.into_iter().collect();
    let id = shared.site.hooks.add(&world, hook)?;
    world.listen(true);
    let state = shared.site.hooks.states().into_iter().find(|state| state.id == id);
    Ok(state.map_or(Value::Null, |state| show(&world, &state)))
}

pub(super) fn add_system(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    register(shared, ask, |_, url| Ok(Hook::on_system(url)))
}

pub(super) fn add_to_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    register(shared, ask, |world, url| ask.project_id(world).map(|id| Hook::on_project(id, url)))
}

pub(super) fn add_to_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    register(shared, ask, |world, url| ask.group_id(world).map(|id| Hook::on_group(id, url)))
}

pub(super) fn remove(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let state = find(shared, ask)?;
    shared.site.hooks.remove(state.id);
    Ok(json!({"deleted": state.id}))
}

pub(super) fn enable(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    shared.site.hooks.enable(find(shared, ask)?.id);
    one(shared, ask)
}

pub(super) fn show_options(options: &HookOptions) -> Value {
    json!({
        "timeout": SignedDuration::try_from(options.timeout).unwrap_or(SignedDuration::MAX),
        "retries": options.retries,
        "auto_disable": options.auto_disable,
        "per_minute": options.per_minute,
        "silent": options.silent,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn options(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(show_options(&shared.site.hooks.options()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetOptions {
    #[serde(default)]
    timeout: Option<SignedDuration>,
    #[serde(default)]
    retries: Option<u32>,
    #[serde(default)]
    auto_disable: Option<bool>,
    /// 0 takes the limit away.
    #[serde(default)]
    per_minute: Option<u32>,
    #[serde(default)]
    silent: Option<bool>,
}

pub(super) fn set_options(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let set: SetOptions = ask.read()?;
    let mut options = shared.site.hooks.options();
    if let Some(timeout) = set.timeout {
        options.timeout =
            Duration::try_from(timeout).ok().filter(|time| !time.is_zero()).ok_or_else(|| {
                Refusal::wrong("a receiver needs some time", "send a timeout such as \"10s\"")
            })?;
    }
    options.retries = set.retries.unwrap_or(options.retries);
    options.auto_disable = set.auto_disable.unwrap_or(options.auto_disable);
    options.silent = set.silent.unwrap_or(options.silent);
    if let Some(limit) = set.per_minute {
        options.per_minute = (limit > 0).then_some(limit);
    }
    let shown = show_options(&options);
    shared.site.hooks.set_options(options);
    Ok(shown)
}

fn show_delivery(delivery: &Delivery) -> Value {
    let (outcome, detail) = match &delivery.outcome {
        Outcome::Answered(status) => ("answered", json!(status)),
        Outcome::TimedOut => ("timed_out", Value::Null),
        Outcome::NoAnswer(reason) => ("no_answer", json!(reason)),
        Outcome::Lost(loss) => ("lost", json!(loss.word())),
    };
    let headers: serde_json::Map<String, Value> = delivery
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), json!(if ours(name) { value } else { HIDDEN })))
        .collect();
    json!({
        "number": delivery.number,
        "hook": delivery.hook,
        "event": delivery.event,
        "idempotency_key": delivery.idempotency_key,
        "attempt": delivery.attempt,
        "at": delivery.at,
        "url": delivery.url,
        "headers": headers,
        // A body that is no JSON cannot be: it was rendered as such.
        "body": serde_json::from_str::<Value>(&delivery.body).unwrap_or(Value::Null),
        "outcome": outcome,
        "detail": detail,
        "succeeded": delivery.outcome.succeeded(),
    })
}

/// Tells whether a header is one that GitLab writes itself, and no secret.
fn ours(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name != "x-gitlab-token"
        && (name.starts_with("x-gitlab-")
            || name.starts_with("webhook-")
            || ["content-type", "user-agent", "idempotency-key"].contains(&name.as_str()))
}

pub(super) fn deliveries(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let number = |name: &str| match ask.parameter(name) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| {
            Refusal::wrong(format!("{name}={text} is no number"), "send a number, or nothing")
        }),
    };
    let (hook, last) = (number("hook")?.map(HookId::new), number("last")?);
    let last = last.and_then(|last| usize::try_from(last).ok()).unwrap_or(usize::MAX);
    let log = shared.site.hooks.log();
    let mut rows: Vec<Value> = log
        .iter()
        .rev()
        .filter(|row| hook.is_none_or(|hook| row.hook == hook))
        .take(last)
        .map(show_delivery)
        .collect();
    rows.reverse();
    Ok(json!({"deliveries": rows}))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn forget_deliveries(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    shared.site.hooks.forget_log();
    Ok(json!({"deliveries": []}))
}

pub(super) fn resend(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let number = ask.number("delivery")?;
    shared.site.hooks.resend(number)?;
    Ok(json!({"resent": number}))
}

/// Says how many deliveries are outstanding. Before this command the server waits until there are
/// none, unless it is told to stop.
#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn settled(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let waiting = shared.site.hooks.outstanding();
    Ok(json!({"settled": waiting == 0, "waiting": waiting}))
}
