//! What a command is asked, and how it refuses.
//!
//! A refusal names the thing and the next step: whoever reads it is writing a test and wants to go
//! on.

use std::ops::{Deref, DerefMut};

use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::rest::query::Query;
use crate::server::Shared;
use crate::world::{
    AccessLevel, Group, GroupId, ItemKind, ItemRef, Project, ProjectId, User, UserId, World,
};

/// What a command is asked.
pub(super) struct Ask {
    values: Vec<(&'static str, String)>,
    query: Query,
    body: Vec<u8>,
}

impl Ask {
    pub(super) fn new(values: Vec<(&'static str, String)>, query: Query, body: Vec<u8>) -> Self {
        Self { values, query, body }
    }

    /// Returns a part of the path. One that the pattern does not have is empty.
    pub(super) fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }

    /// Returns a parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.filled(name)
    }

    /// Returns a part of the path that must be a number.
    pub(super) fn number(&self, name: &str) -> Result<u64, Refusal> {
        let value = self.value(name);
        value.parse().map_err(|_| {
            Refusal::wrong(format!("{name} {value:?} is no number"), "give its number in the path")
        })
    }

    /// Reads the body. No body is an empty object.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let body: &[u8] = if self.body.trim_ascii().is_empty() { b"{}" } else { &self.body };
        serde_json::from_slice(body).map_err(|error| {
            Refusal::wrong(
                format!("the body is not what this command takes: {error}"),
                "GET /_sim lists the commands, docs/control.md of gitlab-sim their fields",
            )
        })
    }

    /// Locks the world to change it, on behalf of whom `?by=` names. Such a user is made if
    /// missing.
    pub(super) fn change<'s>(&self, shared: &'s Shared) -> impl DerefMut<Target = World> + 's {
        let mut world = shared.change();
        let before = world.acting();
        if let Some(username) = self.parameter("by") {
            let user = world.add_user(username);
            world.act_as(user);
        }
        Acting { world, before }
    }

    /// Finds the project that the path names, by number or full path.
    pub(super) fn project<'w>(&self, world: &'w World) -> Result<&'w Project, Refusal> {
        find_project(world, self.value("project"))
    }

    /// Finds the id of the project that the path names.
    pub(super) fn project_id(&self, world: &World) -> Result<ProjectId, Refusal> {
        self.project(world).map(|project| project.id)
    }

    /// Finds the group that the path names, by number or full path.
    pub(super) fn group<'w>(&self, world: &'w World) -> Result<&'w Group, Refusal> {
        find_group(world, self.value("group"))
    }

    /// Finds the id of the group that the path names.
    pub(super) fn group_id(&self, world: &World) -> Result<GroupId, Refusal> {
        self.group(world).map(|group| group.id)
    }

    /// Finds the user that the path names, by number or user name.
    pub(super) fn user<'w>(&self, world: &'w World) -> Result<&'w User, Refusal> {
        find_user(world, self.value("user"))
    }

    /// Finds the item that the path names.
    pub(super) fn item(&self, world: &World) -> Result<ItemRef, Refusal> {
        // Commands for one kind have its word in the path instead of a part that is left open.
        let kind = match self.value("items") {
            "merge_requests" => ItemKind::MergeRequest,
            _ => ItemKind::Issue,
        };
        self.item_of(world, kind)
    }

    /// Finds the item of a kind that the path names.
    pub(super) fn item_of(&self, world: &World, kind: ItemKind) -> Result<ItemRef, Refusal> {
        let project = self.project(world)?;
        let item = ItemRef { project: project.id, kind, iid: self.number("iid")? };
        // What a slow database does not show yet can be changed again all the same.
        if world.newest(item).is_some() {
            return Ok(item);
        }
        Err(Refusal::missing(
            format!("there is no {}{}{}", project.full_path, kind.sigil(), item.iid),
            format!("GET /api/v4/projects/{}/{} lists what there is", project.id, kind.segment()),
        ))
    }
}

/// The world while somebody acts in it.
struct Acting<W: DerefMut<Target = World>> {
    world: W,
    before: UserId,
}

impl<W: DerefMut<Target = World>> Deref for Acting<W> {
    type Target = World;

    fn deref(&self) -> &World {
        &self.world
    }
}

impl<W: DerefMut<Target = World>> DerefMut for Acting<W> {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

impl<W: DerefMut<Target = World>> Drop for Acting<W> {
    fn drop(&mut self) {
        let before = self.before;
        self.world.act_as(before);
    }
}

/// Finds a project by number or full path.
pub(super) fn find_project<'w>(world: &'w World, name: &str) -> Result<&'w Project, Refusal> {
    match name.parse() {
        Ok(number) => world.project(ProjectId::new(number)),
        Err(_) => world.find_project(name),
    }
    .ok_or_else(|| {
        let next = match world.find_moved_project(name) {
            Some(project) => format!("it is at {} now", project.full_path),
            None => "GET /_sim/projects lists them; write the slashes of a path as %2F".to_owned(),
        };
        Refusal::missing(format!("there is no project {name}"), next)
    })
}

/// Finds a group by number or full path.
pub(super) fn find_group<'w>(world: &'w World, name: &str) -> Result<&'w Group, Refusal> {
    match name.parse() {
        Ok(number) => world.group(GroupId::new(number)),
        Err(_) => world.find_group(name),
    }
    .ok_or_else(|| {
        Refusal::missing(
            format!("there is no group {name}"),
            "GET /_sim/groups lists them; write the slashes of a path as %2F",
        )
    })
}

/// Finds a user by number or user name.
pub(super) fn find_user<'w>(world: &'w World, name: &str) -> Result<&'w User, Refusal> {
    match name.parse() {
        Ok(number) => world.user(UserId::new(number)),
        Err(_) => world.find_user(name),
    }
    .ok_or_else(|| {
        Refusal::missing(
            format!("there is no user {name}"),
            "GET /_sim/users lists them; POST /_sim/users adds one",
        )
    })
}

/// Checks a path of a group or project, or one part of it.
pub(super) fn check_path(
    path: &str,
    parts: std::ops::RangeInclusive<usize>,
) -> Result<(), Refusal> {
    let good = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
            // Such a path would be taken for an id.
            && part.parse::<u64>().is_err()
    };
    let segments: Vec<&str> = path.split('/').collect();
    if parts.contains(&segments.len()) && segments.into_iter().all(good) {
        return Ok(());
    }
    let shape = if *parts.end() == 1 { "web" } else { "acme/shop/web" };
    Err(Refusal::wrong(
        format!("{path:?} is no path that GitLab would take"),
        format!("give one such as {shape}: letters, digits, - _ . and not digits alone"),
    ))
}

/// A role, as GitLab's number or its word.
#[derive(Debug, serde::Deserialize)]
#[serde(untagged)]
pub(super) enum Role {
    Number(u64),
    Word(String),
}

impl Role {
    /// Returns the role.
    pub(super) fn level(&self) -> Result<AccessLevel, Refusal> {
        const LEVELS: [(&str, AccessLevel); 6] = [
            ("guest", AccessLevel::Guest),
            ("planner", AccessLevel::Planner),
            ("reporter", AccessLevel::Reporter),
            ("developer", AccessLevel::Developer),
            ("maintainer", AccessLevel::Maintainer),
            ("owner", AccessLevel::Owner),
        ];
        let found = LEVELS.iter().find(|(word, level)| match self {
            Self::Number(number) => level.number() == *number,
            Self::Word(text) => text.eq_ignore_ascii_case(word),
        });
        found.map(|(_, level)| *level).ok_or_else(|| {
            Refusal::wrong(
                "access_level is no role",
                "take 10, 15, 20, 30, 40, 50, or guest, planner, reporter, developer, \
                 maintainer, owner",
            )
        })
    }
}

/// Why a command was not carried out, and what to do about it.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: String,
    next: String,
}

impl Refusal {
    /// The command makes no sense.
    pub(super) fn wrong(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error: error.into(), next: next.into() }
    }

    /// What it speaks of is not there.
    pub(super) fn missing(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::NOT_FOUND, error: error.into(), next: next.into() }
    }

    /// The state of the world forbids it.
    pub(super) fn conflict(error: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status: StatusCode::CONFLICT, error: error.into(), next: next.into() }
    }

    /// The address knows other verbs.
    pub(super) fn method(error: impl Into<String>) -> Self {
        Self {
            status: StatusCode::METHOD_NOT_ALLOWED,
            error: error.into(),
            next: "GET /_sim lists the commands".to_owned(),
        }
    }

    /// Renders it.
    pub(super) fn render(self) -> (StatusCode, Value) {
        (self.status, json!({"error": self.error, "next": self.next}))
    }
}
