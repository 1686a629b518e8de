//! What is wrong with a CODEOWNERS file, in GitLab's own words.
//!
//! Only what the text shows is told; codes that need members and groups are the instance's.

use std::fmt;

/// A complaint about one line. A line has at most one of each code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub code: ProblemCode,
}

/// GitLab's error codes that can be told without an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemCode {
    /// An entry without owners below a heading without defaults.
    MissingEntryOwner,
    /// A word on an entry line that names nobody.
    MalformedEntryOwner,
    /// A heading with nothing between its brackets.
    MissingSectionName,
    /// A heading that is not closed, or text after its readable part.
    InvalidSectionFormat,
    /// A word among the default owners that names nobody.
    InvalidSectionOwnerFormat,
    /// An approval number that is missing, unreadable, or of no use on an optional section.
    InvalidApprovalRequirement,
}

impl ProblemCode {
    /// Returns the code as GitLab spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingEntryOwner => "missing_entry_owner",
            Self::MalformedEntryOwner => "malformed_entry_owner",
            Self::MissingSectionName => "missing_section_name",
            Self::InvalidSectionFormat => "invalid_section_format",
            Self::InvalidSectionOwnerFormat => "invalid_section_owner_format",
            Self::InvalidApprovalRequirement => "invalid_approval_requirement",
        }
    }
}

impl fmt::Display for ProblemCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
