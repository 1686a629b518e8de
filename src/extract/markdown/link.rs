//! Where the links of a text are: the text of each and its target.
//!
//! GitLab makes no references within a link, so `#45` in the text of one is somebody else's
//! number. Only links with a target in parentheses and HTML anchors are found; whether a target
//! is reachable is not asked.

use std::ops::Range;

/// A link `[text](target)` or `<a …>text</a>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Link {
    /// Between the brackets, or the tags.
    pub(crate) text: Range<usize>,
    /// Between the parentheses; empty for an HTML anchor, whose address is no Markdown.
    pub(crate) target: Range<usize>,
}

/// Finds the links of a text, in the order in which their texts end.
pub(crate) fn links(text: &[u8]) -> Vec<Link> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    let mut parentheses = Parentheses { text, until: 0, last: None };
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'[' => open.push(at + 1),
            b']' => {
                if let Some(start) = open.pop()
                    && text.get(at + 1) == Some(&b'(')
                    && let Some(end) = parentheses.close(at + 2)
                {
                    found.push(Link { text: start..at, target: at + 2..end });
                }
            }
            b'\n' if text.get(at + 1) == Some(&b'\n') => open.clear(),
            _ => {}
        }
        at += 1;
    }
    anchors(text, &mut found);
    found
}

/// Finds closing parentheses. A target ends at the first one on its line that has no partner.
struct Parentheses<'a> {
    text: &'a [u8],
    /// The end of the line that was looked at last.
    until: usize,
    /// The last closing parenthesis of that line.
    last: Option<usize>,
}

impl Parentheses<'_> {
    fn close(&mut self, from: usize) -> Option<usize> {
        if from > self.until || self.until == 0 {
            let rest = self.text.get(from..)?;
            let length = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            self.until = from + length;
            self.last = rest[..length].iter().rposition(|b| *b == b')').map(|at| from + at);
        }
        // Without this test a line of many `](` would be searched to its end for each of them.
        let last = self.last.filter(|last| *last >= from)?;
        let mut depth = 0_usize;
        for at in from..=last {
            match self.text[at] {
                b'(' => depth += 1,
                b')' if depth == 0 => return Some(at),
                b')' => depth -= 1,
                _ => {}
            }
            // A target is short; this bounds the work on a line of many open parentheses.
            if at - from > 2_000 {
                return None;
            }
        }
        Some(last)
    }
}

fn anchors(text: &[u8], found: &mut Vec<Link>) {
    let mut at = 0;
    while let Some(length) = text[at..].windows(2).position(|w| w == b"<a" || w == b"<A") {
        at += length + 2;
        if !text.get(at).is_some_and(u8::is_ascii_whitespace) {
            continue;
        }
        let Some(start) = text[at..].iter().position(|b| *b == b'>').map(|l| at + l + 1) else {
            return;
        };
        let close = text[start..].windows(4).position(|w| w.eq_ignore_ascii_case(b"</a>"));
        let Some(end) = close.map(|length| start + length) else {
            return;
        };
        found.push(Link { text: start..end, target: end..end });
        at = end;
    }
}
