//! Items whose labels were renamed or deleted.
//!
//! GitLab moves the time of no item for that. The names that labels had are kept by the store when
//! labels are read, until the items that carry them have been read again: by their numbers, or with
//! the whole list of their root, if that takes fewer requests.

use std::collections::{BTreeMap, BTreeSet};

use tokio_util::sync::CancellationToken;

use super::super::roots::Roots;
use super::super::{Crawler, Error, KnownProject, Report};
use super::removal::BATCH;
use crate::model::{Iid, ItemKind, ProjectId};
use crate::store::{LabelChange, Origin, Run, UnseenItem};

/// Items on a page of a list.
const PAGE: u64 = 100;

impl Crawler {
    /// Reads the items again that carry labels which have another name now, or are no more.
    pub(in crate::crawl) async fn refresh_labels(
        &self,
        run: &Run,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let store = &self.inner.store;
        let changes = store.list_label_changes(run.source).await?;
        if changes.is_empty() {
            return Ok(());
        }
        let names: BTreeSet<(ProjectId, &str)> =
            changes.iter().map(|change| (change.project, change.name.as_str())).collect();
        let names: Vec<(ProjectId, &str)> = names.into_iter().collect();
        let mut stale = store.list_items_with_labels(run.source, &names).await?;
        let counts = store.count_items(run.source).await?;
        // Projects whose changes are still to be followed.
        let mut left: BTreeSet<ProjectId> = BTreeSet::new();
        for root in roots.lists.iter().filter(|root| root.origin != Origin::Joined) {
            for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
                let is_below =
                    |item: &UnseenItem| item.kind == kind && root.holds(item.project, &item.path);
                let below = counts.iter().filter(|count| root.holds(count.project, &count.path));
                let pages = below.map(|count| count.of(kind)).sum::<u64>().div_ceil(PAGE);
                let here: Vec<&UnseenItem> = stale.iter().filter(|item| is_below(item)).collect();
                let lists = here.chunk_by(|a, b| a.project == b.project);
                let questions: usize = lists.map(|list| list.len().div_ceil(BATCH)).sum();
                if questions == 0 || u64::try_from(questions).is_ok_and(|asked| asked <= pages) {
                    continue;
                }
                let here: BTreeSet<ProjectId> = here.iter().map(|item| item.project).collect();
                if !self.walk_by_ids(run, kind, root, projects, report, stop).await? {
                    left.extend(here);
                }
                stale.retain(|item| !is_below(item));
            }
        }
        for list in stale.chunk_by(|a, b| (a.project, a.kind) == (b.project, b.kind)) {
            let Some(UnseenItem { project, kind, .. }) = list.first() else { continue };
            let iids: Vec<Iid> = list.iter().map(|item| item.iid).collect();
            let found = self.read_numbers(run, *kind, *project, &iids, projects, report, stop);
            // What GitLab does not show is for a walk over the list to find gone.
            if !found.await?.failed.is_empty() {
                left.insert(*project);
            }
        }
        let settled: Vec<LabelChange> =
            changes.into_iter().filter(|change| !left.contains(&change.project)).collect();
        store.settle_label_changes(&settled).await?;
        Ok(())
    }
}
