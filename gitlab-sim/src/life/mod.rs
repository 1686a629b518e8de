//! A seeded life that goes on while somebody reads.
//!
//! [`Life::step`] makes one change of the kind that people make, with texts from the generator's
//! recipes, and records in the ledger what they mean: so the truth of any moment stays known. The
//! same seed on the same world does the same things. Each step comes back as a line, for the message
//! of a failing test.
//!
//! Life keeps to what two readers of the rules cannot differ over: it leaves the generator's own
//! templates as they are, because what an old description means hangs on them; it writes items only
//! where these templates lie; and descriptions of alerts stay, because their severity is kept
//! elsewhere too. Projects that the generator did not plan are left alone.

mod deed;
mod items;
mod places;
mod scene;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};

pub use deed::{Deed, Weights};

use crate::generator::{Desk, Dice};
use crate::truth::Ledger;
use crate::world::World;
use scene::Scene;

/// How often another deed is tried when one cannot be done.
const TRIES: usize = 50;

/// Makes one change after the other.
#[derive(Debug, Clone)]
pub struct Life {
    seed: u64,
    weights: Weights,
    stride: SignedDuration,
    steps: u64,
    desk: Option<Desk>,
}

/// One change that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1.
    pub number: u64,
    /// When it was made, by the world's clock.
    pub at: Timestamp,
    /// What was done, or nothing when nothing could be.
    pub deed: Option<Deed>,
    /// What happened, in a sentence.
    pub line: String,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {} {}", self.number, self.at, self.line)
    }
}

impl Life {
    /// Makes a life with the usual weights. A clock that stands still is moved by up to 40 seconds
    /// before each step.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            weights: Weights::default(),
            stride: SignedDuration::from_secs(40),
            steps: 0,
            desk: None,
        }
    }

    /// Sets what is done how often.
    #[must_use]
    pub fn weights(mut self, weights: Weights) -> Self {
        self.weights = weights;
        self
    }

    /// Sets by how much a clock that stands still is moved before a step, at most. A clock that
    /// follows the system's is never moved.
    #[must_use]
    pub fn stride(mut self, longest: SignedDuration) -> Self {
        self.stride = longest;
        self
    }

    /// Makes one change, and keeps the ledger right.
    pub fn step(&mut self, world: &mut World, ledger: &mut Ledger) -> Step {
        let seed = self.seed;
        let desk = self.desk.get_or_insert_with(|| Desk::of(ledger, Dice::new(seed)));
        self.steps += 1;
        if world.clock().stands_still() {
            let longest = u64::try_from(self.stride.as_millis()).unwrap_or(0);
            let by = i64::try_from(desk.dice.between(0, longest)).unwrap_or(0);
            world.clock().advance(SignedDuration::from_millis(by));
        }
        let at = world.clock().now();
        let mut scene = Scene { desk, world, ledger, number: self.steps };
        let before = scene.enter();
        let mut done = None;
        for _ in 0..TRIES {
            let Some(deed) = self.weights.pick(&mut scene.desk.dice) else {
                break;
            };
            if let Some(line) = scene.act(deed) {
                done = Some((deed, line));
                break;
            }
        }
        world.act_as(before);
        let (deed, line) = match done {
            Some((deed, line)) => (Some(deed), line),
            None => (None, "nothing could be done".to_owned()),
        };
        Step { number: self.steps, at, deed, line }
    }
}
