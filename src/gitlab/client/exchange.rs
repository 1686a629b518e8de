//! One request: past the breaker, in its pace, with the key in force, and its answer taken in.
//!
//! Everything that is observed about a request is observed here: pace, figures and spans. Every
//! wait on the network has its limit here. It never repeats a request and decides nothing about a
//! failure.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response, StatusCode};
use std::sync::atomic::Ordering;
use tokio::time::Instant;
use tracing::{Instrument, Span, field};

use super::ask::Sending;
use super::{Answer, Client, Outcome, millis};
use crate::gitlab::address::Target;
use crate::gitlab::breaker::Passage;
use crate::gitlab::credential::Key;
use crate::gitlab::features::Kind;
use crate::gitlab::meter::Exchange;
use crate::gitlab::pacing::{Admission, Ending, Hints};
use crate::gitlab::refusal::Refusal;
use crate::gitlab::{Error, TimeLimit};

/// How much of GitLab's request id is kept; its own have 26 or 32 characters.
const REQUEST_ID_BYTES: usize = 64;

/// How much of a refusal is read, in bytes: its reason stands at the beginning.
const REFUSAL_BYTES: usize = 64 * 1024;

impl Client {
    /// Sends one request and takes its answer in.
    pub(super) async fn exchange(
        &self,
        target: &Target,
        Sending { body, key, retry }: Sending<'_>,
        passage: &mut Passage<'_>,
    ) -> Result<Outcome, Error> {
        let inner = &*self.inner;
        let pacer = inner.pacer();
        let mut admission = loop {
            passage.wait().await?;
            let admission = pacer.admit(&target.route).await;
            // While it waited for its pace, others may have found the host gone.
            if passage.is_free() {
                break admission;
            }
        };
        let began = Instant::now();
        inner.features.is_key(key.generation, Kind::from(&key.credential));
        let span = request_span(target, retry, millis(admission.waited()));
        let request = request(target, body, key);
        inner.requests.fetch_add(1, Ordering::Relaxed);
        let mut status = None;
        let whole = began + inner.limits.whole;
        let sent = inner.http.execute(request).instrument(span.clone());
        let head = tokio::time::timeout_at(began + inner.limits.head, sent);
        let outcome = match head.await {
            Ok(Ok(response)) => {
                status = Some(response.status().as_u16());
                span.record("http.status", response.status().as_u16());
                if let Some(id) = request_id(response.headers(), key) {
                    span.record("gitlab.request_id", id.as_str());
                }
                let taken = self.take(target, response, key, whole, &mut admission);
                taken.instrument(span.clone()).await
            }
            Ok(Err(source)) => Err(self.no_answer(target, source)),
            Err(_) => Err(self.too_slow(target, TimeLimit::Head(inner.limits.head))),
        };
        let bytes = match &outcome {
            Ok(Outcome::Answer(answer)) => answer.body.len() as u64,
            Ok(Outcome::Moved(_)) | Err(_) => 0,
        };
        admission.ended(match (status, &outcome) {
            (None, _) | (_, Err(Error::Transport { .. } | Error::TooSlow { .. })) => Ending::Broken,
            (Some(status), _) => Ending::Answered(status),
        });
        inner.meter.count(Exchange {
            route: &target.route,
            status,
            wait: admission.waited(),
            duration: began.elapsed(),
            bytes,
            skew: match &outcome {
                Ok(Outcome::Answer(answer)) => {
                    answer.date.map(|date| date.duration_since(inner.clock.now()))
                }
                Ok(Outcome::Moved(_)) | Err(_) => None,
            },
        });
        span.record("duration_ms", millis(began.elapsed()));
        span.record("bytes", bytes);
        span.in_scope(|| tracing::debug!("asked GitLab for {}", target.route));
        outcome
    }

    async fn take(
        &self,
        target: &Target,
        mut response: Response,
        key: &Key,
        whole: Instant,
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
            let mut body = self.read_body(target, response, whole).await?;
            key.credential.mask(&mut body);
            let target = target.clone();
            return Ok(Outcome::Answer(Answer { target, headers, date: hints.date(), body }));
        }
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
            && let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok())
        {
            return self.inner.base.redirect(target, location).map(Outcome::Moved);
        }
        let (mut body, broken) = self.read_beginning(target, response, whole).await;
        key.credential.mask(&mut body);
        if let Some(error) = broken
            && matches!(status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND)
        {
            // Only the body tells a file that is missing from a GitLab that is.
            return Err(error);
        }
        tracing::debug!("GitLab refused {} with {status}", target.route);
        let path = &target.path;
        let refusal = Refusal { status, path, body: &body, retry_after: hints.wait() };
        Err(refusal.into_error(&key.credential))
    }

    async fn read_body(
        &self,
        target: &Target,
        mut response: Response,
        whole: Instant,
    ) -> Result<Vec<u8>, Error> {
        let limit_bytes = self.inner.limits.body_bytes;
        let too_large = || Error::BodyTooLarge { path: target.path.clone(), limit_bytes };
        if response.content_length().is_some_and(|length| length > limit_bytes) {
            return Err(too_large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(target, &mut response, whole).await? {
            let chunk = chunk.as_ref();
            if (body.len() as u64).saturating_add(chunk.len() as u64) > limit_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(chunk);
        }
        Ok(body)
    }

    /// Reads the beginning of a refusal, and says when it broke off: most are clear without a body.
    async fn read_beginning(
        &self,
        target: &Target,
        mut response: Response,
        whole: Instant,
    ) -> (Vec<u8>, Option<Error>) {
        let mut body = Vec::new();
        loop {
            match self.chunk(target, &mut response, whole).await {
                Ok(Some(chunk)) => {
                    let chunk = chunk.as_ref();
                    let room = REFUSAL_BYTES - body.len();
                    body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if body.len() >= REFUSAL_BYTES {
                        return (body, None);
                    }
                }
                Ok(None) => return (body, None),
                Err(error) => return (body, Some(error)),
            }
        }
    }

    /// Reads the next piece of a body, within its limits of time.
    async fn chunk(
        &self,
        target: &Target,
        response: &mut Response,
        whole: Instant,
    ) -> Result<Option<impl AsRef<[u8]> + use<>>, Error> {
        let limits = self.inner.limits;
        let now = Instant::now();
        if now >= whole {
            return Err(self.too_slow(target, TimeLimit::Whole(limits.whole)));
        }
        let idle = now + limits.idle;
        match tokio::time::timeout_at(idle.min(whole), response.chunk()).await {
            Ok(read) => read.map_err(|source| self.no_answer(target, source)),
            Err(_) if idle < whole => Err(self.too_slow(target, TimeLimit::Idle(limits.idle))),
            Err(_) => Err(self.too_slow(target, TimeLimit::Whole(limits.whole))),
        }
    }

    fn too_slow(&self, target: &Target, limit: TimeLimit) -> Error {
        Error::TooSlow { origin: self.inner.base.origin(), path: target.path.clone(), limit }
    }

    fn no_answer(&self, target: &Target, source: reqwest::Error) -> Error {
        Error::Transport {
            origin: self.inner.way.clone(),
            path: target.path.clone(),
            source: source.without_url(),
        }
    }
}

/// Makes the span of one request. What only the answer tells is recorded when it is there.
fn request_span(target: &Target, retry: u32, wait_ms: u64) -> Span {
    tracing::debug_span!(
        "gitlab.request",
        http.route = %target.route,
        retry,
        wait_ms,
        http.status = field::Empty,
        duration_ms = field::Empty,
        bytes = field::Empty,
        gitlab.request_id = field::Empty,
    )
}

/// Finds GitLab's own name for the request, by which its operator finds it in the logs there.
fn request_id(headers: &HeaderMap, key: &Key) -> Option<String> {
    let mut id = headers.get("x-request-id")?.as_bytes().to_vec();
    key.credential.mask(&mut id);
    id.retain(u8::is_ascii_graphic);
    id.truncate(REQUEST_ID_BYTES);
    String::from_utf8(id).ok()
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
