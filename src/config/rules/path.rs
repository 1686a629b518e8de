//! `[[rules.path]]`: files of a monorepo that belong to a service.
//!
//! It refuses a rule from which no service, or more than one thing, could be read.

use serde::Serialize;

use super::{parse_key, parse_text};
use crate::config::PathGlob;
use crate::config::section::Section;

/// `[[rules.path]]`: files of a project that belong to a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PathRule {
    /// The project or projects.
    pub project: PathGlob,
    /// The beginning of the files' paths, with at most one `{key}` for one part of the path:
    /// `services/{service}/`.
    pub path: String,
    /// The service, when the path does not hold it.
    pub service: Option<String>,
}

impl PathRule {
    /// Returns the key of the tag that this rule makes: the word in braces, or `service`.
    pub fn key(&self) -> &str {
        find_placeholders(&self.path).first().copied().unwrap_or("service")
    }
}

impl PathRule {
    /// Reads one rule; `None` when it cannot be used, with the problem reported.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let project = section.parse_required(
            "project",
            "the path of the monorepo, as in \"shop/monorepo\"",
            PathGlob::parse,
        );
        let has_service = section.has("service");
        let path = section.parse_required("path", "as in \"services/{service}/\"", |path| {
            parse_rule_path(path, has_service)
        });
        let service = section.parse("service", parse_text);
        Some(Self { project: project?, path: path?, service })
    }
}

fn parse_rule_path(text: &str, has_service: bool) -> Result<String, String> {
    let path = text.trim().trim_start_matches('/');
    let placeholders = find_placeholders(path);
    match (placeholders.as_slice(), has_service) {
        ([], true) if !path.is_empty() => Ok(path.to_owned()),
        ([key], false) => parse_key(key).map(|_| path.to_owned()),
        ([], _) => Err("must hold the service, as in \"services/{service}/\", or be a folder \
                        with `service` beside it"
            .to_owned()),
        (_, true) => Err("holds a name in braces and has `service` beside it; keep one".to_owned()),
        (_, false) => Err("holds more than one name in braces; keep one".to_owned()),
    }
}

/// Returns the words in braces.
pub(super) fn find_placeholders(template: &str) -> Vec<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(word, _)| word))
        .collect()
}
