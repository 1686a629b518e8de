//! Life and truth in a running instance.
//!
//! The ledger lies beside the world, so that the truth can be told at any moment. A life runs as a
//! task, or step by step as requests are answered, which makes a test repeatable. Locks are taken
//! in the order life, world, ledger, and never held across an await.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{GitLab, STOP_PATIENCE, Shared, lock};
use crate::life::{Life, Step};
use crate::truth::{Ledger, State, Truth};
use crate::world::World;

/// When a life makes its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many in a second of real time. None at 0.
    PerSecond(u32),
    /// One after every so many answered requests, before the next is answered: the same requests
    /// always meet the same changes. None at 0.
    AfterRequests(u64),
}

/// What an instance knows of meanings, and the life that is led in it.
#[derive(Debug, Default)]
pub(super) struct Living {
    ledger: Mutex<Ledger>,
    alive: Mutex<Option<Alive>>,
}

/// A life that is being led.
#[derive(Debug)]
struct Alive {
    life: Life,
    pace: Pace,
    answered: u64,
    steps: Vec<Step>,
    stop: CancellationToken,
    task: Option<JoinHandle<()>>,
}

impl Shared {
    /// Lets life go on after a request was answered, when its turn has come.
    pub(super) fn let_live(&self) {
        let mut alive = lock(&self.living.alive);
        let Some(alive) = alive.as_mut() else {
            return;
        };
        alive.answered += 1;
        if let Pace::AfterRequests(count) = alive.pace
            && count > 0
            && alive.answered.is_multiple_of(count)
        {
            self.step(alive);
        }
    }

    fn step(&self, alive: &mut Alive) {
        let mut world = self.change();
        let step = alive.life.step(&mut world, &mut lock(&self.living.ledger));
        tracing::debug!(%step, "life went on");
        alive.steps.push(step);
    }

    /// Makes the next step, unless the life has ended.
    fn step_once(&self) {
        if let Some(alive) = lock(&self.living.alive).as_mut() {
            self.step(alive);
        }
    }
}

impl Living {
    /// Ends the life, waits for its task, and returns what was done.
    pub(super) async fn end(&self) -> Vec<Step> {
        let Some(mut alive) = lock(&self.alive).take() else {
            return Vec::new();
        };
        alive.stop.cancel();
        if let Some(mut task) = alive.task.take()
            && tokio::time::timeout(STOP_PATIENCE, &mut task).await.is_err()
        {
            task.abort();
        }
        alive.steps
    }
}

impl GitLab {
    /// Gives the instance the ledger of its texts, from which [`Self::truth`] is told.
    #[must_use]
    pub fn with_ledger(self, ledger: Ledger) -> Self {
        *lock(&self.shared.living.ledger) = ledger;
        self
    }

    /// Changes world and ledger together: for texts with a meaning that are written by hand.
    pub fn write<T>(&self, write: impl FnOnce(&mut World, &mut Ledger) -> T) -> T {
        let mut world = self.shared.change();
        write(&mut world, &mut lock(&self.shared.living.ledger))
    }

    /// Returns the truth of now as a token sees it; without a token, as everybody does. A token
    /// that GitLab refuses sees nothing.
    pub fn truth(&self, token: Option<&str>) -> Truth {
        let world = self.shared.read();
        let ledger = lock(&self.shared.living.ledger);
        world.caller(token).map_or_else(Truth::default, |caller| ledger.truth(&world, caller))
    }

    /// Returns all rows that a token sees now; without a token, those that everybody sees. A token
    /// that GitLab refuses sees nothing.
    pub fn state(&self, token: Option<&str>) -> State {
        let world = self.shared.read();
        world.caller(token).map_or_else(State::default, |caller| State::of(&world, caller))
    }

    /// Lets a life go on from now, in place of an earlier one. It ends with [`Self::quiet`] or with
    /// the instance.
    #[expect(
        clippy::disallowed_methods,
        reason = "quiet() and stop() wait for this task, and it ends with the instance"
    )]
    pub async fn live(&self, life: Life, pace: Pace) {
        self.shared.living.end().await;
        let stop = CancellationToken::new();
        let task = match pace {
            Pace::PerSecond(rate) if rate > 0 => {
                let shared = Arc::downgrade(&self.shared);
                let (every, stop) = (Duration::from_secs(1) / rate, stop.clone());
                Some(tokio::spawn(async move {
                    let mut turn = tokio::time::interval(every);
                    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                    while stop.run_until_cancelled(turn.tick()).await.is_some() {
                        let Some(shared) = shared.upgrade() else {
                            return;
                        };
                        shared.step_once();
                    }
                }))
            }
            Pace::PerSecond(_) | Pace::AfterRequests(_) => None,
        };
        let alive = Alive { life, pace, answered: 0, steps: Vec::new(), stop, task };
        *lock(&self.shared.living.alive) = Some(alive);
    }

    /// Returns what the present life did so far, oldest first.
    pub fn steps(&self) -> Vec<Step> {
        lock(&self.shared.living.alive)
            .as_ref()
            .map(|alive| alive.steps.clone())
            .unwrap_or_default()
    }

    /// Ends the present life, and returns what it did, oldest first.
    pub async fn quiet(&self) -> Vec<Step> {
        self.shared.living.end().await
    }
}
