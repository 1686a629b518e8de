//! Who sent a request.
//!
//! A token that nobody knows is a refusal even where everybody may look: GitLab never falls back to
//! anonymous. Tokens in the query are taken too, as GitLab still takes them. The token of a CI job
//! is looked up only on routes that opt in, which `job_route` lists; elsewhere it is as if it had
//! not been sent. Deploy tokens are of no use here: no route that is served takes them.

pub(crate) mod job_route;

use axum::http::{HeaderMap, header};

use crate::rest::answer::Failure;
use crate::rest::query::Query;
use crate::world::token::JOB_PREFIX;
use crate::world::{Caller, Token, TokenKind, User, UserId, World};

/// Whether the token of a CI job is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobTokens {
    /// The route opts in.
    Taken,
    /// It does not: such a token is not even looked at.
    Ignored,
}

/// A secret as it was sent, by what it may be.
#[derive(Debug, Clone, Copy)]
enum Sent<'r> {
    /// In `PRIVATE-TOKEN` or `private_token`: a personal, project or group token.
    Private(&'r str),
    /// In `Authorization: Bearer` or `access_token`: these, or an OAuth token.
    Bearer(&'r str),
    /// In `JOB-TOKEN` or `job_token`, or as a bearer that looks like one.
    Job(&'r str),
}

/// Finds the caller behind a request.
pub(crate) fn caller<'w>(
    world: &'w World,
    headers: &HeaderMap,
    query: &Query,
    jobs: JobTokens,
) -> Result<Caller<'w>, Failure> {
    let Some(token) = find_token(world, headers, query, jobs)? else {
        return match sudo(headers, query) {
            Some(_) => Err(Failure::Unauthorized),
            None => Ok(Caller::Anonymous),
        };
    };
    let now = world.clock().now();
    if token.expired(now) {
        return Err(Failure::Expired);
    }
    if token.revoked {
        return Err(Failure::Revoked);
    }
    let owner = world.user(token.user).ok_or(Failure::Unauthorized)?;
    token.last_used.mark(now);
    let user = match sudo(headers, query) {
        Some(name) => become_another(world, owner, token, name)?,
        None => owner,
    };
    Ok(Caller::User { user, token })
}

/// Finds the token of a request, even one that no longer works.
pub(crate) fn find_token<'w>(
    world: &'w World,
    headers: &HeaderMap,
    query: &Query,
    jobs: JobTokens,
) -> Result<Option<&'w Token>, Failure> {
    let Some(sent) = sent(headers, query, jobs) else {
        return Ok(None);
    };
    let token = match sent {
        Sent::Private(secret) => world.token(secret).filter(|token| token.is_personal()),
        Sent::Bearer(secret) => world
            .token(secret)
            .filter(|token| token.is_personal() || token.kind == TokenKind::OAuth),
        Sent::Job(secret) => world.token(secret).filter(|token| {
            let job = token.job().and_then(|job| world.token_job(job));
            job.is_some_and(|job| job.finished_at.is_none())
        }),
    };
    token.map(Some).ok_or(Failure::Unauthorized)
}

/// Returns the secret that GitLab would take from a request.
fn sent<'r>(headers: &'r HeaderMap, query: &'r Query, jobs: JobTokens) -> Option<Sent<'r>> {
    let header = |name: &str| {
        headers
            .get(name)
            // Bytes that are no text are a token all the same: one that nobody knows.
            .map(|value| value.to_str().unwrap_or("\u{FFFD}").trim())
            .filter(|value| !value.is_empty())
    };
    let bearer = header(header::AUTHORIZATION.as_str())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim())
        .filter(|secret| !secret.is_empty());
    let is_job = |secret: &&str| secret.starts_with(JOB_PREFIX);
    if jobs == JobTokens::Taken {
        let job = header("job-token")
            .or_else(|| query.filled("job_token"))
            .or_else(|| bearer.filter(is_job));
        if let Some(secret) = job {
            return Some(Sent::Job(secret));
        }
    }
    // What looks like a job token is passed over, not refused.
    let other = |secret: &&str| !is_job(secret);
    header("private-token")
        .filter(other)
        .map(Sent::Private)
        .or_else(|| bearer.filter(other).map(Sent::Bearer))
        .or_else(|| query.filled("private_token").filter(other).map(Sent::Private))
        .or_else(|| query.filled("access_token").filter(other).map(Sent::Bearer))
}

/// Returns the user that an administrator wants to act as.
fn sudo<'r>(headers: &'r HeaderMap, query: &'r Query) -> Option<&'r str> {
    headers
        .get("sudo")
        .and_then(|value| value.to_str().ok())
        .filter(|name| !name.is_empty())
        .or_else(|| query.filled("sudo"))
}

fn become_another<'w>(
    world: &'w World,
    owner: &User,
    token: &Token,
    name: &str,
) -> Result<&'w User, Failure> {
    if !owner.admin {
        return Err(Failure::Denied("Must be admin to use sudo".to_owned()));
    }
    if token.job().is_some() {
        return Err(Failure::Denied(
            "Must be authenticated using an OAuth or personal access token to use sudo".to_owned(),
        ));
    }
    if !token.scopes.contains("sudo") {
        return Err(Failure::InsufficientScope("sudo"));
    }
    let user = match name.parse() {
        Ok(id) => world.user(UserId::new(id)),
        Err(_) => world.find_user(name),
    };
    user.ok_or_else(|| Failure::Missing(format!("User with ID or username '{name}'")))
}
