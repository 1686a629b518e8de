//! Commands about labels.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal};
use crate::server::Shared;
use crate::world::{Label, LabelId, LabelOwner, World};

fn show(world: &World, row: &Label) -> Value {
    let owner = match row.owner {
        LabelOwner::Group(id) => world.group(id).map(|row| &row.full_path),
        LabelOwner::Project(id) => world.project(id).map(|row| &row.full_path),
    };
    json!({
        "id": row.id,
        "title": row.title,
        "owner": owner,
        "color": row.color,
        "description": row.description,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn list(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let rows: Vec<Value> = world.labels().map(|row| show(&world, row)).collect();
    Ok(json!({"labels": rows}))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Fields {
    title: Option<String>,
    color: Option<String>,
    description: Option<String>,
}

impl Fields {
    fn check(&self) -> Result<(), Refusal> {
        let bad = |title: &String| title.trim().is_empty() || title.contains(',');
        if self.title.as_ref().is_some_and(bad) {
            return Err(Refusal::wrong(
                "the title is empty or holds a comma",
                "send a title such as service::webshop",
            ));
        }
        let hex = |color: &String| {
            color.len() == 7
                && color.starts_with('#')
                && color[1..].chars().all(|c| c.is_ascii_hexdigit())
        };
        if self.color.as_ref().is_some_and(|color| !color.is_ascii() || !hex(color)) {
            return Err(Refusal::wrong("the color is none", "send one such as #1f75cb"));
        }
        Ok(())
    }
}

pub(super) fn add_to_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let owner = LabelOwner::Group(ask.group_id(&world)?);
    add(&mut world, ask, owner)
}

pub(super) fn add_to_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let owner = LabelOwner::Project(ask.project_id(&world)?);
    add(&mut world, ask, owner)
}

fn add(world: &mut World, ask: &Ask, owner: LabelOwner) -> Result<Value, Refusal> {
    let new: Fields = ask.read()?;
    new.check()?;
    let Some(title) = &new.title else {
        return Err(Refusal::wrong("the title is missing", "send {\"title\": \"bug\"}"));
    };
    let id = world.add_label(owner, title);
    world.describe_label(id, new.color.as_deref(), new.description.as_deref());
    find(world, id).map(|row| show(world, row))
}

fn find(world: &World, id: LabelId) -> Result<&Label, Refusal> {
    world.label(id).ok_or_else(|| {
        Refusal::missing(format!("there is no label {id}"), "GET /_sim/labels lists them")
    })
}

pub(super) fn edit(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let edit: Fields = ask.read()?;
    edit.check()?;
    let mut world = ask.change(shared);
    let id = LabelId::new(ask.number("label")?);
    let owner = find(&world, id)?.owner;
    if let Some(title) = &edit.title {
        let other =
            world.labels().any(|row| row.id != id && row.owner == owner && row.title == *title);
        if other {
            return Err(Refusal::conflict(
                format!("there is a label {title} in the same place"),
                "take another title, or delete that one first",
            ));
        }
        world.rename_label(id, title);
    }
    world.describe_label(id, edit.color.as_deref(), edit.description.as_deref());
    find(&world, id).map(|row| show(&world, row))
}

pub(super) fn delete(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let id = LabelId::new(ask.number("label")?);
    let title = find(&world, id)?.title.clone();
    world.delete_label(id);
    Ok(json!({"deleted": title}))
}
