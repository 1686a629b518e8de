//! Reads a section's heading: `^[Name][2] @default/owners` (G9).
//!
//! A heading is read from its first character as far as its grammar goes. What follows is not
//! read, only reported. Default owners are returned as text, for `mention` to read.

use super::mention::is_space;
use super::problem::ProblemCode;

/// What a line turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<'a> {
    /// A heading.
    Heading(Heading<'a>),
    /// The start of a heading whose bracket is never closed; it opens nothing (G10).
    Unclosed,
    /// No heading.
    Other,
}

/// A heading, cut into its parts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heading<'a> {
    /// What stands between the first brackets, spaces included.
    pub(super) name: &'a str,
    /// Whether a caret stands in front.
    pub(super) optional: bool,
    /// The number written, 0 if there is none that can be read.
    pub(super) approvals: u32,
    /// The text of the default owners.
    pub(super) owners: &'a str,
    /// What GitLab would report.
    pub(super) problems: Vec<ProblemCode>,
}

/// Reads a line that was stripped.
pub(super) fn read(line: &str) -> Reading<'_> {
    let (optional, bracketed) = match line.strip_prefix('^') {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let Some(opened) = bracketed.strip_prefix('[') else {
        return Reading::Other;
    };
    let Some((name, rest)) = opened.split_once(']') else {
        return Reading::Unclosed;
    };

    let mut problems = Vec::new();
    if name.trim().is_empty() {
        problems.push(ProblemCode::MissingSectionName);
    }
    let (number, rest) = read_number(rest);
    if !number.is_sound(optional) {
        problems.push(ProblemCode::InvalidApprovalRequirement);
    }
    let end = rest.find(|c| !may_stand_in_owners(c)).unwrap_or(rest.len());
    if end < rest.len() && number != Number::Unreadable {
        problems.push(ProblemCode::InvalidSectionFormat);
    }
    Reading::Heading(Heading {
        name,
        optional,
        approvals: number.written(),
        owners: &rest[..end],
        problems,
    })
}

/// The brackets that may touch the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Number {
    Absent,
    Empty,
    Unreadable,
    Written(u32),
}

impl Number {
    fn written(self) -> u32 {
        match self {
            Self::Absent | Self::Empty | Self::Unreadable => 0,
            Self::Written(number) => number,
        }
    }

    fn is_sound(self, optional: bool) -> bool {
        match self {
            Self::Absent => true,
            Self::Empty | Self::Unreadable => false,
            Self::Written(number) => !optional || number == 0,
        }
    }
}

/// Reads `[n]` and returns what follows it. Brackets that hold anything but digits and
/// whitespace are not consumed, so that the reading of the line ends there.
fn read_number(text: &str) -> (Number, &str) {
    let Some(opened) = text.strip_prefix('[') else {
        return (Number::Absent, text);
    };
    let readable = |inside: &str| inside.chars().all(|c| c.is_ascii_digit() || is_space(c));
    match opened.split_once(']') {
        Some((inside, rest)) if readable(inside) => (number_in(inside), rest),
        Some(_) | None => (Number::Unreadable, text),
    }
}

/// Reads the first run of digits: `1 0` asks for one.
fn number_in(inside: &str) -> Number {
    match inside.split(is_space).find(|digits| !digits.is_empty()) {
        // All digits, so only a number too large fails, and no project has so many approvers.
        Some(digits) => Number::Written(digits.parse().unwrap_or(u32::MAX)),
        None => Number::Empty,
    }
}

fn may_stand_in_owners(c: char) -> bool {
    c.is_ascii_alphanumeric() || is_space(c) || matches!(c, '_' | '.' | '-' | '/' | '@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_cut_into_their_parts() {
        // line, name, optional, number, text of the default owners
        let cases = [
            ("[Ops]", "Ops", false, 0, ""),
            ("^[Ops] @a", "Ops", true, 0, " @a"),
            ("[Ops][2] @a b", "Ops", false, 2, " @a b"),
            ("[Ops][2]@a", "Ops", false, 2, "@a"),
            ("[Ops]@a/b", "Ops", false, 0, "@a/b"),
            ("[Ops][] @a", "Ops", false, 0, " @a"),
            ("[Ops][ ] @a", "Ops", false, 0, " @a"),
            ("[Ops][0] @a", "Ops", false, 0, " @a"),
            ("[Ops][1 0]", "Ops", false, 1, ""),
            ("[Ops][ 07 ]", "Ops", false, 7, ""),
            ("[Ops][99999999999]", "Ops", false, u32::MAX, ""),
            ("[Ops][-1] @a", "Ops", false, 0, ""),
            ("[Ops][two] @a", "Ops", false, 0, ""),
            ("[Ops][2 @a", "Ops", false, 0, ""),
            ("[Ops] [2] @a", "Ops", false, 0, " "),
            ("[Ops][2][3] @a", "Ops", false, 2, ""),
            ("[Ops] @a # @b", "Ops", false, 0, " @a "),
            ("[Ops] @a, @b", "Ops", false, 0, " @a"),
            ("[Ops] k+x@y.example", "Ops", false, 0, " k"),
            ("[]", "", false, 0, ""),
            ("[ Two Words ]", " Two Words ", false, 0, ""),
            ("[a[b] @c", "a[b", false, 0, " @c"),
            ("[a]b] @c", "a", false, 0, "b"),
            ("[ab].py @x", "ab", false, 0, ".py @x"),
        ];
        for (line, name, optional, approvals, owners) in cases {
            let Reading::Heading(heading) = read(line) else {
                panic!("{line} is a heading");
            };
            assert_eq!(
                (heading.name, heading.optional, heading.approvals, heading.owners),
                (name, optional, approvals, owners),
                "{line}"
            );
        }
    }

    #[test]
    fn other_lines_are_no_headings() {
        for line in ["^ [Ops]", "a [Ops]", "![Ops]", "\\[Ops]", "^", "^^[Ops]", ""] {
            assert_eq!(read(line), Reading::Other, "{line}");
        }
        for line in ["[", "^[", "[Ops", "^[Ops @a", "[a[b"] {
            assert_eq!(read(line), Reading::Unclosed, "{line}");
        }
    }

    #[test]
    fn faults_are_told_by_their_codes() {
        use ProblemCode::{InvalidApprovalRequirement, InvalidSectionFormat, MissingSectionName};
        let cases: [(&str, &[ProblemCode]); 12] = [
            ("[Ops][2] @a", &[]),
            ("^[Ops][0] @a", &[]),
            ("[]", &[MissingSectionName]),
            ("[][]", &[MissingSectionName, InvalidApprovalRequirement]),
            ("[Ops][]", &[InvalidApprovalRequirement]),
            ("[Ops][two]", &[InvalidApprovalRequirement]),
            ("[Ops][2", &[InvalidApprovalRequirement]),
            ("^[Ops][2]", &[InvalidApprovalRequirement]),
            ("[Ops] [2]", &[InvalidSectionFormat]),
            ("[Ops] @a # note", &[InvalidSectionFormat]),
            ("[Ops][2][3]", &[InvalidSectionFormat]),
            ("^[Ops][1] @a,", &[InvalidApprovalRequirement, InvalidSectionFormat]),
        ];
        for (line, expected) in cases {
            let Reading::Heading(heading) = read(line) else {
                panic!("{line} is a heading");
            };
            assert_eq!(heading.problems, expected, "{line}");
        }
    }
}
