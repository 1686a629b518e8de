//! One request: past the breaker, in its pace, with the key in force, and its answer taken in.
//!
//! Everything that is observed about a request is observed here: pace, figures, spans, and whether
//! the host answers at all. It never repeats a request and decides nothing about a failure.

use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response, StatusCode};
use std::sync::atomic::Ordering;
use tokio::time::Instant;

use super::{Answer, Client, Outcome, millis};
use crate::gitlab::Error;
use crate::gitlab::address::Target;
use crate::gitlab::credential::Key;
use crate::gitlab::meter::Exchange;
use crate::gitlab::pacing::{Admission, Hints};
use crate::gitlab::refusal::Refusal;

/// How much of a refusal is read, in bytes: its reason stands at the beginning.
const REFUSAL_BYTES: usize = 64 * 1024;

impl Client {
    /// Sends one request and takes its answer in.
    pub(super) async fn exchange(
        &self,
        target: &Target,
        body: Option<&[u8]>,
        key: &Key,
    ) -> Result<Outcome, Error> {
        let inner = &*self.inner;
        inner.host.breaker.pass().await?;
        let pacer = inner.pacer();
        let mut admission = pacer.admit(&target.route).await;
        let began = Instant::now();
        let request = request(target, body, key);
        inner.requests.fetch_add(1, Ordering::Relaxed);
        let mut status = None;
        let outcome = match inner.http.execute(request).await {
            Ok(response) => {
                status = Some(response.status().as_u16());
                self.take(target, response, key, &mut admission).await
            }
            Err(source) => Err(self.no_answer(target, source)),
        };
        let bytes = match &outcome {
            Ok(Outcome::Answer(answer)) => answer.body.len() as u64,
            Ok(Outcome::Moved(_)) | Err(_) => 0,
        };
        match &outcome {
            Ok(_) => inner.host.breaker.answered(),
            Err(error) => inner.host.breaker.failed(error),
        }
        inner.meter.count(Exchange {
            route: &target.route,
            status,
            wait: admission.waited(),
            duration: began.elapsed(),
            bytes,
        });
        tracing::debug!(
            http.route = %target.route,
            http.status = status,
            duration_ms = millis(began.elapsed()),
            wait_ms = millis(admission.waited()),
            bytes,
            "asked GitLab for {}", target.route,
        );
        outcome
    }

    async fn take(
        &self,
        target: &Target,
        mut response: Response,
        key: &Key,
        admission: &mut Admission<'_>,
    ) -> Result<Outcome, Error> {
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let hints = Hints::read(status, &headers, self.inner.clock.now());
        admission.observe(&hints);
        if status == StatusCode::TOO_MANY_REQUESTS {
            self.inner.throttled.fetch_add(1, Ordering::Relaxed);
        }
        if status.is_success() {
            let body = self.read_body(target, response).await?;
            let target = target.clone();
            return Ok(Outcome::Answer(Answer { target, headers, date: hints.date(), body }));
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
            && let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok())
        {
            return self.inner.base.redirect(target, location).map(Outcome::Moved);
        }
        let (body, broken) = read_beginning(response).await;
        if let Some(source) = broken
            && matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
        {
            // Only the body tells a file that is missing from a GitLab that is.
            return Err(self.no_answer(target, source));
        }
        if let Some(id) = headers.get("x-request-id").and_then(|value| value.to_str().ok()) {
            tracing::debug!(
                http.route = %target.route,
                gitlab.request_id = id,
                "GitLab refused {} with {status}", target.route,
            );
        }
        let path = &target.path;
        let refusal = Refusal { status, path, body: &body, retry_after: hints.wait() };
        Err(refusal.into_error(&key.credential))
    }

    async fn read_body(&self, target: &Target, mut response: Response) -> Result<Vec<u8>, Error> {
        let limit_bytes = self.inner.max_body_bytes;
        let too_large = || Error::BodyTooLarge { path: target.path.clone(), limit_bytes };
        if response.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) =
            response.chunk().await.map_err(|source| self.no_answer(target, source))?
        {
            if (body.len() as u64).saturating_add(chunk.len() as u64) > limit_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn no_answer(&self, target: &Target, source: reqwest::Error) -> Error {
        Error::Transport {
            origin: self.inner.way.clone(),
            path: target.path.clone(),
            source: source.without_url(),
        }
    }
}

/// Makes the request: the key travels in a header, and nowhere else.
fn request(target: &Target, body: Option<&[u8]>, key: &Key) -> Request {
    let method = if body.is_some() { Method::POST } else { Method::GET };
    let mut request = Request::new(method, target.url.clone());
    if let Some((name, value)) = &key.header {
        request.headers_mut().insert(name, value.clone());
    }
    if let Some(body) = body {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        *request.body_mut() = Some(body.to_vec().into());
    }
    request
}

/// Reads the beginning of a refusal, and says when it broke off: most are clear without a body.
async fn read_beginning(mut response: Response) -> (Vec<u8>, Option<reqwest::Error>) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = REFUSAL_BYTES - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() >= REFUSAL_BYTES {
                    return (body, None);
                }
            }
            Ok(None) => return (body, None),
            Err(source) => return (body, Some(source)),
        }
    }
}
