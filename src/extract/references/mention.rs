//! A mention: one identifier read out of a text, and where it stood.

use std::ops::Range;

use crate::model::Reference;

/// How many characters of a long line are quoted as evidence.
const QUOTE_CHARS: usize = 160;

/// Bytes on either side that may hold as many characters.
const WINDOW: usize = 4 * QUOTE_CHARS;

/// An identifier read out of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What is mentioned, in canonical form.
    pub reference: Reference,
    /// Where it stands, as bytes of the text.
    pub span: Range<usize>,
    /// The rule that read it: `url:pagerduty_incident`, `key:jira`, `custom:incident`.
    pub rule: String,
    /// True behind a word that closes: `Closes #12`.
    pub closing: bool,
    /// False for what may as well be something else until it is looked up: a project named
    /// without its group, a Kubernetes name in prose, a short commit hash.
    pub certain: bool,
}

impl Mention {
    /// Returns the line around the mention, or the part of a long line next to it, for people to
    /// read: white space folded, control characters removed.
    pub fn quote(&self, text: &str) -> String {
        quote(text, &self.span)
    }
}

/// Returns what [`Mention::quote`] says, for any span of a text.
pub(in crate::extract) fn quote(text: &str, span: &Range<usize>) -> String {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    // Lines may be long and mentions many, so the line is not searched to its ends.
    let window = floor(text, start.saturating_sub(WINDOW));
    let line_start = text[window..start].rfind('\n').map_or(window, |at| window + at + 1);
    let window = floor(text, end + WINDOW);
    let line_end = text[end..window].find('\n').map_or(window, |at| end + at);
    let inside = text[start..end].chars().count();
    let around = QUOTE_CHARS.saturating_sub(inside) / 2;
    let before = text[line_start..start].char_indices().rev();
    let from = before.take(around).last().map_or(start, |(at, _)| line_start + at);
    let mut after = text[end..line_end].char_indices().skip(around);
    let to = after.next().map_or(line_end, |(at, _)| end + at);
    let mut quote = String::new();
    if from > line_start {
        quote.push('…');
    }
    quote.push_str(&folded(&text[from..to], QUOTE_CHARS));
    if to < line_end {
        quote.push('…');
    }
    quote
}

/// Returns a text with white space folded and control characters removed, cut to a length.
fn folded(text: &str, max_chars: usize) -> String {
    let mut folded = String::new();
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().filter(|c| !c.is_control()));
    }
    match folded.char_indices().nth(max_chars) {
        Some((at, _)) => folded[..at].to_owned(),
        None => folded,
    }
}

/// Returns the last character border that is not behind an offset.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Drops repeated mentions: the first place counts, with what any of them was certain of.
pub(in crate::extract) fn merged(mentions: Vec<Mention>) -> Vec<Mention> {
    let mut merged: Vec<Mention> = Vec::new();
    let mut known = std::collections::HashMap::new();
    for mention in mentions {
        if let Some(index) = known.get(&mention.reference) {
            let first: &mut Mention = &mut merged[*index];
            first.closing |= mention.closing;
            first.certain |= mention.certain;
        } else {
            known.insert(mention.reference.clone(), merged.len());
            merged.push(mention);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(text: &str, span: Range<usize>) -> String {
        quote(text, &span)
    }

    #[test]
    fn quote_is_the_line_with_white_space_folded() {
        let text = "first\n  see \t WEB-1\u{7} now  \r\nlast";
        let start = text.find("WEB-1").expect("it is there");
        assert_eq!(quoted(text, start..start + 5), "see WEB-1 now");
    }

    #[test]
    fn quote_of_a_long_line_keeps_whole_characters() {
        let text = format!("{}WEB-1{}", "é".repeat(500), "ü".repeat(500));
        let start = 1_000;
        let quote = quoted(&text, start..start + 5);
        assert!(quote.starts_with("…é") && quote.ends_with("ü…") && quote.contains("WEB-1"));
        assert!(quote.chars().count() <= QUOTE_CHARS + 2);
    }

    #[test]
    fn span_outside_the_text_is_no_panic() {
        assert_eq!(quoted("é", 1..99), "é");
        assert_eq!(quoted("", 5..9), "");
    }
}
