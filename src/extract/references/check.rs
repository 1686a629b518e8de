//! What a pattern cannot say about a match: the tests behind some rows of the table.
//!
//! Each test looks at one match and its neighbours. None looks anything up: whether a project or
//! a commit exists is for those to ask who have an index.

use std::ops::Range;

/// A match with its captures, as bytes of the text.
#[derive(Debug)]
pub(super) struct Hit<'a> {
    pub(super) text: &'a str,
    /// The whole match, without the marks of emphasis and the punctuation around it.
    pub(super) span: Range<usize>,
    pub(super) captures: Vec<Option<Range<usize>>>,
}

impl<'a> Hit<'a> {
    /// Returns the text of a capture; that of the whole match is cut where the match was.
    pub(super) fn capture(&self, index: usize) -> Option<&'a str> {
        self.captures.get(index)?.clone().and_then(|range| self.text.get(range))
    }

    fn before(&self) -> &'a str {
        self.text.get(..self.span.start).unwrap_or_default()
    }

    fn after(&self) -> &'a str {
        self.text.get(self.span.end..).unwrap_or_default()
    }
}

/// What a test decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is what it looks like.
    Certain,
    /// It may be something else.
    Uncertain,
    /// It is something else.
    Refused,
}

/// A test of a match.
pub(super) type Check = fn(&Hit<'_>) -> Verdict;

impl Verdict {
    fn certain_if(holds: bool) -> Self {
        if holds { Self::Certain } else { Self::Refused }
    }
}

/// Accepts every match.
pub(super) fn accept(_: &Hit<'_>) -> Verdict {
    Verdict::Certain
}

/// Refuses an ARN that goes on with a variable: `…:role/${name}`.
pub(super) fn arn(hit: &Hit<'_>) -> Verdict {
    let open =
        hit.capture(0).is_some_and(|name| name.ends_with('$')) && hit.after().starts_with('{');
    Verdict::certain_if(!open && !hit.after().starts_with('<'))
}

/// Refuses a bracketed reference that is the text of a link.
pub(super) fn no_link(hit: &Hit<'_>) -> Verdict {
    Verdict::certain_if(!hit.after().starts_with('('))
}

/// Refuses a character entity: `&123;`.
pub(super) fn no_entity(hit: &Hit<'_>) -> Verdict {
    Verdict::certain_if(!hit.after().starts_with(';'))
}

/// Endings of file names that no project path has.
const FILE_ENDINGS: [&str; 33] = [
    "adoc", "atom", "c", "cfg", "conf", "cpp", "cs", "css", "csv", "git", "go", "h", "html",
    "java", "json", "kt", "lock", "log", "md", "php", "py", "rb", "rs", "rst", "scss", "sh", "sql",
    "tf", "toml", "ts", "txt", "yaml", "yml",
];

/// Tests the path before `#` or `!`. A name without a group is taken only where it looks like
/// that of a project, and even then it may be prose.
pub(super) fn project(hit: &Hit<'_>) -> Verdict {
    match hit.capture(1) {
        Some(path) if path.contains('/') => {
            let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
            let is_file = ending.is_some_and(|e| FILE_ENDINGS.contains(&e.as_str()));
            Verdict::certain_if(!is_file && is_path(path))
        }
        Some(name) if is_project_name(name) => Verdict::Uncertain,
        Some(_) | None => Verdict::Refused,
    }
}

/// Tests the path before `&`, which is that of a group.
pub(super) fn group(hit: &Hit<'_>) -> Verdict {
    let entity =
        hit.after().strip_prefix(';').is_some_and(|s| s.starts_with(char::is_alphanumeric));
    match hit.capture(1) {
        Some(_) if entity => Verdict::Refused,
        Some(path) if path.contains('/') => Verdict::certain_if(is_path(path)),
        Some(name) if is_project_name(name) => Verdict::Uncertain,
        Some(_) | None => Verdict::Refused,
    }
}

fn is_path(path: &str) -> bool {
    path.split('/').all(|segment| segment.chars().any(char::is_alphanumeric))
}

fn is_project_name(name: &str) -> bool {
    let lower = name.len() >= 2
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b))
        && name.bytes().any(|b| b.is_ascii_lowercase());
    let is_file = name.rsplit_once('.').is_some_and(|(_, ending)| {
        (1..=5).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    lower && !is_file
}

/// Kinds of objects that are words of prose, units or names of folders as well: `ns/op`, `cm/s`.
const COMMON_WORDS: [&str; 16] = [
    "cj",
    "cm",
    "ds",
    "ing",
    "job",
    "jobs",
    "namespace",
    "namespaces",
    "node",
    "nodes",
    "ns",
    "po",
    "secret",
    "secrets",
    "service",
    "services",
];

/// Tests the name of a Kubernetes object in prose.
pub(super) fn kubernetes(hit: &Hit<'_>) -> Verdict {
    let (Some(kind), Some(name)) = (hit.capture(1), hit.capture(2)) else {
        return Verdict::Refused;
    };
    // With its group, `deployment.apps/web`, a kind is no word of prose.
    let grouped = hit.capture(0).is_some_and(|whole| whole[kind.len()..].starts_with('.'));
    let common = COMMON_WORDS.contains(&kind) && !grouped && !name.contains('-');
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let is_file = ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending));
    if common || is_file { Verdict::Refused } else { Verdict::Uncertain }
}

/// Refuses a host that only starts like one of a cluster: `a.b.svc.example.com`.
pub(super) fn kubernetes_dns(hit: &Hit<'_>) -> Verdict {
    let mut after = hit.after().chars();
    let goes_on = after.next() == Some('.') && after.next().is_some_and(char::is_alphanumeric);
    Verdict::certain_if(!goes_on)
}

/// Refuses the digest of something else: `sha256:…`.
pub(super) fn full_hash(hit: &Hit<'_>) -> Verdict {
    let digest = hit.before().strip_suffix(':').is_some_and(|before| {
        let name = before.trim_end_matches(|c: char| c.is_ascii_digit());
        ["sha", "SHA", "md", "MD"].iter().any(|algorithm| name.ends_with(algorithm))
    });
    Verdict::certain_if(!digest)
}

/// Accepts a short hash that has both letters and digits; `defaced` and `20261122` are none.
pub(super) fn announced_hash(hit: &Hit<'_>) -> Verdict {
    let Some(hash) = hit.capture(1) else { return Verdict::Refused };
    let letters = hash.bytes().any(|b| b.is_ascii_alphabetic());
    let digits = hash.bytes().any(|b| b.is_ascii_digit());
    match hash.len() {
        40 => Verdict::Certain,
        _ if letters && digits => Verdict::Uncertain,
        _ => Verdict::Refused,
    }
}
