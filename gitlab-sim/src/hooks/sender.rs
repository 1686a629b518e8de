//! Who sends: what identifies the instance, and the headers that come of it.

use std::sync::Arc;

use jiff::Timestamp;

use super::hook::{Hook, HookId};
use super::sign::sign;
use crate::hash::hex64;

/// One event on its way to one hook.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) hook: HookId,
    pub(super) event: &'static str,
    pub(super) event_uuid: String,
    pub(super) key: String,
    pub(super) body: Arc<str>,
}

/// What is the same for all deliveries of an instance.
#[derive(Debug)]
pub(super) struct Sender {
    url: String,
    version: String,
    /// Keeps identifiers of two instances apart.
    salt: String,
}

impl Sender {
    pub(super) fn new(url: &str, version: &str, started: Timestamp) -> Self {
        let salt = format!("{url} {started}");
        Self { url: url.to_owned(), version: version.to_owned(), salt }
    }

    /// Returns the external address of the instance.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns a UUID that follows from a number.
    pub(super) fn uuid(&self, number: u64) -> String {
        let digits = hex64(format!("{} {number}", self.salt));
        let (a, b, c, d) = (&digits[..8], &digits[8..12], &digits[13..16], &digits[17..20]);
        format!("{a}-{b}-4{c}-a{d}-{}", &digits[20..32])
    }

    /// Returns the headers of an attempt.
    pub(super) fn headers(
        &self,
        hook: &Hook,
        job: &Job,
        uuid: &str,
        now: Timestamp,
    ) -> Vec<(String, String)> {
        let mut headers: Vec<(String, String)> = [
            ("Content-Type", "application/json"),
            ("User-Agent", &format!("GitLab/{}", self.version)),
            ("Idempotency-Key", &job.key),
            ("X-Gitlab-Event", job.event),
            ("X-Gitlab-Event-UUID", &job.event_uuid),
            ("X-Gitlab-Webhook-UUID", uuid),
            ("X-Gitlab-Instance", &self.url),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
        if let Some(token) = &hook.token {
            add("X-Gitlab-Token", token);
        }
        if let Some(token) = &hook.signing_token {
            let timestamp = now.as_second();
            add("webhook-id", &job.key);
            add("webhook-timestamp", &timestamp.to_string());
            add("webhook-signature", &sign(token, &job.key, timestamp, &job.body));
        }
        headers.extend(hook.headers.iter().cloned());
        headers
    }
}
