//! The projects below the roots.
//!
//! The list of a root is read whole by id, or, in a sync, only as far as projects changed. A project
//! that comes below a root after that root's items were read brings items with it that the root's
//! own walk is past: it gets a list of its own until they are read ([`Origin::Joined`]).

use std::collections::BTreeSet;
use std::sync::PoisonError;

use tokio_util::sync::CancellationToken;

use super::roots::{Root, Roots};
use super::{Crawler, Error, Event, Pass, Report, digest, unless_stopped};
use crate::gitlab::{self, FetchedProject, Page, ProjectQuery, Scope, Trail};
use crate::model::{ItemKind, Project, ProjectId};
use crate::store::{Origin, ProjectWrite, Run};
use crate::telemetry::chain;

/// How many projects are remembered to learn from what their GitLab has.
const SAMPLE: usize = 2;
/// How many pages the projects of one root may have. The largest GitLab that is known has some
/// ten million projects; no token is a member of a million.
const PROJECT_PAGES: usize = 10_000;

impl Crawler {
    /// Lists and stores the projects of all roots, and returns how many were removed.
    pub(super) async fn read_projects(
        &self,
        run: &Run,
        pass: Pass,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        self.inner.progress.event(Event::Step { name: "projects", units: None });
        let _ = pass;
        if roots.membership.is_some() {
            let first = self.inner.client.projects_member(self.project_query());
            let first = unless_stopped(stop, first).await?;
            self.list_root(run, None, first, roots, report, stop).await?;
        }
        for root in roots.lists.clone() {
            match (root.scope, root.origin) {
                (Scope::Group(id), _) => {
                    let first = self.inner.client.group_projects(id, self.project_query());
                    let first = unless_stopped(stop, first).await?;
                    self.list_root(run, Some(&root), first, roots, report, stop).await?;
                }
                (Scope::Project(id), Origin::Configured) => {
                    let found = match roots.listed.get(&id) {
                        Some((project, features)) => {
                            let project = project.clone();
                            Ok(FetchedProject { project, features: features.clone() })
                        }
                        None => unless_stopped(stop, self.look_up(&id.to_string())).await?,
                    };
                    let page = found.map(|found| Page {
                        items: vec![found],
                        next: None,
                        total: Some(1),
                        server_date: None,
                    });
                    self.list_root(run, Some(&root), page, roots, report, stop).await?;
                }
                (Scope::Project(_), Origin::Member | Origin::Joined) => {}
            }
        }
        if roots.whole { self.prune_projects(run, roots, report, stop).await } else { Ok(0) }
    }

    /// Lists one root from its first page on. Without one, each of its projects is a list of items.
    async fn list_root(
        &self,
        run: &Run,
        root: Option<&Root>,
        first: Result<Page<FetchedProject>, gitlab::Error>,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let name = root.map_or(super::roots::MEMBERSHIP, |root| root.name.as_str());
        let before = self.inner.store.stored_projects(run).await?;
        let mut trail = Trail::of_pages(PROJECT_PAGES);
        let mut seen = BTreeSet::new();
        let mut page = first;
        loop {
            let found = match page {
                Ok(found) => found,
                Err(error) => {
                    roots.whole = false;
                    return self.survive(error, name, "projects", report);
                }
            };
            self.learn_skew(found.server_date);
            let next = found.next;
            let ids = found.items.iter().map(|found| found.project.id);
            let news = ids.filter(|id| seen.insert(*id)).count() > 0;
            let wanted: Vec<FetchedProject> =
                found.items.into_iter().filter(|found| self.wants(&found.project)).collect();
            let writes: Vec<ProjectWrite> =
                wanted.iter().map(|found| self.project_write(&found.project)).collect();
            self.inner.store.apply_projects(run, &writes).await?;
            self.inner.progress.event(Event::Done(writes.len() as u64));
            self.keep_sample(&wanted);
            for FetchedProject { project, features } in wanted {
                let is_new = !before.contains_key(&project.id);
                match root {
                    None => self.add_list(run, &project, Origin::Member, roots).await?,
                    Some(root) if is_new && self.has_begun(root, ItemKind::Issue).await? => {
                        self.add_list(run, &project, Origin::Joined, roots).await?;
                    }
                    Some(_) => {}
                }
                roots.listed.insert(project.id, (project, features));
            }
            let Some(next) = next else { return Ok(()) };
            page = match trail.follow(&next, news) {
                Ok(()) => unless_stopped(stop, self.inner.client.follow_projects(&next)).await?,
                Err(error) => Err(error),
            };
        }
    }

    /// Remembers a few projects, to learn from what their GitLab has.
    fn keep_sample(&self, found: &[FetchedProject]) {
        let mut sample = self.inner.sample.lock().unwrap_or_else(PoisonError::into_inner);
        let room = SAMPLE.saturating_sub(sample.len());
        let new = found.iter().map(|found| found.project.id).take(room);
        sample.extend(new);
    }

    /// True when a project is to be in the index.
    pub(super) fn wants(&self, project: &Project) -> bool {
        let source = &self.inner.source;
        !source.excludes(&project.path)
            && (source.archived || !project.archived)
            && !self.is_held_elsewhere(project.id)
    }

    pub(super) fn project_write(&self, project: &Project) -> ProjectWrite {
        let reader = &self.inner.reader;
        ProjectWrite {
            name_keys: reader.project_name_keys(project),
            tags: reader.read_project(project),
            fingerprint: digest(&[&format!("{project:?}"), reader.revision()]),
            project: project.clone(),
        }
    }

    fn project_query(&self) -> ProjectQuery {
        ProjectQuery { archived: self.inner.source.archived, ..ProjectQuery::default() }
    }

    /// Asks for a project that the lists no longer show. `Ok(None)` means that GitLab does not
    /// show it at all.
    pub(super) async fn look_again(&self, id: ProjectId) -> Result<Option<Project>, gitlab::Error> {
        match self.inner.client.project(&id.to_string()).await {
            Ok(found) => Ok(Some(found.project)),
            Err(error) if error.is_absence() => {
                tracing::debug!(project.id = %id, "{}", chain(&error));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
