//! The projects below the roots.
//!
//! The list of a root is read whole by id, or, in a sync, only as far as projects changed. A project
//! that comes below a root after that root's items were read brings items with it that the root's
//! own walk is past: it gets a list of its own until they are read ([`Origin::Joined`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::roots::{Root, Roots, is_below};
use super::{Crawler, Error, Event, NEXT_SYNC, Pass, Report, digest, unless_stopped};
use crate::gitlab::{self, FetchedProject, Page, ProjectQuery, Scope, Trail};
use crate::model::{GroupId, ItemKind, Project, ProjectId};
use crate::store::read::ProblemRow;
use crate::store::{Origin, ProjectWrite, RootKey, Run, StoredProject, StreamKind};
use crate::telemetry::chain;

/// How many projects are remembered to learn from what their GitLab has.
const SAMPLE: usize = 2;
/// How many pages the projects of one root may have. The largest GitLab that is known has some
/// ten million projects; no token is a member of a million.
const PROJECT_PAGES: usize = 10_000;

/// How much of what changed is asked for again: a change may be seen this much after it was made.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

/// Streams of problems after which the projects of a root are listed whole.
const DOUBTS: [&str; 2] = ["project drop", "projects"];

/// What asking for the changed projects of a root came to.
enum Changed {
    /// They were read, and no other came or went.
    Read,
    /// Others did, or that cannot be told: the list is to be read whole. How many GitLab counts.
    Unsure(Option<u64>),
}

impl Crawler {
    /// Lists and stores the projects of all roots, or those of them that changed, and returns how
    /// many were removed.
    pub(super) async fn read_projects(
        &self,
        run: &Run,
        pass: Pass,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<u64, Error> {
        self.inner.progress.event(Event::Step { name: "projects", units: None });
        let doubts = if pass.lists_all_projects() { Vec::new() } else { self.doubts(run).await? };
        let lists = roots.lists.iter().filter_map(|root| match root.scope {
            Scope::Group(id) => Some((root.key, Some(id), Some(root.clone()))),
            Scope::Project(_) => None,
        });
        let membership = roots.membership.map(|key| (key, None, None));
        let lists: Vec<_> = lists.chain(membership).collect();
        for (key, group, root) in lists {
            let root = root.as_ref();
            let is_doubted = |subject: &String| {
                root.is_none_or(|root| {
                    *subject == root.name
                        || is_below(&subject.to_lowercase(), &root.path.to_lowercase())
                })
            };
            let changed = if pass.lists_all_projects() || doubts.iter().any(is_doubted) {
                Changed::Unsure(None)
            } else {
                self.read_changed_of(run, key, group, root, roots, report, stop).await?
            };
            if let Changed::Unsure(total) = changed {
                self.list_whole(run, key, group, root, total, roots, report, stop).await?;
            }
        }
        self.list_single(run, roots, report, stop).await?;
        let removed = self.prune_projects(run, roots, report, stop).await?;
        let stored = self.inner.store.stored_projects(run).await?;
        for root in &roots.lists {
            if let Scope::Project(id) = root.scope
                && let Some(stored) = stored.get(&id)
                && let Some(features) = &stored.features
            {
                let known = || (stored.project.clone(), features.clone());
                roots.listed.entry(id).or_insert_with(known);
            }
        }
        Ok(removed)
    }

    /// Lists what the run before could not settle about the lists of roots, and what is to be looked
    /// at again by now: roots by name, and projects by path.
    async fn doubts(&self, run: &Run) -> Result<Vec<String>, Error> {
        let problems = self.inner.store.list_problems().await?;
        let is_due = |problem: &ProblemRow| {
            problem.retry_at <= run.started_at
                || problem.retry_at.duration_since(problem.at) <= NEXT_SYNC
        };
        let doubts = problems.into_iter().filter(|problem| {
            problem.source == self.inner.source.name
                && DOUBTS.contains(&problem.stream.as_str())
                && is_due(problem)
        });
        Ok(doubts.map(|problem| problem.subject).collect())
    }

    /// Lists the projects of a root whole. Where GitLab `counted` other than it shows, and goes on to
    /// do so, its count is what the next sync compares with: rows may be counted and hidden.
    #[expect(clippy::too_many_arguments, reason = "one list of a root")]
    async fn list_whole(
        &self,
        run: &Run,
        key: RootKey,
        group: Option<GroupId>,
        root: Option<&Root>,
        counted: Option<u64>,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let (store, client) = (&self.inner.store, &self.inner.client);
        let first = match group {
            Some(id) => {
                unless_stopped(stop, client.group_projects(id, self.project_query())).await?
            }
            None => unless_stopped(stop, client.projects_member(self.project_query())).await?,
        };
        self.list_root(run, key, root, first, roots, report, stop).await?;
        let stream = store.find_stream(key, StreamKind::Projects).await?;
        let shown = stream.total.filter(|_| roots.listed_whole.contains(&key));
        let (Some(counted), Some(shown), Some(read_at)) = (counted, shown, stream.read_at) else {
            return Ok(());
        };
        if counted == shown {
            return Ok(());
        }
        let again = client.changed_projects(group, self.project_query());
        if let Ok(page) = unless_stopped(stop, again).await?
            && page.total == Some(counted)
        {
            tracing::debug!("GitLab counts {counted} projects and shows {shown}");
            store.end_of_list(key, StreamKind::Projects, read_at, Some(counted)).await?;
        }
        Ok(())
    }

    /// Reads the projects of one root that changed since it was last read, newest change first, as
    /// far as the last one of a page is news by its time or by what it says. How many GitLab counts
    /// tells whether others came or went without a change of their own.
    #[expect(clippy::too_many_arguments, reason = "one list of a root")]
    async fn read_changed_of(
        &self,
        run: &Run,
        key: RootKey,
        group: Option<GroupId>,
        root: Option<&Root>,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<Changed, Error> {
        let (store, client) = (&self.inner.store, &self.inner.client);
        let stream = store.find_stream(key, StreamKind::Projects).await?;
        let (Some(watermark), Some(before)) = (stream.watermark, stream.total) else {
            return Ok(Changed::Unsure(None));
        };
        let since = watermark.saturating_sub(OVERLAP).unwrap_or(watermark);
        let stored = store.stored_projects(run).await?;
        let mut passed_over = store.list_passed_over(key).await?;
        let mut trail = Trail::of_pages(PROJECT_PAGES);
        let (mut seen, mut new) = (BTreeSet::new(), 0_u64);
        let (mut last, mut read_at) = (Timestamp::MAX, None);
        let first = client.changed_projects(group, self.project_query());
        let mut page = unless_stopped(stop, first).await?;
        let total = loop {
            let found = match page {
                Ok(found) => found,
                Err(error) => {
                    let name = root.map_or(super::roots::MEMBERSHIP, |root| root.name.as_str());
                    roots.unread.insert(name.to_owned());
                    self.survive(error, name, "projects", report)?;
                    return Ok(Changed::Read);
                }
            };
            read_at = read_at.or(found.server_date);
            let (next, total) = (found.next, found.total);
            let mut wanted = Vec::new();
            let (mut reaches_end, mut news) = (false, false);
            for found in found.items {
                let Some(updated_at) = found.updated_at.filter(|at| *at <= last) else {
                    tracing::debug!("GitLab does not keep the order by time of change");
                    return Ok(Changed::Unsure(None));
                };
                last = updated_at;
                let id = found.project.id;
                if !seen.insert(id) {
                    continue;
                }
                news = true;
                let known = stored.get(&id);
                let is_stored = known.is_some();
                reaches_end = updated_at >= since
                    || known.is_some_and(|known| {
                        known.project != found.project
                            || known.features.as_ref() != Some(&found.features)
                    });
                if !self.wants(&found.project) {
                    if is_stored {
                        // It is to go, which a list that was read whole decides.
                        return Ok(Changed::Unsure(None));
                    }
                    let is_new = passed_over.insert(id);
                    reaches_end |= is_new;
                    new += u64::from(is_new);
                    continue;
                }
                let was_passed_over = passed_over.remove(&id);
                reaches_end |= !is_stored;
                new += u64::from(!is_stored && !was_passed_over);
                wanted.push(found);
            }
            self.take_projects(run, root, wanted, &stored, roots).await?;
            let Some(next) = next.filter(|_| reaches_end) else { break total };
            page = match trail.follow(&next, news) {
                Ok(()) => unless_stopped(stop, client.follow_changed_projects(&next)).await?,
                Err(error) => Err(error),
            };
        };
        // Above 10,000 GitLab does not count; what went is then found by a pass that lists all.
        let expected = before + new;
        if total.is_some_and(|total| total != expected) {
            tracing::debug!("GitLab counts {total:?} projects, and {expected} are known");
            return Ok(Changed::Unsure(total));
        }
        store.put_passed_over(key, &passed_over).await?;
        let read_at = read_at.unwrap_or_else(|| self.by_gitlab(self.inner.clock.now()));
        store.end_of_list(key, StreamKind::Projects, read_at, Some(expected)).await?;
        Ok(Changed::Read)
    }

    /// Asks for the projects that are roots of their own.
    async fn list_single(
        &self,
        run: &Run,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        for root in roots.lists.clone() {
            let id = match (root.scope, root.origin) {
                (Scope::Project(id), Origin::Configured) => id,
                (Scope::Project(_), Origin::Member | Origin::Joined) | (Scope::Group(_), _) => {
                    continue;
                }
            };
            let found = match roots.listed.get(&id) {
                Some((project, features)) => Ok(FetchedProject {
                    project: project.clone(),
                    features: features.clone(),
                    updated_at: None,
                }),
                None => unless_stopped(stop, self.look_up(&id.to_string())).await?,
            };
            let page = found.map(|found| Page {
                items: vec![found],
                next: None,
                total: Some(1),
                server_date: None,
            });
            self.list_root(run, root.key, Some(&root), page, roots, report, stop).await?;
        }
        Ok(())
    }

    /// Lists one root from its first page on. Without one, each of its projects is a list of items.
    #[expect(clippy::too_many_arguments, reason = "one list of a root")]
    async fn list_root(
        &self,
        run: &Run,
        key: RootKey,
        root: Option<&Root>,
        first: Result<Page<FetchedProject>, gitlab::Error>,
        roots: &mut Roots,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let name = root.map_or(super::roots::MEMBERSHIP, |root| root.name.as_str());
        let store = &self.inner.store;
        let before = store.stored_projects(run).await?;
        let mut trail = Trail::of_pages(PROJECT_PAGES);
        let (mut seen, mut passed_over) = (BTreeSet::new(), BTreeSet::new());
        let mut read_at = None;
        let mut page = first;
        loop {
            let found = match page {
                Ok(found) => found,
                Err(error) => {
                    roots.unread.insert(name.to_owned());
                    return self.survive(error, name, "projects", report);
                }
            };
            read_at = read_at.or(found.server_date);
            let next = found.next;
            let ids = found.items.iter().map(|found| found.project.id);
            let news = ids.filter(|id| seen.insert(*id)).count() > 0;
            let (wanted, others): (Vec<_>, Vec<_>) =
                found.items.into_iter().partition(|found| self.wants(&found.project));
            passed_over.extend(others.iter().map(|found| found.project.id));
            self.take_projects(run, root, wanted, &before, roots).await?;
            let Some(next) = next else { break };
            page = match trail.follow(&next, news) {
                Ok(()) => unless_stopped(stop, self.inner.client.follow_projects(&next)).await?,
                Err(error) => Err(error),
            };
        }
        store.put_passed_over(key, &passed_over).await?;
        let read_at = read_at.unwrap_or_else(|| self.by_gitlab(self.inner.clock.now()));
        let total = Some(seen.len() as u64);
        store.end_of_list(key, StreamKind::Projects, read_at, total).await?;
        roots.listed_whole.insert(key);
        report.list_projects(name);
        Ok(())
    }

    /// Stores projects that a list showed.
    async fn take_projects(
        &self,
        run: &Run,
        root: Option<&Root>,
        wanted: Vec<FetchedProject>,
        before: &BTreeMap<ProjectId, StoredProject>,
        roots: &mut Roots,
    ) -> Result<(), Error> {
        let writes: Vec<ProjectWrite> =
            wanted.iter().map(|found| self.project_write(found)).collect();
        // The lists come first: a project that is stored is known, and gets none any more.
        for found in &wanted {
            let is_new = !before.contains_key(&found.project.id);
            match root {
                None => self.add_list(run, &found.project, Origin::Member, roots).await?,
                Some(root) if is_new && self.has_begun(root, ItemKind::Issue).await? => {
                    // A root of its own outlives its project: it was read before the project went.
                    let scope = Scope::Project(found.project.id);
                    if let Some(own) = roots.lists.iter().find(|own| own.scope == scope) {
                        self.walk_anew(run, own).await?;
                    }
                    self.add_list(run, &found.project, Origin::Joined, roots).await?;
                }
                Some(_) => {}
            }
        }
        self.read_moved(run, root, &wanted, before, roots).await?;
        self.inner.store.apply_projects(run, &writes).await?;
        self.inner.progress.event(Event::Done(writes.len() as u64));
        self.keep_sample(&wanted);
        for FetchedProject { project, features, .. } in wanted {
            roots.listed.insert(project.id, (project, features));
        }
        Ok(())
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

    pub(super) fn project_write(&self, found: &FetchedProject) -> ProjectWrite {
        let (reader, project, features) = (&self.inner.reader, &found.project, &found.features);
        ProjectWrite {
            name_keys: reader.project_name_keys(project),
            tags: reader.read_project(project),
            fingerprint: digest(&[&format!("{project:?}{features:?}"), reader.revision()]),
            project: project.clone(),
            features: features.clone(),
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
