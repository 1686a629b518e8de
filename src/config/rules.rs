//! `[rules]`: what a topic, label, field, mention, path or owner means, beyond the defaults.
//!
//! Plain data for `extract` and `correlate`, checked here as far as that needs no text to read.
//! It refuses a rule that can never match or whose result could not be told apart.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Pattern;
use super::section::Section;
use super::show::Toml;

mod known;
mod path;
mod reference;

pub use known::HOST_FAMILIES;
use known::{parse_family, parse_host, parse_prefix, parse_prefix_kind};
pub use path::PathRule;
pub use reference::ReferenceRule;

/// The section `[rules]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rules {
    /// Whether the default rules count too.
    pub defaults: bool,
    /// Rules for topics of projects.
    #[serde(rename = "topic")]
    pub topics: Vec<TopicRule>,
    /// Rules for labels of items.
    #[serde(rename = "label")]
    pub labels: Vec<LabelRule>,
    /// Rules for fields of descriptions.
    #[serde(rename = "field")]
    pub fields: Vec<FieldRule>,
    /// Rules for mentions in texts.
    #[serde(rename = "reference")]
    pub references: Vec<ReferenceRule>,
    /// Rules for paths of files in a monorepo.
    #[serde(rename = "path")]
    pub paths: Vec<PathRule>,
    /// Rules for owners.
    #[serde(rename = "owner")]
    pub owners: Vec<OwnerRule>,
    /// Prefixes of bare keys by kind, in upper case: `jira` -> `WEB`, `OPS`.
    pub prefixes: BTreeMap<String, Vec<String>>,
    /// Hosts of self-hosted systems by family, as `host`, `host:port` or `host/base`.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// What is known of Sentry.
    pub sentry: Sentry,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            defaults: true,
            topics: Vec::new(),
            labels: Vec::new(),
            fields: Vec::new(),
            references: Vec::new(),
            paths: Vec::new(),
            owners: Vec::new(),
            prefixes: BTreeMap::new(),
            hosts: BTreeMap::new(),
            sentry: Sentry::default(),
        }
    }
}

/// `[[rules.topic]]`: a topic that is a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicRule {
    /// Matches the topic; the group `value` is the tag's value.
    pub pattern: Pattern,
    /// The tag's key.
    pub key: String,
}

/// `[[rules.label]]`: a label that is a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabelRule {
    /// Matches the label; the group `value` is the tag's value.
    pub pattern: Pattern,
    /// The tag's key.
    pub key: String,
}

/// `[[rules.field]]`: a field of descriptions that is a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldRule {
    /// The field's name as written in descriptions, in any case: `Affected system`.
    pub name: String,
    /// The tag's key.
    pub key: String,
}

/// `[[rules.owner]]`: the team that an owner stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnerRule {
    /// The owner as CODEOWNERS names it: `@shop/platform`, `kim@example.com`.
    pub owner: String,
    /// The team.
    pub team: String,
}

/// `[rules.sentry]`: what is known of Sentry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Sentry {
    /// Names of projects, for bare short ids such as `CHECKOUT-API-1F`.
    pub projects: Vec<String>,
}

impl Rules {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let defaults = section.boolean("defaults").unwrap_or(true);
        let topics = section.read_each("topic", |rule| {
            let (pattern, key) = read_keyed(rule);
            Some(TopicRule { pattern: pattern?, key: key? })
        });
        let labels = section.read_each("label", |rule| {
            let (pattern, key) = read_keyed(rule);
            Some(LabelRule { pattern: pattern?, key: key? })
        });
        let fields = section.read_each("field", |rule| {
            let name = rule.parse_required("name", "the field's name in descriptions", parse_text);
            let key = read_key(rule);
            Some(FieldRule { name: name?, key: key? })
        });
        let references = section.read_each("reference", ReferenceRule::read);
        let paths = section.read_each("path", PathRule::read);
        let owners = section.read_each("owner", |rule| {
            let owner = rule.parse_required("owner", "as in \"@shop/platform\"", parse_owner);
            let team = rule.parse_required("team", "the team's name", parse_text);
            Some(OwnerRule { owner: owner?, team: team? })
        });
        let own: BTreeSet<&str> = references.iter().map(|rule| rule.kind.as_str()).collect();
        let prefixes = section.read("prefixes", |prefixes| read_prefixes(prefixes, &own));
        let hosts = section
            .read("hosts", |hosts| read_lists(hosts, parse_family, |_, host| parse_host(host)));
        let sentry = section.read("sentry", |sentry| Sentry {
            projects: sentry.parse_each("projects", parse_text),
        });
        Self {
            defaults,
            topics,
            labels,
            fields,
            references,
            paths,
            owners,
            prefixes,
            hosts,
            sentry,
        }
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        toml.header("[rules]");
        toml.plain("defaults", self.defaults);
        show_lists(toml, "[rules.prefixes]", &self.prefixes);
        show_lists(toml, "[rules.hosts]", &self.hosts);
        if !self.sentry.projects.is_empty() {
            toml.header("[rules.sentry]");
            toml.texts("projects", &self.sentry.projects);
        }
        for rule in &self.topics {
            toml.header("[[rules.topic]]");
            toml.text("pattern", rule.pattern.as_str());
            toml.text("key", &rule.key);
        }
        for rule in &self.labels {
            toml.header("[[rules.label]]");
            toml.text("pattern", rule.pattern.as_str());
            toml.text("key", &rule.key);
        }
        for rule in &self.fields {
            toml.header("[[rules.field]]");
            toml.text("name", &rule.name);
            toml.text("key", &rule.key);
        }
        for rule in &self.references {
            toml.header("[[rules.reference]]");
            toml.text("kind", &rule.kind);
            toml.text("pattern", rule.pattern.as_str());
            show_optional(toml, "id", rule.id.as_deref());
            show_optional(toml, "url", rule.url.as_deref());
        }
        for rule in &self.paths {
            toml.header("[[rules.path]]");
            toml.text("project", rule.project.as_str());
            toml.text("path", &rule.path);
            show_optional(toml, "service", rule.service.as_deref());
        }
        for rule in &self.owners {
            toml.header("[[rules.owner]]");
            toml.text("owner", &rule.owner);
            toml.text("team", &rule.team);
        }
    }
}

/// Reads `pattern` and `key` of a rule for topics or labels.
fn read_keyed(rule: &mut Section<'_>) -> (Option<Pattern>, Option<String>) {
    let pattern = rule.parse_required(
        "pattern",
        "a regular expression with the group `value`, as in \"^svc/(?<value>.+)$\"",
        Pattern::parse_with_value,
    );
    (pattern, read_key(rule))
}

fn read_key(rule: &mut Section<'_>) -> Option<String> {
    rule.parse_required("key", "the key of the tag, as in \"service\"", parse_key)
}

/// Reads a section whose keys are names and whose values are lists of texts.
fn read_lists(
    section: &mut Section<'_>,
    mut check_name: impl FnMut(&str) -> Result<(), String>,
    mut parse: impl FnMut(&str, &str) -> Result<String, String>,
) -> BTreeMap<String, Vec<String>> {
    let mut lists = BTreeMap::new();
    for name in section.keys() {
        let place = section.place_of(&name);
        if let Err(message) = check_name(&name) {
            section.report(&name, place, message);
            section.discard(&name);
            continue;
        }
        let mut list = section.parse_each(&name, |text| parse(&name, text));
        let mut seen = BTreeSet::new();
        list.retain(|text| seen.insert(text.clone()));
        lists.insert(name, list);
    }
    lists
}

/// Reads the prefixes; the same one under two kinds would make a key mean two things.
fn read_prefixes(section: &mut Section<'_>, own: &BTreeSet<&str>) -> BTreeMap<String, Vec<String>> {
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    read_lists(
        section,
        |kind| parse_prefix_kind(kind, own),
        |kind, text| {
            let prefix = parse_prefix(text)?;
            let first = kinds.entry(prefix.clone()).or_insert_with(|| kind.to_owned());
            if first == kind {
                Ok(prefix)
            } else {
                Err(format!("the prefix {prefix} stands under `{first}` too; keep it in one place"))
            }
        },
    )
}

fn parse_text(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() { Err("may not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn parse_owner(text: &str) -> Result<String, String> {
    let owner = text.trim();
    if !owner.contains('@') || owner.len() < 2 || owner.contains(char::is_whitespace) {
        return Err("must be an owner as CODEOWNERS names it: \"@shop/platform\", \"@ann\" or an \
                    e-mail address"
            .to_owned());
    }
    Ok(owner.to_owned())
}

fn parse_key(text: &str) -> Result<String, String> {
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if !text.starts_with(|c: char| c.is_ascii_lowercase()) || !text.chars().all(valid) {
        return Err(format!(
            "\"{text}\" cannot be the key of a tag: lower-case letters, digits, `_` and `-`, as \
             in \"service\""
        ));
    }
    Ok(text.to_owned())
}

fn show_lists(toml: &mut Toml, header: &str, lists: &BTreeMap<String, Vec<String>>) {
    if !lists.is_empty() {
        toml.header(header);
        for (name, list) in lists {
            toml.texts(name, list);
        }
    }
}

fn show_optional(toml: &mut Toml, key: &str, text: Option<&str>) {
    if let Some(text) = text {
        toml.text(key, text);
    }
}
