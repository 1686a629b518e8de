//! Identifiers in branch names: keys in any case, ServiceNow numbers, and GitLab's own issue.
//!
//! Hashes, UUIDs and `#12` are not read from branch names, because hooks and people use them for
//! other things there.

use regex::bytes::Regex;

use super::bare::{alternatives, servicenow_prefixes};
use super::boundary::{Left, Right};
use super::catalogue::Prefixes;
use super::id::{IdTemplate, Place};
use super::{Error, Settings};

/// An identifier in a branch name: kind, id, and where it stands.
pub(super) type Found = (String, String, std::ops::Range<usize>);

/// The compiled patterns for branch names.
#[derive(Debug)]
pub(super) struct Branch {
    keys: Option<Regex>,
    numbers: Regex,
}

impl Branch {
    pub(super) fn new(settings: &Settings, prefixes: &Prefixes) -> Result<Self, Error> {
        let compiled = |pattern: String| {
            Regex::new(&pattern).map_err(|source| Error::pattern("branch", &pattern, source))
        };
        let keys = (!prefixes.is_empty()).then(|| {
            let prefixes = alternatives(prefixes.keys().map(String::as_str));
            compiled(format!("(?i-u:(?:{prefixes})-[1-9][0-9]{{0,8}})"))
        });
        let numbers = servicenow_prefixes(settings);
        Ok(Self {
            keys: keys.transpose()?,
            numbers: compiled(format!("(?i-u:(?:{numbers})[0-9]{{7,10}})"))?,
        })
    }

    /// Returns what a branch name mentions.
    pub(super) fn read(&self, name: &str, prefixes: &Prefixes, place: Place<'_>) -> Vec<Found> {
        let mut found: Vec<Found> = own_issue(name, place).into_iter().collect();
        for (id, span) in bounded(&self.numbers, name) {
            found.push(("servicenow_number".to_owned(), id, span));
        }
        let keys = self.keys.as_ref().map(|keys| bounded(keys, name)).unwrap_or_default();
        for (id, span) in keys {
            let prefix = id.rsplit_once('-').map_or("", |(prefix, _)| prefix);
            for kind in prefixes.get(prefix).into_iter().flatten() {
                found.push((kind.clone(), id.clone(), span.clone()));
            }
        }
        found
    }
}

fn bounded(pattern: &Regex, name: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let matches = pattern.find_iter(name.as_bytes()).map(|m| m.range());
    let bounded =
        matches.filter(|m| Left::Branch.allows(name, m.start) && Right::Branch.allows(name, m.end));
    bounded.filter_map(|span| Some((name.get(span.clone())?.to_uppercase(), span))).collect()
}

/// Reads `12-fix-login`, GitLab's own way to name a branch after an issue of the project.
fn own_issue(name: &str, place: Place<'_>) -> Option<Found> {
    let (number, rest) = name.split_once('-')?;
    let is_number = number.starts_with(|c: char| ('1'..='9').contains(&c))
        && number.bytes().all(|b| b.is_ascii_digit());
    if !is_number || !rest.starts_with(char::is_alphabetic) {
        return None;
    }
    let id = IdTemplate::parse("{project}#{0#}", &std::collections::BTreeMap::new(), 1).ok()?;
    let id = id.fill(&[Some(number)], place)?;
    Some(("gitlab_issue".to_owned(), id, 0..number.len()))
}
