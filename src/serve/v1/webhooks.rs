//! `POST /v1/webhooks/gitlab/{source}`.
//!
//! The sender is checked by the source's own secret and not by an API key: GitLab has none to send.
//! Whatever a checked delivery holds is answered at once and well, for GitLab stops to send to whom
//! it fails with; what it is about is looked at afterwards, by the crawl.

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};

use crate::serve::{App, Problem};

/// The most that GitLab sends, in bytes.
pub const LIMIT_BYTES: usize = 25 * 1024 * 1024;

/// So many bodies are held at the same time. Others wait, as long as a request may take.
pub const BODIES: usize = 4;

/// An event of a webhook or system hook of GitLab's. It is never believed as data: it only says
/// what to look at.
#[utoipa::path(post, path = "/v1/webhooks/gitlab/{source}", tag = "crawl",
    params(
        ("source" = String, Path, description = "the name of the source in the configuration"),
        ("X-Gitlab-Token" = Option<String>, Header, description = "the secret token of the webhook"),
        ("webhook-signature" = Option<String>, Header,
            description = "or its signature, with `webhook-id` and `webhook-timestamp`")),
    request_body(content_type = "application/json"),
    responses((status = 202, description = "taken, whatever it holds"),
        (status = "default", body = Problem, content_type = "application/problem+json")))]
pub async fn webhook(
    State(app): State<App>,
    Path(source): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<StatusCode, Problem> {
    let hooked = app.hooks.get(&source).filter(|secrets| !secrets.is_empty());
    // The same for a source that is not there: names of sources are nobody's business.
    let (Some(secrets), Some(crawler)) = (hooked, app.status.find(&source)) else {
        return Err(Problem::not_found(
            "no source of that name takes webhooks; set its `webhook_token` or `webhook_secret`",
        ));
    };
    let now = crawler.time();
    let refuse = || {
        tracing::warn!(%source, "a delivery of a webhook without the right secret was refused");
        Problem::wrong_secret()
    };
    // Before the body, which may be large: strangers shall not make us hold it. Of a signature only
    // the body tells whether it is right, so that few bodies are held at the same time.
    if !secrets.may_accept(&headers, now) {
        return Err(refuse());
    }
    let _turn = app.bodies.acquire().await;
    let body = Bytes::from_request(request, &()).await;
    let body = body.map_err(|rejection| Problem::bad_body(rejection.status()))?;
    if !secrets.accept(&headers, &body, now) {
        return Err(refuse());
    }
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // The one that is signed, where a signature is: it cannot be sent again under another name.
    crawler.inbox().receive(&body, text("webhook-id").or(text("idempotency-key")), now);
    Ok(StatusCode::ACCEPTED)
}
