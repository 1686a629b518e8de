//! Reads what events marked, as soon as they came.
//!
//! It takes the path of a sync: the items are asked for by their numbers and stored as a page of a
//! list is, without moving on any list. So it may run beside a sync, and losing it loses nothing:
//! what is stored from a later question stays, and the next sync looks at everything that changed,
//! marked or not. A comment that hides within a minute of another is the second look's of that
//! sync. What is no longer shown is not removed here: a single missing answer is no proof.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::report::Report;
use super::{Crawler, Error, KnownProject, Pass, go_on, unless_stopped};
use crate::model::{Iid, ItemKind, ProjectId};
use crate::store::{Moves, Run};
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
const TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_secs(2);

/// Numbers asked for in one request: a long address is refused.
const BATCH: usize = 50;

impl Crawler {
    /// Reads what events mark, until told to stop.
    pub async fn read_marks(&self, stop: CancellationToken) {
        tokio::join!(self.read_marked_items(&stop), self.sync_when_wanted(&stop));
    }

    async fn read_marked_items(&self, stop: &CancellationToken) {
        let inbox = &self.inner.inbox;
        let mut looked: Option<Instant> = None;
        while stop.run_until_cancelled(inbox.items.notified()).await.is_some() {
            if stop.run_until_cancelled(tokio::time::sleep(GATHERING)).await.is_none() {
                return;
            }
            let marks = inbox.take_items();
            match self.look_at(&marks, stop).await {
                Ok(unknown) if unknown.is_empty() => {}
                Ok(_) if looked.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS) => {}
                Ok(_) => {
                    looked = Some(Instant::now());
                    inbox.want_sync();
                }
                Err(Error::Stopped) => return,
                Err(error) => tracing::warn!(
                    source = %self.inner.source.name,
                    "what events marked in {} is left to the next sync: {}",
                    self.inner.source.name,
                    chain(&error)
                ),
            }
        }
    }

    /// Reads the marked items, and returns the projects that are not in the index.
    async fn look_at(
        &self,
        marks: &BTreeMap<(ProjectId, ItemKind), BTreeSet<Iid>>,
        stop: &CancellationToken,
    ) -> Result<BTreeSet<ProjectId>, Error> {
        let inner = &self.inner;
        // Before the first run there is nothing to hasten: it reads everything.
        let Some(run) = inner.store.find_last_run(&inner.source.name).await? else {
            return Ok(BTreeSet::new());
        };
        let projects = self.known_projects(&run).await?;
        let mut unknown = BTreeSet::new();
        for ((id, kind), iids) in marks {
            let Some(project) = projects.get(id) else {
                unknown.insert(*id);
                continue;
            };
            let iids: Vec<Iid> = iids.iter().copied().collect();
            for iids in iids.chunks(BATCH) {
                let mut tries = 0;
                while !self.try_numbers(&run, *kind, (*id, project), iids, &projects, stop).await? {
                    tries += 1;
                    if tries == TRIES {
                        tracing::warn!(
                            source = %inner.source.name,
                            project.id = %id,
                            "what events marked in {} is left to the next sync",
                            project.path
                        );
                        break;
                    }
                    unless_stopped(stop, tokio::time::sleep(BETWEEN_TRIES)).await?;
                }
            }
        }
        Ok(unknown)
    }

    /// Reads items of a project by their numbers, with their comments, and says whether that went
    /// well.
    async fn try_numbers(
        &self,
        run: &Run,
        kind: ItemKind,
        (id, project): (ProjectId, &KnownProject),
        iids: &[Iid],
        projects: &BTreeMap<ProjectId, KnownProject>,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        go_on(stop)?;
        let report = Report::default();
        // Before the request: what changes while it runs is newer than what it shows.
        let read_at = self.by_gitlab(self.inner.clock.now());
        let there = match unless_stopped(stop, self.list_by_number(kind, id, iids.to_vec())).await?
        {
            Ok(Some(there)) => there,
            Ok(None) => return Ok(false),
            Err(error) => {
                self.survive(error, &project.path, "events", &report)?;
                return Ok(false);
            }
        };
        let shown: Vec<Iid> = there.iter().map(|item| item.iid).collect();
        let writes = self.item_writes(there, read_at, projects);
        self.inner.store.apply_items(run, &writes, &Moves::Nothing).await?;
        if self.inner.source.comments {
            for due in self.inner.store.list_notes_of(run, kind, id, &shown).await? {
                unless_stopped(stop, self.read_notes_of(&due, project, &report)).await??;
            }
        }
        Ok(report.take().is_empty())
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
