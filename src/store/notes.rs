//! Comments on items, and when they are to be read again.
//!
//! All comments of an item are written at once, as they were read; GitLab has no list of comments
//! that changed. What they mention is kept with the references of their item.

use jiff::Timestamp;
use serde::Serialize;

use super::links::{LinkOrigin, forget_links, links_of_notes, store_links};
use super::references::{ReferenceRow, list_references, store_references};
use super::text::{Packed, Span};
use super::{Error, ItemKey, Run, SourceKey, Store, Write, codes, commit};
use crate::correlate::links::LinkReading;
use crate::model::{Evidence, Iid, ItemKind, Note, ProjectId, Reference};

/// A comment to store, with the references in it.
#[derive(Debug, Clone)]
pub struct NoteWrite {
    /// As GitLab shows it.
    pub note: Note,
    /// What it mentions.
    pub references: Vec<(Reference, Evidence)>,
    /// How its item stands to others, by it.
    pub links: Vec<LinkReading>,
}

/// An item whose comments are to be read.
#[derive(Debug, Clone)]
pub struct DueNotes {
    /// The item.
    pub key: ItemKey,
    /// Its kind.
    pub kind: ItemKind,
    /// Its number.
    pub iid: Iid,
    /// Its project.
    pub project: ProjectId,
}

impl Store {
    /// Marks as due the comments that may have changed without a sign of it: those read within
    /// three minutes of the item's last change (GitLab moves an item's time for a comment only when
    /// it is more than a minute old, and two minutes are for a lagging replica). What was read at
    /// `began_at` by GitLab's clock or later is left for the next time; with `all`, whatever was
    /// read before is due.
    pub async fn mark_notes_due(
        &self,
        run: &Run,
        began_at: Timestamp,
        all: bool,
    ) -> Result<(), Error> {
        const DOING: &str = "marking comments to read again";
        let query = |source| Error::Query { doing: DOING, source };
        let began_at = began_at.as_millisecond();
        let mut write = self.write(DOING).await?;
        // The number stands in the index's condition too.
        sqlx::query!(
            "update item set notes_read_at = null
            where source_id = ?1 and notes_read_at < updated_at + 180000 and notes_read_at < ?2",
            run.source.0,
            began_at,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        if all {
            sqlx::query!(
                "update item set notes_read_at = null where source_id = ?1 and notes_read_at < ?2",
                run.source.0,
                began_at,
            )
            .execute(&mut *write)
            .await
            .map_err(query)?;
        }
        commit(write, false, DOING).await
    }

    /// Returns the time of the item that changed longest ago, `from` or later, of those whose
    /// comments are to be read a second time.
    pub async fn oldest_second_look(
        &self,
        source: SourceKey,
        from: Timestamp,
    ) -> Result<Option<Timestamp>, Error> {
        let from = from.as_millisecond();
        let time = sqlx::query_scalar!(
            r#"select updated_at from item
            where source_id = ?1 and updated_at >= ?2
            and notes_read_at < updated_at + 180000
            order by updated_at limit 1"#,
            source.0,
            from,
        )
        .fetch_optional(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which comments are due", source })?;
        Ok(time.map(codes::instant))
    }

    /// Lists items whose comments are to be read, `limit` at most, with keys above `after`.
    pub async fn list_due_notes(
        &self,
        run: &Run,
        after: Option<ItemKey>,
        limit: i64,
    ) -> Result<Vec<DueNotes>, Error> {
        let after = after.map_or(0, |key| key.0);
        let rows = sqlx::query!(
            r#"select i.id as "id!", i.kind, i.iid, p.gitlab_id as "project!"
            from item as i join project as p on p.id = i.project_id
            where i.source_id = ?1 and i.id > ?2 and i.notes_read_at is null
            order by i.id limit ?3"#,
            run.source.0,
            after,
            limit,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "reading which comments are due", source })?;
        Ok(rows
            .into_iter()
            .map(|row| DueNotes {
                key: ItemKey(row.id),
                kind: codes::kind_of(row.kind),
                iid: Iid::new(row.iid),
                project: ProjectId::new(row.project),
            })
            .collect())
    }

    /// Lists those of some items of a project, given by number, whose comments were last read
    /// before an instant.
    pub async fn list_notes_of(
        &self,
        run: &Run,
        kind: ItemKind,
        project: ProjectId,
        iids: &[Iid],
        before: Timestamp,
    ) -> Result<Vec<DueNotes>, Error> {
        let before = before.as_millisecond();
        let (id, code, json) = (project.get(), codes::kind_code(kind), codes::json(iids));
        let rows = sqlx::query!(
            r#"select i.id as "id!", i.iid from project as p
            join item as i on i.project_id = p.id
            where p.source_id = ?1 and p.gitlab_id = ?2 and i.kind = ?3
                and i.iid in (select value from json_each(?4))
                and coalesce(i.notes_read_at, 0) < ?5"#,
            run.source.0,
            id,
            code,
            json,
            before,
        )
        .fetch_all(&self.writer)
        .await
        .map_err(|source| Error::Query { doing: "looking for items by number", source })?;
        let due = rows.into_iter().map(|row| DueNotes {
            key: ItemKey(row.id),
            kind,
            iid: Iid::new(row.iid),
            project,
        });
        Ok(due.collect())
    }

    /// Forgets all comments of a source and what they mention, because they are not to be read
    /// any more.
    pub async fn forget_notes(&self, source: SourceKey) -> Result<(), Error> {
        const DOING: &str = "forgetting comments";
        let query = |source| Error::Query { doing: DOING, source };
        let mut write = self.write(DOING).await?;
        let items = sqlx::query_scalar!(
            r#"select distinct i.id as "id!" from item as i join note as n on n.item_id = i.id
            where i.source_id = ?1"#,
            source.0,
        )
        .fetch_all(&mut *write)
        .await
        .map_err(query)?;
        let json = codes::json(&items);
        sqlx::query!("delete from note where item_id in (select value from json_each(?1))", json)
            .execute(&mut *write)
            .await
            .map_err(query)?;
        sqlx::query!(
            "delete from reference_evidence
            where item_id in (select value from json_each(?1)) and note_gitlab_id <> 0",
            json,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        sqlx::query!(
            "update item set notes_read_at = null, notes_fingerprint = null
            where id in (select value from json_each(?1))",
            json,
        )
        .execute(&mut *write)
        .await
        .map_err(query)?;
        forget_links(&mut write, &items, LinkOrigin::Notes, DOING).await?;
        list_references(&mut write, &items, DOING).await?;
        commit(write, !items.is_empty(), DOING).await
    }

    /// Notes that the comments of an item were asked for, and that GitLab does not show it: those
    /// that are stored stay until the item goes.
    pub async fn keep_notes(&self, item: ItemKey, read_at: Timestamp) -> Result<(), Error> {
        const DOING: &str = "keeping comments";
        let read_at = read_at.as_millisecond();
        let mut write = self.write(DOING).await?;
        sqlx::query!("update item set notes_read_at = ?2 where id = ?1", item.0, read_at)
            .execute(&mut *write)
            .await
            .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, false, DOING).await
    }

    /// Stores all comments of an item as they were at `read_at` by GitLab's clock.
    pub async fn apply_notes(
        &self,
        item: ItemKey,
        notes: &[NoteWrite],
        read_at: Timestamp,
    ) -> Result<(), Error> {
        const DOING: &str = "storing comments";
        let mut write = self.write(DOING).await?;
        store_notes(&mut write, &[(item, notes)], DOING).await?;
        list_references(&mut write, &[item.0], DOING).await?;
        let read_at = read_at.as_millisecond();
        sqlx::query!(
            "update item set notes_read_at = ?2, notes_fingerprint = null where id = ?1",
            item.0,
            read_at,
        )
        .execute(&mut *write)
        .await
        .map_err(|source| Error::Query { doing: DOING, source })?;
        commit(write, true, DOING).await
    }
}

/// A comment as it travels to the database.
#[derive(Serialize)]
struct Row<'a> {
    item: i64,
    id: i64,
    author: &'a str,
    system: bool,
    internal: bool,
    created_at: i64,
    updated_at: i64,
    body: Span,
}

/// Stores all comments of items in place of those that are stored, and the evidence of what they
/// mention. What the items mention is to be listed after that ([`list_references`]).
pub(super) async fn store_notes(
    write: &mut Write,
    items: &[(ItemKey, &[NoteWrite])],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    if items.is_empty() {
        return Ok(());
    }
    let keys: Vec<i64> = items.iter().map(|(item, _)| item.0).collect();
    let keys = codes::json(&keys);
    sqlx::query!("delete from note where item_id in (select value from json_each(?1))", keys)
        .execute(&mut **write)
        .await
        .map_err(query)?;
    let mut packed = Packed::new();
    let notes = || items.iter().flat_map(|(item, notes)| notes.iter().map(move |n| (*item, n)));
    let rows: Vec<Row<'_>> = notes()
        .map(|(item, NoteWrite { note, .. })| Row {
            item: item.0,
            id: note.id.get(),
            author: &note.author,
            system: note.system,
            internal: note.internal,
            created_at: note.created_at.as_millisecond(),
            updated_at: note.updated_at.as_millisecond(),
            body: packed.push(&note.body),
        })
        .collect();
    let (rows, bodies) = (codes::json(&rows), packed.bytes());
    sqlx::query!(
        "with e as materialized (select value from json_each(?1))
        insert into note
            (item_id, gitlab_id, author, system, internal, created_at, updated_at, body)
        select e.value ->> 'item', e.value ->> 'id', e.value ->> 'author', e.value ->> 'system',
            e.value ->> 'internal', e.value ->> 'created_at', e.value ->> 'updated_at',
            coalesce(substr(?2, e.value ->> '$.body.at', e.value ->> '$.body.bytes'), x'')
        from e
        where true
        on conflict (item_id, gitlab_id) do nothing",
        rows,
        bodies,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    sqlx::query!(
        "delete from reference_evidence
        where item_id in (select value from json_each(?1)) and note_gitlab_id <> 0",
        keys,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let rows: Vec<ReferenceRow<'_>> = notes()
        .flat_map(|(item, n)| ReferenceRow::rows(item, &n.references, n.note.internal))
        .collect();
    store_references(write, &rows, doing).await?;
    let stored: Vec<i64> = items.iter().map(|(item, _)| item.0).collect();
    forget_links(write, &stored, LinkOrigin::Notes, doing).await?;
    let links: Vec<_> =
        items.iter().flat_map(|(item, notes)| links_of_notes(*item, notes)).collect();
    store_links(write, &links, doing).await
}
