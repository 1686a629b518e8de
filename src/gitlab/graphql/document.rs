//! The documents that are sent, and nothing else is.
//!
//! Each is made of one operation and the fragments that it uses. GitLab takes at most 10,000
//! characters of a document, variables not counted; a test holds all of them far below.

use super::standing::Kind;

/// A document with one operation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Document {
    /// The name of its operation.
    pub(super) name: &'static str,
    /// What its page size and its failures are remembered by.
    pub(super) kind: Kind,
    text: &'static str,
}

macro_rules! document {
    ($name:ident, $kind:expr, $($file:literal),+) => {
        Document {
            name: stringify!($name),
            kind: $kind,
            text: concat!($(include_str!(concat!("queries/", $file, ".graphql"))),+),
        }
    };
}

/// Files of projects.
pub(super) const PROJECT_FILES: Document = document!(project_files, Kind::Files, "project_files");

/// What hangs on projects.
pub(super) const PROJECT_DETAILS: Document =
    document!(project_details, Kind::Details, "project_details");
/// Counts of items of projects.
pub(super) const PROJECT_COUNTS: Document =
    document!(project_counts, Kind::Counts, "project_counts");

/// Counts of what a group holds.
pub(super) const GROUP_COUNTS: Document =
    document!(group_counts, Kind::GroupCounts, "group_counts");

/// Issues of a group with its subgroups.
pub(super) const GROUP_ISSUES: Document = document!(
    group_issues,
    Kind::LinkedIssues,
    "group_issues",
    "issue_row",
    "issue_links",
    "note_page"
);

/// The same, without links.
pub(super) const GROUP_ISSUES_ALONE: Document = document!(
    group_issues,
    Kind::Issues,
    "group_issues",
    "issue_row",
    "issue_no_links",
    "note_page"
);

/// Issues of a project.
pub(super) const PROJECT_ISSUES: Document = document!(
    project_issues,
    Kind::LinkedIssues,
    "project_issues",
    "issue_row",
    "issue_links",
    "note_page"
);

/// The same, without links.
pub(super) const PROJECT_ISSUES_ALONE: Document = document!(
    project_issues,
    Kind::Issues,
    "project_issues",
    "issue_row",
    "issue_no_links",
    "note_page"
);

/// Merge requests of a group with its subgroups.
pub(super) const GROUP_MERGE_REQUESTS: Document = document!(
    group_merge_requests,
    Kind::MergeRequests,
    "group_merge_requests",
    "merge_request_row",
    "note_page"
);

/// Merge requests of a project.
pub(super) const PROJECT_MERGE_REQUESTS: Document = document!(
    project_merge_requests,
    Kind::MergeRequests,
    "project_merge_requests",
    "merge_request_row",
    "note_page"
);

/// Comments on an issue.
pub(super) const ISSUE_NOTES: Document =
    document!(issue_notes, Kind::Notes, "issue_notes", "note_page");

/// Comments on a merge request.
pub(super) const MERGE_REQUEST_NOTES: Document =
    document!(merge_request_notes, Kind::Notes, "merge_request_notes", "note_page");

/// Version, user and limit.
pub(super) const INSTANCE: Document = document!(instance, Kind::Instance, "instance");

impl Document {
    /// Returns the text without comments and needless blanks. No document holds a literal text, in
    /// which blanks or `#` would mean something.
    pub(super) fn text(&self) -> String {
        let lines = self.text.lines().map(|line| line.split('#').next().unwrap_or_default());
        let words: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
        words.join(" ")
    }

    /// Returns the text as it stands in its files.
    #[cfg(test)]
    pub(super) fn source(&self) -> &'static str {
        self.text
    }
}

/// All documents.
#[cfg(test)]
pub(super) const ALL: [Document; 13] = [
    PROJECT_DETAILS,
    PROJECT_FILES,
    PROJECT_COUNTS,
    GROUP_COUNTS,
    GROUP_ISSUES,
    GROUP_ISSUES_ALONE,
    PROJECT_ISSUES,
    PROJECT_ISSUES_ALONE,
    GROUP_MERGE_REQUESTS,
    PROJECT_MERGE_REQUESTS,
    ISSUE_NOTES,
    MERGE_REQUEST_NOTES,
    INSTANCE,
];
