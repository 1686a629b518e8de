//! Pages of items without looking at all of them.
//!
//! A list by time of creation or change walks the orders that the world keeps, from the cursor on,
//! and stops when the page is full. It cannot do so where the client asks how many rows there are,
//! or for a page from the end: then everything is collected and sorted, with the same outcome.

use async_graphql::Error;

use super::args::Args;
use super::item::{Order, Span};
use super::node::{Look, Node, Out};
use super::page::{Key, Paging, Place, finish};
use crate::world::index::{Entry, Ordered};
use crate::world::{ItemKind, ItemRef, Project, ProjectId};

/// Fewer items than this are collected and sorted, which is quicker than to find them among all.
const COLLECTED: usize = 2_000;

/// Makes a page by walking, or nothing where that is not possible. `passes` tells whether a row of
/// a project is in the list, `node` makes what the row becomes.
pub(super) fn walk<'w>(
    look: &Look<'w>,
    args: Args<'_>,
    kind: ItemKind,
    (order, span): (&Order, Span),
    projects: &[&'w Project],
    passes: impl Fn(&'w Project, u64) -> bool,
    node: impl Fn(ItemRef) -> Option<Node>,
) -> Result<Option<Out>, Error> {
    let size = |project: &&Project| match kind {
        ItemKind::Issue => project.issues.len(),
        ItemKind::MergeRequest => project.merge_requests.len(),
    };
    if look.counts || projects.iter().map(size).sum::<usize>() < COLLECTED {
        return Ok(None);
    }
    let index = look.world.index(kind);
    let rows = match order.time() {
        Some("UPDATED") => &index.by_updated,
        Some("CREATED") => &index.by_created,
        _ => return Ok(None),
    };
    let paging = Paging::read(args)?;
    if paging.last.is_some() || paging.before.is_some() {
        return Ok(None);
    }
    let mut shown: Vec<(ProjectId, &Project)> =
        projects.iter().map(|project| (project.id, *project)).collect();
    shown.sort_unstable_by_key(|(id, _)| *id);
    let size = paging.size();
    let mut page = Vec::with_capacity(size + 1);
    for row in from_cursor(rows, order, span, paging.after.as_ref()) {
        let place = Place::new(Key::Number(row.at), row.id);
        if paging.after.as_ref().is_some_and(|after| order.direction.compare(&place, after).is_le())
        {
            continue;
        }
        let Ok(found) = shown.binary_search_by_key(&row.project, |(id, _)| *id) else {
            continue;
        };
        if !passes(shown[found].1, row.iid) {
            continue;
        }
        page.push((place, ItemRef { project: row.project, kind, iid: row.iid }));
        if page.len() > size {
            break;
        }
    }
    let more = page.len() > size;
    page.truncate(size);
    Ok(Some(finish(page, node, more, paging.after.is_some())))
}

/// Returns the rows of a list in its order, from the time of the cursor on.
fn from_cursor<'i>(
    rows: &'i Ordered,
    order: &Order,
    span: Span,
    after: Option<&Place>,
) -> Box<dyn Iterator<Item = &'i Entry> + 'i> {
    let mut from = span.0.map_or(Ordered::START, |at| rows.time_start(at.as_microsecond()));
    let mut to = span.1.map_or_else(|| rows.end(), |at| rows.time_end(at.as_microsecond()));
    let falling = order.direction.falling;
    match after.map(|place| &place.key) {
        Some(Key::Number(at)) if falling => to = to.min(rows.time_end(*at)),
        Some(Key::Number(at)) => from = from.max(rows.time_start(*at)),
        // A cursor of another list. Whatever is behind it is found row by row.
        Some(Key::Text(_) | Key::Nothing(())) | None => {}
    }
    rows.list(from.min(to), to, falling, 0)
}
