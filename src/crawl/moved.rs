//! Projects that stand at another path than before.
//!
//! What a short reference (`#1`) means hangs on where its project stands, and GitLab touches no item
//! because its project was renamed or transferred, or a group above it was. So the items of such a
//! project are read once more, whole, with their comments; that this costs requests is why it is
//! done by lists, and by the root's own where many moved at once. What is stored of the project
//! itself is `inventory`'s.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::items::stream_of;
use super::roots::{Root, Roots};
use super::{Crawler, Error};
use crate::gitlab::{FetchedProject, Scope};
use crate::model::{ItemKind, Project, ProjectId};
use crate::store::{Origin, RootKey, Run, StoredProject};

/// So many projects of a root that moved are read by themselves, however small the root is: each has
/// two lists of its own.
const MOST_MOVED: u64 = 10;

/// Items on a page of a list.
const PAGE: u64 = 100;

/// What one reading of a root's list has shown so far of projects that moved.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// How many there are.
    count: u64,
    /// Lists that they were given.
    own: Vec<RootKey>,
    /// True once all of the root is read anew in the place of such lists.
    with_root: bool,
}

impl Crawler {
    /// Has the items of projects read anew whose path is another: what a short reference means
    /// hangs on where its project stands, and GitLab moves no item because its project moved.
    pub(super) async fn read_moved(
        &self,
        run: &Run,
        root: Option<&Root>,
        found: &[FetchedProject],
        before: &BTreeMap<ProjectId, StoredProject>,
        roots: &mut Roots,
    ) -> Result<(), Error> {
        let is_moved = |found: &&FetchedProject| {
            let stored = before.get(&found.project.id);
            stored.is_some_and(|stored| {
                // What was switched off was removed, and no item changes when it is on again.
                let is_on_again = [ItemKind::Issue, ItemKind::MergeRequest].iter().any(|kind| {
                    let was_off = stored.features.as_ref().is_some_and(|was| !was.offers(*kind));
                    was_off && found.features.offers(*kind)
                });
                stored.project.path != found.project.path || is_on_again
            })
        };
        let moved: Vec<&Project> =
            found.iter().filter(is_moved).map(|found| &found.project).collect();
        if moved.is_empty() {
            return Ok(());
        }
        if let Some(root) = root
            && self.read_with_root(run, root, moved.len() as u64, roots).await?
        {
            return Ok(());
        }
        for project in moved {
            let scope = Scope::Project(project.id);
            if let Some(own) = roots.lists.iter().find(|root| root.scope == scope) {
                self.walk_anew(run, own).await?;
                continue;
            }
            self.add_list(run, project, Origin::Joined, roots).await?;
            let own = roots.lists.iter().find(|root| root.scope == scope).map(|root| root.key);
            if let (Some(root), Some(own)) = (root, own) {
                roots.moved.entry(root.key).or_default().own.push(own);
            }
        }
        Ok(())
    }

    /// Counts further projects of a root that moved, and says whether they are read with all of it.
    /// The lists that others of them were given on earlier pages then go.
    async fn read_with_root(
        &self,
        run: &Run,
        root: &Root,
        more: u64,
        roots: &mut Roots,
    ) -> Result<bool, Error> {
        let moved = roots.moved.entry(root.key).or_default();
        moved.count += more;
        if moved.with_root {
            return Ok(true);
        }
        if moved.count <= MOST_MOVED || moved.count * 2 < self.pages_of(run, root).await? {
            return Ok(false);
        }
        // First: a process killed in between reads too much, and never too little.
        self.walk_anew(run, root).await?;
        moved.with_root = true;
        for own in std::mem::take(&mut moved.own) {
            self.inner.store.remove_root(own).await?;
            roots.lists.retain(|list| list.key != own);
        }
        Ok(true)
    }

    /// Returns how many pages the stored items of a root fill.
    async fn pages_of(&self, run: &Run, root: &Root) -> Result<u64, Error> {
        let counts = self.inner.store.count_items(run.source).await?;
        let below = counts.iter().filter(|count| root.holds(count.project, &count.path));
        let (issues, merge_requests) = below.fold((0, 0), |(issues, merge_requests), count| {
            (issues + count.issues, merge_requests + count.merge_requests)
        });
        Ok(issues.div_ceil(PAGE) + merge_requests.div_ceil(PAGE))
    }

    /// Begins to read all items of a root again, where that was begun before.
    pub(super) async fn walk_anew(&self, run: &Run, root: &Root) -> Result<(), Error> {
        let now = self.gitlab_now();
        for kind in [ItemKind::Issue, ItemKind::MergeRequest] {
            if self.has_begun(root, kind).await? {
                let list = stream_of(kind);
                let first = Timestamp::UNIX_EPOCH;
                self.inner.store.begin_walk(run, root.key, list, first, now).await?;
            }
        }
        Ok(())
    }
}
