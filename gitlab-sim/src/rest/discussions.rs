//! Single notes, discussions, and what else hangs on an item.
//!
//! Every note of the simulator is a discussion of its own, as a plain comment is on GitLab.

use serde_json::{Value, json};

use super::answer::{Answer, Failure};
use super::shape::{Stamp, UserShape};
use super::{Call, notes, paging, people};
use crate::hash::hex40;
use crate::world::{Item, ItemKind, Note, Project};

/// `GET …/:iid/notes/:note_id`
pub(super) fn note(
    call: &Call<'_>,
    project: &Project,
    kind: ItemKind,
    iid: &str,
    note: &str,
) -> Result<Answer, Failure> {
    call.signed_in()?;
    let item = people::item(call, project, kind, iid)?;
    let number: u64 = note.parse().map_err(|_| super::query::is_invalid("note_id"))?;
    let row = item
        .notes
        .iter()
        .find(|row| row.id == number)
        .filter(|row| call.world.sees_note(call.caller, project, row))
        .ok_or(Failure::NotFound("Note"))?;
    Ok(Answer::json(&notes::shape(call, project, kind, item, row)))
}

/// `GET …/:iid/discussions`
pub(super) fn list(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: ItemKind,
    iid: &str,
) -> Result<Answer, Failure> {
    call.signed_in()?;
    let item = people::item(call, project, kind, iid)?;
    let rows: Vec<&Note> = item.notes.iter().collect();
    let mut echo = call.echo(&[], id);
    echo.set("noteable_id", iid);
    paging::filtered(call, echo, &rows, |row| {
        call.world.sees_note(call.caller, project, row).then(|| {
            json!({
                "id": hex40(&format!("discussion {}", row.id)),
                "individual_note": true,
                "resolvable": false,
                "notes": [notes::shape(call, project, kind, item, row)],
            })
        })
    })
}

/// `GET …/:iid/award_emoji` and `…/resource_*_events`. Of the state only the last change is known.
pub(super) fn events(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: ItemKind,
    iid: &str,
    what: &str,
) -> Result<Answer, Failure> {
    let item = people::item(call, project, kind, iid)?;
    let rows: Vec<Value> = match what {
        "resource_state_events" => closed(call, kind, item).into_iter().collect(),
        _ => Vec::new(),
    };
    let mut echo = call.echo(&[], id);
    echo.set("eventable_id", iid);
    paging::list(call, echo, &rows, Clone::clone)
}

fn closed(call: &Call<'_>, kind: ItemKind, item: &Item) -> Option<Value> {
    let at = item.closed_at?;
    Some(json!({
        "id": item.id,
        "user": item.closed_by.and_then(|user| UserShape::find(call, user)),
        "created_at": Stamp(at),
        "resource_type": notes::noteable(kind),
        "resource_id": item.id,
        "source_commit": null,
        "source_merge_request_id": null,
        "state": "closed",
    }))
}
