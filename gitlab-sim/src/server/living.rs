//! Life and truth in a running instance.
//!
//! The ledger lies beside the world, so that the truth can be told at any moment. A life runs as a
//! task, or step by step as requests are answered, which makes a test repeatable. Locks are taken
//! in the order life, world, ledger, and never held across an await.

use std::sync::{Arc, Mutex, OnceLock, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{GitLab, STOP_PATIENCE, Shared, lock};
use crate::life::{Life, Step};
use crate::truth::{Ledger, State, Truth};
use crate::world::{Caller, World};

/// When a life makes its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So many in a second of real time. None at 0, and no more than a thousand: waits are whole
    /// milliseconds.
    PerSecond(u32),
    /// One after every so many answered requests, before the next is answered: the same requests
    /// always meet the same changes. None at 0.
    AfterRequests(u64),
}

/// The shortest wait between two changes: the timer knows no shorter one, and none must not be
/// asked of it.
const SHORTEST: Duration = Duration::from_millis(1);

/// What an instance knows of meanings, and the life that is led in it.
#[derive(Debug, Default)]
pub(crate) struct Living {
    ledger: Mutex<Ledger>,
    alive: Mutex<Option<Alive>>,
    /// The tasks of the present life and of those before that have not quite ended.
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// The instance that all this belongs to: a task must not keep it alive.
    instance: OnceLock<Weak<Shared>>,
}

/// A life that is being led.
#[derive(Debug)]
struct Alive {
    life: Life,
    pace: Pace,
    answered: u64,
    steps: Vec<Step>,
    stop: CancellationToken,
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

    fn step(&self, alive: &mut Alive) -> Step {
        let mut world = self.change();
        let step = alive.life.step(&mut world, &mut lock(&self.living.ledger));
        tracing::debug!(%step, "life went on");
        alive.steps.push(step.clone());
        step
    }

    /// Makes the next step of the present life, whatever its pace.
    pub(crate) fn step_now(&self) -> Option<Step> {
        lock(&self.living.alive).as_mut().map(|alive| self.step(alive))
    }

    /// Makes the next step, unless the life that wants it has ended.
    fn step_unless(&self, stop: &CancellationToken) {
        let mut alive = lock(&self.living.alive);
        if let Some(alive) = alive.as_mut().filter(|_| !stop.is_cancelled()) {
            self.step(alive);
        }
    }

    /// Begins a life in place of the present one.
    #[expect(
        clippy::disallowed_methods,
        reason = "stop() waits for this task, and it ends with the instance"
    )]
    pub(crate) fn begin(&self, life: Life, pace: Pace) {
        self.living.halt();
        let stop = CancellationToken::new();
        if let Pace::PerSecond(rate) = pace
            && rate > 0
        {
            let shared = self.living.instance.get().cloned().unwrap_or_default();
            let (every, stop) = ((Duration::from_secs(1) / rate).max(SHORTEST), stop.clone());
            let task = tokio::spawn(async move {
                let mut turn = tokio::time::interval(every);
                turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
                while stop.run_until_cancelled(turn.tick()).await.is_some() {
                    let Some(shared) = shared.upgrade() else {
                        return;
                    };
                    shared.step_unless(&stop);
                }
            });
            let mut tasks = lock(&self.living.tasks);
            tasks.retain(|task| !task.is_finished());
            tasks.push(task);
        }
        let alive = Alive { life, pace, answered: 0, steps: Vec::new(), stop };
        *lock(&self.living.alive) = Some(alive);
    }
}

impl Living {
    /// Says which instance it belongs to.
    pub(super) fn belongs_to(&self, instance: &Arc<Shared>) {
        self.instance.get_or_init(|| Arc::downgrade(instance));
    }

    /// Tells whether there is anybody to lead a life: a generator has planned projects.
    pub(crate) fn is_inhabited(&self) -> bool {
        !lock(&self.ledger).plans.is_empty()
    }

    /// Returns the truth of a world as a caller sees it.
    pub(crate) fn truth(&self, world: &World, caller: Caller<'_>) -> Truth {
        lock(&self.ledger).truth(world, caller)
    }

    /// Returns what the present life did so far.
    pub(crate) fn steps(&self) -> Vec<Step> {
        lock(&self.alive).as_ref().map(|alive| alive.steps.clone()).unwrap_or_default()
    }

    /// Ends the present life, which makes no step any more, and returns what it did.
    pub(crate) fn halt(&self) -> Vec<Step> {
        let Some(alive) = lock(&self.alive).take() else {
            return Vec::new();
        };
        alive.stop.cancel();
        alive.steps
    }

    /// Ends the present life and waits for all tasks there were.
    pub(super) async fn end(&self) -> Vec<Step> {
        let steps = self.halt();
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for mut task in tasks {
            if tokio::time::timeout(STOP_PATIENCE, &mut task).await.is_err() {
                task.abort();
            }
        }
        steps
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
        let truth = |caller| self.shared.living.truth(&world, caller);
        world.caller(token).map_or_else(Truth::default, truth)
    }

    /// Returns all rows that a token sees now; without a token, those that everybody sees. A token
    /// that GitLab refuses sees nothing.
    pub fn state(&self, token: Option<&str>) -> State {
        let world = self.shared.read();
        world.caller(token).map_or_else(State::default, |caller| State::of(&world, caller))
    }

    /// Lets a life go on from now, in place of an earlier one. It ends with [`Self::quiet`] or with
    /// the instance.
    pub fn live(&self, life: Life, pace: Pace) {
        self.shared.begin(life, pace);
    }

    /// Returns what the present life did so far, oldest first.
    pub fn steps(&self) -> Vec<Step> {
        self.shared.living.steps()
    }

    /// Ends the present life, and returns what it did, oldest first.
    pub async fn quiet(&self) -> Vec<Step> {
        self.shared.living.end().await
    }
}
