//! Removing what GitLab no longer shows.
//!
//! Only what a list that was read whole no longer shows may be gone; and since pages can shift
//! under any list, it is asked for once more, by its number, before it is removed. A question that
//! fails removes nothing.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::items::stream_name;
use super::roots::Listing;
use super::{Crawler, Error, KnownProject, Report, go_on};
use crate::gitlab::{self, ItemQuery, Scope};
use crate::model::{Iid, Item, ItemKind, ProjectId};
use crate::store::{ItemKey, Run, Stream, UnseenItem};

/// Numbers asked for in one request: a long address is refused.
const BATCH: usize = 50;

impl Crawler {
    /// Removes the items of a kind that are gone, and returns how many.
    pub(super) async fn prune_items(
        &self,
        run: &Run,
        kind: ItemKind,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        let unseen = self.inner.store.list_unseen_items(run, kind).await?;
        let mut removed = 0;
        for batch in unseen.chunk_by(|a, b| a.project == b.project).flat_map(|p| p.chunks(BATCH)) {
            go_on(stop)?;
            let Some(project) = batch.first().and_then(|item| projects.get(&item.project)) else {
                continue;
            };
            match self.list_by_number(kind, batch).await {
                Ok(there) => removed += self.settle_items(run, kind, batch, there, projects).await?,
                Err(error) => self.survive(error, &project.path, stream_name(kind), report)?,
            }
        }
        Ok(removed)
    }

    async fn list_by_number(
        &self,
        kind: ItemKind,
        batch: &[UnseenItem],
    ) -> Result<Vec<Item>, gitlab::Error> {
        let Some(first) = batch.first() else { return Ok(Vec::new()) };
        let query = ItemQuery {
            iids: batch.iter().map(|item| item.iid).collect(),
            archived: true,
            ..ItemQuery::default()
        };
        let mut page = self.inner.client.items(kind, Scope::Project(first.project), &query).await?;
        let mut there = page.items;
        // As many pages as numbers were asked for are more than enough.
        for _ in 0..batch.len() {
            let Some(next) = &page.next else { break };
            page = self.inner.client.follow_items(kind, next).await?;
            there.append(&mut page.items);
        }
        Ok(there)
    }

    async fn settle_items(
        &self,
        run: &Run,
        kind: ItemKind,
        batch: &[UnseenItem],
        there: Vec<Item>,
        projects: &BTreeMap<ProjectId, KnownProject>,
    ) -> Result<u64, Error> {
        let numbers: BTreeSet<Iid> = there.iter().map(|item| item.iid).collect();
        let gone: Vec<ItemKey> = batch
            .iter()
            .filter(|item| !numbers.contains(&item.iid))
            .map(|item| item.key)
            .collect();
        if !there.is_empty() {
            let writes = self.item_writes(there, projects);
            let stream = Stream {
                root: "second look".to_owned(),
                kind: stream_name(kind),
                watermark: None,
                done: false,
            };
            self.inner.store.apply_items(run, &writes, &stream).await?;
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
        listing: &Listing,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        let mut removed = 0;
        for unseen in self.inner.store.list_unseen_projects(run).await? {
            go_on(stop)?;
            let member = self.inner.source.is_rootless();
            match self.look_again(unseen.id).await {
                Ok(Some(project)) if self.wants(&project) && listing.covers(&project, member) => {
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
