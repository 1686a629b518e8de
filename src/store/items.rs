//! Items, their texts, and what was read out of them. Their comments: `notes.rs`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::links::{
    LinkOrigin, forget_links, links_of_texts, store_links, store_relations_shown, store_shown_links,
};
use super::names::{TagRow, intern_tags};
use super::notes::{NoteWrite, store_notes};
use super::projects::hex;
use super::references::{ReferenceRow, list_references, store_references};
use super::streams::advance;
use super::text::{Packed, Span};
use super::tombstones::unearth_items;
use super::{
    Error, ItemKey, Moves, ProjectKey, Run, SourceKey, Store, Write, codes, commit, last_of_each,
};
use crate::correlate::ItemReading;
use crate::model::{Iid, Item, ItemId, ShownLinks};

/// An item to store, with what was read out of it.
#[derive(Debug, Clone)]
pub struct ItemWrite {
    /// As GitLab shows it.
    pub item: Item,
    /// The project it lives in.
    pub project: ProjectKey,
    /// Its own tags, and the references of its own texts.
    pub reading: ItemReading,
    /// Digest of everything that the stored rows depend on: the item, the rules, the project's
    /// path and templates.
    pub fingerprint: Vec<u8>,
    /// When GitLab was asked for it, by GitLab's clock. What is stored from a later question stays.
    pub read_at: Timestamp,
    /// All its comments, where they came with it; `None` leaves those that are stored.
    pub notes: Option<NotesOfItem>,
}

/// All comments of an item, as they were read with it.
#[derive(Debug, Clone)]
pub struct NotesOfItem {
    /// The comments.
    pub notes: Vec<NoteWrite>,
    /// Digest of the comments and of the rules.
    pub fingerprint: Vec<u8>,
}

#[derive(Serialize)]
struct Row<'a> {
    project: i64,
    kind: i64,
    gitlab_id: ItemId,
    iid: Iid,
    title: &'a str,
    state: &'a str,
    draft: bool,
    confidential: bool,
    issue_type: &'a str,
    author: &'a str,
    labels: &'a [String],
    source_branch: &'a str,
    web_url: &'a str,
    created_at: i64,
    updated_at: i64,
    closed_at: Option<i64>,
    merged_at: Option<i64>,
    notes_count: i64,
    fingerprint: String,
    read_at: i64,
    relations_shown: bool,
}

impl<'a> From<&'a ItemWrite> for Row<'a> {
    fn from(write: &'a ItemWrite) -> Self {
        let item = &write.item;
        Self {
            project: write.project.0,
            kind: codes::kind_code(item.kind),
            gitlab_id: item.id,
            iid: item.iid,
            title: &item.title,
            state: item.state.as_str(),
            draft: item.draft,
            confidential: item.confidential,
            issue_type: &item.issue_type,
            author: &item.author,
            labels: &item.labels,
            source_branch: &item.source_branch,
            web_url: &item.web_url,
            created_at: item.created_at.as_millisecond(),
            updated_at: item.updated_at.as_millisecond(),
            closed_at: item.closed_at.map(Timestamp::as_millisecond),
            merged_at: item.merged_at.map(Timestamp::as_millisecond),
            notes_count: item.notes_count,
            fingerprint: hex(&write.fingerprint),
            read_at: write.read_at.as_millisecond(),
            relations_shown: item.links.relations,
        }
    }
}

impl Store {
    /// Stores a page of items with the comments that came with them, their evidence, and how far
    /// their list was read, at once.
    ///
    /// Items that are stored with the same fingerprint are only marked as seen. What is stored from
    /// a later question than this one is left as it is.
    pub async fn apply_items(
        &self,
        run: &Run,
        page: &[ItemWrite],
        moves: &Moves,
    ) -> Result<(), Error> {
        const DOING: &str = "storing items";
        let mut write = self.write(DOING).await?;
        let mut known = known_items(&mut write, run.source, page, DOING).await?;
        let code = |w: &ItemWrite| (codes::kind_code(w.item.kind), w.item.id.get());
        let mut seen = Vec::new();
        let (mut same, mut new): (Vec<&ItemWrite>, Vec<&ItemWrite>) = (Vec::new(), Vec::new());
        for item in last_of_each(page, |w| (w.item.kind, w.item.id)) {
            match known.get(&code(item)) {
                Some(stored) if is_later(stored.read_at, item.read_at) => seen.push(stored.key),
                Some(stored) if stored.fingerprint == item.fingerprint => {
                    seen.push(stored.key);
                    same.push(item);
                }
                Some(_) | None => new.push(item),
            }
        }
        mark_seen(&mut write, run, &seen, DOING).await?;
        let mut touched = Vec::new();
        if !new.is_empty() {
            let (mut old, mut uncommented) = (Vec::new(), Vec::new());
            for item in &new {
                let Some(stored) = known.get(&code(item)) else { continue };
                old.push(stored.key);
                // GitLab's own notes are not counted: without that change they stay.
                let had = stored.notes_count > 0 && item.item.notes_count == 0;
                if had && item.notes.is_none() {
                    uncommented.push(stored.key);
                }
            }
            forget_derived(&mut write, &old, &uncommented, DOING).await?;
            for (id, key) in store_items(&mut write, run, &new, DOING).await? {
                known.entry(id).or_default().key = key.0;
                touched.push(key.0);
            }
        }
        let otherwise: Vec<(i64, bool)> = same
            .iter()
            .filter_map(|w| Some((known.get(&code(w))?, w.item.links.all_relations()?)))
            .filter(|(stored, whole)| stored.relations_shown != *whole)
            .map(|(stored, whole)| (stored.key, whole))
            .collect();
        store_relations_shown(&mut write, &otherwise, DOING).await?;
        touched.extend(otherwise.iter().map(|(key, _)| *key));
        let shown: Vec<(ItemKey, &ShownLinks)> = same
            .iter()
            .chain(&new)
            .filter_map(|w| Some((ItemKey(known.get(&code(w))?.key), &w.item.links)))
            .collect();
        touched.extend(store_shown_links(&mut write, &shown, DOING).await?);
        let mut noted = Vec::new();
        for item in same.into_iter().chain(new) {
            let Some((stored, found)) = known.get(&code(item)).zip(item.notes.as_ref()) else {
                continue;
            };
            let is_same = stored.notes_fingerprint.as_ref() == Some(&found.fingerprint);
            noted.push(Noted { key: ItemKey(stored.key), found, read_at: item.read_at, is_same });
        }
        touched.extend(noted.iter().filter(|noted| !noted.is_same).map(|noted| noted.key.0));
        store_notes_of(&mut write, &noted, DOING).await?;
        list_references(&mut write, &touched, DOING).await?;
        advance(&mut write, moves, DOING).await?;
        commit(write, !touched.is_empty(), DOING).await
    }
}

/// True when what is stored was asked for later than what has come. What differs by less may come
/// from two processes that know GitLab's clock to the second only; no answer is under way for more.
fn is_later(stored: i64, read_at: Timestamp) -> bool {
    (1_501..=120_000).contains(&(stored - read_at.as_millisecond()))
}

/// An item whose comments came with it.
struct Noted<'a> {
    key: ItemKey,
    found: &'a NotesOfItem,
    read_at: Timestamp,
    /// They are as they are stored.
    is_same: bool,
}

/// Stores the comments that came with items where they are others than before, and when they were
/// read.
async fn store_notes_of(
    write: &mut Write,
    noted: &[Noted<'_>],
    doing: &'static str,
) -> Result<(), Error> {
    if noted.is_empty() {
        return Ok(());
    }
    let others: Vec<(ItemKey, &[NoteWrite])> = noted
        .iter()
        .filter(|noted| !noted.is_same)
        .map(|noted| (noted.key, noted.found.notes.as_slice()))
        .collect();
    store_notes(write, &others, doing).await?;
    let rows: Vec<(i64, i64, String)> = noted
        .iter()
        .map(|n| (n.key.0, n.read_at.as_millisecond(), hex(&n.found.fingerprint)))
        .collect();
    let rows = codes::json(&rows);
    sqlx::query!(
        "update item set notes_read_at = e.value ->> 1,
            notes_fingerprint = unhex(e.value ->> 2), read_at = e.value ->> 1
        from json_each(?1) as e where item.id = e.value ->> 0",
        rows,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Marks stored items as seen by this run.
pub(super) async fn mark_seen(
    write: &mut Write,
    run: &Run,
    items: &[i64],
    doing: &'static str,
) -> Result<(), Error> {
    if items.is_empty() {
        return Ok(());
    }
    let items = codes::json(items);
    sqlx::query!(
        "update item set seen_run = ?1 where id in (select value from json_each(?2))",
        run.key,
        items,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// What is stored of an item before a page is.
#[derive(Debug, Default)]
struct Stored {
    key: i64,
    read_at: i64,
    notes_count: i64,
    fingerprint: Vec<u8>,
    notes_fingerprint: Option<Vec<u8>>,
    relations_shown: bool,
}

type Known = BTreeMap<(i64, i64), Stored>;

async fn known_items(
    write: &mut Write,
    source: SourceKey,
    page: &[ItemWrite],
    doing: &'static str,
) -> Result<Known, Error> {
    let ids: Vec<(i64, ItemId)> =
        page.iter().map(|w| (codes::kind_code(w.item.kind), w.item.id)).collect();
    let ids = codes::json(&ids);
    // `cross join` keeps the order: one look-up for each id, not a pass over all items for each.
    let rows = sqlx::query!(
        r#"select i.id as "id!", i.kind, i.gitlab_id, i.fingerprint, i.read_at,
            i.notes_count, i.notes_fingerprint, i.relations_shown as "relations_shown!: bool"
        from json_each(?2) as e
        cross join item as i on i.source_id = ?1 and i.kind = e.value ->> 0
            and i.gitlab_id = e.value ->> 1"#,
        source.0,
        ids,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let stored = Stored {
                key: row.id,
                read_at: row.read_at,
                notes_count: row.notes_count,
                fingerprint: row.fingerprint,
                notes_fingerprint: row.notes_fingerprint,
                relations_shown: row.relations_shown,
            };
            ((row.kind, row.gitlab_id), stored)
        })
        .collect())
}

async fn store_items(
    write: &mut Write,
    run: &Run,
    items: &[&ItemWrite],
    doing: &'static str,
) -> Result<BTreeMap<(i64, i64), ItemKey>, Error> {
    let query = |source| Error::Query { doing, source };
    let ids: Vec<(i64, i64)> =
        items.iter().map(|w| (codes::kind_code(w.item.kind), w.item.id.get())).collect();
    unearth_items(write, run.source, &ids, doing).await?;
    let rows: Vec<Row<'_>> = items.iter().map(|item| Row::from(*item)).collect();
    let rows = codes::json(&rows);
    // Comments are due again when the item's time or their number changed, or what they are read
    // with (the last 6 bytes of the fingerprint). A time that is the same when cut to the second
    // is the same: GraphQL prints no more, and what is stored may be finer. Of an item that is as
    // old as before, a page of REST does not make the relations less sure.
    let stored = sqlx::query!(
        r#"with e as materialized (select value from json_each(?3))
        insert into item (source_id, project_id, kind, gitlab_id, iid, title, state, draft,
            confidential, issue_type, author, labels, source_branch, web_url, created_at,
            updated_at, closed_at, merged_at, notes_count, notes_read_at, fingerprint, seen_run,
            read_at, relations_shown)
        select ?1, e.value ->> 'project', e.value ->> 'kind', e.value ->> 'gitlab_id',
            e.value ->> 'iid', e.value ->> 'title', e.value ->> 'state', e.value ->> 'draft',
            e.value ->> 'confidential', e.value ->> 'issue_type', e.value ->> 'author',
            e.value -> 'labels', e.value ->> 'source_branch', e.value ->> 'web_url',
            e.value ->> 'created_at', e.value ->> 'updated_at', e.value ->> 'closed_at',
            e.value ->> 'merged_at', e.value ->> 'notes_count', null,
            unhex(e.value ->> 'fingerprint'), ?2, e.value ->> 'read_at',
            e.value ->> 'relations_shown'
        from e
        where true
        on conflict (source_id, kind, gitlab_id) do update set
            project_id = excluded.project_id, iid = excluded.iid, title = excluded.title,
            state = excluded.state, draft = excluded.draft, confidential = excluded.confidential,
            issue_type = excluded.issue_type, author = excluded.author, labels = excluded.labels,
            source_branch = excluded.source_branch, web_url = excluded.web_url,
            created_at = iif(item.created_at / 1000 = excluded.created_at / 1000
                    and excluded.created_at % 1000 = 0, item.created_at, excluded.created_at),
            updated_at = iif(item.updated_at / 1000 = excluded.updated_at / 1000
                    and excluded.updated_at % 1000 = 0, item.updated_at, excluded.updated_at),
            closed_at = iif(item.closed_at / 1000 = excluded.closed_at / 1000
                    and excluded.closed_at % 1000 = 0, item.closed_at, excluded.closed_at),
            merged_at = iif(item.merged_at / 1000 = excluded.merged_at / 1000
                    and excluded.merged_at % 1000 = 0, item.merged_at, excluded.merged_at),
            notes_read_at = iif(item.updated_at / 1000 = excluded.updated_at / 1000
                    and item.notes_count = excluded.notes_count
                    and substr(item.fingerprint, 11) = substr(excluded.fingerprint, 11),
                item.notes_read_at, null),
            notes_count = excluded.notes_count,
            fingerprint = excluded.fingerprint, seen_run = excluded.seen_run,
            read_at = excluded.read_at,
            relations_shown = max(excluded.relations_shown,
                item.relations_shown and item.updated_at / 1000 = excluded.updated_at / 1000)
        returning id as "id!", kind as "kind!", gitlab_id as "gitlab_id!""#,
        run.source.0,
        run.key,
        rows,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(query)?;
    let keys: BTreeMap<(i64, i64), ItemKey> =
        stored.iter().map(|row| ((row.kind, row.gitlab_id), ItemKey(row.id))).collect();
    let stored: Vec<i64> = stored.iter().map(|row| row.id).collect();
    let items: Vec<(ItemKey, &ItemWrite)> = items
        .iter()
        .filter_map(|w| {
            let id = (codes::kind_code(w.item.kind), w.item.id.get());
            keys.get(&id).map(|key| (*key, *w))
        })
        .collect();

    store_texts(write, &items, doing).await?;
    let tags: Vec<TagRow<'_>> =
        items.iter().flat_map(|(key, w)| TagRow::rows(key.0, &w.reading.tags)).collect();
    store_tags(write, &tags, &stored, doing).await?;
    let references: Vec<ReferenceRow<'_>> = items
        .iter()
        .flat_map(|(key, w)| ReferenceRow::rows(*key, &w.reading.references, false))
        .collect();
    store_references(write, &references, doing).await?;
    store_links(write, &links_of_texts(&items), doing).await?;
    Ok(keys)
}

/// Stores the descriptions of items.
async fn store_texts(
    write: &mut Write,
    items: &[(ItemKey, &ItemWrite)],
    doing: &'static str,
) -> Result<(), Error> {
    let mut packed = Packed::new();
    let rows: Vec<(i64, Span)> =
        items.iter().map(|(key, w)| (key.0, packed.push(&w.item.description))).collect();
    let (rows, bytes) = (codes::json(&rows), packed.bytes());
    sqlx::query!(
        "insert into item_text (item_id, description)
        select e.value ->> '$[0]', coalesce(
            substr(?2, e.value ->> '$[1].at', e.value ->> '$[1].bytes'), x'')
        from json_each(?1) as e
        where true
        on conflict (item_id) do update set description = excluded.description",
        rows,
        bytes,
    )
    .execute(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    Ok(())
}

/// Removes what was read out of the own texts of stored items, and the comments of those that have
/// none any more.
async fn forget_derived(
    write: &mut Write,
    stored: &[i64],
    uncommented: &[i64],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    if stored.is_empty() {
        return Ok(());
    }
    forget_links(write, stored, LinkOrigin::Texts, doing).await?;
    forget_links(write, uncommented, LinkOrigin::Notes, doing).await?;
    let (stored, uncommented) = (codes::json(stored), codes::json(uncommented));
    sqlx::query!(
        "delete from item_tag_evidence where item_id in (select value from json_each(?1))",
        stored,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    sqlx::query!("delete from item_tag where item_id in (select value from json_each(?1))", stored)
        .execute(&mut **write)
        .await
        .map_err(query)?;
    sqlx::query!(
        "delete from note where item_id in (select value from json_each(?1))",
        uncommented,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    // The digest is of comments that are stored.
    sqlx::query!(
        "update item set notes_fingerprint = null where id in (select value from json_each(?1))",
        uncommented,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    sqlx::query!(
        "delete from reference_evidence where item_id in (select value from json_each(?1))
        and (note_gitlab_id = 0 or note_gitlab_id not in
            (select n.gitlab_id from note as n where n.item_id = reference_evidence.item_id))",
        stored,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(())
}

/// Stores the evidence of the items' own tags, and lists their tags with those inherited.
async fn store_tags(
    write: &mut Write,
    tags: &[TagRow<'_>],
    items: &[i64],
    doing: &'static str,
) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    let ids = intern_distinct(write, tags, doing).await?;
    let evidence: Vec<_> = tags
        .iter()
        .filter_map(|row| {
            let tag = ids.get(&(row.key, row.match_key))?;
            let (spelling, text, rule) = (row.spelling, row.text, row.rule);
            Some((row.owner, tag, row.ordinal, spelling, row.via, row.location, text, rule))
        })
        .collect();
    let evidence = codes::json(&evidence);
    sqlx::query!(
        "with e as materialized (select value from json_each(?1))
        insert into item_tag_evidence
            (item_id, tag_id, ordinal, spelling, via, location, text, rule)
        select e.value ->> 0, e.value ->> 1, e.value ->> 2, e.value ->> 3, e.value ->> 4,
            e.value ->> 5, e.value ->> 6, e.value ->> 7
        from e",
        evidence,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    let items = codes::json(items);
    sqlx::query!(
        "insert into item_tag (tag_id, kind, updated_at, item_id, own, inherited)
        select tag_id, kind, updated_at, item_id, max(own), max(inherited) from (
            select e.tag_id, i.kind, i.updated_at, i.id as item_id, 1 as own, 0 as inherited
            from json_each(?1) as j join item as i on i.id = j.value
            join item_tag_evidence as e on e.item_id = i.id
            union all
            select h.tag_id, i.kind, i.updated_at, i.id, 0, 1
            from json_each(?1) as j join item as i on i.id = j.value
            join project_inheritance as h on h.project_id = i.project_id
        )
        group by tag_id, kind, updated_at, item_id",
        items,
    )
    .execute(&mut **write)
    .await
    .map_err(query)?;
    Ok(())
}

/// Makes sure that the tags of a page are in the dictionary, and returns their keys there. The same
/// few stand in hundreds of rows, so each is asked for once.
async fn intern_distinct<'a>(
    write: &mut Write,
    tags: &[TagRow<'a>],
    doing: &'static str,
) -> Result<BTreeMap<(&'a str, &'a str), i64>, Error> {
    let mut distinct: BTreeMap<(&'a str, &'a str), &TagRow<'a>> = BTreeMap::new();
    for tag in tags {
        let first = distinct.entry((tag.key, tag.match_key)).or_insert(tag);
        if tag.spelling < first.spelling {
            *first = tag;
        }
    }
    if distinct.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<&TagRow<'a>> = distinct.values().copied().collect();
    let rows = codes::json(&rows);
    intern_tags(write, &rows, doing).await?;
    let found = sqlx::query!(
        r#"select e.key + 0 as "place!: i64", t.id as "id!: i64" from json_each(?1) as e
        cross join tag as t on t.key = e.value ->> 'key'
            and t.match_key = e.value ->> 'match_key'"#,
        rows,
    )
    .fetch_all(&mut **write)
    .await
    .map_err(|source| Error::Query { doing, source })?;
    let names: Vec<(&'a str, &'a str)> = distinct.into_keys().collect();
    let known = found.into_iter().filter_map(|row| {
        let place = usize::try_from(row.place).ok()?;
        Some((*names.get(place)?, row.id))
    });
    Ok(known.collect())
}
