//! References: what a text mentions, in canonical form.
//!
//! One engine runs two tables: addresses by host (`catalogue.txt`) and patterns for running text
//! (`bare.rs`); settings add hosts, prefixes of keys, and whole rules. The order of reading is
//! fixed: comments do not count, code counts for what cannot be anything else, addresses are
//! taken out whole, and then the patterns run from the most specific to the least, each on what
//! the former left.
//!
//! Nothing is looked up here. What only an index can tell is marked as uncertain, and what has no
//! shape of its own is not read at all.

mod address;
mod bare;
mod boundary;
mod branch;
mod catalogue;
mod check;
mod closing;
mod custom;
mod host;
mod id;
mod mention;
mod query;
mod settings;

use std::collections::BTreeSet;

use regex::bytes::Captures;

use self::address::Address;
use self::bare::{Bare, Reach, Rule};
use self::boundary::Left;
use self::branch::Branch;
use self::catalogue::{Catalogue, KEY_KINDS, Prefixes};
use self::check::{Hit, Verdict};
use self::custom::Custom;
use self::id::Place;
pub use self::mention::Mention;
pub(super) use self::mention::{merged, quote};
pub use self::settings::{CustomReference, Error, Settings};
use super::markdown::{self, Zone};
use crate::model::Reference;

/// What sort of text is read, for each has rules of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// A description or comment.
    Markdown,
    /// A title.
    Title,
    /// A branch name.
    Branch,
    /// A commit message.
    Commit,
}

/// Where a text stands, for references that say only half.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Context<'a> {
    /// Full path of the project, `acme/web`; empty when there is none.
    pub project: &'a str,
}

/// The compiled rules.
#[derive(Debug)]
pub struct References {
    catalogue: Catalogue,
    bare: Bare,
    branch: Branch,
    custom: Vec<Custom>,
    prefixes: Prefixes,
}

impl References {
    /// Compiles the catalogue and the settings.
    ///
    /// # Errors
    ///
    /// A rule of one's own has a pattern or a template that cannot be used.
    pub fn new(settings: &Settings) -> Result<Self, Error> {
        let mut prefixes = Prefixes::new();
        for (kind, own) in &settings.prefixes {
            // Numbers of ServiceNow have no hyphen, so these belong to another rule.
            for prefix in own.iter().filter(|_| kind != "servicenow_number") {
                let prefix = prefix.trim().trim_end_matches('-').to_uppercase();
                let kinds: &mut Vec<String> = prefixes.entry(prefix).or_default();
                if !kinds.contains(kind) {
                    kinds.push(kind.clone());
                }
            }
        }
        prefixes.remove("");
        Ok(Self {
            catalogue: Catalogue::new(settings)?,
            bare: Bare::new(settings, &prefixes)?,
            branch: Branch::new(settings, &prefixes)?,
            custom: settings.custom.iter().map(Custom::new).collect::<Result<_, _>>()?,
            prefixes,
        })
    }

    /// Reads what a text mentions, each thing once, in the order of the text.
    pub fn read(&self, text: &str, kind: TextKind, context: &Context<'_>) -> Vec<Mention> {
        merged(self.read_all(text, kind, context))
    }

    /// Reads what a person pasted into a look-up: besides what a text mentions, keys in any case
    /// and of any prefix, and an id alone. Guesses are not certain.
    pub fn read_query(&self, text: &str) -> Vec<Mention> {
        query::read(self, text)
    }

    /// Returns the address of what a rule of one's own found, if the rule gives one.
    pub fn link(&self, reference: &Reference) -> Option<String> {
        let mut rules = self.custom.iter().filter(|rule| rule.kind == reference.kind);
        rules.find_map(|rule| rule.link(&reference.id))
    }

    /// Reads every mention, repeated ones too, in the order of the text.
    pub(super) fn read_all(
        &self,
        text: &str,
        kind: TextKind,
        context: &Context<'_>,
    ) -> Vec<Mention> {
        let place = Place { project: context.project, host: "" };
        let mut mentions = match kind {
            TextKind::Branch => self.read_branch(text, place),
            TextKind::Markdown | TextKind::Title | TextKind::Commit => {
                self.read_text(text, kind == TextKind::Markdown, place)
            }
        };
        mentions.sort_by_key(|mention| (mention.span.start, mention.span.end));
        match kind {
            TextKind::Branch => {}
            TextKind::Markdown | TextKind::Title | TextKind::Commit => {
                closing::mark(text, &mut mentions);
            }
        }
        mentions
    }

    fn read_branch(&self, name: &str, place: Place<'_>) -> Vec<Mention> {
        let found = self.branch.read(name, &self.prefixes, place).into_iter();
        let mut mentions: Vec<_> = found
            .map(|(kind, id, span)| {
                let source = if self.prefixes.values().flatten().any(|k| *k == kind) {
                    "key"
                } else {
                    "branch"
                };
                Mention {
                    rule: format!("{source}:{kind}"),
                    reference: Reference::new(kind, id),
                    span,
                    closing: false,
                    certain: true,
                }
            })
            .collect();
        self.read_custom(name.as_bytes(), name, place, true, &mut mentions);
        mentions
    }

    fn read_text(&self, text: &str, is_markdown: bool, place: Place<'_>) -> Vec<Mention> {
        let mut mentions = Vec::new();
        let cues = self.bare.cues.matches(text.as_bytes());
        if !cues.matched_any() && self.custom.is_empty() {
            return mentions;
        }
        let mut buffer = text.as_bytes().to_vec();
        let zones = if is_markdown { markdown::zones(text) } else { Vec::new() };
        for (range, _) in zones.iter().filter(|(_, zone)| *zone == Zone::Comment) {
            markdown::blank(&mut buffer, range.clone());
        }
        if cues.matched(0) {
            self.read_addresses(&mut buffer, text, place, &mut mentions);
        }
        let mut prose = buffer.clone();
        if is_markdown {
            for (range, _) in &zones {
                markdown::blank(&mut prose, range.clone());
            }
            blank_link_marks(&mut prose);
        }
        self.read_custom(&prose, text, place, false, &mut mentions);
        // The rules that read code come first and see both; what they take is taken from both.
        for (index, rule) in self.bare.rules.iter().enumerate() {
            if cues.matched(index + 1) {
                let (buffer, other) = match rule.reach {
                    Reach::Everywhere => (&mut buffer, Some(&mut prose)),
                    Reach::Prose => (&mut prose, None),
                };
                self.run(rule, buffer, other, text, place, &mut mentions);
            }
        }
        mentions
    }

    /// Reads the addresses of a text and blanks them, known or not: nothing inside an address is
    /// read a second time.
    fn read_addresses(
        &self,
        buffer: &mut [u8],
        text: &str,
        place: Place<'_>,
        mentions: &mut Vec<Mention>,
    ) {
        let mut from = 0;
        while let Some((start, end)) = address::find(buffer, text, from) {
            let token = &text[start..end];
            let inner = address::unwrapped(token);
            let token = inner.as_deref().unwrap_or(token);
            let mut add = |rule: String, kind: &str, id: String| {
                let reference = Reference::new(kind, id);
                mentions.push(Mention {
                    reference,
                    span: start..end,
                    rule,
                    closing: false,
                    certain: true,
                });
            };
            if let Some(address) = Address::parse(token) {
                for found in self.catalogue.read(&address) {
                    add(format!("url:{}", found.kind), found.kind, found.id);
                }
            }
            for rule in &self.custom {
                if let Some(id) = rule.read_address(token, place) {
                    add(format!("custom:{}", rule.kind), &rule.kind, id);
                }
            }
            markdown::blank(buffer, start..end);
            from = end;
        }
    }

    fn read_custom(
        &self,
        buffer: &[u8],
        text: &str,
        place: Place<'_>,
        branch: bool,
        mentions: &mut Vec<Mention>,
    ) {
        for rule in &self.custom {
            mentions.extend(rule.matches(buffer, text, place, branch).into_iter().map(|found| {
                Mention {
                    reference: Reference::new(rule.kind.clone(), found.id),
                    span: found.start..found.end,
                    rule: format!("custom:{}", rule.kind),
                    closing: false,
                    certain: true,
                }
            }));
        }
    }

    /// Runs one rule over what the former rules left, and blanks what it reads.
    fn run(
        &self,
        rule: &Rule,
        buffer: &mut [u8],
        mut other: Option<&mut Vec<u8>>,
        text: &str,
        place: Place<'_>,
        mentions: &mut Vec<Mention>,
    ) {
        let mut from = 0;
        // Behind an identifier and a slash the next one may stand: `WEB-1/WEB-2`.
        let mut ends = BTreeSet::new();
        while let Some(captures) = rule.pattern.captures_at(buffer, from) {
            let Some(whole) = captures.get(0).map(|m| m.range()) else { break };
            from = whole.end.max(whole.start + 1);
            let hit = hit(rule, text, &captures);
            let listed = rule.left == Left::Key
                && hit.span.start.checked_sub(1).is_some_and(|slash| {
                    text.as_bytes().get(slash) == Some(&b'/') && ends.contains(&slash)
                });
            let bounded = (listed || rule.left.allows(text, hit.span.start))
                && rule.right.allows(text, hit.span.end);
            let certain = match if bounded { (rule.check)(&hit) } else { Verdict::Refused } {
                Verdict::Certain => true,
                Verdict::Uncertain => false,
                Verdict::Refused => continue,
            };
            let values: Vec<_> = (0..hit.captures.len()).map(|index| hit.capture(index)).collect();
            let Some(id) = rule.id.fill(&values, place) else { continue };
            // A list of ARNs without spaces: the rest is another one.
            from = from.min(hit.span.end.max(whole.start + 1));
            ends.insert(hit.span.end);
            markdown::blank(buffer, hit.span.clone());
            if let Some(other) = other.as_deref_mut() {
                markdown::blank(other, hit.span.clone());
            }
            let own = [rule.kind.to_owned()];
            let kinds = if rule.is_key {
                self.kinds_of_prefix(id.rsplit_once('-').map_or("", |(prefix, _)| prefix))
            } else {
                &own
            };
            let source = if rule.is_key { "key" } else { "bare" };
            mentions.extend(kinds.iter().map(|kind| Mention {
                reference: Reference::new(kind, id.clone()),
                span: hit.span.clone(),
                rule: format!("{source}:{kind}"),
                closing: false,
                certain,
            }));
        }
    }

    fn kinds_of_prefix(&self, prefix: &str) -> &[String] {
        self.prefixes.get(prefix).map_or(&[], Vec::as_slice)
    }

    /// Returns the kinds of which a text without white space may be the whole id.
    fn kinds_of(&self, id: &str) -> Vec<&'static str> {
        let mut kinds = self.catalogue.kinds_of(id);
        if query::is_hash(id) {
            kinds.push("git_sha");
        }
        kinds
    }

    /// Says whether a kind is one that any rule can find.
    fn has_kind(&self, kind: &str) -> bool {
        self.catalogue.has_kind(kind)
            || self.bare.rules.iter().any(|rule| !rule.is_key && rule.kind == kind)
            || self.custom.iter().any(|rule| rule.kind == kind)
            || self.prefixes.values().flatten().any(|known| known == kind)
    }
}

/// Returns the prefix that an address proves to be one of keys: `/browse/WEB-1` proves `WEB` for
/// Jira. Only addresses prove anything, and words such as `UTF` are never taken.
pub fn learned_prefix(mention: &Mention) -> Option<(&str, &str)> {
    let kind = mention.reference.kind.as_str();
    let (prefix, _) = mention.reference.id.rsplit_once('-')?;
    let is_key = KEY_KINDS.contains(&kind) && mention.rule == format!("url:{kind}");
    // Keys of Linear may be `V2-1` or `100-1`, which in prose are something else.
    let is_word = prefix.len() >= 2
        && prefix.starts_with(|c: char| c.is_ascii_uppercase())
        && (kind != "linear" || prefix.bytes().all(|b| b.is_ascii_uppercase()));
    (is_key && is_word && !query::is_no_prefix(prefix)).then_some((kind, prefix))
}

/// Cuts from a match what belongs to the sentence around it.
fn hit<'a>(rule: &Rule, text: &'a str, captures: &Captures<'_>) -> Hit<'a> {
    let mut captures: Vec<_> = captures.iter().map(|c| c.map(|c| c.range())).collect();
    let mut span = captures.first().cloned().flatten().unwrap_or_default();
    let bytes = text.as_bytes();
    // `_acme/web#3_`: an underscore may open a path, but here it is emphasis.
    if bytes.get(span.end) == Some(&b'_') {
        while span.start < span.end && bytes[span.start] == b'_' {
            span.start += 1;
        }
    }
    if !rule.trim.is_empty() {
        // `arn:…:a,arn:…:b`: a comma may stand in an ARN, but this one does not.
        let matched = text.get(span.clone()).unwrap_or_default();
        if let Some(next) = matched.find(",arn:") {
            span.end = span.start + next;
        }
        let emphasis = span.start.checked_sub(1).map(|at| bytes[at]).filter(|b| b"*_".contains(b));
        while span.end > span.start {
            let last = bytes[span.end - 1];
            if !rule.trim.as_bytes().contains(&last) && Some(last) != emphasis {
                break;
            }
            span.end -= 1;
        }
    }
    for capture in captures.iter_mut().flatten() {
        capture.start = capture.start.clamp(span.start, span.end);
        capture.end = capture.end.clamp(span.start, span.end);
    }
    Hit { text, span, captures }
}

/// Blanks the marks of references in the texts of links. Targets stay: GitLab reads one, `[why](#12)`.
fn blank_link_marks(buffer: &mut [u8]) {
    for text in markdown::link_texts(buffer) {
        for byte in &mut buffer[text] {
            if matches!(byte, b'#' | b'!' | b'&' | b'^') {
                *byte = b' ';
            }
        }
    }
}

#[cfg(test)]
mod tests;
