//! Which requests a fault strikes, and what kinds of request there are.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rest::query::{Query, decode};

/// What a request asks for, seen from its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// A list other than of notes.
    List,
    /// One thing.
    Single,
    /// The notes or discussions of an item.
    Notes,
    /// A file, a tree, a blob, a commit: whatever asks the repository.
    File,
    /// GraphQL.
    #[serde(rename = "graphql")]
    GraphQl,
    /// Everything else.
    Other,
}

impl RequestKind {
    /// Tells the kind from the path as sent.
    pub fn of(path: &str) -> Self {
        let path = path.trim_end_matches('/');
        if path == "/api/graphql" {
            return Self::GraphQl;
        }
        let Some(below) = path.strip_prefix("/api/v4/") else {
            return Self::Other;
        };
        let segments: Vec<&str> = below.split('/').collect();
        match segments.as_slice() {
            ["version" | "metadata" | "user" | "job"] | ["personal_access_tokens", ..] => {
                Self::Other
            }
            ["projects" | "groups", _, .., "notes" | "discussions"]
            | ["projects" | "groups", _, .., "notes" | "discussions", _] => Self::Notes,
            ["projects", _, "repository", ..] => Self::File,
            ["projects" | "groups", _, "issues_statistics" | "languages" | "approvals"]
            | ["issues_statistics"]
            | ["projects", _, "templates", _, _] => Self::Single,
            ["projects", _, "templates", _] => Self::List,
            // Names and numbers take turns: groups/7/issues is a list, issues/3 below it is not.
            segments if segments.len() % 2 == 1 => Self::List,
            _ => Self::Single,
        }
    }
}

/// Which requests are meant. What is not said does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Requests {
    /// A pattern of the path, as sent or decoded; `*` stands for any characters.
    pub path: Option<String>,
    /// A pattern of the query, as sent or decoded.
    pub query: Option<String>,
    /// The verb.
    pub method: Option<String>,
    /// What is asked for.
    pub kind: Option<RequestKind>,
    /// The name of the user behind the token.
    pub user: Option<String>,
    /// Only requests that are too much for the database.
    pub heavy: Option<Heavy>,
}

/// What is too much for the database: either of the two is enough. A client that asks for smaller
/// pages within a narrower window gets its answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Heavy {
    /// Pages of more rows than this.
    pub per_page_over: Option<u64>,
    /// A span from `updated_after` to `updated_before` (or now) longer than this, or without a
    /// beginning.
    pub window_over: Option<SignedDuration>,
}

impl Requests {
    /// Means every request.
    pub fn all() -> Self {
        Self::default()
    }

    /// Means requests whose path fits a pattern, such as `/api/v4/groups/*/issues`.
    pub fn path(pattern: &str) -> Self {
        Self { path: Some(pattern.to_owned()), ..Self::default() }
    }

    /// Means requests of a kind.
    pub fn kind(kind: RequestKind) -> Self {
        Self { kind: Some(kind), ..Self::default() }
    }

    /// Narrows to a verb.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Narrows to requests whose query fits a pattern.
    #[must_use]
    pub fn query(mut self, pattern: &str) -> Self {
        self.query = Some(pattern.to_owned());
        self
    }

    /// Narrows to the requests of a user.
    #[must_use]
    pub fn user(mut self, username: &str) -> Self {
        self.user = Some(username.to_owned());
        self
    }

    /// Narrows to requests that are too much for the database.
    #[must_use]
    pub fn heavy(mut self, heavy: Heavy) -> Self {
        self.heavy = Some(heavy);
        self
    }

    /// Tells whether a request is meant.
    pub(super) fn mean(&self, seen: &Seen<'_>) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern.as_ref().is_none_or(|pattern| {
                pattern_fits(pattern, text) || pattern_fits(pattern, &decode(text, false))
            })
        };
        self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(seen.method))
            && self.kind.is_none_or(|kind| kind == seen.kind)
            && fits(&self.path, seen.path)
            && fits(&self.query, seen.query)
            && self.user.as_ref().is_none_or(|user| seen.user.as_ref() == Some(user))
            && self.heavy.is_none_or(|heavy| heavy.weighs(seen))
    }
}

impl Heavy {
    fn weighs(&self, seen: &Seen<'_>) -> bool {
        let query = Query::parse(seen.query);
        let per_page = query.number("per_page").ok().flatten().unwrap_or(20);
        let per_page = u64::try_from(per_page).unwrap_or(0).min(100);
        let time = |name| query.time(name).ok().flatten();
        let wide = self.window_over.is_some_and(|limit| {
            let until = time("updated_before").unwrap_or(seen.now);
            time("updated_after").is_none_or(|from| until.duration_since(from) > limit)
        });
        self.per_page_over.is_some_and(|limit| per_page > limit) || wide
    }
}

/// What is known of a request before it is answered.
#[derive(Debug)]
pub(crate) struct Seen<'r> {
    pub(crate) method: &'r str,
    /// As sent.
    pub(crate) path: &'r str,
    /// As sent.
    pub(crate) query: &'r str,
    pub(crate) kind: RequestKind,
    /// The user behind the token, as far as a look at it tells.
    pub(crate) user: Option<String>,
    /// The time of the world's clock.
    pub(crate) now: Timestamp,
}

/// Tells whether a text fits a pattern in which `*` stands for any characters.
fn pattern_fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, expected) in [
            ("/a/*/issues", "/a/b/c/issues", true),
            ("/a/*/issues", "/a/b/issues/3", false),
            ("*", "", true),
            ("/a", "/a", true),
            ("/a", "/ab", false),
            ("*a*a*", "xay", false),
            ("*a*a*", "xaya", true),
            ("ab*b", "ab", false),
            ("", "", true),
        ] {
            assert_eq!(pattern_fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn kinds_follow_from_addresses() {
        use RequestKind::{File, GraphQl, List, Notes, Other, Single};
        for (path, kind) in [
            ("/api/v4/projects", List),
            ("/api/v4/projects/acme%2Fshop", Single),
            ("/api/v4/groups/7/issues", List),
            ("/api/v4/groups/7/issues_statistics", Single),
            ("/api/v4/projects/7/merge_requests/3", Single),
            ("/api/v4/projects/7/merge_requests/3/notes", Notes),
            ("/api/v4/projects/7/issues/3/discussions/9", Notes),
            ("/api/v4/projects/7/repository/files/README.md/raw", File),
            ("/api/v4/projects/7/templates/issues", List),
            ("/api/v4/projects/7/templates/issues/bug", Single),
            ("/api/v4/user", Other),
            ("/api/v4/personal_access_tokens/self", Other),
            ("/api/graphql", GraphQl),
            ("/users/sign_in", Other),
        ] {
            assert_eq!(RequestKind::of(path), kind, "{path}");
        }
    }

    #[test]
    fn a_small_page_within_a_narrow_window_is_not_heavy() {
        let heavy =
            Heavy { per_page_over: Some(50), window_over: Some(SignedDuration::from_hours(24)) };
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        for (query, expected) in [
            ("per_page=100&updated_after=2026-11-22T00:00:00Z", true),
            ("per_page=50", true),
            ("per_page=50&updated_after=2026-11-22T00:00:00Z", false),
            ("updated_after=2026-11-01&updated_before=2026-11-02", false),
            ("updated_after=2026-11-01", true),
        ] {
            let seen =
                Seen { method: "GET", path: "/", query, kind: RequestKind::List, user: None, now };
            assert_eq!(heavy.weighs(&seen), expected, "{query}");
        }
    }
}
