//! Notes of issues and merge requests.
//!
//! They ask for a signed-in caller even where everything else is public. Notes that the caller may
//! not see are taken out after the page was cut, so pages get short and totals do not fit.

use std::borrow::Cow;

use serde::Serialize;

use super::answer::{Answer, Failure};
use super::groups::directed;
use super::shape::{Stamp, UserShape, text};
use super::{Call, issues, merge_requests, paging};
use crate::world::{Item, ItemKind, Note, Project, ProjectId};

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "the shape is GitLab's")]
struct NoteShape<'w> {
    id: u64,
    r#type: Option<&'static str>,
    body: Cow<'w, str>,
    author: Option<UserShape<'w>>,
    created_at: Stamp,
    updated_at: Stamp,
    system: bool,
    noteable_id: u64,
    noteable_type: &'static str,
    project_id: ProjectId,
    resolvable: bool,
    confidential: bool,
    internal: bool,
    imported: bool,
    imported_from: &'static str,
    noteable_iid: u64,
    commands_changes: Empty,
}

/// An empty object.
#[derive(Serialize)]
struct Empty {}

/// `GET /projects/:id/{issues,merge_requests}/:iid/notes`
pub(super) fn list(
    call: &Call<'_>,
    project: &Project,
    id: &str,
    kind: ItemKind,
    iid: &str,
) -> Result<Answer, Failure> {
    call.signed_in()?;
    let item: &Item = match kind {
        ItemKind::Issue => &issues::find(call, project, iid)?.item,
        ItemKind::MergeRequest => &merge_requests::find(call, project, iid)?.item,
    };
    let query = &call.query;
    let order = query.one_of("order_by", &["created_at", "updated_at"])?.unwrap_or("created_at");
    let descending = query.descending(true)?;
    let activity = query
        .one_of("activity_filter", &["all_notes", "only_comments", "only_activity"])?
        .unwrap_or("all_notes");
    let mut notes: Vec<&Note> = item
        .notes
        .iter()
        .filter(|note| match activity {
            "only_comments" => !note.system,
            "only_activity" => note.system,
            _ => true,
        })
        .collect();
    notes.sort_unstable_by(|a, b| {
        let ordering = match order {
            "updated_at" => a.updated_at.cmp(&b.updated_at),
            // `created_at` is executed as `id`.
            _ => a.id.cmp(&b.id),
        };
        directed(ordering, descending).then(b.id.cmp(&a.id))
    });
    let mut echo = call.echo(
        &[("activity_filter", "all_notes"), ("order_by", "created_at"), ("sort", "desc")],
        id,
    );
    echo.set("noteable_id", iid);
    paging::filtered(call, echo, &notes, |note| {
        call.world
            .sees_note(call.caller, project, note)
            .then(|| shape(call, project, kind, item, note))
    })
}

/// Returns GitLab's word for the kind of item that a note is on.
pub(super) const fn noteable(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Issue => "Issue",
        ItemKind::MergeRequest => "MergeRequest",
    }
}

/// Renders a note.
pub(super) fn shape<'w>(
    call: &Call<'w>,
    project: &'w Project,
    kind: ItemKind,
    item: &Item,
    note: &'w Note,
) -> impl Serialize + use<'w> {
    NoteShape {
        id: note.id,
        r#type: None,
        body: text(call, &note.body),
        author: UserShape::find(call, note.author),
        created_at: Stamp(note.created_at),
        updated_at: Stamp(note.updated_at),
        system: note.system,
        noteable_id: item.id,
        noteable_type: noteable(kind),
        project_id: project.id,
        resolvable: false,
        confidential: note.internal,
        internal: note.internal,
        imported: false,
        imported_from: "none",
        noteable_iid: item.iid,
        commands_changes: Empty {},
    }
}
