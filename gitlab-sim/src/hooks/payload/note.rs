//! Comments on issues and merge requests.

use serde_json::{Value, json};

use super::Scene;
use super::shape::utc;
use super::{issue, merge_request};
use crate::hash::hex40;
use crate::world::{ItemKind, ItemRef, Note};

/// The body of a note event, with the item it was written on.
pub(super) fn body(scene: Scene<'_>, on: ItemRef, note: &Note, edited: bool) -> Option<Value> {
    let project = scene.world.project(on.project)?;
    let item = scene.world.item(on)?;
    let (kind, field, shape, hidden) = match on.kind {
        ItemKind::Issue => {
            let row = project.issues.get(&on.iid)?;
            let shape = issue::attributes(scene, project, row);
            ("Issue", "issue", shape, note.internal || row.confidential)
        }
        ItemKind::MergeRequest => {
            let row = project.merge_requests.get(&on.iid)?;
            let shape = merge_request::attributes(scene, project, row);
            ("MergeRequest", "merge_request", shape, note.internal)
        }
    };
    let page = format!("{}/-/{}/{}", scene.page(project), on.kind.segment(), on.iid);
    let mut body = json!({
        "object_kind": "note",
        "event_type": if hidden { "confidential_note" } else { "note" },
        "user": scene.actor(),
        "project_id": project.id,
        "project": scene.project(project),
        "object_attributes": {
            "action": if edited { "update" } else { "create" },
            "attachment": null,
            "author_id": note.author,
            "change_position": null,
            "commit_id": null,
            "created_at": utc(note.created_at),
            "description": note.body,
            "discussion_id": hex40(&format!("discussion {}", note.id)),
            "id": note.id,
            "internal": note.internal,
            "line_code": null,
            "note": note.body,
            "noteable_id": item.id,
            "noteable_type": kind,
            "original_position": null,
            "position": null,
            "project_id": project.id,
            "resolved_at": null,
            "resolved_by_id": null,
            "resolved_by_push": null,
            "st_diff": null,
            "system": note.system,
            "type": null,
            "updated_at": utc(note.updated_at),
            "updated_by_id": edited.then_some(scene.event.by),
            "url": format!("{page}#note_{}", note.id),
        },
        "repository": scene.repository(project),
    });
    body[field] = shape;
    Some(body)
}
