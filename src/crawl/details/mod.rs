//! What hangs on projects: labels, CODEOWNERS, templates, files that describe them, pipelines.
//!
//! Which projects are due: in a sync those that are new or changed, those that could not be read
//! before, and those whose pipeline goes on; in the other passes all of them, once. GraphQL tells of a batch of projects in one request what they hold,
//! by the ids of contents ([`batch`]); contents are asked for only where an id is another than the
//! one that was read, many projects at a time. Whatever GraphQL does not tell for sure is asked by
//! REST, project by project ([`rest`]), so what is stored does not depend on the way it came.
//! Templates that groups lend are asked for once for all projects that are lent the same ([`lent`]).

mod batch;
mod lenders;
mod lent;
mod rest;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::features::Taken;
use super::roots::Roots;
use super::{Crawler, Error, Event, Pass, Report, unless_stopped};
use crate::gitlab::Feature;
use crate::model::{Project, ProjectFeatures, ProjectId};
use crate::store::{ProjectParts, Run, StoredProject};

pub(super) use batch::CATALOG;
pub(super) use lenders::FEW;

/// The parts of a project, as problems name them.
const PARTS: [&str; 4] = ["files", "labels", "templates", "pipelines"];

/// How long after its beginning a pipeline is asked about in every sync. One that takes longer is
/// looked at when its project changes, and when all projects are.
const PIPELINE_TIME: SignedDuration = SignedDuration::from_hours(3);

/// The words for a pipeline that goes on.
const UNFINISHED: [&str; 7] = [
    "created",
    "waiting_for_resource",
    "preparing",
    "pending",
    "running",
    "canceling",
    "scheduled",
];

/// A project whose details are to be read.
#[derive(Debug, Clone, Copy)]
struct Due<'a> {
    stored: &'a StoredProject,
    project: &'a Project,
    features: &'a ProjectFeatures,
    /// True when nothing but its pipeline is due.
    only_pipeline: bool,
}

impl Due<'_> {
    /// Says whether a project may have files that this credential may read. One without a branch
    /// has none, unless it is known by its items alone, which do not tell its branch.
    fn may_hold_files(&self) -> bool {
        let has_branch = self.project.default_branch.is_some() || self.features.is_sketch;
        has_branch && !self.features.empty_repo && self.features.repository_readable
    }

    /// Returns the branch whose pipelines are of interest; `None` where there are none.
    fn pipeline_branch(&self) -> Option<&str> {
        let runs = self.features.builds_enabled && self.features.repository_readable;
        self.project.default_branch.as_deref().filter(|_| runs)
    }
}

/// What one reading of details has found out so far, for all batches.
#[derive(Debug, Default)]
struct Findings {
    /// Whether the instance may have groups that lend templates.
    enterprise: Mutex<Option<bool>>,
}

impl Crawler {
    /// Reads and stores the details of the projects that are due.
    pub(super) async fn read_details(
        &self,
        run: &Run,
        pass: Pass,
        roots: &Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let store = &self.inner.store;
        // A killed pass is not gone on with: what changed since it read a project would be missed,
        // and fifty projects are one question.
        let since = pass.lists_all_projects().then_some(run.key);
        let stored = store.stored_projects(run).await?;
        let due: Vec<Due<'_>> = stored
            .values()
            .filter(|stored| self.is_due(stored, since, report))
            .filter_map(due_of)
            .map(|due| {
                let is_read = since.is_none_or(|since| due.stored.details_run >= since);
                Due { only_pipeline: is_read && !due.stored.details_due, ..due }
            })
            .collect();
        self.read_due(run, &due, pass, Some(roots), report, stop).await?;
        if since.is_none() {
            self.keep_problems(&stored, &due, report).await?;
        }
        Ok(())
    }

    /// Reads and stores the details of some projects of the index, whether they are due or not.
    pub(super) async fn read_details_of(
        &self,
        run: &Run,
        projects: &BTreeSet<ProjectId>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let stored = self.inner.store.stored_projects(run).await?;
        let asked = stored.iter().filter(|(id, _)| projects.contains(id));
        let due: Vec<Due<'_>> = asked.filter_map(|(_, stored)| due_of(stored)).collect();
        self.read_due(run, &due, Pass::Sync, None, report, stop).await
    }

    /// Says whether the details of a project are to be read by this run.
    fn is_due(&self, stored: &StoredProject, since: Option<i64>, report: &Report) -> bool {
        if since.is_some_and(|since| stored.details_run < since) {
            return true;
        }
        if stored.details_due {
            // What was refused is left alone until its time has come.
            let is_new = stored.details_run == 0;
            let path = &stored.project.path;
            let postponed = PARTS.iter().filter(|part| report.postpones(path, part)).count();
            return postponed == 0 || (is_new && since.is_some());
        }
        let now = self.by_gitlab(self.inner.clock.now());
        stored.pipeline.as_ref().is_some_and(|(status, created_at)| {
            UNFINISHED.contains(&status.as_str()) && now.duration_since(*created_at) < PIPELINE_TIME
        })
    }

    /// Keeps what was said of projects that this run had no reason to read.
    async fn keep_problems(
        &self,
        stored: &BTreeMap<ProjectId, StoredProject>,
        due: &[Due<'_>],
        report: &Report,
    ) -> Result<(), Error> {
        let read: BTreeSet<&str> = due.iter().map(|due| due.project.path.as_str()).collect();
        let there: BTreeSet<&str> = stored.values().map(|row| row.project.path.as_str()).collect();
        for row in self.inner.store.list_problems().await? {
            let is_kept = if row.subject == "source" {
                due.is_empty()
            } else {
                there.contains(row.subject.as_str()) && !read.contains(row.subject.as_str())
            };
            let is_ours = row.source == self.inner.source.name;
            if is_ours && is_kept && PARTS.contains(&row.stream.as_str()) {
                report.add(super::run::problem_of(row));
            }
        }
        Ok(())
    }

    /// Reads and stores the details of projects, in batches of one default branch each.
    async fn read_due(
        &self,
        run: &Run,
        due: &[Due<'_>],
        pass: Pass,
        roots: Option<&Roots>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let units = Some(due.len() as u64);
        self.inner.progress.event(Event::Step { name: "project details", units });
        let mut by_branch: BTreeMap<Option<&str>, Vec<Due<'_>>> = BTreeMap::new();
        for due in due {
            by_branch.entry(due.pipeline_branch()).or_default().push(*due);
        }
        // Those without pipelines go along with the others: what is told of theirs is not taken.
        if by_branch.len() > 1
            && let Some(none) = by_branch.remove(&None)
            && let Some(mut first) = by_branch.first_entry()
        {
            first.get_mut().extend(none);
        }
        let findings = Findings::default();
        let size = self.inner.client.files_at_once();
        let mut batches: Vec<(Option<&str>, &[Due<'_>])> = Vec::new();
        for (branch, due) in &by_branch {
            batches.extend(due.chunks(size).map(|batch| (*branch, batch)));
        }
        let mut batches = batches.into_iter();
        // The first goes alone: where GraphQL is not to be had, or dear, it finds out for all.
        if let Some((branch, batch)) = batches.next() {
            self.read_batch(run, branch, batch, &findings, report, stop).await?;
        }
        let shared = &findings;
        several(batches, self.concurrency(), |(branch, batch)| async move {
            self.read_batch(run, branch, batch, shared, report, stop).await
        })
        .await?;
        if due.is_empty() {
            return Ok(());
        }
        self.read_lent(run, pass, roots, &findings, report, stop).await
    }

    /// Stores what was told of a project, and asks by REST for what was not.
    async fn complete(
        &self,
        run: &Run,
        due: Due<'_>,
        mut parts: ProjectParts,
        is_sure: Sure,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let mut whole = true;
        if !is_sure.labels
            && !due.only_pipeline
            && Self::may_be_asked("labels", due, report, &mut whole)
            && self.asks_of(Feature::Labels, due.features, report)
        {
            let labels = self.inner.client.project_labels(due.project.id);
            let labels = unless_stopped(stop, labels).await?;
            let labels = self.take(Feature::Labels, labels, &due.project.path, "labels", report)?;
            parts.labels = labels.or_miss(&mut whole);
        }
        if !is_sure.files {
            self.read_files_by_rest(due, &mut parts, &mut whole, report, stop).await?;
        }
        if !is_sure.pipeline {
            match due.pipeline_branch() {
                Some(branch) => {
                    if Self::may_be_asked("pipelines", due, report, &mut whole)
                        && self.asks_of(Feature::Pipelines, due.features, report)
                    {
                        let found = self.inner.client.latest_pipeline(due.project.id, branch);
                        let found = unless_stopped(stop, found).await?;
                        let path = &due.project.path;
                        let found =
                            self.take(Feature::Pipelines, found, path, "pipelines", report)?;
                        parts.pipeline = found.or_miss(&mut whole);
                    }
                }
                None if due.features.is_sketch => {}
                None => parts.pipeline = Some(None),
            }
        }
        // Labels that were not asked for stand as the run before read them.
        let is_partly = due.only_pipeline && !is_sure.labels;
        let key = if is_partly { due.stored.details_run } else { run.key };
        let read_by = Run { key, ..*run };
        self.inner.store.apply_parts(&read_by, due.stored.key, &parts, whole).await?;
        tracing::debug!(project.id = %due.project.id, "read the details of {}", due.project.path);
        self.inner.progress.event(Event::Done(1));
        Ok(())
    }

    /// Says whether a part of a project may be asked for. What a job token does not reach of
    /// projects that are not public, it may reach of those that are.
    fn asks_of(&self, feature: Feature, features: &ProjectFeatures, report: &Report) -> bool {
        (self.passes_over() && !features.is_sketch) || self.asks(feature, report)
    }

    /// Says whether a part may be asked for by now. One whose last refusal says a later time is not,
    /// and the project is not done with that.
    fn may_be_asked(part: &str, due: Due<'_>, report: &Report, whole: &mut bool) -> bool {
        let may = !report.postpones(&due.project.path, part);
        *whole &= may;
        may
    }

    /// Returns how many units of work go on at once. The pacer bounds the requests; as many units
    /// more keep it busy while others write.
    pub(super) fn concurrency(&self) -> usize {
        usize::try_from(units(self.inner.source.concurrency)).unwrap_or(1)
    }
}

/// Returns how many units of work go on at once where so many requests may.
pub(super) const fn units(concurrency: u32) -> u64 {
    concurrency as u64 * 2
}

/// Which parts of a project were told for sure.
#[derive(Debug, Clone, Copy, Default)]
struct Sure {
    labels: bool,
    files: bool,
    pipeline: bool,
}

impl Findings {
    fn enterprise(&self) -> Option<bool> {
        *self.enterprise.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_enterprise(&self, told: Option<bool>) {
        if told.is_some() {
            *self.enterprise.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }
    }
}

fn due_of(stored: &StoredProject) -> Option<Due<'_>> {
    let features = stored.features.as_ref()?;
    Some(Due { stored, project: &stored.project, features, only_pipeline: false })
}

/// Runs work on several things at a time; the first error ends it.
pub(super) async fn several<T, F>(
    things: impl IntoIterator<Item = T>,
    at_once: usize,
    work: impl Fn(T) -> F,
) -> Result<(), Error>
where
    F: Future<Output = Result<(), Error>>,
{
    let work: Vec<F> = things.into_iter().map(work).collect();
    stream::iter(work).buffer_unordered(at_once).try_collect::<()>().await
}
