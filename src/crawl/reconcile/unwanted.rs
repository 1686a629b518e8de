//! What the configuration no longer wants: told by the index alone, without a request.
//!
//! A root that is no longer configured goes, after a warning, with the projects that no other root
//! covers. Projects that are excluded, or archived where those are not read, go too. A project that
//! a source before this one of the same GitLab holds is left to it.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use super::super::roots::{MEMBERSHIP, is_below};
use super::super::{Crawler, Error, Report};
use crate::model::ProjectId;
use crate::store::{Gone, HeldProject, Origin, RootRow, RootWrite, Run};

/// True when a root covers a stored project, as far as paths and numbers tell.
fn covers(name: &str, gitlab_id: Option<i64>, path: &str, project: &HeldProject) -> bool {
    if name == MEMBERSHIP {
        return true;
    }
    if name.starts_with("group:") {
        return is_below(&project.path.to_lowercase(), &path.to_lowercase());
    }
    gitlab_id == Some(project.id.get())
}

impl Crawler {
    /// Returns the names that the configuration gives the roots.
    pub(in crate::crawl) fn root_names(&self) -> BTreeSet<String> {
        let source = &self.inner.source;
        source
            .groups
            .iter()
            .map(|group| format!("group:{group}"))
            .chain(source.projects.iter().map(|path| format!("project:{path}")))
            .chain(source.is_rootless().then(|| MEMBERSHIP.to_owned()))
            .collect()
    }

    /// Removes the roots that the configuration no longer names, with the projects that only they
    /// covered. Waits while a root that it names was never found: that may be the same by another
    /// name.
    pub(in crate::crawl) async fn forget_roots(
        &self,
        run: &Run,
        known: &mut Vec<RootRow>,
        found: &[RootWrite],
        report: &Report,
    ) -> Result<(), Error> {
        if !self.inner.source.is_rootless() {
            // Whatever holds their projects now, membership does not.
            for row in known.iter().filter(|row| row.origin == Origin::Member) {
                self.inner.store.remove_root(row.key).await?;
            }
            known.retain(|row| row.origin != Origin::Member);
        }
        let names = self.root_names();
        let is_named = |row: &RootRow| names.contains(&row.name);
        let is_found = |name: &String| {
            known.iter().any(|row| row.name == *name) || found.iter().any(|new| new.name == *name)
        };
        if !names.iter().all(is_found) {
            return Ok(());
        }
        let configured = |row: &&RootRow| row.origin == Origin::Configured;
        let gone: Vec<RootRow> =
            known.iter().filter(configured).filter(|row| !is_named(row)).cloned().collect();
        if gone.is_empty() {
            return Ok(());
        }
        // The path of a group may be the one from before a rename, as those of the projects may.
        let before = known.iter().filter(configured).filter(|row| is_named(row));
        let before = before.map(|row| (row.name.as_str(), row.gitlab_id, row.path.as_str()));
        let now = found.iter().map(|new| (new.name.as_str(), new.gitlab_id, new.path.as_str()));
        let kept: Vec<(&str, Option<i64>, &str)> = before.chain(now).collect();
        for root in &gone {
            tracing::warn!(
                source = %self.inner.source.name,
                "{} is no longer configured: what only it holds is removed from the index",
                root.name
            );
        }
        for project in self.inner.store.list_held(run.source).await? {
            let was_of = |root: &RootRow| covers(&root.name, root.gitlab_id, &root.path, &project);
            let is_of =
                |(name, id, path): &(&str, Option<i64>, &str)| covers(name, *id, path, &project);
            if gone.iter().any(was_of) && !kept.iter().any(is_of) {
                self.drop_project(&project, Some(Gone::RootRemoved), report).await?;
            }
        }
        for root in &gone {
            self.inner.store.remove_root(root.key).await?;
        }
        known.retain(|row| gone.iter().all(|root| root.key != row.key));
        Ok(())
    }

    /// Removes the projects that the configuration leaves out, or that a source before this one
    /// holds.
    pub(in crate::crawl) async fn remove_unwanted(
        &self,
        run: &Run,
        report: &Report,
    ) -> Result<(), Error> {
        let source = &self.inner.source;
        let held = self.inner.store.list_held_by(&source.yields_to).await?;
        let held: BTreeSet<ProjectId> = held.into_iter().collect();
        *self.inner.held.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
        for project in self.inner.store.list_held(run.source).await? {
            let reason = if source.excludes(&project.path) {
                Some(Gone::Excluded)
            } else if project.archived && !source.archived {
                Some(Gone::Archived)
            } else if self.is_held_elsewhere(project.id) {
                None
            } else {
                continue;
            };
            self.drop_project(&project, reason, report).await?;
        }
        Ok(())
    }

    /// True when a source before this one of the same GitLab holds a project.
    pub(in crate::crawl) fn is_held_elsewhere(&self, id: ProjectId) -> bool {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner).contains(&id)
    }

    async fn drop_project(
        &self,
        project: &HeldProject,
        reason: Option<Gone>,
        report: &Report,
    ) -> Result<(), Error> {
        self.inner.store.remove_project(project.key, reason, self.inner.clock.now()).await?;
        report.forget_project(&project.path);
        report.count_removed(1);
        tracing::info!(
            project.id = %project.id,
            "removed project {}: {}",
            project.path,
            reason.map_or("a source before this one holds it", Gone::sentence)
        );
        Ok(())
    }
}
