//! From GitLab to the index.
//!
//! A crawl takes no input but the state that it finds, is idempotent, and runs the same path after
//! a crash as after a tick. It is the only part that knows both GitLab and the store; it decides
//! nothing about texts, which is [`crate::correlate`]'s, nor about failures, which is
//! [`crate::gitlab::Error::verdict`]'s.
//!
//! One sync of a source, step by step:
//!
//! 1. **Roots** are looked up, and their projects listed by id ([`roots`]). Once a day, GitLab is
//!    then asked about the token ([`token`]).
//! 2. **Details** of the projects that are due are read in batches: labels, CODEOWNERS, templates,
//!    files that describe them, the latest pipeline ([`details`]).
//! 3. **Items** are walked by time of change, oldest first, always from the first page after the
//!    last time seen, so that nothing is skipped when items change under the walk
//!    ([`walk`], [`items`]). Each page is stored in one transaction with
//!    the time up to which the list was read; a killed sync goes on from there.
//! 4. **What is gone** is removed: what a list that was read whole no longer shows, and a second,
//!    separate question does not show either ([`reconcile`]).
//! 5. **Comments** of items that changed are read ([`notes`]).
//! 6. **Names** are settled: services by project name, spellings shown.
//!
//! A part that cannot be read is recorded with its reason and a time to look again, what is stored
//! of it is kept, and the sync goes on and ends as incomplete. Until that time a project's part is
//! not asked for again, unless everything is ([`Pass::Full`]); roots always are. A failure that
//! would meet every request ends the sync.

mod details;
mod features;
mod inventory;
mod items;
mod limits;
mod marks;
mod marks_reader;
mod moved;
mod notes;
mod pass;
pub mod plan;
mod portion;
mod progress;
mod reconcile;
mod report;
mod roots;
mod run;
mod schedule;
pub mod status;
mod summary;
mod token;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::config::{Environment, Source, Transport};
use crate::correlate::{ProjectContext, Reader};
use crate::gitlab::{self, Client, Credential, Keyring, ProjectFeatures, Proxies, Verdict};
use crate::model::{ItemKind, ProjectId};
use crate::store::{self, Problem, ProjectKey, Run, Store};
use crate::telemetry::chain;

pub use marks::{Events, Inbox, Received};
pub use pass::Pass;
pub use progress::{Event, Progress, Silent};
pub use schedule::Schedule;
pub use status::{Activity, LastSync, SourceNow, Status};
pub use summary::{Summary, SummaryError};

use report::Report;
use token::TokenState;

/// When a part that failed by chance is tried again, at the latest. The next sync asks for it,
/// however soon it comes; what is to be looked at later than this is left until then.
const NEXT_SYNC: SignedDuration = SignedDuration::from_mins(2);

/// Why a sync ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// GitLab cannot be read at all.
    #[error("GitLab at {url} cannot be read")]
    GitLab {
        /// The source's address.
        url: String,
        /// Why.
        #[source]
        source: Box<gitlab::Error>,
    },
    /// None of the configured groups and projects could be read.
    #[error("nothing could be read from {url}: {reason}")]
    NoRoot {
        /// The source's address.
        url: String,
        /// Why, root by root.
        reason: String,
    },
    /// The token could not be read.
    #[error("the token of the source `{name}` cannot be read")]
    Token {
        /// The source.
        name: String,
        /// Why.
        #[source]
        source: crate::config::Error,
    },
    /// The index could not be written.
    #[error("the index could not be written")]
    Store(#[from] store::Error),
    /// The sync was told to stop; the next one goes on from here.
    #[error("the sync was stopped; the next one goes on from here")]
    Stopped,
}

impl Error {
    /// Returns what a person can do about it, if anything.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::GitLab { source, .. } => source.hint(),
            Self::NoRoot { .. } | Self::Token { .. } | Self::Store(_) | Self::Stopped => None,
        }
    }
}

/// Reads one source into the index.
#[derive(Debug, Clone)]
pub struct Crawler {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    client: Client,
    token: TokenState,
    store: Store,
    reader: Arc<Reader>,
    clock: Arc<dyn Clock>,
    progress: Arc<dyn Progress>,
    /// What syncs do and did, for those who look on.
    activity: Mutex<Activity>,
    /// A few projects that were read, to learn from what their GitLab has.
    sample: Mutex<Vec<ProjectId>>,
    /// Projects that a source before this one of the same GitLab holds.
    held: Mutex<Arc<BTreeSet<ProjectId>>>,
    /// True once the pacer was told what an earlier process learnt.
    recalled: AtomicBool,
    /// What events say is to be looked at.
    inbox: Inbox,
    /// One run at a time: the schedule and an event may want one at once.
    turn: tokio::sync::Mutex<()>,
}

/// A project as the later steps need it.
#[derive(Debug)]
struct KnownProject {
    key: ProjectKey,
    path: String,
    context: ProjectContext,
    /// Digest of the context and of the rules.
    revision: Vec<u8>,
    /// What it offers; `None` when that was never told.
    features: Option<ProjectFeatures>,
}

impl KnownProject {
    /// True when the project says that it has no items of a kind: GitLab lists them nowhere then.
    fn has_switched_off(&self, kind: ItemKind) -> bool {
        let features = self.features.as_ref();
        features.is_some_and(|features| !features.is_sketch && !features.offers(kind))
    }
}

impl Crawler {
    /// Makes a crawler, reading the source's token. One of the same host, if there is one, is
    /// named by `beside`, so that both keep one pace.
    pub async fn new(
        source: Source,
        environment: &Environment,
        store: Store,
        reader: Arc<Reader>,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
        beside: Option<&Self>,
    ) -> Result<Self, Error> {
        let keep = |_: &mut gitlab::Settings| {};
        Self::with(source, environment, store, reader, clock, progress, beside, keep).await
    }

    /// Makes a crawler as [`Crawler::new`] does, with limits of time and size that no
    /// configuration knows: for tests, and for tools that must not wait.
    #[expect(clippy::too_many_arguments, reason = "everything that a crawler is made of")]
    pub async fn with(
        source: Source,
        environment: &Environment,
        store: Store,
        reader: Arc<Reader>,
        clock: Arc<dyn Clock>,
        progress: Arc<dyn Progress>,
        beside: Option<&Self>,
        adjust: impl FnOnce(&mut gitlab::Settings),
    ) -> Result<Self, Error> {
        let mut settings = settings(&source, environment);
        adjust(&mut settings);
        let client = match beside {
            Some(other) => other.inner.client.beside(settings),
            None => Client::new(settings, clock.clone()),
        };
        let client = client.map_err(|error| Error::GitLab {
            url: source.url.to_string(),
            source: Box::new(error),
        })?;
        let token = TokenState::default();
        let activity = Mutex::default();
        let inner = Inner {
            source,
            client,
            token,
            store,
            reader,
            clock,
            progress,
            activity,
            sample: Mutex::default(),
            held: Mutex::default(),
            recalled: AtomicBool::new(false),
            inbox: Inbox::default(),
            turn: tokio::sync::Mutex::default(),
        };
        let crawler = Self { inner: Arc::new(inner) };
        crawler.read_token().await?;
        Ok(crawler)
    }

    /// True when a source is of the same host as this one.
    pub fn is_beside(&self, source: &Source) -> bool {
        let origin = |source: &Source| {
            let url = &source.url;
            (url.host_str().map(str::to_owned), url.port_or_known_default())
        };
        origin(&self.inner.source) == origin(source)
    }

    /// Returns the source's name.
    pub fn name(&self) -> &str {
        &self.inner.source.name
    }

    /// Returns the present moment, by its clock.
    pub fn time(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Returns what takes in the events of its source.
    pub fn inbox(&self) -> &Inbox {
        &self.inner.inbox
    }

    /// Returns when each pass over the source last ended that was not a failure, by its beginning.
    pub(super) async fn passes_done(&self) -> Result<BTreeMap<String, Timestamp>, store::Error> {
        self.inner.store.list_passes(&self.inner.source.name).await
    }

    /// Returns what this crawler does and knows now.
    pub fn now(&self) -> SourceNow {
        let client = &self.inner.client;
        SourceNow {
            name: self.inner.source.name.clone(),
            at: self.inner.clock.now(),
            at_gitlab: self.gitlab_now(),
            activity: self.activity().clone(),
            budget: client.budget(),
            outage: client.outage(),
            learnt: client.learnt(),
            token: self.token_check(),
            capabilities: client.capabilities(),
            stats: client.stats(),
            figures: client.figures(),
            events: self.inner.inbox.events(),
        }
    }

    fn activity(&self) -> MutexGuard<'_, Activity> {
        self.inner.activity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prepares what is needed to read the items of each project.
    async fn known_projects(&self, run: &Run) -> Result<BTreeMap<ProjectId, KnownProject>, Error> {
        let inner = &self.inner;
        let templates = inner.store.templates(run.source).await?;
        let stored = inner.store.stored_projects(run).await?;
        let known = stored.into_iter().map(|(id, stored)| {
            let templates = templates.get(&id).map_or(&[][..], Vec::as_slice);
            let texts = templates.iter().map(|template| (template.kind, template.content.as_str()));
            let context = ProjectContext::new(stored.project.path.clone(), texts);
            let revision = digest(&[inner.reader.revision(), context.revision()]);
            let (key, path, features) = (stored.key, stored.project.path, stored.features);
            (id, KnownProject { key, path, context, revision, features })
        });
        Ok(known.collect())
    }

    /// Records a failure of one resource, or ends the sync when it would meet every request.
    fn survive(
        &self,
        error: gitlab::Error,
        subject: &str,
        stream: &str,
        report: &Report,
    ) -> Result<(), Error> {
        match error.verdict() {
            Verdict::Abort => Err(Error::GitLab {
                url: self.inner.source.url.to_string(),
                source: Box::new(error),
            }),
            Verdict::Skip | Verdict::Retry { .. } => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                let reason = format!("{}{hint}", chain(&error));
                tracing::warn!(
                    source = %self.inner.source.name,
                    subject,
                    stream,
                    "could not read {stream} of {subject}: {reason}"
                );
                let problem = self.problem(subject, stream, reason);
                let retry_at = problem.at.saturating_add(error.look_again());
                let retry_at = retry_at.unwrap_or(problem.retry_at);
                report.add(Problem { retry_at, ..problem });
                Ok(())
            }
        }
    }

    fn problem(&self, subject: &str, stream: &str, reason: String) -> Problem {
        let at = self.inner.clock.now();
        Problem {
            subject: subject.to_owned(),
            stream: stream.to_owned(),
            reason,
            at,
            retry_at: at.saturating_add(NEXT_SYNC).unwrap_or(at),
        }
    }

    /// Returns an instant of our clock as GitLab's shows it.
    fn by_gitlab(&self, at: Timestamp) -> Timestamp {
        // None was learnt before the first answer.
        let skew = self.inner.client.skew().unwrap_or_default();
        at.saturating_add(skew).unwrap_or(at)
    }
}

/// Returns what the client of a source is made from.
pub fn settings(source: &Source, environment: &Environment) -> gitlab::Settings {
    let mut settings = gitlab::Settings::new(source.url.clone(), Credential::None);
    settings.keyring =
        Keyring::new(source.auth.clone(), source.fallback_token.clone(), environment.clone());
    settings.proxies = Proxies::read(environment);
    settings.ca_file.clone_from(&source.ca_file);
    settings.graphql = source.transport == Transport::Auto;
    settings.requests_per_minute = source.requests_per_minute;
    settings.share = source.share;
    settings.concurrency = usize::try_from(source.concurrency).unwrap_or(1);
    settings
}

/// Ends a step when it is told to stop. Called between units of work, never inside one.
fn go_on(stop: &CancellationToken) -> Result<(), Error> {
    if stop.is_cancelled() { Err(Error::Stopped) } else { Ok(()) }
}

/// Does a unit of work, or drops it when it is told to stop. What was not committed has not
/// happened; the next sync does it.
async fn unless_stopped<T>(
    stop: &CancellationToken,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    stop.run_until_cancelled(work).await.ok_or(Error::Stopped)
}

/// Returns a short digest of texts; the border between two of them counts.
fn digest(texts: &[&str]) -> Vec<u8> {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.len().to_le_bytes());
        hash.update(text.as_bytes());
    }
    // Half of SHA-256 is far beyond chance, and half the space.
    hash.finalize()[..16].to_vec()
}
