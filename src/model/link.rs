//! Links: how one item stands to another, as GitLab keeps it or as its texts say.
//!
//! One direction of a link is kept; the other is asked through an index. Reading links from texts
//! is [`crate::correlate::links`]'s.

use super::{Iid, ItemId, ItemKind, ProjectId};

/// How an item stands to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// A merge request that closes an issue when it is merged, or has closed it.
    Closes,
    /// Related, in no direction that GitLab knows.
    RelatesTo,
    /// It blocks the other.
    Blocks,
    /// It waits for the other.
    IsBlockedBy,
    /// Its texts name the other.
    Mentions,
    /// It was moved to another project and lives on as the other.
    MovedTo,
    /// It was closed because the other says the same.
    DuplicateOf,
}

/// The item at the far end of a link, which the index may not know yet.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkTarget {
    /// Known by GitLab's id, which survives renames and transfers.
    Id {
        /// The kind, for issues and merge requests count apart.
        kind: ItemKind,
        /// The id within the kind.
        id: ItemId,
    },
    /// Known by its project's id and its number.
    Number {
        /// The project.
        project: ProjectId,
        /// The kind.
        kind: ItemKind,
        /// The number within the project.
        iid: Iid,
    },
    /// Known by where it is said to be. The path may be a former one.
    Place {
        /// Full path of the project, as written.
        project: String,
        /// The kind, from the mark between path and number.
        kind: ItemKind,
        /// The number within the project.
        iid: Iid,
    },
}

/// A link from one item to another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// How the one stands to the other.
    pub kind: LinkKind,
    /// The other.
    pub to: LinkTarget,
}

/// What GitLab's own fields say of an item's links.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownLinks {
    /// The links. Where it was moved to and of what it is a duplicate is always shown.
    pub links: Vec<Link>,
    /// True when all that it relates to, blocks or waits for is among them.
    pub relations: bool,
}

impl ShownLinks {
    /// Tells whether all relations are shown, or nothing where none is: REST shows none of any.
    pub fn all_relations(&self) -> Option<bool> {
        let some = self.links.iter().any(|link| link.kind.is_relation());
        (self.relations || some).then_some(self.relations)
    }
}

impl LinkKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Closes,
        Self::RelatesTo,
        Self::Blocks,
        Self::IsBlockedBy,
        Self::Mentions,
        Self::MovedTo,
        Self::DuplicateOf,
    ];

    /// True for what GitLab calls a linked item, of which a pair of items has one at most.
    pub const fn is_relation(self) -> bool {
        match self {
            Self::RelatesTo | Self::Blocks | Self::IsBlockedBy => true,
            Self::Closes | Self::Mentions | Self::MovedTo | Self::DuplicateOf => false,
        }
    }

    /// Reads a word that [`LinkKind::as_str`] wrote.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Returns the word used in JSON, SQL and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closes => "closes",
            Self::RelatesTo => "relates_to",
            Self::Blocks => "blocks",
            Self::IsBlockedBy => "is_blocked_by",
            Self::Mentions => "mentions",
            Self::MovedTo => "moved_to",
            Self::DuplicateOf => "duplicate_of",
        }
    }
}

impl LinkTarget {
    /// Reads `shop/web#12` or `shop/web!12`. Returns nothing when it is neither.
    pub fn parse_place(text: &str) -> Option<Self> {
        let at = text.rfind(['#', '!'])?;
        let (project, rest) = text.split_at(at);
        let kind = [ItemKind::Issue, ItemKind::MergeRequest]
            .into_iter()
            .find(|kind| rest.starts_with(kind.sigil()))?;
        let number = rest.get(1..)?;
        let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let iid = number.parse().ok().filter(|iid| digits && *iid > 0)?;
        (!project.is_empty()).then(|| Self::Place {
            project: project.to_owned(),
            kind,
            iid: Iid::new(iid),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn place_is_a_path_a_mark_and_a_number() {
        let place = |project: &str, kind, iid| {
            Some(LinkTarget::Place { project: project.to_owned(), kind, iid: Iid::new(iid) })
        };
        let cases = [
            ("shop/web#12", place("shop/web", ItemKind::Issue, 12)),
            ("a/b/c!3", place("a/b/c", ItemKind::MergeRequest, 3)),
            ("#12", None),
            ("shop/web#", None),
            ("shop/web#0", None),
            ("shop/web#+1", None),
            ("shop/web#99999999999999999999", None),
            ("shop/web&3", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(LinkTarget::parse_place(text), expected, "{text}");
        }
    }
}
