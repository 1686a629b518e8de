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
use crate::gitlab::calls::undecodable;
use crate::gitlab::credential::{Credential, Key};
use crate::gitlab::retry;
use crate::gitlab::trouble::{KEY_TRIES, Less, TRIES, Trouble, Whose};
use crate::gitlab::wire::{self, decode};

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
    said: Said,
}

/// What GitLab says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Valid,
    Refused,
    Nothing,
}

/// What is sent, beside the target.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sending<'a> {
    pub(super) body: Option<&'a [u8]>,
    pub(super) key: &'a Key,
    /// How often the same question failed before.
    pub(super) retry: u32,
}

/// Who answered the plainest question.
enum Heard {
    GitLab,
    Another,
    Nobody,
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
    /// How many of them in each way, by the row of the table.
    alike: Vec<(Trouble, u32)>,
    /// Tries after which a smaller question may help.
    heavy: u32,
    /// Failures met, those of an outage included.
    met: u32,
    /// Keys that were refused and replaced.
    keys: u32,
    /// The host answers a plain question, so that the failure is of this one.
    knocked: bool,
    /// Refusals of a key that GitLab does not refuse elsewhere.
    doubts: u32,
    /// GitLab was asked about the key since the first of them, and says that it is valid.
    vouched: bool,
}

impl Progress {
    /// Counts a try that failed, and returns how many did in the same way.
    fn count(&mut self, error: &Error) -> u32 {
        self.met += 1;
        self.tries += 1;
        self.heavy += u32::from(error.less() != Less::No);
        let row = error.trouble();
        if let Some((_, alike)) = self.alike.iter_mut().find(|(other, _)| *other == row) {
            *alike += 1;
            return *alike;
        }
        self.alike.push((row, 1));
        1
    }
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
                progress.knocked = !matches!(Box::pin(self.knock(passage)).await?, Heard::Nobody);
                continue;
            }
            let key = inner.keyring.present().await?;
            let sending = Sending { body: manner.body, key: &key, retry: progress.met };
            let answer = Box::pin(self.follow_redirects(target, sending, &mut passage)).await;
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
            // Boxed, as all that is large here: most of the time a question only waits for its turn.
            let next = match Box::pin(self.judge(passage, error)).await? {
                Noted::Outage => {
                    progress.met += 1;
                    Next::Again(Duration::ZERO)
                }
                Noted::Barred(error) => Next::Never(error),
                Noted::Single(error) => {
                    let alike = progress.count(&error);
                    let enough = match error.less() {
                        Less::No => false,
                        Less::Later => progress.heavy >= ENOUGH,
                        Less::AtOnce => true,
                    };
                    let is_doubted = matches!(error, Error::Unauthorized { is_final: true, .. });
                    if manner.can_ask_for_less && enough || is_doubted && !manner.doubts_key {
                        Next::Never(error)
                    } else if is_doubted {
                        Box::pin(self.doubt(error, &key, &mut progress)).await?
                    } else {
                        self.weigh(target, error, alike, progress.tries)
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

    /// Tells the breaker of a failure. Before all is stopped because something answers in GitLab's
    /// place, a plain question tells whether it stands before one route only.
    async fn judge(&self, passage: Passage<'_>, error: Error) -> Result<Noted, Error> {
        let barred = match passage.failed(error) {
            Noted::Barred(Error::Barred { answers, source }) => Error::Barred { answers, source },
            noted => return Ok(noted),
        };
        let mut passage = self.inner.host.breaker.passage();
        passage.wait().await?;
        Ok(match (self.knock(passage).await?, barred) {
            (Heard::GitLab, Error::Barred { source, .. }) => Noted::Single(*source),
            (_, barred) => Noted::Barred(barred),
        })
    }

    /// Decides about another try after a failure of this question alone.
    fn weigh(&self, target: &Target, error: Error, alike: u32, tries: u32) -> Next {
        let why = error.to_string();
        let delay = match retry::next(error, alike, tries, self.inner.backoff) {
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
        // A key that was replaced meanwhile needs no look, and one that was just found valid for
        // this very question none either.
        let is_past = self.inner.keyring.generation().await != key.generation;
        let said =
            if is_past || progress.vouched { Said::Nothing } else { self.ask_about(key).await? };
        progress.vouched |= said == Said::Valid;
        if is_past || said == Said::Refused {
            if progress.keys < TRIES && self.inner.keyring.refused(key.generation).await {
                progress.keys += 1;
                progress.tries -= 1;
                tracing::info!("GitLab refused the token, and another one is there: asking again");
                return Ok(Next::Again(Duration::ZERO));
            }
            return Ok(Next::Never(error));
        }
        progress.doubts += 1;
        if progress.doubts < KEY_TRIES {
            return Ok(Next::Again(retry::jittered(progress.doubts, self.inner.backoff)));
        }
        Ok(Next::Never(match error {
            Error::Unauthorized { path, reason, .. } => {
                Error::Unauthorized { path, reason, is_final: false }
            }
            other => other,
        }))
    }

    /// Asks GitLab about the key itself, and again if it refuses it, since that may be chance too.
    /// All who wonder at once share the answer. None says nothing against the key.
    async fn ask_about(&self, key: &Key) -> Result<Said, Error> {
        let wondered = Instant::now();
        let mut last = self.inner.doubt.lock().await;
        if let Some(look) = *last
            && look.generation == key.generation
            && look.at >= wondered
        {
            return Ok(look.said);
        }
        let path: &[&str] = match &key.credential {
            Credential::PrivateToken(_) => &["personal_access_tokens", "self"],
            // OAuth tokens have no such page of their own.
            Credential::Bearer(_) => &["user"],
            Credential::JobToken(_) | Credential::None => return Ok(Said::Nothing),
        };
        let target = self.base().target(path, &[])?;
        let mut said = self.look(&target, key, 0).await?;
        if said == Said::Refused {
            tokio::time::sleep(retry::jittered(1, self.inner.backoff)).await;
            said = self.look(&target, key, 1).await?;
        }
        *last = Some(Look { generation: key.generation, at: Instant::now(), said });
        Ok(said)
    }

    /// Asks about the key once.
    async fn look(&self, target: &Target, key: &Key, retry: u32) -> Result<Said, Error> {
        let mut passage = self.inner.host.breaker.passage();
        passage.wait().await?;
        let sending = Sending { body: None, key, retry };
        match self.follow_redirects(target, sending, &mut passage).await {
            Ok(_) => {
                passage.answered();
                Ok(Said::Valid)
            }
            Err(error) => {
                let is_refused = matches!(error, Error::Unauthorized { .. });
                // Whatever it leads to is found by the question itself.
                passage.failed(error);
                Ok(if is_refused { Said::Refused } else { Said::Nothing })
            }
        }
    }

    /// Asks the plainest question there is, and says who answers it, if only to refuse.
    async fn knock(&self, mut passage: Passage<'_>) -> Result<Heard, Error> {
        let target = self.base().target(&["version"], &[])?;
        let key = self.inner.keyring.present().await?;
        let sending = Sending { body: None, key: &key, retry: 0 };
        let answer = self.follow_redirects(&target, sending, &mut passage).await;
        let version = answer.and_then(|answer| {
            decode::<wire::Version>(&answer.body).map_err(|error| undecodable(&answer, error))
        });
        let Err(error) = version else {
            passage.answered();
            return Ok(Heard::GitLab);
        };
        let whose = error.trouble().whose;
        Ok(match passage.failed(error) {
            Noted::Single(_) if whose == Whose::GitLab => Heard::GitLab,
            Noted::Single(_) => Heard::Another,
            Noted::Outage | Noted::Barred(_) => Heard::Nobody,
        })
    }

    async fn follow_redirects(
        &self,
        target: &Target,
        sending: Sending<'_>,
        passage: &mut Passage<'_>,
    ) -> Result<Answer, Error> {
        let mut target = target.clone();
        for _ in 0..=REDIRECTS {
            match self.exchange(&target, sending, passage).await? {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Moved(moved) => target = moved,
            }
        }
        Err(Error::RedirectLoop { path: target.path })
    }
}
