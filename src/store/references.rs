//! What items mention, with the evidence.
//!
//! A mention is a row of evidence; which items mention a reference is derived from the evidence,
//! in the same transaction, so that a look-up need not count it together.

use serde::Serialize;

use super::{Error, ItemKey, Write, codes};
use crate::model::{Evidence, NoteId, Reference};

/// One mention of a reference, as it travels to the database.
#[derive(Serialize)]
pub(super) struct ReferenceRow<'a> {
    item: i64,
    note: i64,
    ordinal: usize,
    kind: &'a str,
    id: &'a str,
    location: &'static str,
    text: &'a str,
    rule: &'a str,
    internal: bool,
}

impl<'a> ReferenceRow<'a> {
    /// Makes the rows of one text.
    pub(super) fn rows(
        item: ItemKey,
        references: &'a [(Reference, Evidence)],
        internal: bool,
    ) -> impl Iterator<Item = Self> {
        references.iter().enumerate().map(move |(ordinal, (reference, evidence))| Self {
            item: item.0,
            note: evidence.note.map_or(0, NoteId::get),
            ordinal,
            kind: &reference.kind,
            id: &reference.id,
            location: evidence.location.as_str(),
            text: &evidence.text,
            rule: &evidence.rule,
            internal,
        })
    }
}

/// Stores mentions, and the references that are new.
pub(super) async fn store_references(
    write: &mut Write,
    rows: &[ReferenceRow<'_>],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    if rows.is_empty() {
        return Ok(());
    }
    let rows = codes::json(rows);
    sqlx::query!(
        "insert into reference (kind, ref)
        select distinct e.value ->> 'kind', e.value ->> 'id' from json_each(?1) as e
        where true
        on conflict (kind, ref) do nothing",
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    sqlx::query!(
        "with e as materialized (select value from json_each(?1))
        insert into reference_evidence
            (item_id, reference_id, note_gitlab_id, ordinal, location, text, rule, internal)
        select e.value ->> 'item', r.id, e.value ->> 'note', e.value ->> 'ordinal',
            e.value ->> 'location', e.value ->> 'text', e.value ->> 'rule',
            e.value ->> 'internal'
        from e
        cross join reference as r on r.kind = e.value ->> 'kind' and r.ref = e.value ->> 'id'
        where true
        on conflict do nothing",
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(())
}

/// Lists anew which references the items mention.
pub(super) async fn list_references(
    write: &mut Write,
    items: &[i64],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    if items.is_empty() {
        return Ok(());
    }
    let items = codes::json(items);
    sqlx::query!(
        "delete from item_reference where item_id in (select value from json_each(?1))",
        items,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    sqlx::query!(
        "insert into item_reference (reference_id, kind, updated_at, item_id, internal)
        select e.reference_id, i.kind, i.updated_at, i.id, min(e.internal)
        from json_each(?1) as j join item as i on i.id = j.value
        join reference_evidence as e on e.item_id = i.id
        group by e.reference_id, i.id",
        items,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(())
}
