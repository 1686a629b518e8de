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
use crate::store::{Origin, Run, StoredProject};

/// So many projects on one page that moved are cheaper to read by themselves than with all of their
/// root: each has two lists of its own.
const MOST_MOVED: usize = 10;

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
            stored.is_some_and(|stored| stored.project.path != found.project.path)
        };
        let moved: Vec<&Project> =
            found.iter().filter(is_moved).map(|found| &found.project).collect();
        if let Some(root) = root.filter(|_| moved.len() > MOST_MOVED) {
            return self.walk_anew(run, root).await;
        }
        for project in moved {
            let scope = Scope::Project(project.id);
            match roots.lists.iter().find(|root| root.scope == scope) {
                Some(own) => self.walk_anew(run, own).await?,
                None => self.add_list(run, project, Origin::Joined, roots).await?,
            }
        }
        Ok(())
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
