//! What is worked out once nothing more is to be read: names, and how much the index holds.
//!
//! Both take time that grows with the index. They hold until the next commit that changes what an
//! answer may say, so the generation of which they are true is kept with them, and a sync in which
//! nothing changed does none of it. How names are settled: [`super::names`].

use sqlx::SqliteConnection;

use super::{Error, SourceKey, Store, Totals, Write};

impl Store {
    /// True while nothing has changed since names were settled for a source.
    pub(super) async fn is_settled(&self, source: SourceKey) -> Result<bool, Error> {
        let found = sqlx::query_scalar!(
            r#"select 1 as "there!: i64" from settled as s
            join generation as g on g.id = 1 and g.value = s.generation
            where s.source_id = ?1"#,
            source.0,
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "looking whether names are settled", source })?;
        Ok(found.is_some())
    }

    /// Returns how much the index of a source holds.
    pub async fn totals(&self, source: SourceKey) -> Result<Totals, Error> {
        const DOING: &str = "counting what the index holds";
        let query = |source| Error::Query { doing: DOING, source };
        let kept = sqlx::query!(
            "select s.projects, s.issues, s.merge_requests, s.mentioned from settled as s
            join generation as g on g.id = 1 and g.value = s.generation
            where s.source_id = ?1",
            source.0,
        )
        .fetch_optional(&self.reader)
        .await
        .map_err(query)?;
        if let Some(row) = kept {
            return Ok(Totals {
                projects: count(row.projects),
                issues: count(row.issues),
                merge_requests: count(row.merge_requests),
                references: count(row.mentioned),
            });
        }
        let mut connection = self.reader.acquire().await.map_err(query)?;
        count_all(&mut connection, source, DOING).await
    }
}

/// Notes that names are settled as of the generation that this write makes, which is another one
/// when it changed something.
pub(super) async fn settle(
    write: &mut Write,
    source: SourceKey,
    changed: bool,
    doing: &'static str,
) -> Result<(), Error> {
    let totals = count_all(&mut *write, source, doing).await?;
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let (projects, issues) = (number(totals.projects), number(totals.issues));
    let (merge_requests, mentioned) = (number(totals.merge_requests), number(totals.references));
    sqlx::query!(
        "insert into settled
            (source_id, generation, projects, issues, merge_requests, mentioned)
        select ?1, value + ?2, ?3, ?4, ?5, ?6 from generation where id = 1
        on conflict (source_id) do update set generation = excluded.generation,
            projects = excluded.projects, issues = excluded.issues,
            merge_requests = excluded.merge_requests, mentioned = excluded.mentioned",
        source.0,
        changed,
        projects,
        issues,
        merge_requests,
        mentioned,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Keeps what is settled so: this write raises the generation for something else than contents.
pub(super) async fn keep(write: &mut Write, doing: &'static str) -> Result<(), Error> {
    sqlx::query!(
        "update settled set generation = generation + 1
        where generation = (select value from generation where id = 1)",
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

async fn count_all(
    connection: &mut SqliteConnection,
    source: SourceKey,
    doing: &'static str,
) -> Result<Totals, Error> {
    // A reference that is mentioned is mostly found to be so by its first item.
    let row = sqlx::query!(
        r#"select
            (select count(*) from project where source_id = ?1) as "projects!: i64",
            (select count(*) from item where source_id = ?1 and kind = 1) as "issues!: i64",
            (select count(*) from item where source_id = ?1 and kind = 2)
                as "merge_requests!: i64",
            (select count(*) from reference as r where exists (
                select 1 from item_reference as m join item as i on i.id = m.item_id
                where m.reference_id = r.id and i.source_id = ?1)) as "references!: i64""#,
        source.0,
    )
    .fetch_one(connection)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(Totals {
        projects: count(row.projects),
        issues: count(row.issues),
        merge_requests: count(row.merge_requests),
        references: count(row.references),
    })
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
