//! The parts of a project that are asked for one by one: labels, templates, pipeline. Its files:
//! `files.rs`.

use std::collections::BTreeSet;

use futures_util::{StreamExt, TryStreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::files::may_hold_files;
use super::roots::Roots;
use super::{Crawler, Error, Event, Pass, Report, unless_stopped};
use crate::gitlab::{self, Feature, ProjectFeatures};
use crate::model::{ItemKind, Project, ProjectId, Template};
use crate::store::{ProjectParts, Run, StoredProject};

/// The name under which a text from a project's settings is kept beside its template files.
const SETTINGS_TEMPLATE: &str = "(settings)";

impl Crawler {
    /// Reads and stores the files and parts of the projects that this run's lists showed.
    pub(super) async fn read_details(
        &self,
        run: &Run,
        pass: Pass,
        roots: &Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let _ = pass;
        let unread = self.read_files(run, roots, report, stop).await?;
        self.read_parts(run, roots, &unread, report, stop).await
    }

    /// Reads and stores the parts of all projects, several at a time. Those whose files are
    /// `unread` are not done with that.
    async fn read_parts(
        &self,
        run: &Run,
        roots: &Roots,
        unread: &BTreeSet<ProjectId>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let seen = self.inner.store.stored_projects(run).await?;
        let units = Some(roots.listed.len() as u64);
        self.inner.progress.event(Event::Step { name: "project details", units });
        let due = roots.listed.values().filter_map(|(project, features)| {
            let seen = seen.get(&project.id)?;
            Some((project, features, seen))
        });
        several(due, self.concurrency(), |(project, features, seen)| async move {
            if seen.details_due {
                let files_read = !unread.contains(&project.id);
                let parts =
                    self.read_project_parts(run, project, features, seen, files_read, report);
                unless_stopped(stop, parts).await??;
            }
            self.inner.progress.event(Event::Done(1));
            Ok(())
        })
        .await
    }

    /// Returns how many units of work go on at once. The pacer bounds the requests; a few more
    /// units keep it busy while others write.
    pub(super) fn concurrency(&self) -> usize {
        usize::try_from(self.inner.source.concurrency).unwrap_or(1) + 1
    }

    async fn read_project_parts(
        &self,
        run: &Run,
        project: &Project,
        features: &ProjectFeatures,
        seen: &StoredProject,
        files_read: bool,
        report: &Report,
    ) -> Result<(), Error> {
        let client = &self.inner.client;
        let mut parts = ProjectParts::default();
        let mut whole = files_read;
        if Self::is_due("labels", project, report, &mut whole)
            && self.asks_of(Feature::Labels, features, report)
        {
            let labels = client.project_labels(project.id).await;
            let labels = self.take(Feature::Labels, labels, &project.path, "labels", report)?;
            parts.labels = labels.or_miss(&mut whole);
        }
        if Self::is_due("templates", project, report, &mut whole)
            && self.asks_of(Feature::Templates, features, report)
        {
            let found = self.read_templates(project, features).await;
            let found = self.take(Feature::Templates, found, &project.path, "templates", report)?;
            parts.templates = found.or_miss(&mut whole);
        }
        if !features.is_sketch && !may_hold_files(project, features) {
            parts.code_owners = Some(None);
        }
        match &project.default_branch {
            Some(_) if !Self::is_due("pipelines", project, report, &mut whole) => {}
            Some(branch) if features.builds_enabled && features.repository_readable => {
                if self.asks_of(Feature::Pipelines, features, report) {
                    let found = client.latest_pipeline(project.id, branch).await;
                    let found =
                        self.take(Feature::Pipelines, found, &project.path, "pipelines", report)?;
                    parts.pipeline = found.or_miss(&mut whole);
                }
            }
            None if features.is_sketch => {}
            Some(_) | None => parts.pipeline = Some(None),
        }
        self.inner.store.apply_parts(run, seen.key, &parts, whole).await?;
        tracing::debug!(project.id = %project.id, "read the parts of {}", project.path);
        Ok(())
    }

    /// Says whether a part of a project may be asked for. What a job token does not reach of
    /// projects that are not public, it may reach of those that are.
    pub(super) fn asks_of(
        &self,
        feature: Feature,
        features: &ProjectFeatures,
        report: &Report,
    ) -> bool {
        (self.passes_over() && !features.is_sketch) || self.asks(feature, report)
    }

    /// Says whether a part may be asked for by now. One whose last refusal says a later time is not,
    /// and the project is not done with that.
    fn is_due(stream: &str, project: &Project, report: &Report, whole: &mut bool) -> bool {
        let is_due = !report.postpones(&project.path, stream);
        *whole &= is_due;
        is_due
    }

    async fn read_templates(
        &self,
        project: &Project,
        features: &ProjectFeatures,
    ) -> Result<Vec<Template>, gitlab::Error> {
        let mut templates = Vec::new();
        let settings = [
            (ItemKind::Issue, features.issues_enabled, &features.issues_template),
            (
                ItemKind::MergeRequest,
                features.merge_requests_enabled,
                &features.merge_requests_template,
            ),
        ];
        for (kind, enabled, text) in settings {
            if !enabled {
                continue;
            }
            if !text.trim().is_empty() {
                templates.push(Template {
                    project: project.id,
                    kind,
                    name: SETTINGS_TEMPLATE.to_owned(),
                    content: text.clone(),
                });
            }
            templates.extend(self.inner.client.templates(project.id, kind).await?);
        }
        Ok(templates)
    }
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
