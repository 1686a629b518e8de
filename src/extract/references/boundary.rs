//! What may stand beside an identifier in prose.
//!
//! The pattern language has no look-around, so an identifier is matched first and its neighbours
//! are tested here. "Letter" is meant as Unicode means it: `ÉENG-7` is no key. Languages written
//! without spaces lose a key that touches a word; GitLab's own pattern loses it, too.

/// Which characters may not stand on the left of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// For keys and numbers.
    Key,
    /// For GitLab's short references: as for keys, and no other mark of a reference.
    Reference,
    /// For names of cloud resources, which also stand behind `=` and `&` in code.
    Name,
    /// For branch names: letters and digits only.
    Branch,
    /// Everything may stand there.
    Any,
}

/// Which characters may not stand on the right of a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Right {
    /// A key must not run on: into a word, a longer number, a version, a percent escape.
    Key,
    /// As for keys, and no slash either.
    Object,
    /// For branch names: letters and digits only.
    Branch,
    /// Everything may stand there.
    Any,
}

impl Left {
    /// Says whether a match may start at this offset.
    pub(super) fn allows(self, text: &str, start: usize) -> bool {
        let Some(before) = text.get(..start) else { return false };
        let neighbour = match self {
            Self::Any => return true,
            Self::Branch => before.chars().next_back(),
            // A run of underscores is emphasis; what counts stands before it.
            Self::Key | Self::Reference | Self::Name => {
                before.trim_end_matches('_').chars().next_back()
            }
        };
        let Some(neighbour) = neighbour else { return true };
        let refused = match self {
            Self::Key => "/\\@&$=%+-.?",
            Self::Reference => "/\\@#&!^$=%+-.?",
            Self::Name => "/\\@-.%",
            Self::Branch | Self::Any => "",
        };
        !neighbour.is_alphanumeric() && !refused.contains(neighbour)
    }
}

impl Right {
    /// Says whether a match may end at this offset.
    pub(super) fn allows(self, text: &str, end: usize) -> bool {
        let Some(after) = text.get(end..) else { return false };
        let mut next = after.chars();
        let first = next.next();
        match self {
            Self::Any => true,
            Self::Branch => !first.is_some_and(char::is_alphanumeric),
            Self::Object if first == Some('/') => false,
            Self::Key | Self::Object => match first {
                Some(c) if c.is_alphanumeric() => false,
                Some('-') => !next.next().is_some_and(char::is_alphanumeric),
                Some('.') => !next.next().is_some_and(|c| c.is_ascii_digit()),
                Some('%') => {
                    let digits = next.take(2).filter(char::is_ascii_hexdigit).count();
                    digits < 2
                }
                Some('_') => {
                    let behind = after.trim_start_matches('_').chars().next();
                    !behind.is_some_and(char::is_alphanumeric)
                }
                None | Some(_) => true,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn left_neighbours_are_tested_per_kind_of_match() {
        let cases = [
            ("", true, true, true),
            (" ", true, true, true),
            ("(", true, true, true),
            ("é", false, false, false),
            ("7", false, false, false),
            ("/", false, false, false),
            ("#", true, false, true),
            ("!", true, false, true),
            ("^", true, false, true),
            ("=", false, false, true),
            ("&", false, false, true),
            ("\\", false, false, false),
            ("a__", false, false, false),
            (" __", true, true, true),
            ("🔥", true, true, true),
            ("–", true, true, true),
        ];
        for (before, key, reference, name) in cases {
            let text = format!("{before}X");
            let start = before.len();
            assert_eq!(Left::Key.allows(&text, start), key, "key after {before:?}");
            assert_eq!(Left::Reference.allows(&text, start), reference, "reference {before:?}");
            assert_eq!(Left::Name.allows(&text, start), name, "name after {before:?}");
        }
    }

    #[test]
    fn right_neighbours_are_tested() {
        let cases = [
            ("", true),
            (" a", true),
            (".", true),
            (". Then", true),
            (".5", false),
            (".5x", false),
            ("-", true),
            ("- b", true),
            ("-b", false),
            ("-5", false),
            ("%20", false),
            ("% of", true),
            ("%2", true),
            ("_", true),
            ("__ b", true),
            ("_b", false),
            ("é", false),
            ("、", true),
            ("+s", true),
            ("/", true),
        ];
        for (after, allowed) in cases {
            let text = format!("X{after}");
            assert_eq!(Right::Key.allows(&text, 1), allowed, "before {after:?}");
        }
        assert!(!Right::Object.allows("X/", 1));
        assert!(Right::Branch.allows("X_y", 1) && !Right::Branch.allows("Xy", 1));
    }

    #[test]
    fn offset_within_a_character_is_no_place_for_a_match() {
        assert!(!Left::Key.allows("é", 1) && !Right::Key.allows("é", 1));
    }
}
