//! What GitLab does not announce: deletions, renamed labels, projects that went, came or hid.
//!
//! After a sync the index holds everything that GitLab shows, and perhaps more. So a project whose
//! items are as many on both sides holds the same, and costs one hundredth of a request to find
//! out ([`compare`]). Only where numbers differ are the items walked by their ids. What shows itself
//! at a time that no change announces (a project shown anew while an item of it went) may even the
//! numbers out; a [`Pass::Sweep`] walks every list, and asks for no number.
//!
//! What may remove rows, and what keeps them, is the matter of [`removal`]; of projects, of
//! [`projects`]; what the configuration no longer wants, of [`unwanted`]. [`labels`] reads the items
//! again whose labels were renamed or deleted.

mod compare;
mod labels;
mod projects;
mod removal;
mod unwanted;

use std::collections::BTreeMap;

use tokio_util::sync::CancellationToken;

use super::roots::Roots;
use super::{Crawler, Error, KnownProject, Pass, Report};
use crate::model::ProjectId;
use crate::store::{Run, StreamKind};

impl Crawler {
    /// Finds what GitLab does not announce about items, and removes or reads it again.
    pub(super) async fn reconcile(
        &self,
        run: &Run,
        pass: Pass,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        match pass {
            Pass::Reconcile => self.compare(run, roots, projects, report, stop).await?,
            // What a walk saw before it was cut off may have gone since.
            Pass::Full | Pass::Sweep if report.has_resumed() => {
                self.compare(run, roots, projects, report, stop).await?;
            }
            // Every list was walked by its ids just now, or is not looked at.
            Pass::Full | Pass::Sweep | Pass::Sync | Pass::Files => {}
        }
        // What is still missing was found to be so once more: the others are there again.
        for root in &roots.lists {
            for kind in [StreamKind::Issues, StreamKind::MergeRequests] {
                self.inner.store.forget_drops(run, root.key, kind).await?;
            }
        }
        Ok(())
    }
}
