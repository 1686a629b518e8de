//! What a single line of Markdown is: blank, indented, a heading, a list item, a fence.
//!
//! Works on bytes, because every mark is ASCII. It refuses to know lines before or behind.

/// Columns of a tab stop.
const TAB: usize = 4;

/// Says whether a line holds nothing but white space.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// Returns how many columns a line is indented.
pub(crate) fn indentation(line: &[u8]) -> usize {
    let mut columns = 0;
    for byte in line {
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += TAB - columns % TAB,
            _ => break,
        }
    }
    columns
}

fn trim_start(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(line.len());
    &line[start..]
}

/// Returns the level of an ATX heading and the bytes before its text.
pub(crate) fn heading(line: &[u8]) -> Option<(usize, usize)> {
    if indentation(line) > 3 {
        return None;
    }
    let trimmed = trim_start(line);
    let level = trimmed.iter().take_while(|b| **b == b'#').count();
    let opens = (1..=6).contains(&level) && trimmed.get(level).is_none_or(u8::is_ascii_whitespace);
    opens.then(|| (level, line.len() - trimmed.len() + level))
}

/// Says whether a line is an ATX heading.
pub(crate) fn is_heading(line: &[u8]) -> bool {
    heading(line).is_some()
}

/// Says whether a line is a thematic break or underlines a heading: `---`, `* * *`, `===`.
pub(crate) fn is_rule(line: &[u8]) -> bool {
    let mut marks = line.iter().filter(|b| !b.is_ascii_whitespace());
    let Some(first) = marks.next().filter(|b| matches!(b, b'-' | b'*' | b'_' | b'=')) else {
        return false;
    };
    let mut count = 1;
    for mark in marks {
        if mark != first {
            return false;
        }
        count += 1;
    }
    count >= 3 || (*first == b'=' && count >= 1)
}

/// Returns the length of a list marker at the start of an unindented line, its space included.
pub(crate) fn list_marker(line: &[u8]) -> Option<usize> {
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let mark = line.get(digits)?;
    let marks = match digits {
        0 => matches!(mark, b'-' | b'*' | b'+'),
        1..=9 => matches!(mark, b'.' | b')'),
        _ => false,
    };
    let space = line.get(digits + 1);
    (marks && space.is_none_or(u8::is_ascii_whitespace)).then(|| line.len().min(digits + 2))
}

/// Returns the column where the content of a list item starts. A line indented by four columns
/// opens an item only within a list.
pub(crate) fn list_content(line: &[u8], in_list: bool) -> Option<usize> {
    let indent = indentation(line);
    if (indent > 3 && !in_list) || is_rule(line) {
        return None;
    }
    list_marker(trim_start(line)).map(|length| indent + length)
}

/// Says whether a line ends the paragraph before it.
pub(crate) fn opens_block(line: &[u8], quoted: bool, in_list: bool) -> bool {
    let trimmed = trim_start(line);
    match trimmed.first() {
        None | Some(b'\r' | b'\n' | b'|') => true,
        Some(b'>') => !quoted,
        Some(b'#') => is_heading(line),
        Some(b'-' | b'*' | b'+' | b'_' | b'=' | b'0'..=b'9') => {
            is_rule(line) || list_content(line, in_list).is_some()
        }
        Some(b'`' | b'~') => Fence::opened_by(line, in_list).is_some(),
        Some(_) => false,
    }
}

/// An open code fence.
#[derive(Debug)]
pub(crate) struct Fence {
    mark: u8,
    length: usize,
    indent: usize,
    quotes: usize,
}

impl Fence {
    /// Reads an opening fence, also behind the marks of quotes and list items.
    pub(crate) fn opened_by(line: &[u8], in_list: bool) -> Option<Self> {
        let mut rest = line;
        let mut quotes = 0;
        let mut in_list = in_list;
        let indent = loop {
            let indent = indentation(rest);
            if indent > 3 && !in_list {
                return None;
            }
            let trimmed = trim_start(rest);
            if trimmed.first() == Some(&b'>') {
                quotes += 1;
                rest = &trimmed[1..];
            } else if let Some(length) = list_marker(trimmed) {
                in_list = true;
                rest = &trimmed[length..];
            } else {
                rest = trimmed;
                break indent;
            }
        };
        let mark = *rest.first().filter(|b| matches!(b, b'`' | b'~'))?;
        let length = rest.iter().take_while(|b| **b == mark).count();
        let fences = length >= 3 && (mark == b'~' || !rest[length..].contains(&b'`'));
        // Behind a list marker the fence stands further right than its own indentation says.
        let indent = if in_list { line.len() - rest.len() } else { indent };
        fences.then_some(Self { mark, length, indent, quotes })
    }

    /// Says whether a line closes this fence.
    pub(crate) fn closed_by(&self, line: &[u8]) -> bool {
        let mut rest = line;
        for _ in 0..self.quotes {
            rest = trim_start(rest).strip_prefix(b">").unwrap_or(rest);
        }
        let trimmed = trim_start(rest);
        let length = trimmed.iter().take_while(|b| **b == self.mark).count();
        length >= self.length
            && is_blank(&trimmed[length..])
            && indentation(rest) <= self.indent + 3
    }

    /// Says whether a line stands outside the quote that holds this fence.
    pub(crate) fn left_by(&self, line: &[u8]) -> bool {
        self.quotes > 0 && trim_start(line).first() != Some(&b'>')
    }
}
