//! Tags: `key:value` pairs that correlate.

use std::fmt;

/// A `key:value` pair such as `service:webshop`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// `service`, `team`, `component`, `severity`, … or any key a rule defines. Lower case.
    pub key: String,
    /// The value as spelled where it was found.
    pub value: String,
}

impl Tag {
    /// Makes a tag.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: value.into() }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.value)
    }
}
