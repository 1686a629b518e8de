//! What a person pastes, taken apart.
//!
//! Only the form is looked at here; whether it exists, the index tells.

use reqwest::Url;

use crate::model::ItemKind;

/// Something to resolve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An address, of GitLab or of anything else.
    Url(String),
    /// A repository: `shop/webshop`, or a git remote address of any form.
    Repository(String),
    /// An Amazon resource name.
    Arn(String),
    /// A service's name.
    Service(String),
    /// Anything; its form says what it is.
    Text(String),
}

impl Input {
    /// Returns what was given.
    pub fn text(&self) -> &str {
        match self {
            Self::Url(text)
            | Self::Repository(text)
            | Self::Arn(text)
            | Self::Service(text)
            | Self::Text(text) => text.trim(),
        }
    }

    /// Returns what a text is by its form.
    pub(super) fn settle(self) -> Self {
        let Self::Text(text) = &self else { return self };
        let trimmed = text.trim();
        let lower = trimmed.to_ascii_lowercase();
        if lower.contains(char::is_whitespace) {
            return self;
        }
        if lower.starts_with("http://") || lower.starts_with("https://") {
            return Self::Url(trimmed.to_owned());
        }
        if lower.starts_with("ssh://") || lower.starts_with("git://") || is_scp_like(trimmed) {
            return Self::Repository(trimmed.to_owned());
        }
        if lower.starts_with("arn:") {
            return Self::Arn(trimmed.to_owned());
        }
        self
    }
}

/// A place on a GitLab instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Host, with the port where one is written.
    pub host: String,
    /// Paths that may be the project's, the longest first.
    pub paths: Vec<String>,
    /// The item, when the address is one's.
    pub item: Option<(ItemKind, i64)>,
}

/// Words that follow a project's path in addresses without `/-/`.
const OLD_PAGES: &[&str] = &[
    "issues",
    "merge_requests",
    "tree",
    "blob",
    "raw",
    "blame",
    "commit",
    "commits",
    "pipelines",
    "jobs",
    "tags",
    "branches",
    "releases",
    "wikis",
    "compare",
    "network",
    "graphs",
    "snippets",
    "labels",
    "milestones",
    "environments",
    "activity",
    "edit",
    "find_file",
    "boards",
];

/// Takes an address apart as GitLab would. `bases` are the sub-paths under which instances live,
/// the empty one included.
pub(super) fn place(address: &str, bases: &[String]) -> Option<Place> {
    let url = Url::parse(address.trim()).ok()?;
    let host = url.host_str()?.to_owned();
    let host = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
    let path = percent_decoded(url.path())?;
    let path = path.trim_matches('/');
    let mut paths = Vec::new();
    let mut item = None;
    for base in bases {
        let base = base.trim_matches('/');
        let inner = if base.is_empty() {
            path
        } else {
            match path.strip_prefix(base).and_then(|rest| rest.strip_prefix('/')) {
                Some(rest) => rest,
                None => continue,
            }
        };
        let (project, page) = split_page(inner);
        item = item.or_else(|| item_of(&page));
        let project = project.strip_suffix(".git").unwrap_or(&project).to_owned();
        let mut end = project.len();
        // The project's path, or a shorter one where something unknown follows it.
        loop {
            if project[..end].contains('/') {
                paths.push(project[..end].to_owned());
            }
            match project[..end].rfind('/') {
                Some(slash) if page.is_empty() => end = slash,
                Some(_) | None => break,
            }
        }
    }
    Some(Place { host, paths, item })
}

/// Returns a repository's path out of any form of its address.
pub(super) fn repository_path(repository: &str) -> String {
    let text = repository.trim();
    let path = if let Ok(url) = Url::parse(text)
        && url.has_host()
    {
        url.path().to_owned()
    } else if is_scp_like(text) {
        text.split_once(':').map_or(text, |(_, path)| path).to_owned()
    } else {
        text.to_owned()
    };
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).to_owned()
}

/// Returns the host that a repository's address names, without a port.
pub(super) fn repository_host(repository: &str) -> Option<String> {
    let text = repository.trim();
    if is_scp_like(text) {
        let (host, _) = text.split_once(':')?;
        return host.rsplit_once('@').map(|(_, host)| host.to_lowercase());
    }
    Url::parse(text).ok()?.host_str().map(str::to_lowercase)
}

/// Returns the name that an ARN's resource ends with: `checkout` of
/// `arn:aws:lambda:eu-west-1:123456789012:function:checkout`.
pub(super) fn arn_name(arn: &str) -> Option<&str> {
    let resource = arn.trim().splitn(6, ':').nth(5)?;
    let mut parts = resource.split([':', '/']).filter(|part| !part.is_empty());
    let first = parts.next()?;
    // `function:checkout:PROD` and `service/cluster/webshop`: the kind comes first.
    let rest: Vec<&str> = parts.collect();
    let name = if first == "function" { rest.first() } else { rest.last() };
    Some(name.copied().unwrap_or(first))
}

/// True for `git@host:path`.
fn is_scp_like(text: &str) -> bool {
    text.split_once(':').is_some_and(|(host, path)| {
        host.contains('@') && !host.contains('/') && !path.starts_with("//") && !path.is_empty()
    })
}

/// Splits a path into the project's and what follows it.
fn split_page(path: &str) -> (String, Vec<String>) {
    let words = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    if let Some((project, page)) = path.split_once("/-/") {
        return (project.to_owned(), words(page));
    }
    if let Some(project) = path.strip_suffix("/-") {
        return (project.to_owned(), Vec::new());
    }
    let parts: Vec<&str> = path.split('/').collect();
    // A project is two segments deep at least, so a page's word cannot come earlier.
    let page = parts.iter().enumerate().skip(2).find(|(_, part)| OLD_PAGES.contains(part));
    match page {
        Some((at, _)) => (parts[..at].join("/"), words(&parts[at..].join("/"))),
        None => (path.to_owned(), Vec::new()),
    }
}

fn item_of(page: &[String]) -> Option<(ItemKind, i64)> {
    let words: Vec<&str> = page.iter().map(String::as_str).collect();
    let (kind, number) = match words.as_slice() {
        ["issues", "incident", number, ..] | ["issues" | "work_items", number, ..] => {
            (ItemKind::Issue, number)
        }
        ["merge_requests", number, ..] => (ItemKind::MergeRequest, number),
        _ => return None,
    };
    // A rendering suffix may follow: `12+`, `12+s`.
    let digits = number.trim_end_matches('s').trim_end_matches('+');
    digits.parse().ok().filter(|number| *number > 0).map(|number| (kind, number))
}

fn percent_decoded(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Vec<String> {
        vec![String::new()]
    }

    #[test]
    fn addresses_of_gitlab_name_their_project_and_item() {
        type Case = (&'static str, &'static str, Option<(ItemKind, i64)>);
        use ItemKind::{Issue, MergeRequest};
        let cases: &[Case] = &[
            ("https://g.example/a/b", "a/b", None),
            ("https://g.example/a/b.git", "a/b", None),
            ("https://g.example/a/b/-/issues/12#note_3", "a/b", Some((Issue, 12))),
            ("https://g.example/a/b/-/issues/incident/12", "a/b", Some((Issue, 12))),
            ("https://g.example/a/b/-/work_items/12?x=1", "a/b", Some((Issue, 12))),
            ("https://g.example/a/b/c/-/merge_requests/4/diffs", "a/b/c", Some((MergeRequest, 4))),
            ("https://g.example/a/b/issues/12", "a/b", Some((Issue, 12))),
            ("https://g.example/a/b/merge_requests/12", "a/b", Some((MergeRequest, 12))),
            ("https://g.example/a/b/-/issues/12+s", "a/b", Some((Issue, 12))),
            ("https://g.example/a/b/-/issues/new", "a/b", None),
            ("https://g.example/a/b/-/blob/main/src/issues/1", "a/b", None),
            ("https://g.example/a/b/tree/main/x", "a/b", None),
            ("https://g.example/a%2Fb/-/issues/1", "a/b", Some((Issue, 1))),
        ];
        for (address, path, item) in cases {
            let place = place(address, &root()).expect("an address");
            assert_eq!(place.host, "g.example");
            assert_eq!(place.paths.first().map(String::as_str), Some(*path), "{address}");
            assert_eq!(place.item, *item, "{address}");
        }
    }

    #[test]
    fn an_instance_below_a_path_and_on_a_port_is_understood() {
        let bases = vec!["/gitlab".to_owned()];
        let place = place("http://g.example:8080/gitlab/a/b/-/issues/1", &bases).expect("a place");
        assert_eq!(place.host, "g.example:8080");
        assert_eq!(place.paths, ["a/b"]);
    }

    #[test]
    fn what_follows_a_project_without_a_mark_is_tried_off() {
        let place = place("https://g.example/a/b/c/d", &root()).expect("a place");
        assert_eq!(place.paths, ["a/b/c/d", "a/b/c", "a/b"]);
    }

    #[test]
    fn a_repository_is_named_by_any_form_of_remote() {
        for remote in [
            "shop/webshop",
            "shop/webshop.git",
            "git@gitlab.example.com:shop/webshop.git",
            "ssh://git@gitlab.example.com:2222/shop/webshop.git",
            "https://gitlab.example.com/shop/webshop.git",
            "https://user@gitlab.example.com/shop/webshop/",
        ] {
            assert_eq!(repository_path(remote), "shop/webshop", "{remote}");
            let host = remote.contains(':').then(|| "gitlab.example.com".to_owned());
            assert_eq!(repository_host(remote), host, "{remote}");
        }
    }

    #[test]
    fn an_arn_ends_with_a_name() {
        let cases = [
            ("arn:aws:lambda:eu-west-1:123456789012:function:checkout", Some("checkout")),
            ("arn:aws:lambda:eu-west-1:123456789012:function:checkout:PROD", Some("checkout")),
            ("arn:aws:ecs:eu-west-1:123456789012:service/prod/webshop", Some("webshop")),
            ("arn:aws:s3:::webshop-assets", Some("webshop-assets")),
            ("arn:aws", None),
        ];
        for (arn, name) in cases {
            assert_eq!(arn_name(arn), name, "{arn}");
        }
    }

    #[test]
    fn hostile_inputs_do_not_panic() {
        for text in ["", ":", "@:", "http://", "https://%", "https://h/%ff%", "arn:", "é:é@", "//"]
        {
            let _ = place(text, &root());
            let _ = (repository_path(text), repository_host(text));
            let _ = arn_name(text);
            let _ = Input::Text(text.to_owned()).settle();
        }
    }
}
