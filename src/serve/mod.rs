//! The HTTP face: routes, bodies, errors. Asks [`crate::lookup`] and nothing else.
//!
//! It never calls GitLab and never writes SQL. One file per endpoint under `v1`; what they share is
//! beside this file: [`problem`] (RFC 9457), [`cursor`] (opaque, bound to the question), `reply`
//! (the envelope of every answer), `caller` (who asks, by API key) and `question` (parameters).

mod caller;
mod cursor;
mod etag;
mod health;
mod metrics;
mod path;
mod problem;
mod question;
mod reply;
mod signature;
mod v1;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderName;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::compression::CompressionLayer;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;

use crate::config::ApiKeys;
use crate::crawl::Status;
use crate::lookup::Lookup;

pub use problem::Problem;
pub use reply::{List, Single};
pub use signature::HookSecrets;

/// The longest that an answer may take. Look-ups take milliseconds; this is for a disk that hangs.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What handlers know.
#[derive(Debug, Clone)]
pub struct App {
    /// The questions.
    pub lookup: Lookup,
    /// Who may ask; nobody is asked who they are while there are none.
    pub keys: Arc<ApiKeys>,
    /// What the crawlers of this process do; none where it does not crawl.
    pub status: Status,
    /// What the senders of webhooks are checked by, by source.
    pub hooks: Arc<BTreeMap<String, HookSecrets>>,
    /// Given to requests whose bodies may be large, while they are held.
    pub bodies: Arc<Semaphore>,
    /// Differs from one start to the next: another configuration may give other answers.
    pub start: u64,
}

impl App {
    /// Returns turns for as many large bodies as are held at the same time.
    pub fn bodies() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(v1::webhooks::BODIES))
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "xrefd",
        description = "Which service, team, incident and ticket every GitLab project, issue and merge request belongs to, with evidence and age."
    ),
    modifiers(&Security),
    components(schemas(Problem))
)]
struct ApiDoc;

/// Says how callers show who they are.
struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, document: &mut Document) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("api_key", SecurityScheme::Http(scheme.build()));
    }
}

/// Returns the routes and the document that describes them.
pub fn router(app: App) -> (Router, Document) {
    let (v1, mut document) =
        OpenApiRouter::with_openapi(ApiDoc::openapi()).merge(v1::routes()).split_for_parts();
    let v1 = v1.layer(middleware::from_fn_with_state(app.clone(), etag::conditional));
    // Beside the layer that asks for an API key: their senders have a secret of their own.
    let (hooks, hooked) = v1::hooks().split_for_parts();
    document.merge(hooked);
    let document = v1::documented(document);
    let served = document.clone();
    let request_id = HeaderName::from_static("x-request-id");
    let router = Router::new()
        .merge(v1)
        .merge(hooks)
        .route("/", get(health::index))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::metrics))
        .route("/openapi.json", get(async move || axum::Json(served)))
        .fallback(problem::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .with_state(app)
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(in_time))
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(|request: &Request| {
                    // The path without its query: what people look for stays out of the log.
                    tracing::info_span!(
                        "request",
                        method = %request.method(),
                        path = request.uri().path()
                    )
                })
                .on_request(())
                .on_response(|response: &Response, latency: Duration, _: &tracing::Span| {
                    tracing::info!(
                        status = response.status().as_u16(),
                        duration_us = u64::try_from(latency.as_micros()).unwrap_or_default(),
                        "answered"
                    );
                }),
        )
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid));
    (router, document)
}

/// Ends an answer that takes too long.
async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::too_slow().into_response(),
    }
}

/// Binds the address that is served.
///
/// # Errors
///
/// When the address is in use or not this machine's.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until told to stop, then ends the answers under way.
///
/// # Errors
///
/// When the socket fails.
pub async fn serve(
    listener: TcpListener,
    app: App,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let (router, _) = router(app);
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}

#[cfg(test)]
mod tests;
