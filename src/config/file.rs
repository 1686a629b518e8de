//! The configuration file: which one is read, and its text turned into a tree of values.
//!
//! It refuses to pass on the parser's own report, which quotes the broken line: a token pasted
//! without quotes would end up in a log.

use std::io;
use std::path::{Path, PathBuf};

use ::config::{FileFormat, Map, Source as _, Value};

use super::error::{Error, Position};

/// Where a file is looked for when none is named; the first that exists is read.
pub const SEARCHED: [&str; 2] = ["./xrefd.toml", "/etc/xrefd/xrefd.toml"];

/// A file that was read.
#[derive(Debug)]
pub(super) struct ConfigFile {
    /// Its path, as named or found.
    pub(super) path: PathBuf,
    /// What stands in it.
    pub(super) values: Map<String, Value>,
}

impl ConfigFile {
    /// Reads the file that was asked for. Fails when it does not exist.
    pub(super) fn load(path: &Path) -> Result<Self, Error> {
        Self::find(path)?.ok_or_else(|| Error::Absent { path: path.to_owned() })
    }

    /// Reads the first of the files that exists, if one does.
    pub(super) fn find_first(paths: &[&str]) -> Result<Option<Self>, Error> {
        for path in paths {
            if let Some(file) = Self::find(Path::new(path))? {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    fn find(path: &Path) -> Result<Option<Self>, Error> {
        let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            unreadable(io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
        })?;
        let values = parse(&text).map_err(|report| {
            let (position, message) = read_report(&report);
            Error::Syntax { path: path.to_owned(), position, message }
        })?;
        Ok(Some(Self { path: path.to_owned(), values }))
    }
}

/// Parses TOML, or returns the parser's report, which may quote the text.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match ::config::File::from_str(text, FileFormat::Toml).collect() {
        Ok(values) => Ok(values),
        Err(::config::ConfigError::FileParse { cause, .. }) => Err(cause.to_string()),
        Err(other) => Err(other.to_string()),
    }
}

/// Takes position and message out of the parser's report and drops the line it quotes:
///
/// ```text
/// TOML parse error at line 3, column 9
///   |
/// 3 | token = glpat-…
///   |         ^^^^^
/// string values must be quoted
/// ```
fn read_report(report: &str) -> (Position, String) {
    let number_after = |word: &str| -> Option<usize> {
        let rest = report.lines().next()?.split_once(word)?.1;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse().ok()
    };
    let position = number_after("line ").zip(number_after("column "));
    let mut words: Vec<&str> = report
        .lines()
        .skip(usize::from(position.is_some()))
        .filter(|line| {
            let gutter = line.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
            !gutter.trim_start().starts_with('|')
        })
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    if words.is_empty() {
        words.push("the text could not be understood here");
    }
    (Position(position), words.join("; "))
}
