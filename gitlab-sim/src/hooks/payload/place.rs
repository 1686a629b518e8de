//! Projects and groups as a whole: made, renamed, moved, deleted.

use serde_json::{Value, json};

use super::Scene;
use super::shape::{HIDDEN_EMAIL, iso};
use crate::world::{AccessLevel, GroupId, Named, PlaceChange, ProjectId, UserId};

/// The body of a project event, for system hooks and for hooks of groups.
pub(super) fn project(scene: Scene<'_>, project: &Named<ProjectId>, change: &PlaceChange) -> Value {
    let owners = owners(scene, project);
    let names = || owners.iter().filter_map(|id| scene.world.user(*id)).map(|user| &user.name);
    let mut body = json!({
        "event_name": match change {
            PlaceChange::Created => "project_create",
            PlaceChange::Updated => "project_update",
            PlaceChange::Renamed { .. } => "project_rename",
            PlaceChange::Transferred { .. } => "project_transfer",
            PlaceChange::Destroyed => "project_destroy",
        },
        "created_at": iso(project.created_at),
        "updated_at": iso(scene.event.at),
        "name": project.name,
        "path": project.path,
        "path_with_namespace": project.full_path,
        "project_id": project.id,
        "owner_name": names().next(),
        "owner_email": HIDDEN_EMAIL,
        "owners": names().map(|name| json!({"name": name, "email": HIDDEN_EMAIL}))
            .collect::<Vec<_>>(),
        "project_visibility": project.visibility,
    });
    if let PlaceChange::Renamed { old } | PlaceChange::Transferred { old } = change {
        body["old_path_with_namespace"] = json!(old);
    }
    body
}

/// Returns the owners of the nearest group that has some.
fn owners(scene: Scene<'_>, project: &Named<ProjectId>) -> Vec<UserId> {
    let Some(group) = project.parent else {
        return Vec::new();
    };
    scene
        .world
        .lineage(group)
        .map(|group| {
            let owner = |(user, level): (&UserId, &AccessLevel)| {
                (*level == AccessLevel::Owner).then_some(*user)
            };
            group.members.iter().filter_map(owner).collect::<Vec<_>>()
        })
        .find(|owners| !owners.is_empty())
        .unwrap_or_default()
}

/// The body of a group event for system hooks. There is none for settings and moves.
pub(super) fn group(
    scene: Scene<'_>,
    group: &Named<GroupId>,
    change: &PlaceChange,
) -> Option<Value> {
    let mut body = json!({
        "event_name": match change {
            PlaceChange::Created => "group_create",
            PlaceChange::Renamed { .. } => "group_rename",
            PlaceChange::Destroyed => "group_destroy",
            PlaceChange::Updated | PlaceChange::Transferred { .. } => return None,
        },
        "created_at": iso(group.created_at),
        "updated_at": iso(scene.event.at),
        "name": group.name,
        "path": group.path,
        "full_path": group.full_path,
        "group_id": group.id,
        "owner_name": null,
        "owner_email": null,
    });
    if let PlaceChange::Renamed { old } = change {
        body["old_full_path"] = json!(old);
        body["old_path"] = json!(old.rsplit_once('/').map_or(old.as_str(), |(_, path)| path));
    }
    Some(body)
}

/// The body of a subgroup event for hooks of the groups above it.
pub(super) fn subgroup(
    scene: Scene<'_>,
    group: &Named<GroupId>,
    change: &PlaceChange,
) -> Option<Value> {
    let parent = scene.world.group(group.parent?)?;
    Some(json!({
        "event_name": match change {
            PlaceChange::Created => "subgroup_create",
            PlaceChange::Destroyed => "subgroup_destroy",
            PlaceChange::Updated
            | PlaceChange::Renamed { .. }
            | PlaceChange::Transferred { .. } => return None,
        },
        "created_at": iso(group.created_at),
        "updated_at": iso(scene.event.at),
        "name": group.name,
        "path": group.path,
        "full_path": group.full_path,
        "group_id": group.id,
        "parent_group_id": parent.id,
        "parent_name": parent.name,
        "parent_path": parent.path,
        "parent_full_path": parent.full_path,
    }))
}
