//! `[[rules.reference]]`: mentions of something outside, of a kind that only this place knows.
//!
//! It refuses a template that names a group the pattern does not have.

use serde::Serialize;

use super::known::parse_kind;
use super::path::find_placeholders;
use crate::config::Pattern;
use crate::config::section::Section;

/// `[[rules.reference]]`: a mention of something outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReferenceRule {
    /// The kind of the reference.
    pub kind: String,
    /// Matches the mention.
    pub pattern: Pattern,
    /// How the id is built from the pattern's groups, `{1}` or `{name}`; absent for the group
    /// called `id`, or the whole match when there is none.
    pub id: Option<String>,
    /// The address of the thing, with `{id}` in the place of the id.
    pub url: Option<String>,
}

impl ReferenceRule {
    /// Reads one rule; `None` when it cannot be used, with the problem reported.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let kind = section.parse_required(
            "kind",
            "name what is mentioned, as in \"incident\"",
            parse_kind,
        );
        let pattern = section.parse_required(
            "pattern",
            "what a mention looks like, as in \"INC-[0-9]{4,}\"",
            Pattern::parse,
        );
        let id = section.parse("id", |id| match &pattern {
            Some(pattern) => parse_id(id, pattern),
            // The pattern's own problem comes first.
            None => Ok(String::new()),
        });
        let url = section.parse("url", parse_url);
        Some(Self { kind: kind?, pattern: pattern?, id, url })
    }
}

/// Reads the template of an id. Each word in braces is a named group of the pattern; a numbered
/// one, perhaps with a sign that changes its spelling (`^` upper case, `_` lower case, `-` without
/// hyphens, `%` percent-decoded); or the `project` or `group` that the text belongs to.
fn parse_id(template: &str, pattern: &Pattern) -> Result<String, String> {
    let words = find_placeholders(template);
    if words.len() != template.matches('{').count() {
        return Err("has a brace that is not closed".to_owned());
    }
    let mut names_a_group = false;
    for word in words {
        let number = word.strip_suffix(['^', '_', '-', '%']).unwrap_or(word);
        let numbered = number.chars().all(|c| c.is_ascii_digit()) && pattern.has_group(number);
        if numbered || pattern.has_group(word) {
            names_a_group = true;
        } else if word != "project" && word != "group" {
            return Err(format!("{{{word}}} is not a group of the pattern \"{pattern}\""));
        }
    }
    if names_a_group {
        Ok(template.to_owned())
    } else {
        Err("names no group of the pattern, so every mention would be one thing; write it as in \
             \"INC-{1}\""
            .to_owned())
    }
}

fn parse_url(url: &str) -> Result<String, String> {
    if !url.starts_with("https://") && !url.starts_with("http://") {
        return Err("must begin with https:// or http://".to_owned());
    }
    if find_placeholders(url) != ["id"] {
        return Err("must hold {id} once, and no other braces: the place of the id, as in \
                    \"https://status.example.com/{id}\""
            .to_owned());
    }
    Ok(url.to_owned())
}
