//! The rotation of tokens: the one thing that a request of a client changes.
//!
//! First the request is judged against the world as it is ([`order`]), then the order is carried
//! out. A token that was rotated away before and is presented here again takes its whole family
//! down, so that two clients that rotate the same token lock each other out, as on GitLab.

use axum::http::{HeaderMap, Method, header};
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;

use super::Call;
use super::answer::{Answer, Failure};
use super::query::Query;
use super::tokens::{self, TokenShape};
use crate::asked::Asked;
use crate::auth::{self, JobTokens};
use crate::world::token::LONGEST_DAYS;
use crate::world::{AccessLevel, Caller, NotRotated, Token, TokenKind, World};

/// Which token is to be rotated.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target<'r> {
    /// The one that is presented.
    Own,
    /// A personal token by its id.
    Token(&'r str),
    /// A token of a project, by project and id.
    Project(&'r str, &'r str),
    /// A token of a group, by group and id.
    Group(&'r str, &'r str),
}

/// A rotation that may take place.
#[derive(Debug)]
pub(crate) struct Order {
    secret: String,
    expires_at: Option<Date>,
}

/// Returns what a request wants to rotate, if that is what it wants.
pub(crate) fn target<'r>(asked: &Asked<'r>) -> Option<Target<'r>> {
    if *asked.method != Method::POST {
        return None;
    }
    match asked.segments().as_slice() {
        ["personal_access_tokens", "self", "rotate"] => Some(Target::Own),
        ["personal_access_tokens", id, "rotate"] => Some(Target::Token(id)),
        ["projects", project, "access_tokens", id, "rotate"] => Some(Target::Project(project, id)),
        ["groups", group, "access_tokens", id, "rotate"] => Some(Target::Group(group, id)),
        _ => None,
    }
}

/// Returns the failure of a body that cannot be read.
pub(crate) fn unreadable() -> Failure {
    Failure::Invalid("message body does not match declared format".to_owned())
}

/// Joins the parameters of a query with those of a body, which is JSON or a form.
pub(crate) fn parameters(
    query: &Query,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Query, Failure> {
    let mut joined = query.clone();
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.contains("json")) {
        if body.iter().all(u8::is_ascii_whitespace) {
            return Ok(joined);
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
            return Err(unreadable());
        };
        for (name, value) in fields {
            match value {
                Value::Null => joined.remove(&name),
                Value::String(text) => joined.set(&name, text),
                other => joined.set(&name, other.to_string()),
            }
        }
    } else {
        let form = Query::parse(&String::from_utf8_lossy(body));
        if let Some(day) = form.text("expires_at") {
            joined.set("expires_at", day);
        }
    }
    Ok(joined)
}

/// Decides whether a rotation may take place.
pub(crate) fn order(call: &Call<'_>, target: Target<'_>) -> Result<Order, Failure> {
    let Caller::User { token, .. } = call.caller else {
        return Err(Failure::Unauthorized);
    };
    let subject = match target {
        Target::Own => {
            if !token.is_personal() {
                return Err(Failure::WrongToken);
            }
            call.scoped(&["api", "self_rotate"], "api self_rotate")?;
            token
        }
        Target::Token(id) => {
            call.scoped(&["api"], "api")?;
            tokens::find(call, id)?
        }
        Target::Project(project, id) => {
            call.scoped(&["api"], "api")?;
            let project = call.project(&super::query::decode(project, false))?;
            let level = call.world.access(call.caller, project);
            if level.is_none_or(|level| level < AccessLevel::Maintainer) {
                return Err(Failure::Forbidden);
            }
            of_kind(call, id, TokenKind::Project(project.id))?
        }
        Target::Group(group, id) => {
            call.scoped(&["api"], "api")?;
            let group = call.group(&super::query::decode(group, false))?;
            let level = call.world.group_access(call.caller, group);
            if level.is_none_or(|level| level < AccessLevel::Owner) {
                return Err(Failure::Forbidden);
            }
            of_kind(call, id, TokenKind::Group(group.id))?
        }
    };
    let expires_at = call
        .query
        .filled("expires_at")
        .map(|day| day.parse().map_err(|_| Failure::Invalid("expires_at is invalid".to_owned())))
        .transpose()?;
    Ok(Order { secret: subject.secret.clone(), expires_at })
}

fn of_kind<'w>(call: &Call<'w>, id: &str, kind: TokenKind) -> Result<&'w Token, Failure> {
    id.parse()
        .ok()
        .and_then(|id| call.world.find_token(id))
        .filter(|token| token.kind == kind)
        .ok_or(Failure::NoRecord)
}

/// A new token, with its secret, which is shown this once.
#[derive(Serialize)]
struct Fresh<'w> {
    #[serde(flatten)]
    row: TokenShape<'w>,
    token: &'w str,
}

/// Rotates.
pub(crate) fn carry_out(world: &mut World, order: &Order) -> Result<Answer, Failure> {
    let secret =
        world.rotate_token(&order.secret, order.expires_at).map_err(|reason| refused(&reason))?;
    let now = world.clock().now();
    let token = world.token(&secret).ok_or(Failure::NoRecord)?;
    Ok(Answer::json(&Fresh { row: TokenShape::new(token, now), token: &secret }))
}

/// Notes that a revoked token was presented for rotation, and returns the refusal.
pub(crate) fn reuse(world: &mut World, asked: &Asked<'_>) -> Failure {
    let found = auth::find_token(world, asked.headers, asked.query, JobTokens::Ignored);
    let secret = found.ok().flatten().map(|token| token.secret.clone());
    if let Some(secret) = secret {
        // The rotation of a revoked token never succeeds; it ends the family.
        let _ = world.rotate_token(&secret, None);
    }
    Failure::Revoked
}

fn refused(reason: &NotRotated) -> Failure {
    match reason {
        NotRotated::Unknown | NotRotated::Reused | NotRotated::Expired => Failure::Unauthorized,
        NotRotated::Day(day) => Failure::BadRequest(format!(
            "Expiration date {day} must be today or one of the {LONGEST_DAYS} days after it"
        )),
    }
}
