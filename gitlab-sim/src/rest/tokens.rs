//! What a token may learn about itself and its like.

use jiff::civil::Date;
use serde::Serialize;
use serde_json::{Value, json};

use super::answer::{API_SCOPES, Answer, Failure};
use super::project_shape::visibility_word;
use super::query::Query;
use super::shape::Stamp;
use super::{Call, paging};
use crate::world::{AccessLevel, Caller, Group, Project, Token, UserId};

/// A token without its secret.
#[derive(Debug, Serialize)]
pub(super) struct TokenShape<'w> {
    id: u64,
    name: &'w str,
    revoked: bool,
    created_at: Stamp,
    description: Option<&'w str>,
    scopes: Vec<&'w str>,
    user_id: UserId,
    last_used_at: Option<Stamp>,
    active: bool,
    expires_at: Option<Date>,
}

impl<'w> TokenShape<'w> {
    pub(super) fn new(token: &'w Token, now: jiff::Timestamp) -> Self {
        Self {
            id: token.id,
            name: &token.name,
            revoked: token.revoked,
            created_at: Stamp(token.created_at),
            description: token.description.as_deref(),
            scopes: token.scopes.iter().map(String::as_str).collect(),
            user_id: token.user,
            last_used_at: token.last_used.get().map(Stamp),
            active: token.active(now),
            expires_at: token.expires_at,
        }
    }
}

/// Returns the personal, project or group token of the caller. An OAuth token has no row there.
fn presented<'w>(call: &Call<'w>) -> Result<&'w Token, Failure> {
    match call.caller {
        Caller::Anonymous => Err(Failure::Unauthorized),
        Caller::User { token, .. } if token.is_personal() => Ok(token),
        Caller::User { .. } => Err(Failure::NoRecord),
    }
}

/// `GET /personal_access_tokens/self`
pub(super) fn own(call: &Call<'_>) -> Result<Answer, Failure> {
    Ok(Answer::json(&TokenShape::new(presented(call)?, call.world.clock().now())))
}

/// `GET /personal_access_tokens/:id`
pub(super) fn one(call: &Call<'_>, id: &str) -> Result<Answer, Failure> {
    call.scoped(&["api", "read_api"], API_SCOPES)?;
    let token = find(call, id)?;
    Ok(Answer::json(&TokenShape::new(token, call.world.clock().now())))
}

/// Finds a token by the id of a path. To all but administrators another's token and one that does
/// not exist are the same.
pub(super) fn find<'w>(call: &Call<'w>, id: &str) -> Result<&'w Token, Failure> {
    let user = call.caller.user().ok_or(Failure::Unauthorized)?;
    let token = id.parse().ok().and_then(|id| call.world.find_token(id));
    match token {
        Some(token) if user.admin || token.user == user.id => Ok(token),
        None if user.admin => Err(Failure::NoRecord),
        Some(_) | None => Err(Failure::Unauthorized),
    }
}

/// `GET /personal_access_tokens`
pub(super) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    call.scoped(&["api", "read_api"], API_SCOPES)?;
    let user = call.caller.user().ok_or(Failure::Unauthorized)?;
    let (query, now) = (&call.query, call.world.clock().now());
    let asked = query.number("user_id")?;
    let is_asked = |token: &Token| {
        asked.is_none_or(|id| i64::try_from(token.user.get()).is_ok_and(|own| own == id))
    };
    if !user.admin && asked.is_some_and(|id| i64::try_from(user.id.get()) != Ok(id)) {
        return Err(Failure::Unauthorized);
    }
    let revoked = query.flag("revoked")?;
    let state = query.one_of("state", &["active", "inactive"])?;
    let words = query.filled("search").map(str::to_lowercase);
    let (after, before) = (query.time("created_after")?, query.time("created_before")?);
    let rows: Vec<&Token> = call
        .world
        .tokens()
        .into_iter()
        .filter(|token| token.is_personal() && (user.admin || token.user == user.id))
        .filter(|token| is_asked(token))
        .filter(|token| revoked.is_none_or(|revoked| token.revoked == revoked))
        .filter(|token| state.is_none_or(|word| token.active(now) == (word == "active")))
        .filter(|token| {
            words.as_ref().is_none_or(|words| token.name.to_lowercase().contains(words))
        })
        .filter(|token| after.is_none_or(|after| token.created_at >= after))
        .filter(|token| before.is_none_or(|before| token.created_at <= before))
        .collect();
    paging::list(call, query.clone(), &rows, |token| TokenShape::new(token, now))
}

/// `GET /personal_access_tokens/self/associations`
pub(super) fn associations(call: &Call<'_>) -> Result<Answer, Failure> {
    presented(call)?;
    let least = least_level(&call.query)?;
    let (world, caller) = (call.world, call.caller);
    let enough = |level: Option<AccessLevel>| level.filter(|level| level.number() >= least);
    let groups: Vec<(&Group, AccessLevel)> = world
        .groups()
        .filter_map(|group| Some((group, enough(world.group_access(caller, group))?)))
        .collect();
    let projects: Vec<(&Project, AccessLevel)> = world
        .projects()
        .filter_map(|project| Some((project, enough(world.access(caller, project))?)))
        .collect();
    let groups: Vec<Value> = paging::window(&call.query, &groups)?
        .iter()
        .map(|(group, level)| group_shape(call, group, *level))
        .collect();
    let projects: Vec<Value> = paging::window(&call.query, &projects)?
        .iter()
        .map(|(project, _)| project_shape(call, project))
        .collect();
    Ok(Answer::json(&json!({"groups": groups, "projects": projects})))
}

/// Returns the role from which on a group or project is listed: guest, when nothing is said.
fn least_level(query: &Query) -> Result<u64, Failure> {
    let levels = ["5", "10", "15", "20", "30", "40", "50"];
    let word = query.one_of("min_access_level", &levels)?;
    Ok(word.and_then(|word| word.parse().ok()).unwrap_or(10))
}

fn group_shape(call: &Call<'_>, group: &Group, level: AccessLevel) -> Value {
    json!({
        "id": group.id,
        "web_url": format!("{}/groups/{}", call.site.url, group.full_path),
        "name": group.name,
        "parent_id": group.parent,
        "organization_id": 1,
        "access_levels": level.number(),
        "visibility": visibility_word(group.visibility),
    })
}

fn project_shape(call: &Call<'_>, project: &Project) -> Value {
    let group = call.world.group(project.group);
    let user = call.caller.user().map(|user| user.id);
    let direct = user.and_then(|user| project.members.get(&user)).map(|level| level.number());
    let inherited = group
        .and_then(|group| call.world.group_access(call.caller, group))
        .map(AccessLevel::number);
    let above = group.map_or("", |group| group.full_name.as_str());
    json!({
        "id": project.id,
        "description": project.description,
        "name": project.name,
        "name_with_namespace": format!("{above} / {}", project.name),
        "path": project.path,
        "path_with_namespace": project.full_path,
        "created_at": Stamp(project.created_at),
        "access_levels": {"project_access_level": direct, "group_access_level": inherited},
        "visibility": visibility_word(project.visibility),
        "web_url": format!("{}/{}", call.site.url, project.full_path),
        "namespace": group.map(|group| json!({
            "id": group.id,
            "name": group.name,
            "path": group.path,
            "kind": "group",
            "full_path": group.full_path,
            "parent_id": group.parent,
            "avatar_url": null,
            "web_url": format!("{}/groups/{}", call.site.url, group.full_path),
        })),
    })
}
