//! Rules of one's own: a kind, a pattern, and how the id follows from a match.
//!
//! A rule never changes what another rule reads. In prose its matches need the same borders as
//! keys, where the pattern itself does not end in a mark. In an address a match counts only if it
//! starts with the scheme or the host, for a pattern such as `INC-[0-9]+` is not meant to find
//! numbers in foreign addresses.

use std::collections::BTreeMap;

use regex::bytes::Regex;

use super::boundary::{Left, Right};
use super::id::{IdTemplate, Place, percent_decoded};
use super::{CustomReference, Error};

/// A compiled rule.
#[derive(Debug)]
pub(super) struct Custom {
    pub(super) kind: String,
    pattern: Regex,
    id: IdTemplate,
    /// Reads an id out of the address that the rule gives for it.
    url: Option<Regex>,
    /// The address of an id, with `{id}` in it.
    link: Option<String>,
    /// True when the id is what the pattern matches, and nothing else.
    is_whole: bool,
}

/// A match of a rule: bytes of the text, and the id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) id: String,
}

impl Custom {
    pub(super) fn new(rule: &CustomReference) -> Result<Self, Error> {
        let compiled = |pattern: &str| {
            Regex::new(pattern).map_err(|source| Error::pattern(&rule.kind, &rule.pattern, source))
        };
        let pattern = compiled(&rule.pattern)?;
        let names = pattern.capture_names().enumerate();
        let names: BTreeMap<_, _> = names.filter_map(|(i, name)| Some((name?, i))).collect();
        let whole = if names.contains_key("id") { "{id}" } else { "{0}" };
        let template = rule.id.as_deref().unwrap_or(whole);
        let id = IdTemplate::parse(template, &names, pattern.captures_len())
            .map_err(|part| Error::id(&rule.kind, template, part))?;
        let url = match rule.url.as_deref().map(|url| (url, url.split_once("{id}"))) {
            None => None,
            Some((url, None)) => return Err(Error::id(&rule.kind, url, "{id}".to_owned())),
            Some((_, Some((before, after)))) => {
                let (before, after) = (regex::escape(before), regex::escape(after));
                Some(compiled(&format!(r"^{before}([^/?#\s]+){after}(?:[/?#]|$)"))?)
            }
        };
        let is_whole = template == "{0}";
        Ok(Self { kind: rule.kind.clone(), pattern, id, url, link: rule.url.clone(), is_whole })
    }

    /// Returns the address of an id, if the rule gives one.
    pub(super) fn link(&self, id: &str) -> Option<String> {
        self.link.as_ref().map(|link| link.replace("{id}", id))
    }

    /// Finds the matches in prose, which may be blanked in parts, or in a branch name.
    pub(super) fn matches(
        &self,
        buffer: &[u8],
        text: &str,
        place: Place<'_>,
        branch: bool,
    ) -> Vec<Match> {
        let (left, right) =
            if branch { (Left::Branch, Right::Branch) } else { (Left::Key, Right::Key) };
        let mut found = Vec::new();
        for captures in self.pattern.captures_iter(buffer) {
            let Some(whole) = captures.get(0).filter(|whole| !whole.is_empty()) else { continue };
            let Some(matched) = text.get(whole.range()) else { continue };
            let opens = matched.starts_with(char::is_alphanumeric);
            let ends = matched.ends_with(char::is_alphanumeric);
            if (opens && !left.allows(text, whole.start()))
                || (ends && !right.allows(text, whole.end()))
            {
                continue;
            }
            let captures: Vec<_> = captures.iter().map(|c| text.get(c?.range())).collect();
            if let Some(id) = self.id.fill(&captures, place) {
                found.push(Match { start: whole.start(), end: whole.end(), id });
            }
        }
        found
    }

    /// Returns the id that an address holds.
    pub(super) fn read_address(&self, address: &str, place: Place<'_>) -> Option<String> {
        self.read_own_address(address).or_else(|| {
            let host = address.find("://")? + "://".len();
            let host_end =
                address[host..].find(['/', '?', '#']).map_or(address.len(), |at| host + at);
            let captures = self.pattern.captures(address.as_bytes())?;
            let starts_early =
                captures.get(0).is_some_and(|m| !m.is_empty() && m.start() < host_end);
            let captures: Vec<_> = captures.iter().map(|c| address.get(c?.range())).collect();
            starts_early.then(|| self.id.fill(&captures, place)).flatten()
        })
    }

    fn read_own_address(&self, address: &str) -> Option<String> {
        let captures = self.url.as_ref()?.captures(address.as_bytes())?;
        let id = percent_decoded(address.get(captures.get(1)?.range())?)?;
        let fits =
            !self.is_whole || self.pattern.find(id.as_bytes()).is_some_and(|m| m.len() == id.len());
        fits.then_some(id)
    }
}
