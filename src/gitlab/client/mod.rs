//! The client: one request after the other, each in time, each at most a few times.
//!
//! This file holds what a client is made of; `ask.rs` holds the way of a single question through
//! retries, keys and redirects, `exchange.rs` that of a single request through breaker and pace. What can be asked: `calls.rs`. It
//! never writes to GitLab, never asks another host than the configured one, and never logs or
//! prints a query string.

mod ask;
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
use super::credential::Keyring;
use super::features::{Capabilities, Features};
use super::graphql::Standing;
use super::host::Host;
use super::meter::{Meter, RouteFigures};
use super::pacing::{Budget, LearntLimit, Pace, Pacer};
use super::settings::Settings;
use super::tls;
use crate::clock::Clock;

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("xrefd/", env!("CARGO_PKG_VERSION"));

/// How long a connection rests in the pool. The usual servers and balancers close one after 60 to
/// 75 seconds (nginx before GitLab: 65), and one that is closed just when it is used is a failure.
const POOL_IDLE: Duration = Duration::from_secs(30);

/// When a connection of HTTP/2 that carries requests is asked whether it still lives, and how long
/// the answer may take. All requests share it: without this, each of them would wait for its own
/// limit when a firewall has forgotten it.
const PING_INTERVAL: Duration = Duration::from_secs(20);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

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
    /// Scheme, host and port of the base, and the proxy on the way, for errors.
    way: String,
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
    limits: Limits,
    backoff: Duration,
    /// What came of asking whether a refused key is valid, shared by all who wonder at once.
    doubt: ask::Doubt,
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

/// What an answer may cost at most.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Until it begins.
    head: Duration,
    /// Between two pieces of its body.
    idle: Duration,
    /// For all of it.
    whole: Duration,
    body_bytes: u64,
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
        let (pace, endurance) = (settings.pace()?, settings.endurance());
        let host = Arc::new(Host::new(pace, endurance, Arc::clone(&clock)));
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
        let base = Base::new(&settings.base_url)?;
        let proxy = settings.proxies.find(&settings.base_url)?;
        let encrypted = settings.base_url.scheme() == "https"
            || proxy.as_ref().is_some_and(|proxy| proxy.encrypted);
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            // Redirects are ours: the library would drop the token or carry it elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // The other limits of time are kept in `exchange.rs`.
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(POOL_IDLE)
            .pool_max_idle_per_host(settings.concurrency)
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT)
            // The environment was captured by `config`; the library is not to ask it again.
            .no_proxy();
        let authorities = match &settings.ca_file {
            Some(path) => tls::read_authorities(path)?,
            None => Vec::new(),
        };
        http = if encrypted {
            http.tls_certs_merge(authorities)
        } else {
            // Nothing is encrypted, so that a system without any authorities will do.
            http.tls_certs_only([])
        };
        let mut way = base.origin();
        if let Some(proxy) = proxy {
            http = http.proxy(proxy.for_requests()?);
            way = format!("{way} through the proxy {}", proxy.shown());
        }
        let http = http.build().map_err(|source| tls::unusable(&settings, source))?;
        Ok(Self {
            inner: Arc::new(Inner {
                http,
                base,
                way,
                keyring: settings.keyring,
                pacer: RwLock::new(host.unclaimed()),
                host,
                pace,
                features: Features::default(),
                graphql: Standing::default(),
                wants_graphql: settings.graphql,
                meter: Meter::default(),
                clock,
                limits: Limits {
                    head: settings.head_timeout.min(settings.request_timeout),
                    idle: settings.idle_timeout,
                    whole: settings.request_timeout,
                    body_bytes: settings.max_body_bytes,
                },
                backoff: settings.backoff,
                doubt: ask::Doubt::default(),
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

    /// Returns since when the host has not answered, while all requests wait for it.
    pub fn outage(&self) -> Option<Timestamp> {
        self.inner.host.breaker.open_since()
    }

    /// Returns what was learnt of limits, to be kept over a restart.
    pub fn learnt(&self) -> Vec<LearntLimit> {
        self.inner.pacer().learnt()
    }

    /// Takes in what was learnt before a restart; best before the first request.
    pub fn recall(&self, limits: Vec<LearntLimit>) {
        self.inner.pacer().recall(limits);
    }

    /// Returns what was asked so far, by route template and status (`None`: no answer).
    pub fn figures(&self) -> BTreeMap<(String, Option<u16>), RouteFigures> {
        self.inner.meter.read()
    }

    /// Returns GitLab's clock minus ours, as its last answer showed it.
    pub fn skew(&self) -> Option<jiff::SignedDuration> {
        self.inner.meter.skew()
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

    /// Says whether two clients share a pace.
    #[cfg(test)]
    pub(super) fn keeps_pace_with(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner.pacer(), &other.inner.pacer())
    }

    pub(super) fn now(&self) -> Timestamp {
        self.inner.clock.now()
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

    pub(super) fn base(&self) -> &Base {
        &self.inner.base
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
