//! One question: past redirects, with another key where one was refused, and again where its
//! failure may pass.
//!
//! Every failure is looked up in one table (`trouble.rs`), told to the breaker of the host, and
//! then tried again, waited out, or handed to the caller. It never sends anything itself, which is
//! `exchange.rs`'s, and never asks without end: tries are counted, and an outage has its patience.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Answer, Client, Outcome, millis};
use crate::gitlab::Error;
use crate::gitlab::address::Target;
use crate::gitlab::breaker::{Noted, Passage};
use crate::gitlab::credential::{Credential, Key};
use crate::gitlab::retry;
use crate::gitlab::trouble::{Less, TRIES, Whose};

/// How many redirects one request follows. A moved project takes one, a front end one more.
const REDIRECTS: usize = 5;

/// How many failures of the same question are enough to ask for less.
const ENOUGH: u32 = 2;

/// The last look at a key that was refused. The lock is held while GitLab is asked, so that all
/// who wonder at once ask once.
pub(super) type Doubt = Mutex<Option<Look>>;

/// What came of one look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    generation: u64,
    at: Instant,
    is_refused: bool,
}

/// How a question is asked.
#[derive(Debug, Clone, Copy)]
struct Manner<'a> {
    body: Option<&'a [u8]>,
    can_ask_for_less: bool,
    /// A 401 is taken for one of the key.
    doubts_key: bool,
}

impl Manner<'_> {
    const PLAIN: Self = Self { body: None, can_ask_for_less: false, doubts_key: true };
}

/// What a failed try leads to.
enum Next {
    Again(Duration),
    Never(Error),
}

/// How far a question has come.
#[derive(Debug, Default)]
struct Progress {
    /// Tries spent.
    tries: u32,
    /// Failures met, those of an outage included.
    met: u32,
    /// Keys that were refused and replaced.
    keys: u32,
    /// The host answers a plain question, so that the failure is of this one.
    knocked: bool,
    /// One refusal of a key that is valid was forgiven.
    forgiven: bool,
}

impl Client {
    /// Asks until there is an answer that `read` understands, or no point in asking.
    ///
    /// Cancelling is safe at any point.
    pub(in crate::gitlab) async fn ask<T>(
        &self,
        target: &Target,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.ask_until(target, Manner::PLAIN, read).await
    }

    /// Asks as [`Client::ask`] does, for somebody who can ask for less: what was too much is not
    /// asked for again as it was.
    pub(in crate::gitlab) async fn ask_or_less<T>(
        &self,
        target: &Target,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let manner = Manner { can_ask_for_less: true, ..Manner::PLAIN };
        self.ask_until(target, manner, read).await
    }

    /// Asks with a body, by `POST`: GraphQL is the only thing that is asked so, and it can always
    /// ask for less.
    pub(in crate::gitlab) async fn ask_with<T>(
        &self,
        target: &Target,
        body: Option<&[u8]>,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let manner = Manner { body, can_ask_for_less: true, ..Manner::PLAIN };
        self.ask_until(target, manner, read).await
    }

    /// Asks as [`Client::ask`] does, but takes no refusal for one of the key: for a question that
    /// GitLab may answer with 401 although the token is good.
    pub(in crate::gitlab) async fn probe<T>(
        &self,
        target: &Target,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let manner = Manner { doubts_key: false, ..Manner::PLAIN };
        self.ask_until(target, manner, read).await
    }

    async fn ask_until<T>(
        &self,
        target: &Target,
        manner: Manner<'_>,
        read: impl Fn(Answer) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let inner = &*self.inner;
        let mut progress = Progress::default();
        loop {
            let mut passage = inner.host.breaker.passage();
            passage.wait().await?;
            if passage.is_probe() && progress.met >= TRIES {
                // It may be this question that brings the host to its knees: a plain one tells.
                progress.knocked = self.knock(passage).await?;
                continue;
            }
            let key = inner.keyring.present().await?;
            let answer = self.follow_redirects(target, manner.body, &key, &mut passage).await;
            let error = match answer.and_then(&read) {
                Ok(value) => {
                    passage.answered();
                    return Ok(value);
                }
                Err(error) => error,
            };
            if progress.knocked && error.trouble().whose == Whose::Host {
                drop(passage);
                return Err(Error::TooManyRetries {
                    attempts: progress.met + 1,
                    source: Box::new(error),
                });
            }
            let next = match passage.failed(error) {
                Noted::Outage => {
                    progress.met += 1;
                    Next::Again(Duration::ZERO)
                }
                Noted::Barred(error) => Next::Never(error),
                Noted::Single(error) => {
                    progress.met += 1;
                    progress.tries += 1;
                    let enough = match error.less() {
                        Less::No => false,
                        Less::Later => progress.tries >= ENOUGH,
                        Less::AtOnce => true,
                    };
                    let is_doubted = matches!(error, Error::Unauthorized { is_final: true, .. });
                    if manner.can_ask_for_less && enough || is_doubted && !manner.doubts_key {
                        Next::Never(error)
                    } else if is_doubted {
                        self.doubt(error, &key, &mut progress).await?
                    } else {
                        self.weigh(target, error, &progress)
                    }
                }
            };
            match next {
                Next::Never(error) => return Err(error),
                Next::Again(delay) => {
                    inner.retries.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(delay).await;
                }
            }
        }
    }

    /// Decides about another try after a failure of this question alone.
    fn weigh(&self, target: &Target, error: Error, progress: &Progress) -> Next {
        let why = error.to_string();
        let delay = match retry::next(error, progress.tries, self.inner.backoff) {
            Ok(delay) => delay,
            Err(error) => return Next::Never(error),
        };
        tracing::debug!(
            http.route = %target.route,
            delay_ms = millis(delay),
            "asking GitLab again for {}: {why}", target.route,
        );
        Next::Again(delay)
    }

    /// Follows up a refused key: is it really refused, and if so, is there another one?
    ///
    /// A 401 may be of one route, or chance: an authentication proxy that restarts, a replica that
    /// lags. To stop everything for that would lose a sync; to go on with a dead token would cost a
    /// request for each thing there is. So GitLab is asked once about the token itself.
    async fn doubt(&self, error: Error, key: &Key, progress: &mut Progress) -> Result<Next, Error> {
        // A key that was replaced meanwhile needs no look.
        let is_past = self.inner.keyring.generation().await != key.generation;
        if is_past || self.is_refused(key).await? {
            if progress.keys < TRIES && self.inner.keyring.refused(key.generation).await {
                progress.keys += 1;
                progress.tries -= 1;
                tracing::info!("GitLab refused the token, and another one is there: asking again");
                return Ok(Next::Again(Duration::ZERO));
            }
            return Ok(Next::Never(error));
        }
        if !progress.forgiven {
            progress.forgiven = true;
            return Ok(Next::Again(retry::jittered(1, self.inner.backoff)));
        }
        Ok(Next::Never(match error {
            Error::Unauthorized { path, reason, .. } => {
                Error::Unauthorized { path, reason, is_final: false }
            }
            other => other,
        }))
    }

    /// Asks GitLab about the key itself. All who wonder at once share one request. No answer says
    /// nothing against the key.
    async fn is_refused(&self, key: &Key) -> Result<bool, Error> {
        let wondered = Instant::now();
        let mut last = self.inner.doubt.lock().await;
        if let Some(look) = *last
            && look.generation == key.generation
            && look.at >= wondered
        {
            return Ok(look.is_refused);
        }
        let path: &[&str] = match &key.credential {
            Credential::PrivateToken(_) => &["personal_access_tokens", "self"],
            // OAuth tokens have no such page of their own.
            Credential::Bearer(_) => &["user"],
            Credential::JobToken(_) | Credential::None => return Ok(false),
        };
        let target = self.base().target(path, &[])?;
        let mut passage = self.inner.host.breaker.passage();
        passage.wait().await?;
        let answer = self.follow_redirects(&target, None, key, &mut passage).await;
        let is_refused = match answer {
            Ok(_) => {
                passage.answered();
                false
            }
            Err(error) => {
                let is_refused = matches!(error, Error::Unauthorized { .. });
                // Whatever it leads to is found by the question itself.
                passage.failed(error);
                is_refused
            }
        };
        *last = Some(Look { generation: key.generation, at: Instant::now(), is_refused });
        Ok(is_refused)
    }

    /// Asks the plainest question there is, and says whether the host answers it, if only to
    /// refuse.
    async fn knock(&self, mut passage: Passage<'_>) -> Result<bool, Error> {
        let target = self.base().target(&["version"], &[])?;
        let key = self.inner.keyring.present().await?;
        match self.follow_redirects(&target, None, &key, &mut passage).await {
            Ok(_) => {
                passage.answered();
                Ok(true)
            }
            Err(error) => Ok(match passage.failed(error) {
                Noted::Single(_) => true,
                Noted::Outage | Noted::Barred(_) => false,
            }),
        }
    }

    async fn follow_redirects(
        &self,
        target: &Target,
        body: Option<&[u8]>,
        key: &Key,
        passage: &mut Passage<'_>,
    ) -> Result<Answer, Error> {
        let mut target = target.clone();
        for _ in 0..=REDIRECTS {
            match self.exchange(&target, body, key, passage).await? {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Moved(moved) => target = moved,
            }
        }
        Err(Error::RedirectLoop { path: target.path })
    }
}
