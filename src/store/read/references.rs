//! References: which are known, and how often they are mentioned.

use jiff::Timestamp;

use super::Visibility;
use crate::store::{Error, Store, codes};

/// A known reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceRow {
    /// The store's key.
    pub key: i64,
    /// Its kind.
    pub kind: String,
    /// Its canonical id.
    pub id: String,
}

/// A reference, and how many items mention it.
#[derive(Debug, Clone)]
pub struct ReferenceCount {
    /// Its kind.
    pub kind: String,
    /// Its canonical id.
    pub id: String,
    /// Issues that mention it.
    pub issues: i64,
    /// Merge requests that mention it.
    pub merge_requests: i64,
    /// Last change of an item that mentions it.
    pub updated_at: Timestamp,
}

impl Store {
    /// Finds a reference by kind and canonical id.
    pub async fn find_reference(
        &self,
        kind: &str,
        id: &str,
    ) -> Result<Option<ReferenceRow>, Error> {
        sqlx::query_as!(
            ReferenceRow,
            r#"select id as "key!", kind, ref as "id" from reference where kind = ?1 and ref = ?2"#,
            kind,
            id,
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "looking up a reference", source })
    }

    /// Lists the references of any kind with an id, whatever its case.
    pub async fn list_references_like(&self, id: &str) -> Result<Vec<ReferenceRow>, Error> {
        sqlx::query_as!(
            ReferenceRow,
            r#"select id as "key!", kind, ref as "id" from reference
            where lower(ref) = lower(?1) order by kind, ref limit 50"#,
            id,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "looking up a reference", source })
    }

    /// Counts the items that mention a reference, as `(issues, merge requests)`.
    pub async fn count_reference(
        &self,
        reference: i64,
        visibility: &Visibility,
    ) -> Result<(i64, i64), Error> {
        let row = sqlx::query!(
            r#"select count(*) filter (where g.kind = 1) as "issues!: i64",
                count(*) filter (where g.kind = 2) as "merge_requests!: i64"
            from item_reference as g join item as i on i.id = g.item_id
            where g.reference_id = ?1 and (?2 or (i.confidential = 0 and g.internal = 0))
            and (?3 is null or i.project_id in (select value from json_each(?3)))"#,
            reference,
            visibility.confidential,
            visibility.projects,
        )
        .fetch_one(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "counting mentions", source })?;
        Ok((row.issues, row.merge_requests))
    }

    /// Lists what the items of a tag mention, the last mentioned first, each with the cursor of
    /// the page that begins after it.
    pub async fn list_references_of_tag(
        &self,
        tag: i64,
        cursor: Option<(i64, i64)>,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<(ReferenceCount, (i64, i64))>, Error> {
        let (at, key) = cursor.unwrap_or((i64::MAX, i64::MAX));
        let rows = sqlx::query!(
            r#"select * from (
                select r.id as "key!: i64", r.kind as "kind!: String", r.ref as "id!: String",
                    count(*) filter (where m.kind = 1) as "issues!: i64",
                    count(*) filter (where m.kind = 2) as "merge_requests!: i64",
                    max(m.updated_at) as "updated_at!: i64"
                from item_tag as g join item_reference as m on m.item_id = g.item_id
                join reference as r on r.id = m.reference_id
                join item as i on i.id = g.item_id
                where g.tag_id = ?1 and (?2 or (i.confidential = 0 and m.internal = 0))
                and (?3 is null or i.project_id in (select value from json_each(?3)))
                group by r.id
                having (max(m.updated_at), r.id) < (?4, ?5)
                order by max(m.updated_at) desc, r.id desc limit ?6
            )"#,
            tag,
            visibility.confidential,
            visibility.projects,
            at,
            key,
            limit,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "listing what is mentioned", source })?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let count = ReferenceCount {
                    kind: row.kind,
                    id: row.id,
                    issues: row.issues,
                    merge_requests: row.merge_requests,
                    updated_at: codes::instant(row.updated_at),
                };
                (count, (row.updated_at, row.key))
            })
            .collect())
    }
}
