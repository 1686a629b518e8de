//! Single notes and discussions.
//!
//! Every note of the simulator is a discussion of its own, as a plain comment is on GitLab.

use serde_json::json;

use super::answer::{Answer, Failure};
use super::{Call, notes, paging, people};
use crate::hash::hex40;
use crate::world::{ItemKind, Note, Project};

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
