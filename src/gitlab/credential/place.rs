//! One place that tokens come from, and what it held when it was last read.
//!
//! A place keeps two texts: the one it held last and the one before, so that a file which is read
//! while somebody writes it costs nothing. What GitLab refused is marked and not sent again until
//! the place holds something else. It never shows a text, and never decides when it is read: that
//! is `keyring.rs`.

use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use super::Credential;
use crate::config::{Environment, Stamp, TokenSource};
use crate::gitlab::Error;
use crate::telemetry::chain;

/// How often a file is looked at, at most: often enough that a rotation is noticed before most
/// requests are refused, and too seldom to be felt.
const LOOK_PAUSE: Duration = Duration::from_secs(3);

/// How often a command is run or a pipe read because of a refusal, at most: each time may start a
/// program, ask a server, or wake a person.
const RUN_PAUSE: Duration = Duration::from_secs(10);

/// A token that a place held.
pub(super) struct Held {
    pub(super) credential: Credential,
    pub(super) header: Option<(HeaderName, HeaderValue)>,
    /// GitLab has refused it.
    is_refused: bool,
}

/// A place and what it held.
pub(super) struct Place {
    source: TokenSource,
    held: Option<Held>,
    /// What it held before that.
    before: Option<Held>,
    /// The look of the file when it was last read.
    stamp: Option<Stamp>,
    looked_at: Option<Instant>,
    was_read: bool,
    /// When it was last read because of a refusal.
    reread_at: Option<Instant>,
    /// It could not be read the last time, and that was said.
    is_failing: bool,
}

impl Place {
    pub(super) fn new(source: TokenSource) -> Self {
        Self {
            source,
            held: None,
            before: None,
            stamp: None,
            looked_at: None,
            was_read: false,
            reread_at: None,
            is_failing: false,
        }
    }

    /// Returns the place in words.
    pub(super) fn describe(&self) -> String {
        self.source.describe()
    }

    /// Returns the token to send: the last one, unless GitLab refused it, else the one before.
    pub(super) fn usable(&self) -> Option<&Held> {
        [&self.held, &self.before].into_iter().flatten().find(|held| !held.is_refused)
    }

    /// Says whether it was read at all, with or without success.
    pub(super) fn was_read(&self) -> bool {
        self.was_read
    }

    /// Says whether it could not be read the last time.
    pub(super) fn is_failing(&self) -> bool {
        self.is_failing
    }

    /// Says whether it may be read because of a refusal, or whether that would be too soon after
    /// the last time; notes that it is read now.
    pub(super) fn may_reread(&mut self) -> bool {
        // To read a plain file, or what was one, costs nothing.
        let is_file = self.stamp.is_some();
        if !is_file && self.reread_at.is_some_and(|at| at.elapsed() < RUN_PAUSE) {
            return false;
        }
        self.reread_at = Some(Instant::now());
        true
    }

    /// Says whether the file was written or replaced since it was read. It is looked at every few
    /// seconds at most; of a place that is no file, nothing is known before it is read.
    pub(super) async fn has_changed(&mut self) -> bool {
        if !self.was_read || self.looked_at.is_some_and(|at| at.elapsed() < LOOK_PAUSE) {
            return false;
        }
        self.looked_at = Some(Instant::now());
        match self.source.stamp().await {
            // It is gone, or cannot be looked at: what was read of it stays.
            None => false,
            stamp => stamp != self.stamp,
        }
    }

    /// Reads the place. What it held stays when it cannot be read, which is said once.
    ///
    /// # Errors
    ///
    /// When it holds no token that can be sent.
    pub(super) async fn read(
        &mut self,
        environment: &Environment,
        wrap: fn(secrecy::SecretString) -> Credential,
    ) -> Result<(), Error> {
        // Before the reading, so that a change under it is noticed afterwards.
        let stamp = self.source.stamp().await;
        let read = match self.source.read(environment).await {
            Ok(token) => {
                let credential = wrap(token);
                credential.header().map(|header| Held { credential, header, is_refused: false })
            }
            Err(source) => Err(Error::Token { source }),
        };
        self.was_read = true;
        self.looked_at = Some(Instant::now());
        // A file that is gone for a moment was a file all the same.
        self.stamp = stamp.or(self.stamp);
        match read {
            Ok(fresh) => {
                self.is_failing = false;
                self.take(fresh);
                Ok(())
            }
            Err(error) => {
                if self.held.is_some() && !self.is_failing {
                    tracing::warn!(
                        "the token that {} held is used on, for now it holds none: {}",
                        self.describe(),
                        chain(&error)
                    );
                }
                self.is_failing = true;
                Err(error)
            }
        }
    }

    fn take(&mut self, fresh: Held) {
        match self.held.take() {
            Some(held) if held.header == fresh.header => self.held = Some(held),
            held => {
                self.before = held;
                self.held = Some(fresh);
            }
        }
    }

    /// Marks a token that GitLab refused. Returns true when it is of this place and was not marked
    /// before.
    pub(super) fn refuse(&mut self, header: Option<&(HeaderName, HeaderValue)>) -> bool {
        let mut is_news = false;
        for held in [&mut self.held, &mut self.before].into_iter().flatten() {
            if held.header.as_ref() == header && !held.is_refused {
                held.is_refused = true;
                is_news = true;
            }
        }
        is_news
    }

    /// Forgets what GitLab refused, so that the last token is tried again; the one before it has
    /// had its time.
    pub(super) fn forgive(&mut self) {
        self.before = None;
        if let Some(held) = &mut self.held {
            held.is_refused = false;
        }
    }
}
