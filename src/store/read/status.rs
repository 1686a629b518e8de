//! How fresh the index is.

use jiff::Timestamp;

use crate::store::{Error, Store, codes};

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

impl Store {
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
