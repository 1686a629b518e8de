//! Commands about groups, projects and their members.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, Role, check_path, find_group, find_project};
use crate::server::Shared;
use crate::world::{AccessLevel, Group, MemberOf, NewProject, Project, UserId, Visibility, World};

/// The name of a project or group: its number or its path.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Name {
    Number(u64),
    Path(String),
}

impl Name {
    /// Returns it as it would be in a path.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Path(path) => path.clone(),
        }
    }
}

fn members(world: &World, of: &BTreeMap<UserId, AccessLevel>) -> Value {
    of.iter()
        .filter_map(|(id, level)| Some((world.user(*id)?.username.clone(), json!(level.number()))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn show_group(world: &World, row: &Group) -> Value {
    json!({
        "id": row.id,
        "full_path": row.full_path,
        "name": row.name,
        "description": row.description,
        "visibility": row.visibility,
        "marked_for_deletion_on": row.marked_for_deletion_on,
        "members": members(world, &row.members),
    })
}

fn show_project(world: &World, row: &Project) -> Value {
    json!({
        "id": row.id,
        "full_path": row.full_path,
        "name": row.name,
        "description": row.description,
        "visibility": row.visibility,
        "topics": row.topics,
        "archived": row.archived,
        "hidden": row.hidden,
        "marked_for_deletion_on": row.marked_for_deletion_on,
        "files": row.files.len(),
        "issues": row.issues.len(),
        "merge_requests": row.merge_requests.len(),
        "members": members(world, &row.members),
    })
}

fn taken(path: &str) -> Refusal {
    Refusal::conflict(
        format!("the path {path} is taken, or lies below what would move there"),
        "take another path; GET /_sim/projects and GET /_sim/groups list them",
    )
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn groups(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let rows: Vec<Value> = world.groups().map(|row| show_group(&world, row)).collect();
    Ok(json!({"groups": rows}))
}

pub(super) fn group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    ask.group(&world).map(|row| show_group(&world, row))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddGroup {
    full_path: String,
    #[serde(default)]
    visibility: Option<Visibility>,
}

pub(super) fn add_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: AddGroup = ask.read()?;
    check_path(&new.full_path, 1..=20)?;
    let mut world = ask.change(shared);
    check_free(&world, &new.full_path)?;
    let id = world.add_group(&new.full_path);
    if let Some(visibility) = new.visibility {
        world.set_group_visibility(id, visibility);
    }
    find_group(&world, &new.full_path).map(|row| show_group(&world, row))
}

/// Checks that a path is free, and that what lies above it are groups.
fn check_free(world: &World, full_path: &str) -> Result<(), Refusal> {
    if world.is_taken(full_path) {
        return Err(taken(full_path));
    }
    let mut above = full_path;
    while let Some((parent, _)) = above.rsplit_once('/') {
        if world.find_project(parent).is_some() {
            return Err(taken(parent));
        }
        above = parent;
    }
    Ok(())
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EditGroup {
    path: Option<String>,
    name: Option<String>,
    description: Option<String>,
    visibility: Option<Visibility>,
}

pub(super) fn edit_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let edit: EditGroup = ask.read()?;
    let mut world = ask.change(shared);
    let (id, old) = ask.group(&world).map(|row| (row.id, row.path.clone()))?;
    if let Some(path) = edit.path.filter(|path| *path != old) {
        check_path(&path, 1..=1)?;
        if !world.rename_group(id, &path) {
            return Err(taken(&path));
        }
    }
    if edit.name.is_some() || edit.description.is_some() {
        world.describe_group(id, edit.name.as_deref(), edit.description.as_deref());
    }
    if let Some(visibility) = edit.visibility {
        world.set_group_visibility(id, visibility);
    }
    find_group(&world, &id.to_string()).map(|row| show_group(&world, row))
}

pub(super) fn delete_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let (id, path) = ask.group(&world).map(|row| (row.id, row.full_path.clone()))?;
    world.delete_group(id);
    Ok(json!({"deleted": path}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Transfer {
    to: Option<Name>,
}

pub(super) fn transfer_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Transfer { to } = ask.read()?;
    let mut world = ask.change(shared);
    let id = ask.group_id(&world)?;
    let to = to.map(|name| find_group(&world, &name.text()).map(|row| row.id)).transpose()?;
    if !world.transfer_group(id, to) {
        return Err(taken(&ask.group(&world)?.path));
    }
    find_group(&world, &id.to_string()).map(|row| show_group(&world, row))
}

pub(super) fn mark_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    set_group_mark(shared, ask, true)
}

pub(super) fn restore_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    set_group_mark(shared, ask, false)
}

fn set_group_mark(shared: &Shared, ask: &Ask, marked: bool) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let id = ask.group_id(&world)?;
    world.mark_group_for_deletion(id, marked);
    ask.group(&world).map(|row| show_group(&world, row))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Join {
    access_level: Role,
}

pub(super) fn join_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let level = ask.read::<Join>()?.access_level.level()?;
    let mut world = ask.change(shared);
    let (id, user) = (ask.group_id(&world)?, ask.user(&world)?.id);
    world.add_group_member(id, user, level);
    ask.group(&world).map(|row| show_group(&world, row))
}

pub(super) fn leave_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let of = MemberOf::Group(ask.group_id(&world)?);
    leave(&mut world, ask, of)?;
    ask.group(&world).map(|row| show_group(&world, row))
}

pub(super) fn join_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let level = ask.read::<Join>()?.access_level.level()?;
    let mut world = ask.change(shared);
    let (id, user) = (ask.project_id(&world)?, ask.user(&world)?.id);
    world.add_project_member(id, user, level);
    ask.project(&world).map(|row| show_project(&world, row))
}

pub(super) fn leave_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let of = MemberOf::Project(ask.project_id(&world)?);
    leave(&mut world, ask, of)?;
    ask.project(&world).map(|row| show_project(&world, row))
}

fn leave(world: &mut World, ask: &Ask, of: MemberOf) -> Result<(), Refusal> {
    let (user, name) = ask.user(world).map(|user| (user.id, user.username.clone()))?;
    let left = match of {
        MemberOf::Group(id) => world.remove_group_member(id, user),
        MemberOf::Project(id) => world.remove_project_member(id, user),
    };
    if left {
        return Ok(());
    }
    Err(Refusal::missing(
        format!("{name} is no direct member"),
        "a role that comes from a group above ends there",
    ))
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn projects(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let rows: Vec<Value> = world.projects().map(|row| show_project(&world, row)).collect();
    Ok(json!({"projects": rows}))
}

pub(super) fn project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    ask.project(&world).map(|row| show_project(&world, row))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AddProject {
    full_path: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    topics: Vec<String>,
    #[serde(default)]
    visibility: Option<Visibility>,
    #[serde(default)]
    archived: bool,
    #[serde(default)]
    default_branch: Option<String>,
    #[serde(default)]
    forked_from: Option<Name>,
}

pub(super) fn add_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: AddProject = ask.read()?;
    check_path(&new.full_path, 2..=21)?;
    let mut project = NewProject::at(&new.full_path)
        .topics(&new.topics)
        .archived(new.archived)
        .visibility(new.visibility.unwrap_or(Visibility::Private));
    if let Some(name) = &new.name {
        project = project.name(name);
    }
    if let Some(text) = &new.description {
        project = project.description(text);
    }
    if let Some(branch) = &new.default_branch {
        project = project.default_branch(branch);
    }
    let mut world = ask.change(shared);
    check_free(&world, &new.full_path)?;
    if let Some(origin) = &new.forked_from {
        project = project.forked_from(find_project(&world, &origin.text())?.id);
    }
    let id = world.add_project(project);
    find_project(&world, &id.to_string()).map(|row| show_project(&world, row))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EditProject {
    path: Option<String>,
    name: Option<String>,
    description: Option<String>,
    topics: Option<Vec<String>>,
    visibility: Option<Visibility>,
    archived: Option<bool>,
    hidden: Option<bool>,
}

pub(super) fn edit_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let edit: EditProject = ask.read()?;
    let mut world = ask.change(shared);
    let (id, old) = ask.project(&world).map(|row| (row.id, row.path.clone()))?;
    if let Some(path) = edit.path.filter(|path| *path != old) {
        check_path(&path, 1..=1)?;
        if !world.rename_project(id, &path) {
            return Err(taken(&path));
        }
    }
    if edit.name.is_some() || edit.description.is_some() {
        world.describe_project(id, edit.name.as_deref(), edit.description.as_deref());
    }
    if let Some(topics) = edit.topics {
        world.set_topics(id, topics);
    }
    if let Some(visibility) = edit.visibility {
        world.set_visibility(id, visibility);
    }
    if let Some(archived) = edit.archived {
        world.archive(id, archived);
    }
    if let Some(hidden) = edit.hidden {
        world.hide_project(id, hidden);
    }
    find_project(&world, &id.to_string()).map(|row| show_project(&world, row))
}

pub(super) fn delete_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let (id, path) = ask.project(&world).map(|row| (row.id, row.full_path.clone()))?;
    world.delete_project(id);
    Ok(json!({"deleted": path}))
}

pub(super) fn transfer_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Transfer { to } = ask.read()?;
    let Some(to) = to.map(|name| name.text()) else {
        return Err(Refusal::wrong(
            "a project needs a group",
            "send {\"to\": \"acme/shop\"}; a missing group is made",
        ));
    };
    let mut world = ask.change(shared);
    let id = ask.project_id(&world)?;
    let group = match find_group(&world, &to) {
        Ok(group) => group.full_path.clone(),
        Err(refusal) => {
            check_path(&to, 1..=20).map_err(|_| refusal)?;
            check_free(&world, &to)?;
            to
        }
    };
    if !world.transfer_project(id, &group) {
        return Err(taken(&format!("{group}/{}", ask.project(&world)?.path)));
    }
    find_project(&world, &id.to_string()).map(|row| show_project(&world, row))
}

pub(super) fn mark_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let id = ask.project_id(&world)?;
    world.mark_for_deletion(id);
    ask.project(&world).map(|row| show_project(&world, row))
}

pub(super) fn restore_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let id = ask.project_id(&world)?;
    world.restore_project(id);
    ask.project(&world).map(|row| show_project(&world, row))
}
