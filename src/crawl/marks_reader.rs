//! Reads what events marked, as soon as they came.
//!
//! It takes the path of a sync: items are asked for by their numbers, details of projects in
//! batches, and both are stored as a sync stores them, without moving on any list. So it may run
//! beside a sync, and losing it loses nothing: what is stored from a later question stays, and the
//! next sync looks at everything that changed, marked or not. A comment that hides within a minute
//! of another is the second look's of that sync. What is no longer shown is not removed here: a
//! single missing answer is no proof.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::details::several;
use super::marks::Marks;
use super::report::Report;
use super::{Crawler, Error, KnownProject, Pass, unless_stopped};
use crate::model::{Iid, ItemKind, ProjectId};
use crate::store::Run;
use crate::telemetry::chain;

/// How long marks gather before they are read: events of one change come together, and a change of
/// many things should cost a request for many.
const GATHERING: Duration = Duration::from_millis(200);

/// How long after one sync that an event asked for the next may begin. Items do not wait for it;
/// a stream of events about projects must not become a stream of syncs.
const BETWEEN_SYNCS: Duration = Duration::from_secs(10);

/// How long after a look for a project that no list showed the next may begin: an event may be
/// about a project that is none of ours, and then about it again.
const BETWEEN_LOOKS: Duration = Duration::from_mins(1);

/// How often what could not be read is tried, and how long between two tries. After that it is left
/// to the next sync.
const TRIES: usize = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

impl Crawler {
    /// Reads what events mark, until told to stop.
    pub async fn read_marks(&self, stop: CancellationToken) {
        tokio::join!(self.look_when_marked(&stop), Box::pin(self.sync_when_wanted(&stop)));
    }

    async fn look_when_marked(&self, stop: &CancellationToken) {
        let inbox = &self.inner.inbox;
        let mut looked: Option<Instant> = None;
        let mut failures = 0;
        while stop.run_until_cancelled(inbox.marked.notified()).await.is_some() {
            if stop.run_until_cancelled(tokio::time::sleep(GATHERING)).await.is_none() {
                return;
            }
            let marks = inbox.take();
            let result = self.look_at(&marks, stop).await;
            failures = if result.is_err() { failures + 1 } else { 0 };
            match result {
                Ok(unknown) if unknown.is_empty() => {}
                Ok(_) if looked.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS) => {}
                Ok(_) => {
                    looked = Some(Instant::now());
                    inbox.want_sync();
                }
                Err(Error::Stopped) => return,
                Err(error) if failures < TRIES => {
                    tracing::debug!("what events marked is looked at again: {}", chain(&error));
                    let rest = tokio::time::sleep(BETWEEN_TRIES);
                    if stop.run_until_cancelled(rest).await.is_none() {
                        return;
                    }
                    inbox.put_back(marks);
                }
                Err(error) => tracing::warn!(
                    source = %self.inner.source.name,
                    "what events marked in {} is left to the next sync: {}",
                    self.inner.source.name,
                    chain(&error)
                ),
            }
        }
    }

    /// Reads what is marked, and returns the projects that are not in the index.
    async fn look_at(
        &self,
        marks: &Marks,
        stop: &CancellationToken,
    ) -> Result<BTreeSet<ProjectId>, Error> {
        let inner = &self.inner;
        // Before the first run there is nothing to hasten: it reads everything.
        let Some(run) = inner.store.find_last_run(&inner.source.name).await? else {
            return Ok(BTreeSet::new());
        };
        let projects = self.known_projects(&run).await?;
        // Side by side: what cannot be read of one project shall not keep the others waiting.
        let marked = marks.items.iter().filter(|((id, _), _)| projects.contains_key(id));
        several(marked, self.concurrency(), async |((id, kind), iids)| {
            let mut left: BTreeSet<Iid> = iids.clone();
            for again in tries() {
                unless_stopped(stop, tokio::time::sleep(again)).await?;
                left = self.look_at_items(&run, *kind, *id, left, &projects, stop).await?;
                if left.is_empty() {
                    break;
                }
            }
            self.leave(left.len(), *id);
            Ok(())
        })
        .await?;
        let mut left: BTreeSet<ProjectId> =
            marks.details.iter().copied().filter(|id| projects.contains_key(id)).collect();
        for again in tries() {
            if left.is_empty() {
                break;
            }
            unless_stopped(stop, tokio::time::sleep(again)).await?;
            let report = Report::default();
            self.read_details_of(&run, &left, &report, stop).await?;
            let failed: BTreeSet<String> =
                report.take().into_iter().map(|problem| problem.subject).collect();
            left.retain(|id| projects.get(id).is_some_and(|known| failed.contains(&known.path)));
        }
        for id in left {
            self.leave(1, id);
        }
        let marked = marks.items.keys().map(|(id, _)| id).chain(&marks.details);
        Ok(marked.copied().filter(|id| !projects.contains_key(id)).collect())
    }

    /// Reads items of a project with their comments, and returns those that could not be read.
    async fn look_at_items(
        &self,
        run: &Run,
        kind: ItemKind,
        id: ProjectId,
        iids: BTreeSet<Iid>,
        projects: &BTreeMap<ProjectId, KnownProject>,
        stop: &CancellationToken,
    ) -> Result<BTreeSet<Iid>, Error> {
        let report = Report::default();
        let asked_at = self.gitlab_now();
        let asked: Vec<Iid> = iids.into_iter().collect();
        let numbers = self.read_numbers(run, kind, id, &asked, projects, &report, stop).await?;
        let mut failed = numbers.failed;
        // Those that came without their comments, because there is no GraphQL or they are many.
        if let Some(known) = projects.get(&id).filter(|_| self.inner.source.comments) {
            let read: Vec<Iid> = numbers.read.into_iter().collect();
            for due in self.inner.store.list_notes_of(run, kind, id, &read, asked_at).await? {
                let report = Report::default();
                unless_stopped(stop, self.read_notes_of(&due, known, &report)).await??;
                if !report.take().is_empty() {
                    failed.insert(due.iid);
                }
            }
        }
        Ok(failed)
    }

    /// Says that something marked could not be read.
    fn leave(&self, number: usize, project: ProjectId) {
        if number > 0 {
            tracing::warn!(
                source = %self.inner.source.name,
                project.id = %project,
                "what {number} events marked in the project {project} is left to the next sync"
            );
        }
    }

    async fn sync_when_wanted(&self, stop: &CancellationToken) {
        let inbox = &self.inner.inbox;
        while stop.run_until_cancelled(inbox.sync.notified()).await.is_some() {
            if stop.run_until_cancelled(tokio::time::sleep(GATHERING)).await.is_none() {
                return;
            }
            if !inbox.take_sync() {
                continue;
            }
            match self.sync(Pass::Sync, stop).await {
                Ok(_) => {}
                Err(Error::Stopped) => return,
                Err(error) => tracing::error!(
                    source = self.name(),
                    "the sync of {} that an event asked for failed: {}",
                    self.name(),
                    chain(&error)
                ),
            }
            if stop.run_until_cancelled(tokio::time::sleep(BETWEEN_SYNCS)).await.is_none() {
                return;
            }
        }
    }
}

/// How long to wait before each try.
fn tries() -> impl Iterator<Item = Duration> {
    std::iter::once(Duration::ZERO).chain(std::iter::repeat_n(BETWEEN_TRIES, TRIES - 1))
}
