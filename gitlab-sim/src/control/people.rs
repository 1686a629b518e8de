//! Commands about users and tokens.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, find_user};
use crate::server::Shared;
use crate::world::{Token, User, World};

/// The scopes that tokens can have.
const SCOPES: [&str; 8] = [
    "api",
    "read_api",
    "read_user",
    "read_repository",
    "write_repository",
    "self_rotate",
    "sudo",
    "admin_mode",
];

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

fn show_token(world: &World, token: &Token) -> Value {
    json!({
        "id": token.id,
        "token": token.secret,
        "user": world.user(token.user).map(|user| &user.username),
        "scopes": token.scopes,
        "expires_at": token.expires_at,
        "revoked": token.revoked,
    })
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn tokens(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let rows: Vec<Value> =
        world.tokens().into_iter().map(|token| show_token(&world, token)).collect();
    Ok(json!({"tokens": rows}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    user: String,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    expires_at: Option<Date>,
}

pub(super) fn add_token(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: NewToken = ask.read()?;
    let scopes = new.scopes.unwrap_or_else(|| vec!["read_api".to_owned()]);
    if let Some(unknown) = scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        return Err(Refusal::wrong(
            format!("there is no scope {unknown}"),
            format!("take some of {}", SCOPES.join(", ")),
        ));
    }
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let mut world = ask.change(shared);
    let user = find_user(&world, &new.user)?.id;
    let secret = world.add_token(user, &scopes, new.expires_at);
    find_token(&world, &secret).map(|token| show_token(&world, token))
}

/// Finds a token by its secret or its number.
fn find_token<'w>(world: &'w World, name: &str) -> Result<&'w Token, Refusal> {
    let by_number = || {
        name.parse()
            .ok()
            .and_then(|id: u64| world.tokens().into_iter().find(|token| token.id == id))
    };
    world.token(name).or_else(by_number).ok_or_else(|| {
        // The secret is not repeated: it may be a real one that was sent here by mistake.
        Refusal::missing("there is no such token", "GET /_sim/tokens lists them")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expire {
    #[serde(default)]
    on: Option<Date>,
}

pub(super) fn expire(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Expire { on } = ask.read()?;
    let mut world = ask.change(shared);
    let secret = find_token(&world, ask.value("token"))?.secret.clone();
    let today = world.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    world.expire(&secret, on.unwrap_or(today));
    find_token(&world, &secret).map(|token| show_token(&world, token))
}

pub(super) fn revoke(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let secret = find_token(&world, ask.value("token"))?.secret.clone();
    world.revoke(&secret);
    find_token(&world, &secret).map(|token| show_token(&world, token))
}
