//! Numbers first: which lists hold as many items as the index, and which are to be walked by ids.
//!
//! GraphQL counts the items of many projects at once. Without it, REST tells the length of a root's
//! list, up to 10,000, with one item of it; where that differs or is not told, the projects are
//! asked one by one, or the root is walked, whichever costs fewer requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use tokio_util::sync::CancellationToken;

use super::super::details::several;
use super::super::items::{Reading, stream_of};
use super::super::roots::{Root, Roots};
use super::super::{Crawler, Error, KnownProject, Pass, Report, go_on, unless_stopped};
use crate::gitlab::{self, ItemCounts, ItemQuery, Scope};
use crate::model::{ItemKind, ProjectId};
use crate::store::{Origin, RootWrite, Run, StoredCount};

/// Projects counted in one call; the client makes as many queries of it as it must.
const BATCH: usize = 100;

/// Items on a page of a list.
const PAGE: u64 = 100;

/// What is walked by ids.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Roots, by their place in the list of roots.
    roots: Vec<(usize, ItemKind)>,
    /// Projects on their own.
    projects: BTreeMap<ProjectId, Vec<ItemKind>>,
}

/// What GitLab says of the number of items of a project.
enum Shown {
    /// So many.
    Count(u64),
    /// Nothing: what is stored of it is walked, if anything is.
    Unknown,
}

/// Returns how many requests a list takes.
fn pages(items: u64) -> u64 {
    items.div_ceil(PAGE).max(1)
}

impl Plan {
    /// Decides how the projects of a root whose numbers differ are walked: each on its own, or with
    /// the whole of a group, if that takes no more requests.
    fn add(
        &mut self,
        (place, root): (usize, &Root),
        kind: ItemKind,
        below: &[(&StoredCount, Shown)],
    ) {
        let (mut all, mut alone) = (0, 0);
        let mut differ = Vec::new();
        for (stored, shown) in below {
            let ours = stored.of(kind);
            let (theirs, is_same) = match shown {
                Shown::Count(count) => (*count, *count == ours),
                Shown::Unknown => (ours, ours == 0),
            };
            all += theirs.max(ours);
            if !is_same {
                alone += pages(theirs.max(ours));
                differ.push(stored.project);
            }
        }
        match root.scope {
            Scope::Project(_) if !differ.is_empty() => self.roots.push((place, kind)),
            Scope::Group(_) if !differ.is_empty() && alone >= pages(all) => {
                self.roots.push((place, kind));
            }
            Scope::Group(_) | Scope::Project(_) => {
                for project in differ {
                    self.projects.entry(project).or_default().push(kind);
                }
            }
        }
    }
}

impl Crawler {
    /// Compares the numbers of items, and walks the lists that differ.
    pub(super) async fn compare(
        &self,
        run: &Run,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let stored = self.inner.store.count_items(run.source).await?;
        let offered = |stored: &StoredCount, kind| {
            let listed = roots.listed.get(&stored.project);
            listed.is_none_or(|(_, features)| features.offers(kind))
        };
        let mut plan = Plan::default();
        let counts = self.counts_of(&stored, stop).await?;
        for (place, root) in roots.lists.iter().enumerate() {
            if root.origin == Origin::Joined {
                // It is walked by ids as it is, and its group holds it too.
                continue;
            }
            for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
                let below: Vec<&StoredCount> = stored
                    .iter()
                    .filter(|stored| root.holds(stored.project, &stored.path))
                    .filter(|stored| offered(stored, kind))
                    .collect();
                match &counts {
                    Some(counts) => {
                        let shown = |stored: &StoredCount| {
                            let count = counts.get(&stored.project).and_then(|of| of.of(kind));
                            count.map_or(Shown::Unknown, Shown::Count)
                        };
                        let below: Vec<_> =
                            below.into_iter().map(|stored| (stored, shown(stored))).collect();
                        plan.add((place, root), kind, &below);
                    }
                    None => {
                        self.compare_by_rest(&mut plan, (place, root), kind, &below, report, stop)
                            .await?;
                    }
                }
            }
        }
        self.walk_plan(run, &plan, roots, projects, report, stop).await
    }

    /// Counts the items of projects by GraphQL; `None` where that cannot be had.
    async fn counts_of(
        &self,
        stored: &[StoredCount],
        stop: &CancellationToken,
    ) -> Result<Option<BTreeMap<ProjectId, ItemCounts>>, Error> {
        let ids: Vec<ProjectId> = stored.iter().map(|stored| stored.project).collect();
        let mut counts = BTreeMap::new();
        for batch in ids.chunks(BATCH) {
            match unless_stopped(stop, self.inner.client.item_counts(batch)).await? {
                Ok(found) => counts.extend(found),
                Err(failure) => {
                    tracing::debug!(
                        source = %self.inner.source.name,
                        "items are not counted by GraphQL: {failure}"
                    );
                    return Ok(None);
                }
            }
        }
        Ok(Some(counts))
    }

    /// Compares the numbers of a root by the lengths of REST's lists.
    async fn compare_by_rest(
        &self,
        plan: &mut Plan,
        (place, root): (usize, &Root),
        kind: ItemKind,
        below: &[&StoredCount],
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        let ours: u64 = below.iter().map(|stored| stored.of(kind)).sum();
        let theirs = match unless_stopped(stop, self.length(kind, root.scope)).await? {
            Ok(length) => length,
            Err(error) => {
                return self.survive(error, &root.name, stream_of(kind).as_str(), report);
            }
        };
        if theirs == Some(ours) {
            return Ok(());
        }
        let one_by_one = u64::try_from(below.len()).unwrap_or(u64::MAX);
        if matches!(root.scope, Scope::Project(_)) || pages(theirs.unwrap_or(ours)) <= one_by_one {
            plan.roots.push((place, kind));
            return Ok(());
        }
        let found = Mutex::new(Vec::new());
        several(below, self.concurrency(), |stored| {
            let found = &found;
            async move {
                let scope = Scope::Project(stored.project);
                let shown = match unless_stopped(stop, self.length(kind, scope)).await? {
                    Ok(Some(count)) => Shown::Count(count),
                    Ok(None) => Shown::Unknown,
                    Err(error) => {
                        let list = stream_of(kind).as_str();
                        return self.survive(error, &stored.path, list, report);
                    }
                };
                found.lock().expect("nothing panics with it").push((*stored, shown));
                Ok(())
            }
        })
        .await?;
        let found = found.into_inner().expect("nothing panics with it");
        plan.add((place, root), kind, &found);
        Ok(())
    }

    /// Asks how long a list is; `None` where GitLab does not say, above 10,000.
    async fn length(&self, kind: ItemKind, scope: Scope) -> Result<Option<u64>, gitlab::Error> {
        let archived = self.inner.source.archived;
        let query = ItemQuery { archived, per_page: 1, ..ItemQuery::default() };
        Ok(self.inner.client.items(kind, scope, &query).await?.total)
    }

    async fn walk_plan(
        &self,
        run: &Run,
        plan: &Plan,
        roots: &Roots,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        for (place, kind) in &plan.roots {
            let root = &roots.lists[*place];
            tracing::debug!("the numbers of {} of {} differ", stream_of(*kind), root.name);
            self.walk_by_ids(run, *kind, root, projects, report, stop).await?;
        }
        several(&plan.projects, self.concurrency(), |(id, kinds)| async {
            self.walk_project(run, *id, kinds, projects, report, stop).await
        })
        .await
    }

    /// Walks one list by ids, and says whether all of it was read by that, from the beginning to the
    /// end.
    pub(super) async fn walk_by_ids(
        &self,
        run: &Run,
        kind: ItemKind,
        root: &Root,
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<bool, Error> {
        let with_notes = false;
        let reading =
            Reading { crawler: self, run, kind, root, with_notes, projects, report, stop };
        let is_cut = async || {
            let stream = self.inner.store.find_stream(root.key, stream_of(kind)).await?;
            Ok::<_, Error>(stream.walk.is_some())
        };
        let resumes = is_cut().await?;
        self.read_list(Pass::Sweep, &reading, true).await?;
        Ok(!resumes && !is_cut().await?)
    }

    /// Walks lists of one project by ids. A root of its own keeps how far it came, so that a walk
    /// that is cut off is gone on with by the next sync.
    async fn walk_project(
        &self,
        run: &Run,
        id: ProjectId,
        kinds: &[ItemKind],
        projects: &BTreeMap<ProjectId, KnownProject>,
        report: &Report,
        stop: &CancellationToken,
    ) -> Result<(), Error> {
        go_on(stop)?;
        let Some(project) = projects.get(&id) else { return Ok(()) };
        let name = format!("project {id}");
        tracing::debug!(project.id = %id, "the numbers of items of {} differ", project.path);
        let write = RootWrite {
            name: name.clone(),
            origin: Origin::Joined,
            gitlab_id: Some(id.get()),
            path: project.path.clone(),
            found_at: None,
        };
        let standing = self.inner.store.list_roots(run.source).await?;
        let stood = standing.iter().any(|row| row.name == name);
        let rows = self.inner.store.put_roots(run.source, &[write]).await?;
        let Some(row) = rows.into_iter().find(|row| row.name == name) else { return Ok(()) };
        let (key, path) = (row.key, row.path);
        let root = Root { key, name, scope: Scope::Project(id), path, origin: Origin::Joined };
        let mut whole = true;
        let kinds: BTreeSet<ItemKind> = kinds.iter().copied().collect();
        for kind in kinds {
            whole &= self.walk_by_ids(run, kind, &root, projects, report, stop).await?;
        }
        // One that stood before is there to be read whole: both of its lists.
        if whole && (!stood || self.is_done(&root).await?) {
            self.inner.store.remove_root(key).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::GroupId;
    use crate::store::RootKey;

    fn group() -> Root {
        Root {
            key: RootKey(1),
            name: "group:shop".to_owned(),
            scope: Scope::Group(GroupId::new(3)),
            path: "shop".to_owned(),
            origin: Origin::Configured,
        }
    }

    fn stored(id: i64, issues: u64) -> StoredCount {
        let project = ProjectId::new(id);
        StoredCount { project, path: format!("shop/{id}"), issues, merge_requests: 0 }
    }

    fn plan(below: &[(&StoredCount, Shown)]) -> Plan {
        let mut plan = Plan::default();
        plan.add((0, &group()), ItemKind::Issue, below);
        plan
    }

    #[test]
    fn lists_of_the_same_length_are_not_walked() {
        let (a, b) = (stored(1, 7), stored(2, 0));
        let plan = plan(&[(&a, Shown::Count(7)), (&b, Shown::Unknown)]);
        assert_eq!(plan, Plan::default());
    }

    #[test]
    fn one_project_that_differs_is_walked_and_the_group_is_not() {
        let (a, b) = (stored(1, 50), stored(2, 900));
        let plan = plan(&[(&a, Shown::Count(49)), (&b, Shown::Count(900))]);
        assert!(plan.roots.is_empty());
        let expected = BTreeMap::from([(ProjectId::new(1), vec![ItemKind::Issue])]);
        assert_eq!(plan.projects, expected);
    }

    #[test]
    fn the_group_is_walked_where_that_takes_no_more_requests() {
        let (a, b) = (stored(1, 5), stored(2, 5));
        let plan = plan(&[(&a, Shown::Count(4)), (&b, Shown::Count(6))]);
        assert_eq!(plan.roots, [(0, ItemKind::Issue)]);
        assert!(plan.projects.is_empty());
    }

    #[test]
    fn what_is_stored_and_not_counted_is_walked() {
        let (a, b) = (stored(1, 5), stored(2, 900));
        let plan = plan(&[(&a, Shown::Unknown), (&b, Shown::Count(900))]);
        assert_eq!(plan.projects.len(), 1);
    }
}
