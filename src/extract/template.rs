//! Templates: what of a description came with the template, and is nobody's statement.
//!
//! GitLab copies a template into the description and forgets which it was, so a description is
//! compared with the templates of its project: made from one are those that keep its headings.
//! Of such a description the template's own identifiers, addresses and values are subtracted, as
//! far as they stand unchanged. Nothing is subtracted from a description that was written freely,
//! even where it happens to say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::fields::line::{Line, Shape, lines};
use super::fields::name::normalised;
use super::fields::{self, Field, Fields};
use super::markdown;
use super::references::{Context, Mention, References, TextKind, merged};
use crate::model::Reference;

/// Bytes of the longest line that is compared with those of a template.
const LINE_MAX: usize = 4_000;

/// A description template.
#[derive(Debug, Clone)]
pub struct Template {
    content: String,
    headings: BTreeSet<String>,
    labels: BTreeSet<String>,
    lines: BTreeSet<String>,
    blocks: BTreeSet<String>,
}

impl Template {
    /// Reads the text of a template.
    pub fn new(content: &str) -> Self {
        let prose = fields::prose(content);
        let lines = lines(&prose, 0);
        let (headings, labels) = skeleton(&lines);
        Self {
            headings,
            labels,
            blocks: blocks(&prose, &lines).into_iter().map(|(text, _)| text).collect(),
            // Of the raw text, because references are read in code, too.
            lines: content.lines().map(plain).filter(|line| !line.is_empty()).collect(),
            content: content.to_owned(),
        }
    }

    /// Returns the text of the template.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// Says whether a description was made from this template: most of its headings are there,
    /// or, where it has none, most of its labels, or most of its lines.
    pub fn made(&self, description: &str) -> bool {
        let prose = fields::prose(description);
        let (headings, labels) = skeleton(&lines(&prose, 0));
        if !self.headings.is_empty() {
            let kept = is_most(&self.headings, &headings);
            // One heading, `Summary`, is in every second description.
            return kept && (self.headings.len() > 1 || self.shares_more(description, &labels));
        }
        if !self.labels.is_empty() {
            return is_most(&self.labels, &labels);
        }
        is_most(&self.lines, &plain_lines(description))
    }

    /// Says whether a description shares anything besides a heading, if there is anything.
    fn shares_more(&self, description: &str, labels: &BTreeSet<String>) -> bool {
        let own: BTreeSet<_> =
            self.lines.iter().filter(|line| !line.starts_with('#')).cloned().collect();
        own.is_empty()
            || self.labels.intersection(labels).next().is_some()
            || own.intersection(&plain_lines(description)).next().is_some()
    }
}

/// Reads a description: its mentions and its filled fields, without what came with a template.
pub fn read_description(
    references: &References,
    fields: &Fields,
    templates: &[Template],
    text: &str,
    context: &Context<'_>,
) -> (Vec<Mention>, Vec<Field>) {
    let used: Vec<_> = templates.iter().filter(|template| template.made(text)).collect();
    if used.is_empty() {
        return (references.read(text, TextKind::Markdown, context), fields.read(text));
    }
    let mentions = references.read_all(text, TextKind::Markdown, context);
    let mentions = if mentions.is_empty() {
        mentions
    } else {
        without_templates(mentions, text, references, &used, context)
    };
    (merged(mentions), fields.read_prose(text, &own_prose(text, &used)))
}

/// Drops the mentions that came with a template. A reference that the author wrote once more, on
/// a line of their own, is theirs.
fn without_templates(
    mentions: Vec<Mention>,
    text: &str,
    references: &References,
    templates: &[&Template],
    context: &Context<'_>,
) -> Vec<Mention> {
    let mut given: BTreeMap<Reference, usize> = BTreeMap::new();
    for template in templates {
        let own = counted(&references.read_all(&template.content, TextKind::Markdown, context));
        for (reference, count) in own {
            let given = given.entry(reference).or_default();
            *given = count.max(*given);
        }
    }
    let written = counted(&mentions);
    let is_own = |mention: &Mention| {
        let Some(given) = given.get(&mention.reference) else { return true };
        written.get(&mention.reference).is_some_and(|written| written > given)
            && !is_line_of(templates, line_around(text, &mention.span))
    };
    mentions.into_iter().filter(is_own).collect()
}

/// Says whether a line stands in a template. Lines that no template holds are not compared, for
/// many mentions may stand on one.
fn is_line_of(templates: &[&Template], line: &str) -> bool {
    line.len() <= LINE_MAX && templates.iter().any(|template| template.lines.contains(&plain(line)))
}

fn counted(mentions: &[Mention]) -> BTreeMap<Reference, usize> {
    let mut counts = BTreeMap::new();
    for mention in mentions {
        *counts.entry(mention.reference.clone()).or_default() += 1;
    }
    counts
}

/// Returns the prose of a description with the paragraphs, lists and values blanked that stand unchanged in a
/// template. Headings, labels without a value and heads of tables stay: they say what is filled.
fn own_prose(text: &str, templates: &[&Template]) -> String {
    let prose = fields::prose(text);
    let mut buffer = prose.clone().into_bytes();
    for (block, range) in blocks(&prose, &lines(&prose, 0)) {
        if templates.iter().any(|template| template.blocks.contains(&block)) {
            markdown::blank(&mut buffer, range);
        }
    }
    // Blocks start and end at lines, so whole characters are overwritten.
    String::from_utf8(buffer).unwrap_or(prose)
}

/// Returns the paragraphs, lists and single values of a text, folded, with their places.
fn blocks(prose: &str, lines: &[Line<'_>]) -> Vec<(String, Range<usize>)> {
    let mut blocks: Vec<(String, Range<usize>)> = Vec::new();
    let mut goes_on = false;
    for (index, line) in lines.iter().enumerate() {
        let alone = match &line.shape {
            Shape::Blank | Shape::Heading(..) | Shape::BoldHeading(_) => None,
            Shape::Label(_, value) => (!value.text.is_empty()).then_some(true),
            Shape::Row(_) => {
                let is_head = lines.get(index + 1).is_some_and(Line::is_table_rule);
                (!is_head && !line.is_table_rule()).then_some(true)
            }
            Shape::Item(..) | Shape::Text(_) => Some(false),
        };
        let Some(alone) = alone else {
            goes_on = false;
            continue;
        };
        let folded = folded(&prose[line.span.clone()]);
        match blocks.last_mut().filter(|_| goes_on && !alone) {
            Some((text, range)) => {
                text.push('\n');
                text.push_str(&folded);
                range.end = line.span.end;
            }
            None => blocks.push((folded, line.span.clone())),
        }
        goes_on = !alone;
    }
    blocks
}

/// Returns the headings and the names of labels of a text, as they are compared.
fn skeleton(lines: &[Line<'_>]) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut headings = BTreeSet::new();
    let mut labels = BTreeSet::new();
    for line in lines {
        match line.shape {
            Shape::Heading(_, name) | Shape::BoldHeading(name) => {
                headings.insert(normalised(name).unwrap_or_else(|| folded(name)));
            }
            Shape::Label(name, _) => labels.extend(normalised(name)),
            Shape::Blank | Shape::Item(..) | Shape::Row(_) | Shape::Text(_) => {}
        }
    }
    headings.remove("");
    (headings, labels)
}

/// Says whether at least half of some strings are among others.
fn is_most(own: &BTreeSet<String>, others: &BTreeSet<String>) -> bool {
    let kept = own.intersection(others).count();
    kept > 0 && kept * 2 >= own.len()
}

fn plain_lines(text: &str) -> BTreeSet<String> {
    text.lines().map(plain).filter(|line| !line.is_empty()).collect()
}

/// Returns a line as it is compared: white space folded, and no mark of a list item or check box,
/// for ticking a box does not make its text the author's.
fn plain(line: &str) -> String {
    let folded = folded(line);
    let item = folded.trim_start_matches(['-', '*', '+', ' ']);
    let item = ["[ ]", "[x]", "[X]", "[~]"]
        .iter()
        .find_map(|mark| item.strip_prefix(mark))
        .unwrap_or(item);
    item.trim().to_owned()
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn line_around<'a>(text: &'a str, span: &Range<usize>) -> &'a str {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[span.end..].find('\n').map_or(text.len(), |at| span.end + at);
    &text[start..end]
}

#[cfg(test)]
mod tests;
