//! What the scopes of a token are worth here: which one is needed, and what the others risk.
//!
//! Everything that is read needs `read_api` and nothing else (`api` contains it). The list of risks
//! holds the scopes that GitLab knows; one that is not in it is named all the same. It never says
//! what the token's user may see: that is decided by memberships, not by scopes.
//!
//! Source: GitLab's documentation of personal access tokens and of GraphQL; `lib/api/files.rb`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Scopes that only read, and the one that lets a token replace itself: nobody is warned of them.
const HARMLESS: [&str; 4] = ["read_api", "read_user", "read_repository", "self_rotate"];

/// Scopes that are not needed, and what somebody could do who finds a token with them.
const RISKS: [(&str, &str); 17] = [
    ("api", "it can also change and delete whatever its user may; read_api is enough"),
    ("write_repository", "it can push to repositories"),
    ("sudo", "it can act as any user of the instance"),
    ("admin_mode", "it can act as administrator"),
    ("create_runner", "it can create runners, which see the secrets of jobs"),
    ("manage_runner", "it can manage runners, which see the secrets of jobs"),
    ("k8s_proxy", "it can reach Kubernetes clusters through GitLab's agents"),
    ("write_registry", "it can replace container images"),
    ("read_registry", "it can read container images"),
    ("write_virtual_registry", "it can change virtual registries"),
    ("read_virtual_registry", "it can read images through virtual registries"),
    ("write_observability", "it can write monitoring data"),
    ("read_observability", "it can read monitoring data"),
    ("read_service_ping", "it can read the usage statistics of the instance"),
    ("ai_features", "it can use the AI features at its user's expense"),
    ("ai_workflows", "it can run AI workflows as its user"),
    ("mcp", "it can use GitLab's tools for AI clients as its user"),
];

/// A scope that is missing or too much.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeFinding {
    /// The scope.
    pub scope: String,
    /// What it costs to lack it, or what somebody could do who finds the token.
    pub why: String,
}

impl fmt::Display for ScopeFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.scope, self.why)
    }
}

/// Returns the scopes that are lacking, with what that costs.
pub(super) fn missing(scopes: &[String]) -> Vec<ScopeFinding> {
    let has = |scope: &str| scopes.iter().any(|found| found == scope);
    if has("read_api") || has("api") {
        return Vec::new();
    }
    let why = match (has("read_repository"), has("read_user")) {
        (true, _) => {
            "without it only single files can be read, by REST: no lists of projects, issues or \
             merge requests, no comments, no GraphQL"
        }
        (false, true) => {
            "without it only the token's user can be read: no projects, issues, merge requests or \
             files, no GraphQL"
        }
        (false, false) => "without it nothing can be read, by REST or by GraphQL",
    };
    vec![ScopeFinding { scope: "read_api".to_owned(), why: why.to_owned() }]
}

/// Returns the scopes that are not needed, with the risk of each.
pub(super) fn needless(scopes: &[String]) -> Vec<ScopeFinding> {
    let finding = |scope: &String| {
        if HARMLESS.contains(&scope.as_str()) {
            return None;
        }
        let known = RISKS.iter().find(|(name, _)| name == scope);
        let why = known.map_or("nothing here uses it", |(_, why)| why);
        Some(ScopeFinding { scope: scope.clone(), why: why.to_owned() })
    };
    scopes.iter().filter_map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(words: &str) -> Vec<String> {
        words.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn what_is_missing_is_named_with_what_it_costs() {
        for (has, costs) in [
            ("read_api", None),
            ("api", None),
            ("read_api read_user self_rotate", None),
            ("read_repository", Some("only single files")),
            ("read_user read_repository", Some("only single files")),
            ("read_user", Some("only the token's user")),
            ("", Some("nothing can be read")),
            ("write_repository", Some("nothing can be read")),
        ] {
            let found = missing(&scopes(has));
            assert_eq!(found.len(), usize::from(costs.is_some()), "{has}");
            for finding in found {
                assert_eq!(finding.scope, "read_api");
                assert!(costs.is_some_and(|costs| finding.why.contains(costs)), "{has}: {finding}");
            }
        }
    }

    #[test]
    fn every_scope_beyond_reading_is_named_with_its_risk_even_one_that_nobody_knows_yet() {
        assert_eq!(needless(&scopes("read_api read_user read_repository self_rotate")), []);
        let found = needless(&scopes("read_api sudo write_repository read_tea"));
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "sudo: it can act as any user of the instance",
                "write_repository: it can push to repositories",
                "read_tea: nothing here uses it",
            ]
        );
        assert!(needless(&scopes("api"))[0].why.contains("read_api is enough"));
    }
}
