//! Regular expressions of rules, checked when the configuration is read.
//!
//! A rule that cannot work would be silent for ever, so a pattern is refused when it does not
//! compile, lacks the group that its rule reads, or matches the empty text.

use std::fmt;

use regex::Regex;
use serde::{Serialize, Serializer};

/// A regular expression that compiles.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern. The error names it and the reason.
    pub fn parse(text: &str) -> Result<Self, String> {
        let regex = Regex::new(text)
            .map_err(|error| format!("the pattern \"{text}\" {}", explain(&error)))?;
        if regex.is_match("") {
            return Err(format!("the pattern \"{text}\" matches the empty text, so everywhere"));
        }
        Ok(Self(regex))
    }

    /// Compiles a pattern that must have the group `value`.
    pub fn parse_with_value(text: &str) -> Result<Self, String> {
        let pattern = Self::parse(text)?;
        if !pattern.has_group("value") {
            return Err(format!(
                "the pattern \"{text}\" has no group `value`: mark the part that is the tag's \
                 value, as in \"^svc/(?<value>.+)$\""
            ));
        }
        Ok(pattern)
    }

    /// Returns the compiled expression.
    pub const fn regex(&self) -> &Regex {
        &self.0
    }

    /// Returns the pattern as written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// True when the pattern has a group of this name or number.
    pub(super) fn has_group(&self, group: &str) -> bool {
        match group.parse::<usize>() {
            Ok(number) => number < self.0.captures_len(),
            Err(_) => self.0.capture_names().flatten().any(|name| name == group),
        }
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Says in one line why a pattern does not compile; the library draws a picture over several.
fn explain(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(limit) => {
            format!("is too large: compiled, it needs more than {limit} bytes")
        }
        other => {
            let report = other.to_string();
            let reason = report.rsplit("error: ").next().unwrap_or(&report);
            format!("does not compile: {}", reason.trim())
        }
    }
}
