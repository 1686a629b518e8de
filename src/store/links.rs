//! How items stand to each other, as GitLab's fields, their texts and the notes below them say.
//!
//! A link is written with the item from which it was read, and replaced with what it was read from:
//! fields, texts, notes. The far end is kept as it is named, by GitLab's id, by project and number,
//! or by path and number. It is looked up when it is asked for ([`super::read`]), so it does not
//! matter which of two items comes first, and nothing has to be mended when one moves or goes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Error, ItemKey, ItemWrite, NoteWrite, Write, codes};
use crate::correlate::links::{Change, Direction, LinkReading};
use crate::model::{Link, LinkKind, LinkTarget, ShownLinks};

/// Where a link was read, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkOrigin {
    /// GitLab's own fields.
    Fields,
    /// Title or description.
    Texts,
    /// A comment, or what GitLab wrote below the item.
    Notes,
}

impl LinkOrigin {
    /// Returns the number that stands for it.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Fields => 0,
            Self::Texts => 1,
            Self::Notes => 2,
        }
    }

    /// Returns what a number stands for. The schema's CHECK admits no others.
    pub(super) const fn of(code: i64) -> Self {
        match code {
            0 => Self::Fields,
            1 => Self::Texts,
            _ => Self::Notes,
        }
    }
}

/// A link as it travels to the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(super) struct LinkRow {
    item: i64,
    origin: i64,
    kind: String,
    inward: bool,
    target_kind: i64,
    target_id: i64,
    target_project: i64,
    target_path: String,
    target_iid: i64,
    note: i64,
    internal: bool,
}

impl LinkRow {
    fn new(item: ItemKey, origin: LinkOrigin, link: &Link, direction: Direction) -> Self {
        let (kind, id, project, path, iid) = match &link.to {
            LinkTarget::Id { kind, id } => (*kind, id.get(), 0, String::new(), 0),
            LinkTarget::Number { project, kind, iid } => {
                (*kind, 0, project.get(), String::new(), iid.get())
            }
            // GitLab compares paths so.
            LinkTarget::Place { project, kind, iid } => {
                (*kind, 0, 0, project.to_ascii_lowercase(), iid.get())
            }
        };
        Self {
            item: item.0,
            origin: origin.code(),
            kind: link.kind.as_str().to_owned(),
            inward: match direction {
                Direction::Inward => true,
                Direction::Outward => false,
            },
            target_kind: codes::kind_code(kind),
            target_id: id,
            target_project: project,
            target_path: path,
            target_iid: iid,
            note: 0,
            internal: false,
        }
    }

    fn is_relation(&self) -> bool {
        LinkKind::parse(&self.kind).is_some_and(LinkKind::is_relation)
    }

    fn has_target_of(&self, other: &Self) -> bool {
        self.target_kind == other.target_kind
            && self.target_path == other.target_path
            && self.target_iid == other.target_iid
    }
}

/// Returns the links that titles and descriptions make.
pub(super) fn links_of_texts(items: &[(ItemKey, &ItemWrite)]) -> Vec<LinkRow> {
    let rows = items.iter().flat_map(|(key, write)| {
        let rows = write.reading.links.iter();
        rows.map(|read| LinkRow::new(*key, LinkOrigin::Texts, &read.link, read.direction))
    });
    rows.collect()
}

/// Returns the links that the notes of an item make and have not taken away again.
pub(super) fn links_of_notes(item: ItemKey, notes: &[NoteWrite]) -> Vec<LinkRow> {
    let mut in_order: Vec<&NoteWrite> = notes.iter().collect();
    in_order.sort_by_key(|write| (write.note.created_at, write.note.id));
    let mut rows: Vec<LinkRow> = Vec::new();
    for write in in_order {
        for LinkReading { link, direction, change } in &write.links {
            let row = LinkRow {
                note: write.note.id.get(),
                internal: write.note.internal,
                ..LinkRow::new(item, LinkOrigin::Notes, link, *direction)
            };
            match change {
                // Of an internal and a public comment that say the same, the public one counts.
                Change::Made => match rows.iter_mut().find(|known| {
                    known.kind == row.kind
                        && known.inward == row.inward
                        && known.has_target_of(&row)
                }) {
                    Some(known) if known.internal && !row.internal => *known = row,
                    Some(_) => {}
                    None => rows.push(row),
                },
                // GitLab says "relation" of whatever two items had.
                Change::Removed => {
                    rows.retain(|known| !(known.is_relation() && known.has_target_of(&row)));
                }
            }
        }
    }
    rows
}

/// Stores what GitLab's fields say in place of what they said, and returns the items of which they
/// say something else.
pub(super) async fn store_shown_links(
    write: &mut Write,
    items: &[(ItemKey, &ShownLinks)],
    doing: &'static str,
) -> Result<Vec<i64>, Error> {
    let keys: Vec<i64> = items.iter().map(|(key, _)| key.0).collect();
    let mut stored = shown_links(write, &keys, doing).await?;
    let (mut others, mut rows) = (Vec::new(), Vec::new());
    for (key, shown) in items {
        let known = stored.remove(&key.0).unwrap_or_default();
        let mut wanted: BTreeSet<LinkRow> = shown
            .links
            .iter()
            .map(|link| LinkRow::new(*key, LinkOrigin::Fields, link, Direction::Outward))
            .collect();
        if !shown.relations {
            wanted.extend(known.iter().filter(|row| row.is_relation()).cloned());
        }
        if wanted != known {
            others.push(key.0);
            rows.extend(wanted);
        }
    }
    if others.is_empty() {
        return Ok(others);
    }
    forget_links(write, &others, LinkOrigin::Fields, doing).await?;
    store_links(write, &rows, doing).await?;
    Ok(others)
}

/// Stores of which items GitLab's fields show all relations.
pub(super) async fn store_relations_shown(
    write: &mut Write,
    items: &[(i64, bool)],
    doing: &'static str,
) -> Result<(), Error> {
    if items.is_empty() {
        return Ok(());
    }
    let items = codes::json(items);
    sqlx::query!(
        "update item set relations_shown = e.value ->> 1
        from json_each(?1) as e where item.id = e.value ->> 0",
        items,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

async fn shown_links(
    write: &mut Write,
    items: &[i64],
    doing: &'static str,
) -> Result<BTreeMap<i64, BTreeSet<LinkRow>>, Error> {
    let items = codes::json(items);
    let rows = sqlx::query_as!(
        LinkRow,
        r#"select l.item_id as "item!", l.origin as "origin!", l.kind as "kind!",
            l.inward as "inward!: bool", l.target_kind as "target_kind!",
            l.target_id as "target_id!", l.target_project as "target_project!",
            l.target_path as "target_path!", l.target_iid as "target_iid!",
            l.note_gitlab_id as "note!", l.internal as "internal!: bool"
        from json_each(?1) as e
        cross join item_link as l on l.item_id = e.value and l.origin = 0"#,
        items,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    let mut of_items: BTreeMap<i64, BTreeSet<LinkRow>> = BTreeMap::new();
    for row in rows {
        of_items.entry(row.item).or_default().insert(row);
    }
    Ok(of_items)
}

/// Stores links; one that is there stays.
pub(super) async fn store_links(
    write: &mut Write,
    rows: &[LinkRow],
    doing: &'static str,
) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let rows = codes::json(rows);
    sqlx::query!(
        "insert into item_link (item_id, origin, kind, inward, target_kind, target_id,
            target_project, target_path, target_iid, note_gitlab_id, internal)
        select e.value ->> 'item', e.value ->> 'origin', e.value ->> 'kind',
            e.value ->> 'inward', e.value ->> 'target_kind', e.value ->> 'target_id',
            e.value ->> 'target_project', e.value ->> 'target_path', e.value ->> 'target_iid',
            e.value ->> 'note', e.value ->> 'internal'
        from json_each(?1) as e
        where true
        on conflict do nothing",
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Removes the links of items that were read in one place.
pub(super) async fn forget_links(
    write: &mut Write,
    items: &[i64],
    origin: LinkOrigin,
    doing: &'static str,
) -> Result<(), Error> {
    let (items, origin) = (codes::json(items), origin.code());
    sqlx::query!(
        "delete from item_link
        where item_id in (select value from json_each(?1)) and origin = ?2",
        items,
        origin,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}
