//! The key in force: which token is sent, and which comes after it.
//!
//! A [`Keyring`] knows the places that tokens are read from, in order, and hands out one [`Key`]
//! at a time. When GitLab refuses a key, its place is read again: a token that was rotated is
//! picked up without a restart. It never shows a token, and never lends one to another source.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{HeaderName, HeaderValue};
use tokio::sync::Mutex;

use super::Credential;
use crate::config::{Auth, Environment};
use crate::gitlab::Error;

/// A credential that is in force, and the header that it travels in.
#[derive(Debug, Clone)]
pub(in crate::gitlab) struct Key {
    /// Counts the keys that this ring has handed out, so that a refusal can be told from one of
    /// an earlier key.
    pub(in crate::gitlab) generation: u64,
    pub(in crate::gitlab) credential: Credential,
    pub(in crate::gitlab) header: Option<(HeaderName, HeaderValue)>,
}

impl Key {
    fn new(generation: u64, credential: Credential) -> Result<Self, Error> {
        let header = credential.header()?;
        Ok(Self { generation, credential, header })
    }
}

/// The keys of one source.
pub struct Keyring {
    origin: Origin,
    state: Mutex<Option<Key>>,
}

/// Where keys come from.
enum Origin {
    /// Given once, for tests and for tools that hold a token already.
    Fixed(Credential),
    /// Read from the place that the configuration names.
    Read { auth: Auth, environment: Environment },
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.origin {
            Origin::Fixed(credential) => credential.fmt(f),
            Origin::Read { auth, .. } => f.write_str(auth.as_str()),
        }
    }
}

impl Keyring {
    /// Makes a ring of one credential that never changes.
    pub fn fixed(credential: Credential) -> Arc<Self> {
        Arc::new(Self { origin: Origin::Fixed(credential), state: Mutex::default() })
    }

    /// Makes a ring that reads its keys where the configuration says. Nothing is read yet.
    pub fn new(auth: Auth, environment: Environment) -> Arc<Self> {
        Arc::new(Self { origin: Origin::Read { auth, environment }, state: Mutex::default() })
    }

    /// Checks what is known without reading anything.
    pub(in crate::gitlab) fn check(&self) -> Result<(), Error> {
        match &self.origin {
            Origin::Fixed(credential) => credential.header().map(|_| ()),
            Origin::Read { .. } => Ok(()),
        }
    }

    /// Returns the key in force, reading it the first time.
    ///
    /// # Errors
    ///
    /// When no place holds a token that can be sent.
    pub(in crate::gitlab) async fn present(&self) -> Result<Key, Error> {
        let mut state = self.state.lock().await;
        if let Some(key) = &*state {
            return Ok(key.clone());
        }
        let key = Key::new(1, self.read().await?)?;
        *state = Some(key.clone());
        Ok(key)
    }

    /// Takes note that GitLab refused a key, and says whether there is another one by now.
    pub(in crate::gitlab) async fn refused(&self, generation: u64) -> bool {
        let mut state = self.state.lock().await;
        let Some(key) = &*state else { return true };
        if key.generation != generation {
            return true;
        }
        let Ok(read) = self.read().await else { return false };
        match Key::new(generation + 1, read) {
            Ok(fresh) if fresh.header != key.header => {
                *state = Some(fresh);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }

    /// Forgets the key in force, so that the next request reads its place again.
    pub async fn reload(&self) {
        let mut state = self.state.lock().await;
        if let Some(key) = &*state
            && let Ok(read) = self.read().await
            && let Ok(fresh) = Key::new(key.generation + 1, read)
        {
            *state = Some(fresh);
        }
    }

    async fn read(&self) -> Result<Credential, Error> {
        match &self.origin {
            Origin::Fixed(credential) => Ok(credential.clone()),
            Origin::Read { auth, environment } => {
                let Some(place) = auth.token() else { return Ok(Credential::None) };
                let token = place.read(environment).await;
                let token = token.map_err(|source| Error::Token { source })?;
                Ok(match auth {
                    Auth::PrivateToken(_) => Credential::PrivateToken(token),
                    Auth::Bearer(_) => Credential::Bearer(token),
                    Auth::JobToken(_) => Credential::JobToken(token),
                    Auth::None => Credential::None,
                })
            }
        }
    }
}
