//! Roots: what is crawled of a source, and where its items are listed.
//!
//! A root is found by the path that the configuration names, and known by its number from then on:
//! a sync does not ask for it again, but once a day and when its lists are refused. A root below
//! another is no list of its own. One that is no longer configured is removed with what no other
//! holds; that needs no answer of GitLab's.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::moved::Moved;
use super::{Crawler, Error, Pass, Report, unless_stopped};
use crate::config::Auth;
use crate::gitlab::{self, Feature, FetchedProject, Group, ProjectFeatures, Scope};
use crate::model::{GroupId, ItemKind, Project, ProjectId};
use crate::store::{Origin, RootKey, RootRow, RootWrite, Run, StreamKind};

/// How long the number that a path led to is gone by. A path may come to mean another group.
const LOOK_UP_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// The root of everything that the token is a member of.
pub(super) const MEMBERSHIP: &str = "membership";

/// A group or project whose items are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    /// Its key in the index.
    pub key: RootKey,
    /// `group:shop`, `project:tools/cli`, `project 7`.
    pub name: String,
    /// Where its items are listed.
    pub scope: Scope,
    /// Its full path, which GraphQL asks for.
    pub path: String,
    /// Why it is read.
    pub origin: Origin,
}

impl Root {
    /// True when a project stands in its lists, as far as the path tells.
    pub fn holds(&self, project: ProjectId, path: &str) -> bool {
        match self.scope {
            Scope::Project(id) => id == project,
            Scope::Group(_) => is_below(&path.to_lowercase(), &self.path.to_lowercase()),
        }
    }
}

/// What the roots hold.
#[derive(Debug, Default)]
pub(super) struct Roots {
    /// Where items are listed.
    pub lists: Vec<Root>,
    /// Projects that this run's lists showed, with what they offer; and of those that are lists of
    /// their own, what the index knows.
    pub listed: BTreeMap<ProjectId, (Project, ProjectFeatures)>,
    /// Paths of the groups that are roots.
    pub groups: Vec<String>,
    /// Projects that are roots of their own.
    pub single: BTreeSet<ProjectId>,
    /// Key of the root of membership, where there is no other.
    pub membership: Option<RootKey>,
    /// Names of roots that were not found, or whose projects could not be listed to the end.
    pub unread: BTreeSet<String>,
    /// What this run's lists of roots showed of projects that moved.
    pub moved: BTreeMap<RootKey, Moved>,
    /// Roots whose projects this run listed to the end.
    pub listed_whole: BTreeSet<RootKey>,
}

impl Roots {
    /// True when a project still lies below one of the roots. Membership is told by its own list
    /// alone, which is read by id and does not shift.
    pub fn covers(&self, project: &Project) -> bool {
        let path = project.path.to_lowercase();
        self.single.contains(&project.id)
            || self.groups.iter().any(|group| is_below(&path, &group.to_lowercase()))
    }

    /// True when a project may stand in a list that could not be read: that it is missing elsewhere
    /// says nothing then.
    pub fn may_hold_unread(&self, project: &Project) -> bool {
        self.unread.iter().any(|name| {
            let known = self.lists.iter().find(|root| root.name == *name);
            name == MEMBERSHIP
                || known.is_some_and(|root| root.holds(project.id, &project.path))
                || name.strip_prefix("group:").is_some_and(|group| {
                    is_below(&project.path.to_lowercase(), &group.to_lowercase())
                })
                || name
                    .strip_prefix("project:")
                    .is_some_and(|path| path.eq_ignore_ascii_case(&project.path))
        })
    }

    /// True when the projects of every root that is read were listed to the end.
    pub fn are_whole(&self) -> bool {
        let lists = self.lists.iter().filter(|root| root.origin == Origin::Configured);
        let mut keys = lists.map(|root| root.key).chain(self.membership);
        self.unread.is_empty() && keys.all(|key| self.listed_whole.contains(&key))
    }

    /// True when a project at this path was listed with this root.
    pub fn is_of(row: &RootRow, path: &str) -> bool {
        let (path, root) = (path.to_lowercase(), row.path.to_lowercase());
        row.gitlab_id.is_none() || path == root || is_below(&path, &root)
    }

    /// True when a group that is a root holds a path.
    pub fn holds(&self, path: &str) -> bool {
        let path = path.to_lowercase();
        self.groups.iter().any(|group| is_below(&path, &group.to_lowercase()))
    }
}

/// True when a path lies below a group's.
pub(super) fn is_below(path: &str, group: &str) -> bool {
    path.strip_prefix(group).is_some_and(|rest| rest.starts_with('/'))
}

impl Crawler {
    /// Finds the roots: those known from a day ago by their numbers, the others by their paths.
    pub(super) async fn find_roots(
        &self,
        run: &Run,
        pass: Pass,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<Roots, Error> {
        let source = &self.inner.source;
        let mut known = self.inner.store.list_roots(run.source).await?;
        let mut roots = Roots::default();
        let mut found: Vec<RootWrite> = Vec::new();
        if source.is_rootless() {
            if source.auth == Auth::None {
                return Err(Error::NoRoot {
                    url: source.url.to_string(),
                    reason: "without a token there is no membership to read; name `groups` or \
                             `projects`, or configure a token"
                        .to_owned(),
                });
            }
            found.push(RootWrite {
                name: MEMBERSHIP.to_owned(),
                origin: Origin::Configured,
                gitlab_id: None,
                path: String::new(),
                found_at: None,
            });
        }
        let now = self.inner.clock.now();
        let is_fresh = |row: &RootRow| {
            let age = row.found_at.map(|at| now.duration_since(at).abs());
            row.gitlab_id.is_some() && age.is_some_and(|age| age < LOOK_UP_AGAIN)
        };
        let stored = |name: &str| known.iter().find(|row| row.name == name);
        for group in &source.groups {
            let name = format!("group:{group}");
            if let Some(row) =
                stored(&name).filter(|row| !pass.lists_all_projects() && is_fresh(row))
            {
                found.push(write_of(row));
                continue;
            }
            if !self.asks(Feature::Groups, report) {
                roots.unread.insert(name);
                continue;
            }
            let number = stored(&name).and_then(|row| row.gitlab_id);
            match unless_stopped(stop, self.find_group(group, number)).await? {
                Ok(group) => found.push(RootWrite {
                    name,
                    origin: Origin::Configured,
                    gitlab_id: Some(group.id.get()),
                    path: group.path,
                    found_at: Some(now),
                }),
                Err(error) => match self.inner.client.refused(Feature::Groups, group, &error) {
                    Some(lack) => {
                        roots.unread.insert(name);
                        self.record_lack(&lack, report);
                    }
                    None => self.miss_root(error, &name, found.is_empty(), &mut roots, report)?,
                },
            }
        }
        for path in &source.projects {
            let name = format!("project:{path}");
            if let Some(row) =
                stored(&name).filter(|row| !pass.lists_all_projects() && is_fresh(row))
            {
                found.push(write_of(row));
                continue;
            }
            match unless_stopped(stop, self.look_up(path)).await? {
                Ok(project) => {
                    found.push(RootWrite {
                        name,
                        origin: Origin::Configured,
                        gitlab_id: Some(project.project.id.get()),
                        path: project.project.path.clone(),
                        found_at: Some(now),
                    });
                    roots.listed.insert(project.project.id, (project.project, project.features));
                }
                Err(error) => self.miss_root(error, &name, found.is_empty(), &mut roots, report)?,
            }
        }
        if found.is_empty() && !roots.unread.is_empty() {
            let reasons: Vec<String> = report
                .take()
                .into_iter()
                .map(|problem| format!("{}: {}", problem.subject, problem.reason))
                .collect();
            return Err(Error::NoRoot { url: source.url.to_string(), reason: reasons.join("; ") });
        }
        self.forget_roots(run, &mut known, &found, report).await?;
        let rows = self.inner.store.put_roots(run.source, &found).await?;
        for key in self.settle_roots(rows, &mut roots) {
            self.inner.store.forget_lists(key).await?;
        }
        Ok(roots)
    }

    /// Sorts the roots out: which are lists of items, and which lie below another. Returns the
    /// latter: they are not read, so how far they were read is not to be kept either.
    fn settle_roots(&self, rows: Vec<RootRow>, roots: &mut Roots) -> Vec<RootKey> {
        // One that waits to be forgotten is not read any more.
        let names = self.root_names();
        let is_read = |row: &RootRow| row.origin != Origin::Configured || names.contains(&row.name);
        let rows: Vec<RootRow> = rows.into_iter().filter(is_read).collect();
        let group_of = |row: &RootRow| row.name.starts_with("group:");
        roots.groups =
            rows.iter().filter(|row| group_of(row)).map(|row| row.path.clone()).collect();
        let mut covered = Vec::new();
        for row in rows {
            let Some(id) = row.gitlab_id else {
                roots.membership = Some(row.key);
                continue;
            };
            let path = row.path.to_lowercase();
            let scope = if group_of(&row) {
                // A group below another root, or the same group by another name, is read with it.
                let above =
                    roots.lists.iter().any(|root| root.scope == Scope::Group(GroupId::new(id)));
                if above || roots.holds(&path) {
                    covered.push(row.key);
                    continue;
                }
                Scope::Group(GroupId::new(id))
            } else {
                let id = ProjectId::new(id);
                if row.origin == Origin::Configured {
                    roots.single.insert(id);
                }
                if row.origin == Origin::Configured && roots.holds(&path) {
                    covered.push(row.key);
                    continue;
                }
                Scope::Project(id)
            };
            if roots.lists.iter().any(|root| root.scope == scope) {
                covered.push(row.key);
                continue;
            }
            roots.lists.push(Root {
                key: row.key,
                name: row.name,
                scope,
                path: row.path,
                origin: row.origin,
            });
        }
        covered
    }

    /// Looks up a group by its path, and by its number where GitLab does not know the path any more:
    /// a group that was renamed or transferred does not answer to its former one (reference 4.1).
    async fn find_group(&self, path: &str, number: Option<i64>) -> Result<Group, gitlab::Error> {
        let client = &self.inner.client;
        let hidden = match (client.group(path).await, number) {
            (Err(error), Some(_)) if error.is_absence() => error,
            (found, _) => return found,
        };
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        match client.group(&number).await {
            Ok(group) => {
                tracing::warn!(
                    "the group {path} is now {}: it is still read; name its new path in `groups`",
                    group.path
                );
                Ok(group)
            }
            Err(error) if error.is_absence() => Err(hidden),
            Err(error) => Err(error),
        }
    }

    /// Looks up a project. One that a job token is not shown is known by its items.
    pub(super) async fn look_up(&self, path: &str) -> Result<FetchedProject, gitlab::Error> {
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
        is_first: bool,
        roots: &mut Roots,
        report: &Report,
    ) -> Result<(), Error> {
        roots.unread.insert(name.to_owned());
        if error.is_unanswered() && is_first {
            return Err(Error::GitLab {
                url: self.inner.source.url.to_string(),
                source: Box::new(error),
            });
        }
        self.survive(error, name, "projects", report)
    }

    /// Adds a project of its own as a list of items, and returns its root.
    pub(super) async fn add_list(
        &self,
        run: &Run,
        project: &Project,
        origin: Origin,
        roots: &mut Roots,
    ) -> Result<(), Error> {
        let scope = Scope::Project(project.id);
        if let Some(root) = roots.lists.iter_mut().find(|root| root.scope == scope) {
            root.path.clone_from(&project.path);
            return Ok(());
        }
        let name = format!("project {}", project.id);
        let write = RootWrite {
            name: name.clone(),
            origin,
            gitlab_id: Some(project.id.get()),
            path: project.path.clone(),
            found_at: None,
        };
        let rows = self.inner.store.put_roots(run.source, &[write]).await?;
        if let Some(row) = rows.into_iter().find(|row| row.name == name) {
            roots.lists.push(Root { key: row.key, name, scope, path: row.path, origin });
        }
        Ok(())
    }

    /// True when items of this kind of a root's list were read, or are being read.
    pub(super) async fn has_begun(&self, root: &Root, kind: ItemKind) -> Result<bool, Error> {
        let kind = match kind {
            ItemKind::Issue => StreamKind::Issues,
            ItemKind::MergeRequest => StreamKind::MergeRequests,
        };
        let stream = self.inner.store.find_stream(root.key, kind).await?;
        Ok(stream.watermark.is_some() || stream.walk.is_some())
    }
}

fn write_of(row: &RootRow) -> RootWrite {
    RootWrite {
        name: row.name.clone(),
        origin: row.origin,
        gitlab_id: row.gitlab_id,
        path: row.path.clone(),
        found_at: None,
    }
}

/// True when GitLab wants to know who asks.
fn is_unsigned(error: &gitlab::Error) -> bool {
    matches!(error, gitlab::Error::Unauthorized { is_final: false, .. })
}
