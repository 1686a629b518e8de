//! Liveness, readiness, and the start page.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::json;

use super::App;

/// Says that the process lives.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Says whether questions can be answered: the index opens, whatever its age.
pub async fn readyz(State(app): State<App>) -> Response {
    match app.lookup.freshness().await {
        Ok(fresh) => {
            let body = json!({"ready": true, "as_of": fresh.as_of, "complete": fresh.complete});
            Json(body).into_response()
        }
        Err(error) => {
            tracing::error!("not ready: {error:#}");
            let body = json!({"ready": false});
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// Names the addresses that there are.
pub async fn index() -> Html<&'static str> {
    Html(include_str!("index.html"))
}
