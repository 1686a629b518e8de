//! Items of a group or project with their first comments, and the rest of the comments of one.
//!
//! One query brings what REST brings in one request for the list and one more for the comments of
//! each item. Pages come in an order of time, oldest first; a cursor holds the place of its row, so
//! that a change under the walk never skips an item that stays where it was.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::document::{
    Document, GROUP_ISSUES, GROUP_ISSUES_ALONE, GROUP_MERGE_REQUESTS, ISSUE_NOTES,
    MERGE_REQUEST_NOTES, PROJECT_ISSUES, PROJECT_ISSUES_ALONE, PROJECT_MERGE_REQUESTS,
};
use super::global_id;
use super::links::{FIELDS, LinkFields};
use super::query::{Cost, Costed};
use super::reply::{Fetched, Partial, Step};
use super::row::{Connection, ItemRow, NoteRow, notes};
use super::trouble::GraphqlFailure;
use crate::gitlab::Error;
use crate::gitlab::client::Client;
use crate::gitlab::query::ItemOrder;
use crate::model::{Iid, Item, ItemId, ItemKind, Note};

/// How many comments come with an item. Most items have fewer.
pub(super) const FIRST_NOTES: u32 = 20;

/// Where items are listed, by full path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// A group with its subgroups.
    Group(&'a str),
    /// A project.
    Project(&'a str),
}

/// Which items are listed, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemsQuery<'a> {
    /// Issues or merge requests.
    pub kind: ItemKind,
    /// Where.
    pub place: Place<'a>,
    /// By which time they are ordered and bounded.
    pub order: ItemOrder,
    /// Only those whose time is this or later.
    pub from: Option<Timestamp>,
    /// Only those whose time is this or earlier.
    pub until: Option<Timestamp>,
    /// Only these numbers, all without any; for a project only.
    pub iids: &'a [Iid],
    /// At most so many.
    pub most: u32,
    /// Also those of archived projects; matters for a group only.
    pub archived: bool,
    /// Where the page begins; the first without.
    pub after: Option<&'a Cursor>,
}

impl<'a> ItemsQuery<'a> {
    /// Asks for all items of a place, in an order of time.
    pub const fn all(kind: ItemKind, place: Place<'a>, order: ItemOrder) -> Self {
        Self {
            kind,
            place,
            order,
            from: None,
            until: None,
            iids: &[],
            most: u32::MAX,
            archived: true,
            after: None,
        }
    }
}

/// Where a page begins. Means nothing outside the list it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(String);

/// A page of items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemPage {
    /// The items. Which of them failed is not always known.
    pub items: Vec<Fetched<ItemWithNotes>>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

/// An item with its first comments.
///
/// All its times are **whole seconds**, rounded down, where REST says milliseconds: see
/// [`ItemWithNotes::watermark`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemWithNotes {
    /// The item.
    pub item: Item,
    /// Its first comments, oldest first; `None` when GitLab did not show them.
    pub notes: Option<Vec<Note>>,
    /// Where the further ones begin, if there are any.
    pub more_notes: Option<Cursor>,
}

impl ItemWithNotes {
    /// Returns a time up to which a list was surely read when it ends with this item: a second
    /// before the item's own, whose fraction is not known.
    pub fn watermark(&self) -> Timestamp {
        let second = SignedDuration::from_secs(1);
        self.item.updated_at.checked_sub(second).unwrap_or(self.item.updated_at)
    }
}

/// A page of comments, in whole seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotePage {
    /// The comments, oldest first.
    pub notes: Vec<Note>,
    /// Where the next page begins, if there is one.
    pub next: Option<Cursor>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemsVariables<'a> {
    path: &'a str,
    first: u32,
    notes: u32,
    after: Option<&'a str>,
    sort: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_after: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_before: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iids: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    archived: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemsData {
    #[serde(default)]
    group: Option<Listed>,
    #[serde(default)]
    project: Option<Listed>,
    #[serde(default)]
    query_complexity: Cost,
}

#[derive(Debug, Deserialize)]
struct Listed {
    #[serde(default)]
    page: Option<Connection<ItemRow>>,
}

#[derive(Debug, Serialize)]
struct NotesVariables<'a> {
    id: String,
    first: u32,
    after: Option<&'a str>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct NotesData {
    #[serde(default)]
    item: Option<Noted>,
    #[serde(default)]
    query_complexity: Cost,
}

#[derive(Debug, Deserialize)]
struct Noted {
    #[serde(default)]
    notes: Option<Connection<NoteRow>>,
}

impl Costed for ItemsData {
    fn cost(&self) -> Option<(u64, u64)> {
        self.query_complexity.figures
    }
}

impl Costed for NotesData {
    fn cost(&self) -> Option<(u64, u64)> {
        self.query_complexity.figures
    }
}

impl Client {
    /// Lists a page of items with their first comments. The page is [`Fetched::Absent`] where the
    /// group or project is not shown.
    ///
    /// # Errors
    ///
    /// Any [`GraphqlFailure`].
    pub async fn items_page(
        &self,
        query: &ItemsQuery<'_>,
    ) -> Result<Fetched<ItemPage>, GraphqlFailure> {
        let (mut document, place, path) = match (query.kind, query.place) {
            (ItemKind::Issue, Place::Group(path)) => (GROUP_ISSUES, "group", path),
            (ItemKind::Issue, Place::Project(path)) => (PROJECT_ISSUES, "project", path),
            (ItemKind::MergeRequest, Place::Group(path)) => (GROUP_MERGE_REQUESTS, "group", path),
            (ItemKind::MergeRequest, Place::Project(path)) => {
                (PROJECT_MERGE_REQUESTS, "project", path)
            }
        };
        let archived = match query.place {
            Place::Group(_) => Some(query.archived),
            Place::Project(_) => None,
        };
        let span = (query.from, query.until);
        let (sort, updated, created) = match query.order {
            ItemOrder::Updated => ("UPDATED_ASC", span, (None, None)),
            ItemOrder::Created => ("CREATED_ASC", (None, None), span),
        };
        let iids = || query.iids.iter().map(ToString::to_string).collect::<Vec<_>>();
        let variables = |size: u32| ItemsVariables {
            path,
            first: size,
            notes: FIRST_NOTES,
            after: query.after.map(|cursor| cursor.0.as_str()),
            sort,
            updated_after: updated.0,
            updated_before: updated.1,
            created_after: created.0,
            created_before: created.1,
            iids: (!query.iids.is_empty()).then(iids),
            archived,
        };
        let alone = match (query.kind, query.place) {
            (ItemKind::Issue, Place::Group(_)) => Some(GROUP_ISSUES_ALONE),
            (ItemKind::Issue, Place::Project(_)) => Some(PROJECT_ISSUES_ALONE),
            (ItemKind::MergeRequest, Place::Group(_) | Place::Project(_)) => None,
        };
        let with_links = document.kind;
        let mut asked = self.ask_in_size::<ItemsData, _>(&document, query.most, &variables).await;
        // The fields of links may be what this GitLab does not know: the page is worth more.
        if let (Some(alone), Err(_)) = (alone, &asked)
            && self.graphql().off(with_links, self.now()).is_some()
        {
            document = alone;
            asked = self.ask_in_size(&document, query.most, &variables).await;
        }
        let (mut partial, _) = asked?;
        let steps = [Step::field(place), Step::field("page"), Step::field("nodes")];
        let listed = match query.place {
            Place::Group(_) => partial.data.group.take(),
            Place::Project(_) => partial.data.project.take(),
        };
        let Some(listed) = listed else {
            return Ok(match partial.failure_at(&steps[..1]) {
                Some(failure) => Fetched::Failed(failure.to_owned()),
                None => Fetched::Absent,
            });
        };
        let Some(Connection { nodes: Some(nodes), .. }) = &listed.page else {
            let failure = partial.failure_at(&steps).unwrap_or("the list is not shown");
            return Ok(Fetched::Failed(failure.to_owned()));
        };
        let rows = nodes.len();
        let next = next(listed.page.as_ref(), query.after, &document)?;
        let nodes = listed.page.and_then(|page| page.nodes).unwrap_or_default();
        let mut items = Vec::with_capacity(rows);
        for (index, row) in nodes.into_iter().enumerate() {
            let at = [&steps[..], &[Step::Index(index)]].concat();
            items.push(one(row, query.kind, &partial, &at));
        }
        Ok(Fetched::Whole(ItemPage { items, next }))
    }

    /// Lists a page of comments on an item, oldest first.
    ///
    /// # Errors
    ///
    /// Any [`GraphqlFailure`].
    pub async fn notes_page(
        &self,
        kind: ItemKind,
        id: ItemId,
        after: Option<&Cursor>,
    ) -> Result<Fetched<NotePage>, GraphqlFailure> {
        let (document, class) = match kind {
            ItemKind::Issue => (ISSUE_NOTES, "Issue"),
            ItemKind::MergeRequest => (MERGE_REQUEST_NOTES, "MergeRequest"),
        };
        let variables = |size: u32| NotesVariables {
            id: global_id::write(class, id.get()),
            first: size,
            after: after.map(|cursor| cursor.0.as_str()),
        };
        let (mut partial, _) =
            self.ask_in_size::<NotesData, _>(&document, u32::MAX, variables).await?;
        let item = partial.data.item.take();
        if let Some(failure) = partial.failure_at(&[Step::field("item")]) {
            return Ok(Fetched::Failed(failure.to_owned()));
        }
        let Some(item) = item else { return Ok(Fetched::Absent) };
        let next = next(item.notes.as_ref(), after, &document)?;
        Ok(match notes(item.notes.and_then(|page| page.nodes)) {
            Some(notes) => Fetched::Whole(NotePage { notes, next }),
            None => Fetched::Failed("the comments are not shown".to_owned()),
        })
    }
}

/// Returns where the next page begins. One that leads back, or nowhere, is an error: to stop there
/// would pass a part of the list for all of it.
fn next<T>(
    page: Option<&Connection<T>>,
    after: Option<&Cursor>,
    document: &Document,
) -> Result<Option<Cursor>, GraphqlFailure> {
    let Some(page) = page.filter(|page| page.has_more()) else { return Ok(None) };
    match page.next() {
        Some(cursor) if after.is_none_or(|after| after.0 != cursor) => {
            Ok(Some(Cursor(cursor.to_owned())))
        }
        Some(_) | None => {
            let path = format!("/api/graphql, {}", document.name);
            Err(GraphqlFailure::Client { source: Error::LoopingLink { path } })
        }
    }
}

/// Says what became of one row. Comments and links that failed leave the item whole.
fn one(
    row: Option<ItemRow>,
    kind: ItemKind,
    partial: &Partial<ItemsData>,
    at: &[Step],
) -> Fetched<ItemWithNotes> {
    let at_notes = [at, &[Step::field("notes")]].concat();
    let of_notes = |path: &[Step]| path.starts_with(&at_notes);
    let of_links =
        |path: &[Step]| FIELDS.iter().any(|name| path.get(at.len()) == Some(&Step::field(name)));
    let concerned = partial.failed.iter().filter(|failed| {
        let shorter = failed.path.len().min(at.len());
        failed.path[..shorter] == at[..shorter]
    });
    let (mut without_notes, mut without_links) = (false, false);
    for failed in concerned {
        if of_links(&failed.path) {
            without_links = true;
        } else if of_notes(&failed.path) {
            without_notes = true;
        } else {
            return Fetched::Failed(failed.message.clone());
        }
    }
    let Some(mut row) = row else { return Fetched::Absent };
    if without_links {
        row.links = LinkFields::default();
    }
    let page = row.notes.take().filter(|_| !without_notes);
    let more_notes = page.as_ref().and_then(|page| page.next()).map(|next| Cursor(next.to_owned()));
    let endless =
        page.as_ref().is_some_and(super::row::Connection::has_more) && more_notes.is_none();
    let notes = page.filter(|_| !endless).and_then(|page| notes(page.nodes));
    match row.into_item(kind) {
        Ok(item) => Fetched::Whole(ItemWithNotes { item, notes, more_notes }),
        Err(what) => Fetched::Failed(what.to_owned()),
    }
}
