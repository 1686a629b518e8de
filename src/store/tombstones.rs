//! What is gone, and why.
//!
//! A row is written in the transaction that removes the thing, and dropped in the one that stores
//! it again. It keeps addresses and nothing of the content. Items that go with their project have
//! none of their own: the project's speaks for them, and says nothing of which there were.

use jiff::Timestamp;

use super::{Error, ItemKey, ProjectKey, Run, SourceKey, Store, Write, codes};
use crate::model::{Iid, ItemKind, ProjectId};

/// Why something is no longer in the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gone {
    /// GitLab shows it no longer: it was deleted, or hidden from the token. It does not tell which.
    NotShown,
    /// The project is there, but lies below no root any more.
    OutsideRoots,
    /// The configuration excludes the project.
    Excluded,
    /// The project is archived, and archived projects are not read.
    Archived,
    /// The configuration no longer names the root that held the project.
    RootRemoved,
}

impl Gone {
    /// Returns the word used in SQL and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotShown => "not_shown",
            Self::OutsideRoots => "outside_roots",
            Self::Excluded => "excluded",
            Self::Archived => "archived",
            Self::RootRemoved => "root_removed",
        }
    }

    /// Returns the reason as a sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::NotShown => "GitLab no longer shows it: it was deleted, or hidden from the token",
            Self::OutsideRoots => "its project no longer lies below a root that is crawled",
            Self::Excluded => "the configuration excludes its project",
            Self::Archived => "its project is archived, and archived projects are not crawled",
            Self::RootRemoved => "the root that held its project is no longer configured",
        }
    }

    fn of(word: &str) -> Self {
        match word {
            "outside_roots" => Self::OutsideRoots,
            "excluded" => Self::Excluded,
            "archived" => Self::Archived,
            "root_removed" => Self::RootRemoved,
            _ => Self::NotShown,
        }
    }
}

/// Something that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The source that held it.
    pub source: String,
    /// Which item; `None` for a project.
    pub item: Option<(ItemKind, Iid)>,
    /// The project's path when it went.
    pub path: String,
    /// The address of its page.
    pub web_url: String,
    /// True for a confidential issue.
    pub confidential: bool,
    /// Why it is gone.
    pub reason: Gone,
    /// When that was noticed, by our clock.
    pub gone_at: Timestamp,
}

/// The code of a project where items have those of their kinds.
const PROJECT: i64 = 0;

impl Store {
    /// Finds what is known of an item that is gone from a project that is there, by the project's
    /// key.
    pub async fn find_gone_item(
        &self,
        project: i64,
        kind: ItemKind,
        iid: i64,
    ) -> Result<Option<Tombstone>, Error> {
        let code = codes::kind_code(kind);
        let row = sqlx::query!(
            "select s.name, p.path, t.web_url, t.confidential, t.reason, t.gone_at
            from project as p
            join source as s on s.id = p.source_id
            join tombstone as t on t.source_id = p.source_id
                and t.project_gitlab_id = p.gitlab_id and t.kind = ?2 and t.iid = ?3
            where p.id = ?1
            order by t.gone_at desc limit 1",
            project,
            code,
            iid,
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "looking up what is gone", source })?;
        Ok(row.map(|row| Tombstone {
            source: row.name,
            item: Some((kind, Iid::new(iid))),
            path: row.path,
            web_url: row.web_url,
            confidential: row.confidential == 1,
            reason: Gone::of(&row.reason),
            gone_at: codes::instant(row.gone_at),
        }))
    }

    /// Lists the projects that are gone and had a path, in whatever case, the last gone first.
    pub async fn list_gone_projects(&self, path: &str) -> Result<Vec<Tombstone>, Error> {
        let rows = sqlx::query!(
            "select s.name, t.path, t.web_url, t.reason, t.gone_at
            from tombstone_path as a
            join tombstone as t on t.id = a.tombstone_id
            join source as s on s.id = t.source_id
            where a.path = lower(?1)
            order by t.gone_at desc limit 10",
            path,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "looking up what is gone", source })?;
        Ok(rows
            .into_iter()
            .map(|row| Tombstone {
                source: row.name,
                item: None,
                path: row.path,
                web_url: row.web_url,
                confidential: false,
                reason: Gone::of(&row.reason),
                gone_at: codes::instant(row.gone_at),
            })
            .collect())
    }
}

/// Writes down why items go, before they do.
pub(super) async fn bury_items(
    write: &mut Write,
    items: &[ItemKey],
    reason: Gone,
    at: Timestamp,
    doing: &'static str,
) -> Result<(), Error> {
    let keys: Vec<i64> = items.iter().map(|key| key.0).collect();
    let (keys, reason, at) = (codes::json(&keys), reason.as_str(), at.as_millisecond());
    sqlx::query!(
        "insert into tombstone (source_id, kind, gitlab_id, project_gitlab_id, path, iid, web_url,
            confidential, reason, gone_at)
        select i.source_id, i.kind, i.gitlab_id, p.gitlab_id, p.path, i.iid, i.web_url,
            i.confidential, ?2, ?3
        from json_each(?1) as e
        join item as i on i.id = e.value
        join project as p on p.id = i.project_id
        where true
        on conflict (source_id, kind, gitlab_id) do update set
            project_gitlab_id = excluded.project_gitlab_id, path = excluded.path,
            iid = excluded.iid, web_url = excluded.web_url,
            confidential = excluded.confidential, reason = excluded.reason,
            gone_at = excluded.gone_at",
        keys,
        reason,
        at,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Writes down why a project goes, before it does, with all the paths that it had.
pub(super) async fn bury_project(
    write: &mut Write,
    project: ProjectKey,
    reason: Gone,
    at: Timestamp,
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    let (reason, at) = (reason.as_str(), at.as_millisecond());
    let tombstone = sqlx::query_scalar!(
        r#"insert into tombstone (source_id, kind, gitlab_id, project_gitlab_id, path, iid, web_url,
            confidential, reason, gone_at)
        select source_id, 0, gitlab_id, gitlab_id, path, 0, web_url, 0, ?2, ?3
        from project where id = ?1
        on conflict (source_id, kind, gitlab_id) do update set path = excluded.path,
            web_url = excluded.web_url, reason = excluded.reason, gone_at = excluded.gone_at
        returning id as "id!""#,
        project.0,
        reason,
        at,
    )
    .fetch_optional(&mut **write)
    .await
    .map_err(query)?;
    let Some(tombstone) = tombstone else { return Ok(()) };
    sqlx::query!(
        "insert into tombstone_path (path, tombstone_id)
        select lower(path), ?2 from project where id = ?1
        union
        select lower(path), ?2 from former_path where project_id = ?1
        on conflict do nothing",
        project.0,
        tombstone,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(())
}

/// Forgets that items were gone which are there again. Each is named by its kind's code and id.
pub(super) async fn unearth_items(
    write: &mut Write,
    source: SourceKey,
    items: &[(i64, i64)],
    doing: &'static str,
) -> Result<(), Error> {
    let items = codes::json(items);
    sqlx::query!(
        "delete from tombstone where id in (
            select t.id from json_each(?2) as e
            cross join tombstone as t on t.source_id = ?1 and t.kind = e.value ->> 0
                and t.gitlab_id = e.value ->> 1)",
        source.0,
        items,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Forgets that projects were gone which are there again.
pub(super) async fn unearth_projects(
    write: &mut Write,
    run: &Run,
    projects: impl Iterator<Item = ProjectId>,
    doing: &'static str,
) -> Result<(), Error> {
    let projects: Vec<(i64, i64)> = projects.map(|id| (PROJECT, id.get())).collect();
    unearth_items(write, run.source, &projects, doing).await
}
