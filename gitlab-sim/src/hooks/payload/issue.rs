//! Issues, incidents and tasks.

use serde_json::{Value, json};

use super::Scene;
use super::changes::Changes;
use super::shape::{long_text, utc};
use crate::world::{Action, Issue, IssueType, Project, ProjectId};

/// The body of an issue event. Tasks are called work items.
pub(super) fn body(
    scene: Scene<'_>,
    project: ProjectId,
    action: Action,
    before: Option<&Issue>,
    after: &Issue,
) -> Option<Value> {
    let project = scene.world.project(project)?;
    let kind = match after.issue_type {
        IssueType::Issue | IssueType::Incident => "issue",
        IssueType::Task => "work_item",
    };
    let mut attributes = attributes(scene, project, after);
    attributes["action"] = json!(action.word());
    if before.is_some() {
        attributes["updated_by_id"] = json!(scene.event.by);
    }
    let mut body = json!({
        "object_kind": kind,
        "event_type": if after.confidential { format!("confidential_{kind}") } else { kind.into() },
        "user": scene.actor(),
        "project": scene.project(project),
        "object_attributes": attributes,
        "labels": scene.labels(&after.item.labels),
        "changes": changes(scene, before, after),
        "repository": scene.repository(project),
    });
    if let Some(first) = after.item.assignees.first() {
        body["assignees"] = after.item.assignees.iter().map(|user| scene.user(*user)).collect();
        body["assignee"] = scene.user(*first);
    }
    Some(body)
}

fn changes(scene: Scene<'_>, before: Option<&Issue>, after: &Issue) -> Value {
    let mut changes = Changes::default();
    changes.item(scene, before.map(|row| &row.item), &after.item);
    if let Some(before) = before {
        let rows = (before, after);
        changes.row("state_id", rows, |row| json!(state_id(row)));
        changes.row("confidential", rows, |row| json!(row.confidential));
        changes.row("severity", rows, |row| json!(row.severity.to_lowercase()));
        changes.row("type", rows, |row| json!(type_name(row.issue_type)));
        changes.row("moved_to_id", rows, |row| json!(row.moved_to));
    }
    changes.into_value()
}

/// What is said of an issue, wherever it is mentioned.
pub(super) fn attributes(scene: Scene<'_>, project: &Project, issue: &Issue) -> Value {
    let item = &issue.item;
    let segment = match issue.issue_type {
        IssueType::Issue | IssueType::Incident => "issues",
        IssueType::Task => "work_items",
    };
    json!({
        "assignee_id": item.assignees.first(),
        "assignee_ids": item.assignees,
        "author_id": item.author,
        "closed_at": item.closed_at.map(utc),
        "confidential": issue.confidential,
        "created_at": utc(item.created_at),
        "description": long_text(item.description.as_ref()),
        "discussion_locked": null,
        "due_date": null,
        "duplicated_to_id": null,
        "health_status": null,
        "human_time_change": null,
        "human_time_estimate": null,
        "human_total_time_spent": null,
        "id": item.id,
        "iid": item.iid,
        "labels": scene.labels(&item.labels),
        "last_edited_at": null,
        "last_edited_by_id": null,
        "milestone_id": item.milestone,
        "moved_to_id": issue.moved_to,
        "project_id": project.id,
        "relative_position": null,
        "severity": issue.severity.to_lowercase(),
        "state": issue.state(),
        "state_id": state_id(issue),
        "time_change": 0,
        "time_estimate": 0,
        "title": item.title,
        "total_time_spent": 0,
        "type": type_name(issue.issue_type),
        "updated_at": utc(item.updated_at),
        "updated_by_id": null,
        "url": format!("{}/-/{segment}/{}", scene.page(project), item.iid),
        "weight": null,
    })
}

fn state_id(issue: &Issue) -> u64 {
    if issue.item.closed_at.is_some() { 2 } else { 1 }
}

const fn type_name(issue_type: IssueType) -> &'static str {
    match issue_type {
        IssueType::Issue => "Issue",
        IssueType::Incident => "Incident",
        IssueType::Task => "Task",
    }
}
