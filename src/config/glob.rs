//! Patterns for paths of groups and projects: `shop/sandbox/**`.
//!
//! `*` stands for anything within one part of a path, `**` for any number of parts, `?` for one
//! character. A pattern that matches a group matches everything below it. Case does not count,
//! as in GitLab. It refuses `[…]` and `{…}`, which no GitLab path needs.

use std::fmt;

use regex::Regex;
use serde::{Serialize, Serializer};

/// A pattern for paths.
#[derive(Debug, Clone)]
pub struct PathGlob {
    text: String,
    regex: Regex,
}

impl PathGlob {
    /// Reads a pattern. The error says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let path = text.trim().trim_matches('/');
        if path.is_empty() {
            return Err("may not be empty; write a path such as \"shop/sandbox/**\"".to_owned());
        }
        if path.contains("://") {
            return Err(format!(
                "\"{path}\" is an address; write the path, as in \"shop/webshop\""
            ));
        }
        if let Some(c) = path.chars().find(|c| "[]{}!\\".contains(*c) || c.is_whitespace()) {
            return Err(format!(
                "\"{path}\" holds {c:?}, which no path of GitLab does; `*`, `**` and `?` are the \
                 only signs with a meaning"
            ));
        }
        let parts: Vec<String> = path.split('/').map(spell).collect();
        let pattern = format!("(?i)^{}(?:/.*)?$", parts.join("/"));
        // `**/` at the front also stands for nothing at all.
        let pattern = pattern.replace("^.*/", "^(?:.*/)?").replace("/.*/", "/(?:.*/)?");
        let regex =
            Regex::new(&pattern).map_err(|_| format!("\"{path}\" is too long for a pattern"))?;
        Ok(Self { text: path.to_owned(), regex })
    }

    /// True when the path, or a group above it, matches.
    pub fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// Returns the pattern as written, without slashes at the ends.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl PartialEq for PathGlob {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for PathGlob {}

impl AsRef<str> for PathGlob {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for PathGlob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// Spells one part of a path as a regular expression.
fn spell(part: &str) -> String {
    if part == "**" {
        return ".*".to_owned();
    }
    part.chars()
        .map(|c| match c {
            '*' => "[^/]*".to_owned(),
            '?' => "[^/]".to_owned(),
            c => regex::escape(c.encode_utf8(&mut [0; 4])),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_paths_part_by_part_and_what_lies_below() {
        for (pattern, path, matches) in [
            ("shop/sandbox/**", "shop/sandbox/toy", true),
            ("shop/sandbox/**", "shop/sandbox/a/b/c", true),
            ("shop/sandbox/**", "shop/sandbox", false),
            ("shop/sandbox/**", "shop/sandboxes/toy", false),
            ("shop/sandbox", "shop/sandbox", true),
            ("shop/sandbox", "shop/sandbox/toy", true),
            ("shop/sandbox", "shop/sandboxes", false),
            ("shop/sandbox", "old/shop/sandbox", false),
            ("/shop/sandbox/", "shop/sandbox", true),
            ("shop/*", "shop/webshop", true),
            ("*/archive", "shop/archive", true),
            ("*/archive", "shop/old/archive", false),
            ("**/archive", "shop/old/archive", true),
            ("**/archive", "archive", true),
            ("shop/**/archive", "shop/archive", true),
            ("shop/**/archive", "shop/a/b/archive/x", true),
            ("shop/test-*", "shop/test-1", true),
            ("shop/test-?", "shop/test-10", false),
            ("Shop/Sandbox", "shop/sandbox", true),
            ("shop/a.b", "shop/axb", false),
            ("**", "anything/at/all", true),
        ] {
            assert_eq!(
                PathGlob::parse(pattern).unwrap().matches(path),
                matches,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in ["", "/", "https://gitlab.example.com/shop", "shop/{a,b}", "shop web", "![a]"] {
            assert!(PathGlob::parse(text).is_err(), "{text}");
        }
    }
}
