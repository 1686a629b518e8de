//! Errors as RFC 9457 `application/problem+json`.
//!
//! The client learns what it can mend; the log learns everything.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::lookup;
use crate::telemetry::chain;

/// A problem, in the words of RFC 9457.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem, and never changes: `urn:xrefd:problem:not-found`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time, and what to do.
    pub detail: String,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:xrefd:problem:{kind}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
        }
    }

    /// Nothing of that name is in the index, or nothing that the caller may see.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "Not found", detail)
    }

    /// A parameter cannot be used.
    pub fn bad_parameter(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-parameter", "A parameter cannot be used", detail)
    }

    /// No key, or none that is known.
    pub fn unauthorized() -> Self {
        let detail = "send a key that the configuration knows as `Authorization: Bearer <key>`";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A key is needed", detail)
    }

    /// The key lacks a scope.
    pub fn forbidden(scope: &str) -> Self {
        let detail = format!("the key does not have the scope `{scope}`");
        Self::new(StatusCode::FORBIDDEN, "forbidden", "The key may not do this", detail)
    }

    /// A delivery of a webhook without the secret.
    pub fn wrong_secret() -> Self {
        let detail = "send the `X-Gitlab-Token` or the signature that the configuration knows";
        Self::new(StatusCode::UNAUTHORIZED, "wrong-secret", "The secret is wrong", detail)
    }

    /// A body that could not be read, or is too large.
    pub fn bad_body(status: StatusCode) -> Self {
        let detail = "send a body of at most 25 MB, whole";
        Self::new(status, "bad-body", "The body cannot be read", detail)
    }

    /// The answer took too long.
    pub fn too_slow() -> Self {
        let detail = "the index did not answer in time; try again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", "No answer in time", detail)
    }

    fn internal() -> Self {
        let detail = "the daemon's log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The daemon failed", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).expect("strings and a number serialise");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<lookup::Error> for Problem {
    fn from(error: lookup::Error) -> Self {
        match error {
            lookup::Error::Question(detail) => Self::bad_parameter(detail),
            error @ lookup::Error::Store(_) => {
                tracing::error!("an answer failed: {}", chain(&error));
                Self::internal()
            }
        }
    }
}

/// Answers an address that is none of ours.
pub async fn no_such_route() -> Problem {
    Problem::not_found("there is no such address; /openapi.json lists those there are")
}

/// Answers a method that an address does not take.
pub async fn no_such_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "Method not allowed",
        "this address does not take that method; /openapi.json lists what it takes",
    )
}
