//! Long texts of items.
//!
//! A description is read far more often than it is written, and in a large world there are a
//! million of them. Everything outside this module reads a text by [`Text::read`], so that how it
//! is kept can differ from text to text.

use std::borrow::Cow;

/// The text of a description.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Box<str>);

impl Text {
    /// Returns the text.
    pub fn read(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self(text.as_str().into())
    }
}
