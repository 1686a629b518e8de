//! Problems: everything found wrong in one reading of the configuration.
//!
//! A person who fixes a file wants the whole list at once, so reading goes on after a mistake and
//! collects. A problem names the key, the place it was read from and what to do. It refuses to
//! repeat values that could hold a secret: callers quote only what cannot.

use std::cell::RefCell;
use std::fmt;

/// Where a value was read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The configuration file, as it was named or found.
    File(String),
    /// The environment variable of this name.
    Variable(String),
    /// Nowhere: the value is absent, or stands in the code.
    Nowhere,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(path),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Nowhere => f.write_str("the defaults"),
        }
    }
}

/// One thing that is wrong in the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key, as in `gitlab[0].url`.
    pub key: String,
    /// Where it was read.
    pub place: Place,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::File(path) => write!(f, "`{}` in {path}: {}", self.key, self.message),
            Place::Variable(name) => {
                write!(f, "`{}` in the environment variable {name}: {}", self.key, self.message)
            }
            Place::Nowhere => write!(f, "`{}`: {}", self.key, self.message),
        }
    }
}

/// The problems found so far, and the file that values without another place come from.
#[derive(Debug)]
pub(super) struct Problems {
    found: RefCell<Vec<Problem>>,
    file: Place,
}

impl Problems {
    /// Starts an empty list for values of this file.
    pub(super) fn new(file: Place) -> Self {
        Self { found: RefCell::new(Vec::new()), file }
    }

    /// Returns the place of a value with this origin: a variable's name, or none for the file.
    pub(super) fn place(&self, origin: Option<&str>) -> Place {
        origin.map_or_else(|| self.file.clone(), |name| Place::Variable(name.to_owned()))
    }

    /// Adds a problem.
    pub(super) fn add(&self, key: impl Into<String>, place: Place, message: impl Into<String>) {
        self.found.borrow_mut().push(Problem { key: key.into(), place, message: message.into() });
    }

    /// Returns all problems in the order found.
    pub(super) fn into_vec(self) -> Vec<Problem> {
        self.found.into_inner()
    }
}

/// Returns the allowed word that was likely meant, if one is near.
pub(super) fn find_near<'a>(
    word: &str,
    allowed: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = if word.chars().count() < 5 { 1 } else { 2 };
    allowed
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Finds what a word means, or says which words there are. The word itself is not repeated: a
/// token may have been pasted in the wrong line.
pub(super) fn find_choice<T: Copy>(word: &str, choices: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = choices.iter().find(|(name, _)| *name == word) {
        return Ok(*value);
    }
    let words: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let guess = find_near(word, words.iter().copied())
        .map(|near| format!("; did you mean `{near}`?"))
        .unwrap_or_default();
    Err(format!("must be one of {}{guess}", words.join(", ")))
}

/// Counts the insertions, deletions, replacements and swaps of neighbours between two words.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    // Longer than any key: not worth a table of this size.
    if a.len().max(b.len()) > 64 {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_finds_the_word_meant() {
        let allowed = ["listen", "groups", "url", "share"];
        for (typed, meant) in [
            ("lisen", Some("listen")),
            ("listne", Some("listen")),
            ("Groups", Some("groups")),
            ("group", Some("groups")),
            ("ulr", Some("url")),
            ("port", None),
            ("", None),
        ] {
            assert_eq!(find_near(typed, allowed), meant, "{typed}");
        }
    }
}
