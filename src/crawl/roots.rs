//! Roots, and the projects below them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use tokio_util::sync::CancellationToken;

use super::{Crawler, Error, Event, Report, digest, unless_stopped};
use crate::config::Auth;
use crate::gitlab::{
    self, Feature, FetchedProject, Page, ProjectFeatures, ProjectQuery, Scope, Trail,
};
use crate::model::{Project, ProjectId};
use crate::store::{ProjectWrite, Run, SeenProject, Stream};
use crate::telemetry::chain;

/// How many projects are remembered to learn from what their GitLab has.
const SAMPLE: usize = 2;
/// How many pages the projects of one root may have. The largest GitLab that is known has some
/// ten million projects; no token is a member of a million.
const PROJECT_PAGES: usize = 10_000;

/// A list of items that a sync walks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// `group:shop` or `project:tools/cli`.
    pub name: String,
    /// Where its items are listed.
    pub scope: Scope,
}

/// What the roots hold.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// Where items are listed.
    pub lists: Vec<Root>,
    /// What each project offers.
    pub projects: BTreeMap<ProjectId, (Project, ProjectFeatures)>,
    /// Paths of the groups that are roots.
    pub groups: Vec<String>,
    /// Projects that are roots of their own.
    pub single: BTreeSet<ProjectId>,
    /// Projects that this run had seen before it was gone on with.
    pub before: BTreeMap<ProjectId, SeenProject>,
    /// True when every root was listed to its end.
    pub whole: bool,
}

impl Roots {
    /// True when a project still lies below one of the roots. Membership is told by its own list
    /// alone, which is read by id and does not shift.
    pub fn covers(&self, project: &Project) -> bool {
        let path = project.path.to_lowercase();
        self.single.contains(&project.id)
            || self.groups.iter().any(|group| {
                path.strip_prefix(&group.to_lowercase()).is_some_and(|rest| rest.starts_with('/'))
            })
    }
}

impl Crawler {
    /// Looks up the roots, and lists and stores their projects.
    pub(super) async fn list_projects(
        &self,
        run: &Run,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<Roots, Error> {
        let source = &self.inner.source;
        self.inner.progress.event(Event::Step { name: "projects", units: None });
        let before = self.inner.store.seen_projects(run).await?;
        let mut roots = Roots { whole: true, before, ..Roots::default() };
        if source.is_rootless() {
            if source.auth == Auth::None {
                return Err(Error::NoRoot {
                    url: source.url.to_string(),
                    reason: "without a token there is no membership to read; name `groups` or \
                             `projects`, or configure a token"
                        .to_owned(),
                });
            }
            let first = self.inner.client.projects_member(self.project_query());
            let first = unless_stopped(stop, first).await?;
            self.list_root(run, "membership", None, first, &mut roots, report, stop).await?;
        }
        for group in &source.groups {
            let name = format!("group:{group}");
            if !self.asks(Feature::Groups, report) {
                roots.whole = false;
                continue;
            }
            match unless_stopped(stop, self.inner.client.group(group)).await? {
                Ok(found) => {
                    roots.groups.push(found.path.clone());
                    let query = self.project_query();
                    let first = self.inner.client.group_projects(found.id, query);
                    let first = unless_stopped(stop, first).await?;
                    let scope = Some(Scope::Group(found.id));
                    self.list_root(run, &name, scope, first, &mut roots, report, stop).await?;
                }
                Err(error) => match self.inner.client.refused(Feature::Groups, group, &error) {
                    Some(lack) => {
                        roots.whole = false;
                        self.record_lack(&lack, report);
                    }
                    None => self.miss_root(error, &name, &mut roots, report)?,
                },
            }
        }
        for path in &source.projects {
            let name = format!("project:{path}");
            match unless_stopped(stop, self.look_up(path)).await? {
                Ok(found) => {
                    roots.single.insert(found.project.id);
                    let page =
                        Page { items: vec![found], next: None, total: Some(1), server_date: None };
                    self.list_root(run, &name, None, Ok(page), &mut roots, report, stop).await?;
                }
                Err(error) => self.miss_root(error, &name, &mut roots, report)?,
            }
        }
        let nothing = roots.lists.is_empty() && roots.projects.is_empty();
        if nothing && !roots.whole {
            let problems = report.take();
            let reasons: Vec<String> =
                problems.into_iter().map(|p| format!("{}: {}", p.subject, p.reason)).collect();
            return Err(Error::NoRoot { url: source.url.to_string(), reason: reasons.join("; ") });
        }
        Ok(roots)
    }

    /// Looks up a project. One that a job token is not shown is known by its items.
    async fn look_up(&self, path: &str) -> Result<FetchedProject, gitlab::Error> {
        let client = &self.inner.client;
        let hidden = match client.project(path).await {
            Err(error) if self.passes_over() && (error.is_absence() || is_unsigned(&error)) => {
                error
            }
            found => return found,
        };
        client.sketch(path).await?.ok_or(hidden)
    }

    /// True when many of GitLab's routes pass the credential over, as if there was none.
    pub(super) fn passes_over(&self) -> bool {
        matches!(self.inner.source.auth, Auth::JobToken(_))
    }

    /// Records a root that cannot be looked up. When not one request was answered so far, the next
    /// root would fare no better, and the sync ends.
    fn miss_root(
        &self,
        error: gitlab::Error,
        name: &str,
        roots: &mut Roots,
        report: &Report,
    ) -> Result<(), Error> {
        roots.whole = false;
        if error.is_unanswered() && roots.lists.is_empty() && roots.projects.is_empty() {
            return Err(Error::GitLab {
                url: self.inner.source.url.to_string(),
                source: Box::new(error),
            });
        }
        self.survive(error, name, "projects", report)
    }

    /// Lists one root from its first page on. Without a scope of its own, each of its projects is
    /// a list of items.
    #[expect(clippy::too_many_arguments, reason = "one step of a walk over many roots")]
    async fn list_root(
        &self,
        run: &Run,
        name: &str,
        scope: Option<Scope>,
        first: Result<Page<FetchedProject>, gitlab::Error>,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        if let Some(scope) = scope {
            roots.lists.push(Root { name: name.to_owned(), scope });
        }
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
            let (next, whole) = (found.next, scope.is_some());
            let ids = found.items.iter().map(|found| found.project.id);
            let news = ids.filter(|id| seen.insert(*id)).count() > 0;
            let wanted: Vec<FetchedProject> =
                found.items.into_iter().filter(|found| self.wants(&found.project)).collect();
            let writes: Vec<ProjectWrite> =
                wanted.iter().map(|found| self.project_write(&found.project)).collect();
            let stream = Stream {
                root: name.to_owned(),
                kind: "projects",
                watermark: None,
                done: next.is_none(),
            };
            self.inner.store.apply_projects(run, &writes, &stream).await?;
            self.inner.progress.event(Event::Done(writes.len() as u64));
            self.keep_sample(&wanted);
            for FetchedProject { project, features } in wanted {
                let covered = roots.projects.contains_key(&project.id);
                // One that joined a root after a sync began that is gone on with: the root's own
                // walk is past its older items.
                let joined = run.resumed && !roots.before.contains_key(&project.id);
                if (!whole || joined) && !covered {
                    roots.lists.push(Root {
                        name: format!("project:{}", project.path),
                        scope: Scope::Project(project.id),
                    });
                }
                roots.projects.insert(project.id, (project, features));
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
        !source.excludes(&project.path) && (source.archived || !project.archived)
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

/// True when GitLab wants to know who asks.
fn is_unsigned(error: &gitlab::Error) -> bool {
    matches!(error, gitlab::Error::Unauthorized { is_final: false, .. })
}
