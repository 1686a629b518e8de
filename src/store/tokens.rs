//! What GitLab last said about a source's token.
//!
//! It spares every short-lived process the question. Neither the token nor a digest of it is kept:
//! a findings' text is all, and what is in it is for the crawl to know.

use jiff::Timestamp;

use super::{Error, SourceKey, Store, codes, commit};

/// A check of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// When GitLab was asked.
    pub checked_at: Timestamp,
    /// When it is to be asked again.
    pub again_at: Timestamp,
    /// What it said, as JSON.
    pub findings: String,
}

impl Store {
    /// Returns the last check of a source's token.
    pub async fn find_token_check(&self, source: &str) -> Result<Option<TokenRow>, Error> {
        let row = sqlx::query!(
            "select t.checked_at, t.again_at, t.findings
            from source as s join token_check as t on t.source_id = s.id where s.name = ?1",
            source,
        )
        .fetch_optional(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading what is known of a token", source })?;
        Ok(row.map(|row| TokenRow {
            checked_at: codes::instant(row.checked_at),
            again_at: codes::instant(row.again_at),
            findings: row.findings,
        }))
    }

    /// Stores a check of a source's token.
    pub async fn put_token_check(&self, source: SourceKey, row: &TokenRow) -> Result<(), Error> {
        const DOING: &str = "storing what is known of a token";
        let (checked_at, again_at) =
            (row.checked_at.as_millisecond(), row.again_at.as_millisecond());
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "insert into token_check (source_id, checked_at, again_at, findings)
            values (?1, ?2, ?3, ?4)
            on conflict (source_id) do update set checked_at = excluded.checked_at,
                again_at = excluded.again_at, findings = excluded.findings",
            source.0,
            checked_at,
            again_at,
            row.findings,
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }
}
