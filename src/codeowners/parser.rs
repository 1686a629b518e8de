//! Turns a CODEOWNERS text into sections and entries, line by line.
//!
//! A line is a heading or an entry, or nothing. This file decides which, keeps what the heading
//! above hands down, joins sections of one name and lets a repeated pattern replace the earlier.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;

use crate::model::Owner;

use super::glob::{Glob, rewrite};
use super::heading::{self, Heading, Reading};
use super::mention::{Mentions, is_space};
use super::problem::{Problem, ProblemCode};
use super::{CodeOwners, Entry, Section};

/// The section of the entries above any heading.
const DEFAULT_SECTION: &str = "codeowners";

/// Reads a whole text.
pub(super) fn parse(text: &str) -> CodeOwners {
    let unmarked = text.strip_prefix('\u{feff}');
    let mut parser = Parser::new();
    for (number, line) in unmarked.unwrap_or(text).split('\n').enumerate() {
        parser.line = number + 1;
        parser.read_line(line.trim_matches(is_space));
    }
    CodeOwners {
        sections: parser.sections.into_iter().map(Draft::finish).collect(),
        problems: parser.problems,
        starts_with_mark: unmarked.is_some(),
    }
}

struct Parser {
    sections: Vec<Draft>,
    /// Where the section of a folded name is.
    by_name: HashMap<String, usize>,
    /// What the heading line above hands down to its entries.
    current: Inherited,
    line: usize,
    problems: Vec<Problem>,
}

struct Inherited {
    section: usize,
    optional: bool,
    approvals: u32,
    owners: Arc<[Owner]>,
}

impl Parser {
    fn new() -> Self {
        Self {
            sections: vec![Draft::new(DEFAULT_SECTION)],
            by_name: HashMap::from([(fold(DEFAULT_SECTION), 0)]),
            current: Inherited {
                section: 0,
                optional: false,
                approvals: 0,
                owners: Arc::default(),
            },
            line: 0,
            problems: Vec::new(),
        }
    }

    fn read_line(&mut self, line: &str) {
        // A line of Unicode spaces is blank to GitLab although stripping leaves them (F1).
        if line.starts_with('#') || line.chars().all(char::is_whitespace) {
            return;
        }
        match heading::read(line) {
            Reading::Heading(heading) => self.open_section(&heading),
            Reading::Unclosed => self.report(ProblemCode::InvalidSectionFormat),
            Reading::Other => self.add_entry(line),
        }
    }

    fn open_section(&mut self, heading: &Heading<'_>) {
        for &code in &heading.problems {
            self.report(code);
        }
        let mentions = Mentions::read(heading.owners);
        if mentions.has_malformed {
            self.report(ProblemCode::InvalidSectionOwnerFormat);
        }
        self.current = Inherited {
            section: self.find_or_add_section(heading.name),
            optional: heading.optional,
            approvals: heading.approvals,
            owners: mentions.owners.into(),
        };
    }

    /// Finds the section of a name, ignoring case. GitLab compares with the default section by
    /// case as well, as long as there is no other: `[CODEOWNERS]` as the first heading opens a
    /// section of its own.
    fn find_or_add_section(&mut self, name: &str) -> usize {
        let added = self.sections.len();
        match self.by_name.entry(fold(name)) {
            Slot::Occupied(known) if added > 1 || name == DEFAULT_SECTION => return *known.get(),
            Slot::Occupied(_) => {}
            Slot::Vacant(free) => {
                free.insert(added);
            }
        }
        self.sections.push(Draft::new(name));
        added
    }

    fn add_entry(&mut self, line: &str) {
        let (written, text) = split_pattern(line);
        let (exclusion, pattern) = match written.strip_prefix('!') {
            Some(pattern) => (true, pattern),
            None => (false, written),
        };
        let owners = if exclusion { Arc::default() } else { self.read_owners(text) };
        let key = rewrite(pattern);
        let entry = Entry {
            written: written.to_owned(),
            glob: Glob::new(&key),
            exclusion,
            optional: self.current.optional,
            approvals: self.current.approvals,
            line: self.line,
            owners,
        };
        self.sections[self.current.section].put(key, entry);
    }

    /// Reads an entry's owners. Any text at all, even a remark, replaces the defaults (H6).
    fn read_owners(&mut self, text: &str) -> Arc<[Owner]> {
        if !text.is_empty() {
            let mentions = Mentions::read(text);
            if mentions.has_malformed {
                self.report(ProblemCode::MalformedEntryOwner);
            }
            return mentions.owners.into();
        }
        if self.current.owners.is_empty() {
            self.report(ProblemCode::MissingEntryOwner);
        }
        Arc::clone(&self.current.owners)
    }

    fn report(&mut self, code: ProblemCode) {
        self.problems.push(Problem { line: self.line, code });
    }
}

/// A section while it is read: entries that were replaced leave a gap.
struct Draft {
    name: String,
    entries: Vec<Option<Entry>>,
    by_pattern: HashMap<String, usize>,
}

impl Draft {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), entries: Vec::new(), by_pattern: HashMap::new() }
    }

    /// Adds an entry at the end, in place of one with the same rewritten pattern (G3).
    fn put(&mut self, pattern: String, entry: Entry) {
        if let Some(earlier) = self.by_pattern.insert(pattern, self.entries.len()) {
            self.entries[earlier] = None;
        }
        self.entries.push(Some(entry));
    }

    fn finish(self) -> Section {
        let entries: Vec<Entry> = self.entries.into_iter().flatten().collect();
        let exclusions = (0..entries.len()).filter(|&at| entries[at].exclusion).collect();
        Section {
            name: self.name,
            exclusions,
            optional: entries.iter().all(|entry| entry.optional),
            entries,
        }
    }
}

/// Cuts a line at the first whitespace that no backslash precedes (F3).
fn split_pattern(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if is_space(c) && !escaped {
            return (&line[..at], line[at..].trim_start_matches(is_space));
        }
        escaped = c == '\\';
    }
    (line, "")
}

/// Folds a name's case as Unicode does, so that `STRASSE`, `straße` and `STRAẞE` are one. Lowered
/// first, because only the small `ß` has capitals that are two letters. The dotless `ı` folds to
/// itself, although its capital is `I`.
fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    for c in name.chars().flat_map(char::to_lowercase) {
        if c == 'ı' {
            folded.push(c);
        } else {
            folded.extend(c.to_uppercase().flat_map(char::to_lowercase));
        }
    }
    folded
}
