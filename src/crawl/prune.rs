//! Removing what GitLab no longer shows.
//!
//! Only what a list that was read whole no longer shows may be gone; and since pages can shift
//! under any list, it is asked for once more, by its number, before it is removed. A question that
//! fails removes nothing.
//!
//! When much of the index would go at once, something else may be wrong: a token that lost its
//! groups looks just the same. Then everything is kept, the sync ends as incomplete, and only the
//! next sync, if it finds the same, removes it.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::items::{Reading, stream_of};
use super::roots::Roots;
use super::{Crawler, Error, KnownProject, Pass, Report, go_on};
use crate::gitlab::{self, ItemQuery, Scope};
use crate::model::{Iid, Item, ItemId, ItemKind, ProjectId};
use crate::store::{ItemKey, Moves, Run, UnseenItem};

/// Numbers asked for in one request: a long address is refused.
const BATCH: usize = 50;

/// So many projects, or so many items of a kind, may go at once without a second thought.
const FEW_PROJECTS: usize = 5;
const FEW_ITEMS: usize = 100;

/// True when more than a few, and more than a third, of what is stored would go.
fn is_suspicious(gone: usize, stored: u64, few: usize) -> bool {
    gone > few && (gone as u64).saturating_mul(3) > stored
}

impl Crawler {
    /// Finds what GitLab does not announce, removes what is gone, and returns how much.
    pub(super) async fn reconcile(
        &self,
        run: &Run,
        pass: Pass,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        let _ = (run, pass, roots, projects, report, stop);
        Ok(0)
    }

    /// Removes the items below a root that a walk over all of its list, begun by the run `since`,
    /// did not show, and returns how many. Where the project does not offer them at all, GitLab has
    /// said so, and no second question is asked.
    pub(super) async fn remove_unseen(
        &self,
        reading: &Reading<'_>,
        since: i64,
        offers: bool,
    ) -> Result<u64, Error> {
        let Reading { run, kind, root, projects, report, stop, .. } = *reading;
        let mut unseen = self.inner.store.list_unseen_items(run.source, kind, since).await?;
        match root.scope {
            Scope::Project(id) => unseen.retain(|item| item.project == id),
            Scope::Group(_) => {
                let group = format!("{}/", root.path.to_lowercase());
                unseen.retain(|item| item.path.to_lowercase().starts_with(&group));
            }
        }
        let totals = self.inner.store.totals(run.source).await?;
        let stored = match kind {
            ItemKind::Issue => totals.issues,
            ItemKind::MergeRequest => totals.merge_requests,
        };
        if is_suspicious(unseen.len(), stored, FEW_ITEMS)
            && !self.is_confirmed(run, drop_of(kind), unseen.len(), stored, report).await?
        {
            return Ok(0);
        }
        let mut removed = 0;
        for batch in unseen.chunk_by(|a, b| a.project == b.project).flat_map(|p| p.chunks(BATCH)) {
            go_on(stop)?;
            let Some(id) = batch.first().map(|item| item.project) else { continue };
            let Some(project) = projects.get(&id) else { continue };
            if !offers {
                removed += self.settle_items(reading, batch, Vec::new()).await?;
                continue;
            }
            let iids = batch.iter().map(|item| item.iid).collect();
            match self.list_by_number(kind, id, iids).await {
                Ok(Some(there)) => {
                    removed += self.settle_items(reading, batch, there).await?;
                }
                Ok(None) => {
                    let reason = "GitLab's answer to a question for single items is not about \
                                  those items; nothing was removed";
                    let list = stream_of(kind).as_str();
                    report.add(self.problem(&project.path, list, reason.to_owned()));
                }
                Err(error) => {
                    self.survive(error, &project.path, stream_of(kind).as_str(), report)?
                }
            }
        }
        Ok(removed)
    }

    /// Says whether a drop that is suspicious was seen by the run before too.
    async fn is_confirmed(
        &self,
        run: &Run,
        drop: &'static str,
        gone: usize,
        stored: u64,
        report: &Report,
    ) -> Result<bool, Error> {
        // As much as before, or less, is the same drop; more is another.
        let before = self.inner.store.find_problem(run.source, drop).await?;
        let before = before.and_then(|subject| subject.split(' ').next()?.parse::<usize>().ok());
        if before.is_some_and(|before| gone <= before) {
            return Ok(true);
        }
        let reason = format!(
            "GitLab no longer shows {gone} of {stored}: all are kept until the next sync finds the \
             same; if that is not expected, check what the token may see"
        );
        tracing::warn!(source = %self.inner.source.name, "{drop}: {reason}");
        report.add(self.problem(&format!("{gone} of {stored}"), drop, reason));
        Ok(false)
    }

    /// Asks for the items of a project that have these numbers. `Ok(None)` is an answer about
    /// others, which says nothing about these.
    pub(super) async fn list_by_number(
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
        reading: &Reading<'_>,
        batch: &[UnseenItem],
        there: Vec<Item>,
    ) -> Result<u64, Error> {
        let kind = reading.kind;
        let ids: BTreeSet<ItemId> = there.iter().map(|item| item.id).collect();
        let gone: Vec<ItemKey> =
            batch.iter().filter(|item| !ids.contains(&item.id)).map(|item| item.key).collect();
        if !there.is_empty() {
            let found = there.into_iter().map(|item| (item, None)).collect();
            reading.store(found, self.gitlab_now(), &Moves::Nothing).await?;
        }
        self.inner.store.remove_items(&gone).await?;
        for item in batch.iter().filter(|item| gone.contains(&item.key)) {
            tracing::info!(
                project.id = %item.project,
                "removed {} {} of project {}: GitLab no longer shows it",
                kind.as_str(),
                item.iid,
                item.project
            );
        }
        Ok(gone.len() as u64)
    }

    /// Removes the projects that are gone or no longer wanted, and returns how many.
    pub(super) async fn prune_projects(
        &self,
        run: &Run,
        roots: &Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        let gone = self.inner.store.list_unseen_projects(run).await?;
        let stored = self.inner.store.totals(run.source).await?.projects;
        if is_suspicious(gone.len(), stored, FEW_PROJECTS)
            && !self.is_confirmed(run, "project drop", gone.len(), stored, report).await?
        {
            return Ok(0);
        }
        let mut removed = 0;
        for unseen in gone {
            go_on(stop)?;
            match self.look_again(unseen.id).await {
                Ok(Some(project)) if self.wants(&project) && roots.covers(&project) => {
                    // The list shifted, or it came back in between: the next sync reads it.
                    let reason = "the list of projects left it out, but it is there".to_owned();
                    report.add(self.problem(&unseen.path, "projects", reason));
                }
                Ok(_) => {
                    self.inner.store.remove_project(unseen.key).await?;
                    removed += 1;
                    tracing::info!(
                        project.id = %unseen.id,
                        "removed project {}: GitLab no longer shows it below the roots",
                        unseen.path
                    );
                }
                Err(error) => self.survive(error, &unseen.path, "projects", report)?,
            }
        }
        Ok(removed)
    }
}

/// Returns the name under which a drop of items is recorded.
const fn drop_of(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::Issue => "issue drop",
        ItemKind::MergeRequest => "merge request drop",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drop_is_suspicious_when_it_is_neither_small_nor_a_small_part() {
        assert!(!is_suspicious(5, 6, FEW_PROJECTS));
        assert!(!is_suspicious(10, 100, FEW_PROJECTS));
        assert!(is_suspicious(40, 100, FEW_PROJECTS));
        assert!(is_suspicious(101, 101, FEW_ITEMS));
    }
}
