//! The token of a source: read before anything begins, and looked at once a day.
//!
//! The first sync of a source asks GitLab about the token, and so does the first one a day later,
//! by whichever process, or after another token came into use in a running one, each once its roots are found: a host that does not answer
//! is not asked twice. That costs one request (two for an OAuth token). What is found is logged and
//! kept for those who show it. A token that GitLab refuses ends the sync, before anything is taken
//! for gone; a check that fails for any other reason does not. Which token is sent, and when it is read again,
//! is decided by [`gitlab::Keyring`].

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Crawler, Error};
use crate::gitlab::{self, TokenCheck};
use crate::store::{Run, TokenRow};
use crate::telemetry::chain;

/// How long a check holds. Tokens expire by the day.
const CHECK_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// When a check that failed is tried again.
const FAILURE_PAUSE: SignedDuration = SignedDuration::from_hours(1);

/// What is known of a source's token, and when it is looked at again.
#[derive(Debug, Default)]
pub(super) struct TokenState {
    looked: Mutex<Option<Look>>,
}

#[derive(Debug, Clone)]
struct Look {
    at: Timestamp,
    pause: SignedDuration,
    /// Which of the keys it was.
    generation: u64,
    check: Option<TokenCheck>,
}

impl TokenState {
    fn read(&self) -> Option<Look> {
        self.looked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, look: Look) {
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
    }
}

impl Crawler {
    /// Returns what GitLab last said about the token; `None` before the first sync, and when it
    /// could not be asked.
    pub fn token_check(&self) -> Option<TokenCheck> {
        self.inner.token.read()?.check
    }

    /// Reads the token again, whatever was refused before.
    pub async fn reload_token(&self) {
        self.inner.client.keyring().reload().await;
    }

    /// Reads the token for the first time.
    ///
    /// # Errors
    ///
    /// When it is not where it should be, nor the second one.
    pub(super) async fn read_token(&self) -> Result<(), Error> {
        self.inner.client.keyring().open().await.map_err(|error| match error {
            gitlab::Error::Token { source } => {
                Error::Token { name: self.name().to_owned(), source }
            }
            error => self.unreadable(error),
        })
    }

    /// Asks GitLab about the token, unless that was done within a day.
    ///
    /// # Errors
    ///
    /// When GitLab refuses the token.
    pub(super) async fn check_token(&self, run: &Run) -> Result<(), Error> {
        let inner = &self.inner;
        let keyring = inner.client.keyring();
        let now = inner.clock.now();
        if inner.token.read().is_none() {
            self.recall_check().await?;
        }
        let last = inner.token.read();
        if let Some(last) = &last {
            // A clock that was set back must not put the next check off for ever.
            let is_over = now.duration_since(last.at).abs() >= last.pause;
            if !is_over && keyring.generation().await == last.generation {
                return Ok(());
            }
            if is_over {
                // The first place may hold a good token again.
                keyring.reload().await;
            }
        }
        let checked = inner.client.check_token().await;
        let (check, pause) = match checked {
            Ok(check) => {
                self.tell(&check, now);
                (Some(check), CHECK_PAUSE)
            }
            Err(
                error @ (gitlab::Error::Unauthorized { is_final: true, .. }
                | gitlab::Error::Token { .. }),
            ) => return Err(self.unreadable(error)),
            Err(error) => {
                tracing::warn!(
                    source = self.name(),
                    "source {}: the token could not be checked: {}",
                    self.name(),
                    chain(&error)
                );
                (last.and_then(|last| last.check), FAILURE_PAUSE)
            }
        };
        let generation = keyring.generation().await;
        let findings = check.as_ref().and_then(|check| serde_json::to_string(check).ok());
        inner.token.write(Look { at: now, pause, generation, check });
        if let Some(findings) = findings {
            let again_at = now.saturating_add(pause).unwrap_or(now);
            let row = TokenRow { checked_at: now, again_at, findings };
            inner.store.put_token_check(run.source, &row).await?;
        }
        Ok(())
    }

    /// Takes over what an earlier process found out about the token.
    async fn recall_check(&self) -> Result<(), Error> {
        let inner = &self.inner;
        let Some(row) = inner.store.find_token_check(self.name()).await? else { return Ok(()) };
        // What another version of the program wrote may not be understood: GitLab is asked.
        if let Ok(check) = serde_json::from_str(&row.findings) {
            let pause = row.again_at.duration_since(row.checked_at);
            let generation = inner.client.keyring().generation().await;
            inner.token.write(Look { at: row.checked_at, pause, generation, check: Some(check) });
        }
        Ok(())
    }

    fn tell(&self, check: &TokenCheck, now: Timestamp) {
        for warning in check.warnings(now) {
            tracing::warn!(source = self.name(), "source {}: {warning}", self.name());
        }
        for remark in check.remarks() {
            tracing::info!(source = self.name(), "source {}: {remark}", self.name());
        }
    }

    fn unreadable(&self, error: gitlab::Error) -> Error {
        Error::GitLab { url: self.inner.source.url.to_string(), source: Box::new(error) }
    }
}

#[cfg(test)]
mod tests;
