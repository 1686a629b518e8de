//! Identifiers in what a person pastes into a look-up.
//!
//! A person means something and somebody looks it up, so this reads more than a text does: keys
//! in any case and of any prefix, and an id alone. What is only a guess says so.

use std::sync::LazyLock;

use regex::Regex;

use super::boundary::{Left, Right};
use super::catalogue::KEY_KINDS;
use super::mention::merged;
use super::{Context, Mention, References, TextKind};
use crate::model::Reference;

/// Words that look like the prefix of a key and are none.
const NO_PREFIXES: &str = "UTF UCS SHA MD AES RSA DES HMAC CRC ISO IEC RFC PEP ADR HTTP TLS SSL TCP \
    UDP IPV USB RS H MP X P T F V Q GPT LLM BERT COVID SARS UTC GMT CET WCAG ASCII LATIN CP WIN \
    BASE RGB LTS JDK JSR PHP PY ES CVE CWE GHSA GL WIP TODO Q1 Q2 Q3 Q4 JAN FEB MAR APR MAY JUN \
    JUL AUG SEP SEPT OCT NOV DEC JANUARY FEBRUARY MARCH APRIL JUNE JULY AUGUST SEPTEMBER OCTOBER \
    NOVEMBER DECEMBER";

/// Characters of the longest text that may be an id alone.
const ID_MAX: usize = 300;

static KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("([A-Za-z][A-Za-z0-9_]{0,19})-[1-9][0-9]{0,8}").expect("the pattern is fixed")
});

static NUMBER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^[0-9a-f]{7,40}$|^[0-9a-f]{64}$").expect("the pattern is fixed"));

/// Says whether a word is known not to be the prefix of a key.
pub(super) fn is_no_prefix(prefix: &str) -> bool {
    NO_PREFIXES.split_whitespace().any(|word| word == prefix)
}

/// Reads what a person pasted.
pub(super) fn read(references: &References, text: &str) -> Vec<Mention> {
    let mut mentions = references.read_all(text, TextKind::Title, &Context { project: "" });
    let whole = text.trim();
    let start = text.find(whole).unwrap_or_default();
    let span = start..start + whole.len();
    if let Some(reference) = named(references, whole) {
        let rule = format!("id:{}", reference.kind);
        mentions.push(Mention { reference, span, rule, closing: false, certain: true });
        return merged(mentions);
    }
    let is_address = mentions.iter().any(|mention| mention.rule.starts_with("url:"));
    if !is_address {
        mentions.extend(keys(references, text));
        // `acme/tool#45` may also be of GitHub; what else is certain is nothing else.
        let is_known = mentions.iter().any(|mention| {
            mention.certain
                && mention.span == span
                && !mention.reference.kind.starts_with("gitlab_")
        });
        if !is_known && whole.chars().count() <= ID_MAX && !whole.contains(char::is_whitespace) {
            let kinds = references.kinds_of(whole);
            mentions.extend(kinds.into_iter().map(|kind| Mention {
                reference: Reference::new(kind, whole),
                span: span.clone(),
                rule: format!("id:{kind}"),
                closing: false,
                certain: false,
            }));
        }
    }
    merged(mentions)
}

/// Reads `kind:id`, the way in which answers name a reference.
fn named(references: &References, text: &str) -> Option<Reference> {
    let (kind, id) = text.split_once(':')?;
    let is_id = !id.is_empty() && !id.starts_with("//") && !id.contains(char::is_whitespace);
    (is_id && references.has_kind(kind)).then(|| Reference::new(kind, id))
}

fn keys(references: &References, text: &str) -> Vec<Mention> {
    let mut mentions = Vec::new();
    for captures in KEY.captures_iter(text) {
        let (Some(key), Some(prefix)) = (captures.get(0), captures.get(1)) else { continue };
        if !Left::Key.allows(text, key.start()) || !Right::Key.allows(text, key.end()) {
            continue;
        }
        let prefix = prefix.as_str().to_uppercase();
        let known = references.kinds_of_prefix(&prefix);
        let guesses: Vec<&str> = match prefix.as_str() {
            _ if !known.is_empty() => Vec::new(),
            "INC" => KEY_KINDS.into_iter().chain(["incident_io_incident"]).collect(),
            _ if is_no_prefix(&prefix) => Vec::new(),
            _ => KEY_KINDS.to_vec(),
        };
        let certain = !known.is_empty();
        for kind in known.iter().map(String::as_str).chain(guesses) {
            mentions.push(Mention {
                reference: Reference::new(kind, key.as_str().to_uppercase()),
                span: key.range(),
                rule: format!("key:{kind}"),
                closing: false,
                certain,
            });
        }
    }
    mentions
}

/// Says whether a text may be a commit hash alone.
pub(super) fn is_hash(text: &str) -> bool {
    NUMBER.is_match(text)
}

#[cfg(test)]
mod tests;
