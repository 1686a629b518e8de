//! Values of fields: the names that an author wrote, if any were written at all.
//!
//! Most fields of most descriptions are not filled: they hold a hint, a placeholder, all options,
//! or nothing. A value that is prose holds no names either; better no name than a sentence that
//! looks like one. `none` and `N/A` are answers and are told apart from an empty field.

use std::sync::LazyLock;

use regex::Regex;

/// Characters of the longest name.
const NAME_CHARS_MAX: usize = 60;

/// Words of the longest name.
const NAME_WORDS_MAX: usize = 5;

/// Names of the longest list on one line; what is longer is data, not an answer.
const NAMES_MAX: usize = 50;

/// What a value says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    /// These names.
    Names(Vec<String>),
    /// That there is none.
    Nothing,
    /// The field was not filled.
    Unfilled,
    /// Something in words, which names nothing for certain.
    Prose,
}

/// Words that stand for a value still to come.
const MARKERS: [&str; 22] = [
    "todo",
    "tbd",
    "tba",
    "tbc",
    "fixme",
    "xxx",
    "unknown",
    "name",
    "placeholder",
    "select",
    "select one",
    "choose",
    "choose one",
    "pick one",
    "yyyy-mm-dd",
    "yyyy-mm-dd hh:mm",
    "service name",
    "service_name",
    "team name",
    "team_name",
    "not sure",
    "to be determined",
];

const NOTHING: [&str; 6] = ["none", "n/a", "n.a.", "na", "not applicable", "nothing"];

const EXAMPLES: [&str; 8] =
    ["e.g", "eg ", "eg:", "eg.", "ex:", "example:", "example ", "for example"];

/// Words that make a value of three or more words a sentence.
const SENTENCE_WORDS: [&str; 52] = [
    "a", "am", "an", "any", "are", "be", "because", "been", "but", "can", "cannot", "could", "did",
    "do", "does", "has", "have", "had", "how", "i", "if", "is", "it", "its", "may", "must", "not",
    "our", "please", "see", "should", "since", "that", "their", "there", "they", "this", "was",
    "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you",
    "your", "describe",
];

/// Keys of which a field holds one value, so that several are the options left standing.
const SINGLE: [&str; 2] = ["severity", "priority"];

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(!?)\[([^\[\]]*)\]\([^()]*\)").expect("the pattern is fixed"));

static CODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("^(?::[a-z0-9_+-]+:\\s*)+").expect("the pattern is fixed"));

/// Reads the value of a field.
pub(super) fn read(value: &str, key: &str) -> Reading {
    // A backslash at the end of a line is a line break.
    let value = value.trim().trim_end_matches('\\').trim_end();
    if value.is_empty() || value.starts_with('>') || is_hint(value) {
        return Reading::Unfilled;
    }
    let text = LINK.replace_all(value, |captures: &regex::Captures<'_>| {
        // The text of an image describes a picture.
        if captures[1].is_empty() { captures[2].to_owned() } else { String::new() }
    });
    let plain = stripped(&text);
    let lower = plain.to_lowercase();
    if NOTHING.contains(&lower.as_str()) || NOTHING.contains(&lower.trim_end_matches('.')) {
        return Reading::Nothing;
    }
    if EXAMPLES.iter().any(|start| lower.starts_with(start)) || is_variable(&text) {
        return Reading::Unfilled;
    }
    let (parts, mark) = split(&text);
    if parts.len() > NAMES_MAX {
        return Reading::Prose;
    }
    if is_option_list(&parts, mark, key) {
        return Reading::Unfilled;
    }
    let mut names: Vec<String> = Vec::new();
    let mut is_prose = is_sentence(plain);
    for part in parts {
        match name(part, key) {
            Part::Name(name) if !names.contains(&name) => names.push(name),
            Part::Name(_) | Part::Unfilled => {}
            Part::Prose => is_prose = true,
        }
    }
    match names.is_empty() {
        _ if is_prose => Reading::Prose,
        true => Reading::Unfilled,
        false => Reading::Names(names),
    }
}

/// Says whether a whole line is a hint: in parentheses, or in italics.
fn is_hint(line: &str) -> bool {
    if let Some(inner) =
        line.strip_prefix('(').and_then(|l| l.trim_end_matches('.').strip_suffix(')'))
    {
        let mut depth = 1_i32;
        // `(a) and (b)` is not one parenthesis.
        return inner.chars().all(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth > 0
        });
    }
    ['*', '_'].into_iter().any(|mark| {
        let inner = line.strip_prefix(mark).and_then(|l| l.strip_suffix(mark));
        inner.is_some_and(|inner| !inner.is_empty() && !inner.contains(mark))
    })
}

fn is_variable(text: &str) -> bool {
    ["%{", "{{", "${"].iter().any(|open| text.contains(open))
}

/// Says whether all options of a field were left standing.
fn is_option_list(parts: &[&str], mark: char, key: &str) -> bool {
    let alternatives = matches!(mark, '/' | '|');
    let boxes = parts.len() >= 3 && parts.iter().all(|part| is_level(part));
    (SINGLE.contains(&key) && parts.len() >= 2 && (alternatives || parts.len() >= 3))
        || (alternatives && boxes)
        || mark == '|'
}

/// Says whether a word names a severity, a priority or an environment.
fn is_level(part: &str) -> bool {
    const LEVELS: [&str; 16] = [
        "critical",
        "high",
        "medium",
        "low",
        "minor",
        "major",
        "blocker",
        "trivial",
        "production",
        "prod",
        "staging",
        "development",
        "dev",
        "test",
        "testing",
        "qa",
    ];
    LEVELS.contains(&stripped(part).to_lowercase().as_str())
}

/// Splits a list at commas, semicolons, spaced slashes and "and", outside of parentheses, and
/// says at which mark.
fn split(text: &str) -> (Vec<&str>, char) {
    let mut parts = Vec::new();
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut start = 0;
    let mut found = ' ';
    let mut skip_to = 0;
    let marked = text.chars().next().filter(|mark| matches!(mark, '~' | '@'));
    let last_quote = text.rfind(['"', '`']);
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_ascii()) {
        if at < skip_to {
            continue;
        }
        let rest = &text[at..];
        let length = match c {
            '"' | '`' => {
                quoted = !quoted;
                0
            }
            '(' => {
                depth += 1;
                0
            }
            ')' => {
                depth = depth.saturating_sub(1);
                0
            }
            _ if depth > 0 || (quoted && last_quote > Some(at)) => 0,
            ',' | ';' | '\n' => 1,
            ' ' if rest.starts_with(" / ") || rest.starts_with(" | ") => 3,
            ' ' if rest.starts_with(" and ") => 5,
            // `~a ~"b"` and `@a @b`: marks make a list by themselves.
            ' ' if marked.is_some_and(|mark| rest[1..].starts_with(mark)) => 1,
            _ => 0,
        };
        if length > 0 {
            parts.push(&text[start..at]);
            let mark = rest.trim_start().chars().next().unwrap_or(' ');
            if found == ' ' || matches!(mark, '/' | '|') {
                found = mark;
            }
            start = at + length;
            skip_to = start;
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    (parts, found)
}

enum Part {
    Name(String),
    Unfilled,
    Prose,
}

fn name(part: &str, key: &str) -> Part {
    let part = part.trim();
    let part = part.strip_prefix("and ").unwrap_or(part);
    let part = part.strip_suffix(" and").unwrap_or(part);
    if is_hint(part) {
        return Part::Unfilled;
    }
    let part = CODE.replace(stripped(part), "");
    let part = unmarked(stripped(&part), key);
    let part = without_remark(part);
    let part = stripped(part).trim_end_matches(['.', '…', ',', ';', '!']).trim();
    let is_placeholder = (part.starts_with('<') && part.ends_with('>'))
        || (part.starts_with('[') && part.ends_with(']'))
        || !part.chars().any(char::is_alphanumeric)
        || MARKERS.contains(&part.to_lowercase().as_str())
        || NOTHING.contains(&part.to_lowercase().as_str());
    if is_placeholder {
        return Part::Unfilled;
    }
    let is_address = part.starts_with("http://") || part.starts_with("https://");
    let long =
        part.chars().count() > NAME_CHARS_MAX || part.split_whitespace().count() > NAME_WORDS_MAX;
    if is_address || long || part.contains(": ") || part.ends_with(':') || is_sentence(part) {
        return Part::Prose;
    }
    Part::Name(part.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Strips emphasis, code marks and quotes around a text, and what decorates its ends.
fn stripped(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let inner = ["**", "__", "`", "\"", "'", "“”", "~~", "*"].iter().find_map(|marks| {
            let close = if *marks == "“”" { "”" } else { marks };
            let open = if *marks == "“”" { "“" } else { marks };
            text.strip_prefix(open)?.strip_suffix(close)
        });
        // An emoji before a name is decoration.
        let inner = inner.or_else(|| {
            let plain = text.trim_start_matches(|c: char| {
                !c.is_ascii() && !c.is_alphanumeric() && !"“…".contains(c)
            });
            (plain.len() < text.len() && !plain.is_empty()).then_some(plain)
        });
        let inner = inner.map(str::trim);
        match inner {
            Some(inner) if inner.len() < text.len() => text = inner,
            Some(_) | None => return text,
        }
    }
}

/// Strips the mark of a label, user or channel: `~"service::webshop"`, `@acme/web`, `#web`.
fn unmarked<'a>(text: &'a str, key: &str) -> &'a str {
    if let Some(label) = text.strip_prefix('~').filter(|label| !label.starts_with('~')) {
        let label = stripped(label);
        return match label.rsplit_once("::") {
            Some((scope, value)) if scope.eq_ignore_ascii_case(key) => value.trim(),
            Some(_) | None => label,
        };
    }
    text.trim_start_matches(['@', '#'])
}

/// Cuts a remark in parentheses behind a name: `webshop (all regions)`.
fn without_remark(text: &str) -> &str {
    match text.strip_suffix(')').and_then(|inner| inner.rfind('(')) {
        Some(open) if open > 0 && text[..open].ends_with(char::is_whitespace) => {
            text[..open].trim_end()
        }
        Some(_) | None => text,
    }
}

/// Says whether a text is a sentence, or a part of one.
fn is_sentence(text: &str) -> bool {
    let words: Vec<String> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase())
        .collect();
    // Whole words as written: neither `Plan A` nor "`a`, `b`" holds the article.
    let says =
        words.len() >= 3 && text.split_whitespace().any(|word| SENTENCE_WORDS.contains(&word));
    let asks = text.ends_with('?') && words.len() >= 2;
    let first = words.first().is_some_and(|w| {
        words.len() >= 2
            && ["please", "which", "that", "because", "describe", "see"].contains(&w.as_str())
    });
    says || asks || first || (words.len() > 3 && text.contains(". "))
}

#[cfg(test)]
mod tests;
