//! Comments that did not come with their items.
//!
//! GraphQL is asked for those of many items of one project at once. GitLab's REST interface has no
//! list of the comments of many items, so there each item costs a request. Which items are due is
//! kept in the index, so a killed sync goes on with the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::details::several;
use super::run::GRAIN;
use super::{Crawler, Error, Event, KnownProject, Pass, Report, unless_stopped};
use crate::gitlab::{self, Feature, Missing};
use crate::model::{Iid, ItemKind, ProjectId};
use crate::store::{DueNotes, NoteWrite, Run};

/// How many due items are taken up at once.
const BATCH: i64 = 500;

impl Crawler {
    /// Reads the comments that are due.
    pub(super) async fn read_notes(
        &self,
        run: &Run,
        pass: Pass,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        if !self.inner.source.comments {
            self.inner.store.forget_notes(run.source).await?;
            return Ok(());
        }
        let store = &self.inner.store;
        // What the pages of this run brought is not due: their time was told by a clock that is
        // known to the second only.
        let began_at = self.by_gitlab(run.started_at);
        let began_at = began_at.saturating_sub(GRAIN).unwrap_or(began_at);
        store.mark_notes_due(run, began_at, pass == Pass::Full).await?;
        self.inner.progress.event(Event::Step { name: "comments", units: Some(0) });
        let mut after = None;
        for (id, project) in projects {
            // Refused in the sync before, and it is too early to ask again.
            if report.postpones(&project.path, "comments") {
                report.refuse(*id, ItemKind::Issue);
                report.refuse(*id, ItemKind::MergeRequest);
            }
        }
        while self.inner.client.has(Feature::Comments) {
            let due = store.list_due_notes(run, after, BATCH).await?;
            let Some(last) = due.last() else { break };
            after = Some(last.key);
            self.inner.progress.event(Event::More(due.len() as u64));
            let due = self.read_together(run, due, projects, report, stop).await?;
            several(&due, self.concurrency(), |due| async move {
                let project = projects.get(&due.project);
                let asks = self.asks(comments_on(due.kind), report);
                let refused = report.is_refused(due.project, due.kind);
                if let Some(project) = project.filter(|_| asks && !refused) {
                    unless_stopped(stop, self.read_notes_of(due, project, report)).await??;
                }
                self.inner.progress.event(Event::Done(1));
                Ok(())
            })
            .await?;
        }
        self.asks(Feature::Comments, report);
        Ok(())
    }

    /// Reads the comments of items that stand in one project together, and returns the others.
    async fn read_together(
        &self,
        run: &Run,
        due: Vec<DueNotes>,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<Vec<DueNotes>, Error> {
        let mut lists: BTreeMap<(ProjectId, ItemKind), Vec<Iid>> = BTreeMap::new();
        for due in &due {
            lists.entry((due.project, due.kind)).or_default().push(due.iid);
        }
        // One is one question either way.
        lists.retain(|(project, kind), iids| iids.len() > 1 && !report.is_refused(*project, *kind));
        let read: Mutex<BTreeSet<(ProjectId, ItemKind, Iid)>> = Mutex::default();
        several(lists, self.concurrency(), async |((project, kind), iids)| {
            let found = self
                .read_notes_by_number(run, kind, project, &iids, projects, report, stop)
                .await?;
            let found = found.into_iter().map(|iid| (project, kind, iid));
            read.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
            Ok(())
        })
        .await?;
        let read = read.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.inner.progress.event(Event::Done(read.len() as u64));
        let is_left = |due: &DueNotes| !read.contains(&(due.project, due.kind, due.iid));
        Ok(due.into_iter().filter(is_left).collect())
    }

    pub(super) async fn read_notes_of(
        &self,
        due: &DueNotes,
        project: &KnownProject,
        report: &Report,
    ) -> Result<(), Error> {
        // Before the request: what is written while it runs is read the next time.
        let read_at = self.by_gitlab(self.inner.clock.now());
        let feature = comments_on(due.kind);
        let subject = format!("{}{}{}", project.path, due.kind.sigil(), due.iid);
        if report.postpones(&subject, "comments") {
            return Ok(());
        }
        let notes = match self.inner.client.notes(due.project, due.kind, due.iid).await {
            Ok(notes) => {
                self.inner.client.answered(feature);
                notes
            }
            Err(error) => {
                if let Some(lack) = self.inner.client.refused(feature, &project.path, &error) {
                    report.forget("comments", &self.inner.client.refusers(feature));
                    self.record_lack(&lack, report);
                    return Ok(());
                }
                if matches!(
                    error,
                    gitlab::Error::NotFound { what: Missing::Record | Missing::Named(_), .. }
                ) {
                    return self.judge_bare(due, project, read_at, error, report).await;
                }
                // Refused for one item is refused for all of the project: one question is enough.
                if matches!(
                    error,
                    gitlab::Error::Forbidden { .. } | gitlab::Error::Unauthorized { .. }
                ) {
                    report.refuse(due.project, due.kind);
                }
                return self.survive(error, &project.path, "comments", report);
            }
        };
        let writes: Vec<NoteWrite> = notes
            .into_iter()
            .map(|note| {
                let reader = &self.inner.reader;
                let references = reader.read_note(&project.context, due.kind, due.iid, &note);
                let links = reader.read_note_links(&project.context, due.kind, due.iid, &note);
                NoteWrite { note, references, links }
            })
            .collect();
        self.inner.store.apply_notes(due.key, &writes, read_at).await?;
        Ok(())
    }

    /// Tells an item that was deleted since it was listed from one whose comments alone cannot be
    /// read: the list of the project tells.
    async fn judge_bare(
        &self,
        due: &DueNotes,
        project: &KnownProject,
        read_at: Timestamp,
        error: gitlab::Error,
        report: &Report,
    ) -> Result<(), Error> {
        if report.is_bare(&project.path) {
            return self.survive(error, &project.path, "comments", report);
        }
        match self.list_by_number(due.kind, due.project, vec![due.iid]).await {
            // Nothing is to be read of it. That it is gone is found by who counts.
            Ok(Some(there)) if there.is_empty() => {
                Ok(self.inner.store.keep_notes(due.key, read_at).await?)
            }
            Ok(_) => {
                let item = format!("{}{}{}", project.path, due.kind.sigil(), due.iid);
                report.find_bare(&project.path, &item);
                let subject = if report.is_bare(&project.path) { &project.path } else { &item };
                self.survive(error, subject, "comments", report)
            }
            Err(error) => self.survive(error, &project.path, "comments", report),
        }
    }
}

/// Job tokens read the comments on merge requests and not those on issues.
fn comments_on(kind: ItemKind) -> Feature {
    match kind {
        ItemKind::Issue => Feature::IssueComments,
        ItemKind::MergeRequest => Feature::Comments,
    }
}
