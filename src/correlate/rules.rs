//! Rules: how a topic or a label becomes a tag.
//!
//! The default conventions are a table from a word to a key, because their grammar is the same
//! for all keys. Configured rules are patterns and come first. All that match count: a label may
//! carry several tags.

use regex::Regex;

use crate::model::Tag;

/// Words that name a key in labels, whatever their case.
const LABEL_WORDS: &[(&str, &str)] = &[
    ("service", "service"),
    ("services", "service"),
    ("svc", "service"),
    ("app", "service"),
    ("application", "service"),
    ("system", "service"),
    ("component", "component"),
    ("components", "component"),
    ("team", "team"),
    ("squad", "team"),
    ("group", "team"),
    ("owner", "team"),
    ("severity", "severity"),
    ("sev", "severity"),
    ("priority", "priority"),
    ("prio", "priority"),
    ("environment", "environment"),
    ("env", "environment"),
];

/// Words that name a key in topics. Fewer than for labels: topics join with a hyphen, and
/// `app-store` or `group-chat` is more often a subject than a name.
const TOPIC_WORDS: &[(&str, &str)] = &[
    ("service", "service"),
    ("svc", "service"),
    ("component", "component"),
    ("team", "team"),
    ("squad", "team"),
    ("domain", "domain"),
    ("tier", "tier"),
    ("environment", "environment"),
    ("env", "environment"),
];

/// A configured rule: a pattern with a group `value`, and the key of the tag it makes.
#[derive(Debug, Clone)]
pub struct KeyRule {
    /// The pattern; the group `value` holds the tag's value.
    pub pattern: Regex,
    /// The tag's key.
    pub key: String,
}

/// The rules for topics and labels.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    topics: Vec<KeyRule>,
    labels: Vec<KeyRule>,
    defaults: bool,
}

impl Rules {
    /// Builds the rules. With `defaults`, the conventions of this module count too.
    pub fn new(topics: Vec<KeyRule>, labels: Vec<KeyRule>, defaults: bool) -> Self {
        Self { topics, labels, defaults }
    }

    /// Reads the tags out of a topic, each with the name of the rule that read it.
    pub fn read_topic(&self, topic: &str) -> Vec<(Tag, String)> {
        let mut found = configured(&self.topics, topic, "topic");
        if self.defaults
            && let Some((word, value)) = split_topic(topic.trim())
            && let Some(key) = key_of(TOPIC_WORDS, word)
        {
            push(&mut found, key, value, format!("topic:{key}"));
        }
        found
    }

    /// Reads the tags out of a label's title, each with the name of the rule that read it.
    pub fn read_label(&self, title: &str) -> Vec<(Tag, String)> {
        let mut found = configured(&self.labels, title, "label");
        if !self.defaults {
            return found;
        }
        let title = title.trim();
        if let Some((word, value)) = split_label(title) {
            if let Some(key) = key_of(LABEL_WORDS, word) {
                push(&mut found, key, value, format!("label:{key}"));
            }
        } else if let Some((key, value)) = short_label(title) {
            push(&mut found, key, value, format!("label:{key}"));
        }
        found
    }
}

/// Returns a value in the form in which it is compared for its key: `S1`, `sev-1` and `1` are one
/// severity.
pub fn canonical_value<'a>(key: &str, value: &'a str) -> &'a str {
    let words: &[&str] = match key {
        "severity" => &["severity", "sev", "s"],
        "priority" => &["priority", "prio", "p"],
        _ => return value,
    };
    let lower = value.to_ascii_lowercase();
    for word in words {
        if let Some(rest) = lower.strip_prefix(word) {
            let digits = rest.trim_start_matches([' ', '-', '_', ':']);
            if digits.len() == 1 && digits.starts_with(|c: char| c.is_ascii_digit()) {
                return &value[value.len() - 1..];
            }
        }
    }
    value
}

fn configured(rules: &[KeyRule], text: &str, kind: &str) -> Vec<(Tag, String)> {
    let mut found = Vec::new();
    for rule in rules {
        let value = rule.pattern.captures(text).and_then(|c| c.name("value"));
        if let Some(value) = value {
            let name = format!("{kind}:{}", rule.pattern);
            push(&mut found, &rule.key, value.as_str(), name);
        }
    }
    found
}

fn push(found: &mut Vec<(Tag, String)>, key: &str, value: &str, rule: String) {
    let value = canonical_value(key, value.trim());
    let tag = Tag::new(key, value);
    if !value.is_empty() && !found.iter().any(|(other, _)| *other == tag) {
        found.push((tag, rule));
    }
}

fn key_of(words: &'static [(&str, &str)], word: &str) -> Option<&'static str> {
    let word = word.trim().to_lowercase();
    words.iter().find(|(name, _)| *name == word).map(|(_, key)| *key)
}

/// Splits a label at the first of `::`, `:` or `/`; a scoped one at its last `::`, as GitLab does.
fn split_label(title: &str) -> Option<(&str, &str)> {
    let at = title.find([':', '/'])?;
    if title[at..].starts_with("::") {
        let last = title.rfind("::")?;
        return Some((&title[..last], &title[last + 2..]));
    }
    Some((&title[..at], &title[at + 1..]))
}

/// Splits a topic at the first of `::`, `:`, `_` or `-`.
fn split_topic(topic: &str) -> Option<(&str, &str)> {
    let at = topic.find([':', '_', '-'])?;
    let rest = &topic[at..];
    let skip = if rest.starts_with("::") { 2 } else { 1 };
    Some((&topic[..at], &rest[skip..]))
}

/// Reads the labels that are a letter and a digit: `S1`, `P2`.
fn short_label(title: &str) -> Option<(&'static str, &str)> {
    let key = match title.as_bytes() {
        [b'S', digit] if digit.is_ascii_digit() => "severity",
        [b'P', digit] if digit.is_ascii_digit() => "priority",
        _ => return None,
    };
    Some((key, &title[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules::new(Vec::new(), Vec::new(), true)
    }

    fn tags(found: Vec<(Tag, String)>) -> Vec<String> {
        found.into_iter().map(|(tag, _)| tag.to_string()).collect()
    }

    #[test]
    fn labels_follow_the_conventions() {
        let cases: &[(&str, &[&str])] = &[
            ("service::webshop", &["service:webshop"]),
            ("service:webshop", &["service:webshop"]),
            ("Service: Web Shop", &["service:Web Shop"]),
            ("svc/webshop", &["service:webshop"]),
            ("Service::CI Runners", &["service:CI Runners"]),
            ("app:web", &["service:web"]),
            ("component::checkout", &["component:checkout"]),
            ("squad/payments", &["team:payments"]),
            ("group::runner", &["team:runner"]),
            ("severity::1", &["severity:1"]),
            ("severity::S1", &["severity:1"]),
            ("sev:critical", &["severity:critical"]),
            ("S1", &["severity:1"]),
            ("P3", &["priority:3"]),
            ("priority::p2", &["priority:2"]),
            ("env::production", &["environment:production"]),
            // The key is everything before the last `::`.
            ("service::web::eu", &[]),
            ("service::a:b", &["service:a:b"]),
            ("svc/a/b", &["service:a/b"]),
            ("service::", &[]),
            ("service", &[]),
            ("bug", &[]),
            ("SSL", &[]),
            ("s1", &[]),
            ("type::bug", &[]),
            ("https://example.com", &[]),
        ];
        for (label, expected) in cases {
            assert_eq!(tags(rules().read_label(label)), *expected, "{label}");
        }
    }

    #[test]
    fn topics_follow_the_conventions() {
        let cases: &[(&str, &[&str])] = &[
            ("service-web-shop", &["service:web-shop"]),
            ("service:webshop", &["service:webshop"]),
            ("service::webshop", &["service:webshop"]),
            ("Service_webshop", &["service:webshop"]),
            ("team-platform", &["team:platform"]),
            ("tier-1", &["tier:1"]),
            ("domain-payments", &["domain:payments"]),
            ("app-store", &[]),
            ("services", &[]),
            ("service-", &[]),
            ("microservice-web", &[]),
        ];
        for (topic, expected) in cases {
            assert_eq!(tags(rules().read_topic(topic)), *expected, "{topic}");
        }
    }

    #[test]
    fn configured_rules_add_to_the_defaults_or_replace_them() {
        let rule = || KeyRule {
            pattern: Regex::new("^area/(?<value>.+)$").expect("a valid pattern"),
            key: "component".to_owned(),
        };
        let both = Rules::new(Vec::new(), vec![rule()], true);
        assert_eq!(tags(both.read_label("area/cart")), ["component:cart"]);
        assert_eq!(tags(both.read_label("svc/cart")), ["service:cart"]);
        let alone = Rules::new(Vec::new(), vec![rule()], false);
        assert_eq!(tags(alone.read_label("area/cart")), ["component:cart"]);
        assert!(alone.read_label("svc/cart").is_empty());
    }

    #[test]
    fn short_values_of_any_length_do_not_panic() {
        for value in ["", "é", "s", "p-", "Sé", "severity 10", "１"] {
            canonical_value("severity", value);
            rules().read_label(value);
            rules().read_topic(value);
        }
    }
}
