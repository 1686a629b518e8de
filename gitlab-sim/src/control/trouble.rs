//! Commands about faults.

use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::faults::{Fault, FaultId, FaultSchedule};
use crate::server::Shared;

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn list(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(json!({"faults": shared.faults.list(), "schedule": shared.faults.schedule()}))
}

pub(super) fn add(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let fault: Fault = ask.read()?;
    if let Some(complaint) = fault.complaint() {
        return Err(Refusal::wrong(
            complaint,
            "docs/faults.md of gitlab-sim has a table of faults",
        ));
    }
    let id = shared.faults.add(fault);
    Ok(json!({"id": id}))
}

pub(super) fn clear(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    shared.faults.clear();
    list(shared, ask)
}

pub(super) fn remove(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let id = ask.number("fault")?;
    if shared.faults.remove(FaultId::new(id)) {
        return list(shared, ask);
    }
    Err(Refusal::missing(
        format!("there is no fault {id}"),
        "GET /_sim/faults lists those in force",
    ))
}

pub(super) fn follow(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let schedule: FaultSchedule = ask.read()?;
    shared.faults.follow(schedule);
    list(shared, ask)
}

pub(super) fn unfollow(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    shared.faults.follow(None);
    list(shared, ask)
}
