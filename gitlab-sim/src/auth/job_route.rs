//! The routes that take the token of a CI job, and the permission each asks for.
//!
//! GitLab's set keeps growing; this is the one of the reference, section 1.5. It holds routes that
//! the simulator does not serve: a token is looked up before the route is.

use super::JobTokens;
use crate::asked::Asked;

/// What a job needs on a route that takes its token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// A permission that an allow-list can grant by name.
    Permission(&'static str),
    /// No permission by name opens it: an entry that names permissions does not let in.
    Whole,
}

/// Tells whether a route takes job tokens.
pub(crate) fn job_tokens(asked: &Asked<'_>) -> JobTokens {
    match (asked.reads(), asked.segments().as_slice()) {
        (true, ["job"]) => JobTokens::Taken,
        (true, ["projects", _, rest @ ..]) if need(rest).is_some() => {
            // The head of a raw file is a route of its own, and not open.
            let head = *asked.method == axum::http::Method::HEAD;
            match rest {
                ["repository", "files", ..] if head => JobTokens::Ignored,
                _ => JobTokens::Taken,
            }
        }
        _ => JobTokens::Ignored,
    }
}

/// Returns what a job needs on a route below a project, if the route takes its token at all.
pub(crate) fn need(rest: &[&str]) -> Option<Need> {
    let permission = match rest {
        ["repository", "branches" | "tags" | "changelog"]
        | ["repository", "commits", _]
        | ["repository", "commits", _, "merge_requests"]
        | ["repository", "files", _, "raw"] => "read_repositories",
        ["deployments", ..] => "read_deployments",
        ["environments", ..] => "read_environments",
        ["merge_requests"]
        | ["merge_requests", _]
        | ["merge_requests", _, "notes"]
        | ["merge_requests", _, "notes", _] => "read_merge_requests",
        ["packages", ..] => "read_packages",
        ["releases", ..] => "read_releases",
        ["secure_files", ..] => "read_secure_files",
        ["jobs", "artifacts", ..] | ["jobs", _, "artifacts", ..] => "read_jobs",
        ["pipelines", _, "jobs"] => "read_pipelines",
        ["registry", ..] => "read_containers",
        ["issues"] => return Some(Need::Whole),
        _ => return None,
    };
    Some(Need::Permission(permission))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::http::{HeaderMap, Method};

    use super::*;
    use crate::rest::query::Query;

    fn takes(method: &Method, path: &str) -> bool {
        let asked = Asked {
            method,
            path: &format!("/api/v4{path}"),
            query: &Query::parse(""),
            headers: &HeaderMap::new(),
            address: IpAddr::from([127, 0, 0, 1]),
        };
        job_tokens(&asked) == JobTokens::Taken
    }

    #[test]
    fn the_open_routes_are_those_of_the_reference() {
        for path in [
            "/job",
            "/projects/1/repository/branches",
            "/projects/1/repository/commits/main",
            "/projects/1/repository/commits/main/merge_requests",
            "/projects/1/deployments/3",
            "/projects/1/environments",
            "/projects/acme%2Fshop/repository/files/a%2Fb/raw",
            "/projects/1/merge_requests",
            "/projects/1/merge_requests/4",
            "/projects/1/merge_requests/4/notes",
            "/projects/1/merge_requests/4/notes/9",
            "/projects/1/releases/v1/assets/links",
            "/projects/1/repository/tags",
            "/projects/1/issues",
            "/projects/1/pipelines/7/jobs",
        ] {
            assert!(takes(&Method::GET, path), "{path}");
        }
        for path in [
            "/projects",
            "/projects/1",
            "/projects/1/labels",
            "/projects/1/issues/4",
            "/projects/1/issues/4/notes",
            "/projects/1/repository/tree",
            "/projects/1/repository/files/a",
            "/projects/1/approval_rules",
            "/groups/1",
            "/groups/1/issues",
            "/groups/1/merge_requests",
            "/user",
            "/version",
        ] {
            assert!(!takes(&Method::GET, path), "{path}");
        }
        assert!(!takes(&Method::HEAD, "/projects/1/repository/files/a/raw"), "GET only");
        assert!(!takes(&Method::POST, "/projects/1/issues"));
    }
}
