//! The matcher against its rules, and against a slow reading of the same rules.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn covers(pattern: &str, path: &str) -> bool {
    Glob::new(&rewrite(pattern)).matches(&Path::new(path))
}

#[test]
fn patterns_are_rewritten_as_gitlab_does() {
    let cases = [
        ("*", "/**/*"),
        ("**", "/**/**"),
        ("README.md", "/**/README.md"),
        ("/README.md", "/README.md"),
        ("docs/", "/**/docs/**/*"),
        ("/docs/", "/docs/**/*"),
        ("/", "/**/*"),
        ("//", "//**/*"),
        ("docs/*", "/**/docs/*"),
        ("**/x", "/**/**/x"),
        ("", "/**/**/*"),
        (r"\#a", "/**/#a"),
        (r"a\#", r"/**/a\#"),
        (r"\\#a", r"/**/\\#a"),
        (r"a\ b/", "/**/a b/**/*"),
        ("a\\\tb", "/**/a b"),
        (r"a\\ b", r"/**/a\ b"),
        ("\\ a", "/**/ a"),
    ];
    for (pattern, expected) in cases {
        assert_eq!(rewrite(pattern), expected, "{pattern}");
    }
}

#[test]
fn details_of_the_matcher_hold() {
    let cases = [
        // F9: what is and is not recursive
        ("/***/x", "a/x", true),
        ("/***/x", "a/b/x", false),
        ("/**/**/x", "x", true),
        ("/a/**/", "a/b/c", true),
        (r"/**\/x", "a/x", true),
        (r"/**\/x", "a/b/x", false),
        (r"/\**/x", "*/x", true),
        (r"/\**/x", "a/*/x", false),
        // F10: classes
        ("/[]", "]", false),
        ("/[]a]", "a]", false),
        ("/[]a]", "]", false),
        ("/[!]", "x", true),
        ("/[!]", "", false),
        ("/[^]a]", "ba]", true),
        (r"/[\]]", "]", true),
        (r"/[a\-c]", "b", false),
        (r"/[a\-c]", "-", true),
        ("/[a-]", "-", true),
        ("/[-a]", "-", true),
        ("/[a-c-e]", "d", false),
        ("/[a-c-e]", "-", true),
        ("/[c-a]", "c", true),
        ("/[c-a]", "a", true),
        ("/[c-a]", "b", false),
        ("/[a-[]", "[", true),
        ("/x[a/b]y", "xay", true),
        ("/x[a/b]y", "x/y", false),
        ("/x[!a]y", "x/y", false),
        (r"/x[a\]", "xa", false),
        ("/x[a-", "xa", false),
        ("/[а-я]", "ж", true),
        ("/[!é]", "e", true),
        // F10: escapes
        (r"/a\/b", "a/b", true),
        (r"/a\\b", r"a\b", true),
        (r"/a\", "a", true),
        (r"/a\?", "ab", false),
        (r"/a\?", "a?", true),
        (r"/\a", "a", true),
        (r"/*\", "abc", true),
        // F2: characters, as they are
        ("/??", "é1", true),
        ("/e\u{301}", "é", false),
        ("/?", "e\u{301}", false),
        // F8
        ("/a*b*c", "abxbc", true),
        ("/a*b*c", "abxb", false),
        ("/*a*", "bab", true),
        ("/*?b", "b", false),
        ("/*.md", ".md", true),
        // A leading slash in the question changes nothing, a second one does.
        ("/a", "/a", true),
        ("/a", "//a", false),
        ("a", "//a", true),
        ("/a//b", "a//b", true),
        ("/a", "a/", false),
        ("*", "", true),
    ];
    for (pattern, path, expected) in cases {
        assert_eq!(covers(pattern, path), expected, "{pattern} on {path}");
    }
}

#[test]
fn hostile_patterns_take_no_exponential_time() {
    let started = Instant::now();
    let directories = format!("/{}x", "**/a/".repeat(200));
    let deep = "a/".repeat(400);
    assert!(!covers(&directories, &format!("{deep}y")));
    assert!(covers(&directories, &format!("{deep}x")));
    let runs = format!("/{}", "*a".repeat(500));
    assert!(!covers(&runs, &format!("{}b", "a".repeat(2_000))));
    assert!(covers(&runs, &"a".repeat(2_000)));
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// Reads the rules by trying everything, character by character, with no segments.
fn slowly(pattern: &[char], path: &[char], at_start: bool) -> bool {
    if at_start && pattern.starts_with(&['*', '*', '/']) {
        let deeper = |at: usize| path[at] == '/' && slowly(pattern, &path[at + 1..], true);
        return slowly(&pattern[3..], path, true) || (0..path.len()).any(deeper);
    }
    let Some((&first, rest)) = pattern.split_first() else {
        return path.is_empty();
    };
    let name = path.split_first().filter(|(c, _)| **c != '/');
    match first {
        '*' => {
            slowly(rest, path, false) || name.is_some_and(|(_, left)| slowly(pattern, left, false))
        }
        '?' => name.is_some_and(|(_, left)| slowly(rest, left, false)),
        '[' => {
            let Some((&c, left)) = name else { return false };
            match class_slowly(rest, c) {
                Some((true, used)) => slowly(&rest[used..], left, false),
                Some((false, _)) | None => false,
            }
        }
        '\\' if rest.is_empty() => path.is_empty(),
        '\\' => path.first() == Some(&rest[0]) && slowly(&rest[1..], &path[1..], rest[0] == '/'),
        c => path.first() == Some(&c) && slowly(rest, &path[1..], c == '/'),
    }
}

/// Returns whether a class holds a character and how long it is, if it is closed.
fn class_slowly(text: &[char], wanted: char) -> Option<(bool, usize)> {
    let mut at = usize::from(matches!(text.first(), Some('!' | '^')));
    let negated = at == 1;
    let mut held = false;
    while *text.get(at)? != ']' {
        at += usize::from(text[at] == '\\');
        let low = *text.get(at)?;
        at += 1;
        let mut high = low;
        if text.get(at) == Some(&'-') && text.get(at + 1) != Some(&']') {
            at += 1;
            at += usize::from(text.get(at) == Some(&'\\'));
            high = *text.get(at)?;
            at += 1;
        }
        held |= (low..=high).contains(&wanted) || wanted == low || wanted == high;
    }
    Some((held != negated, at + 1))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_matcher_agrees_with_a_slow_reading_of_the_rules(
        pattern in r"[ab*?/\\\[\]!^-]{0,12}|(\*\*/|a|\*|/){1,8}",
        path in r"[ab/!-]{0,9}|a(/[ab]){0,4}",
    ) {
        let rewritten = rewrite(&pattern);
        let chars: Vec<char> = rewritten.chars().collect();
        let slashed: Vec<char> = if path.starts_with('/') {
            path.chars().collect()
        } else {
            format!("/{path}").chars().collect()
        };
        prop_assert_eq!(
            Glob::new(&rewritten).matches(&Path::new(&path)),
            slowly(&chars, &slashed, true),
            "{} on {}", rewritten, path
        );
    }

    #[test]
    fn a_name_without_wildcards_covers_itself(name in r"[a-zA-Z0-9._@é-]{1,12}", above in "[a-z/]{0,8}") {
        let path = format!("{above}/{name}");
        prop_assert!(covers(&name, &path));
    }

    #[test]
    fn no_pattern_panics(pattern in r"\PC{0,40}", path in r"\PC{0,40}") {
        let _ = covers(&pattern, &path);
    }
}
