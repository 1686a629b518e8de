//! Where requests go: the configured base, and everything rewritten onto it.
//!
//! The token goes to the origin of the configured base and nowhere else. GitLab prints absolute
//! addresses, in `Link` headers and in redirects of moved projects, that are built from the
//! external address *it* was configured with; behind a proxy that may differ from ours in scheme,
//! port and even host. What is followed is therefore never the address itself, but what stands
//! below `/api/v4/` in it, put onto the base. The rules:
//!
//! - An address on the base's host is rewritten: scheme, port and sub-path of it are dropped.
//! - A **link** on another host is rewritten when it leads to the very list that was asked for,
//!   since only GitLab itself can have meant that. Any other is an error. What else stands in its
//!   query, as the `id` that GitLab repeats there, does no harm.
//! - A **redirect** to another host, or to another port in the same scheme, is rewritten when it
//!   is the one that GitLab itself sends for a project that was renamed: from `/projects/<path>…`
//!   to `/projects/<number>…`, with the same rest. It is asked with the query that was asked
//!   before. Any other is an error, and so is one that after rewriting leads to itself, as from
//!   `http` to `https`, or from an internal to an external name: `url` should be corrected then.
//! - An address with a user, or with a part that climbs (`..`, encoded or not), is none of
//!   GitLab's and never followed.
//! - Nothing outside `/api/v4/` is ever asked for, but for GraphQL, which lies at `/api/graphql`
//!   below the same sub-path. It is asked by `POST` and therefore never redirected: a body must
//!   not reach a route that would take it for a change.
//!
//! A name becomes exactly one segment of a path: `shop/webshop` is sent as `shop%2Fwebshop`.

use std::fmt::Write as _;

use reqwest::Url;

use super::Error;

/// The words of GitLab's routes that are asked for, in alphabetical order. In a route template everything else is replaced by `:x`, so that
/// logs and metrics see few, nameless routes.
const ROUTE_WORDS: &[&str] = &[
    "approval_rules",
    "approvals",
    "associations",
    "branches",
    "closed_by",
    "closes_issues",
    "commits",
    "descendant_groups",
    "events",
    "files",
    "groups",
    "issues",
    "issues_statistics",
    "job",
    "jobs",
    "labels",
    "latest",
    "links",
    "members",
    "merge_requests",
    "metadata",
    "notes",
    "personal_access_tokens",
    "pipelines",
    "projects",
    "raw",
    "related_merge_requests",
    "releases",
    "repository",
    "self",
    "subgroups",
    "tags",
    "templates",
    "tree",
    "user",
    "version",
];

/// Where GraphQL lies, below the sub-path.
pub(super) const GRAPHQL: &str = "/api/graphql";

/// The API below the configured base.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// `https://gitlab.example.com/gitlab/api/v4/`.
    api: Url,
}

/// Something to ask for, below the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    /// The path below the API, without the query: `/projects/7/issues`.
    pub(super) path: String,
    /// The path without names and numbers: `/projects/:x/issues`.
    pub(super) route: String,
}

impl Target {
    /// Returns path and query below the API, which stay valid when the base changes.
    pub(super) fn relative(&self) -> String {
        let path = self.path.trim_start_matches('/');
        match self.url.query() {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        }
    }
}

impl Base {
    /// Takes the address of GitLab's start page; an API address is taken too.
    pub(super) fn new(base: &Url) -> Result<Self, Error> {
        let refuse = |reason: &str| Err(Error::Settings { reason: reason.to_owned() });
        if !matches!(base.scheme(), "http" | "https") {
            return refuse("`url` must begin with https:// or http://");
        }
        if !base.username().is_empty() || base.password().is_some() {
            return refuse("`url` must not carry a user name or password; use `token`");
        }
        let mut api = base.clone();
        api.set_query(None);
        api.set_fragment(None);
        let path = base.path().trim_end_matches('/');
        let path = path.strip_suffix("/api/v4").unwrap_or(path);
        api.set_path(&format!("{path}/api/v4/"));
        Ok(Self { api })
    }

    /// Returns scheme, host and port.
    pub(super) fn origin(&self) -> String {
        self.api.origin().ascii_serialization()
    }

    /// Makes the target for GraphQL, which lies beside the API, below the same sub-path.
    pub(super) fn graphql(&self) -> Target {
        let below = self.api.path().strip_suffix("v4/").expect("a base ends with /api/v4/");
        let mut url = self.api.clone();
        url.set_path(&format!("{below}graphql"));
        Target { url, path: GRAPHQL.to_owned(), route: GRAPHQL.to_owned() }
    }

    /// Makes the target for a path given by segments, each sent as one segment.
    pub(super) fn target(
        &self,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<Target, Error> {
        let mut path = String::new();
        for segment in segments {
            // An empty name would ask for the whole list, and dots climb, encoded or not, where a
            // proxy decodes what it passes on.
            if segment.is_empty() || climbs(segment.as_bytes()) {
                return Err(Error::Name { name: (*segment).to_owned() });
            }
            if !path.is_empty() {
                path.push('/');
            }
            encode(segment, &mut path);
        }
        let mut url = self.api.clone();
        url.set_path(&format!("{}{path}", self.api.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(self.aim(url))
    }

    /// Makes the target for a path and query below the API, as [`Target::relative`] gives it.
    pub(super) fn resolve(&self, relative: &str) -> Result<Target, Error> {
        Url::parse(&format!("{}{relative}", self.api))
            .ok()
            .filter(|url| url.origin() == self.api.origin())
            .filter(|url| url.path().len() > self.api.path().len())
            .filter(|url| url.path().starts_with(self.api.path()))
            .map(|mut url| {
                url.set_fragment(None);
                self.aim(url)
            })
            .ok_or_else(|| Error::Name { name: relative.to_owned() })
    }

    /// Rewrites a link that the answer to `asked` carried.
    pub(super) fn link(&self, asked: &Target, link: &str) -> Result<Target, Error> {
        let foreign = |target: String| Error::ForeignLink { path: asked.path.clone(), target };
        let no_address = || foreign("no address".to_owned());
        if !is_reference(link) {
            return Err(no_address());
        }
        let url = asked.url.join(link).map_err(|_| no_address())?;
        let target = self.rewrite(&url).ok_or_else(|| foreign(place(&url)))?;
        if url.host_str() != self.api.host_str() && !same_path(&target.path, &asked.path) {
            return Err(foreign(place(&url)));
        }
        if target.url == asked.url {
            return Err(Error::LoopingLink { path: asked.path.clone() });
        }
        Ok(target)
    }

    /// Rewrites the target of a redirect that answered `asked`.
    pub(super) fn redirect(&self, asked: &Target, location: &str) -> Result<Target, Error> {
        let foreign = |origin: String| Error::ForeignRedirect { path: asked.path.clone(), origin };
        let url = asked.url.join(location).map_err(|_| foreign("no address".to_owned()))?;
        let same_port = url.port_or_known_default() == self.api.port_or_known_default();
        let same_scheme = url.scheme() == self.api.scheme();
        let target = if asked.path == GRAPHQL { None } else { self.rewrite(&url) };
        if url.host_str() != self.api.host_str() || (same_scheme && !same_port) {
            let mut moved = target
                .filter(|target| is_moved_project(&asked.path, &target.path))
                .ok_or_else(|| foreign(url.origin().ascii_serialization()))?;
            moved.url.set_query(asked.url.query());
            return Ok(moved);
        }
        match target {
            Some(target) if target.url != asked.url => Ok(target),
            None if !(asked.path == GRAPHQL && url.path().ends_with(GRAPHQL)) => {
                Err(Error::NotGitLab {
                    path: asked.path.clone(),
                    content_type: format!("it redirects to {}", url.path()),
                })
            }
            Some(_) if instance(&url) == instance(&asked.url) => {
                Err(Error::RedirectLoop { path: asked.path.clone() })
            }
            Some(_) | None => Err(foreign(instance(&url))),
        }
    }

    /// Puts what follows `/api/v4/` onto the base; `None` for what is no address of any API.
    fn rewrite(&self, url: &Url) -> Option<Target> {
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return None;
        }
        let below = match url.path().strip_prefix(self.api.path()) {
            Some(below) => below,
            None => url.path().split_once("/api/v4/")?.1,
        };
        if below.is_empty() || below.split('/').any(|segment| climbs(&decode(segment))) {
            return None;
        }
        let mut rewritten = self.api.clone();
        rewritten.set_path(&format!("{}{below}", self.api.path()));
        rewritten.set_query(url.query());
        Some(self.aim(rewritten))
    }

    /// Completes a target whose address lies below the API.
    fn aim(&self, url: Url) -> Target {
        let below = url.path().strip_prefix(self.api.path()).unwrap_or_default();
        let route = below.split('/').fold(String::new(), |mut route, segment| {
            route.push('/');
            route.push_str(if ROUTE_WORDS.binary_search(&segment).is_ok() {
                segment
            } else {
                ":x"
            });
            route
        });
        Target { path: format!("/{below}"), route, url }
    }
}

/// Writes a name as one path segment: everything but unreserved characters is percent-encoded.
fn encode(segment: &str, path: &mut String) {
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("a String takes every write");
        }
    }
}

/// Says where an address leads, without its query.
fn place(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// Returns the address of the instance that an API address belongs to.
fn instance(url: &Url) -> String {
    let front = url.path().split_once("/api/v4/").map(|(front, _)| front);
    let sub_path = front.or_else(|| url.path().strip_suffix(GRAPHQL)).unwrap_or_default();
    format!("{}{sub_path}", url.origin().ascii_serialization())
}

/// True for an address, and for what can stand in its place: the first part of a relative one has
/// no colon (RFC 3986, 4.2), or else a scheme that is none would be taken for a path.
fn is_reference(link: &str) -> bool {
    let first = link.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    !first.contains(':') || Url::parse(link).is_ok()
}

/// True for a part that a server or proxy may take for a way up, whichever slash it stands between.
fn climbs(segment: &[u8]) -> bool {
    segment.split(|byte| matches!(byte, b'/' | b'\\')).any(|part| matches!(part, b"." | b".."))
}

/// True when GitLab itself would send from one path to the other because a project was renamed:
/// from its former path to its number, with the same sub-resource (`lib/api/helpers.rb`).
fn is_moved_project(asked: &str, target: &str) -> bool {
    let parts = |path: &str| {
        let (name, rest) = match path.strip_prefix("/projects/")?.split_once('/') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path.strip_prefix("/projects/")?, None),
        };
        Some((decode(name), rest.map(str::to_owned)))
    };
    let (Some((name, asked)), Some((id, target))) = (parts(asked), parts(target)) else {
        return false;
    };
    // The full path of a project has at least a namespace and a name; an id is never redirected.
    name.contains(&b'/')
        && !id.is_empty()
        && id.iter().all(u8::is_ascii_digit)
        && match (asked, target) {
            (Some(asked), Some(target)) => same_path(&asked, &target),
            (asked, target) => asked == target,
        }
}

/// Compares two encoded paths by what they mean: `%2f` equals `%2F`, `%2E` equals `.`.
fn same_path(one: &str, other: &str) -> bool {
    one.split('/').map(decode).eq(other.split('/').map(decode))
}

/// Decodes one segment; a percent sign that begins no escape stands for itself.
fn decode(segment: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        // Without a sign, which the number would be taken with.
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escape = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        match escape.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) if byte == b'%' => {
                decoded.push(value);
                rest = &tail[2..];
            }
            _ => {
                decoded.push(byte);
                rest = tail;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests;
