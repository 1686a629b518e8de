//! control
use crate::server::Shared;
use axum::body::Body;
use axum::http::Response;
pub(crate) fn claims(path: &str) -> bool {
    path == "/_sim" || path.starts_with("/_sim/")
}
pub(crate) async fn answer(_s: &Shared, _r: axum::extract::Request) -> Response<Body> {
    Response::new(Body::empty())
}
