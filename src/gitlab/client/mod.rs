//! The client: one request after the other, each in time, each at most a few times.
//!
//! This file holds the way of a single question through retries, keys and redirects; `exchange.rs`
//! holds the way of a single request through breaker and pace. What can be asked: `calls.rs`. It
//! never writes to GitLab, never asks another host than the configured one, and never logs or
//! prints a query string.

mod exchange;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use super::Error;
use super::address::{Base, Target};
use super::credential::{Key, Keyring};
use super::features::{Capabilities, Features};
use super::graphql::{self, Standing};
use super::host::Host;
use super::meter::{Meter, RouteFigures};
use super::pacing::{Budget, Pace, Pacer};
use super::retry;
use super::settings::Settings;
use crate::clock::Clock;

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("xrefd/", env!("CARGO_PKG_VERSION"));

/// How many redirects one request follows. A moved project takes one, a front end one more.
const REDIRECTS: usize = 5;

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
    keyring: Arc<Keyring>,
    host: Arc<Host>,
    pace: Pace,
    /// The pacer of the credential's owner.
    pacer: RwLock<Arc<Pacer>>,
    features: Features,
    graphql: Standing,
    /// Whether GraphQL may be used at all.
    wants_graphql: bool,
    meter: Meter,
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
            .field("credential", &self.inner.keyring)
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
        let host = Arc::new(Host::new(settings.pace()?, Arc::clone(&clock)));
        Self::at(settings, clock, host)
    }

    /// Makes a client that keeps pace with another of the same host: what one of them learns of
    /// the limits holds for both, until it is known that their credentials have two owners.
    ///
    /// # Errors
    ///
    /// As [`Client::new`].
    pub fn beside(&self, settings: Settings) -> Result<Self, Error> {
        Self::at(settings, Arc::clone(&self.inner.clock), Arc::clone(&self.inner.host))
    }

    fn at(settings: Settings, clock: Arc<dyn Clock>, host: Arc<Host>) -> Result<Self, Error> {
        let pace = settings.pace()?;
        settings.keyring.check()?;
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
                keyring: settings.keyring,
                pacer: RwLock::new(host.unclaimed()),
                host,
                pace,
                features: Features::default(),
                graphql: Standing::default(),
                wants_graphql: settings.graphql,
                meter: Meter::default(),
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
        self.inner.pacer().budget()
    }

    /// Returns what was asked so far, by route template and status (`None`: no answer).
    pub fn figures(&self) -> BTreeMap<(String, Option<u16>), RouteFigures> {
        self.inner.meter.read()
    }

    /// Returns what is known of this GitLab and of what the credential may do there.
    pub fn capabilities(&self) -> Capabilities {
        self.inner.features.read()
    }

    /// Returns the keys of this client, to have them read again.
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.inner.keyring
    }

    /// Keeps the pace of the user that the credential belongs to from now on.
    pub(super) fn belongs_to(&self, user: u64) {
        let pacer = self.inner.host.owned_by(user, self.inner.pace);
        *self.inner.pacer.write().unwrap_or_else(PoisonError::into_inner) = pacer;
    }

    pub(super) fn features(&self) -> &Features {
        &self.inner.features
    }

    pub(super) fn graphql(&self) -> &Standing {
        &self.inner.graphql
    }

    pub(super) fn wants_graphql(&self) -> bool {
        self.inner.wants_graphql
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
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
        self.ask_with(target, None, read).await
    }

    /// Asks with a body, by `POST`: GraphQL is the only thing that is asked so.
    pub(super) async fn ask_with<T>(
        &self,
        target: &Target,
        body: Option<&[u8]>,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            let key = self.inner.keyring.present().await?;
            let answer = self.follow_redirects(target, body, &key).await;
            let error = match answer.and_then(&read) {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            if body.is_some() && graphql::decides(&error) {
                return Err(error);
            }
            let delay = if matches!(error, Error::Unauthorized { is_final: true, .. })
                && tries < retry::TRIES
                && self.inner.keyring.refused(key.generation).await
            {
                tracing::info!("GitLab refused the token, and another one is there: asking again");
                Duration::ZERO
            } else {
                let why = error.to_string();
                let delay = retry::next(error, tries, self.inner.backoff)?;
                tracing::debug!(
                    http.route = %target.route,
                    delay_ms = millis(delay),
                    "asking GitLab again for {}: {why}", target.route,
                );
                delay
            };
            self.inner.retries.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(delay).await;
        }
    }

    async fn follow_redirects(
        &self,
        target: &Target,
        body: Option<&[u8]>,
        key: &Key,
    ) -> Result<Answer, Error> {
        let mut target = target.clone();
        for _ in 0..=REDIRECTS {
            match self.exchange(&target, body, key).await? {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Moved(moved) => target = moved,
            }
        }
        Err(Error::RedirectLoop { path: target.path })
    }
}

impl Inner {
    fn pacer(&self) -> Arc<Pacer> {
        Arc::clone(&self.pacer.read().unwrap_or_else(PoisonError::into_inner))
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
