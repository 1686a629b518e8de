//! What a client is made from.
//!
//! A plain struct, so that this module needs to know no configuration file. Figures without sense
//! are refused before the first request.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;

use super::Error;
use super::breaker::Endurance;
use super::credential::{Credential, Keyring};
use super::pacing::Pace;
use super::proxy::Proxies;

/// What a client is made from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of GitLab's start page; may have a sub-path.
    pub base_url: Url,
    /// The proxies that may lie on the way; none unless they are given.
    pub proxies: Proxies,
    /// A file with certificates of authorities that are believed beside the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Who we are.
    pub keyring: Arc<Keyring>,
    /// Whether GraphQL may be used where it is cheaper than REST.
    pub graphql: bool,
    /// Requests per minute where the server states no limit.
    pub requests_per_minute: u32,
    /// The share of a stated limit that may be used, above 0 and at most 1.
    pub share: f64,
    /// How many requests may be out at once.
    pub concurrency: usize,
    /// How long a connection may take.
    pub connect_timeout: Duration,
    /// How long an answer may take to begin.
    pub head_timeout: Duration,
    /// How long nothing may come in the middle of a body.
    pub idle_timeout: Duration,
    /// How long a request may take, its body included.
    pub request_timeout: Duration,
    /// The largest body that is taken, after decompression.
    pub max_body_bytes: u64,
    /// The delay before the second try; later ones wait longer. Also the first delay before a look
    /// whether a host that failed is back; later ones wait up to 30 times as long.
    pub backoff: Duration,
    /// How long an outage of the host is waited for.
    pub patience: Duration,
    /// How long a host is waited for that cannot be reached and has never answered yet.
    pub first_patience: Duration,
    /// How long to rest after a throttle answer that says nothing about it.
    pub unstated_pause: Duration,
}

impl Settings {
    /// Makes settings with the defaults, and a credential that never changes.
    pub fn new(base_url: Url, credential: Credential) -> Self {
        Self {
            base_url,
            proxies: Proxies::default(),
            ca_file: None,
            keyring: Keyring::fixed(credential),
            graphql: true,
            requests_per_minute: 600,
            share: 0.8,
            concurrency: 8,
            connect_timeout: Duration::from_secs(10),
            // As long as GitLab's own servers work on a request.
            head_timeout: Duration::from_mins(1),
            // A server that has begun has its answer; only a network makes it wait.
            idle_timeout: Duration::from_secs(20),
            // A body of the largest size at 2 MB/s, after the longest work.
            request_timeout: Duration::from_secs(90),
            max_body_bytes: 64 * 1024 * 1024,
            backoff: Duration::from_secs(1),
            // A deploy takes up to a minute, a restart of everything two.
            patience: Duration::from_mins(3),
            // A wrong address is found out while one waits for it.
            first_patience: Duration::from_secs(10),
            // The interval of most of GitLab's application limits.
            unstated_pause: Duration::from_mins(1),
        }
    }

    /// Takes out what the breaker goes by.
    pub(super) fn endurance(&self) -> Endurance {
        Endurance {
            rest: self.backoff,
            patience: self.patience,
            first_patience: self.first_patience,
        }
    }

    /// Checks the figures and takes out what the pacer goes by.
    pub(super) fn pace(&self) -> Result<Pace, Error> {
        let refuse = |reason: &str| Error::Settings { reason: reason.to_owned() };
        let requests_per_minute = NonZeroU32::new(self.requests_per_minute)
            .ok_or_else(|| refuse("`requests_per_minute` must be at least 1"))?;
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err(refuse("`share` must be above 0 and at most 1"));
        }
        if self.concurrency == 0 || self.concurrency > tokio::sync::Semaphore::MAX_PERMITS {
            return Err(refuse("`concurrency` must be at least 1"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the share lies above 0 and is at most 1"
        )]
        let share_permille = (self.share * 1_000.0).round() as u64;
        Ok(Pace {
            requests_per_minute,
            share_permille,
            concurrency: self.concurrency,
            unstated_pause: self.unstated_pause,
        })
    }
}
