//! The endpoints, one file each.

mod crawls;
mod names;
mod projects;
mod references;
mod resolve;
pub(super) mod webhooks;

use axum::extract::DefaultBodyLimit;
use utoipa::openapi::OpenApi as Document;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;

pub use crawls::{live, moments};

/// The address whose answer changes without a commit.
pub const CRAWLS: &str = "/v1/crawls";

/// Returns all endpoints.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(names::routes())
        .routes(routes!(references::read))
        .routes(routes!(references::mentions))
        .routes(routes!(resolve::resolve))
        .routes(routes!(projects::project))
        .routes(routes!(projects::owners))
        .routes(routes!(crawls::crawls))
}

/// Returns the endpoint that takes the events of GitLab: it is larger in what it takes than the
/// others, and needs no API key.
pub fn hooks() -> OpenApiRouter<App> {
    let limit = DefaultBodyLimit::max(webhooks::LIMIT_BYTES);
    OpenApiRouter::new().routes(routes!(webhooks::webhook)).layer(limit)
}

/// Returns the document with paths in its own grammar: the router's mark for "and everything
/// behind it" is not OpenAPI's.
pub fn documented(mut document: Document) -> Document {
    let paths = std::mem::take(&mut document.paths.paths);
    document.paths.paths =
        paths.into_iter().map(|(path, item)| (path.replace("{*", "{"), item)).collect();
    document
}
