//! The desk on which items are written: chance, and what the texts may speak of.
//!
//! The recipes (`issue`, `merge_request`, `material`) need no world: they make drafts. So the same
//! recipes serve the generator, which writes everything once, and the life that goes on afterwards.

use super::dice::Dice;
use super::mention::Event;

/// What the recipes draw from.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) dice: Dice,
    /// Services that any item may be labelled with.
    pub(crate) services: Vec<String>,
    /// Projects whose items may be mentioned, with the numbers of their issues and merge requests.
    pub(crate) targets: Vec<(String, u64, u64)>,
    /// What happened in the whole organisation.
    pub(crate) events: Vec<Event>,
    /// The path of the first project.
    pub(crate) first: String,
}

impl Desk {
    /// Makes the desk of somebody who writes about an organisation that is already there.
    pub(crate) fn of(ledger: &crate::truth::Ledger, dice: Dice) -> Self {
        Self {
            dice,
            services: ledger.services(),
            targets: Vec::new(),
            events: ledger.plans.values().flat_map(|row| row.events.iter().cloned()).collect(),
            first: String::new(),
        }
    }
}
