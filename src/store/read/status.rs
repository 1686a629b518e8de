//! How fresh the index is.

use jiff::{SignedDuration, Timestamp};

use crate::store::{Error, Origin, Store, codes};

/// A source and its freshness.
#[derive(Debug, Clone)]
pub struct SourceRow {
    /// Its name.
    pub name: String,
    /// GitLab's address.
    pub url: String,
    /// Start of the last sync that ended.
    pub synced_at: Option<Timestamp>,
    /// Start of the last sync that read everything.
    pub complete_at: Option<Timestamp>,
    /// How the last run that ended did; empty before the first.
    pub outcome: String,
}

/// A part of a source that could not be read.
#[derive(Debug, Clone)]
pub struct ProblemRow {
    /// The source.
    pub source: String,
    /// A root or project.
    pub subject: String,
    /// Which of its lists.
    pub stream: String,
    /// Why.
    pub reason: String,
    /// When it was tried.
    pub at: Timestamp,
    /// When it is tried again.
    pub retry_at: Timestamp,
}

/// A list of a root, and how far it was read. Instants are of GitLab's clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamRow {
    /// The source.
    pub source: String,
    /// The root's name.
    pub root: String,
    /// Where the root is; empty for `membership`.
    pub path: String,
    /// Why it is crawled.
    pub origin: Origin,
    /// `projects`, `issues` or `merge_requests`; `None` while none of the root's was begun.
    pub kind: Option<String>,
    /// Everything that changed before this was read.
    pub watermark: Option<Timestamp>,
    /// When it was last read to its end.
    pub read_at: Option<Timestamp>,
    /// When all of it was.
    pub whole_at: Option<Timestamp>,
    /// The walk over all of it that is under way.
    pub walk: Option<WalkLeft>,
}

/// How far a walk over all of a list has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLeft {
    /// When it began: where the list ends.
    pub began_at: Timestamp,
    /// Creation of the oldest thing of the kind in the index: about where the list begins. `None`
    /// while there is none.
    pub first: Option<Timestamp>,
    /// The time of creation that is still to be walked over.
    pub left: SignedDuration,
}

impl Store {
    /// Lists how far each list of each root was read, by source and root.
    pub async fn list_streams(&self) -> Result<Vec<StreamRow>, Error> {
        let rows = sqlx::query!(
            r#"select s.name as "source!", r.name as "root!", r.path as "path!",
                r.origin as "origin!", l.kind as "kind?", l.watermark as "watermark?",
                l.read_at as "read_at?", l.whole_at as "whole_at?",
                l.walk_began_at as "began_at?",
                (select sum(w.upper - w.position) from stream_window as w
                    where w.root_id = r.id and w.kind = l.kind and w.done = 0) as "left?: i64",
                -- Numbers grow with time, so the lowest is about the oldest.
                case when l.walk_began_at is not null then
                    (select i.created_at from item as i
                        where i.source_id = s.id
                        and i.kind = iif(l.kind = 'issues', 1, 2)
                        order by i.gitlab_id limit 1) end as "first?: i64"
            from source as s join root as r on r.source_id = s.id
            left join stream as l on l.root_id = r.id
            order by s.name, r.name"#,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading how far lists were read", source })?;
        Ok(rows
            .into_iter()
            .map(|row| StreamRow {
                source: row.source,
                root: row.root,
                path: row.path,
                origin: Origin::of(&row.origin),
                kind: row.kind,
                watermark: row.watermark.map(codes::instant),
                read_at: row.read_at.map(codes::instant),
                whole_at: row.whole_at.map(codes::instant),
                walk: row.began_at.map(|began_at| WalkLeft {
                    began_at: codes::instant(began_at),
                    first: row.first.map(codes::instant),
                    left: SignedDuration::from_millis(row.left.unwrap_or_default()),
                }),
            })
            .collect())
    }

    /// Lists the sources by name.
    pub async fn list_sources(&self) -> Result<Vec<SourceRow>, Error> {
        let rows = sqlx::query!(
            "select name, url, synced_at, complete_at, outcome from source order by name",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading how fresh the index is", source })?;
        Ok(rows
            .into_iter()
            .map(|row| SourceRow {
                name: row.name,
                url: row.url,
                synced_at: row.synced_at.map(codes::instant),
                complete_at: row.complete_at.map(codes::instant),
                outcome: row.outcome,
            })
            .collect())
    }

    /// Lists what could not be read in the latest syncs.
    pub async fn list_problems(&self) -> Result<Vec<ProblemRow>, Error> {
        let rows = sqlx::query!(
            "select s.name, p.subject, p.stream, p.reason, p.at, p.retry_at
            from source as s join sync_problem as p on p.source_id = s.id
            order by s.name, p.subject, p.stream",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading what is incomplete", source })?;
        Ok(rows
            .into_iter()
            .map(|row| ProblemRow {
                source: row.name,
                subject: row.subject,
                stream: row.stream,
                reason: row.reason,
                at: codes::instant(row.at),
                retry_at: codes::instant(row.retry_at),
            })
            .collect())
    }
}
