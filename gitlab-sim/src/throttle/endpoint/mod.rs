//! The application limiter: limits of single endpoints.
//!
//! It runs inside the endpoint, after the caller was found, and has no headers: its refusals come
//! out of a blue sky, while `RateLimit-Remaining` of the request throttle is still high. By default
//! there is none; [`EndpointLimits::gitlab_com`] and [`EndpointLimits::self_managed`] have the
//! tables of the reference.

mod preset;

use std::time::Duration;

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;

use super::rule::{Key, Rule, Who};
use super::window::Windows;
use super::{Class, Limit, second};
use crate::asked::Asked;
use crate::rest::answer::Answer;
use crate::rest::query::decode;
use crate::rest::sha_of;
use crate::world::{Project, ProjectId, User, World};

/// GitLab's words for one request too many.
const WORDS: &str = "This endpoint has been requested too many times. Try again later.";

/// What shares a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointScope {
    /// All that a caller asks of the endpoint.
    Caller,
    /// What a caller asks of one project.
    CallerAndProject,
    /// What a caller asks of one file, of whatever commit.
    CallerAndFile,
    /// What anybody asks of one project.
    Project,
    /// What anybody asks of one file of one commit, by whatever name of the commit.
    File,
}

/// The limit of an endpoint, or of several that share it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointLimit {
    /// What it is called. GitLab never tells a client.
    pub name: String,
    /// Patterns of paths below `/api/v4`, in which `:word` stands for one part, such as
    /// `/projects/:id`; or `/api/graphql`.
    pub paths: Vec<String>,
    /// A query parameter without which a request is not counted, such as `search`.
    pub parameter: Option<String>,
    /// The size of a file, in bytes, up to which a request for it is not counted.
    pub free_bytes: Option<u64>,
    /// Whose requests are counted, and by what.
    pub who: Who,
    /// What shares a counter.
    pub scope: EndpointScope,
    /// How many requests per period. No request at all means that the limit is off.
    pub limit: Limit,
}

impl EndpointLimit {
    /// Makes a limit of one path per user.
    pub fn new(name: &str, path: &str, limit: Limit) -> Self {
        Self {
            name: name.to_owned(),
            paths: vec![path.to_owned()],
            parameter: None,
            free_bytes: None,
            who: Who::User,
            scope: EndpointScope::Caller,
            limit,
        }
    }

    /// Sets whose requests are counted.
    #[must_use]
    pub fn of(mut self, who: Who) -> Self {
        self.who = who;
        self
    }

    /// Sets what shares a counter.
    #[must_use]
    pub fn per(mut self, scope: EndpointScope) -> Self {
        self.scope = scope;
        self
    }

    /// Adds paths that share the limit.
    #[must_use]
    pub fn and(mut self, paths: &[&str]) -> Self {
        self.paths.extend(paths.iter().map(|&path| path.to_owned()));
        self
    }

    /// Counts only requests with a parameter that is not empty.
    #[must_use]
    pub fn with_parameter(mut self, name: &str) -> Self {
        self.parameter = Some(name.to_owned());
        self
    }

    /// Counts only requests for files of more bytes.
    #[must_use]
    pub fn above_bytes(mut self, size: u64) -> Self {
        self.free_bytes = Some(size);
        self
    }

    fn counts(&self, asked: &Asked<'_>) -> bool {
        let parameter =
            self.parameter.as_deref().is_none_or(|name| asked.query.filled(name).is_some());
        self.limit.requests > 0
            && parameter
            && self.paths.iter().any(|pattern| fits(pattern, asked))
    }
}

/// All endpoint limits of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointLimits {
    /// The limits. One request may count in several.
    pub entries: Vec<EndpointLimit>,
    /// What `Retry-After` says on refusals; normally there is none.
    pub retry_after: Option<Duration>,
}

impl EndpointLimits {
    /// Adds a limit, or replaces the one of that name and the same callers.
    #[must_use]
    pub fn with(mut self, entry: EndpointLimit) -> Self {
        self.entries.retain(|known| known.name != entry.name || known.who != entry.who);
        self.entries.push(entry);
        self
    }
}

/// Tells whether a request is for a path of the pattern.
fn fits(pattern: &str, asked: &Asked<'_>) -> bool {
    if pattern.starts_with("/api/") {
        return asked.path == pattern;
    }
    let Some(path) = asked.path.strip_prefix("/api/v4/") else {
        return false;
    };
    let (mut wanted, mut parts) = (pattern.trim_start_matches('/').split('/'), path.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return asked.reads(),
            (Some(word), Some(part)) if word.starts_with(':') && !part.is_empty() => {}
            (Some(word), Some(part)) if word == part => {}
            _ => return false,
        }
    }
}

/// What a request is about, as far as limits ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Object {
    Anything,
    Project(ProjectId),
    /// A project that does not exist, by the text that was sent for it.
    Nowhere(String),
    File {
        project: ProjectId,
        /// Nothing where all commits share a counter.
        commit: Option<String>,
        path: String,
    },
}

impl Object {
    /// Finds the project, which may be named by number or path.
    fn project(asked: &Asked<'_>, world: &World) -> Self {
        match asked.segments().as_slice() {
            ["projects", id, ..] => match find_project(world, id) {
                Some(project) => Self::Project(project.id),
                None => Self::Nowhere((*id).to_owned()),
            },
            _ => Self::Anything,
        }
    }

    /// Finds the file, of whatever commit.
    fn path(asked: &Asked<'_>, world: &World) -> Self {
        match asked.segments().as_slice() {
            ["projects", id, "repository", _, path, ..] => match find_project(world, id) {
                Some(project) => {
                    Self::File { project: project.id, commit: None, path: decode(path, false) }
                }
                None => Self::Nowhere(format!("{id}/{path}")),
            },
            _ => Self::project(asked, world),
        }
    }

    /// Finds the file of the commit that was asked for, by branch, tag or hash.
    fn file(asked: &Asked<'_>, world: &World) -> Self {
        match Self::path(asked, world) {
            Self::File { project, path, .. } => {
                let row = world.project(project);
                let name = asked
                    .query
                    .filled("ref")
                    .or_else(|| row.map(|row| row.default_branch.as_str()))
                    .unwrap_or_default();
                let commit = row.and_then(|row| sha_of(row, name));
                Self::File { project, commit: commit.or_else(|| Some(name.to_owned())), path }
            }
            other => other,
        }
    }
}

fn find_project<'w>(world: &'w World, id: &str) -> Option<&'w Project> {
    match id.parse() {
        Ok(number) => world.project(ProjectId::new(number)),
        Err(_) => world.find_project(&decode(id, false)),
    }
}

/// Returns the size in bytes of the file that a request is for.
fn file_size(asked: &Asked<'_>, world: &World) -> u64 {
    match asked.segments().as_slice() {
        ["projects", id, "repository", "files", path, ..] => find_project(world, id)
            .and_then(|project| project.files.get(&decode(path, false)))
            .map_or(0, |content| content.len() as u64),
        _ => 0,
    }
}

/// The counters of the present windows.
#[derive(Debug, Default)]
pub(crate) struct EndpointBuckets {
    /// By the place of the limit, whose bucket it is, and what it is about.
    windows: Windows<(usize, Option<Key>, Object)>,
}

impl EndpointBuckets {
    /// Counts a request and tells whether it is one too many for any limit.
    pub(crate) fn exceeds(
        &mut self,
        limits: &EndpointLimits,
        asked: &Asked<'_>,
        world: &World,
        user: Option<&User>,
        now: Timestamp,
    ) -> bool {
        let mut exceeded = false;
        for (place, entry) in limits.entries.iter().enumerate() {
            if !entry.counts(asked)
                || entry.free_bytes.is_some_and(|free| file_size(asked, world) <= free)
            {
                continue;
            }
            let rule = Rule::new("", Class::All, entry.who, entry.limit);
            let Some(key) = rule.key(user.map(|user| user.id), asked.address) else {
                continue;
            };
            let (key, object) = match entry.scope {
                EndpointScope::Caller => (Some(key), Object::Anything),
                EndpointScope::CallerAndProject => (Some(key), Object::project(asked, world)),
                EndpointScope::CallerAndFile => (Some(key), Object::path(asked, world)),
                EndpointScope::Project => (None, Object::project(asked, world)),
                EndpointScope::File => (None, Object::file(asked, world)),
            };
            let count = self.windows.count((place, key, object), entry.limit, second(now));
            exceeded |= count.observed > entry.limit.requests;
        }
        exceeded
    }
}

/// Returns the refusal, in the shape of the interface that was asked.
pub(crate) fn refusal_of_endpoint(limits: &EndpointLimits, asked: &Asked<'_>) -> Answer {
    let body = if asked.path == "/api/graphql" {
        json!({"errors": [{"message": WORDS}]})
    } else {
        json!({"message": {"error": WORDS}})
    };
    let answer = Answer { status: StatusCode::TOO_MANY_REQUESTS, ..Answer::json(&body) };
    match limits.retry_after {
        Some(wait) => answer.header("retry-after", wait.as_secs().to_string()),
        None => answer,
    }
}

#[cfg(test)]
mod tests;
