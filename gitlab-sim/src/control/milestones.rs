//! Commands about milestones.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::server::Shared;
use crate::world::{MilestoneId, MilestoneOwner, World};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wish {
    title: Option<String>,
    description: Option<String>,
    closed: Option<bool>,
    start_date: Option<Date>,
    due_date: Option<Date>,
}

fn show(world: &World, id: MilestoneId) -> Value {
    world.milestone(id).map_or(Value::Null, |row| {
        json!({
            "id": row.id,
            "iid": row.iid,
            "title": row.title,
            "description": row.description,
            "state": row.state(),
            "start_date": row.start_date,
            "due_date": row.due_date,
        })
    })
}

fn apply(world: &mut World, id: MilestoneId, wish: Wish) -> Value {
    world.edit_milestone(id, |row| {
        row.title = wish.title.unwrap_or_else(|| row.title.clone());
        row.description = wish.description.unwrap_or_else(|| row.description.clone());
        row.closed = wish.closed.unwrap_or(row.closed);
        row.start_date = wish.start_date.or(row.start_date);
        row.due_date = wish.due_date.or(row.due_date);
    });
    show(world, id)
}

fn add(world: &mut World, owner: MilestoneOwner, wish: Wish) -> Result<Value, Refusal> {
    let title =
        wish.title.clone().filter(|title| !title.trim().is_empty()).ok_or_else(|| {
            Refusal::wrong("a milestone needs a title", "send {\"title\": \"v1.0\"}")
        })?;
    let id = world.add_milestone(owner, &title);
    Ok(apply(world, id, wish))
}

pub(super) fn add_to_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let wish = ask.read()?;
    let mut world = ask.change(shared);
    let owner = MilestoneOwner::Project(ask.project_id(&world)?);
    add(&mut world, owner, wish)
}

pub(super) fn add_to_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let wish = ask.read()?;
    let mut world = ask.change(shared);
    let owner = MilestoneOwner::Group(ask.group_id(&world)?);
    add(&mut world, owner, wish)
}

pub(super) fn edit(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let wish: Wish = ask.read()?;
    let mut world = ask.change(shared);
    let id = MilestoneId::new(ask.number("milestone")?);
    if world.milestone(id).is_none() {
        return Err(Refusal::missing(
            format!("there is no milestone {id}"),
            "the answer to the POST that made it has its id",
        ));
    }
    Ok(apply(&mut world, id, wish))
}
