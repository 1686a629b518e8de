//! What every request meets first.
//!
//! The control API is told apart here, because it must answer whatever goes wrong. Then come the
//! wait, the faults, and between them the `pipeline`, which knows of neither. At the end the log
//! takes note. A fault that leaves the request without an answer is logged before it strikes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::{Body, HttpBody as _};
use axum::extract::{ConnectInfo, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Response, Uri, header};
use jiff::Timestamp;
use tokio::time::Instant;

use super::pipeline::{AskedBy, Number};
use super::wire::{Line, Peer};
use super::{Shared, lock, pipeline};
use crate::control;
use crate::faults::delivery::Way;
use crate::faults::{FaultKind, RequestKind, Seen, Stage, edge};
use crate::log::Request;
use crate::rest::query::Query;
use crate::world::World;

/// Answers one request.
pub(super) async fn enter(
    State(shared): State<Arc<Shared>>,
    mut request: axum::extract::Request,
) -> Response<Body> {
    if shared.control && control::claims(request.uri().path()) {
        return control::answer(&shared, request).await;
    }
    let line = request
        .extensions()
        .get::<ConnectInfo<Peer>>()
        .map(|ConnectInfo(peer)| peer.clone())
        .map_or_else(Line::default, |peer| {
            request.extensions_mut().insert(ConnectInfo(peer.address));
            peer.line
        });
    let begun = Instant::now();
    let number = shared.number.fetch_add(1, Ordering::Relaxed);
    request.extensions_mut().insert(Number(number));
    let kind = RequestKind::of(request.uri().path());
    let struck = strike(&shared, &request, kind);
    let entry = Request {
        method: request.method().to_string(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        user_agent: request
            .headers()
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        at: shared.read().clock().now(),
        faults: struck.iter().map(FaultKind::name).collect(),
        ..Request::default()
    };
    let mut note = Note { shared: &shared, entry };
    let wait = lock(&shared.latency).of(kind, number);
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let way = Way { line, stopping: shared.stopping.clone() };
    let mut response = if let Some(fault) = struck.iter().find(|kind| kind.stage() == Stage::Edge) {
        note.entry.user = asker(&shared.read(), request.headers(), &note.entry.query);
        match edge::in_place(fault, kind) {
            Some(response) => response,
            None => return lose(fault, way, note).await,
        }
    } else {
        let address = format!("{}{}", shared.site.url, path_and_query(request.uri()));
        if struck.contains(&FaultKind::DecodedSlashes) {
            decode_slashes(&mut request);
        }
        let response = pipeline::handle(State(Arc::clone(&shared)), request).await;
        if let Some(AskedBy(user)) = response.extensions().get() {
            note.entry.user.clone_from(user);
        }
        distort(&struck, kind, &address, response, way).await
    };
    if shared.tells_world_time.load(Ordering::Relaxed) {
        tell_time(&mut response, shared.read().clock().now());
    }
    note.entry.status = response.status().as_u16();
    note.entry.duration = begun.elapsed();
    note.entry.size_bytes = size(&response);
    drop(note);
    shared.let_live();
    response
}

/// Sets `Date`, which the server library would set to the system's time.
fn tell_time(response: &mut Response<Body>, now: Timestamp) {
    let date = now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(header::DATE, date);
    }
}

/// A line of the log that is written when the request is over, even if the client left before it was
/// answered: a request that was sent is a request.
struct Note<'s> {
    shared: &'s Shared,
    entry: Request,
}

impl Drop for Note<'_> {
    fn drop(&mut self) {
        lock(&self.shared.log).push(std::mem::take(&mut self.entry));
    }
}

/// Finds out which faults strike a request.
fn strike(shared: &Shared, request: &axum::extract::Request, kind: RequestKind) -> Vec<FaultKind> {
    if shared.faults.is_idle() {
        return Vec::new();
    }
    let world = shared.read();
    let query = request.uri().query().unwrap_or_default();
    let seen = Seen {
        method: request.method().as_str(),
        path: request.uri().path(),
        query,
        kind,
        user: asker(&world, request.headers(), query),
        now: world.clock().now(),
    };
    let stands_still = world.clock().stands_still();
    drop(world);
    shared.faults.meet(&seen, stands_still)
}

/// Leaves a request without an answer.
async fn lose(kind: &FaultKind, way: Way, note: Note<'_>) -> Response<Body> {
    drop(note);
    match kind {
        FaultKind::Stall => way.stall().await,
        _ => way.line.reset(),
    }
    // Nobody gets this: the connection breaks when its first byte is written.
    Response::new(Body::empty())
}

/// Lets faults change the answer, spoil it, and get in its way.
async fn distort(
    struck: &[FaultKind],
    asked: RequestKind,
    address: &str,
    mut response: Response<Body>,
    way: Way,
) -> Response<Body> {
    let at = |stage| struck.iter().filter(move |kind| kind.stage() == stage);
    for kind in at(Stage::Application) {
        response = edge::instead(kind, asked, response);
    }
    if at(Stage::Content).chain(at(Stage::Delivery)).next().is_none() {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let mut body = match axum::body::to_bytes(body, usize::MAX).await {
        Ok(body) => body,
        Err(error) => {
            tracing::error!(%error, "an answer could not be read to be spoiled");
            return Response::from_parts(parts, Body::empty());
        }
    };
    for kind in at(Stage::Content) {
        body = edge::spoil(kind, address, &mut parts, body);
    }
    match at(Stage::Delivery).next() {
        Some(kind) => way.send(kind, parts, body),
        None => Response::from_parts(parts, Body::from(body)),
    }
}

/// Returns the size of a body, where it is known.
fn size(response: &Response<Body>) -> Option<u64> {
    let promised = || response.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    response.body().size_hint().exact().or_else(promised)
}

fn path_and_query(uri: &Uri) -> &str {
    uri.path_and_query().map_or("", PathAndQuery::as_str)
}

/// Decodes the slashes of the path, as a careless proxy does.
fn decode_slashes(request: &mut axum::extract::Request) {
    let (path, query) = (request.uri().path(), request.uri().query());
    let mut decoded = path.replace("%2F", "/").replace("%2f", "/");
    if let Some(query) = query {
        decoded.push('?');
        decoded.push_str(query);
    }
    if let Ok(uri) = decoded.parse() {
        *request.uri_mut() = uri;
    }
}

/// Finds the name of the user whose token a request carries, whether or not it is still good.
fn asker(world: &World, headers: &HeaderMap, query: &str) -> Option<String> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization")
        .and_then(|value| value.split_once(' '))
        .map(|(_, secret)| secret.trim());
    let parameters = Query::parse(query);
    let secret = header("private-token")
        .or(bearer)
        .or_else(|| parameters.text("private_token"))
        .or_else(|| parameters.text("access_token"))?;
    let token = world.token(secret)?;
    world.user(token.user).map(|user| user.username.clone())
}
