//! Fields: what an author filled into the places that a template offers.
//!
//! A field is a name that the table knows and a value that names something: `**Service:** web`,
//! a heading with a line below it, a row of a table, ticked boxes, front matter. The layout that
//! GitLab gives to incidents made from alerts is of these shapes, too. Hints, placeholders and
//! prose give no field; a field that says `none` is told apart from one that was not filled.
//! What the template itself says is subtracted in `template`, which knows it.

mod front_matter;
pub(super) mod line;
pub(super) mod name;
mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use self::line::{Line, Part, Shape};
use self::value::Reading;
use super::markdown;
use super::references::quote;

/// A filled field, or one of its values where it has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// What the name means: `service`, `team`, `severity`.
    pub key: String,
    /// The name as written.
    pub name: String,
    /// The value as written, without decoration.
    pub value: String,
    /// The line it stands on, after the line of its name where that is another one.
    pub text: String,
    /// Where the value stands, as bytes of the text.
    pub span: Range<usize>,
}

/// The table of field names.
#[derive(Debug, Clone)]
pub struct Fields {
    keys: BTreeMap<String, String>,
}

/// What was read, filled fields and those that say `none` apart.
#[derive(Debug, Default)]
struct Found {
    filled: Vec<Field>,
    nothing: Vec<Field>,
}

impl Fields {
    /// Makes a table from names and the keys they stand for. Case, separators and decoration of
    /// a name do not matter.
    pub fn new(names: &BTreeMap<String, String>) -> Self {
        let keys = names.iter();
        Self {
            keys: keys
                .filter_map(|(name, key)| Some((name::normalised(name)?, key.clone())))
                .collect(),
        }
    }

    /// Returns the names that are known without configuration.
    pub fn default_names() -> BTreeMap<String, String> {
        name::defaults()
    }

    /// Reads the filled fields of a description, each key and value once, in its order.
    pub fn read(&self, markdown: &str) -> Vec<Field> {
        self.find(markdown, &prose(markdown)).filled
    }

    /// Reads the fields that were answered with `none` or `N/A`: not a gap, but no name either.
    pub fn read_none(&self, markdown: &str) -> Vec<Field> {
        self.find(markdown, &prose(markdown)).nothing
    }

    /// Returns what a name means.
    pub(super) fn key(&self, name: &str) -> Option<&str> {
        self.keys.get(&name::normalised(name)?).map(String::as_str)
    }

    /// Reads the filled fields of a description of which some parts do not count: `prose` is
    /// what [`prose`] makes of it, with those parts blanked.
    pub(super) fn read_prose(&self, markdown: &str, prose: &str) -> Vec<Field> {
        self.find(markdown, prose).filled
    }

    fn find(&self, markdown: &str, prose: &str) -> Found {
        let mut reader =
            Reader { fields: self, text: markdown, found: Found::default(), seen: BTreeSet::new() };
        let (entries, rest) = front_matter::read(prose);
        for entry in entries {
            for (value, span) in entry.values {
                reader.add(entry.name, span.clone(), &Part { text: value, span });
            }
        }
        let lines = line::lines(prose, rest);
        reader.read(&lines);
        reader.found
    }
}

/// Returns a description as fields are read in it: without comments and code blocks, and with a
/// line end at every `<br>`. Every byte keeps its place.
pub(super) fn prose(markdown: &str) -> String {
    let mut prose = markdown::prose(markdown, true);
    for tag in ["<br>", "<br/>", "<br />", "<BR>"] {
        if prose.contains(tag) {
            prose = prose.replace(tag, &format!("\n{}", " ".repeat(tag.len() - 1)));
        }
    }
    prose
}

struct Reader<'a> {
    fields: &'a Fields,
    /// The description as written, for evidence.
    text: &'a str,
    found: Found,
    /// Keys and values that were added already.
    seen: BTreeSet<(String, String)>,
}

impl Reader<'_> {
    fn read(&mut self, lines: &[Line<'_>]) {
        let mut index = 0;
        while let Some(line) = lines.get(index) {
            match &line.shape {
                Shape::Heading(level, name) if self.fields.key(name).is_some() => {
                    self.read_section(name, line, *level, &lines[index + 1..]);
                }
                Shape::BoldHeading(name) if self.fields.key(name).is_some() => {
                    self.read_block(name, line, &lines[index + 1..]);
                }
                Shape::Label(name, value) => {
                    self.read_label(name, value, line, &lines[index + 1..]);
                }
                Shape::Row(_) => {
                    let rows =
                        lines[index..].iter().take_while(|l| matches!(l.shape, Shape::Row(_)));
                    let rows: Vec<_> = rows.collect();
                    self.read_table(&rows);
                    index += rows.len();
                    continue;
                }
                Shape::Blank
                | Shape::Heading(..)
                | Shape::BoldHeading(_)
                | Shape::Item(..)
                | Shape::Text(_) => {}
            }
            index += 1;
        }
    }

    /// Reads the value below a heading: the first paragraph or list that is not a hint.
    fn read_section(&mut self, name: &str, heading: &Line<'_>, level: usize, lines: &[Line<'_>]) {
        let ends = |line: &Line<'_>| match line.shape {
            Shape::Heading(next, name) => next <= level || self.fields.key(name).is_some(),
            Shape::Label(..) | Shape::Row(_) => true,
            Shape::BoldHeading(name) => self.fields.key(name).is_some(),
            Shape::Blank | Shape::Item(..) | Shape::Text(_) => false,
        };
        let length = lines.iter().position(ends).unwrap_or(lines.len());
        let section = &lines[..length];
        let mut blocks = section
            .split(|line| matches!(line.shape, Shape::Blank | Shape::Heading(..)))
            .filter(|block| !block.is_empty());
        // Lists with blank lines between their items are one list.
        let first_list = blocks.clone().next().is_some_and(|block| block[0].is_item);
        if first_list {
            let list: Vec<_> =
                section.iter().filter(|l| matches!(l.shape, Shape::Item(..))).collect();
            self.add_block(name, heading, &list);
            return;
        }
        let _ =
            blocks.any(|block| self.add_block(name, heading, &block.iter().collect::<Vec<_>>()));
    }

    /// Reads the value below a bold line, or below a label without a value.
    fn read_block(&mut self, name: &str, head: &Line<'_>, lines: &[Line<'_>]) {
        let blank = lines.iter().take_while(|line| line.shape == Shape::Blank).count();
        let lines = &lines[blank..];
        let is_list = matches!(lines.first().map(|line| &line.shape), Some(Shape::Item(..)));
        let block = lines.iter().take_while(|line| match line.shape {
            Shape::Item(..) => is_list,
            Shape::Text(_) => !is_list,
            Shape::Blank
            | Shape::Heading(..)
            | Shape::Label(..)
            | Shape::BoldHeading(_)
            | Shape::Row(_) => false,
        });
        self.add_block(name, head, &block.collect::<Vec<_>>());
    }

    fn read_label(&mut self, name: &str, value: &Part<'_>, line: &Line<'_>, next: &[Line<'_>]) {
        if !value.text.is_empty() {
            let mut next = Some((name, value.clone()));
            while let Some((name, value)) = next.take() {
                // `**Service:** web, **Team:** shop`: a second label ends the value of the first.
                let (own, second) = second_label(&value);
                self.add(name, line.span.clone(), &own);
                next = second;
            }
            return;
        }
        if self.fields.key(name).is_none() {
            return;
        }
        if line.is_item {
            let nested = next.iter().take_while(|next| {
                matches!(next.shape, Shape::Item(..) | Shape::Text(_)) && next.indent > line.indent
            });
            self.add_block(name, line, &nested.collect::<Vec<_>>());
            return;
        }
        let is_bold = self
            .text
            .get(line.span.clone())
            .is_some_and(|l| l.trim_start().starts_with(['*', '_']));
        let follows = next.first().is_some_and(|next| next.shape != Shape::Blank);
        let list = next.iter().find(|next| next.shape != Shape::Blank);
        let list = list.is_some_and(|next| matches!(next.shape, Shape::Item(..)));
        // A plain label with nothing behind it is unfilled, unless its value follows at once.
        if is_bold || follows || list {
            self.read_block(name, line, next);
        }
    }

    /// Reads the lines of a value: ticked boxes where there are boxes, all lines else. Says
    /// whether they answer the field, with names or otherwise.
    fn add_block(&mut self, name: &str, head: &Line<'_>, lines: &[&Line<'_>]) -> bool {
        let ticked: Vec<_> = lines
            .iter()
            .filter_map(|line| match &line.shape {
                Shape::Item(Some(ticked), part) => Some((*ticked, part)),
                _ => None,
            })
            .collect();
        if !ticked.is_empty() {
            for (_, part) in ticked.iter().filter(|(ticked, _)| *ticked) {
                self.add(name, head.span.clone(), part);
            }
            return true;
        }
        let parts: Vec<_> = lines
            .iter()
            .filter_map(|line| match &line.shape {
                Shape::Item(_, part) | Shape::Text(part) => Some(part),
                _ => None,
            })
            .collect();
        let Some(key) = self.fields.key(name).map(str::to_owned) else { return false };
        let readings: Vec<_> = parts.iter().map(|part| value::read(part.text, &key)).collect();
        if readings.contains(&Reading::Prose) {
            return true;
        }
        let count = readings.iter().filter(|reading| matches!(reading, Reading::Names(_))).count();
        if count >= 3 && (key == "severity" || key == "priority") {
            // All options were left standing.
            return true;
        }
        for part in &parts {
            self.add(name, head.span.clone(), part);
        }
        readings.iter().any(|reading| *reading != Reading::Unfilled)
    }

    /// Reads a table. Where the head names fields, each row holds values of them; else the first
    /// cell of a row is a name and the second its value.
    fn read_table(&mut self, rows: &[&Line<'_>]) {
        let ruled = rows.get(1).is_some_and(|row| row.is_table_rule());
        let rows: Vec<_> = rows
            .iter()
            .filter(|row| !row.is_table_rule())
            .filter_map(|row| match &row.shape {
                Shape::Row(cells) => Some((*row, cells)),
                _ => None,
            })
            .collect();
        let Some(((_, head), body)) = rows.split_first() else { return };
        let named =
            |cells: &[Part<'_>]| cells.first().is_some_and(|c| self.fields.key(c.text).is_some());
        let pairs = body.iter().any(|(_, cells)| named(cells));
        // A head without rows is a table that nobody filled.
        let columns = ruled && !pairs;
        if columns && head.iter().any(|cell| self.fields.key(cell.text).is_some()) {
            for (row, cells) in body {
                for (name, cell) in head.iter().zip(cells.iter()) {
                    self.add(name.text, row.span.clone(), cell);
                }
            }
            return;
        }
        for (row, cells) in &rows {
            if let [name, cell, ..] = cells.as_slice()
                && self.fields.key(cell.text).is_none()
            {
                self.add(name.text, row.span.clone(), cell);
            }
        }
    }

    /// Adds what a value says, if the name is known.
    fn add(&mut self, name: &str, head: Range<usize>, value: &Part<'_>) {
        let Some(key) = self.fields.key(name).map(str::to_owned) else { return };
        let (names, to) = match value::read(value.text, &key) {
            Reading::Names(names) => (names, &mut self.found.filled),
            Reading::Nothing => (vec![value.text.to_owned()], &mut self.found.nothing),
            Reading::Unfilled | Reading::Prose => return,
        };
        let line = quote(self.text, &value.span);
        let same_line =
            self.text.get(head.start..value.span.start).is_none_or(|gap| !gap.contains('\n'));
        let text = if same_line { line } else { format!("{} {line}", quote(self.text, &head)) };
        for value_name in names {
            if !self.seen.insert((key.clone(), value_name.clone())) {
                continue;
            }
            to.push(Field {
                key: key.clone(),
                name: clean(name).to_owned(),
                value: value_name,
                text: text.clone(),
                span: value.span.clone(),
            });
        }
    }
}

/// Splits a value before a bold label that follows on the same line.
fn second_label<'a>(value: &Part<'a>) -> (Part<'a>, Option<(&'a str, Part<'a>)>) {
    let whole = || (value.clone(), None);
    let Some(open) = value.text.match_indices("**").map(|(at, _)| at).find(|at| *at > 0) else {
        return whole();
    };
    let behind = &value.text[open + 2..];
    let Some(close) = behind.find("**") else { return whole() };
    let (name, after) = (&behind[..close], &behind[close + 2..]);
    let after = match (name.ends_with(':'), after.strip_prefix(':')) {
        (true, _) => after,
        (false, Some(after)) => after,
        (false, None) => return whole(),
    };
    let own = value.text[..open].trim_end().trim_end_matches([',', ';', '|', '·']).trim_end();
    let own = Part { text: own, span: value.span.start..value.span.start + own.len() };
    let text = after.trim_start();
    let second = Part { text, span: value.span.end - text.len()..value.span.end };
    (own, Some((name, second)))
}

/// Returns a name as written, without the marks around it.
fn clean(name: &str) -> &str {
    name.trim_matches(|c: char| c.is_whitespace() || "*_`:#".contains(c))
}

#[cfg(test)]
mod tests;
