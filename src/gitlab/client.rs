//! The client: one request after the other, each in time, each at most a few times.
//!
//! This file holds the way of a single read through credential, pace, redirects, limits and
//! retries. What can be asked: `calls.rs`. It never writes to GitLab, never asks another host than
//! the configured one, and never logs or prints a query string.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::Error;
use super::address::{Base, Target};
use super::credential::Credential;
use super::pacing::{Admission, Budget, Hints, Pacer};
use super::refusal::Refusal;
use super::retry;
use super::settings::Settings;
use crate::clock::Clock;

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("xrefd/", env!("CARGO_PKG_VERSION"));

/// How many redirects one request follows. A moved project takes one, a front end one more.
const REDIRECTS: usize = 5;

/// How much of a refusal is read, in bytes: its reason stands at the beginning.
const REFUSAL_BYTES: usize = 64 * 1024;

/// What a client has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Requests sent, retries and redirects included.
    pub requests: u64,
    /// Throttle answers (429).
    pub throttled: u64,
    /// Tries after the first.
    pub retries: u64,
}

/// A client for one GitLab. Cheap to clone; clones share pace and counters.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    http: reqwest::Client,
    base: Base,
    credential: Credential,
    header: Option<(HeaderName, HeaderValue)>,
    pacer: Arc<Pacer>,
    clock: Arc<dyn Clock>,
    max_body_bytes: u64,
    backoff: Duration,
    requests: AtomicU64,
    throttled: AtomicU64,
    retries: AtomicU64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("origin", &self.inner.base.origin())
            .field("credential", &self.inner.credential)
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

/// A successful answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// What was asked for in the end, after redirects.
    pub(super) target: Target,
    pub(super) headers: HeaderMap,
    pub(super) date: Option<Timestamp>,
    pub(super) body: Vec<u8>,
}

/// What one exchange came to.
enum Outcome {
    Answer(Answer),
    /// Ask there instead.
    Moved(Target),
}

impl Client {
    /// Makes a client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// When the settings make no sense, or the HTTP library cannot be set up.
    pub fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let pacer = Arc::new(Pacer::new(settings.pace()?, Arc::clone(&clock)));
        Self::paced(settings, clock, pacer)
    }

    /// Makes a client that keeps pace with another of the same host: what one of them learns of
    /// the limits holds for both.
    ///
    /// # Errors
    ///
    /// As [`Client::new`].
    pub fn beside(&self, settings: Settings) -> Result<Self, Error> {
        settings.pace()?;
        Self::paced(settings, Arc::clone(&self.inner.clock), Arc::clone(&self.inner.pacer))
    }

    fn paced(settings: Settings, clock: Arc<dyn Clock>, pacer: Arc<Pacer>) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            // Redirects are ours: the library would drop the token or carry it elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .build()
            .map_err(|source| Error::Build { source: source.without_url() })?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                base: Base::new(&settings.base_url)?,
                header: settings.credential.header()?,
                credential: settings.credential,
                pacer,
                clock,
                max_body_bytes: settings.max_body_bytes,
                backoff: settings.backoff,
                requests: AtomicU64::new(0),
                throttled: AtomicU64::new(0),
                retries: AtomicU64::new(0),
            }),
        })
    }

    /// Returns what the client has done so far.
    pub fn stats(&self) -> Stats {
        Stats {
            requests: self.inner.requests.load(Ordering::Relaxed),
            throttled: self.inner.throttled.load(Ordering::Relaxed),
            retries: self.inner.retries.load(Ordering::Relaxed),
        }
    }

    /// Returns what is left of the budget.
    pub fn budget(&self) -> Budget {
        self.inner.pacer.budget()
    }

    pub(super) fn base(&self) -> &Base {
        &self.inner.base
    }

    /// Asks until there is an answer that `read` understands, or no point in asking.
    ///
    /// Cancelling is safe at any point.
    pub(super) async fn ask<T>(
        &self,
        target: &Target,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let error = match self.follow_redirects(target).await.and_then(&read) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let why = error.to_string();
            let delay = retry::next(error, tries, self.inner.backoff)?;
            self.inner.retries.fetch_add(1, Ordering::Relaxed);
            tracing::debug!(
                http.route = %target.route,
                delay_ms = millis(delay),
                "asking GitLab again for {}: {why}", target.route,
            );
            tokio::time::sleep(delay).await;
        }
    }

    async fn follow_redirects(&self, target: &Target) -> Result<Answer, Error> {
        let mut target = target.clone();
        for _ in 0..=REDIRECTS {
            match self.exchange(&target).await? {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Moved(moved) => target = moved,
            }
        }
        Err(Error::RedirectLoop { path: target.path })
    }

    /// Sends one request and takes its answer in.
    async fn exchange(&self, target: &Target) -> Result<Outcome, Error> {
        let inner = &*self.inner;
        let mut admission = inner.pacer.admit(&target.route).await;
        let began = Instant::now();
        let mut request = Request::new(Method::GET, target.url.clone());
        if let Some((name, value)) = &inner.header {
            request.headers_mut().insert(name, value.clone());
        }
        inner.requests.fetch_add(1, Ordering::Relaxed);
        let mut status = None;
        let outcome = match inner.http.execute(request).await {
            Ok(response) => {
                status = Some(response.status().as_u16());
                self.take(target, response, &mut admission).await
            }
            Err(source) => Err(self.no_answer(target, source)),
        };
        let bytes = match &outcome {
            Ok(Outcome::Answer(answer)) => answer.body.len(),
            Ok(Outcome::Moved(_)) | Err(_) => 0,
        };
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
        Err(refusal.into_error(&self.inner.credential))
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
            origin: self.inner.base.origin(),
            path: target.path.clone(),
            source: source.without_url(),
        }
    }
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

impl Answer {
    /// Returns what the answer says it is.
    pub(super) fn content_type(&self) -> &str {
        self.headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("no content type")
    }

    /// Makes the error for an answer that is not what GitLab's API sends.
    pub(super) fn not_gitlab(&self) -> Error {
        let content_type = self.content_type().chars().filter(|c| !c.is_control()).take(80);
        Error::NotGitLab { path: self.target.path.clone(), content_type: content_type.collect() }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
