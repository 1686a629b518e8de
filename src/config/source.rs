//! `[[gitlab]]`: the sources, each one GitLab with its credential, roots and pace.
//!
//! A container gets by without a file: `GITLAB_URL`, `GITLAB_TOKEN`, `GITLAB_FALLBACK_TOKEN`,
//! `GITLAB_GROUPS` and `GITLAB_PROJECTS` make a source named `main`, or give the only source what
//! it lacks. With two sources they count for none: a token must not be sent to a host that it is not meant for. A
//! source refuses an address that carries a password.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use reqwest::Url;
use serde::{Serialize, Serializer};

use super::auth::{FALLBACK, Kind, read_auth};
use super::problem::Place;
use super::section::Section;
use super::show::Toml;
use super::{Auth, Environment, PathGlob, TokenSource};

/// The name of a source that is the only one and was not given another.
const DEFAULT_NAME: &str = "main";
/// Of the rate limit; the rest is left for people.
const DEFAULT_SHARE: f64 = 0.8;
/// Requests at the same time at most. More do not make GitLab faster.
const DEFAULT_CONCURRENCY: u32 = 8;
/// Per minute where the server states no limit: what GitLab allows a user on its tightest API
/// limits that matter here.
const DEFAULT_REQUESTS_PER_MINUTE: u32 = 600;

/// Of a root; what goes beyond it at once has to be seen twice.
const DEFAULT_DROP: f64 = 0.33;

/// Which of GitLab's interfaces are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// REST, and GraphQL where it is cheaper.
    Auto,
    /// REST alone.
    Rest,
}

impl Transport {
    const CHOICES: [(&'static str, Self); 2] = [("auto", Self::Auto), ("rest", Self::Rest)];

    /// Returns the word used in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Rest => "rest",
        }
    }
}

/// One GitLab with its credential, roots and pace.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// Its name, unique among the sources.
    pub name: String,
    /// The address of the instance: http or https, perhaps with a path, without a slash at the
    /// end of it, and without `/api/v4`.
    pub url: Url,
    /// A file with certificates of authorities that are believed beside the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// The credential.
    pub auth: Auth,
    /// Where a second token of the same kind is read from when the first is refused.
    pub fallback_token: Option<TokenSource>,
    /// Where the secret token of its webhooks is read from.
    pub webhook_token: Option<TokenSource>,
    /// Where the secret is read from that its webhooks are signed with.
    pub webhook_secret: Option<TokenSource>,
    /// Groups to crawl with their subgroups, by path or number.
    pub groups: Vec<String>,
    /// Projects to crawl, by path or number.
    pub projects: Vec<String>,
    /// What is left out.
    pub exclude: Vec<PathGlob>,
    /// Whether archived projects are crawled.
    pub archived: bool,
    /// Whether comments are read.
    pub comments: bool,
    /// The part of the rate limit that may be used: above 0, at most 1.
    pub share: f64,
    /// Requests at the same time at most: 1 to 64.
    pub concurrency: u32,
    /// The pace where the server states no limit: at least 1.
    pub requests_per_minute: u32,
    /// The interfaces used.
    pub transport: Transport,
    /// The part of a root that may be removed at once: above 0, at most 1. What would go beyond it
    /// is kept until a later listing shows the same.
    pub drop: f64,
    /// Names of the sources before this one of the same GitLab: what they hold is left to them.
    pub yields_to: Vec<String>,
    /// Where its values came from, in words.
    pub origins: Vec<String>,
}

impl Source {
    /// True when a project, or a group above it, is left out.
    pub fn excludes(&self, path: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(path))
    }

    /// True when no root is named, so that everything that the token is a member of is crawled.
    pub fn is_rootless(&self) -> bool {
        self.groups.is_empty() && self.projects.is_empty()
    }

    /// Reads all sources.
    pub(super) fn read_all(root: &mut Section<'_>, environment: &Environment) -> Vec<Self> {
        let mut sections = root.sections("gitlab");
        if sections.is_empty() && environment.find("GITLAB_URL").is_some() {
            sections.push(root.absent("gitlab[0]"));
        }
        let sole = sections.len() == 1;
        let mut sources: Vec<Self> = Vec::new();
        for mut section in sections {
            let place = section.place_of("name");
            if let Some(mut source) = Self::read(&mut section, sole.then_some(environment)) {
                let same = sources.iter().filter(|other| other.url == source.url);
                source.yields_to = same.map(|other| other.name.clone()).collect();
                if sources.iter().any(|other| other.name == source.name) {
                    section.report(
                        "name",
                        place,
                        format!(
                            "\"{}\" is the name of a source above; names must differ",
                            source.name
                        ),
                    );
                }
                sources.push(source);
            }
            section.finish();
        }
        sources
    }

    /// Reads one source; the environment is given to the only one, for its short forms.
    fn read(section: &mut Section<'_>, short_forms: Option<&Environment>) -> Option<Self> {
        let auth_given = section.has("auth");
        let kind = section.choice("auth", &Kind::CHOICES).unwrap_or(Kind::PrivateToken);
        if let Some(environment) = short_forms {
            fill(section, environment, kind);
        }
        let origins = section.places();
        let name = if short_forms.is_some() && !section.has("name") {
            section.parse("name", parse_name).or_else(|| Some(DEFAULT_NAME.to_owned()))
        } else {
            section.parse_required("name", "name the source, as in \"main\"", parse_name)
        };
        let url = section.parse_required(
            "url",
            "add the address of the GitLab, as in \"https://gitlab.example.com\", or set GITLAB_URL",
            parse_url,
        );
        let in_share = |share: f64| share > 0.0 && share <= 1.0;
        let (auth, fallback_token) = read_auth(section, kind, auth_given, short_forms.is_some());
        Some(Self {
            auth,
            fallback_token,
            webhook_token: TokenSource::read_key(section, "webhook_token"),
            webhook_secret: TokenSource::read_key(section, "webhook_secret"),
            ca_file: section.parse("ca_file", parse_file),
            groups: without_repeats(section.parse_each("groups", parse_path)),
            projects: without_repeats(section.parse_each("projects", parse_path)),
            exclude: section.parse_each("exclude", PathGlob::parse),
            archived: section.boolean("archived").unwrap_or(false),
            comments: section.boolean("comments").unwrap_or(true),
            share: section
                .number("share", "must be above 0 and at most 1", in_share)
                .unwrap_or(DEFAULT_SHARE),
            concurrency: section.integer("concurrency", &(1..=64)).unwrap_or(DEFAULT_CONCURRENCY),
            requests_per_minute: section
                .integer("requests_per_minute", &(1..=1_000_000))
                .unwrap_or(DEFAULT_REQUESTS_PER_MINUTE),
            transport: section.choice("transport", &Transport::CHOICES).unwrap_or(Transport::Auto),
            drop: section
                .number("drop", "must be above 0 and at most 1", in_share)
                .unwrap_or(DEFAULT_DROP),
            yields_to: Vec::new(),
            origins: describe_origins(origins),
            // Last, so that every other key has been read when one of these is missing.
            name: name?,
            url: url?,
        })
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        toml.header("[[gitlab]]");
        toml.comment(&format!("from {}", self.origins.join(", ")));
        toml.text("name", &self.name);
        toml.text("url", self.url.as_str());
        if let Some(path) = &self.ca_file {
            toml.text("ca_file", &path.display().to_string());
        }
        toml.text("auth", self.auth.as_str());
        if let Some(token) = self.auth.token() {
            toml.plain("token", token.shown());
        }
        if let Some(token) = &self.fallback_token {
            toml.plain(FALLBACK, token.shown());
        }
        for (key, place) in
            [("webhook_token", &self.webhook_token), ("webhook_secret", &self.webhook_secret)]
        {
            if let Some(place) = place {
                toml.plain(key, place.shown());
            }
        }
        toml.texts("groups", &self.groups);
        toml.texts("projects", &self.projects);
        toml.texts("exclude", &self.exclude);
        toml.plain("archived", self.archived);
        toml.plain("comments", self.comments);
        toml.plain("share", format!("{:?}", self.share));
        toml.plain("concurrency", self.concurrency);
        toml.plain("requests_per_minute", self.requests_per_minute);
        toml.text("transport", self.transport.as_str());
        toml.plain("drop", format!("{:?}", self.drop));
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            name: &'a str,
            url: &'a str,
            ca_file: Option<&'a Path>,
            auth: &'static str,
            token: Option<&'a TokenSource>,
            fallback_token: Option<&'a TokenSource>,
            webhook_token: Option<&'a TokenSource>,
            webhook_secret: Option<&'a TokenSource>,
            groups: &'a [String],
            projects: &'a [String],
            exclude: &'a [PathGlob],
            archived: bool,
            comments: bool,
            share: f64,
            concurrency: u32,
            requests_per_minute: u32,
            transport: Transport,
            drop: f64,
            origins: &'a [String],
        }
        Shown {
            name: &self.name,
            url: self.url.as_str(),
            ca_file: self.ca_file.as_deref(),
            auth: self.auth.as_str(),
            token: self.auth.token(),
            fallback_token: self.fallback_token.as_ref(),
            webhook_token: self.webhook_token.as_ref(),
            webhook_secret: self.webhook_secret.as_ref(),
            groups: &self.groups,
            projects: &self.projects,
            exclude: &self.exclude,
            archived: self.archived,
            comments: self.comments,
            share: self.share,
            concurrency: self.concurrency,
            requests_per_minute: self.requests_per_minute,
            transport: self.transport,
            drop: self.drop,
            origins: &self.origins,
        }
        .serialize(serializer)
    }
}

/// Gives the only source what it lacks, from the short forms and from the CI job it runs in.
fn fill(section: &mut Section<'_>, environment: &Environment, kind: Kind) {
    let in_job = kind == Kind::JobToken;
    let rootless = !section.has("groups") && !section.has("projects");
    for (key, variable) in
        [("url", "GITLAB_URL"), ("groups", "GITLAB_GROUPS"), ("projects", "GITLAB_PROJECTS")]
    {
        if let Some(value) = environment.find(variable) {
            section.fill(key, variable, value);
        }
    }
    let mut tokens = vec!["GITLAB_TOKEN"];
    if in_job {
        for variable in ["CI_API_V4_URL", "CI_SERVER_URL"] {
            if let Some(url) = environment.find(variable) {
                section.fill("url", variable, url);
            }
        }
        let named = section.has("groups") || section.has("projects");
        if let Some(project) = environment.find("CI_PROJECT_PATH").filter(|_| rootless && !named) {
            section.fill("projects", "CI_PROJECT_PATH", project);
        }
        // The job's own token comes first: another kind of token is refused in its header.
        tokens.insert(0, "CI_JOB_TOKEN");
    }
    let mut places: Vec<(&str, &str)> =
        tokens.into_iter().map(|variable| ("token", variable)).collect();
    if !in_job {
        // A job has one token, and another kind is refused in its header.
        places.push((FALLBACK, "GITLAB_FALLBACK_TOKEN"));
    }
    if kind != Kind::None {
        for (key, variable) in places {
            if environment.find(variable).is_some() {
                let place = ::config::Value::new(Some(&variable.to_owned()), variable);
                let table = ::config::Map::from([("env".to_owned(), place)]);
                section.fill(key, variable, table);
            }
        }
    }
}

fn parse_name(name: &str) -> Result<String, String> {
    let name = name.trim();
    let valid = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(valid) {
        return Err("must be 1 to 64 letters, digits, `-`, `_` or `.`, because it stands in the \
                    address of its webhooks"
            .to_owned());
    }
    Ok(name.to_owned())
}

/// Reads the address of an instance. It is repeated in an error only when it carries no user, for
/// a password stands beside one.
fn parse_url(text: &str) -> Result<Url, String> {
    let expected = "write it as in \"https://gitlab.example.com\"";
    let mut url = Url::parse(text.trim())
        .map_err(|error| format!("is not an absolute address ({error}); {expected}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must begin with https:// or http://; {expected}"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "may not carry a user or password; name the token's place under `token`".to_owned()
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("may not carry a query or fragment; {expected}"));
    }
    let path = url.path().trim_end_matches('/');
    // What GitLab calls the API's address in CI_API_V4_URL.
    let path = path.strip_suffix("/api/v4").unwrap_or(path).trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Reads the path of a file; whether it can be read shows when a client is made.
fn parse_file(text: &str) -> Result<PathBuf, String> {
    let path = text.trim();
    if path.is_empty() {
        return Err("may not be empty; write a path, as in \"/etc/ssl/corp.pem\"".to_owned());
    }
    Ok(PathBuf::from(path))
}

/// Reads the path or number of a group or project.
pub(super) fn parse_path(text: &str) -> Result<String, String> {
    let path = text.trim().trim_matches('/');
    if path.contains("://") {
        return Err("must be the path without the address, as in \"shop/webshop\"".to_owned());
    }
    if path.is_empty() {
        return Err("may not be empty; write a path, as in \"shop/webshop\"".to_owned());
    }
    let invalid = |c: char| c.is_whitespace() || c.is_control() || "*?#%\\\"<>|".contains(c);
    if path.contains(invalid) || path.split('/').any(|part| part.is_empty() || part == "..") {
        return Err(format!("\"{path}\" is not a path of GitLab, as \"shop/webshop\" is"));
    }
    Ok(path.to_owned())
}

fn without_repeats(paths: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    paths.into_iter().filter(|path| seen.insert(path.to_lowercase())).collect()
}

fn describe_origins(places: BTreeSet<Place>) -> Vec<String> {
    places.into_iter().map(|place| place.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_its_path_and_loses_slashes_and_the_api() {
        for (text, url) in [
            ("https://gitlab.example.com", "https://gitlab.example.com/"),
            ("https://gitlab.example.com/", "https://gitlab.example.com/"),
            ("http://127.0.0.1:8929", "http://127.0.0.1:8929/"),
            ("https://example.com/gitlab//", "https://example.com/gitlab"),
            ("https://example.com/gitlab/api/v4/", "https://example.com/gitlab"),
            ("https://gitlab.com/api/v4", "https://gitlab.com/"),
        ] {
            assert_eq!(parse_url(text).unwrap().as_str(), url, "{text}");
        }
    }

    #[test]
    fn an_address_that_is_none_or_carries_a_secret_is_refused_and_not_repeated() {
        for text in [
            "",
            "gitlab.example.com",
            "ssh://git@example.com",
            "https://",
            "https://oauth2:hunter2@gitlab.example.com",
            "https://hunter2@gitlab.example.com",
            "https://gitlab.example.com/?private_token=hunter2",
            "https://gitlab.example.com/#hunter2",
        ] {
            let error = parse_url(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_root_is_a_path_or_a_number() {
        for (text, path) in [("shop", "shop"), ("/shop/web/", "shop/web"), ("42", "42")] {
            assert_eq!(parse_path(text).as_deref(), Ok(path));
        }
        for text in ["", "/", "https://gitlab.example.com/shop", "shop//web", "a b", "shop/*", ".."]
        {
            assert!(parse_path(text).is_err(), "{text}");
        }
    }
}
