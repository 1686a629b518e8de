//! Zones: comments, code, link text.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

/// Returns a text with comments as `c`, code blocks as `b`, code within lines as `i`.
fn marked(text: &str) -> String {
    let mut marked = text.as_bytes().to_vec();
    for (range, zone) in zones(text) {
        let mark = match zone {
            Zone::Comment => b'c',
            Zone::Block => b'b',
            Zone::Inline => b'i',
        };
        for byte in marked[range].iter_mut().filter(|byte| **byte != b'\n') {
            *byte = mark;
        }
    }
    String::from_utf8_lossy(&marked).into_owned()
}

#[test]
fn zones_follow_the_rules_of_comments_and_code() {
    let cases = [
        ("plain", "plain"),
        ("a <!-- b --> d", "a cccccccccc d"),
        ("a <!-- b\n\nd --> e", "a cccccc\n\nccccc e"),
        ("a <!-- open", "a ccccccccc"),
        ("<!--> a", "ccccc a"),
        ("a `b` d", "a iii d"),
        ("a ``b ` d`` e", "a iiiiiiiii e"),
        ("a ` b", "a ` b"),
        ("a `b\nd` e", "a ii\nii e"),
        ("a ` b\n\nd ` e", "a ` b\n\nd ` e"),
        ("- a ` b\n- d ` e", "- a ` b\n- d ` e"),
        ("| a ` b |\n| d ` e |", "| a ` b |\n| d ` e |"),
        ("# a ` b\nd ` e", "# a ` b\nd ` e"),
        ("a \\` b ` d", "a \\` b ` d"),
        ("`<!--` a", "iiiiii a"),
        ("<!-- ` --> a ` b", "cccccccccc a ` b"),
        ("```\na\n```\nd", "bbb\nb\nbbb\nd"),
        ("```sh a\na\n```\nd", "bbbbbbb\nb\nbbb\nd"),
        ("~~~\n```\na\n~~~\nd", "bbb\nbbb\nb\nbbb\nd"),
        ("````\n```\na\n````\nd", "bbbb\nbbb\nb\nbbbb\nd"),
        ("```\na", "bbb\nb"),
        ("```\na\n```x\nd", "bbb\nb\nbbbb\nb"),
        ("``` `a\nb", "``` `a\nb"),
        ("a\n```\nb\n```\nd", "a\nbbb\nb\nbbb\nd"),
        ("- a\n  ```\n  b\n  ```\n  d", "- a\nbbbbb\nbbb\nbbbbb\n  d"),
        ("1. a\n\n    ```\n    b\n    ```\n\n    d", "1. a\n\nbbbbbbb\nbbbbb\nbbbbbbb\n\n    d"),
        ("> ```\n> a\n> ```\n> d", "bbbbb\nbbb\nbbbbb\n> d"),
        ("> ```\n> a\nd", "bbbbb\nbbb\nd"),
        ("a\n\n    b\n\n    d\ne", "a\n\nbbbbb\n\nbbbbb\ne"),
        ("a\n\n\tb\n", "a\n\nbb\n"),
        ("    a\nb", "bbbbb\nb"),
        ("a\n    b", "a\n    b"),
        ("- a\n\n    b", "- a\n\n    b"),
        ("- a\n\ntext\n\n    b", "- a\n\ntext\n\nbbbbb"),
        ("a\r\n\r\n    b\r\n", "a\r\n\r\nbbbbbb\n"),
        ("```\n<!-- a\n```\nb", "bbb\nbbbbbb\nbbb\nb"),
        ("<!--\n```\n-->\na", "cccc\nccc\nccc\na"),
        ("a <pre>b</pre> d", "a bbbbbbbbbbbb d"),
        ("<PRE>\n\nb\n</PRE>\nd", "bbbbb\n\nb\nbbbbbb\nd"),
        ("a <code>b</code> <code>d", "a iiiiiiiiiiiiii <code>d"),
        ("<precious> <codec>", "<precious> <codec>"),
        ("***\n\n    a", "***\n\nbbbbb"),
    ];
    for (text, expected) in cases {
        assert_eq!(marked(text), expected, "{text:?}");
    }
}

#[test]
fn texts_of_links_are_found() {
    let cases: [(&str, &[&str]); 10] = [
        ("[a](b)", &["a"]),
        ("![a](b) [d](e)", &["a", "d"]),
        ("[![a](b)](d)", &["a", "![a](b)"]),
        ("[[a] b](c)", &["[a] b"]),
        ("[a] (b) [a][b]", &[]),
        ("[a](b", &[]),
        ("\\[a](b)", &[]),
        ("[a\n\nb](c)", &[]),
        ("<a href=\"x\">b</a>", &["b"]),
        ("<abbr>b</abbr> <a href", &[]),
    ];
    for (text, expected) in cases {
        let found: Vec<_> =
            link_texts(text.as_bytes()).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected, "{text:?}");
    }
}

/// Texts that make careless scanners take quadratic time.
fn hostile(length: usize) -> Vec<String> {
    let units = [
        "`",
        "` ",
        "`` ` ",
        "<!--",
        "<!---->",
        "<!-- ` -->`",
        "[",
        "](",
        "[](",
        "[a](b",
        "<pre>",
        "<code>",
        "<code></pre>",
        "<a ",
        "<a >",
        "> ",
        "- ",
        "\\",
        "(",
        ")",
        "~~~\n",
        "```a`\n",
        "\n    a\n",
        "- - - ",
        "|",
        "1. ",
        "a ` b\n",
    ];
    let mut texts: Vec<_> = units.iter().map(|unit| unit.repeat(length / unit.len())).collect();
    let mut ticks = String::new();
    let mut count = 1;
    while ticks.len() < length {
        let _ = write!(ticks, "{} ", "`".repeat(count));
        count += 1;
    }
    texts.push(ticks);
    texts
}

#[test]
fn hostile_texts_take_linear_time() {
    for text in hostile(400_000) {
        // Quadratic work on such a text takes minutes, and the runner ends it.
        let zones = zones(&text);
        assert!(link_texts(text.as_bytes()).len() <= text.len());
        drop(zones);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn zones_are_ordered_and_end_at_characters(text in "(?s)[`<>!\\-~\\[\\]()\\\\#|* \t\nécodepr/]{0,120}") {
        let mut end = 0;
        for (range, _) in zones(&text) {
            prop_assert!(range.start >= end && range.end > range.start);
            prop_assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
            end = range.end;
        }
        prop_assert!(end <= text.len());
        prop_assert_eq!(prose(&text, false).len(), text.len());
        for range in link_texts(text.as_bytes()) {
            prop_assert!(text.get(range).is_some());
        }
    }
}
