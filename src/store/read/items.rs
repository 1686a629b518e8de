//! Lists of items.

use jiff::Timestamp;

use super::Visibility;
use crate::model::ItemKind;
use crate::store::{Error, Store, codes};

/// An item as answers show it.
#[derive(Debug, Clone)]
pub struct ItemRow {
    /// The store's key.
    pub key: i64,
    /// Issue or merge request.
    pub kind: ItemKind,
    /// GitLab's id.
    pub id: i64,
    /// Number within the project.
    pub iid: i64,
    /// The project's key.
    pub project: i64,
    /// GitLab's id of the project.
    pub project_id: i64,
    /// The project's path.
    pub project_path: String,
    /// Address of the project's page.
    pub project_url: String,
    /// Title.
    pub title: String,
    /// State.
    pub state: String,
    /// Draft merge request.
    pub draft: bool,
    /// Confidential issue.
    pub confidential: bool,
    /// `issue`, `incident`, …; empty for merge requests.
    pub issue_type: String,
    /// Author's user name.
    pub author: String,
    /// Label titles.
    pub labels: Vec<String>,
    /// Source branch.
    pub source_branch: String,
    /// Address of its page.
    pub web_url: String,
    /// Creation.
    pub created_at: Timestamp,
    /// Last change.
    pub updated_at: Timestamp,
    /// Closing.
    pub closed_at: Option<Timestamp>,
    /// Merge.
    pub merged_at: Option<Timestamp>,
}

/// What to list the items of.
#[derive(Debug, Clone, Copy)]
pub enum Listing {
    /// A tag, by key, and one kind of item.
    Tag(i64, ItemKind),
    /// A reference, by key, and one kind of item or both.
    Reference(i64, Option<ItemKind>),
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Last changed first.
    #[default]
    UpdatedDesc,
    /// Last changed last.
    UpdatedAsc,
    /// Newest first.
    CreatedDesc,
    /// Last merged first; what was not merged is left out.
    MergedDesc,
}

/// Where a page begins: after the item with this sort value and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemCursor {
    /// Milliseconds of the sorted instant.
    pub at: i64,
    /// The item's key.
    pub key: i64,
}

/// Which items of a list are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// One state.
    pub state: Option<String>,
    /// Changed at or after.
    pub updated_after: Option<Timestamp>,
    /// Changed at or before.
    pub updated_before: Option<Timestamp>,
    /// Merged at or after.
    pub merged_after: Option<Timestamp>,
    /// Merged at or before.
    pub merged_before: Option<Timestamp>,
    /// Carrying this label.
    pub label: Option<String>,
    /// Written by this user.
    pub author: Option<String>,
    /// Carrying all of these tags, as keys; a key that is no tag's admits nothing.
    pub tags: Vec<i64>,
    /// Only items that carry the listed tag themselves.
    pub own_only: bool,
}

struct Row {
    key: i64,
    kind: i64,
    id: i64,
    iid: i64,
    project: i64,
    project_id: i64,
    project_path: String,
    project_url: String,
    title: String,
    state: String,
    draft: bool,
    confidential: bool,
    issue_type: String,
    author: String,
    labels: String,
    source_branch: String,
    web_url: String,
    created_at: i64,
    updated_at: i64,
    closed_at: Option<i64>,
    merged_at: Option<i64>,
}

impl From<Row> for ItemRow {
    fn from(row: Row) -> Self {
        Self {
            key: row.key,
            kind: codes::kind_of(row.kind),
            id: row.id,
            iid: row.iid,
            project: row.project,
            project_id: row.project_id,
            project_path: row.project_path,
            project_url: row.project_url,
            title: row.title,
            state: row.state,
            draft: row.draft,
            confidential: row.confidential,
            issue_type: row.issue_type,
            author: row.author,
            labels: serde_json::from_str(&row.labels).unwrap_or_default(),
            source_branch: row.source_branch,
            web_url: row.web_url,
            created_at: codes::instant(row.created_at),
            updated_at: codes::instant(row.updated_at),
            closed_at: row.closed_at.map(codes::instant),
            merged_at: row.merged_at.map(codes::instant),
        }
    }
}

/// Reads items: `$from` says of what, `$order` from where and in which order. Parameters: ?1 the
/// tag or reference, ?2 kind, ?3 and ?4 cursor, ?5 limit, the rest filters and visibility.
macro_rules! items {
    ($from:literal, $order:literal, $p:ident) => {
        sqlx::query_as!(
            Row,
            r#"select i.id as "key!: i64", i.kind as "kind!: i64", i.gitlab_id as "id!: i64",
                i.iid as "iid!: i64", i.project_id as "project!: i64",
                p.gitlab_id as "project_id!: i64", p.path as "project_path!: String",
                p.web_url as "project_url!: String", i.title as "title!: String",
                i.state as "state!: String", i.draft as "draft!: bool",
                i.confidential as "confidential!: bool", i.issue_type as "issue_type!: String",
                i.author as "author!: String", i.labels as "labels!: String",
                i.source_branch as "source_branch!: String", i.web_url as "web_url!: String",
                i.created_at as "created_at!: i64", i.updated_at as "updated_at!: i64",
                i.closed_at as "closed_at?: i64", i.merged_at as "merged_at?: i64" "#
                + $from
                + " and (?6 is null or i.state = ?6)
                and g.updated_at >= ?7 and g.updated_at <= ?8
                and (?9 is null or i.merged_at >= ?9) and (?10 is null or i.merged_at <= ?10)
                and (?11 is null or exists
                    (select 1 from json_each(i.labels) as l where l.value = ?11))
                and (?12 is null or i.author = ?12)
                and not exists (select 1 from json_each(?13) as w where not exists
                    (select 1 from item_tag as t where t.item_id = i.id and t.tag_id = w.value))
                and (?14 or i.confidential = 0)
                and (?15 is null or i.project_id in (select value from json_each(?15))) "
                + $order,
            $p.of,
            $p.kind,
            $p.at,
            $p.key,
            $p.limit,
            $p.state,
            $p.updated_after,
            $p.updated_before,
            $p.merged_after,
            $p.merged_before,
            $p.label,
            $p.author,
            $p.tags,
            $p.confidential,
            $p.projects,
            $p.own_only
        )
    };
}

macro_rules! of_tag {
    ($order:literal, $p:ident) => {
        items!(
            "from item_tag as g join item as i on i.id = g.item_id
            join project as p on p.id = i.project_id
            where g.tag_id = ?1 and g.kind = ?2 and (not ?16 or g.own = 1)",
            $order,
            $p
        )
    };
}

macro_rules! of_reference {
    ($order:literal, $p:ident) => {
        items!(
            "from item_reference as g join item as i on i.id = g.item_id
            join project as p on p.id = i.project_id
            where g.reference_id = ?1 and (?2 is null or g.kind = ?2)
            and (?14 or g.internal = 0) and ?16 is not null",
            $order,
            $p
        )
    };
}

/// The parameters of [`items`], in the types of SQLite.
struct Parameters {
    of: i64,
    kind: Option<i64>,
    at: i64,
    key: i64,
    limit: i64,
    state: Option<String>,
    updated_after: i64,
    updated_before: i64,
    merged_after: Option<i64>,
    merged_before: Option<i64>,
    label: Option<String>,
    author: Option<String>,
    tags: String,
    confidential: bool,
    projects: Option<String>,
    own_only: bool,
}

impl Parameters {
    fn new(
        listing: Listing,
        filter: &Filter,
        sort: Sort,
        cursor: Option<ItemCursor>,
        limit: i64,
        visibility: &Visibility,
    ) -> Self {
        let (of, kind) = match listing {
            Listing::Tag(tag, kind) => (tag, Some(codes::kind_code(kind))),
            Listing::Reference(reference, kind) => (reference, kind.map(codes::kind_code)),
        };
        let start = match sort {
            Sort::UpdatedAsc => ItemCursor { at: i64::MIN, key: i64::MIN },
            Sort::UpdatedDesc | Sort::CreatedDesc | Sort::MergedDesc => {
                ItemCursor { at: i64::MAX, key: i64::MAX }
            }
        };
        let cursor = cursor.unwrap_or(start);
        let millis = |at: Option<Timestamp>| at.map(Timestamp::as_millisecond);
        Self {
            of,
            kind,
            at: cursor.at,
            key: cursor.key,
            limit,
            state: filter.state.clone(),
            updated_after: millis(filter.updated_after).unwrap_or(i64::MIN),
            updated_before: millis(filter.updated_before).unwrap_or(i64::MAX),
            merged_after: millis(filter.merged_after),
            merged_before: millis(filter.merged_before),
            label: filter.label.clone(),
            author: filter.author.clone(),
            tags: codes::json(&filter.tags),
            confidential: visibility.confidential,
            projects: visibility.projects.clone(),
            own_only: filter.own_only,
        }
    }
}

impl ItemRow {
    /// Returns the cursor of a page that begins after this item.
    pub fn cursor(&self, sort: Sort) -> ItemCursor {
        let at = match sort {
            Sort::UpdatedDesc | Sort::UpdatedAsc => self.updated_at,
            Sort::CreatedDesc => self.created_at,
            Sort::MergedDesc => self.merged_at.unwrap_or(self.updated_at),
        };
        ItemCursor { at: at.as_millisecond(), key: self.key }
    }
}

impl Store {
    /// Lists items, `limit` at most.
    pub async fn list_items(
        &self,
        listing: Listing,
        filter: &Filter,
        sort: Sort,
        cursor: Option<ItemCursor>,
        limit: i64,
        visibility: &Visibility,
    ) -> Result<Vec<ItemRow>, Error> {
        let p = Parameters::new(listing, filter, sort, cursor, limit, visibility);
        let rows = match (listing, sort) {
            (Listing::Tag(..), Sort::UpdatedDesc) => {
                of_tag!(
                    "and (g.updated_at, g.item_id) < (?3, ?4)
                    order by g.updated_at desc, g.item_id desc limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Tag(..), Sort::UpdatedAsc) => {
                of_tag!(
                    "and (g.updated_at, g.item_id) > (?3, ?4)
                    order by g.updated_at, g.item_id limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Tag(..), Sort::CreatedDesc) => {
                of_tag!(
                    "and (i.created_at, i.id) < (?3, ?4)
                    order by i.created_at desc, i.id desc limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Tag(..), Sort::MergedDesc) => {
                of_tag!(
                    "and i.merged_at is not null and (i.merged_at, i.id) < (?3, ?4)
                    order by i.merged_at desc, i.id desc limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Reference(..), Sort::UpdatedDesc) => {
                of_reference!(
                    "and (g.updated_at, g.item_id) < (?3, ?4)
                    order by g.updated_at desc, g.item_id desc limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Reference(..), Sort::UpdatedAsc) => {
                of_reference!(
                    "and (g.updated_at, g.item_id) > (?3, ?4)
                    order by g.updated_at, g.item_id limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Reference(..), Sort::CreatedDesc) => {
                of_reference!(
                    "and (i.created_at, i.id) < (?3, ?4)
                    order by i.created_at desc, i.id desc limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
            (Listing::Reference(..), Sort::MergedDesc) => {
                of_reference!(
                    "and i.merged_at is not null and (i.merged_at, i.id) < (?3, ?4)
                    order by i.merged_at desc, i.id desc limit ?5",
                    p
                )
                .fetch_all(&self.reader)
                .await
            }
        };
        rows.map(|rows| rows.into_iter().map(ItemRow::from).collect())
            .map_err(|source| Error::Query { doing: "listing items", source })
    }

    /// Finds one item by its project's key, kind and number.
    pub async fn find_item(
        &self,
        project: i64,
        kind: ItemKind,
        iid: i64,
        visibility: &Visibility,
    ) -> Result<Option<ItemRow>, Error> {
        let kind = codes::kind_code(kind);
        sqlx::query_as!(
            Row,
            r#"select i.id as "key!: i64", i.kind as "kind!: i64", i.gitlab_id as "id!: i64",
                i.iid as "iid!: i64", i.project_id as "project!: i64",
                p.gitlab_id as "project_id!: i64", p.path as "project_path!: String",
                p.web_url as "project_url!: String", i.title as "title!: String",
                i.state as "state!: String", i.draft as "draft!: bool",
                i.confidential as "confidential!: bool", i.issue_type as "issue_type!: String",
                i.author as "author!: String", i.labels as "labels!: String",
                i.source_branch as "source_branch!: String", i.web_url as "web_url!: String",
                i.created_at as "created_at!: i64", i.updated_at as "updated_at!: i64",
                i.closed_at as "closed_at?: i64", i.merged_at as "merged_at?: i64"
            from item as i join project as p on p.id = i.project_id
            where i.project_id = ?1 and i.kind = ?2 and i.iid = ?3
            and (?4 or i.confidential = 0)
            and (?5 is null or i.project_id in (select value from json_each(?5)))"#,
            project,
            kind,
            iid,
            visibility.confidential,
            visibility.projects,
        )
        .fetch_optional(&self.reader)
        .await
        .map(|row| row.map(ItemRow::from))
        .map_err(|source| Error::Query { doing: "looking up an item", source })
    }
}
