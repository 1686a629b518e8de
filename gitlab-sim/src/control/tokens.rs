//! Commands about tokens of every kind, and about the CI jobs behind some.
//!
//! The secret of a token is in the answer to the command that makes it and nowhere else: a token is
//! named by its number afterwards, and the secret works as a name too.

use jiff::civil::Date;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Refusal, Role, find_project, find_user};
use crate::server::Shared;
use crate::world::{AccessLevel, JobPermissions, NotRotated, ProjectId, Token, TokenKind, World};

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

fn kind(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Personal => "personal",
        TokenKind::Project(_) => "project",
        TokenKind::Group(_) => "group",
        TokenKind::OAuth => "oauth",
        TokenKind::Job(_) => "job",
    }
}

fn show(world: &World, token: &Token) -> Value {
    json!({
        "id": token.id,
        "name": token.name,
        "kind": kind(token.kind),
        "job": token.job(),
        "user": world.user(token.user).map(|user| &user.username),
        "scopes": token.scopes,
        "expires_at": token.expires_at,
        "ends_at": token.ends_at,
        "last_used_at": token.last_used.get(),
        "revoked": token.revoked,
        "active": token.active(world.clock().now()) && job_runs(world, token),
    })
}

/// Tells whether the job of a token runs. A token without a job has none that could have ended.
fn job_runs(world: &World, token: &Token) -> bool {
    let job = token.job().and_then(|id| world.token_job(id));
    job.is_none_or(|job| job.finished_at.is_none())
}

/// Shows a token that was just made, with its secret.
fn show_new(world: &World, secret: &str) -> Result<Value, Refusal> {
    let mut shown = find(world, secret).map(|token| show(world, token))?;
    shown["token"] = json!(secret);
    Ok(shown)
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have one shape")]
pub(super) fn list(shared: &Shared, _: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    let rows: Vec<Value> = world.tokens().into_iter().map(|token| show(&world, token)).collect();
    Ok(json!({"tokens": rows}))
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfUser {
    #[default]
    Personal,
    Oauth,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewToken {
    user: String,
    #[serde(default)]
    kind: OfUser,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    expires_at: Option<Date>,
}

/// Checks scopes. Nothing said means `read_api`.
fn scopes(named: Option<Vec<String>>) -> Result<Vec<String>, Refusal> {
    let scopes = named.unwrap_or_else(|| vec!["read_api".to_owned()]);
    match scopes.iter().find(|scope| !SCOPES.contains(&scope.as_str())) {
        None => Ok(scopes),
        Some(unknown) => Err(Refusal::wrong(
            format!("there is no scope {unknown}"),
            format!("take some of {}", SCOPES.join(", ")),
        )),
    }
}

fn words(scopes: &[String]) -> Vec<&str> {
    scopes.iter().map(String::as_str).collect()
}

pub(super) fn add(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: NewToken = ask.read()?;
    let scopes = scopes(new.scopes)?;
    let mut world = ask.change(shared);
    let user = find_user(&world, &new.user)?.id;
    let secret = match (new.kind, new.expires_at) {
        (OfUser::Personal, day) => world.add_token(user, &words(&scopes), day),
        (OfUser::Oauth, None) => world.add_oauth_token(user, &words(&scopes)),
        (OfUser::Oauth, Some(_)) => {
            return Err(Refusal::wrong(
                "an OAuth token works for two hours, not until a day",
                "leave expires_at out",
            ));
        }
    };
    show_new(&world, &secret)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBotToken {
    name: String,
    #[serde(default)]
    access_level: Option<Role>,
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    expires_at: Option<Date>,
}

impl NewBotToken {
    fn level(&self) -> Result<AccessLevel, Refusal> {
        self.access_level.as_ref().map_or(Ok(AccessLevel::Reporter), Role::level)
    }
}

pub(super) fn add_to_project(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: NewBotToken = ask.read()?;
    let (level, scopes) = (new.level()?, scopes(new.scopes)?);
    let mut world = ask.change(shared);
    let id = ask.project_id(&world)?;
    let secret = world.add_project_token(id, &new.name, level, &words(&scopes), new.expires_at);
    show_new(&world, &secret)
}

pub(super) fn add_to_group(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let new: NewBotToken = ask.read()?;
    let (level, scopes) = (new.level()?, scopes(new.scopes)?);
    let mut world = ask.change(shared);
    let id = ask.group_id(&world)?;
    let secret = world.add_group_token(id, &new.name, level, &words(&scopes), new.expires_at);
    show_new(&world, &secret)
}

/// Finds a token by its secret or its number.
fn find<'w>(world: &'w World, name: &str) -> Result<&'w Token, Refusal> {
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

/// Finds the secret of the token that the path names.
fn secret(world: &World, ask: &Ask) -> Result<String, Refusal> {
    find(world, ask.value("token")).map(|token| token.secret.clone())
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
    let secret = secret(&world, ask)?;
    let today = world.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    world.expire(&secret, on.unwrap_or(today));
    find(&world, &secret).map(|token| show(&world, token))
}

pub(super) fn revoke(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let secret = secret(&world, ask)?;
    world.revoke(&secret);
    find(&world, &secret).map(|token| show(&world, token))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    #[serde(default)]
    expires_at: Option<Date>,
}

pub(super) fn rotate(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Rotate { expires_at } = ask.read()?;
    let mut world = ask.change(shared);
    let secret = secret(&world, ask)?;
    match world.rotate_token(&secret, expires_at) {
        Ok(fresh) => show_new(&world, &fresh),
        Err(why) => Err(match why {
            NotRotated::Unknown => Refusal::conflict(
                "tokens of this kind are not rotated",
                "name a personal, project or group token",
            ),
            NotRotated::Reused => Refusal::conflict(
                "the token was revoked before; now all tokens of its family are",
                "add a new token",
            ),
            NotRotated::Expired => Refusal::conflict("the token has expired", "add a new token"),
            NotRotated::Day(day) => Refusal::wrong(
                format!("a token cannot end on {day}"),
                "take a day within a year from now",
            ),
        }),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewJob {
    user: String,
}

pub(super) fn start_job(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let NewJob { user } = ask.read()?;
    let mut world = ask.change(shared);
    let (project, user) = (ask.project_id(&world)?, find_user(&world, &user)?.id);
    let secret = world.add_job_token(project, user);
    show_new(&world, &secret)
}

pub(super) fn finish_job(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let number = ask.number("job")?;
    let mut world = ask.change(shared);
    let secret = world
        .tokens()
        .into_iter()
        .find(|token| token.job() == Some(number))
        .map(|token| token.secret.clone())
        .ok_or_else(|| {
            Refusal::missing(
                format!("there is no job {number}"),
                "GET /_sim/tokens lists tokens with their jobs",
            )
        })?;
    if !world.finish_job(&secret) {
        return Err(Refusal::conflict(
            format!("job {number} has ended before"),
            "POST /_sim/projects/:project/jobs starts another",
        ));
    }
    find(&world, &secret).map(|token| show(&world, token))
}

fn show_allowed(world: &World, target: ProjectId) -> Value {
    let rows: Vec<Value> = world
        .projects()
        .filter(|source| source.id != target)
        .filter_map(|source| {
            let permissions = match world.job_permissions(target, source.id)? {
                JobPermissions::All => Value::Null,
                JobPermissions::Only(words) => json!(words),
            };
            Some(json!({"project": source.full_path, "permissions": permissions}))
        })
        .collect();
    json!({"allowed": rows})
}

pub(super) fn allowed(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let world = shared.read();
    ask.project_id(&world).map(|id| show_allowed(&world, id))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Allow {
    #[serde(default)]
    permissions: Option<Vec<String>>,
}

pub(super) fn allow(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let Allow { permissions } = ask.read()?;
    let mut world = ask.change(shared);
    let target = ask.project_id(&world)?;
    let source = find_project(&world, ask.value("source"))?.id;
    let entered = match permissions {
        None => world.allow_job_tokens_from(target, source),
        Some(permissions) => world.allow_job_tokens_for(target, source, &words(&permissions)),
    };
    if !entered {
        return Err(Refusal::conflict(
            "the list is full: it holds 200 projects",
            "take a project from it first",
        ));
    }
    Ok(show_allowed(&world, target))
}

pub(super) fn refuse(shared: &Shared, ask: &Ask) -> Result<Value, Refusal> {
    let mut world = ask.change(shared);
    let target = ask.project_id(&world)?;
    let source = find_project(&world, ask.value("source"))?;
    let (source, name) = (source.id, source.full_path.clone());
    if world.refuse_job_tokens_from(target, source) {
        return Ok(show_allowed(&world, target));
    }
    Err(Refusal::missing(format!("{name} is not on the list"), "GET the list to see who is"))
}
