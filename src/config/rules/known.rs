//! The names that rules may use: families of hosts, kinds of references, prefixes of keys.
//!
//! A family is one of a fixed list, because code stands behind each. A kind may be new, because
//! rules make kinds; but one that differs from a known kind by a letter or two is a slip, and is
//! refused.

use std::collections::BTreeSet;

use crate::config::problem::find_near;

/// The systems that may be self-hosted.
pub const HOST_FAMILIES: [&str; 9] = [
    "confluence",
    "gitlab",
    "grafana",
    "jira",
    "kibana",
    "runbook",
    "sentry",
    "statuspage",
    "youtrack",
];

/// Kinds whose ids are written as bare keys somewhere, to find the one that was meant.
const KEYED_KINDS: [&str; 16] = [
    "asana_task",
    "firehydrant_incident",
    "freshdesk_ticket",
    "grafana_incident",
    "incident_io_incident",
    "jira",
    "linear",
    "opsgenie_alert",
    "opsgenie_incident",
    "pagerduty_incident",
    "rollbar_item",
    "rootly_incident",
    "servicenow_number",
    "victorops_incident",
    "youtrack",
    "zendesk_ticket",
];

/// Checks the name of a family.
pub(super) fn parse_family(family: &str) -> Result<(), String> {
    if HOST_FAMILIES.contains(&family) {
        return Ok(());
    }
    let guess = find_near(family, HOST_FAMILIES)
        .map(|near| format!(", did you mean `{near}`?"))
        .unwrap_or_default();
    Err(format!("unknown key{guess} Known here: {}", HOST_FAMILIES.join(", ")))
}

/// Reads a kind of reference.
pub(super) fn parse_kind(kind: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if !kind.starts_with(|c: char| c.is_ascii_lowercase()) || !kind.chars().all(valid) {
        return Err(format!(
            "\"{kind}\" cannot be a kind: lower-case letters, digits and `_`, as in \"incident\""
        ));
    }
    Ok(kind.to_owned())
}

/// Checks a kind under `prefixes`; `own` are the kinds that the configuration itself defines.
pub(super) fn parse_prefix_kind(kind: &str, own: &BTreeSet<&str>) -> Result<(), String> {
    parse_kind(kind)?;
    if KEYED_KINDS.contains(&kind) || own.contains(kind) {
        return Ok(());
    }
    match find_near(kind, KEYED_KINDS) {
        Some(near) => Err(format!(
            "unknown kind, did you mean `{near}`? A kind of your own needs a name that differs \
             more, or a [[rules.reference]]"
        )),
        None => Ok(()),
    }
}

/// Reads the prefix of bare keys, the `WEB` of `WEB-12`. Trackers write them in upper case.
pub(super) fn parse_prefix(text: &str) -> Result<String, String> {
    let prefix = text.trim().trim_end_matches('-');
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if prefix.is_empty() || prefix.len() > 20 || !prefix.chars().all(valid) {
        return Err(format!(
            "\"{text}\" cannot be a prefix: 1 to 20 letters, digits or `_`, as in \"WEB\" for WEB-12"
        ));
    }
    Ok(prefix.to_ascii_uppercase())
}

/// Reads a host: `host`, `host:port` or `host/base`.
pub(super) fn parse_host(text: &str) -> Result<String, String> {
    let host = text.trim().trim_end_matches('/');
    let invalid = |c: char| c.is_whitespace() || c.is_control() || "@?#*\\\"<>|".contains(c);
    let (name, base) = host.split_once('/').unwrap_or((host, ""));
    let (name, port) = match name.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port),
        _ => (name, "0"),
    };
    if host.contains("://")
        || host.contains(invalid)
        || name.is_empty()
        || base.starts_with('/')
        || port.parse::<u16>().is_err()
    {
        return Err(format!(
            "\"{text}\" must be a host without https://, as in \"jira.example.com\", perhaps with \
             a port or a path"
        ));
    }
    // A host ignores case; a path does not.
    let split = host.find('/').unwrap_or(host.len());
    Ok(format!("{}{}", host[..split].to_lowercase(), &host[split..]))
}
