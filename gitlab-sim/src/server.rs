//! The simulated GitLab on a real port.
//!
//! Every request takes the same way: it is counted against the throttle, its caller is found, the
//! `rest` module answers from the locked world, and the log takes note. No await happens under the
//! lock. Requests that would change something are refused: tests change the world through
//! [`GitLab::world`].

use std::net::SocketAddr;
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::auth;
use crate::hash::hex64;
use crate::log::Request;
use crate::rest::answer::{Answer, Failure};
use crate::rest::query::Query;
use crate::rest::{self, Call};
use crate::throttle::{Buckets, Throttle};
use crate::world::{ProjectId, World};

/// How long [`GitLab::stop`] waits for answers that are under way.
const STOP_PATIENCE: Duration = Duration::from_secs(2);

/// The edition and licence of the instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tier {
    /// Community edition: approval rules have no address (404).
    Community,
    /// Enterprise edition without a licence: approval rules are forbidden (403).
    #[default]
    Free,
    /// With a licence: approval rules are served.
    Premium,
}

/// How the instance presents itself.
#[derive(Debug, Clone)]
pub struct Options {
    /// The request throttle.
    pub throttle: Throttle,
    /// The external address, from which all links are built; without it the listening address.
    pub external_url: Option<String>,
    /// Edition and licence.
    pub tier: Tier,
    /// The version that it claims.
    pub version: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            throttle: Throttle::None,
            external_url: None,
            tier: Tier::default(),
            version: "19.6.0-ee".to_owned(),
        }
    }
}

/// What of the options the answers depend on.
#[derive(Debug)]
pub(crate) struct Site {
    /// The external address without a slash at its end.
    pub(crate) url: String,
    pub(crate) tier: Tier,
    pub(crate) version: String,
}

/// What all connections share.
struct Shared {
    world: Mutex<World>,
    buckets: Mutex<Buckets>,
    requests: Mutex<Vec<Request>>,
    site: Site,
    throttle: Throttle,
}

/// A running simulated GitLab. It stops when dropped.
pub struct GitLab {
    shared: Arc<Shared>,
    address: SocketAddr,
    token: String,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl GitLab {
    /// Serves a world on a free port of the loopback address.
    pub async fn start(world: World, options: Options) -> std::io::Result<Self> {
        Self::bind(SocketAddr::from(([127, 0, 0, 1], 0)), world, options).await
    }

    /// Serves a world at an address.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened at.
    #[expect(
        clippy::disallowed_methods,
        reason = "the accept loop is the one task of the simulator, and stop() waits for it"
    )]
    pub async fn bind(addr: SocketAddr, world: World, options: Options) -> std::io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let address = listener.local_addr()?;
        let url = options.external_url.unwrap_or_else(|| format!("http://{address}"));
        let token = world.bot_token().to_owned();
        let shared = Arc::new(Shared {
            world: Mutex::new(world),
            buckets: Mutex::default(),
            requests: Mutex::default(),
            site: Site {
                url: url.trim_end_matches('/').to_owned(),
                tier: options.tier,
                version: options.version,
            },
            throttle: options.throttle,
        });
        let router = Router::new().fallback(handle).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let serve = axum::serve(listener, router).with_graceful_shutdown(async {
            // An error means that the handle was dropped, which is as good as being told.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move {
            if let Err(error) = serve.await {
                tracing::error!(%error, "the simulated GitLab stopped serving");
            }
        });
        Ok(Self { shared, address, token, stop: Some(stop), task: Some(task) })
    }

    /// Returns the address to connect to, such as `http://127.0.0.1:8929`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a `read_api` token of a bot user that sees everything.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Locks the world, to look at it or change it. Requests wait meanwhile, so the guard must not
    /// be held across an await.
    pub fn world(&self) -> impl DerefMut<Target = World> + '_ {
        lock(&self.shared.world)
    }

    /// Returns the requests answered so far, or since [`Self::forget_requests`].
    pub fn requests(&self) -> Vec<Request> {
        lock(&self.shared.requests).clone()
    }

    /// Empties the log of requests.
    pub fn forget_requests(&self) {
        lock(&self.shared.requests).clear();
    }

    /// Counts the requests whose path and query hold some text, as sent or decoded.
    pub fn requests_for(&self, part: &str) -> usize {
        lock(&self.shared.requests).iter().filter(|request| request.holds(part)).count()
    }

    /// Stops serving: answers under way are finished, connections closed, the port freed.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(STOP_PATIENCE, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl std::fmt::Debug for GitLab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitLab").field("address", &self.address).finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test that panicked under the guard must not take the others' server down.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn handle(
    State(shared): State<Arc<Shared>>,
    request: axum::extract::Request,
) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let world = lock(&shared.world);
    let (answer, user) = answer(&shared, &world, &parts.method, path, query, &parts.headers);
    drop(world);
    let mut answer = finish(answer, &parts.headers, &shared);
    lock(&shared.requests).push(Request {
        method: parts.method.to_string(),
        path: path.to_owned(),
        query: query.to_owned(),
        status: answer.status.as_u16(),
        user,
        user_agent: parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
    });
    if parts.method == Method::HEAD {
        answer.body = Vec::new();
    }
    answer.into_response()
}

fn answer(
    shared: &Shared,
    world: &World,
    method: &Method,
    path: &str,
    query: &str,
    headers: &HeaderMap,
) -> (Answer, Option<String>) {
    let parsed = Query::parse(query);
    let caller = auth::caller(world, headers, &parsed);
    let user = caller.as_ref().ok().and_then(|caller| caller.user());
    let measured =
        lock(&shared.buckets).count(shared.throttle, user.map(|user| user.id), world.clock().now());
    let name = user.map(|user| user.username.clone());
    if let Some(measured) = measured.filter(crate::throttle::Measured::exceeded) {
        return (measured.refusal(), name);
    }
    let below = path.strip_prefix("/api/v4").filter(|rest| rest.starts_with('/'));
    let result = match (below, caller) {
        (None, _) => Err(Failure::NoRoute),
        (Some(_), Err(failure)) => Err(failure),
        (Some(_), Ok(_)) if !matches!(*method, Method::GET | Method::HEAD) => Err(Failure::Method),
        (Some(path), Ok(caller)) => {
            rest::answer(&Call { world, site: &shared.site, caller, path, query: parsed })
        }
    };
    let answer = result.unwrap_or_else(|failure| {
        failure.into_answer(|project| location(&shared.site, project, path, query))
    });
    match measured {
        Some(measured) => (measured.describe(answer), name),
        None => (answer, name),
    }
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
fn finish(answer: Answer, headers: &HeaderMap, shared: &Shared) -> Answer {
    let number = lock(&shared.requests).len();
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
    if answer.status != StatusCode::OK || cached {
        return if cached { answer } else { answer.header("cache-control", "no-cache") };
    }
    let mut digest = hex64(&answer.body);
    digest.truncate(32);
    let etag = format!("W/\"{digest}\"");
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
