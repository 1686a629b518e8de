//! Finds the owners that a line mentions: names, roles and e-mail addresses.
//!
//! The grammar is GitLab's, with its oddities: `<jane@x.example>` keeps the bracket, and the glued
//! list `@a,@b` mentions the address `a,@b` besides both names, for GitLab finds it too. Nothing
//! here judges whether such an owner exists.

use std::collections::HashSet;

use crate::model::{Owner, OwnerKind};

/// The longest part of an address before its `@`, in characters; GitLab reads no more.
const MAILBOX_MAX: usize = 100;

/// The longest part of an address after its `@`, in characters; GitLab reads no more.
const DOMAIN_MAX: usize = 255;

/// Endings that GitLab refuses in names. Its pattern then backs off to a shorter name that
/// nobody meant (`x.gi`), so such a mention counts as malformed here.
const REFUSED_ENDINGS: [&str; 2] = [".git", ".atom"];

/// Who is mentioned in a text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    /// In the order written, each once, compared without case.
    pub(super) owners: Vec<Owner>,
    /// Whether some word mentions nobody.
    pub(super) has_malformed: bool,
}

impl Mentions {
    /// Reads every word of a text. No mention spans whitespace.
    pub(super) fn read(text: &str) -> Self {
        let mut mentions = Self::default();
        let mut seen = HashSet::new();
        for word in text.split(is_space).filter(|word| !word.is_empty()) {
            let found = read_word(word);
            mentions.has_malformed |= found.is_empty();
            for owner in found {
                if seen.insert((owner.kind, owner.name.to_lowercase())) {
                    mentions.owners.push(owner);
                }
            }
        }
        mentions
    }
}

/// Says whether a character is whitespace to GitLab's patterns: ASCII only, and unlike
/// [`char::is_ascii_whitespace`] with the vertical tab.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t'..='\r')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn read_word(word: &str) -> Vec<Owner> {
    let mut found: Vec<(usize, Owner)> = read_emails(word);
    for (at, _) in word.match_indices('@') {
        if word[..at].ends_with(|c| is_word(c) || c == '@') {
            continue;
        }
        let after = &word[at + 1..];
        let owner = match after.strip_prefix('@') {
            Some(role) => read_role(role)
                .map(|role| Owner { kind: OwnerKind::Role, name: format!("@@{role}") }),
            None => read_path(after)
                .map(|path| Owner { kind: OwnerKind::Name, name: format!("@{path}") }),
        };
        found.extend(owner.map(|owner| (at, owner)));
    }
    found.sort_by_key(|&(at, _)| at);
    found.into_iter().map(|(_, owner)| owner).collect()
}

/// Reads a role, which must fill the rest of its word (H4).
fn read_role(text: &str) -> Option<&'static str> {
    const ROLES: [(&str, &str); 3] =
        [("developer", "developers"), ("maintainer", "maintainers"), ("owner", "owners")];
    ROLES
        .into_iter()
        .find(|(one, many)| text.eq_ignore_ascii_case(one) || text.eq_ignore_ascii_case(many))
        .map(|(one, _)| one)
}

/// Reads the longest path of a user or group at the start of a text (H1).
fn read_path(text: &str) -> Option<&str> {
    let mut end = 0;
    loop {
        let start = if end == 0 { 0 } else { end + 1 };
        let run = leading_name(&text[start..]);
        let name = run.trim_end_matches('.');
        if REFUSED_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            return None;
        }
        if name.is_empty() {
            break;
        }
        end = start + name.len();
        if name.len() < run.len() || !text[end..].starts_with('/') {
            break;
        }
    }
    (end > 0).then(|| &text[..end])
}

/// Returns the characters at the start of a text that a name may hold.
fn leading_name(text: &str) -> &str {
    if text.starts_with('-') {
        return "";
    }
    let end = text.find(|c| !(is_word(c) || matches!(c, '.' | '-'))).unwrap_or(text.len());
    &text[..end]
}

/// Reads the addresses of a word with where each starts (H3).
fn read_emails(word: &str) -> Vec<(usize, Owner)> {
    let mut found = Vec::new();
    let mut start = 0;
    while let Some(at) = word[start..].find('@').map(|at| start + at) {
        let mailbox = &word[start..at];
        let after = &word[at + 1..];
        let domain = &after[..after.find('@').unwrap_or(after.len())];
        let domain = first_chars(domain, DOMAIN_MAX).trim_end_matches(|c| !is_word(c));
        start = at + 1;
        if mailbox.is_empty() || domain.is_empty() {
            continue;
        }
        let mailbox = last_chars(mailbox, MAILBOX_MAX);
        start += domain.len();
        let email = Owner { kind: OwnerKind::Email, name: format!("{mailbox}@{domain}") };
        found.push((at - mailbox.len(), email));
    }
    found
}

fn first_chars(text: &str, count: usize) -> &str {
    let end = text.char_indices().nth(count).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn last_chars(text: &str, count: usize) -> &str {
    let skipped = text.chars().count().saturating_sub(count);
    &text[first_chars(text, skipped).len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mentions = Mentions::read(text);
        mentions.owners.into_iter().map(|owner| owner.name).collect()
    }

    #[test]
    fn mentions_follow_the_grammar() {
        let cases: &[(&str, &[&str])] = &[
            // H1: where a name may start and end
            ("@user @group/sub", &["@user", "@group/sub"]),
            ("@team. @team,", &["@team"]),
            ("@a/b/ @c//d @e/-f @g/. @h./i", &["@a/b", "@c", "@e", "@g", "@h"]),
            ("@- @. @.. @/a @é", &[]),
            ("@.a @a- @_ @9 @a..b", &["@.a", "@a-", "@_", "@9", "@a..b"]),
            ("@x.git @y.atom @a/z.git @q.git. @r.git/s", &[]),
            ("@x.gitx @x.git-", &["@x.gitx", "@x.git-"]),
            ("-@a @@@c x@d", &["-@a", "@a", "x@d"]),
            // H1: once a line, without case, as first written
            ("@Kim @kim @KIM K@X.example k@x.example", &["@Kim", "K@X.example"]),
            // H3: addresses, with the ways in which they go wrong
            ("kim.lee+x@acme.example", &["kim.lee+x@acme.example"]),
            ("<jane@x.example>, jo@x.example.", &["<jane@x.example", "jo@x.example"]),
            ("a@x.example,b@y.example", &["a@x.example,b"]),
            ("@a,@b (@c)", &["@a", "a,@b", "@b", "(@c", "@c"]),
            ("a@ a@. @", &[]),
            ("jürgen@bücher.example", &["jürgen@bücher.example"]),
            // H4: roles
            ("@@developers @@MAINTAINER @@Owner", &["@@developer", "@@maintainer", "@@owner"]),
            ("@@owner @@owners", &["@@owner"]),
            ("@@reporter @@owner, @@ownerss x@@owner @@@owner", &[]),
            ("(@@owner", &["@@owner"]),
            // F1: only ASCII whitespace parts words
            ("@a\u{a0}@b\u{b}@c", &["@a", "a\u{a0}@b", "@b", "@c"]),
        ];
        for (text, expected) in cases {
            assert_eq!(&names(text), expected, "{text}");
        }
    }

    #[test]
    fn long_addresses_are_read_only_as_far_as_gitlab_does() {
        let mailbox = "m".repeat(130);
        let domain = format!("{}-{}", "d".repeat(254), "e".repeat(40));

        let expected = format!("{}@{}", "m".repeat(100), "d".repeat(254));
        assert_eq!(names(&format!("{mailbox}@{domain}")), [expected]);
    }

    #[test]
    fn a_word_without_a_mention_is_malformed() {
        for (text, expected) in [("@a @b", false), ("@a b", true), ("# @a", true), ("", false)] {
            assert_eq!(Mentions::read(text).has_malformed, expected, "{text}");
        }
    }
}
