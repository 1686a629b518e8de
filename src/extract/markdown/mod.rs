//! The zones of a Markdown text: what is comment, what is code, what is the text of a link.
//!
//! References and fields are read from prose. HTML comments hold the hints of templates, and code
//! holds samples, so both are told apart here, by the rules of GitLab's own renderer as far as
//! they decide what counts as a mention. This module refuses to build a document tree: it scans
//! the text once, in time linear in its length whatever the text, and answers with byte ranges.

mod block;
mod link;

use std::ops::Range;

use block::{Fence, indentation, is_blank, is_heading, is_rule, list_content, opens_block};
pub(crate) use block::{heading, list_marker};
pub(crate) use link::link_texts;

/// What a part of a text is, when it is not prose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// An HTML comment; nothing in it counts.
    Comment,
    /// A code block: fenced, indented, or an HTML `pre`.
    Block,
    /// Code within a line.
    Inline,
}

/// Returns the parts of a Markdown text that are not prose, in order and without overlap.
pub fn zones(text: &str) -> Vec<(Range<usize>, Zone)> {
    if !may_have_zones(text) {
        return Vec::new();
    }
    let mut scanner =
        Scanner { text: text.as_bytes(), found: Vec::new(), closers: [Closer::Unknown; 3] };
    scanner.scan();
    scanner.found
}

/// Overwrites a range with spaces; line ends stay, so that lines keep their numbers.
pub(crate) fn blank(buffer: &mut [u8], range: Range<usize>) {
    if let Some(part) = buffer.get_mut(range) {
        for byte in part.iter_mut().filter(|byte| **byte != b'\n') {
            *byte = b' ';
        }
    }
}

/// Returns the text with its comments and its code blocks overwritten by spaces, every other byte
/// in its place. Code within a line stays when `inline` says so.
pub(crate) fn prose(text: &str, inline: bool) -> String {
    let mut buffer = text.as_bytes().to_vec();
    for (range, zone) in zones(text) {
        match zone {
            Zone::Inline if inline => {}
            Zone::Comment | Zone::Block | Zone::Inline => blank(&mut buffer, range),
        }
    }
    // Zones end where ASCII marks stand, so whole characters are overwritten and this never
    // replaces anything; if it did, offsets would only shift, not panic.
    String::from_utf8(buffer).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

/// Says whether a text holds any mark that could open a comment or code. Most texts do not.
fn may_have_zones(text: &str) -> bool {
    text.bytes().any(|byte| matches!(byte, b'`' | b'<' | b'~' | b'\t')) || text.contains("    ")
}

/// The HTML elements whose content is code, with their zone. GitLab makes no references in them.
const ELEMENTS: [(&[u8], Zone); 3] =
    [(b"pre", Zone::Block), (b"code", Zone::Inline), (b"style", Zone::Block)];

/// What is known of the next closing tag of an element.
#[derive(Debug, Clone, Copy)]
enum Closer {
    Unknown,
    At(usize),
    Missing,
}

/// One walk over a text.
struct Scanner<'a> {
    text: &'a [u8],
    found: Vec<(Range<usize>, Zone)>,
    /// The next closing tag of each element, kept so that the text is searched once.
    closers: [Closer; 3],
}

impl Scanner<'_> {
    fn scan(&mut self) {
        let mut at = 0;
        let mut after_blank = true;
        // The column where the content of the outermost list item starts, within a list.
        let mut list: Option<usize> = None;
        while at < self.text.len() {
            let end = line_end(self.text, at);
            let line = &self.text[at..end];
            if is_blank(line) {
                after_blank = true;
                at = end;
                continue;
            }
            let indent = indentation(line);
            if let Some(content) = list_content(line, list.is_some()) {
                if list.is_none_or(|outer| indent < outer) {
                    list = Some(content);
                }
            } else if list.is_some_and(|content| indent < content)
                && (after_blank || is_heading(line) || is_rule(line))
            {
                list = None;
            }
            if list.is_none() && after_blank && indent >= 4 {
                // `after_blank` stays: the next indented line goes on with the block.
                self.found.push((at..end, Zone::Block));
                at = end;
                continue;
            }
            after_blank = false;
            at = match Fence::opened_by(line, list.is_some()) {
                Some(fence) => {
                    let close = self.fence_end(&fence, end);
                    self.found.push((at..close, Zone::Block));
                    close
                }
                None => self.scan_lines(at, list.is_some()),
            };
        }
    }

    /// Returns where a fenced block ends that was opened on the line before `at`.
    fn fence_end(&self, fence: &Fence, mut at: usize) -> usize {
        while at < self.text.len() {
            let end = line_end(self.text, at);
            let line = &self.text[at..end];
            if fence.left_by(line) {
                return at;
            }
            if fence.closed_by(line) {
                return end;
            }
            at = end;
        }
        self.text.len()
    }

    /// Reads the lines of one paragraph, heading, list item or the like from `at`, and returns
    /// the start of the first line behind. A comment may lead over any number of lines.
    fn scan_lines(&mut self, mut at: usize, in_list: bool) -> usize {
        loop {
            let end = self.paragraph_end(at, in_list);
            let mut ticks: Option<Ticks> = None;
            let mut resume = None;
            while at < end {
                let rest = &self.text[at..end];
                let Some(skip) = rest.iter().position(|b| matches!(b, b'`' | b'<' | b'\\')) else {
                    break;
                };
                at += skip;
                match self.text[at] {
                    b'\\' => at += 2,
                    b'`' => {
                        let ticks = ticks.get_or_insert_with(|| Ticks::of(self.text, at, end));
                        let (next, is_code) = ticks.span_at(at);
                        if is_code {
                            self.found.push((at..next, Zone::Inline));
                        }
                        at = next;
                    }
                    _ if self.text[at..].starts_with(b"<!--") => {
                        let close = comment_end(self.text, at);
                        self.found.push((at..close, Zone::Comment));
                        at = close;
                        if at >= end {
                            resume = Some(at);
                        }
                    }
                    _ => match self.element(at, end) {
                        Some((close, zone)) => {
                            self.found.push((at..close, zone));
                            at = close;
                            if at > end {
                                resume = Some(at);
                            }
                        }
                        None => at += 1,
                    },
                }
            }
            match resume {
                // A comment left the paragraph: its last line goes on behind it.
                Some(next) if next < self.text.len() && !at_line_start(self.text, next) => {
                    at = next;
                }
                Some(next) => return next,
                None => return end,
            }
        }
    }

    /// Returns where the lines end that are read together with the one at `at`: a pair of
    /// backticks never reaches over that border.
    fn paragraph_end(&self, at: usize, in_list: bool) -> usize {
        let quoted = self.text[at..].first() == Some(&b'>');
        let mut end = line_end(self.text, at);
        let first = &self.text[at..end];
        if is_heading(first) {
            return end;
        }
        while end < self.text.len() {
            let next = line_end(self.text, end);
            if opens_block(&self.text[end..next], quoted, in_list) {
                break;
            }
            end = next;
        }
        end
    }

    /// Returns the end and zone of an HTML element of code that opens at `at`.
    fn element(&mut self, at: usize, paragraph_end: usize) -> Option<(usize, Zone)> {
        let rest = &self.text[at + 1..];
        let (index, zone) = ELEMENTS.iter().enumerate().find_map(|(index, (name, zone))| {
            let tag = rest.get(..name.len())?;
            let after = rest.get(name.len())?;
            let opens =
                tag.eq_ignore_ascii_case(name) && (*after == b'>' || after.is_ascii_whitespace());
            opens.then_some((index, *zone))
        })?;
        let close = match self.closers[index] {
            Closer::Missing => None,
            Closer::At(close) if close > at => Some(close),
            Closer::At(_) | Closer::Unknown => closing_tag(self.text, at, ELEMENTS[index].0),
        };
        self.closers[index] = close.map_or(Closer::Missing, Closer::At);
        let close = close?;
        match zone {
            Zone::Inline if close > paragraph_end => None,
            Zone::Comment | Zone::Block | Zone::Inline => Some((close, zone)),
        }
    }
}

/// The runs of backticks of a paragraph, each with its partner of the same length. Found in one
/// pass, because a search for every single run would cost quadratic time on hostile text.
struct Ticks {
    /// Start, length, and the index of the next run of the same length.
    runs: Vec<(usize, usize, Option<usize>)>,
    next: usize,
}

impl Ticks {
    fn of(text: &[u8], start: usize, end: usize) -> Self {
        let mut runs = Vec::new();
        let mut at = start;
        while at < end {
            if text[at] == b'`' {
                let length = text[at..end].iter().take_while(|b| **b == b'`').count();
                runs.push((at, length, None));
                at += length;
            } else {
                at += 1;
            }
        }
        let mut last = std::collections::HashMap::new();
        for index in (0..runs.len()).rev() {
            runs[index].2 = last.insert(runs[index].1, index);
        }
        Self { runs, next: 0 }
    }

    /// Returns where the run at `at`, or the code that it opens, ends; and whether it is code.
    fn span_at(&mut self, at: usize) -> (usize, bool) {
        while self.runs.get(self.next).is_some_and(|run| run.0 + run.1 <= at) {
            self.next += 1;
        }
        match self.runs.get(self.next) {
            Some((start, length, partner)) if *start == at => {
                let partner = partner.and_then(|index| self.runs.get(index));
                partner.map_or((at + length, false), |run| (run.0 + run.1, true))
            }
            // Within a run whose first backtick was escaped.
            Some((start, length, _)) => ((start + length).max(at + 1), false),
            None => (at + 1, false),
        }
    }
}

/// Returns the start of the line after the one at `at`.
pub(crate) fn line_end(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |length| at + length + 1)
}

fn at_line_start(text: &[u8], at: usize) -> bool {
    at == 0 || text.get(at - 1) == Some(&b'\n')
}

/// Returns the end of the comment that opens at `at`; an open one runs to the end of the text.
fn comment_end(text: &[u8], at: usize) -> usize {
    // From behind `<!`, because `<!-->` is a whole comment.
    let from = at + 2;
    text[from..].windows(3).position(|w| w == b"-->").map_or(text.len(), |length| from + length + 3)
}

/// Returns the end of the next closing tag of an element.
fn closing_tag(text: &[u8], at: usize, name: &[u8]) -> Option<usize> {
    let mut from = at;
    while let Some(length) = text.get(from..)?.windows(2).position(|w| w == b"</") {
        let start = from + length + 2;
        let end = start + name.len();
        if text.get(start..end).is_some_and(|tag| tag.eq_ignore_ascii_case(name))
            && text.get(end) == Some(&b'>')
        {
            return Some(end + 1);
        }
        from = start;
    }
    None
}

#[cfg(test)]
mod tests;
