//! `[database]`: where the index is kept.
//!
//! It refuses everything but a file of `SQLite`: a database in memory could not be shared between
//! the daemon and a look-up.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::section::Section;
use super::show::Toml;

/// The section `[database]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    path: PathBuf,
}

impl Default for Database {
    fn default() -> Self {
        Self { path: PathBuf::from("xrefd.db") }
    }
}

impl Database {
    /// Returns the file. A relative one is meant from the working directory.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the form used in the configuration, `sqlite://xrefd.db`.
    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path.display())
    }

    pub(super) fn read(section: &mut Section<'_>) -> Self {
        section.parse("url", parse_path).map(|path| Self { path }).unwrap_or_default()
    }

    pub(super) fn show(&self, toml: &mut Toml) {
        toml.header("[database]");
        toml.text("url", &self.url());
    }
}

impl Serialize for Database {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            url: String,
        }
        Shown { url: self.url() }.serialize(serializer)
    }
}

/// Reads `sqlite://PATH`, `sqlite:PATH` or a plain path. What follows the scheme is the path as
/// it stands, without percent-encoding. The text is not repeated in errors, because the address
/// of another kind of database may hold a password.
fn parse_path(text: &str) -> Result<PathBuf, String> {
    let path = match text.strip_prefix("sqlite:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None if text.contains("://") || text.starts_with("file:") => {
            return Err("only SQLite is supported: write \"sqlite://xrefd.db\" or the path of a \
                        file"
                .to_owned());
        }
        None => text,
    };
    if path.starts_with(":memory:") {
        return Err("must be a file: look-ups and the daemon share it".to_owned());
    }
    if path.contains('?') {
        return Err("takes no options after `?`: xrefd sets what it needs".to_owned());
    }
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err("must name a file, as in \"sqlite://xrefd.db\"".to_owned());
    }
    Ok(PathBuf::from(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_scheme_or_by_plain_path() {
        for (text, path) in [
            ("sqlite://xrefd.db", "xrefd.db"),
            ("sqlite:xrefd.db", "xrefd.db"),
            ("sqlite:///var/lib/xrefd/xrefd.db", "/var/lib/xrefd/xrefd.db"),
            ("/var/lib/xrefd.db", "/var/lib/xrefd.db"),
            ("data/xrefd.db", "data/xrefd.db"),
        ] {
            assert_eq!(parse_path(text), Ok(PathBuf::from(path)), "{text}");
        }
    }

    #[test]
    fn what_is_no_file_of_sqlite_is_refused_without_repeating_it() {
        for text in [
            "postgres://ann:hunter2@db/xrefd",
            "file:xrefd.db",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://xrefd.db?mode=ro",
            "sqlite://",
            "",
            "data/",
        ] {
            let error = parse_path(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
