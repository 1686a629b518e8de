//! Merge requests.

use serde_json::{Value, json};

use super::Scene;
use super::changes::Changes;
use super::shape::{long_text, utc};
use crate::world::{Action, MergeRequest, Project, ProjectId};

/// GitLab's number for a merge request that is being merged: the state before `merged`.
const LOCKED: u64 = 4;

/// The body of a merge request event.
pub(super) fn body(
    scene: Scene<'_>,
    project: ProjectId,
    action: Action,
    before: Option<&MergeRequest>,
    after: &MergeRequest,
) -> Option<Value> {
    let project = scene.world.project(project)?;
    let mut attributes = attributes(scene, project, after);
    attributes["action"] = json!(action.word());
    if before.is_some() {
        attributes["updated_by_id"] = json!(scene.event.by);
    }
    let mut body = json!({
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": scene.actor(),
        "project": scene.project(project),
        "object_attributes": attributes,
        "labels": scene.labels(&after.item.labels),
        "changes": changes(scene, before, after),
        "repository": scene.repository(project),
    });
    if !after.item.assignees.is_empty() {
        body["assignees"] = after.item.assignees.iter().map(|user| scene.user(*user)).collect();
    }
    Some(body)
}

fn changes(scene: Scene<'_>, before: Option<&MergeRequest>, after: &MergeRequest) -> Value {
    let mut changes = Changes::default();
    changes.item(scene, before.map(|row| &row.item), &after.item);
    if let Some(before) = before {
        let rows = (before, after);
        if before.merged_at.is_none() && after.merged_at.is_some() {
            changes.field("state_id", &json!(LOCKED), &json!(state_id(after)));
        } else {
            changes.row("state_id", rows, |row| json!(state_id(row)));
        }
        changes.row("draft", rows, |row| json!(row.draft()));
        changes.row("source_branch", rows, |row| json!(row.source_branch));
        changes.row("target_branch", rows, |row| json!(row.target_branch));
        changes.row("merge_user_id", rows, |row| json!(row.merge_user));
    }
    changes.into_value()
}

/// What is said of a merge request, wherever it is mentioned.
pub(super) fn attributes(scene: Scene<'_>, project: &Project, row: &MergeRequest) -> Value {
    let item = &row.item;
    let draft = row.draft();
    let mut attributes = json!({
        "assignee_id": item.assignees.first(),
        "assignee_ids": item.assignees,
        "author_id": item.author,
        "blocking_discussions_resolved": true,
        "created_at": utc(item.created_at),
        "description": long_text(item.description.as_ref()),
        "detailed_merge_status": match row.state() {
            "opened" if draft => "draft_status",
            "opened" => "mergeable",
            _ => "not_open",
        },
        "draft": draft,
        "first_contribution": false,
        "head_pipeline_id": null,
        "id": item.id,
        "iid": item.iid,
        "last_commit":
            scene.commit(project, &row.head(project.id), &item.title, item.author, item.created_at),
        "last_edited_at": null,
        "last_edited_by_id": null,
        "merge_commit_sha": row.merge_commit(project.id),
        "merge_error": null,
        "merge_params": {"force_remove_source_branch": "1"},
        "merge_status": "can_be_merged",
        "merge_user_id": row.merge_user,
        "merge_when_pipeline_succeeds": false,
        "milestone_id": null,
    });
    let more = json!({
        "human_time_change": null,
        "human_time_estimate": null,
        "human_total_time_spent": null,
        "labels": scene.labels(&item.labels),
        "prepared_at": utc(item.created_at),
        "reviewer_ids": [],
        "source": scene.project(project),
        "source_branch": row.source_branch,
        "source_project_id": project.id,
        "state": row.state(),
        "state_id": state_id(row),
        "target": scene.project(project),
        "target_branch": row.target_branch,
        "target_project_id": project.id,
        "time_change": 0,
        "time_estimate": 0,
        "title": item.title,
        "total_time_spent": 0,
        "updated_at": utc(item.updated_at),
        "updated_by_id": null,
        "url": format!("{}/-/merge_requests/{}", scene.page(project), item.iid),
        "work_in_progress": draft,
    });
    if let (Value::Object(attributes), Value::Object(more)) = (&mut attributes, more) {
        attributes.extend(more);
    }
    attributes
}

fn state_id(row: &MergeRequest) -> u64 {
    if row.merged_at.is_some() {
        3
    } else if row.item.closed_at.is_some() {
        2
    } else {
        1
    }
}
