//! Members and users.

use serde_json::{Value, json};

use super::Scene;
use super::shape::{HIDDEN_EMAIL, iso};
use crate::world::{AccessLevel, MemberOf, UserId};

/// The body of a membership that began, changed or ended. The world keeps no times of memberships:
/// they are as old as the event.
pub(super) fn body(
    scene: Scene<'_>,
    of: MemberOf,
    user: UserId,
    before: Option<AccessLevel>,
    level: Option<AccessLevel>,
) -> Option<Value> {
    let user = scene.world.user(user)?;
    let role = role(level.or(before)?);
    let at = iso(scene.event.at);
    let mut body = json!({
        "created_at": at,
        "updated_at": at,
        "user_id": user.id,
        "user_name": user.name,
        "user_username": user.username,
        "user_email": HIDDEN_EMAIL,
    });
    let names = match of {
        MemberOf::Group(group) => {
            let group = scene.world.group(group)?;
            body["group_id"] = json!(group.id);
            body["group_name"] = json!(group.name);
            body["group_path"] = json!(group.path);
            body["group_access"] = json!(role);
            body["group_plan"] = Value::Null;
            body["expires_at"] = Value::Null;
            ["user_add_to_group", "user_update_for_group", "user_remove_from_group"]
        }
        MemberOf::Project(project) => {
            let project = scene.world.project(project)?;
            body["project_id"] = json!(project.id);
            body["project_name"] = json!(project.name);
            body["project_path"] = json!(project.path);
            body["project_path_with_namespace"] = json!(project.full_path);
            body["project_visibility"] = json!(project.visibility);
            body["access_level"] = json!(role);
            ["user_add_to_team", "user_update_for_team", "user_remove_from_team"]
        }
    };
    body["event_name"] = json!(match (before, level) {
        (None, _) => names[0],
        (Some(_), Some(_)) => names[1],
        (Some(_), None) => names[2],
    });
    Some(body)
}

/// The body of a user who was made.
pub(super) fn user(scene: Scene<'_>, user: UserId) -> Option<Value> {
    let user = scene.world.user(user)?;
    Some(json!({
        "event_name": "user_create",
        "created_at": iso(user.created_at),
        "updated_at": iso(scene.event.at),
        "name": user.name,
        "username": user.username,
        "email": HIDDEN_EMAIL,
        "user_id": user.id,
    }))
}

const fn role(level: AccessLevel) -> &'static str {
    match level {
        AccessLevel::Guest => "Guest",
        AccessLevel::Planner => "Planner",
        AccessLevel::Reporter => "Reporter",
        AccessLevel::Developer => "Developer",
        AccessLevel::Maintainer => "Maintainer",
        AccessLevel::Owner => "Owner",
    }
}
