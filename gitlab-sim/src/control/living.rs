//! Commands about the life that is led in the instance, and about what is true of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::life::{Deed, Life, Step, Weights};
use crate::server::{Pace, Shared};
use crate::truth::State;

/// The most steps that one command makes.
const MOST_STEPS: u32 = 10_000;

/// A life as it is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    seed: Option<u64>,
    per_second: Option<u32>,
    after_requests: Option<u64>,
    weights: Option<BTreeMap<String, u32>>,
}

/// How many steps are asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    steps: Option<u32>,
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn steps(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(shown(&shared.living.steps()))
}

pub(super) fn begin(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let wanted: Wanted = ask.read()?;
    if !shared.living.is_inhabited() {
        return Err(Refusal::wrong(
            "nobody lives in this world: it was not generated",
            "start gitlab-sim with --projects, or hand a ledger to GitLab::with_ledger",
        ));
    }
    let pace = match (wanted.per_second, wanted.after_requests) {
        (Some(rate), None) => Pace::PerSecond(rate),
        (None, Some(count)) => Pace::AfterRequests(count),
        (None, None) => Pace::PerSecond(0),
        (Some(_), Some(_)) => {
            return Err(Refusal::wrong(
                "per_second and after_requests are two paces",
                "give one of them, or none and POST /_sim/life/steps",
            ));
        }
    };
    let mut weights = Weights::default();
    for (words, weight) in wanted.weights.unwrap_or_default() {
        let deed = Deed::find(&words).ok_or_else(|| {
            let known: Vec<&str> = Deed::ALL.iter().map(|deed| deed.words()).collect();
            Refusal::wrong(
                format!("there is no deed {words:?}"),
                format!("deeds are: {}", known.join(", ")),
            )
        })?;
        weights = weights.with(deed, weight);
    }
    shared.begin(Life::seeded(wanted.seed.unwrap_or(1)).weights(weights), pace);
    Ok(json!({"lives": true}))
}

pub(super) fn step(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let count: Count = ask.read()?;
    let steps = count.steps.unwrap_or(1);
    if steps > MOST_STEPS {
        return Err(Refusal::wrong(
            format!("{steps} steps are too many for one command"),
            format!("ask for at most {MOST_STEPS}"),
        ));
    }
    let made: Option<Vec<Step>> = (0..steps).map(|_| shared.step_now()).collect();
    match made {
        Some(made) => Ok(shown(&made)),
        None => Err(Refusal::missing("nobody lives here", "POST /_sim/life begins a life")),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn end(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(shown(&shared.living.halt()))
}

pub(super) fn truth(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let caller = world.caller(ask.parameter("token")).ok_or_else(refused)?;
    Ok(json!(shared.living.truth(&world, caller)))
}

pub(super) fn rows(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let caller = world.caller(ask.parameter("token")).ok_or_else(refused)?;
    Ok(json!(State::of(&world, caller)))
}

fn refused() -> Refusal {
    Refusal::wrong(
        "GitLab would refuse this token",
        "GET /_sim/tokens lists tokens; without ?token= everybody's view is shown",
    )
}

fn shown(steps: &[Step]) -> Value {
    let lines: Vec<String> = steps.iter().map(Step::to_string).collect();
    json!({ "steps": lines })
}
