//! Who sent a request.
//!
//! A token that nobody knows is a refusal even where everybody may look: GitLab never falls back to
//! anonymous. Tokens in the query are taken too, as GitLab still takes them.

use axum::http::{HeaderMap, header};
use jiff::tz::TimeZone;

use crate::rest::answer::Failure;
use crate::rest::query::Query;
use crate::world::{Caller, World};

/// Finds the caller behind a request.
pub(crate) fn caller<'w>(
    world: &'w World,
    headers: &HeaderMap,
    query: &Query,
) -> Result<Caller<'w>, Failure> {
    let private = headers.get("private-token").and_then(|value| value.to_str().ok());
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim());
    let secret = private
        .or(bearer)
        .or_else(|| query.text("private_token"))
        .or_else(|| query.text("access_token"))
        .filter(|secret| !secret.is_empty());
    let Some(secret) = secret else {
        return Ok(Caller::Anonymous);
    };
    let token = world.token(secret).ok_or(Failure::Unauthorized)?;
    let user = world.user(token.user).ok_or(Failure::Unauthorized)?;
    if token.revoked {
        return Err(Failure::Revoked);
    }
    let today = world.clock().now().to_zoned(TimeZone::UTC).date();
    if token.expires_at.is_some_and(|day| day <= today) {
        return Err(Failure::Expired);
    }
    Ok(Caller::User { user, token })
}
