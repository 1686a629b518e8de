//! How an item stands to others, from both ends.
//!
//! The far end is looked up here: by GitLab's id, by the project's id and the number, or by path
//! and number. A path that a project has now counts before one that another had. Of relations
//! GitLab's fields are believed before its notes, where they show all that an item has.

use std::collections::BTreeMap;

use super::Visibility;
use crate::correlate::links::Direction;
use crate::model::LinkKind;
use crate::store::{Error, LinkOrigin, Store};

/// A link between two items of the index, as seen from one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkRow {
    /// How the one stands to the other.
    pub kind: LinkKind,
    /// Outward where the near item stands so to the other. What is the same from both ends, or
    /// has a word for each end, is always outward.
    pub direction: Direction,
    /// The store's key of the other.
    pub other: i64,
    /// The surest place where it was read.
    pub origin: LinkOrigin,
}

impl Store {
    /// Lists the links of an item in both directions, each once. Other ends that are not in the
    /// index, or that the asker may not see, are left out, and so is what only an internal comment
    /// says to those who may not see it.
    pub async fn list_links(
        &self,
        item: i64,
        visibility: &Visibility,
    ) -> Result<Vec<LinkRow>, Error> {
        let projects = visibility.projects.as_deref();
        // `cross join` keeps the order: from the links of one item to the items at their far ends.
        let rows = sqlx::query!(
            r#"with
            near as (
                select i.id, i.source_id, i.project_id, i.kind, i.gitlab_id, i.iid,
                    i.relations_shown, p.gitlab_id as project_gitlab_id, lower(p.path) as path
                from item as i join project as p on p.id = i.project_id where i.id = ?1
            ),
            found (kind, inward, origin, internal, own, other) as (
                select l.kind, l.inward, l.origin, l.internal, 1, o.id
                from near as n cross join item_link as l on l.item_id = n.id
                cross join item as o on o.source_id = n.source_id and o.kind = l.target_kind
                    and o.gitlab_id = l.target_id
                union all
                select l.kind, l.inward, l.origin, l.internal, 1, o.id
                from near as n cross join item_link as l on l.item_id = n.id
                cross join project as p on p.source_id = n.source_id
                    and p.gitlab_id = l.target_project
                cross join item as o on o.project_id = p.id and o.kind = l.target_kind
                    and o.iid = l.target_iid
                union all
                select l.kind, l.inward, l.origin, l.internal, 1, o.id
                from near as n cross join item_link as l on l.item_id = n.id
                cross join project as p on lower(p.path) = lower(l.target_path)
                    and p.source_id = n.source_id
                cross join item as o on o.project_id = p.id and o.kind = l.target_kind
                    and o.iid = l.target_iid
                union all
                select l.kind, l.inward, l.origin, l.internal, 1, o.id
                from near as n cross join item_link as l on l.item_id = n.id
                cross join former_path as f on lower(f.path) = lower(l.target_path)
                cross join project as p on p.id = f.project_id and p.source_id = n.source_id
                cross join item as o on o.project_id = p.id and o.kind = l.target_kind
                    and o.iid = l.target_iid
                where not exists (select 1 from project as q
                    where lower(q.path) = lower(l.target_path) and q.source_id = n.source_id)
                union all
                select l.kind, 1 - l.inward, l.origin, l.internal, 0, l.item_id
                from near as n cross join item_link as l on l.target_id = n.gitlab_id
                    and l.target_kind = n.kind and l.target_id <> 0
                union all
                select l.kind, 1 - l.inward, l.origin, l.internal, 0, l.item_id
                from near as n cross join item_link as l on l.target_project = n.project_gitlab_id
                    and l.target_kind = n.kind and l.target_iid = n.iid and l.target_project <> 0
                union all
                select l.kind, 1 - l.inward, l.origin, l.internal, 0, l.item_id
                from near as n cross join item_link as l on l.target_path = n.path
                    and l.target_kind = n.kind and l.target_iid = n.iid and l.target_path <> ''
                union all
                select l.kind, 1 - l.inward, l.origin, l.internal, 0, l.item_id
                from near as n cross join former_path as f on f.project_id = n.project_id
                cross join item_link as l on l.target_path = lower(f.path)
                    and l.target_kind = n.kind and l.target_iid = n.iid and l.target_path <> ''
                where not exists (select 1 from project as q
                    where lower(q.path) = lower(f.path) and q.source_id = n.source_id
                    and q.id <> n.project_id)
            )
            select f.kind as "kind!: String", f.inward as "inward!: bool",
                f.origin as "origin!: i64", f.other as "other!: i64"
            from near as n cross join found as f cross join item as o on o.id = f.other
            where o.source_id = n.source_id and o.id <> n.id
            -- Who shows all its relations decides, whatever the other end and the notes say.
            and (f.kind not in ('relates_to', 'blocks', 'is_blocked_by')
                or (n.relations_shown = 0 and o.relations_shown = 0)
                or (f.origin = 0 and iif(f.own, n.relations_shown, o.relations_shown)))
            and (?2 or (o.confidential = 0 and f.internal = 0))
            and (?3 is null or o.project_id in (select value from json_each(?3)))"#,
            item,
            visibility.confidential,
            projects,
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|source| Error::Query { doing: "reading the links of an item", source })?;
        let mut links: BTreeMap<(LinkKind, Direction, i64), i64> = BTreeMap::new();
        for row in rows {
            let Some(kind) = LinkKind::parse(&row.kind) else { continue };
            let (kind, direction) = as_seen(kind, row.inward);
            let origin = links.entry((kind, direction, row.other)).or_insert(row.origin);
            *origin = row.origin.min(*origin);
        }
        let row = |((kind, direction, other), origin): ((LinkKind, Direction, i64), i64)| LinkRow {
            kind,
            direction,
            other,
            origin: LinkOrigin::of(origin),
        };
        Ok(links.into_iter().map(row).collect())
    }
}

/// Says a link from the near end where there is a word for it.
const fn as_seen(kind: LinkKind, inward: bool) -> (LinkKind, Direction) {
    match (kind, inward) {
        (kind, false) => (kind, Direction::Outward),
        (LinkKind::RelatesTo, true) => (LinkKind::RelatesTo, Direction::Outward),
        (LinkKind::Blocks, true) => (LinkKind::IsBlockedBy, Direction::Outward),
        (LinkKind::IsBlockedBy, true) => (LinkKind::Blocks, Direction::Outward),
        (
            LinkKind::Closes | LinkKind::Mentions | LinkKind::MovedTo | LinkKind::DuplicateOf,
            true,
        ) => (kind, Direction::Inward),
    }
}
