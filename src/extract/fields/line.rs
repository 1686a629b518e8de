//! What a line says about fields: a heading, a label, an item of a list, a row of a table.
//!
//! Works on text whose comments and code blocks are blanked already. Every part keeps its place,
//! so that evidence can point at it.

use std::ops::Range;

use super::name::normalised;
use crate::extract::markdown::{heading, list_marker};

/// A part of a line with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) struct Part<'a> {
    pub(in crate::extract) text: &'a str,
    pub(in crate::extract) span: Range<usize>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) enum Shape<'a> {
    /// Nothing but white space.
    Blank,
    /// `## Name`.
    Heading(usize, &'a str),
    /// `Name: value`, plain, bold, or in a list; the value may be empty.
    Label(&'a str, Part<'a>),
    /// `**Name**` alone on a line.
    BoldHeading(&'a str),
    /// An item of a list that is no label. `Some(true)` is a ticked box.
    Item(Option<bool>, Part<'a>),
    /// A row of a table.
    Row(Vec<Part<'a>>),
    /// Anything else.
    Text(Part<'a>),
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::extract) struct Line<'a> {
    /// Without the line end, in bytes of the text.
    pub(in crate::extract) span: Range<usize>,
    /// Columns before the first mark.
    pub(in crate::extract) indent: usize,
    /// True for an item of a list, labels included.
    pub(in crate::extract) is_item: bool,
    pub(in crate::extract) shape: Shape<'a>,
}

impl Line<'_> {
    /// Says whether the line is the rule below the head of a table: `|---|:--:|`.
    pub(in crate::extract) fn is_table_rule(&self) -> bool {
        let Shape::Row(cells) = &self.shape else { return false };
        cells.iter().all(|cell| {
            let dashes = cell.text.trim_start_matches(':').trim_end_matches(':');
            !dashes.is_empty() && dashes.bytes().all(|b| b == b'-')
        })
    }
}

/// Reads the lines of a text from an offset on.
pub(in crate::extract) fn lines(text: &str, from: usize) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    let mut at = from;
    for raw in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        lines.push(read(text, at..at + line.len()));
        at += raw.len();
    }
    lines
}

fn read(text: &str, span: Range<usize>) -> Line<'_> {
    let line = &text[span.clone()];
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    let mut body = part(text, span.start + indent..span.end);
    let shape = |shape| Line { span: span.clone(), indent, is_item: false, shape };
    if body.text.is_empty() {
        return shape(Shape::Blank);
    }
    if let Some((level, length)) = heading(line.as_bytes()) {
        // A closing run of marks belongs to the heading, too.
        return shape(Shape::Heading(
            level,
            line[length..].trim().trim_end_matches('#').trim_end(),
        ));
    }
    if let Some(cells) = cells(text, &body) {
        return shape(Shape::Row(cells));
    }
    let marker = list_marker(body.text.as_bytes());
    let mut ticked = None;
    if let Some(length) = marker {
        body = part(text, body.span.start + length..body.span.end);
        if let Some(box_length) = check_box(body.text) {
            ticked = Some(body.text[1..].starts_with(['x', 'X']));
            body = part(text, body.span.start + box_length..body.span.end);
        }
    }
    let is_item = marker.is_some();
    let shape = match label(text, &body) {
        // An option that was not ticked is no field.
        Some((name, value)) if ticked != Some(false) => Shape::Label(name, value),
        Some(_) | None if is_item => Shape::Item(ticked, body),
        Some(_) | None => match bold_heading(body.text) {
            Some(name) => Shape::BoldHeading(name),
            None => Shape::Text(body),
        },
    };
    Line { span, indent, is_item, shape }
}

/// Returns a part of a text, without white space around it.
fn part(text: &str, span: Range<usize>) -> Part<'_> {
    let raw = text.get(span.clone()).unwrap_or_default();
    let trimmed = raw.trim_start();
    let start = span.start + raw.len() - trimmed.len();
    let trimmed = trimmed.trim_end();
    Part { text: trimmed, span: start..start + trimmed.len() }
}

/// Returns the length of a check box at the start of an item.
fn check_box(item: &str) -> Option<usize> {
    let inside = item.strip_prefix('[')?;
    let close = inside.find(']')?;
    let is_box = matches!(&inside[..close], " " | "x" | "X" | "~") && {
        let after = &inside[close + 1..];
        after.is_empty() || after.starts_with([' ', '\t'])
    };
    is_box.then_some(close + 2)
}

/// Splits `Name: value`, whatever the emphasis. The name must be short, known or not.
fn label<'a>(text: &'a str, body: &Part<'a>) -> Option<(&'a str, Part<'a>)> {
    let mut from = 0;
    // `:fire: Severity: high` has its first colons in an emoji.
    while let Some(rest) = body.text[from..].strip_prefix(':') {
        from += rest.find(':')? + 2;
        from += body.text[from..].len() - body.text[from..].trim_start().len();
    }
    let colon = from + body.text[from..].find(':')?;
    let name = &body.text[..colon];
    let after = &body.text[colon + 1..];
    let closing = ["**", "__", "*", "_"].into_iter().find(|marks| {
        name.matches(marks).count() % 2 == 1 && after.starts_with(marks) && !name.ends_with(marks)
    });
    let after = closing.map_or(after, |marks| &after[marks.len()..]);
    // `service::webshop` is a label of GitLab, `https://` an address.
    let is_split = !after.starts_with([':', '/']) && !name.contains(['[', '<', '|']);
    // An open backtick before the colon: the whole is code, not a label.
    let is_code = name.matches('`').count() % 2 == 1;
    if !is_split || is_code || name.starts_with(['>', '(']) || normalised(name).is_none() {
        return None;
    }
    let value = part(text, body.span.end - after.len()..body.span.end);
    Some((name, value))
}

/// Returns the name in a line that is bold from start to end.
fn bold_heading(line: &str) -> Option<&str> {
    ["**", "__"].into_iter().find_map(|marks| {
        let inner = line.strip_prefix(marks)?.strip_suffix(marks)?;
        (!inner.is_empty() && !inner.contains(marks)).then_some(inner)
    })
}

/// Splits a row of a table at its bars.
fn cells<'a>(text: &'a str, body: &Part<'a>) -> Option<Vec<Part<'a>>> {
    if !body.text.starts_with('|') || body.text.len() < 2 {
        return None;
    }
    let bytes = body.text.as_bytes();
    let mut cells = Vec::new();
    let mut start = 1;
    for at in 1..bytes.len() {
        let is_bar = bytes[at] == b'|' && bytes[at - 1] != b'\\';
        if is_bar {
            cells.push(part(text, body.span.start + start..body.span.start + at));
            start = at + 1;
        }
    }
    if start < bytes.len() {
        cells.push(part(text, body.span.start + start..body.span.end));
    }
    (!cells.is_empty()).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(line: &str) -> String {
        match read(line, 0..line.len()).shape {
            Shape::Blank => "blank".to_owned(),
            Shape::Heading(level, name) => format!("h{level} {name}"),
            Shape::Label(name, value) => {
                format!("{} = {}", normalised(name).expect("short"), value.text)
            }
            Shape::BoldHeading(name) => format!("bold {name}"),
            Shape::Item(ticked, part) => format!("item {ticked:?} {}", part.text),
            Shape::Row(cells) => cells.iter().map(|c| c.text).collect::<Vec<_>>().join("|"),
            Shape::Text(part) => format!("text {}", part.text),
        }
    }

    #[test]
    fn every_shape_of_a_line_is_told() {
        let cases = [
            ("  ", "blank"),
            ("## Affected service:", "h2 Affected service:"),
            ("### Team ###", "h3 Team"),
            ("#Team", "text #Team"),
            ("Service: webshop", "service = webshop"),
            ("Service:webshop", "service = webshop"),
            ("Service:", "service = "),
            ("**Service:** webshop  ", "service = webshop"),
            ("**Service**: webshop", "service = webshop"),
            ("__Service:__ webshop", "service = webshop"),
            ("*Service:* webshop", "service = webshop"),
            ("_Service_: webshop", "service = webshop"),
            ("- **Service:** webshop", "service = webshop"),
            ("* Service: webshop", "service = webshop"),
            ("1. Service: webshop", "service = webshop"),
            ("- [x] Service: webshop", "service = webshop"),
            ("- [ ] Service: webshop", "item Some(false) Service: webshop"),
            (":fire: Severity: high", "severity = high"),
            ("🔥 **Severity:** high", "severity = high"),
            ("**Service: webshop**", "service = webshop**"),
            ("**Affected service**", "bold Affected service"),
            ("- [X] webshop", "item Some(true) webshop"),
            ("- [ ] webshop", "item Some(false) webshop"),
            ("- webshop", "item None webshop"),
            ("| Service | `web` |", "Service|`web`"),
            ("| a \\| b |", "a \\| b"),
            ("service::webshop", "text service::webshop"),
            ("https://acme.example/x", "text https://acme.example/x"),
            ("> Service: webshop", "text > Service: webshop"),
            ("one two three four five six: x", "text one two three four five six: x"),
            ("[a](b): c", "text [a](b): c"),
        ];
        for (line, expected) in cases {
            assert_eq!(shape(line), expected, "{line:?}");
        }
    }

    #[test]
    fn rule_of_a_table_is_told_from_a_row() {
        let line = |line| read(line, 0..str::len(line));
        assert!(line("|---|:--:|").is_table_rule() && line("| - | - |").is_table_rule());
        assert!(!line("| a | - |").is_table_rule() && !line("| |").is_table_rule());
    }
}
