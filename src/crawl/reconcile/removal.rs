//! Removing items that GitLab no longer shows.
//!
//! Only what a list that was read whole no longer shows may be gone; and since pages can shift
//! under any list, it is asked for once more, by its number, before it is removed. A question that
//! fails removes nothing.
//!
//! When much of a root would go at once, something else may be wrong: a token that lost its groups
//! looks just the same. Then everything is kept, the run ends as incomplete, and only a later one,
//! if it finds no more gone, removes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::super::items::{Reading, stream_of};
use super::super::roots::{Root, Roots, is_below};
use super::super::{Crawler, Error, KnownProject, Report, go_on, unless_stopped};
use crate::gitlab::{self, ItemQuery, Scope};
use crate::model::{Iid, Item, ItemId, ItemKind, ProjectId};
use crate::store::{
    self, Cause, Gone, ItemKey, Moves, Origin, RootKey, RootRow, Run, StoredCount, StreamKind,
    UnseenItem,
};
use crate::telemetry::chain;

/// Numbers asked for in one request: a long address is refused.
pub(super) const BATCH: usize = 50;

/// So many items of a kind may go at once without a second thought.
const FEW_ITEMS: u64 = 100;

/// True when more than a few, and more than the part `drop`, of what is stored would go.
pub(super) fn is_suspicious(gone: u64, stored: u64, few: u64, drop: f64) -> bool {
    // Nobody has so many items that a float could not hold their number.
    #[expect(clippy::cast_precision_loss, reason = "a part of a number that fits into 52 bits")]
    let (part, most) = (gone as f64, stored as f64 * drop);
    gone > few && part > most
}

/// What would go of a list.
pub(super) struct Missing {
    /// The root that loses it.
    pub root: RootKey,
    /// Its name.
    pub name: String,
    /// Which of its lists.
    pub kind: StreamKind,
    /// Why.
    pub cause: Cause,
    /// The run that began to read the list. What an earlier one found is another finding.
    pub since: i64,
    /// So many would go.
    pub gone: u64,
    /// Of so many.
    pub stored: u64,
}

impl Crawler {
    /// Removes the items below a root that a walk over all of its list, begun by the run `since`,
    /// did not show. Those of projects that switched the whole kind off are another matter.
    pub(in crate::crawl) async fn remove_unseen(
        &self,
        reading: &Reading<'_>,
        since: i64,
    ) -> Result<(), Error> {
        let Reading { run, kind, root, projects, report, stop, .. } = *reading;
        let store = &self.inner.store;
        let is_off =
            |id: &ProjectId| projects.get(id).is_some_and(|known| known.has_switched_off(kind));
        let mut below = match root.scope {
            Scope::Project(id) => vec![id],
            Scope::Group(_) => {
                let held = store.list_held(run.source).await?;
                let below = held.iter().filter(|held| root.holds(held.id, &held.path));
                below.map(|held| held.id).collect()
            }
        };
        below.retain(|id| !is_off(id));
        let unseen = store.list_unseen_items(run.source, kind, since, &below).await?;
        let gone = unseen.len() as u64;
        if gone > 0
            && self.believes(run, kind, root, (Cause::NotListed, since), gone, report).await?
        {
            self.ask_again(run, &unseen, projects, report, stop).await?;
        }
        Ok(())
    }

    /// Removes the items of projects that have switched the whole kind off: GitLab lists them
    /// nowhere, and does not answer for them either.
    pub(in crate::crawl) async fn remove_switched_off(
        &self,
        run: &Run,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
            let is_off =
                |id: &ProjectId| projects.get(id).is_some_and(|known| known.has_switched_off(kind));
            let off: Vec<ProjectId> = projects.keys().copied().filter(is_off).collect();
            if off.is_empty() {
                continue;
            }
            // Later than any run: all that is stored.
            let since = i64::MAX;
            let mut stored =
                self.inner.store.list_unseen_items(run.source, kind, since, &off).await?;
            let held: BTreeSet<ProjectId> = stored.iter().map(|item| item.project).collect();
            // One row of a list is no proof: what it says hangs on who asks, and may be out of date.
            for id in held {
                let number = id.to_string();
                let asked = self.inner.client.project(&number);
                let still_off = match unless_stopped(stop, asked).await? {
                    Ok(found) => !found.features.is_sketch && !found.features.offers(kind),
                    Err(error) => {
                        tracing::debug!(
                            "whether {id} has switched off its {}: {}",
                            stream_of(kind),
                            chain(&error)
                        );
                        false
                    }
                };
                if !still_off {
                    stored.retain(|item| item.project != id);
                }
            }
            for root in roots.lists.iter().filter(|root| root.origin != Origin::Joined) {
                go_on(stop)?;
                let below: Vec<ItemKey> = stored
                    .iter()
                    .filter(|item| root.holds(item.project, &item.path))
                    .map(|item| item.key)
                    .collect();
                let (gone, cause) = (below.len() as u64, (Cause::SwitchedOff, run.key));
                if gone == 0 || !self.believes(run, kind, root, cause, gone, report).await? {
                    continue;
                }
                let now = self.inner.clock.now();
                self.inner.store.remove_items(&below, Gone::NotShown, now).await?;
                report.count_removed(gone);
                let list = stream_of(kind);
                tracing::info!("removed {gone} {list}: their projects switched them off");
            }
        }
        Ok(())
    }

    /// Says whether so many items below a root may go: a drop is measured against the configured
    /// root that holds the list, with all that this run found gone of it before.
    async fn believes(
        &self,
        run: &Run,
        kind: ItemKind,
        root: &Root,
        (cause, since): (Cause, i64),
        gone: u64,
        report: &Report,
    ) -> Result<bool, Error> {
        let rows = self.inner.store.list_roots(run.source).await?;
        let holder = rows.iter().find(|row| {
            root.origin == Origin::Joined && row.origin == Origin::Configured && holds(row, root)
        });
        let (key, name) = match holder {
            Some(row) => (row.key, row.name.clone()),
            None => (root.key, root.name.clone()),
        };
        let counts = self.inner.store.count_items(run.source).await?;
        let below = |count: &&StoredCount| match holder {
            // Without a path it is the membership, which holds all.
            Some(row) if row.path.is_empty() => true,
            Some(row) => is_below(&count.path.to_lowercase(), &row.path.to_lowercase()),
            None => root.holds(count.project, &count.path),
        };
        let stored = counts.iter().filter(below).map(|count| count.of(kind)).sum();
        let kind = stream_of(kind);
        let missing = Missing { root: key, name, kind, cause, since, gone, stored };
        self.is_confirmed(run, FEW_ITEMS, &missing, report).await
    }

    /// Says whether a drop is small, or was found by an earlier reading of the list too.
    pub(super) async fn is_confirmed(
        &self,
        run: &Run,
        few: u64,
        missing: &Missing,
        report: &Report,
    ) -> Result<bool, Error> {
        let Missing { root, ref name, kind, cause, since, gone, stored } = *missing;
        let list = (root, kind, cause);
        // Many small drops of one root are a large one.
        let before = report.miss(list, gone);
        let (gone, stored) = (before.missing + gone, before.believed + stored);
        let is_confirmed = if is_suspicious(gone, stored, few, self.inner.source.drop) {
            // As much as before, or less, is the same drop; more is another.
            let drop = store::SuspectedDrop { root, kind, cause, gone };
            self.inner.store.suspect_drop(run, &drop, since).await?
        } else {
            true
        };
        if is_confirmed {
            report.believe(list, missing.gone);
            return Ok(true);
        }
        let reason = format!(
            "GitLab no longer shows {gone} of {stored} {kind} of {name}: all are kept until the \
             next reconcile finds the same; if that is not expected, check what the token may see"
        );
        tracing::warn!(source = %self.inner.source.name, "{reason}");
        report.add(self.problem(name, drop_of(kind), reason));
        Ok(false)
    }

    /// Asks for items by their numbers: stores those that are there, removes those that are not,
    /// and nothing where the question fails. They are ordered by project and kind.
    async fn ask_again(
        &self,
        run: &Run,
        items: &[UnseenItem],
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let lists = items.chunk_by(|a, b| (a.project, a.kind) == (b.project, b.kind));
        for batch in lists.flat_map(|list| list.chunks(BATCH)) {
            go_on(stop)?;
            let Some(UnseenItem { project: id, kind, .. }) = batch.first() else { continue };
            let Some(project) = projects.get(id) else { continue };
            let list = stream_of(*kind).as_str();
            let iids = batch.iter().map(|item| item.iid).collect();
            let read_at = self.gitlab_now();
            match self.list_by_number(*kind, *id, iids).await {
                Ok(Some(there)) => {
                    let removed =
                        self.settle_items(run, read_at, batch, there, projects, report).await?;
                    report.count_removed(removed);
                }
                Ok(None) => {
                    let reason = "GitLab's answer to a question for single items is not about \
                                  those items; nothing was removed";
                    report.add(self.problem(&project.path, list, reason.to_owned()));
                }
                Err(error) => self.survive(error, &project.path, list, report)?,
            }
        }
        Ok(())
    }

    /// Asks for the items of a project that have these numbers. `Ok(None)` is an answer about
    /// others, which says nothing about these.
    pub(in crate::crawl) async fn list_by_number(
        &self,
        kind: ItemKind,
        project: ProjectId,
        iids: Vec<Iid>,
    ) -> Result<Option<Vec<Item>>, gitlab::Error> {
        let asked: BTreeSet<Iid> = iids.iter().copied().collect();
        let query = ItemQuery { iids, archived: true, ..ItemQuery::default() };
        let mut page = self.inner.client.items(kind, Scope::Project(project), &query).await?;
        let mut there = page.items;
        // As many pages as numbers were asked for are more than enough.
        for _ in 0..asked.len() {
            let Some(next) = &page.next else { break };
            page = self.inner.client.follow_items(kind, next).await?;
            there.append(&mut page.items);
        }
        let about_these = there.iter().all(|item| asked.contains(&item.iid));
        Ok((about_these && page.next.is_none()).then_some(there))
    }

    async fn settle_items(
        &self,
        run: &Run,
        read_at: Timestamp,
        batch: &[UnseenItem],
        there: Vec<Item>,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
    ) -> Result<u64, Error> {
        let ids: BTreeSet<ItemId> = there.iter().map(|item| item.id).collect();
        let gone: Vec<ItemKey> =
            batch.iter().filter(|item| !ids.contains(&item.id)).map(|item| item.key).collect();
        if !there.is_empty() {
            let found = there.into_iter().map(|item| (item, None)).collect();
            let writes = self.item_writes(found, read_at, projects, report);
            self.inner.store.apply_items(run, &writes, &Moves::Nothing).await?;
        }
        self.inner.store.remove_items(&gone, Gone::NotShown, self.inner.clock.now()).await?;
        for item in batch.iter().filter(|item| gone.contains(&item.key)) {
            tracing::info!(
                project.id = %item.project,
                "removed {} {} of project {}: GitLab no longer shows it",
                item.kind.as_str(),
                item.iid,
                item.project
            );
        }
        Ok(gone.len() as u64)
    }
}

/// True when a configured root is the one that a list of a single project belongs to.
fn holds(row: &RootRow, root: &Root) -> bool {
    row.path.is_empty() || is_below(&root.path.to_lowercase(), &row.path.to_lowercase())
}

/// Returns the name under which a drop is recorded.
const fn drop_of(kind: StreamKind) -> &'static str {
    match kind {
        StreamKind::Projects => "project drop",
        StreamKind::Issues => "issue drop",
        StreamKind::MergeRequests => "merge request drop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_is_suspicious_when_it_is_neither_small_nor_a_small_part() {
        assert!(!is_suspicious(5, 6, 5, 0.33));
        assert!(!is_suspicious(10, 100, 5, 0.33));
        assert!(is_suspicious(40, 100, 5, 0.33));
        assert!(!is_suspicious(40, 100, 5, 0.5));
        assert!(is_suspicious(101, 101, FEW_ITEMS, 0.33));
        assert!(!is_suspicious(101, 101, FEW_ITEMS, 1.0), "everything may go");
    }
}
