//! Items whose labels were renamed or deleted.
//!
//! GitLab moves the time of no item for that. Which items are concerned is told by the index alone:
//! they carry a label that their project, whose labels were read since, does not have.

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::super::{Crawler, Error, KnownProject, Report};
use super::removal::BATCH;
use crate::model::{ItemKind, ProjectId};
use crate::store::Run;

/// With more items of a project than so many requests ask for, its list is walked.
const QUESTIONS: usize = 4;

impl Crawler {
    /// Reads the items again that carry labels which are no more.
    pub(in crate::crawl) async fn refresh_labels(
        &self,
        run: &Run,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let stale = self.inner.store.list_items_with_stale_labels(run.source).await?;
        let mut few = Vec::new();
        let mut many: BTreeMap<ProjectId, Vec<ItemKind>> = BTreeMap::new();
        for list in stale.chunk_by(|a, b| (a.project, a.kind) == (b.project, b.kind)) {
            let Some(first) = list.first() else { continue };
            if list.len() > QUESTIONS * BATCH {
                many.entry(first.project).or_default().push(first.kind);
            } else {
                few.extend_from_slice(list);
            }
        }
        self.ask_again(run, &few, projects, report, stop).await?;
        for (project, kinds) in many {
            self.walk_project(run, project, &kinds, projects, report, stop).await?;
        }
        Ok(())
    }
}
