//! Who owns a path, as GitLab reads a CODEOWNERS file.
//!
//! GitLab's dialect has sections, default owners, approval numbers, roles and exclusions, and a
//! matcher that differs from every glob crate, so both the parser and the matcher are our own.
//! The rules and their numbers (F1 to H7) are those of the reference on the format; the newest
//! behaviour is followed where releases differ.
//!
//! Nothing here fails: a line that GitLab could not use is reported by [`CodeOwners::problems`]
//! and the rest of the file holds. This module refuses to ask an instance anything: whether
//! `@shop/platform` is a user or a group, exists, or may approve, is for others to find out.
//!
//! `parser` turns the text into sections, with `heading` and `mention` for the two small
//! grammars on a line; `glob` decides whether a pattern covers a path.

mod glob;
mod heading;
mod mention;
mod parser;
mod problem;

use std::sync::Arc;

use crate::model::Owner;
use glob::{Glob, Path};

pub use problem::{Problem, ProblemCode};

/// Where GitLab looks for the file; the first that exists, even an empty one, is the only one
/// used.
pub const PLACES: [&str; 3] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// A CODEOWNERS file, read and ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct CodeOwners {
    sections: Vec<Section>,
    problems: Vec<Problem>,
    starts_with_mark: bool,
}

/// A section after headings of the same name were joined (G6).
#[derive(Debug, Clone)]
struct Section {
    name: String,
    /// The entries in force; a later one with the same meaning has replaced the earlier (G3).
    entries: Vec<Entry>,
    /// Where the exclusions stand among the entries.
    exclusions: Vec<usize>,
    optional: bool,
}

/// A line that names a pattern.
#[derive(Debug, Clone)]
struct Entry {
    written: String,
    glob: Glob,
    exclusion: bool,
    /// Whether the heading line above was an optional one.
    optional: bool,
    approvals: u32,
    line: usize,
    /// Shared with the heading when they are its defaults: a long list above many entries would
    /// otherwise be copied for each of them.
    owners: Arc<[Owner]>,
}

/// What a section says about a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionMatch<'a> {
    /// The section's name, spelt as first seen; `codeowners` for entries above any heading.
    pub section: &'a str,
    /// Whether the whole joined section is optional (G8).
    pub optional: bool,
    /// The number on the heading line above the entry, 0 if none was written (G7).
    pub approvals: u32,
    /// The pattern as written.
    pub pattern: &'a str,
    /// The entry's line, counted from 1.
    pub line: usize,
    /// The owners in the order written; none at all is an answer too (H7).
    pub owners: &'a [Owner],
}

/// An entry in force, whether or not any path meets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryView<'a> {
    /// The section's name, spelt as first seen.
    pub section: &'a str,
    /// Whether the whole joined section is optional.
    pub optional: bool,
    /// The number on the heading line above the entry, 0 if none was written.
    pub approvals: u32,
    /// Whether the entry takes paths out of its section instead of owning them (G11).
    pub exclusion: bool,
    /// The pattern as written, the mark of an exclusion included.
    pub pattern: &'a str,
    /// The entry's line, counted from 1.
    pub line: usize,
    /// The owners, written on the line or by default.
    pub owners: &'a [Owner],
}

/// A section that holds entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionView<'a> {
    /// The name, spelt as first seen.
    pub name: &'a str,
    /// Whether every entry came from an optional heading.
    pub optional: bool,
    /// How many entries are in force, exclusions included.
    pub entry_count: usize,
}

impl CodeOwners {
    /// Reads a file's text. Never fails: what cannot be used is a problem of its line.
    pub fn parse(text: &str) -> Self {
        parser::parse(text)
    }

    /// Reads a file's bytes as GitLab does: binary content counts as an empty file, and bytes
    /// that are not UTF-8 are dropped.
    pub fn parse_bytes(bytes: &[u8]) -> Self {
        if bytes.contains(&0) {
            return Self::default();
        }
        let text: String = bytes.utf8_chunks().map(|chunk| chunk.valid()).collect();
        Self::parse(&text)
    }

    /// Returns what each section says about a path from the repository's root: at most one
    /// entry a section, in the order in which the sections first appear.
    pub fn owners_of(&self, path: &str) -> Vec<SectionMatch<'_>> {
        let path = Path::new(path);
        self.sections
            .iter()
            .filter_map(|section| Some(section.view(section.find_entry(&path)?)))
            .map(|entry| SectionMatch {
                section: entry.section,
                optional: entry.optional,
                approvals: entry.approvals,
                pattern: entry.pattern,
                line: entry.line,
                owners: entry.owners,
            })
            .collect()
    }

    /// Lists the entries in force, section by section, each section in the order that decides.
    pub fn entries(&self) -> impl Iterator<Item = EntryView<'_>> {
        self.sections
            .iter()
            .flat_map(|section| section.entries.iter().map(|entry| section.view(entry)))
    }

    /// Lists the sections that hold entries, in the order in which they first appear.
    pub fn sections(&self) -> impl Iterator<Item = SectionView<'_>> {
        self.sections.iter().filter(|section| !section.entries.is_empty()).map(|section| {
            SectionView {
                name: &section.name,
                optional: section.optional,
                entry_count: section.entries.len(),
            }
        })
    }

    /// Lists what GitLab would report about the file without asking the instance, by line.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Says whether the text began with a byte-order mark. It is dropped here, while GitLab may
    /// read it as part of the first line.
    pub fn starts_with_byte_order_mark(&self) -> bool {
        self.starts_with_mark
    }
}

impl Section {
    /// Finds the entry that decides for a path: none if any exclusion covers it, else the last
    /// that does (G2, G11).
    fn find_entry(&self, path: &Path<'_>) -> Option<&Entry> {
        let excluded = self.exclusions.iter().any(|&at| self.entries[at].glob.matches(path));
        if excluded {
            return None;
        }
        self.entries.iter().rev().find(|entry| !entry.exclusion && entry.glob.matches(path))
    }

    fn view<'a>(&'a self, entry: &'a Entry) -> EntryView<'a> {
        EntryView {
            section: &self.name,
            optional: self.optional,
            approvals: entry.approvals,
            exclusion: entry.exclusion,
            pattern: &entry.written,
            line: entry.line,
            owners: &entry.owners,
        }
    }
}

#[cfg(test)]
mod tests;
