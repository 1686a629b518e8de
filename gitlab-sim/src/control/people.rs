//! Commands about users.

use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, find_user};
use crate::server::Shared;
use crate::world::User;

fn show_user(user: &User) -> Value {
    json!({
        "id": user.id,
        "username": user.username,
        "name": user.name,
        "admin": user.admin,
        "bot": user.bot,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn users(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    Ok(json!({"users": shared.read().users().map(show_user).collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewUser {
    username: String,
    #[serde(default)]
    admin: bool,
}

pub(super) fn add_user(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: NewUser = ask.read()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if new.username.is_empty() || !new.username.chars().all(fits) {
        return Err(Refusal::wrong(
            format!("{:?} is no user name", new.username),
            "take letters, digits, - _ .",
        ));
    }
    let mut world = ask.change(shared);
    let id = world.add_user(&new.username);
    world.set_admin(id, new.admin);
    find_user(&world, &new.username).map(show_user)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EditUser {
    admin: bool,
}

pub(super) fn edit_user(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let EditUser { admin } = ask.read()?;
    let mut world = ask.change(shared);
    let id = ask.user(&world)?.id;
    world.set_admin(id, admin);
    ask.user(&world).map(show_user)
}
