//! Writes the effective configuration as TOML, for people to read.
//!
//! It knows only how TOML is spelled; what may be shown is decided by each section.

use std::fmt::{Display, Write as _};

/// TOML text being written.
#[derive(Debug, Default)]
pub(super) struct Toml(String);

impl Toml {
    /// Begins a section: `[server]`, `[[gitlab]]`.
    pub(super) fn header(&mut self, header: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.line(header);
    }

    /// Writes a comment.
    pub(super) fn comment(&mut self, text: &str) {
        self.line(&format!("# {text}"));
    }

    /// Writes a text.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.plain(key, quote(text));
    }

    /// Writes a value that is spelled alike in TOML and in Rust: a number, a boolean, or TOML.
    pub(super) fn plain(&mut self, key: &str, value: impl Display) {
        self.line(&format!("{} = {value}", quote_key(key)));
    }

    /// Writes a list of texts.
    pub(super) fn texts<T: AsRef<str>>(&mut self, key: &str, texts: &[T]) {
        self.plain(key, quote_all(texts));
    }

    /// Returns what was written.
    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// Spells a list of texts.
pub(super) fn quote_all<T: AsRef<str>>(texts: &[T]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| quote(text.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}

/// Spells a text.
pub(super) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => {
                write!(quoted, "\\u{:04X}", u32::from(c)).expect("a String takes any text");
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Spells a key, in quotes only where it needs them.
pub(super) fn quote_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) { key.to_owned() } else { quote(key) }
}
