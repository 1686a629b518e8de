//! References in texts, as GitLab reads them.
//!
//! `#12`, `shop#12`, `acme/shop/web#12`, `!4`, addresses of items on this instance, and keys such
//! as `ABC-123` of a tracker elsewhere. What stands in code or in an HTML comment is no reference.
//! The module finds what is written; whether there is such a project or item is for `link` to say.

use std::borrow::Cow;

use super::SELF_URL;
use super::id::ItemKind;

/// One reference as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written<'t> {
    /// An issue or merge request: the project's path or its last part, if any was named.
    Item { project: Option<&'t str>, kind: ItemKind, iid: u64 },
    /// A key of another tracker.
    Key(&'t str),
}

/// The words that close an issue: the first letter in either case, the rest small.
const CLOSING: [&str; 16] = [
    "closing",
    "closes",
    "closed",
    "close",
    "fixing",
    "fixes",
    "fixed",
    "fix",
    "resolving",
    "resolves",
    "resolved",
    "resolve",
    "implementing",
    "implements",
    "implemented",
    "implement",
];

/// Replaces code and HTML comments by a space.
pub(super) fn prose(text: &str) -> Cow<'_, str> {
    if !text.contains(['`', '~']) && !text.contains("<!--") {
        return Cow::Borrowed(text);
    }
    Cow::Owned(without_spans(&without_fences(text)))
}

fn without_fences(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut fence: Option<(char, usize)> = None;
    for line in text.split_inclusive('\n') {
        let start = line.trim_start();
        let mark = start.chars().next().filter(|mark| matches!(mark, '`' | '~'));
        let run = mark.map_or(0, |mark| start.chars().take_while(|next| *next == mark).count());
        match (fence, mark) {
            (None, Some(mark)) if run >= 3 => {
                fence = Some((mark, run));
                kept.push('\n');
            }
            (None, _) => kept.push_str(line),
            (Some((open, length)), Some(mark))
                if mark == open && run >= length && start.trim_end().chars().count() == run =>
            {
                fence = None;
            }
            (Some(_), _) => {}
        }
    }
    kept
}

fn without_spans(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['`', '<']) {
        let (before, from) = rest.split_at(at);
        kept.push_str(before);
        let end = if from.starts_with('`') {
            let run = from.bytes().take_while(|byte| *byte == b'`').count();
            closing_run(&from[run..], run).map(|end| run + end)
        } else if from.starts_with("<!--") {
            Some(from.find("-->").map_or(from.len(), |end| end + 3))
        } else {
            None
        };
        if let Some(end) = end {
            kept.push(' ');
            rest = &from[end..];
        } else {
            // A mark that opens nothing stands for itself.
            let run = from.bytes().take_while(|byte| *byte == from.as_bytes()[0]).count();
            kept.push_str(&from[..run]);
            rest = &from[run..];
        }
    }
    kept.push_str(rest);
    kept
}

/// Finds the end of the next run of exactly so many back ticks.
fn closing_run(text: &str, length: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = text[at..].find('`') {
        let start = at + found;
        let run = bytes[start..].iter().take_while(|byte| **byte == b'`').count();
        at = start + run;
        if run == length {
            return Some(at);
        }
    }
    None
}

/// Reads references from prose. `address` is the external address of the instance, or empty.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    pub(super) address: &'a str,
    /// Read keys of another tracker too.
    pub(super) keys: bool,
}

impl Reader<'_> {
    /// Lists all references in the order they stand.
    pub(super) fn all(self, prose: &str) -> Vec<Written<'_>> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(next) = prose[at..].chars().next() {
            let end = match self.read(prose, at) {
                Some((written, end)) => {
                    found.push(written);
                    end
                }
                None if is_path(next) => at + run_of(&prose[at..]),
                None => at + next.len_utf8(),
            };
            at = end.max(at + next.len_utf8());
        }
        found
    }

    /// Lists the issues and keys that the text closes.
    pub(super) fn closed(self, prose: &str) -> Vec<Written<'_>> {
        let mut found = Vec::new();
        for (at, _) in prose.char_indices() {
            if is_word(before(prose, at)) {
                continue;
            }
            if let Some(end) = closing_word(&prose[at..]) {
                self.closed_after(prose, at + end, &mut found);
            }
        }
        found
    }

    fn closed_after<'t>(self, prose: &'t str, mut at: usize, found: &mut Vec<Written<'t>>) {
        loop {
            let mut start = at;
            for word in ["issues ", "issue "] {
                if prose[start..].starts_with(word) {
                    start = skip_spaces(prose, start + word.len());
                }
            }
            let Some((written, end)) = self.read(prose, start) else {
                return;
            };
            match written {
                Written::Item { kind: ItemKind::MergeRequest, .. } => return,
                Written::Item { .. } | Written::Key(_) => found.push(written),
            }
            at = skip_spaces(prose, end);
            at = prose[at..].strip_prefix(',').map_or(at, |_| skip_spaces(prose, at + 1));
            if let Some(rest) = prose[at..].strip_prefix("and ") {
                at = skip_spaces(prose, prose.len() - rest.len());
            }
        }
    }

    /// Reads the reference that begins here, and says where it ends.
    fn read(self, prose: &str, at: usize) -> Option<(Written<'_>, usize)> {
        let previous = before(prose, at);
        if is_word(previous) || matches!(previous, Some('&' | '#' | '!' | '/' | '.' | '-')) {
            return None;
        }
        let rest = &prose[at..];
        for address in [SELF_URL, self.address] {
            if !address.is_empty()
                && let Some(path) = rest.strip_prefix(address)
            {
                return address_of(path).map(|(written, end)| (written, at + address.len() + end));
            }
        }
        let path = run_of(rest);
        let project = (path > 0).then(|| rest[..path].trim_start_matches(['.', '-']));
        let kind = match rest[path..].chars().next() {
            Some('#') => ItemKind::Issue,
            Some('!') => ItemKind::MergeRequest,
            _ => return self.key(rest).map(|key| (Written::Key(key), at + key.len())),
        };
        let (iid, digits) = number(&rest[path + 1..])?;
        let mut end = path + 1 + digits;
        for suffix in ["+s", "+"] {
            if rest[end..].starts_with(suffix) {
                end += suffix.len();
                break;
            }
        }
        (!is_word(rest[end..].chars().next()))
            .then_some((Written::Item { project, kind, iid }, at + end))
    }

    /// Reads a key such as `ABC-123`.
    fn key(self, rest: &str) -> Option<&str> {
        let letters = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
            .count();
        let starts = rest.as_bytes().first().is_some_and(u8::is_ascii_uppercase);
        if !self.keys || letters < 2 || !starts || rest.as_bytes().get(letters) != Some(&b'-') {
            return None;
        }
        let (_, digits) = number(&rest[letters + 1..])?;
        let end = letters + 1 + digits;
        (!is_word(rest[end..].chars().next())).then_some(&rest[..end])
    }
}

/// Reads `/acme/shop/-/issues/12#note_3` behind the address of the instance.
fn address_of(path: &str) -> Option<(Written<'_>, usize)> {
    let end = run_of(path);
    let run = path[..end].trim_end_matches(['.', '-']).strip_prefix('/')?;
    let places = [
        ("/-/issues/incident/", ItemKind::Issue),
        ("/-/issues/", ItemKind::Issue),
        ("/-/work_items/", ItemKind::Issue),
        ("/-/merge_requests/", ItemKind::MergeRequest),
        ("/issues/", ItemKind::Issue),
        ("/merge_requests/", ItemKind::MergeRequest),
    ];
    let (project, kind, rest) = places.iter().find_map(|(mark, kind)| {
        let (project, rest) = run.split_once(mark)?;
        Some((project, *kind, rest))
    })?;
    let (iid, digits) = number(rest)?;
    if project.starts_with("groups/") || is_word(rest[digits..].chars().next()) {
        return None;
    }
    let tail = path[end..]
        .find(|next: char| next.is_whitespace() || matches!(next, ')' | ']' | '>' | ',' | '"'))
        .unwrap_or(path.len() - end);
    let tail = if path[end..].starts_with(['#', '?', '+']) { tail } else { 0 };
    Some((Written::Item { project: Some(project), kind, iid }, end + tail))
}

fn closing_word(text: &str) -> Option<usize> {
    let word = CLOSING.iter().find(|word| {
        let first = word.as_bytes()[0];
        let bytes = text.as_bytes();
        bytes.first().is_some_and(|byte| byte.to_ascii_lowercase() == first)
            && text.get(1..word.len()) == Some(&word[1..])
            && !is_word(text[word.len()..].chars().next())
    })?;
    let end = text[word.len()..].strip_prefix(':').map_or(word.len(), |_| word.len() + 1);
    let spaced = skip_spaces(text, end);
    (spaced > end).then_some(spaced)
}

fn skip_spaces(text: &str, at: usize) -> usize {
    at + text[at..].bytes().take_while(|byte| *byte == b' ').count()
}

fn before(text: &str, at: usize) -> Option<char> {
    text[..at].chars().next_back()
}

fn is_word(character: Option<char>) -> bool {
    character.is_some_and(|character| character.is_alphanumeric() || character == '_')
}

/// Tells whether paths of projects can hold a character.
pub(super) fn is_path(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.' | '/')
}

/// Counts the bytes of a run of characters that paths are made of.
fn run_of(text: &str) -> usize {
    text.bytes().take_while(|byte| is_path(char::from(*byte))).count()
}

/// Reads a number and counts its digits. Longer ones than any item has are none.
fn number(text: &str) -> Option<(u64, usize)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..digits].parse().ok()?, digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    const READER: Reader<'static> = Reader { address: "https://gitlab.example", keys: true };

    fn all(text: &str) -> Vec<String> {
        READER.all(&prose(text)).into_iter().map(print).collect()
    }

    fn closed(text: &str) -> Vec<String> {
        READER.closed(&prose(text)).into_iter().map(print).collect()
    }

    fn print(written: Written<'_>) -> String {
        match written {
            Written::Item { project, kind, iid } => {
                format!("{}{}{iid}", project.unwrap_or_default(), kind.sigil())
            }
            Written::Key(key) => key.to_owned(),
        }
    }

    #[test]
    fn every_written_form_is_read() {
        for (text, expected) in [
            ("#12, !4 and (#3).", vec!["#12", "!4", "#3"]),
            ("see shop#1 or acme/shop/web!2+ now #7+s", vec!["shop#1", "acme/shop/web!2", "#7"]),
            ("https://gitlab.example/acme/shop/-/issues/12#note_3 x", vec!["acme/shop#12"]),
            ("\u{E000}/acme/shop/-/work_items/12.", vec!["acme/shop#12"]),
            ("[x](\u{E000}/acme/shop/merge_requests/5/diffs)", vec!["acme/shop!5"]),
            ("\u{E000}/acme/shop/issues/5?a=b#note_1, #2", vec!["acme/shop#5", "#2"]),
            ("\u{E000}/groups/acme/-/epics/5", vec![]),
            ("https://other.example/acme/shop/-/issues/12", vec![]),
            ("ABC-123 and xABC-1 and ABC-1x", vec!["ABC-123"]),
            ("&#39; a#b #12a ##3 #", vec![]),
        ] {
            assert_eq!(all(text), expected, "{text}");
        }
    }

    #[test]
    fn code_and_comments_hold_no_references() {
        let text = "#1 `#2` ``a ` #3`` <!-- #4 -->\n```\n#5\n```\n~~~rb\n#6\n~~~\n#7 ` #8 a < b #9";
        assert_eq!(all(text), ["#1", "#7", "#8", "#9"]);
        assert_eq!(all("```\nnever closed #1"), Vec::<String>::new());
    }

    #[test]
    fn the_closing_pattern_takes_several_issues() {
        for (text, expected) in [
            ("Closes #1", vec!["#1"]),
            ("fix: #1, #2 and acme/shop#3. Related to #4", vec!["#1", "#2", "acme/shop#3"]),
            ("Resolves issues #1 and #2", vec!["#1", "#2"]),
            ("implementing \u{E000}/acme/shop/-/issues/12", vec!["acme/shop#12"]),
            ("Fixed ABC-12", vec!["ABC-12"]),
            ("closes !1, encloses #2, closed#3, CLOSES #4, see #5", vec![]),
            ("Closed `#1`, fixes #2", vec!["#2"]),
        ] {
            assert_eq!(closed(text), expected, "{text}");
        }
    }

    #[test]
    fn strange_texts_are_read_without_a_panic() {
        for text in ["`", "<!--", "#", "é#1é", "😀!1", "#99999999999999999999", "Close ", "```"]
        {
            all(text);
            closed(text);
        }
        assert_eq!(all("é #1"), ["#1"]);
    }
}
