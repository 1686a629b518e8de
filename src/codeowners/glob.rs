//! Decides whether a pattern covers a path.
//!
//! GitLab rewrites a pattern and hands it to Ruby's `File.fnmatch?` with `FNM_DOTMATCH` and
//! `FNM_PATHNAME`; this is that function for these two flags. No glob crate gives the same
//! answers: they read a `**` at the end as recursive, `{a,b}` as alternatives, and a `**` inside
//! a segment as an error, none of which Ruby does.
//!
//! A pattern is cut into segments once. Both levels, segments in a path and characters in a
//! segment, go back only to the last wildcard passed: what an earlier one could try, the later
//! covers too. So time grows with pattern times path, never exponentially.

use super::mention::is_space;

/// Rewrites a pattern as GitLab does before it matches (F3 to F6). The mark of an exclusion is
/// already cut off. Two patterns with the same result are the same entry.
pub(super) fn rewrite(pattern: &str) -> String {
    if pattern == "*" {
        return "/**/*".to_owned();
    }
    let mut rewritten = String::with_capacity(pattern.len() + 8);
    // Looked at after unescaping, but neither escape can produce or hide a leading slash.
    if !pattern.starts_with('/') {
        rewritten.push_str("/**/");
    }
    let unmarked = match pattern.strip_prefix('\\') {
        Some(rest) if rest.starts_with('#') => rest,
        Some(_) | None => pattern,
    };
    let mut chars = unmarked.chars().peekable();
    while let Some(c) = chars.next() {
        let escapes_space = c == '\\' && chars.next_if(|&next| is_space(next)).is_some();
        rewritten.push(if escapes_space { ' ' } else { c });
    }
    if rewritten.ends_with('/') {
        rewritten.push_str("**/*");
    }
    rewritten
}

/// A path from the repository's root, cut at its slashes once for many patterns.
#[derive(Debug)]
pub(super) struct Path<'a> {
    segments: Vec<&'a str>,
}

impl<'a> Path<'a> {
    /// Cuts a path, with or without its leading slash.
    pub(super) fn new(path: &'a str) -> Self {
        let relative = path.strip_prefix('/').unwrap_or(path);
        Self { segments: relative.split('/').collect() }
    }
}

/// A rewritten pattern, ready to match.
#[derive(Debug, Clone)]
pub(super) enum Glob {
    /// A class is never closed, so no path can match (F10).
    Never,
    /// The segments after the leading slash. Never empty, and the last is no `Directories`.
    Segments(Box<[Segment]>),
}

/// What one path segment must look like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Segment {
    /// `**/`: zero or more whole segments.
    Directories,
    /// `*`: anything.
    Any,
    /// No wildcard at all.
    Literal(Box<str>),
    /// `*` and then no wildcard.
    EndsWith(Box<str>),
    /// Everything else.
    Tokens(Box<[Token]>),
}

/// A piece of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    One,
    Run,
    Class(Class),
}

/// `[a-z]`, `[!a-z]`, `[^a-z]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    negated: bool,
    ranges: Box<[(char, char)]>,
}

impl Glob {
    /// Reads a rewritten pattern.
    pub(super) fn new(rewritten: &str) -> Self {
        let mut rest = rewritten.strip_prefix('/').unwrap_or(rewritten);
        let mut segments = Vec::new();
        loop {
            let named = rest.trim_start_matches("**/");
            if named.len() < rest.len() {
                segments.push(Segment::Directories);
            }
            let Some((tokens, after)) = read_segment(named) else {
                return Self::Never;
            };
            segments.push(Segment::new(tokens));
            match after {
                Some(after) => rest = after,
                None => return Self::Segments(segments.into()),
            }
        }
    }

    /// Says whether the whole path matches.
    pub(super) fn matches(&self, path: &Path<'_>) -> bool {
        let Self::Segments(segments) = self else {
            return false;
        };
        // The last segments always meet, and tell most patterns apart at once.
        let (Some(last), Some(name)) = (segments.last(), path.segments.last()) else {
            return false;
        };
        last.matches(name) && match_segments(segments, &path.segments)
    }
}

fn match_segments(segments: &[Segment], path: &[&str]) -> bool {
    let (mut at, mut seen) = (0, 0);
    // The segment after the last `**/` passed, and how much of the path that one has taken.
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (segments.get(at), path.get(seen)) {
            (None, None) => return true,
            (Some(Segment::Directories), _) => {
                at += 1;
                retry = Some((at, seen));
                continue;
            }
            (Some(segment), Some(name)) if segment.matches(name) => {
                at += 1;
                seen += 1;
                continue;
            }
            (Some(_) | None, _) => {}
        }
        match retry {
            Some((from, taken)) if taken < path.len() => {
                retry = Some((from, taken + 1));
                (at, seen) = (from, taken + 1);
            }
            Some(_) | None => return false,
        }
    }
}

/// Reads up to a slash or the end; returns what follows the slash, if there was one. Returns
/// nothing when a class is never closed.
fn read_segment(text: &str) -> Option<(Vec<Token>, Option<&str>)> {
    let mut tokens = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '/' => return Some((tokens, Some(chars.as_str()))),
            '\\' => match chars.next() {
                Some('/') => return Some((tokens, Some(chars.as_str()))),
                Some(escaped) => tokens.push(Token::Char(escaped)),
                // Ruby drops a backslash that ends the pattern.
                None => {}
            },
            '*' if tokens.last() == Some(&Token::Run) => {}
            '*' => tokens.push(Token::Run),
            '?' => tokens.push(Token::One),
            '[' => {
                let (class, rest) = Class::read(chars.as_str())?;
                tokens.push(Token::Class(class));
                chars = rest.chars();
            }
            c => tokens.push(Token::Char(c)),
        }
    }
    Some((tokens, None))
}

impl Segment {
    /// Picks the cheapest form of a segment.
    fn new(tokens: Vec<Token>) -> Self {
        let literal = |tokens: &[Token]| {
            let chars = tokens.iter().map(|token| match token {
                Token::Char(c) => Some(*c),
                Token::One | Token::Run | Token::Class(_) => None,
            });
            chars.collect::<Option<String>>().map(String::into_boxed_str)
        };
        match &tokens[..] {
            [Token::Run] => return Self::Any,
            [Token::Run, rest @ ..] => {
                if let Some(end) = literal(rest) {
                    return Self::EndsWith(end);
                }
            }
            all => {
                if let Some(name) = literal(all) {
                    return Self::Literal(name);
                }
            }
        }
        Self::Tokens(tokens.into())
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            // Only asked of segments that stand for exactly one name.
            Self::Directories => false,
            Self::Any => true,
            Self::Literal(literal) => **literal == *name,
            Self::EndsWith(end) => name.ends_with(&**end),
            Self::Tokens(tokens) => match_tokens(tokens, name),
        }
    }
}

fn match_tokens(tokens: &[Token], name: &str) -> bool {
    let mut at = 0;
    let mut rest = name.chars();
    // The token after the last `*` passed, and what that one has left of the name.
    let mut retry: Option<(usize, std::str::Chars<'_>)> = None;
    loop {
        let mut after = rest.clone();
        match (tokens.get(at), after.next()) {
            (None, None) => return true,
            (Some(Token::Run), _) => {
                at += 1;
                retry = Some((at, rest.clone()));
                continue;
            }
            (Some(token), Some(c)) if token.matches(c) => {
                at += 1;
                rest = after;
                continue;
            }
            (Some(_) | None, _) => {}
        }
        let Some((from, left)) = &mut retry else {
            return false;
        };
        if left.next().is_none() {
            return false;
        }
        at = *from;
        rest = left.clone();
    }
}

impl Token {
    fn matches(&self, c: char) -> bool {
        match self {
            Self::Char(own) => *own == c,
            Self::One | Self::Run => true,
            Self::Class(class) => class.matches(c),
        }
    }
}

impl Class {
    /// Reads a class behind its `[` and returns what follows its `]`. The first `]` that is not
    /// escaped closes it, even at once; a slash inside is an ordinary member that no path
    /// segment contains. Returns nothing when the class is never closed.
    fn read(text: &str) -> Option<(Self, &str)> {
        let (negated, mut rest) = match text.strip_prefix(['!', '^']) {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut ranges = Vec::new();
        loop {
            if let Some(after) = rest.strip_prefix(']') {
                let ranges = ranges.into();
                return Some((Self { negated, ranges }, after));
            }
            let (first, after) = read_member(rest)?;
            rest = after;
            let mut last = first;
            // A hyphen before the closing bracket is itself a member.
            if let Some(range) = after.strip_prefix('-')
                && !range.starts_with(']')
            {
                (last, rest) = read_member(range)?;
            }
            ranges.push((first, last));
        }
    }

    fn matches(&self, c: char) -> bool {
        // A reversed range still holds its two ends.
        let holds =
            |&(first, last): &(char, char)| c == first || c == last || (first < c && c < last);
        self.ranges.iter().any(holds) != self.negated
    }
}

fn read_member(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    let c = match chars.next()? {
        '\\' => chars.next()?,
        c => c,
    };
    Some((c, chars.as_str()))
}

#[cfg(test)]
mod tests;
