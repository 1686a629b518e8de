//! Commands about limits: the request throttle, the limits of endpoints, bans.
//!
//! Presets have the names that the command line has. Whatever replaces a limit begins all its
//! windows anew.

use std::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::server::Shared;
use crate::server::admission::Limits;
use crate::throttle::{
    Class, EndpointLimit, EndpointLimits, EndpointScope, Headers, Limit, Rule, Throttle, Throttles,
    Who,
};

/// How long a window is when nobody says.
const PERIOD: SignedDuration = SignedDuration::from_mins(1);

fn limit(requests: u64, period: Option<SignedDuration>) -> Result<Limit, Refusal> {
    let period = period.unwrap_or(PERIOD);
    match Duration::try_from(period) {
        Ok(period) if period.as_secs() > 0 => Ok(Limit { requests, period }),
        Ok(_) | Err(_) => Err(Refusal::wrong(
            format!("{period:#} is no length of a window"),
            "send a second or more, such as \"60s\" or \"1h\"",
        )),
    }
}

fn show_period(limit: Limit) -> SignedDuration {
    SignedDuration::try_from(limit.period).unwrap_or(SignedDuration::MAX)
}

/// The traffic of a rule, as it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ClassWord {
    #[default]
    Api,
    FilesApi,
    PackagesApi,
    DeprecatedApi,
    Web,
    All,
}

/// Whose requests are counted, as it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhoWord {
    #[default]
    User,
    Anonymous,
    Everybody,
}

/// What shares a counter, as it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ScopeWord {
    #[default]
    Caller,
    CallerAndProject,
    CallerAndFile,
    Project,
    File,
}

/// Which answers carry headers, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum HeadersWord {
    #[serde(rename = "always")]
    Always,
    #[serde(rename = "only-429")]
    Only429,
}

/// Writes the conversions between a word and what it stands for.
macro_rules! words {
    ($word:ident, $real:ident, $($variant:ident),*) => {
        impl From<$word> for $real {
            fn from(word: $word) -> Self {
                match word { $($word::$variant => Self::$variant,)* }
            }
        }
        impl From<$real> for $word {
            fn from(real: $real) -> Self {
                match real { $($real::$variant => Self::$variant,)* }
            }
        }
    };
}

words!(ClassWord, Class, Api, FilesApi, PackagesApi, DeprecatedApi, Web, All);
words!(WhoWord, Who, User, Anonymous, Everybody);
words!(ScopeWord, EndpointScope, Caller, CallerAndProject, CallerAndFile, Project, File);
words!(HeadersWord, Headers, Always, Only429);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRule {
    name: String,
    requests: u64,
    #[serde(default)]
    period: Option<SignedDuration>,
    #[serde(default)]
    class: ClassWord,
    #[serde(default)]
    who: WhoWord,
    /// Pairs of a start and an end; without any the rule is always in force.
    #[serde(default)]
    in_force: Vec<(Timestamp, Timestamp)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetThrottle {
    #[serde(default)]
    preset: Option<String>,
    /// For presets that leave the number open.
    #[serde(default)]
    requests: Option<u64>,
    #[serde(default)]
    period: Option<SignedDuration>,
    /// When the limits of a plan are in force: brownouts.
    #[serde(default)]
    plan_only_between: Option<Vec<(Timestamp, Timestamp)>>,
    /// Added to those of the preset.
    #[serde(default)]
    rules: Vec<NewRule>,
    #[serde(default)]
    headers: Option<HeadersWord>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    exempt_users: Vec<String>,
    #[serde(default)]
    bypass_header: Option<String>,
}

/// How many requests a preset grants that leaves it open, when nobody says.
const REQUESTS: u64 = 600;

pub(super) fn set_throttle(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let set: SetThrottle = ask.read()?;
    let open = limit(set.requests.unwrap_or(REQUESTS), set.period)?;
    let preset = set.preset.as_deref().unwrap_or("none");
    let throttle = Throttle::named(preset, open).ok_or_else(|| {
        Refusal::wrong(
            format!("there is no preset {preset}"),
            format!("take one of {}", Throttle::NAMES.join(", ")),
        )
    })?;
    let mut throttles = Throttles::from(throttle);
    if let Some(brownouts) = &set.plan_only_between {
        throttles = throttles.plan_only_between(brownouts);
    }
    for rule in set.rules {
        let limit = limit(rule.requests, rule.period)?;
        let mut row = Rule::new(&rule.name, rule.class.into(), rule.who.into(), limit);
        row.in_force = rule.in_force;
        throttles.rules.push(row);
    }
    if let Some(headers) = set.headers {
        throttles.headers = headers.into();
    }
    if let Some(text) = set.text {
        throttles.text = text;
    }
    throttles.exempt_users.extend(set.exempt_users);
    throttles.bypass_header = set.bypass_header.map(|name| name.to_ascii_lowercase());
    shared.limits.set_throttle(Throttle::Custom(throttles));
    Ok(shown(&shared.limits))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEntry {
    name: String,
    paths: Vec<String>,
    requests: u64,
    #[serde(default)]
    period: Option<SignedDuration>,
    #[serde(default)]
    parameter: Option<String>,
    #[serde(default)]
    above_bytes: Option<u64>,
    #[serde(default)]
    who: WhoWord,
    #[serde(default)]
    scope: ScopeWord,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SetEndpoints {
    #[serde(default)]
    preset: Option<String>,
    /// Added to those of the preset, or in place of those of the same name and callers.
    #[serde(default)]
    entries: Vec<NewEntry>,
    /// Seconds in `Retry-After`; normally GitLab sends none.
    #[serde(default)]
    retry_after: Option<u64>,
}

pub(super) fn set_endpoints(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let set: SetEndpoints = ask.read()?;
    let preset = set.preset.as_deref().unwrap_or("none");
    let mut limits = EndpointLimits::named(preset).ok_or_else(|| {
        Refusal::wrong(
            format!("there is no preset {preset}"),
            format!("take one of {}", EndpointLimits::NAMES.join(", ")),
        )
    })?;
    for entry in set.entries {
        let Some((first, others)) = entry.paths.split_first() else {
            return Err(Refusal::wrong(
                format!("{} has no path", entry.name),
                "send paths such as [\"/groups/:id/issues\"]",
            ));
        };
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let mut row = EndpointLimit::new(&entry.name, first, limit(entry.requests, entry.period)?)
            .and(&others)
            .of(entry.who.into())
            .per(entry.scope.into());
        row.parameter = entry.parameter;
        row.free_bytes = entry.above_bytes;
        limits = limits.with(row);
    }
    limits.retry_after = set.retry_after.map(Duration::from_secs);
    shared.limits.set_endpoints(limits);
    Ok(shown(&shared.limits))
}

/// Reads the address that the path names.
fn address(ask: &Ask) -> Result<IpAddr, Refusal> {
    let text = ask.value("address");
    text.parse().map_err(|_| {
        Refusal::wrong(format!("{text:?} is no address"), "give one such as 127.0.0.1 or ::1")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ban {
    #[serde(default)]
    until: Option<Timestamp>,
}

pub(super) fn ban(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Ban { until } = ask.read()?;
    shared.limits.ban(address(ask)?, until);
    Ok(shown(&shared.limits))
}

pub(super) fn lift_ban(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let address = address(ask)?;
    if shared.limits.lift_ban(address) {
        return Ok(shown(&shared.limits));
    }
    Err(Refusal::missing(format!("{address} is not banned"), "GET /_sim/limits lists the bans"))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn show(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(shown(&shared.limits))
}

fn show_rule(rule: &Rule) -> Value {
    json!({
        "name": rule.name,
        "requests": rule.limit.requests,
        "period": show_period(rule.limit),
        "class": ClassWord::from(rule.class),
        "who": WhoWord::from(rule.who),
        "in_force": rule.in_force,
    })
}

fn show_entry(entry: &EndpointLimit) -> Value {
    json!({
        "name": entry.name,
        "paths": entry.paths,
        "requests": entry.limit.requests,
        "period": show_period(entry.limit),
        "parameter": entry.parameter,
        "above_bytes": entry.free_bytes,
        "who": WhoWord::from(entry.who),
        "scope": ScopeWord::from(entry.scope),
    })
}

/// Shows the limits in force, in the form in which they can be set.
pub(super) fn shown(limits: &Limits) -> Value {
    let (throttles, endpoints, banned) = limits.copied();
    json!({
        "throttle": {
            "headers": HeadersWord::from(throttles.headers),
            "rules": throttles.rules.iter().map(show_rule).collect::<Vec<_>>(),
            "text": throttles.text,
            "exempt_users": throttles.exempt_users,
            "bypass_header": throttles.bypass_header,
        },
        "endpoints": {
            "entries": endpoints.entries.iter().map(show_entry).collect::<Vec<_>>(),
            "retry_after": endpoints.retry_after.map(|time| time.as_secs()),
        },
        "banned": banned,
    })
}
