//! The key in force: which token is sent, and which comes after it.
//!
//! A [`Keyring`] knows the places that tokens are read from, in order, and hands out one [`Key`]
//! at a time. It reads a place again
//!
//! - before a request, when its file was written or replaced (looked at every few seconds);
//! - when GitLab refuses its token. Of many requests that are refused at once the first one reads,
//!   and the others wait for what it finds;
//! - when it is told to: on a hangup, and before the daily check.
//!
//! When the first place has nothing that GitLab takes, the second one is used, until the first
//! holds something else or it is told to look again. When GitLab takes none of them, the next
//! request begins with the first again: a refusal may have been chance, and a ring that is stuck
//! would outlive it. It never shows a token, never lends one to another source, and never gives up
//! the last key it has: GitLab's refusal then says what is wrong. What a single place held:
//! `place.rs`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Credential;
use super::place::{Held, Place};
use crate::config::{Auth, Environment, TokenSource};
use crate::gitlab::Error;
use crate::telemetry::chain;

/// For so long after all keys were refused nothing is read again: the refusals that come in are
/// those of requests that were out at the same time.
const REFUSAL_PAUSE: Duration = Duration::from_secs(1);

/// A credential that is in force, and the header that it travels in.
#[derive(Debug, Clone)]
pub(in crate::gitlab) struct Key {
    /// Counts the keys that this ring has handed out, so that a refusal can be told from one of
    /// an earlier key.
    pub(in crate::gitlab) generation: u64,
    pub(in crate::gitlab) credential: Credential,
    pub(in crate::gitlab) header: Option<(HeaderName, HeaderValue)>,
}

/// The keys of one source.
pub struct Keyring {
    origin: Origin,
    /// Tokio's, and held while a place is read, so that those who were refused at the same time
    /// wait for one reading and do not begin more. Every reading has a time limit.
    state: Mutex<State>,
}

/// Where keys come from.
enum Origin {
    /// Given once, for tests and for tools that hold a token already.
    Fixed(Credential),
    /// Read from the places that the configuration names.
    Read { kind: &'static str, wrap: fn(SecretString) -> Credential, environment: Environment },
}

#[derive(Default)]
struct State {
    in_force: Option<Key>,
    /// The first place, and the one to fall back to.
    places: Vec<Place>,
    /// When it was last found that every key is refused.
    exhausted_at: Option<Instant>,
    /// That a fallback is used, and why, in one sentence without a token's text.
    stand_in: Option<String>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Fixed(credential) => credential.fmt(f),
            Origin::Read { kind, .. } => f.write_str(kind),
        }
    }
}

impl Keyring {
    /// Makes a ring of one credential that never changes.
    pub fn fixed(credential: Credential) -> Arc<Self> {
        Arc::new(Self { origin: Origin::Fixed(credential), state: Mutex::default() })
    }

    /// Makes a ring that reads its keys where the configuration says. Nothing is read yet.
    pub fn new(auth: Auth, fallback: Option<TokenSource>, environment: Environment) -> Arc<Self> {
        let kind = auth.as_str();
        let (first, wrap): (_, fn(SecretString) -> Credential) = match auth {
            Auth::PrivateToken(place) => (place, Credential::PrivateToken),
            Auth::Bearer(place) => (place, Credential::Bearer),
            Auth::JobToken(place) => (place, Credential::JobToken),
            Auth::None => return Self::fixed(Credential::None),
        };
        let places = std::iter::once(first).chain(fallback).map(Place::new).collect();
        Arc::new(Self {
            origin: Origin::Read { kind, wrap, environment },
            state: Mutex::new(State { places, ..State::default() }),
        })
    }

    /// Checks what is known without reading anything.
    pub(in crate::gitlab) fn check(&self) -> Result<(), Error> {
        match &self.origin {
            Origin::Fixed(credential) => credential.header().map(|_| ()),
            Origin::Read { .. } => Ok(()),
        }
    }

    /// Reads the first key, if that was not done yet, so that a token which is not where it should
    /// be is known before anything begins.
    ///
    /// # Errors
    ///
    /// When no place holds a token that can be sent: the error of the first.
    pub async fn open(&self) -> Result<(), Error> {
        self.present().await.map(|_| ())
    }

    /// Returns the number of the key in force, which grows with each new one; 0 before the first.
    pub async fn generation(&self) -> u64 {
        self.state.lock().await.in_force.as_ref().map_or(0, |key| key.generation)
    }

    /// Returns a sentence that says which token is used in place of the first one, and why.
    pub async fn stand_in(&self) -> Option<String> {
        self.state.lock().await.stand_in.clone()
    }

    /// Returns the key in force, reading it the first time, and again when its file has changed.
    ///
    /// # Errors
    ///
    /// When no place holds a token that can be sent.
    pub(in crate::gitlab) async fn present(&self) -> Result<Key, Error> {
        let mut state = self.state.lock().await;
        match &self.origin {
            Origin::Fixed(credential) => {
                if state.in_force.is_none() {
                    state.put(credential.clone(), credential.header()?);
                }
            }
            Origin::Read { wrap, environment, .. } => {
                let mut is_new = state.in_force.is_none();
                for place in &mut state.places {
                    if place.has_changed().await {
                        // What a failure means is said where it is read: the old key stays.
                        is_new |= place.read(environment, *wrap).await.is_ok();
                    }
                }
                if is_new {
                    state.settle(environment, *wrap, Reread::Never).await?;
                }
            }
        }
        Ok(state.in_force.clone().expect("a key was put in force above, or earlier"))
    }

    /// Takes note that GitLab refused a key, and says whether there is another one by now.
    pub(in crate::gitlab) async fn refused(&self, generation: u64) -> bool {
        let mut state = self.state.lock().await;
        if state.exhausted_at.is_some_and(|at| at.elapsed() < REFUSAL_PAUSE) {
            return false;
        }
        let Some(key) = &state.in_force else { return true };
        if key.generation != generation {
            return true;
        }
        let Origin::Read { wrap, environment, .. } = &self.origin else { return false };
        let header = key.header.clone();
        for place in &mut state.places {
            place.refuse(header.as_ref());
        }
        // A failure to read leaves things as they are: GitLab's refusal is what is told.
        if state.settle(environment, *wrap, Reread::Refused).await.unwrap_or(false) {
            return true;
        }
        tracing::info!("GitLab refuses the token, and there is no other");
        for place in &mut state.places {
            place.forgive();
        }
        let _ = state.settle(environment, *wrap, Reread::Never).await;
        state.exhausted_at = Some(Instant::now());
        false
    }

    /// Reads all places again and begins with the first one, whatever was refused before.
    pub async fn reload(&self) {
        let mut state = self.state.lock().await;
        let Origin::Read { wrap, environment, .. } = &self.origin else { return };
        for place in &mut state.places {
            if place.was_read() {
                place.forgive();
                // What it held stays; that it cannot be read is said there.
                let _ = place.read(environment, *wrap).await;
            }
        }
        state.exhausted_at = None;
        if state.in_force.is_some() {
            // With a key in force there is no error to tell.
            let _ = state.settle(environment, *wrap, Reread::Never).await;
        }
    }
}

/// Which places are read on the way to a key; those that were never read are in any case.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reread {
    Never,
    /// Those whose tokens GitLab has refused, if it is not too soon.
    Refused,
}

impl State {
    /// Puts the first usable token in force, and says whether it is another than before.
    ///
    /// # Errors
    ///
    /// When there is none and there was none before.
    async fn settle(
        &mut self,
        environment: &Environment,
        wrap: fn(SecretString) -> Credential,
        reread: Reread,
    ) -> Result<bool, Error> {
        let mut failure = None;
        for index in 0..self.places.len() {
            let place = &mut self.places[index];
            let wanted = match reread {
                Reread::Never => !place.was_read() || self.in_force.is_none(),
                Reread::Refused => place.may_reread(),
            };
            if wanted && let Err(error) = place.read(environment, wrap).await {
                failure.get_or_insert(error);
            }
            let Some(held) = place.usable() else { continue };
            let Held { credential, header, .. } = held;
            if self.in_force.as_ref().is_some_and(|key| key.header == *header) {
                if index == 0 {
                    self.stand_in = None;
                }
                return Ok(false);
            }
            let (credential, header) = (credential.clone(), header.clone());
            self.tell(index, failure.as_ref());
            self.put(credential, header);
            return Ok(true);
        }
        match failure {
            Some(error) if self.in_force.is_none() => Err(error),
            Some(_) | None => Ok(false),
        }
    }

    /// Says which place is in use from now on, where that is worth a line, and keeps it in mind
    /// while it is not the first.
    fn tell(&mut self, index: usize, failure: Option<&Error>) {
        let place = self.places[index].describe();
        self.stand_in = self.places.first().filter(|_| index > 0).map(|first| {
            let wanted = first.describe();
            match failure {
                _ if !first.is_failing() => {
                    format!("the token of {place} is used: GitLab refuses the one of {wanted}")
                }
                Some(error) => format!(
                    "the token of {place} is used: there is none in {wanted}: {}",
                    chain(error)
                ),
                None => format!("the token of {place} is used: there is none in {wanted}"),
            }
        });
        if let Some(sentence) = &self.stand_in {
            tracing::warn!("{sentence}");
        } else if self.in_force.is_some() {
            tracing::info!("another token is used from now on: the one of {place}");
        }
    }

    fn put(&mut self, credential: Credential, header: Option<(HeaderName, HeaderValue)>) {
        let generation = self.in_force.as_ref().map_or(0, |key| key.generation) + 1;
        self.in_force = Some(Key { generation, credential, header });
        self.exhausted_at = None;
    }
}

#[cfg(test)]
mod tests;
