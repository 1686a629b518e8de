//! What the catalogue cannot know: hosts, prefixes and rules of one's own, as the engine takes them.
//!
//! Plain data; it is checked when the rules are compiled, and an error names the rule.

use std::collections::BTreeMap;

/// What an operator says about the systems around a GitLab.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Hosts of GitLab instances: `host`, `host:port` or `host/base`. gitlab.com always counts.
    pub gitlab_hosts: Vec<String>,
    /// Prefixes of bare keys, by kind.
    pub prefixes: BTreeMap<String, Vec<String>>,
    /// Hosts of one's own systems, by family: `gitlab`, `jira`, `youtrack`, `grafana`, `kibana`,
    /// `confluence`, `sentry`, `statuspage`, `runbook`. Written as in `gitlab_hosts`.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// Names of Sentry projects, for bare short ids.
    pub sentry_projects: Vec<String>,
    /// Rules of one's own.
    pub custom: Vec<CustomReference>,
}

/// A rule of one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CustomReference {
    /// The kind of what it finds.
    pub kind: String,
    /// A regular expression.
    pub pattern: String,
    /// The id, with `{1}` and `{name}` for captures; without it, the group called `id`, or the
    /// whole match.
    pub id: Option<String>,
    /// The address of an id, with `{id}`. Such addresses are read back.
    pub url: Option<String>,
}

/// Why rules cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A pattern is no regular expression.
    #[error("the pattern of the reference rule for {kind} cannot be used: {pattern}")]
    Pattern {
        /// The kind of the rule.
        kind: String,
        /// The pattern as written.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// A template names a capture that the pattern does not have.
    #[error("the template {template:?} of the reference rule for {kind} names nothing by {part}")]
    Id {
        /// The kind of the rule.
        kind: String,
        /// The template as written.
        template: String,
        /// The part that names nothing.
        part: String,
    },
}

impl Error {
    pub(super) fn pattern(kind: &str, pattern: &str, source: regex::Error) -> Self {
        Self::Pattern { kind: kind.to_owned(), pattern: pattern.to_owned(), source }
    }

    pub(super) fn id(kind: &str, template: &str, part: String) -> Self {
        Self::Id { kind: kind.to_owned(), template: template.to_owned(), part }
    }
}
