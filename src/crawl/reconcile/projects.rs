//! Removing projects that GitLab no longer shows below the roots.
//!
//! The same rules as for items: the lists of all roots were read whole, each project is asked for
//! once more, and much at once waits for a second run.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::super::roots::Roots;
use super::super::{Crawler, Error, Report, go_on};
use super::removal::Missing;
use crate::store::{Cause, Gone, Origin, Problem, RootRow, Run, StreamKind, UnseenProject};

/// So many projects may go at once without a second thought.
const FEW_PROJECTS: u64 = 5;

/// When a project that its list leaves out is looked for again.
const LEFT_OUT: SignedDuration = SignedDuration::from_hours(1);

impl Crawler {
    /// Removes the projects that are gone or no longer wanted, and returns how many: those below roots
    /// whose projects were listed to the end by this run.
    pub(in crate::crawl) async fn prune_projects(
        &self,
        run: &Run,
        roots: &Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        if roots.listed_whole.is_empty() {
            return Ok(0);
        }
        let gone = self.inner.store.list_unseen_projects(run).await?;
        let mut rows = self.inner.store.list_roots(run.source).await?;
        rows.retain(|row| {
            let mut keys = roots.lists.iter().map(|root| root.key).chain(roots.membership);
            row.origin == Origin::Configured && keys.any(|key| key == row.key)
        });
        let is_sound = |row: &RootRow| {
            roots.listed_whole.contains(&row.key) && !roots.unread.contains(&row.name)
        };
        let held = self.inner.store.list_held(run.source).await?;
        let holder = |path: &str| rows.iter().position(|row| Roots::is_of(row, path));
        let mut by_root: BTreeMap<Option<usize>, Vec<UnseenProject>> = BTreeMap::new();
        for project in gone {
            by_root.entry(holder(&project.path)).or_default().push(project);
        }
        let mut removed = 0;
        for (place, gone) in by_root {
            // What no root holds may stand in any list.
            if !place.map_or_else(|| roots.are_whole(), |place| is_sound(&rows[place])) {
                continue;
            }
            if let Some(row) = place.map(|place| &rows[place]) {
                let stored = held.iter().filter(|held| holder(&held.path) == place).count();
                let missing = Missing {
                    root: row.key,
                    name: row.name.clone(),
                    kind: StreamKind::Projects,
                    cause: Cause::NotListed,
                    since: run.key,
                    gone: gone.len() as u64,
                    stored: stored as u64,
                };
                if !self.is_confirmed(run, FEW_PROJECTS, &missing, report).await? {
                    continue;
                }
            }
            for unseen in gone {
                go_on(stop)?;
                removed += u64::from(self.settle_project(&unseen, roots, report).await?);
            }
        }
        for RootRow { key, .. } in rows.iter().filter(|row| is_sound(row)) {
            self.inner.store.forget_drops(run, *key, StreamKind::Projects).await?;
        }
        report.count_removed(removed);
        Ok(removed)
    }

    /// Asks for a project that the lists no longer show, removes it if it is gone or no longer
    /// wanted, and says whether it did.
    async fn settle_project(
        &self,
        unseen: &UnseenProject,
        roots: &Roots,
        report: &Report,
    ) -> Result<bool, Error> {
        let source = &self.inner.source;
        let reason = match self.look_again(unseen.id).await {
            Err(error) => {
                self.survive(error, &unseen.path, "projects", report)?;
                return Ok(false);
            }
            Ok(None) => Some(Gone::NotShown),
            Ok(Some(project)) if source.excludes(&project.path) => Some(Gone::Excluded),
            Ok(Some(project)) if project.archived && !source.archived => Some(Gone::Archived),
            Ok(Some(project)) if self.is_held_elsewhere(project.id) => None,
            // It moved to where nothing can be said of it.
            Ok(Some(project)) if roots.may_hold_unread(&project) => return Ok(false),
            Ok(Some(project)) if roots.covers(&project) => {
                // The list shifted, or it came back in between. When GitLab counts it, the next sync
                // lists the root again; when it never does, that must not cost a list each time.
                let reason = "the list of projects left it out, but it is there".to_owned();
                let problem = self.problem(&unseen.path, "projects", reason);
                let retry_at = problem.at.saturating_add(LEFT_OUT).unwrap_or(problem.retry_at);
                report.add(Problem { retry_at, ..problem });
                return Ok(false);
            }
            Ok(Some(_)) => Some(Gone::OutsideRoots),
        };
        self.inner.store.remove_project(unseen.key, reason, self.inner.clock.now()).await?;
        report.forget_project(&unseen.path);
        tracing::info!(
            project.id = %unseen.id,
            "removed project {}: {}",
            unseen.path,
            reason.map_or("a source before this one holds it", Gone::sentence)
        );
        Ok(true)
    }
}
