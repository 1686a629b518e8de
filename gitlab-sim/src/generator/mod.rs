//! Writes a believable organisation from a seed, and with it the truth of what belongs where.
//!
//! `plan` decides which projects there are; `writer` writes their files and items project by
//! project, `issue` and `merge_request` know the recipes, `material` what these draw from, `desk`
//! is where they work. Every text that means something is recorded in the [`Ledger`] by the same
//! call that writes it. Texts hold traps (keys that are none, ids in comments and code, template
//! boilerplate, labels that look like tags), but nothing over which two readers of the rules could
//! differ.
//!
//! The generator refuses to parse what it wrote and to use any code of xrefd: it could not convict
//! a reader of its own mistakes.

mod codeowners;
mod desk;
mod dice;
mod draft;
mod issue;
mod material;
mod mention;
mod merge_request;
mod names;
mod plan;
mod tag;
mod template;
#[cfg(test)]
mod tests;
mod writer;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub(crate) use codeowners::Codeowners;
pub(crate) use desk::Desk;
pub(crate) use dice::Dice;
pub(crate) use draft::Draft;
pub(crate) use names::PEOPLE;
pub(crate) use plan::Planned;
pub(crate) use tag::add_labels;
pub(crate) use template::Template;
pub(crate) use writer::Writer;

use names::DOMAINS;
use plan::{Plan, Role};

use crate::clock::{Clock, earlier, micros};
use crate::truth::{Ledger, Settings, Truth};
use crate::world::{Caller, World};

/// Writes an organisation. The same values always write the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generator {
    /// Where chance starts.
    pub seed: u64,
    /// How many projects there are.
    pub projects: usize,
    /// How many issues each project has.
    pub issues_per_project: usize,
    /// How many merge requests each project has.
    pub merge_requests_per_project: usize,
    /// The moment before which everything happened.
    pub now: Timestamp,
}

impl Default for Generator {
    /// Returns an organisation of 50 projects that ends now.
    fn default() -> Self {
        Self {
            seed: 1,
            projects: 50,
            issues_per_project: 30,
            merge_requests_per_project: 30,
            now: Clock::system().now(),
        }
    }
}

impl Generator {
    /// Writes the organisation and the truth about it, as somebody sees it who sees everything.
    pub fn generate(&self) -> (World, Truth) {
        let (world, ledger) = self.organisation();
        let truth = {
            let token = world.bot_token();
            let caller = world.caller(Some(token)).unwrap_or(Caller::Anonymous);
            ledger.truth(&world, caller)
        };
        (world, truth)
    }

    /// Writes the organisation and the ledger of what its texts mean, from which the truth of any
    /// later moment can be told.
    pub fn organisation(&self) -> (World, Ledger) {
        let mut dice = Dice::new(self.seed);
        let Plan { projects, services } = plan::plan(
            &mut dice,
            self.projects,
            self.issues_per_project,
            self.merge_requests_per_project,
        );
        let mut prefixes = BTreeMap::new();
        prefixes.insert("jira", DOMAINS.iter().map(|row| row.jira.to_owned()).collect());
        let mut world = World::with_clock(Clock::at(self.now));
        let mut ledger = Ledger::of_group(plan::GROUP, Settings { prefixes });
        let mut desk = Desk {
            dice,
            services,
            targets: projects
                .iter()
                .filter(|row| row.role != Role::Archived && row.issues + row.merge_requests > 0)
                .map(|row| (row.path.clone(), row.issues, row.merge_requests))
                .collect(),
            events: projects.iter().flat_map(|row| row.events.iter().cloned()).collect(),
            first: projects.first().map(|row| row.path.clone()).unwrap_or_default(),
        };
        let mut writer = Writer {
            desk: &mut desk,
            world: &mut world,
            ledger: &mut ledger,
            now: micros(self.now),
            bulk: earlier(micros(self.now), SignedDuration::from_hours(26)),
        };
        for planned in projects {
            writer.project(planned);
        }
        ledger.find_group(&world);
        world.use_system_clock();
        (world, ledger)
    }
}
