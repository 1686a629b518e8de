//! What GitLab writes down beside an item when it changes: its resource events.
//!
//! Labels that came and went, states, and milestones have no notes on GitLab but rows of their own,
//! which the REST interface lists. They are kept with the item, so that they come, move and go with
//! it. An item that nobody changed keeps none, which costs eight bytes.

use jiff::Timestamp;

use super::id::{LabelId, MilestoneId, UserId};

/// The resource events of an item, oldest first.
#[derive(Debug, Clone, Default)]
#[expect(clippy::box_collection, reason = "a million items keep none, in eight bytes each")]
pub struct History(Option<Box<Vec<ResourceEvent>>>);

impl History {
    /// Lists the events, oldest first.
    pub fn events(&self) -> &[ResourceEvent] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }

    /// Adds an event.
    pub(super) fn add(&mut self, event: ResourceEvent) {
        self.0.get_or_insert_default().push(event);
    }

    /// Gives the events of a copy ids of their own.
    pub(super) fn renumber(&mut self, mut id: impl FnMut() -> u64) {
        for event in self.0.iter_mut().flat_map(|events| events.iter_mut()) {
            event.id = id();
        }
    }

    /// Tells whether the item changed its state since it was imported.
    pub fn knows_states(&self) -> bool {
        self.events().iter().any(|event| matches!(event.what, Happened::State { .. }))
    }
}

/// One resource event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceEvent {
    /// The id, unique on the instance.
    pub id: u64,
    /// Who did it.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// What happened.
    pub what: Happened,
}

/// What a resource event tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happened {
    /// A label came or went.
    Label {
        /// Which. It may have been deleted since.
        label: LabelId,
        /// True when it came.
        added: bool,
    },
    /// The item got another state.
    State {
        /// Which one it has now.
        state: Reached,
        /// What brought it about, if not a person by hand.
        source: Option<Source>,
    },
    /// A milestone came or went.
    Milestone {
        /// Which.
        milestone: MilestoneId,
        /// True when it came.
        added: bool,
    },
}

/// A state that an item got into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It was closed.
    Closed,
    /// It was opened again.
    Reopened,
    /// It was merged.
    Merged,
}

impl Reached {
    /// Returns GitLab's word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Reopened => "reopened",
            Self::Merged => "merged",
        }
    }
}

/// What closed an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A merge request of this id, when it was merged.
    MergeRequest(u64),
    /// A commit of this name, when it reached the default branch.
    Commit(String),
}
