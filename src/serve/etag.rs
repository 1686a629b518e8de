//! `ETag` and 304.
//!
//! The tag is the index's generation with a digest of the question, the caller and the start of the
//! daemon, whose configuration has a part in answers; so an answer
//! that cannot have changed costs one small query. `/v1/crawls` tells of more than the index; what
//! its crawlers do is part of its tag.

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::caller::Caller;
use super::{App, Problem, v1};

/// Answers 304 to a caller that has the present answer already.
pub async fn conditional(
    State(app): State<App>,
    caller: Result<Caller, Problem>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = caller?;
    if request.method() != Method::GET {
        return Ok(next.run(request).await);
    }
    // Before the answer is made: a commit in between makes the tag too old, never too new.
    let generation = app.lookup.generation().await?;
    let mut hash = Sha256::new();
    hash.update(app.start.to_le_bytes());
    hash.update(request.uri().to_string());
    hash.update([0]);
    hash.update(&caller.key);
    // The generation itself would tell a key of the commits of others.
    hash.update(generation.to_le_bytes());
    if request.uri().path() == v1::CRAWLS {
        // What crawlers do and what is left of the budget changes without a commit.
        hash.update(serde_json::to_vec(&v1::live(&app, &caller.viewer)).unwrap_or_default());
    }
    let digest = URL_SAFE_NO_PAD.encode(&hash.finalize()[..12]);
    let tag = format!("W/\"{digest}\"");
    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|v| v.to_str().ok());
    let same = known.is_some_and(|known| known.split(',').any(|one| one.trim() == tag));
    let mut response =
        if same { StatusCode::NOT_MODIFIED.into_response() } else { next.run(request).await };
    if same || response.status() == StatusCode::OK {
        let headers = response.headers_mut();
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(header::ETAG, tag);
        }
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.append(header::VARY, HeaderValue::from_static("authorization"));
    }
    Ok(response)
}
