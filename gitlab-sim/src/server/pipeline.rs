//! The way that every request takes.
//!
//! At the door (`admission`) its caller is found and it is counted against the limits, and the
//! `rest` module answers from the locked world. No await happens under the lock. Requests that would
//! change something are refused, but for the rotation of tokens. The log is kept by `entry`.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};

use super::admission::{Admitted, describe};
use super::{Shared, Site};
use crate::asked::Asked;
use crate::graphql;
use crate::hash::digest32;
use crate::rest::answer::{Answer, CONSTANT_ETAG, Failure};
use crate::rest::query::Query;
use crate::rest::rotation::{self, Target};
use crate::rest::{self, Call};
use crate::world::{ProjectId, World};

/// The longest address that is taken, in bytes: that of NGINX, which answers longer ones itself.
const LONGEST_ADDRESS: usize = 8 * 1024;

/// The longest body that is read of a request that rotates a token, in bytes. GitLab takes more;
/// none needs it.
const LONGEST_FORM: usize = 64 * 1024;

/// Answers one request.
pub(super) async fn handle(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    if path.len() + query.len() > LONGEST_ADDRESS {
        return Answer::too_long().into_response();
    }
    let parsed = Query::parse(query);
    let asked = Asked {
        method: &parts.method,
        path,
        query: &parsed,
        headers: &parts.headers,
        address: shared.limits.address(&parts),
    };
    let (answer, user) = match rotation::target(&asked) {
        None if graphql::serves(path) => graphql(&shared, &asked, body).await,
        Some(target) => {
            let form = axum::body::to_bytes(body, LONGEST_FORM).await;
            let form = form
                .map_err(|_| rotation::unreadable())
                .and_then(|form| rotation::parameters(&parsed, &parts.headers, &form));
            rotate(&shared, &asked, target, form)
        }
        None => answer(&shared, &shared.read(), &asked, query),
    };
    let number = parts.extensions.get().map_or(0, |Number(number)| *number);
    let mut answer = finish(answer, &parts.headers, number);
    if parts.method == Method::HEAD {
        answer.body = Vec::new();
    }
    let mut response = answer.into_response();
    response.extensions_mut().insert(AskedBy(user));
    response
}

/// The number of a request, from which its `X-Request-Id` is made: no two have the same.
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) u64);

/// The user behind a request, for the log.
#[derive(Debug, Clone)]
pub(super) struct AskedBy(pub(super) Option<String>);

fn answer(
    shared: &Shared,
    world: &World,
    asked: &Asked<'_>,
    query: &str,
) -> (Answer, Option<String>) {
    let admitted = shared.limits.admit(world, asked);
    let name = admitted.user().map(|user| user.username.clone());
    let Admitted { caller, refusal, headers } = admitted;
    if let Some(refusal) = refusal {
        return (refusal, name);
    }
    let below = asked.path.strip_prefix("/api/v4").filter(|rest| rest.starts_with('/'));
    let result = match (below, caller) {
        (None, _) => Err(Failure::NoRoute),
        (Some(_), Err(failure)) => Err(failure),
        (Some(path), Ok(caller)) => {
            let query = asked.query.clone();
            let call = Call { world, site: &shared.site, caller, path, query };
            match *asked.method {
                Method::GET => rest::answer(&call),
                Method::HEAD => rest::answer(&call).map_err(|failure| match failure {
                    Failure::Moved(_) => Failure::MovedForWrite,
                    failure => failure,
                }),
                _ => Err(rest::refuse(&call)),
            }
        }
    };
    let answer = result.unwrap_or_else(|failure| {
        failure.into_answer(|project| location(&shared.site, project, asked.path, query))
    });
    (describe(answer, headers), name)
}

/// Lets a request of GraphQL in, which is executed when the world is no longer locked.
async fn graphql(shared: &Arc<Shared>, asked: &Asked<'_>, body: Body) -> (Answer, Option<String>) {
    let (identity, name, headers) = {
        let world = shared.read();
        let admitted = shared.limits.admit(&world, asked);
        let name = admitted.user().map(|user| user.username.clone());
        if let Some(refusal) = admitted.refusal {
            return (refusal, name);
        }
        (graphql::identity(admitted.caller), name, admitted.headers)
    };
    let body = axum::body::to_bytes(body, graphql::LONGEST_BODY).await.ok();
    let content_type = asked.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let ask = graphql::Ask {
        method: asked.method.clone(),
        query: asked.query.clone(),
        content_type,
        body,
        identity,
    };
    (describe(graphql::answer(shared, ask).await, headers), name)
}

/// Answers the one kind of request that changes the world.
fn rotate(
    shared: &Shared,
    asked: &Asked<'_>,
    target: Target<'_>,
    form: Result<Query, Failure>,
) -> (Answer, Option<String>) {
    let mut world = shared.change();
    let admitted = shared.limits.admit(&world, asked);
    let name = admitted.user().map(|user| user.username.clone());
    let Admitted { caller, refusal, headers } = admitted;
    if let Some(refusal) = refusal {
        return (refusal, name);
    }
    let path = asked.path.strip_prefix("/api/v4").unwrap_or(asked.path);
    let order = match caller {
        Ok(caller) => form.and_then(|query| {
            let call = Call { world: &world, site: &shared.site, caller, path, query };
            rotation::order(&call, target)
        }),
        Err(failure) => Err(failure),
    };
    let result = match order {
        Ok(order) => rotation::carry_out(&mut world, &order),
        Err(Failure::Revoked) => Err(rotation::reuse(&mut world, asked)),
        Err(failure) => Err(failure),
    };
    let answer = result.unwrap_or_else(|failure| failure.into_answer(|_| String::new()));
    (describe(answer, headers), name)
}

/// Returns the address of the same resource by the number of its project.
fn location(site: &Site, project: ProjectId, path: &str, query: &str) -> String {
    let rest = path
        .strip_prefix("/api/v4/projects/")
        .and_then(|rest| rest.split_once('/'))
        .map(|(_, rest)| format!("/{rest}"))
        .unwrap_or_default();
    let query = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{}/api/v4/projects/{project}{rest}{query}", site.url)
}

/// Adds the headers that are on every answer, and answers 304 where the client has the body.
fn finish(answer: Answer, headers: &HeaderMap, number: u64) -> Answer {
    let id = crate::hash::hex40(&format!("request {number}"));
    let id = &id[..32];
    let mut answer = answer
        .header("vary", "Origin, Accept-Encoding")
        .header("x-content-type-options", "nosniff")
        .header("x-frame-options", "SAMEORIGIN")
        .header("x-gitlab-meta", format!("{{\"correlation_id\":\"{id}\",\"version\":\"1\"}}"))
        .header("x-request-id", id)
        .header("x-runtime", "0.001000")
        .header("referrer-policy", "strict-origin-when-cross-origin")
        .header("content-security-policy", "default-src 'none'");
    let cached = answer.headers.iter().any(|(name, _)| name == header::CACHE_CONTROL);
    let tagged = answer.headers.iter().any(|(_, value)| value == CONSTANT_ETAG);
    if tagged && headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == CONSTANT_ETAG) {
        // The false 304: the body could be any other by now.
        answer.status = StatusCode::NOT_MODIFIED;
        answer.body = Vec::new();
        return answer;
    }
    if answer.status != StatusCode::OK || cached {
        return if cached { answer } else { answer.header("cache-control", "no-cache") };
    }
    let etag = format!("W/\"{}\"", digest32(&answer.body));
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim() == etag));
    if known {
        answer.status = StatusCode::NOT_MODIFIED;
        answer.headers.retain(|(name, _)| name != header::CONTENT_TYPE);
        answer.body = Vec::new();
    }
    answer.header("etag", etag).header("cache-control", "max-age=0, private, must-revalidate")
}
