//! Where the texts of links are.
//!
//! GitLab makes no references within a link, so `#45` in the text of one is somebody else's
//! number. Only links with a target in parentheses and HTML anchors are found; whether a target
//! is reachable is not asked.

use std::ops::Range;

/// Finds the texts of `[text](target)` and `<a …>text</a>`.
pub(crate) fn link_texts(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut open = Vec::new();
    // The end of the line that was looked at last, and the last closing parenthesis in it: a line
    // of many `](` would else be searched to its end for each of them.
    let mut line = (0, None);
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'[' => open.push(at + 1),
            b']' => {
                if let Some(start) = open.pop()
                    && text.get(at + 1) == Some(&b'(')
                {
                    if at >= line.0 {
                        let end = text[at..].iter().position(|b| *b == b'\n');
                        let end = end.map_or(text.len(), |length| at + length);
                        let close = text[at..end].iter().rposition(|b| *b == b')');
                        line = (end, close.map(|length| at + length));
                    }
                    if line.1.is_some_and(|close| close > at) {
                        found.push(start..at);
                    }
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

fn anchors(text: &[u8], found: &mut Vec<Range<usize>>) {
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
        found.push(start..end);
        at = end;
    }
}
