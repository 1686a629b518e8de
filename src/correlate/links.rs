//! Links between items, as texts tell them: closing words of descriptions, and what GitLab itself
//! writes below an item when another mentions, closes, moves, relates to or repeats it.
//!
//! This costs no request and works where GraphQL cannot be had. Nothing is looked up: a place may
//! be a former path, and whether something lives there is for the store to find. What GitLab did
//! in fact close is not asked either; a closing word is what its author wrote.

use crate::extract::Mention;
use crate::model::{ItemKind, Link, LinkKind, LinkTarget};

/// From which end a link was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// The item that was read stands so to the other.
    Outward,
    /// The other stands so to the item that was read.
    Inward,
}

/// What a system note tells about a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// There is a link from now on.
    Made,
    /// There is none any more.
    Removed,
}

/// A link as read from a text of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkReading {
    /// The kind, and the item that the text names.
    pub link: Link,
    /// The end from which it was read.
    pub direction: Direction,
    /// Whether the text makes it or takes it away.
    pub change: Change,
}

/// What stands before, and behind, the items that a system note names.
struct Wording {
    before: &'static str,
    after: &'static str,
    kind: LinkKind,
    direction: Direction,
    change: Change,
}

const fn made(before: &'static str, kind: LinkKind, direction: Direction) -> Wording {
    Wording { before, after: "", kind, direction, change: Change::Made }
}

/// GitLab's words, in lower case. The first that fits counts, so what is longer stands first.
/// Older versions began with a capital letter, and said "Reassigned" and the like for the rest.
const WORDINGS: [Wording; 17] = [
    made("mentioned in ", LinkKind::Mentions, Direction::Inward),
    made("closed via merge request ", LinkKind::Closes, Direction::Inward),
    made("moved to ", LinkKind::MovedTo, Direction::Outward),
    made("moved from ", LinkKind::MovedTo, Direction::Inward),
    made("marked this issue as a duplicate of ", LinkKind::DuplicateOf, Direction::Outward),
    made("marked as duplicate of ", LinkKind::DuplicateOf, Direction::Outward),
    made("marked as a duplicate of ", LinkKind::DuplicateOf, Direction::Outward),
    made("marked this issue as related to ", LinkKind::RelatesTo, Direction::Outward),
    made("marked this item as related to ", LinkKind::RelatesTo, Direction::Outward),
    made("marked as related to ", LinkKind::RelatesTo, Direction::Outward),
    made("marked this issue as blocked by ", LinkKind::IsBlockedBy, Direction::Outward),
    made("marked this item as blocked by ", LinkKind::IsBlockedBy, Direction::Outward),
    made("marked this issue as blocking ", LinkKind::Blocks, Direction::Outward),
    made("marked this item as blocking ", LinkKind::Blocks, Direction::Outward),
    Wording {
        before: "marked ",
        after: " as a duplicate of this issue",
        kind: LinkKind::DuplicateOf,
        direction: Direction::Inward,
        change: Change::Made,
    },
    Wording {
        before: "removed the relation with ",
        after: "",
        kind: LinkKind::RelatesTo,
        direction: Direction::Outward,
        change: Change::Removed,
    },
    Wording {
        before: "removed relation with ",
        after: "",
        kind: LinkKind::RelatesTo,
        direction: Direction::Outward,
        change: Change::Removed,
    },
];

/// Reads the links of a description: what it says to close, and what else it names.
///
/// Only merge requests close, by GitLab's rule; the same words in an issue mention. `own` is the
/// item itself, which may name itself without a link.
pub fn of_description(own: &LinkTarget, kind: ItemKind, mentions: &[Mention]) -> Vec<LinkReading> {
    targets(own, mentions)
        .map(|(mention, to)| {
            let closes = match kind {
                ItemKind::MergeRequest => mention.closing,
                ItemKind::Issue => false,
            };
            let kind = if closes { LinkKind::Closes } else { LinkKind::Mentions };
            LinkReading {
                link: Link { kind, to },
                direction: Direction::Outward,
                change: Change::Made,
            }
        })
        .collect()
}

/// Reads the links that a system note tells of. What is not one of GitLab's known wordings tells
/// of none. `mentions` are what [`crate::extract::References`] reads in `body`.
pub fn of_system_note(own: &LinkTarget, body: &str, mentions: &[Mention]) -> Vec<LinkReading> {
    let said = body.trim().to_lowercase();
    let fits =
        |wording: &&Wording| said.starts_with(wording.before) && said.ends_with(wording.after);
    let Some(wording) = WORDINGS.iter().find(fits) else {
        return Vec::new();
    };
    targets(own, mentions)
        .map(|(_, to)| LinkReading {
            link: Link { kind: wording.kind, to },
            direction: wording.direction,
            change: wording.change,
        })
        .collect()
}

/// Returns the items among what a text mentions, but not the one it belongs to.
fn targets<'a>(
    own: &'a LinkTarget,
    mentions: &'a [Mention],
) -> impl Iterator<Item = (&'a Mention, LinkTarget)> {
    let item =
        |kind: &str| matches!(kind, "gitlab_issue" | "gitlab_work_item" | "gitlab_merge_request");
    mentions
        .iter()
        .filter(move |mention| item(&mention.reference.kind))
        .filter_map(|mention| Some((mention, LinkTarget::parse_place(&mention.reference.id)?)))
        .filter(move |(_, to)| to != own)
}

#[cfg(test)]
mod tests;
