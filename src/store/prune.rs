//! Removing what GitLab no longer shows.
//!
//! The store only says what a run has not seen, and removes what it is told to. Whether it is
//! really gone is for the crawl to find out: nothing is removed on doubt.

use jiff::Timestamp;

use super::items::mark_seen;
use super::tombstones::{bury_items, bury_project};
use super::{Error, Gone, ItemKey, ProjectKey, RootKey, Run, SourceKey, Store, StreamKind, commit};
use crate::model::{Iid, ItemId, ItemKind, ProjectId};
use crate::store::codes;

/// A stored item that a run has not seen.
#[derive(Debug, Clone)]
pub struct UnseenItem {
    /// The item.
    pub key: ItemKey,
    /// Its kind.
    pub kind: ItemKind,
    /// GitLab's id.
    pub id: ItemId,
    /// Its number.
    pub iid: Iid,
    /// Its project.
    pub project: ProjectId,
    /// The project's key.
    pub project_key: ProjectKey,
    /// The project's path.
    pub path: String,
}

/// A stored project that a run has not seen.
#[derive(Debug, Clone)]
pub struct UnseenProject {
    /// The project.
    pub key: ProjectKey,
    /// GitLab's id.
    pub id: ProjectId,
    /// Its path when it was last seen.
    pub path: String,
}

/// A stored project, and what decides whether it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldProject {
    /// The project.
    pub key: ProjectKey,
    /// GitLab's id.
    pub id: ProjectId,
    /// Its path when it was last seen.
    pub path: String,
    /// True when it was archived then.
    pub archived: bool,
}

/// How many items of a project are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredCount {
    /// The project.
    pub project: ProjectId,
    /// Its path.
    pub path: String,
    /// Issues.
    pub issues: u64,
    /// Merge requests.
    pub merge_requests: u64,
}

impl StoredCount {
    /// Returns how many of a kind are stored.
    pub const fn of(&self, kind: ItemKind) -> u64 {
        match kind {
            ItemKind::Issue => self.issues,
            ItemKind::MergeRequest => self.merge_requests,
        }
    }
}

/// Why so much of a list would go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The list does not show it.
    NotListed,
    /// Its project says that it has none.
    SwitchedOff,
}

impl Cause {
    /// Returns the word used in SQL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotListed => "not_listed",
            Self::SwitchedOff => "switched_off",
        }
    }
}

/// Much of a list that would go at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuspectedDrop {
    /// The root that would lose it.
    pub root: RootKey,
    /// Which of its lists.
    pub kind: StreamKind,
    /// Why.
    pub cause: Cause,
    /// How much.
    pub gone: u64,
}

impl Store {
    /// Counts the stored items of each project of a source; those that have none are listed too.
    pub async fn count_items(&self, source: SourceKey) -> Result<Vec<StoredCount>, Error> {
        let rows = sqlx::query!(
            r#"select p.gitlab_id, p.path,
                (select count(*) from item as i where i.project_id = p.id and i.kind = 1)
                    as "issues!: i64",
                (select count(*) from item as i where i.project_id = p.id and i.kind = 2)
                    as "merge_requests!: i64"
            from project as p where p.source_id = ?1 order by p.gitlab_id"#,
            source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "counting the items of projects", source })?;
        let count = |n: i64| u64::try_from(n).unwrap_or_default();
        Ok(rows
            .into_iter()
            .map(|row| StoredCount {
                project: ProjectId::new(row.gitlab_id),
                path: row.path,
                issues: count(row.issues),
                merge_requests: count(row.merge_requests),
            })
            .collect())
    }

    /// Lists the projects that the index holds of a source, by GitLab's id.
    pub async fn list_held(&self, source: SourceKey) -> Result<Vec<HeldProject>, Error> {
        let rows = sqlx::query!(
            r#"select id as "id!", gitlab_id, path, archived from project
            where source_id = ?1 order by gitlab_id"#,
            source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which projects are held", source })?;
        Ok(rows
            .into_iter()
            .map(|row| HeldProject {
                key: ProjectKey(row.id),
                id: ProjectId::new(row.gitlab_id),
                path: row.path,
                archived: row.archived == 1,
            })
            .collect())
    }

    /// Lists the projects, by GitLab's ids, that any of the named sources holds.
    pub async fn list_held_by(&self, sources: &[String]) -> Result<Vec<ProjectId>, Error> {
        let names = codes::json(sources);
        let ids = sqlx::query_scalar!(
            "select p.gitlab_id from json_each(?1) as e
            join source as s on s.name = e.value
            join project as p on p.source_id = s.id",
            names,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading what other sources hold", source })?;
        Ok(ids.into_iter().map(ProjectId::new).collect())
    }

    /// Lists the items that carry one of these labels, each named with its project, by project and
    /// kind.
    pub async fn list_items_with_labels(
        &self,
        source: SourceKey,
        labels: &[(ProjectId, &str)],
    ) -> Result<Vec<UnseenItem>, Error> {
        let labels = codes::json(labels);
        // `cross join` keeps the order: the items of the projects that are named, and no others.
        let rows = sqlx::query!(
            r#"select distinct i.id as "id!", i.kind, i.gitlab_id as "gitlab_id!", i.iid as "iid!",
                p.gitlab_id as "project!", p.id as "project_key!", p.path as "path!"
            from json_each(?2) as e
            cross join project as p on p.source_id = ?1 and p.gitlab_id = e.value ->> 0
            cross join item as i on i.project_id = p.id
            where i.labels <> '[]'
                and e.value ->> 1 in (select l.value from json_each(i.labels) as l)
            order by p.id, i.kind, i.iid"#,
            source.0,
            labels,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which items carry labels", source })?;
        Ok(rows
            .into_iter()
            .map(|row| UnseenItem {
                key: ItemKey(row.id),
                kind: codes::kind_of(row.kind),
                id: ItemId::new(row.gitlab_id),
                iid: Iid::new(row.iid),
                project: ProjectId::new(row.project),
                project_key: ProjectKey(row.project_key),
                path: row.path,
            })
            .collect())
    }

    /// Lists stored items of a kind in these projects that no run since `since` has seen: among them
    /// those that a walk over all, begun by that run, did not show.
    pub async fn list_unseen_items(
        &self,
        source: SourceKey,
        kind: ItemKind,
        since: i64,
        projects: &[ProjectId],
    ) -> Result<Vec<UnseenItem>, Error> {
        let code = codes::kind_code(kind);
        let below = codes::json(projects);
        // `cross join` keeps the order: the items of the projects that are named, and no others.
        let rows = sqlx::query!(
            r#"select i.id as "id!", i.gitlab_id as "gitlab_id!", i.iid as "iid!",
                p.gitlab_id as "project!", p.id as "project_key!", p.path as "path!"
            from json_each(?4) as e
            cross join project as p on p.source_id = ?1 and p.gitlab_id = e.value
            cross join item as i on i.project_id = p.id and i.kind = ?3
            where i.seen_run < ?2
            order by p.id, i.iid"#,
            source.0,
            since,
            code,
            below,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which items were not seen", source })?;
        Ok(rows
            .into_iter()
            .map(|row| UnseenItem {
                key: ItemKey(row.id),
                kind,
                id: ItemId::new(row.gitlab_id),
                iid: Iid::new(row.iid),
                project: ProjectId::new(row.project),
                project_key: ProjectKey(row.project_key),
                path: row.path,
            })
            .collect())
    }

    /// Lists stored projects that this run has not seen.
    pub async fn list_unseen_projects(&self, run: &Run) -> Result<Vec<UnseenProject>, Error> {
        let rows = sqlx::query!(
            r#"select id as "id!", gitlab_id, path from project
            where source_id = ?1 and seen_run <> ?2 order by id"#,
            run.source.0,
            run.key,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which projects were not seen", source })?;
        Ok(rows
            .into_iter()
            .map(|row| UnseenProject {
                key: ProjectKey(row.id),
                id: ProjectId::new(row.gitlab_id),
                path: row.path,
            })
            .collect())
    }

    /// Marks items as seen which the list left out but GitLab still shows.
    pub async fn keep_items(&self, run: &Run, items: &[ItemKey]) -> Result<(), Error> {
        const DOING: &str = "keeping items";
        let mut write = self.write(DOING).await?;
        let keys: Vec<i64> = items.iter().map(|key| key.0).collect();
        mark_seen(&mut write, run, &keys, DOING).await?;
        commit(write, false, DOING).await
    }

    /// Removes items and everything read out of them, and keeps why and when.
    pub async fn remove_items(
        &self,
        items: &[ItemKey],
        reason: Gone,
        at: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "removing items";
        let mut write = self.write(DOING).await?;
        bury_items(&mut write, items, reason, at, DOING).await?;
        let keys: Vec<i64> = items.iter().map(|key| key.0).collect();
        let keys = codes::json(&keys);
        let removed =
            sqlx::query!("delete from item where id in (select value from json_each(?1))", keys)
                .execute(&mut *write)
                .await
                .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, removed.rows_affected() > 0, DOING).await
    }

    /// Removes a project with everything of its, and keeps why and when. Without a reason nothing
    /// is kept: another source holds it.
    pub async fn remove_project(
        &self,
        project: ProjectKey,
        reason: Option<Gone>,
        at: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "removing a project";
        let mut write = self.write(DOING).await?;
        if let Some(reason) = reason {
            bury_project(&mut write, project, reason, at, DOING).await?;
        }
        sqlx::query!(
            "delete from root where (source_id, gitlab_id) in
                (select source_id, gitlab_id from project where id = ?1)
            and origin <> 'configured'",
            project.0,
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        let removed = sqlx::query!("delete from project where id = ?1", project.0)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, removed.rows_affected() > 0, DOING).await
    }

    /// Notes that so much of a list would go at once, and says whether a run before `since`, which
    /// began to read that list, found as much gone or more.
    pub async fn suspect_drop(
        &self,
        run: &Run,
        drop: &SuspectedDrop,
        since: i64,
    ) -> Result<bool, Error> {
        const DOING: &str = "noting a drop";
        let query = |source| Error::Query { doing: DOING, source };
        let SuspectedDrop { root, kind, cause, gone } = *drop;
        let (kind, cause) = (kind.as_str(), cause.as_str());
        let gone = i64::try_from(gone).unwrap_or(i64::MAX);
        let mut write = self.write(DOING).await?;
        let before = sqlx::query_scalar!(
            r#"select max(gone) as "gone: i64" from suspected_drop
            where root_id = ?1 and kind = ?2 and cause = ?3 and run < ?4"#,
            root.0,
            kind,
            cause,
            since,
        )
        .fetch_one(&mut *write)
        .await
        .map_err(query)?;
        let is_confirmed = before.is_some_and(|before| before >= gone);
        if !is_confirmed {
            sqlx::query!(
                "insert into suspected_drop (root_id, kind, cause, run, gone)
                values (?1, ?2, ?3, ?4, ?5)
                on conflict (root_id, kind, cause, run) do update
                set gone = max(gone, excluded.gone)",
                root.0,
                kind,
                cause,
                run.key,
                gone,
            )
            .execute(&mut *write)
            .await
            .map_err(query)?;
        }
        commit(write, false, DOING).await?;
        Ok(is_confirmed)
    }

    /// Forgets the drops of a list that runs before this one suspected: this one has found them
    /// again, or what was missing is back.
    pub async fn forget_drops(
        &self,
        run: &Run,
        root: RootKey,
        kind: StreamKind,
    ) -> Result<(), Error> {
        const DOING: &str = "forgetting a drop";
        let kind = kind.as_str();
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "delete from suspected_drop where root_id = ?1 and kind = ?2 and run < ?3",
            root.0,
            kind,
            run.key,
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }
}
