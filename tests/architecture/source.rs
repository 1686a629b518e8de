//! Reads which paths a Rust source names, as far as the borders between modules need it.
//!
//! A full parser would be one more dependency for a test. This one knows comments, strings and
//! use trees, leaves out what is compiled for tests only, and does not know macros apart.

/// A path that a source names, and the line where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its parts, `crate`, `self` and `super` resolved: `["crate", "model", "Tag"]`.
    pub path: Vec<String>,
    /// Counted from 1.
    pub line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Word(&'a str),
    /// `::`
    Colons,
    Mark(char),
}

/// Words that may stand before a path that begins with `::`.
const KEYWORDS: [&str; 6] = ["use", "as", "dyn", "impl", "in", "return"];

/// A source, cut into pieces, without comments, strings and tests.
pub struct Source<'a> {
    pieces: Vec<(Piece<'a>, usize)>,
}

impl<'a> Source<'a> {
    /// Reads a text.
    pub fn new(text: &'a str) -> Self {
        Self { pieces: without_tests(&cut(text)) }
    }

    /// Returns the line of the first of some words, if any occurs.
    pub fn find_word(&self, words: &[&str]) -> Option<(&'a str, usize)> {
        self.pieces.iter().find_map(|&(piece, line)| match piece {
            Piece::Word(word) if words.contains(&word) => Some((word, line)),
            Piece::Word(_) | Piece::Colons | Piece::Mark(_) => None,
        })
    }

    /// Lists the paths that the source names. `module` is where it stands in the crate.
    pub fn paths(&self, module: &[&str]) -> Vec<Named> {
        let mut found: Vec<Named> = Vec::new();
        let mut at = 0;
        let mut used = false;
        while at < self.pieces.len() {
            match self.piece(at) {
                Some(Piece::Word(word)) if KEYWORDS.contains(&word) => {
                    used = word == "use";
                    at += 1;
                }
                Some(Piece::Word(_)) => {
                    at = self.read_tree(at, &[], module, &mut found);
                    // A lone word is a name of the source's own, unless it is taken in.
                    found.pop_if(|named| named.path.len() == 1 && !used);
                    used = false;
                }
                // `::name` from the root of all crates; the name is read next.
                Some(Piece::Colons | Piece::Mark(_)) | None => at += 1,
            }
        }
        found
    }

    fn piece(&self, at: usize) -> Option<Piece<'a>> {
        self.pieces.get(at).map(|&(piece, _)| piece)
    }

    /// Reads one branch of a use tree, or a path in an expression, and returns where it ends.
    fn read_tree(
        &self,
        start: usize,
        above: &[String],
        module: &[&str],
        found: &mut Vec<Named>,
    ) -> usize {
        let mut path = above.to_vec();
        let mut at = start;
        loop {
            match self.piece(at) {
                Some(Piece::Word(word)) => {
                    step(&mut path, word, module);
                    at += 1;
                }
                Some(Piece::Mark('{')) if at > start || !above.is_empty() => {
                    at += 1;
                    while !matches!(self.piece(at), Some(Piece::Mark('}')) | None) {
                        at = match self.piece(at) {
                            Some(Piece::Mark(',') | Piece::Colons) => at + 1,
                            // What a name is renamed to names nothing.
                            Some(Piece::Word("as")) => at + 2,
                            _ => self.read_tree(at, &path, module, found).max(at + 1),
                        };
                    }
                    return at + 1;
                }
                Some(Piece::Mark('*')) if at > start || !above.is_empty() => {
                    path.push("*".to_owned());
                    at += 1;
                }
                _ => break,
            }
            match (self.piece(at), self.piece(at + 1)) {
                (Some(Piece::Colons), Some(Piece::Word(_) | Piece::Mark('{' | '*'))) => at += 1,
                _ => break,
            }
        }
        let line = self.pieces.get(start).map_or(0, |&(_, line)| line);
        found.push(Named { path, line });
        at
    }
}

/// Adds one part to a path, resolving the keywords that depend on where the source stands.
fn step(path: &mut Vec<String>, word: &str, module: &[&str]) {
    let here = || {
        let mut path = vec!["crate".to_owned()];
        path.extend(module.iter().map(|part| (*part).to_owned()));
        path
    };
    match word {
        "self" if path.is_empty() => *path = here(),
        "self" => {}
        "super" => {
            if path.is_empty() {
                *path = here();
            }
            if path.len() > 1 {
                path.pop();
            }
        }
        word => path.push(word.trim_start_matches("r#").to_owned()),
    }
}

/// Cuts a text into pieces and drops comments, strings and character literals.
fn cut(text: &str) -> Vec<(Piece<'_>, usize)> {
    let mut pieces = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = quoted(rest) {
            length
        } else if c.is_alphabetic() || c == '_' {
            let raw = if rest.starts_with("r#") { 2 } else { 0 };
            let length = raw
                + rest[raw..]
                    .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                    .unwrap_or(rest.len() - raw);
            pieces.push((Piece::Word(&rest[..length]), line));
            length
        } else if rest.starts_with("::") {
            pieces.push((Piece::Colons, line));
            2
        } else {
            if !c.is_whitespace() {
                pieces.push((Piece::Mark(c), line));
            }
            c.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    pieces
}

/// Returns the length of the block comment at the start of a text; they nest.
fn block_comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// Returns the length of the string or character literal at the start of a text.
fn quoted(text: &str) -> Option<usize> {
    let bare = text.trim_start_matches(['b', 'c']);
    let prefix = text.len() - bare.len();
    if prefix > 1 {
        return None;
    }
    if let Some(raw) = bare.strip_prefix('r') {
        let body = raw.trim_start_matches('#');
        let hashes = &raw[..raw.len() - body.len()];
        if let Some(inside) = body.strip_prefix('"') {
            let close = format!("\"{hashes}");
            let end = inside.find(&close).map_or(inside.len(), |at| at + close.len());
            return Some(text.len() - inside.len() + end);
        }
    }
    if bare.starts_with('"') {
        return Some(prefix + closed_by('"', bare));
    }
    let mut chars = bare.strip_prefix('\'')?.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => Some(prefix + closed_by('\'', bare)),
        (Some(c), Some('\'')) => Some(prefix + c.len_utf8() + 2),
        // A lifetime: its mark is dropped, its name is harmless.
        _ => None,
    }
}

/// Returns the length of a literal that a quote opens and the next one closes, unless escaped.
fn closed_by(quote: char, text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote && !escaped {
            return at + 1;
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Drops each item behind `#[cfg(test)]`.
fn without_tests<'a>(pieces: &[(Piece<'a>, usize)]) -> Vec<(Piece<'a>, usize)> {
    const MARK: [Piece<'_>; 7] = [
        Piece::Mark('#'),
        Piece::Mark('['),
        Piece::Word("cfg"),
        Piece::Mark('('),
        Piece::Word("test"),
        Piece::Mark(')'),
        Piece::Mark(']'),
    ];
    let mut kept = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        let here = pieces[at..].iter().map(|&(piece, _)| piece);
        if here.take(MARK.len()).eq(MARK) {
            at = end_of_item(pieces, at + MARK.len());
        } else {
            kept.push(pieces[at]);
            at += 1;
        }
    }
    kept
}

/// Returns where an item ends: behind its `;`, or behind the brace that closes its body.
fn end_of_item(pieces: &[(Piece<'_>, usize)], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, &(piece, _)) in pieces.iter().enumerate().skip(start) {
        match piece {
            Piece::Mark('{' | '(' | '[') => depth += 1,
            Piece::Mark(')' | ']') => depth = depth.saturating_sub(1),
            Piece::Mark('}') => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            Piece::Mark(';') if depth == 0 => return at + 1,
            Piece::Word(_) | Piece::Colons | Piece::Mark(_) => {}
        }
    }
    pieces.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        Source::new(text)
            .paths(&["serve", "v1", "owners"])
            .into_iter()
            .map(|named| named.path.join("::"))
            .collect()
    }

    #[test]
    fn paths_are_found_in_every_form() {
        let cases: &[(&str, &[&str])] = &[
            ("use crate::model::Tag;", &["crate::model::Tag"]),
            ("use crate::model;", &["crate::model"]),
            (
                "use crate::{model::{self, Tag as T}, store, clock::*};",
                &["crate::model", "crate::model::Tag", "crate::store", "crate::clock::*"],
            ),
            ("pub(crate) use crate::r#store::x;", &["crate::store::x"]),
            ("use super::super::super::store::Store;", &["crate::store::Store"]),
            ("use self::part::Part;", &["crate::serve::v1::owners::part::Part"]),
            (
                "fn f() -> crate::store::Row<'static> { ::sqlx::query() }",
                &["crate::store::Row", "sqlx::query"],
            ),
            (
                "let x = <crate::a::B as std::fmt::Display>::fmt;",
                &["crate::a::B", "std::fmt::Display"],
            ),
            ("let x = y::<u8>(crate::a::b::<T>());", &["crate::a::b"]),
            ("#[derive(sqlx::Type)] #[sqlx(transparent)] struct A;", &["sqlx::Type"]),
            ("use sqlx as s; let chrono = rand; use ::tokio;", &["sqlx", "tokio"]),
            ("use crate\n  :: store\n  :: Store;", &["crate::store::Store"]),
        ];
        for (text, expected) in cases {
            assert_eq!(&paths(text), expected, "{text}");
        }
    }

    #[test]
    fn comments_strings_and_tests_name_nothing() {
        let cases = [
            "// use crate::a::B;\n/// See [`crate::a`].\n//! crate::a::b",
            "/* crate::a::b /* crate::a::b */ crate::a::b */",
            r#"let s = "crate::a::b \" crate::a::b";"#,
            r###"let s = r##"crate::a::b "# crate::a::b"##; let t = br"\"; let u = b"x\\";"###,
            "#[cfg(test)]\nmod tests { use crate::a::B; mod c { use crate::d::E; } }",
            "#[cfg(test)]\nuse crate::{a::B, c::D};",
            "#[cfg(test)]\n#[expect(x, reason = \"y\")]\nfn f(a: [u8; 2]) { crate::a::b() }",
        ];
        for text in cases {
            assert_eq!(paths(text), Vec::<String>::new(), "{text}");
        }
        let text = "#[cfg(test)] mod t; fn f<'a>(c: &'a char) -> bool { *c == '\"' && *c != '\\'' }\nuse crate::a::B;";
        assert_eq!(paths(text), ["crate::a::B"]);
    }

    #[test]
    fn lines_are_counted() {
        let source = Source::new("//! a\n\"x\ny\"\n/* \n */ use crate::a::b;\nasync fn f() {}");
        let named = source.paths(&[]);
        let line = |part: &str| {
            let of = named.iter().find(|named| named.path.iter().any(|own| own == part));
            of.map(|named| named.line)
        };
        assert_eq!(line("b"), Some(5));
        assert_eq!(source.find_word(&["await", "async"]), Some(("async", 6)));
    }
}
