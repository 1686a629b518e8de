//! Identifiers in running text: one table of patterns, each with what may stand beside it.
//!
//! The table is in the order of reading, the most specific first, because what one rule has read
//! no later rule sees. A further kind is a further row. Every row has a cue, a cheap pattern that
//! must occur for the row to matter; all cues are searched in one pass, so that a text without
//! identifiers costs nothing more.

use std::borrow::Cow;
use std::collections::BTreeMap;

use regex::bytes::{Regex, RegexSet};

use super::boundary::{Left, Right};
use super::catalogue::{Prefixes, expanded};
use super::check::{self, Check, accept};
use super::id::IdTemplate;
use super::{Error, Settings};

/// Where a rule reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// In prose and in code: what it reads cannot be anything else.
    Everywhere,
    /// In prose only.
    Prose,
}

/// A row of the table.
#[derive(Debug, Clone)]
pub(super) struct Row {
    kind: &'static str,
    cue: Cow<'static, str>,
    pattern: Cow<'static, str>,
    id: &'static str,
    reach: Reach,
    left: Left,
    right: Right,
    /// Characters that belong to the sentence when they stand last.
    trim: &'static str,
    check: Check,
    /// True for keys of trackers, whose kind depends on their prefix.
    is_key: bool,
}

impl Row {
    const fn new(
        kind: &'static str,
        cue: &'static str,
        pattern: &'static str,
        id: &'static str,
    ) -> Self {
        Self {
            kind,
            cue: Cow::Borrowed(cue),
            pattern: Cow::Borrowed(pattern),
            id,
            reach: Reach::Prose,
            left: Left::Key,
            right: Right::Key,
            trim: "",
            check: accept,
            is_key: false,
        }
    }

    const fn everywhere(mut self) -> Self {
        self.reach = Reach::Everywhere;
        self
    }

    /// A name of a cloud resource, which runs as far as its characters go.
    const fn name(mut self, trim: &'static str) -> Self {
        self.left = Left::Name;
        self.right = Right::Any;
        self.trim = trim;
        self.everywhere()
    }

    const fn reference(mut self) -> Self {
        self.left = Left::Reference;
        self
    }

    const fn checked(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    const fn right(mut self, right: Right) -> Self {
        self.right = right;
        self
    }

    const fn left(mut self, left: Left) -> Self {
        self.left = left;
        self
    }
}

/// Stock prefixes of ServiceNow numbers, as alternatives.
const SERVICENOW: &str = "INC|CHG|PRB|RITM|REQ|TASK|SCTASK|CTASK|PTASK|KB|CS|STRY|SIR";

const ARN: &str = concat!(
    r"arn:aws(?:-cn|-us-gov|-iso(?:-[a-z])?|-eusc)?:[a-z0-9-]+:[a-z0-9-]*:",
    r"(?:[0-9]{12}|aws|cloudfront)?:[A-Za-z0-9_./:*@+=,$-]+",
);

const AZURE: &str = concat!(
    r"(/subscriptions/{UUID}/resource[gG]roups/[A-Za-z0-9_.()-]+/providers/[A-Za-z0-9.]+",
    r"(?:/[A-Za-z0-9_.-]+)+)",
);

const GCP: &str = concat!(
    r"(projects/[a-z][a-z0-9-]{4,28}[a-z0-9]/(?:locations|zones|regions|global|topics|",
    r"subscriptions|secrets|serviceAccounts|datasets|instances)/[A-Za-z0-9_.@-]+",
    r"(?:/[A-Za-z0-9_.@-]+)*)",
);

const KUBERNETES: &str = concat!(
    r"(pods?|po|deployments?|deploy|statefulsets?|sts|daemonsets?|ds|services?|svc|ingress(?:es)?",
    r"|ing|configmaps?|cm|secrets?|cronjobs?|cj|jobs?|namespaces?|ns|nodes?|hpa|pvc)",
    r"(?:\.(?:apps|batch|networking\.k8s\.io))?/([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)",
);

const KUBERNETES_DNS: &str = concat!(
    r"([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\.([a-z0-9](?:[a-z0-9-]*[a-z0-9])?)",
    r"\.svc(?:\.cluster\.local)?",
);

const ANNOUNCED: &str = concat!(
    r"(?i-u:\b(?:commits?|revert(?:s|ed)?|cherry[ -]picked from(?: commit)?|sha|backport of)):? +",
    r"([0-9a-f]{7,40})",
);

/// The rows that need no settings and stand before the configured ones.
const FIRST: [Row; 9] = [
    Row::new("aws_arn", "arn:aws", ARN, "{0}").name(".,:;").checked(check::arn),
    Row::new("azure_resource", "/subscriptions/", AZURE, "{1_}").name("."),
    Row::new(
        "gcp_resource",
        r"\.googleapis\.com/projects/",
        r"//[a-z0-9-]+\.googleapis\.com/(projects/[a-z0-9:.-]+(?:/[A-Za-z0-9_.%~-]+)+)",
        "{1}",
    )
    .name("."),
    Row::new("gcp_resource", "projects/[a-z]", GCP, "{1}").name("."),
    Row::new("cve", "(?i-u:cve)-[0-9]{4}", "(?i-u:CVE)-([0-9]{4}-[0-9]{4,19})", "CVE-{1}")
        .everywhere(),
    Row::new(
        "ghsa",
        "(?i-u:ghsa)-",
        "(?i-u:GHSA)((?:-[23456789cfghjmpqrvwxCFGHJMPQRVWX]{4}){3})",
        "GHSA{1_}",
    )
    .everywhere(),
    Row::new("cwe", "CWE[- ][1-9]", "CWE[- ]([1-9][0-9]{0,3})", "CWE-{1}"),
    Row::new("rfc", "RFC ?[1-9]", "RFC ?([1-9][0-9]{2,4})", "RFC{1}"),
    Row::new("uuid", "[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-", "({UUID})", "{1_}"),
];

/// GitLab's own references, behind the ServiceNow numbers.
const GITLAB: [Row; 14] = [
    bracketed("gitlab_issue", r"\[issue:(?:([A-Za-z0-9_./-]+)/)?([1-9][0-9]*)\]", "{1@}#{2#}"),
    bracketed(
        "gitlab_work_item",
        r"\[work_item:(?:([A-Za-z0-9_./-]+)/)?([1-9][0-9]*)\]",
        "{1@}#{2#}",
    ),
    bracketed("gitlab_epic", r"\[epic:(?:([A-Za-z0-9_./-]+)/)?([1-9][0-9]*)\]", "{1&}&{2#}"),
    bracketed(
        "gitlab_vulnerability",
        r"\[vulnerability:(?:([A-Za-z0-9_./-]+)/)?([1-9][0-9]*)\]",
        "{1@}/{2#}",
    ),
    bracketed(
        "gitlab_feature_flag",
        r"\[feature_flag:(?:([A-Za-z0-9_./-]+)/)?([1-9][0-9]*)\]",
        "{1@}/{2#}",
    ),
    Row::new(
        "gitlab_alert",
        r"\^alert#[1-9]",
        r"({GLPATH})?\^alert#([1-9][0-9]*)",
        "{1@}^alert#{2#}",
    )
    .reference(),
    Row::new("gitlab_commit", "@[0-9a-f]{7}", "({GLPATH})@([0-9a-f]{7,40})", "{1}@{2}").reference(),
    Row::new("gitlab_issue", "[0-9A-Za-z_.-]#[1-9]", "({GLPATH1})#([1-9][0-9]{0,9})", "{1@}#{2#}")
        .reference()
        .checked(check::project),
    Row::new(
        "gitlab_merge_request",
        "[0-9A-Za-z_.-]![1-9]",
        "({GLPATH1})!([1-9][0-9]{0,9})",
        "{1@}!{2#}",
    )
    .reference()
    .checked(check::project),
    Row::new("gitlab_epic", "[0-9A-Za-z_.-]&[1-9]", "({GLPATH1})&([1-9][0-9]{0,9})", "{1&}&{2#}")
        .reference()
        .checked(check::group),
    Row::new("gitlab_issue", "#[1-9]", "#([1-9][0-9]{0,9})", "{project}#{1#}").reference(),
    Row::new("gitlab_merge_request", "![1-9]", "!([1-9][0-9]{0,9})", "{project}!{1#}").reference(),
    Row::new("gitlab_epic", "&[1-9]", "&([1-9][0-9]{0,9})", "{group}&{1#}")
        .reference()
        .checked(check::no_entity),
    Row::new("gitlab_issue", "GL-[1-9]", "GL-([1-9][0-9]{0,9})", "{project}#{1#}"),
];

/// The rows behind the configured keys.
const LAST: [Row; 4] = [
    Row::new(
        "k8s_object",
        "(?:s|po|deploy|deployment|statefulset|daemonset|svc|service|ing|configmap|cm|secret|cronjob|cj|job|namespace|node|pod|hpa|pvc|apps|batch|io)/[a-z0-9]",
        KUBERNETES,
        "{1k}/{2}",
    )
    .right(Right::Object)
    .checked(check::kubernetes),
    Row::new("k8s_object", r"\.svc", KUBERNETES_DNS, "{2}/service/{1}").checked(check::kubernetes_dns),
    Row::new("git_sha", "[0-9a-f]{40}", "([0-9a-f]{64}|[0-9a-f]{40})", "{1}").checked(check::full_hash),
    Row::new("git_sha", "(?i-u:t|s|ed|m|sha|f):? +[0-9a-f]{7}", ANNOUNCED, "{1}")
        .left(Left::Any)
        .checked(check::announced_hash),
];

const fn bracketed(kind: &'static str, pattern: &'static str, id: &'static str) -> Row {
    let cue = r"\[(?:issue|work_item|epic|vulnerability|feature_flag):[A-Za-z0-9_.]";
    Row::new(kind, cue, pattern, id).reference().right(Right::Any).checked(check::no_link)
}

/// A compiled row.
#[derive(Debug)]
pub(super) struct Rule {
    /// Empty for keys.
    pub(super) kind: &'static str,
    pub(super) pattern: Regex,
    pub(super) id: IdTemplate,
    pub(super) reach: Reach,
    pub(super) left: Left,
    pub(super) right: Right,
    pub(super) trim: &'static str,
    pub(super) check: Check,
    /// True for keys of trackers, whose kind depends on their prefix.
    pub(super) is_key: bool,
}

/// The compiled table with its cues, which stand in the same order.
#[derive(Debug)]
pub(super) struct Bare {
    pub(super) rules: Vec<Rule>,
    /// The first cue is that of addresses; the rules' cues follow.
    pub(super) cues: RegexSet,
}

impl Bare {
    pub(super) fn new(settings: &Settings, prefixes: &Prefixes) -> Result<Self, Error> {
        let mut rows: Vec<Row> = FIRST.to_vec();
        rows.push(servicenow(settings));
        let own_gl = prefixes.contains_key("GL");
        // With a tracker of the prefix GL, `GL-12` is a ticket there.
        rows.extend(GITLAB.iter().filter(|row| !(own_gl && row.cue.starts_with("GL-"))).cloned());
        rows.extend(sentry(settings));
        rows.extend(keys(prefixes));
        rows.extend_from_slice(&LAST);

        let cues = std::iter::once("https?://").chain(rows.iter().map(|row| row.cue.as_ref()));
        let cues = RegexSet::new(cues).map_err(|source| Error::pattern("*", "cues", source))?;
        let rules = rows.iter().map(compiled).collect::<Result<_, _>>()?;
        Ok(Self { rules, cues })
    }
}

fn compiled(row: &Row) -> Result<Rule, Error> {
    let pattern = Regex::new(&expanded(&row.pattern))
        .map_err(|source| Error::pattern(row.kind, &row.pattern, source))?;
    let id = IdTemplate::parse(row.id, &BTreeMap::new(), pattern.captures_len())
        .map_err(|part| Error::id(row.kind, row.id, part))?;
    Ok(Rule {
        kind: row.kind,
        pattern,
        id,
        reach: row.reach,
        left: row.left,
        right: row.right,
        trim: row.trim,
        check: row.check,
        is_key: row.is_key,
    })
}

/// Joins words to alternatives of a pattern. Patterns take the first that fits, so longer words
/// stand before their own beginnings.
pub(super) fn alternatives<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let mut words: Vec<_> = words.into_iter().collect();
    words.sort_unstable_by_key(|word| (std::cmp::Reverse(word.len()), *word));
    words.dedup();
    words.into_iter().map(regex::escape).collect::<Vec<_>>().join("|")
}

/// Returns the prefixes of ServiceNow numbers as alternatives, the configured ones included.
pub(super) fn servicenow_prefixes(settings: &Settings) -> String {
    let own = settings.prefixes.get("servicenow_number").into_iter().flatten();
    let own: Vec<_> = own.map(|prefix| prefix.trim().to_uppercase()).collect();
    let own = own.iter().map(String::as_str).filter(|prefix| !prefix.is_empty());
    alternatives(SERVICENOW.split('|').chain(own))
}

fn servicenow(settings: &Settings) -> Row {
    let prefixes = servicenow_prefixes(settings);
    let mut row = Row::new("servicenow_number", "", "", "{0}");
    row.cue = format!("(?:{prefixes})[0-9]{{7}}").into();
    row.pattern = format!("(?:{prefixes})[0-9]{{7,10}}").into();
    row
}

fn sentry(settings: &Settings) -> Option<Row> {
    let slugs = settings.sentry_projects.iter().map(|slug| slug.trim().to_uppercase());
    let slugs: Vec<_> = slugs.filter(|slug| !slug.is_empty()).collect();
    if slugs.is_empty() {
        return None;
    }
    let slugs = alternatives(slugs.iter().map(String::as_str));
    let mut row = Row::new("sentry_short_id", "", "", "{0}");
    row.cue = format!("(?:{slugs})-[0-9A-Z]").into();
    row.pattern = format!("(?:{slugs})-[0-9A-HJKMNP-TV-Z]{{1,8}}").into();
    Some(row)
}

/// Returns the row of all configured keys. The kinds follow from the prefix of a match.
fn keys(prefixes: &Prefixes) -> Option<Row> {
    if prefixes.is_empty() {
        return None;
    }
    let prefixes = alternatives(prefixes.keys().map(String::as_str));
    let mut row = Row::new("", "", "", "{0}");
    row.cue = format!("(?:{prefixes})-[1-9]").into();
    row.pattern = format!("(?:{prefixes})-[1-9][0-9]{{0,8}}").into();
    row.is_key = true;
    Some(row)
}
