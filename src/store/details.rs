//! What the reading of details leaves beside the projects: the templates that groups lend.
//!
//! A template that a group lends is kept once for each group that has projects, not for each
//! project: which of them a project shows under its own name is settled when they are read
//! ([`Store::templates`]).

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Error, SourceKey, Store, codes, commit, text};
use crate::model::ItemKind;

/// A template that the groups above a project lend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lent {
    /// What it is a template for.
    pub kind: ItemKind,
    /// Its name.
    pub name: String,
    /// Its text.
    pub content: String,
}

impl Store {
    /// Returns when the templates that groups lend were last asked for, by the groups' paths.
    pub async fn lenders(&self, source: SourceKey) -> Result<BTreeMap<String, Timestamp>, Error> {
        let rows =
            sqlx::query!("select namespace, checked_at from lender where source_id = ?1", source.0)
                .fetch_all(&self.writer)
                .await
                .map_err(|source| Error::Query { doing: "reading who lends templates", source })?;
        Ok(rows.into_iter().map(|row| (row.namespace, codes::instant(row.checked_at))).collect())
    }

    /// Stores the templates that a group and those above lend to its projects.
    pub async fn put_lent(
        &self,
        source: SourceKey,
        namespace: &str,
        lent: &[Lent],
        now: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "storing the templates of a group";
        let query = |source| Error::Query { doing: DOING, source };
        let now = now.as_millisecond();
        let mut write = self.write(DOING).await?;
        sqlx::query!(
            "insert into lender (source_id, namespace, checked_at) values (?1, ?2, ?3)
            on conflict (source_id, namespace) do update set checked_at = excluded.checked_at",
            source.0,
            namespace,
            now,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        let gone = sqlx::query!(
            "delete from lent_template where source_id = ?1 and namespace = ?2",
            source.0,
            namespace
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        for template in lent {
            let (kind, content) = (codes::kind_code(template.kind), text::pack(&template.content));
            sqlx::query!(
                "insert into lent_template (source_id, namespace, kind, name, content)
                values (?1, ?2, ?3, ?4, ?5) on conflict do nothing",
                source.0,
                namespace,
                kind,
                template.name,
                content,
            )
            .execute(&mut *write)
            .await
            .map_err(query)?;
        }
        commit(write, gone.rows_affected() > 0 || !lent.is_empty(), DOING).await
    }

    /// Returns the templates that groups lend, by the groups' paths.
    pub(super) async fn lent(
        &self,
        source: SourceKey,
    ) -> Result<BTreeMap<String, Vec<Lent>>, Error> {
        const DOING: &str = "reading the templates of groups";
        let rows = sqlx::query!(
            "select namespace, kind, name, content from lent_template where source_id = ?1
            order by namespace, kind, name",
            source.0,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        let mut lent: BTreeMap<String, Vec<Lent>> = BTreeMap::new();
        for row in rows {
            let content = text::unpack(&row.content)
                .map_err(|source| Error::Text { doing: DOING, source })?;
            let template = Lent { kind: codes::kind_of(row.kind), name: row.name, content };
            lent.entry(row.namespace).or_default().push(template);
        }
        Ok(lent)
    }
}
