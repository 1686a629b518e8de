//! Removing what GitLab no longer shows.
//!
//! The store only says what a run has not seen, and removes what it is told to. Whether it is
//! really gone is for the crawl to find out: nothing is removed on doubt.

use super::items::mark_seen;
use super::{Error, ItemKey, ProjectKey, Run, SourceKey, Store, commit};
use crate::model::{Iid, ItemId, ItemKind, ProjectId};
use crate::store::codes;

/// A stored item that a run has not seen.
#[derive(Debug, Clone)]
pub struct UnseenItem {
    /// The item.
    pub key: ItemKey,
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

impl Store {
    /// Lists stored items of a kind that no run since `since` has seen: among them those that a walk
    /// over all, begun by that run, did not show.
    pub async fn list_unseen_items(
        &self,
        source: SourceKey,
        kind: ItemKind,
        since: i64,
    ) -> Result<Vec<UnseenItem>, Error> {
        let code = codes::kind_code(kind);
        let rows = sqlx::query!(
            r#"select i.id as "id!", i.gitlab_id as "gitlab_id!", i.iid as "iid!",
                p.gitlab_id as "project!", p.id as "project_key!", p.path as "path!"
            from project as p join item as i on i.project_id = p.id and i.kind = ?3
            where p.source_id = ?1 and i.seen_run < ?2
            order by p.id, i.iid"#,
            source.0,
            since,
            code,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which items were not seen", source })?;
        Ok(rows
            .into_iter()
            .map(|row| UnseenItem {
                key: ItemKey(row.id),
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

    /// Removes items and everything read out of them.
    pub async fn remove_items(&self, items: &[ItemKey]) -> Result<(), Error> {
        const DOING: &str = "removing items";
        let mut write = self.write(DOING).await?;
        let keys: Vec<i64> = items.iter().map(|key| key.0).collect();
        let keys = codes::json(&keys);
        let removed =
            sqlx::query!("delete from item where id in (select value from json_each(?1))", keys)
                .execute(&mut *write)
                .await
                .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, removed.rows_affected() > 0, DOING).await
    }

    /// Removes a project with everything of its.
    pub async fn remove_project(&self, project: ProjectKey) -> Result<(), Error> {
        const DOING: &str = "removing a project";
        let mut write = self.write(DOING).await?;
        let removed = sqlx::query!("delete from project where id = ?1", project.0)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, removed.rows_affected() > 0, DOING).await
    }
}
