//! Whole files against the rules, the shared cases, real files, and another reader's opinion.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::model::OwnerKind;

/// Reads a file that stands beside the checkout where the project is built.
fn read_shared(path: &str) -> Option<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/");
    let text = std::fs::read_to_string(format!("{root}{path}")).ok();
    if text.is_none() {
        eprintln!("skipped: ../shared is not beside this checkout");
    }
    text
}

fn read_shared_json(path: &str) -> Option<Value> {
    read_shared(path).map(|text| serde_json::from_str(&text).expect("the cases are JSON"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().expect("the cases hold a list there")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().expect("the cases hold a text there")
}

fn names(owners: &[Owner]) -> BTreeSet<&str> {
    owners.iter().map(|owner| owner.name.as_str()).collect()
}

/// Writes an answer in one line: `section^ 2: pattern @owner @owner; …`.
fn answer(file: &str, path: &str) -> String {
    let file = CodeOwners::parse(file);
    let mut out = String::new();
    for (index, found) in file.owners_of(path).iter().enumerate() {
        let separator = if index == 0 { "" } else { "; " };
        let mark = if found.optional { "^" } else { "" };
        write!(out, "{separator}{}{mark} {}: {}", found.section, found.approvals, found.pattern)
            .expect("writing to a string succeeds");
        for owner in found.owners {
            out.push(' ');
            out.push_str(&owner.name);
        }
    }
    out
}

#[test]
fn shared_pattern_cases_hold() {
    let Some(cases) = read_shared_json("reference/codeowners-cases.json") else {
        return;
    };
    let cases = list(&cases, "patterns");
    assert!(cases.len() >= 191);
    for case in cases {
        let (pattern, path) = (text(case, "pattern"), text(case, "path"));
        let file = CodeOwners::parse(&format!("{pattern} @x\n"));
        let matched = !file.owners_of(path).is_empty();
        assert_eq!(case["matches"], matched, "{pattern} on {path}: {}", case["why"]);
    }
}

#[test]
fn shared_file_cases_hold() {
    let Some(cases) = read_shared_json("reference/codeowners-cases.json") else {
        return;
    };
    let cases = list(&cases, "files");
    assert!(cases.len() >= 48);
    for case in cases {
        let file = CodeOwners::parse(text(case, "text"));
        for query in list(case, "queries") {
            let found = file.owners_of(text(query, "path"));
            let expected = list(query, "sections");
            assert_eq!(found.len(), expected.len(), "{case}");
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found.section, text(expected, "section"), "{case}");
                assert_eq!(expected["optional"], found.optional, "{case}");
                assert_eq!(expected["approvals"], found.approvals, "{case}");
                let owners = list(expected, "owners")
                    .iter()
                    .map(|name| name.as_str().expect("the cases name owners by text"));
                assert_eq!(names(found.owners), owners.collect(), "{case}");
            }
        }
    }
}

/// Where another reader's opinion differs from GitLab's rules, and by which of them.
const DISSENT: [(&str, &[&str], &str); 5] = [
    (
        "gitlabMergeSectionsProblems",
        &["docs/api/graphql/index.md", "/something/README.md", "README.md", "MatchWildCard.txt"],
        "G6: spaces inside the brackets are part of the name, so these are two sections",
    ),
    (
        "gitlabMergeSectionsNoProblems",
        &["MatchWildCard.txt"],
        "G5: defaults belong to the heading line above, not to the joined section",
    ),
    ("gitlabMergeSectionsOptionalMix", &["MatchWildCard.txt"], "G5: as above"),
    (
        "gitlabRoles",
        &[
            "docs/api/graphql/index.md",
            "/something/README.md",
            "/model/db/README.md",
            "/config/db/database-setup.md",
        ],
        "H4: there is no role `optionalsection`",
    ),
    (
        "testSubDirectoriesCase",
        &["/dir2//bar.txt", "/dir3///bar.txt", "/dir3/a//bar.txt", "/dir3//b/bar.txt"],
        "F8: `*` matches an empty segment too, though no repository has one",
    ),
];

#[test]
fn another_reader_agrees_but_for_the_listed_rules() {
    let Some(cases) = read_shared_json("gitlab/codeowners/conformance_nielsbasjes.json") else {
        return;
    };
    let mut differences = Vec::new();
    for case in cases.as_array().expect("the cases are a list") {
        let file = CodeOwners::parse(text(case, "codeowners"));
        for query in list(case, "expect") {
            let path = text(query, "path");
            let found = file.owners_of(path);
            let ours: BTreeSet<&str> = found.iter().flat_map(|of| names(of.owners)).collect();
            let theirs = list(query, "owners")
                .iter()
                .map(|name| name.as_str().expect("the cases name owners by text"));
            if ours != theirs.collect() {
                let name = text(case, "name");
                differences.push((name.rsplit('.').next().unwrap_or(name), path));
            }
        }
    }
    let listed: Vec<(&str, &str)> = DISSENT
        .iter()
        .flat_map(|&(name, paths, _)| paths.iter().map(move |&path| (name, path)))
        .collect();
    assert_eq!(differences, listed);
}

#[test]
fn real_files_answer_as_their_authors_meant() {
    let cases = [
        (
            "gitlabhq__omnibus-gitlab",
            "doc/install/a.md",
            "Documentation Directories^ 0: /doc/ @axil @eread",
        ),
        (
            "gitlabhq__omnibus-gitlab",
            "files/gitlab-cookbooks/registry/a.rb",
            "codeowners 0: * @gitlab-org/maintainers/distribution-build \
             @gitlab-org/maintainers/distribution-package-configuration @gitlab-org/delivery \
             @gitlab-org/tw-leadership; \
             Distribution Cookbooks 0: /files/ \
             @gitlab-org/maintainers/distribution-package-configuration; \
             Container Registry^ 0: /files/gitlab-cookbooks/registry/ \
             @gitlab-org/maintainers/container-registry",
        ),
        (
            "hyperter96__gitlab-operator",
            "doc/a/b.png",
            "codeowners 0: /doc/**/*.png; Documentation Directories^ 0: /doc/ @gl-docsteam",
        ),
    ];
    for (name, path, expected) in cases {
        let Some(file) = read_shared(&format!("gitlab/codeowners/{name}.CODEOWNERS")) else {
            return;
        };
        assert_eq!(answer(&file, path), expected, "{name}");
    }
}

#[test]
fn sections_and_entries_combine_by_the_rules() {
    // file, path, answer
    let cases = [
        // F1: lines
        ("* @a\r\n# *.x @b\r\n  *.y @c  \r\n", "q.y", "codeowners 0: *.y @c"),
        ("*.a @a\r*.b @b", "x.b", ""),
        ("\u{a0}\n* @a", "x", "codeowners 0: * @a"),
        ("\u{b}*\u{b}@a\u{c}", "x", "codeowners 0: * @a"),
        // F3: where the pattern ends
        ("a\u{a0}b @x", "a\u{a0}b", "codeowners 0: a\u{a0}b @x"),
        ("a\\\tb @x", "a b", "codeowners 0: a\\\tb @x"),
        ("a\\  @x", "a ", "codeowners 0: a\\  @x"),
        ("\\[a] @x", "[a]", "codeowners 0: \\[a] @x"),
        ("\\*.md @x", "*.md", "codeowners 0: \\*.md @x"),
        // G3: a repeated pattern takes the later position
        ("*.rb @a\n/x.rb @b\n*.rb @c", "x.rb", "codeowners 0: *.rb @c"),
        ("x/ @a\nx/**/* @b", "x/y", "codeowners 0: x/**/* @b"),
        ("[A]\n* @a\n[B]\n* @b", "x", "A 0: * @a; B 0: * @b"),
        ("!*.rb\n*.rb @a", "x.rb", "codeowners 0: *.rb @a"),
        ("* @a\n!*", "x.rb", ""),
        // G5 and G7: what the heading line above hands down
        ("[A][2] @a\nx\n[B] @b\n[a][3]\nx", "x", "A 3: x"),
        ("[A] @a @b\nx @c", "x", "A 0: x @c"),
        ("[A] @a\n[A]\nx", "x", "A 0: x"),
        ("[A][0]\nx @a", "x", "A 0: x @a"),
        ("[A][1 0]@a\nx", "x", "A 1: x @a"),
        // G6: names
        ("* @a\n[B]\nb @b\n[codeowners]\nx @x", "x", "codeowners 0: x @x"),
        ("* @a\n[B]\nb @b\n[CodeOwners]\nx @x", "x", "codeowners 0: x @x"),
        ("[codeowners] @d\nx", "x", "codeowners 0: x @d"),
        ("x @a\n[CODEOWNERS]\nx @b", "x", "codeowners 0: x @a; CODEOWNERS 0: x @b"),
        ("[ A]\nx @a\n[A]\nx @b", "x", " A 0: x @a; A 0: x @b"),
        ("[Größe]\nx @a\n[GRÖSSE]\nx @b", "x", "Größe 0: x @b"),
        ("[B]\n[ẞ]\nx @a\n[ß]\nx @b", "x", "ẞ 0: x @b"),
        ("[B]\n[ı]\nx @a\n[I]\nx @b", "x", "ı 0: x @a; I 0: x @b"),
        ("[B]\n[ΟΔΟΣ]\nx @a\n[οδος]\nx @b", "x", "ΟΔΟΣ 0: x @b"),
        ("[B]\nx @b\n[A]\nx @a\ny @a\n[b]\ny @b", "y", "B 0: y @b; A 0: y @a"),
        // G8: optional only if every entry in force is
        ("^[A]\nx @a\n^[a]\ny @b", "x", "A^ 0: x @a"),
        ("^[A]\nx @a\n[A]\n^[A]\ny @b", "x", "A^ 0: x @a"),
        ("[A]\nx @a\n^[A]\nx @b", "x", "A^ 0: x @b"),
        // G10: an unclosed heading opens nothing and owns nothing
        ("[A]\n[B @b\nx @x", "x", "A 0: x @x"),
        ("^[B @b\n[ @c\nx @x", "x", "codeowners 0: x @x"),
        // G11: exclusions
        ("[A] @d\n!x @a\nx", "x", "A 0: x @d"),
        ("[A] @d\nx\n!/x", "x", ""),
        ("![a-c].x\n*.x @x", "a.x", ""),
        ("![a-c].x\n*.x @x", "d.x", "codeowners 0: *.x @x"),
        ("!!x\n* @a", "!x", ""),
        ("!\\#x\n* @a", "#x", ""),
        ("* @a\n! x", "x", ""),
        // H5 to H7: owners that are none
        ("* @a\nx nobody", "x", "codeowners 0: x"),
        ("* @a\nx nobody @b # @c", "x", "codeowners 0: x @b @c"),
        ("[A] @@reporter\nx", "x", "A 0: x"),
    ];
    for (file, path, expected) in cases {
        assert_eq!(answer(file, path), expected, "{file}");
    }
}

#[test]
fn owners_carry_their_kind() {
    let file = CodeOwners::parse("* @a @@Owners k@x.example");
    let kinds: Vec<_> = file.owners_of("x")[0]
        .owners
        .iter()
        .map(|owner| (owner.kind, owner.name.as_str()))
        .collect();
    let expected =
        [(OwnerKind::Name, "@a"), (OwnerKind::Role, "@@owner"), (OwnerKind::Email, "k@x.example")];
    assert_eq!(kinds, expected);
}

#[test]
fn entries_in_force_are_listed_with_their_lines() {
    let file = CodeOwners::parse("# top\n* @a\n\n^[B][2] @b\nx\n!y\n[Empty]\n[b]\nx @c\n");

    let entries: Vec<_> = file
        .entries()
        .map(|entry| (entry.section, entry.line, entry.pattern, entry.exclusion))
        .collect();
    let expected = [("codeowners", 2, "*", false), ("B", 6, "!y", true), ("B", 9, "x", false)];
    assert_eq!(entries, expected);
    let sections: Vec<_> = file
        .sections()
        .map(|section| (section.name, section.optional, section.entry_count))
        .collect();
    assert_eq!(sections, [("codeowners", false, 1), ("B", false, 2)]);
    assert_eq!(file.owners_of("x")[1].line, 9);
}

#[test]
fn problems_name_line_and_code() {
    let text = "x\n\
                [A] @a, @b\n\
                y\n\
                z # note\n\
                [B nowhere\n\
                !q\n\
                [] nobody\n\
                ^[C][2]\n\
                w @x.git\n\
                [D][]@d\n\
                v";
    let problems: Vec<String> = CodeOwners::parse(text)
        .problems()
        .iter()
        .map(|problem| format!("{} {}", problem.line, problem.code))
        .collect();
    let expected = [
        "1 missing_entry_owner",
        "2 invalid_section_format",
        "4 malformed_entry_owner",
        "5 invalid_section_format",
        "7 missing_section_name",
        "7 invalid_section_owner_format",
        "8 invalid_approval_requirement",
        "9 malformed_entry_owner",
        "10 invalid_approval_requirement",
    ];
    assert_eq!(problems, expected);
}

#[test]
fn bytes_are_read_as_gitlab_reads_them() {
    let owners = |bytes: &[u8]| {
        let file = CodeOwners::parse_bytes(bytes);
        let names: Vec<String> = file
            .entries()
            .flat_map(|entry| entry.owners.iter().map(|owner| owner.name.clone()))
            .collect();
        names.join(" ")
    };
    assert_eq!(owners(b"* @a"), "@a");
    assert_eq!(owners(b"\xef\xbb\xbf* @a"), "@a");
    assert_eq!(owners(b"* @a\xff @b\xc3"), "@a @b");
    assert_eq!(owners(b"* @a\0"), "");
    assert_eq!(owners(b""), "");

    let marked = CodeOwners::parse_bytes(b"\xef\xbb\xbf[A]\n* @a");
    assert!(marked.starts_with_byte_order_mark());
    assert_eq!(marked.owners_of("x")[0].section, "A");
    assert!(!CodeOwners::parse("* @a").starts_with_byte_order_mark());
}

#[test]
fn large_files_are_read_and_asked_quickly() {
    let mut large = String::from("[A] @a @b\n");
    for number in 0..5_000 {
        writeln!(large, "/services/team-{number}/**/*.[ch]").expect("writing succeeds");
        writeln!(large, "lib/*{number}*/docs/").expect("writing succeeds");
    }
    let started = Instant::now();
    let file = CodeOwners::parse(&large);
    for number in 0..100 {
        let path = format!("services/team-{number}/src/deep/down/main.c");
        assert_eq!(file.owners_of(&path).len(), 1);
    }
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn defaults_are_shared_among_entries() {
    let mut large = String::from("[A]");
    for number in 0..5_000 {
        write!(large, " @owner-{number}").expect("writing succeeds");
    }
    for number in 0..50_000 {
        write!(large, "\n/{number}").expect("writing succeeds");
    }
    let file = CodeOwners::parse(&large);

    let lists: BTreeSet<_> = file.entries().map(|entry| entry.owners.as_ptr()).collect();
    assert_eq!(lists.len(), 1);
}

proptest! {
    #[test]
    fn no_text_panics(text in r"([\[\]^!*@#\\ a-c/\n]|\PC){0,80}", path in r"\PC{0,20}") {
        let file = CodeOwners::parse(&text);
        let _ = file.owners_of(&path);
        let lines = text.split('\n').count();
        prop_assert!(file.entries().all(|entry| (1..=lines).contains(&entry.line)));
        prop_assert!(file.problems().is_sorted_by_key(|problem| problem.line));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = CodeOwners::parse_bytes(&bytes).owners_of("a/b");
    }

    #[test]
    fn the_last_match_wins(
        patterns in proptest::collection::vec("[ab*/]{1,4}", 1..8),
        path in "[ab](/[ab]){0,3}",
    ) {
        let mut text = String::new();
        for (index, pattern) in patterns.iter().enumerate() {
            writeln!(text, "{pattern} @o{index}").expect("writing succeeds");
        }
        let last = patterns.iter().rposition(|pattern| {
            !CodeOwners::parse(&format!("{pattern} @x")).owners_of(&path).is_empty()
        });
        let file = CodeOwners::parse(&text);
        let found = file.owners_of(&path);
        prop_assert_eq!(found.first().map(|found| found.line), last.map(|index| index + 1));
        prop_assert!(found.len() <= 1);
    }
}
