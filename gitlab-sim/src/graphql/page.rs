//! Connections: a page of rows, found by keyset.
//!
//! A cursor holds the sort value and the id of its row, so a page starts behind that place even when
//! the row has moved or gone, and what changes meanwhile never shifts it. Rows with equal sort
//! values come by falling id, whatever the direction, as in the REST interface.

use std::cmp::Ordering;
use std::sync::Arc;

use async_graphql::{Error, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::args::Args;
use super::node::{Node, Out};

/// The largest page, and the page that is served when no size is asked for.
pub(super) const PAGE_MAXIMUM: u64 = 100;

/// What rows are sorted by, before their id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Key {
    /// A number, or a time in microseconds.
    Number(i64),
    /// A text.
    Text(String),
    /// Nothing: such rows come last in either direction.
    Nothing(()),
}

impl Key {
    /// Makes a key of a time that may be missing.
    pub(super) fn time(time: Option<jiff::Timestamp>) -> Self {
        time.map_or(Self::Nothing(()), |time| Self::Number(time.as_microsecond()))
    }
}

/// The direction of keys and of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Direction {
    /// True when keys fall.
    pub(super) falling: bool,
    /// True when ids fall among equal keys.
    pub(super) falling_ids: bool,
}

impl Direction {
    /// The order of lists of items: ids fall in either direction.
    pub(super) const fn items(falling: bool) -> Self {
        Self { falling, falling_ids: true }
    }

    /// Rising keys and ids.
    pub(super) const RISING: Self = Self { falling: false, falling_ids: false };

    /// Tells which of two places comes first.
    pub(super) fn compare(self, a: &Place, b: &Place) -> Ordering {
        let missing = |place: &Place| place.key == Key::Nothing(());
        let directed = |ordering: Ordering, falling: bool| {
            if falling { ordering.reverse() } else { ordering }
        };
        missing(a)
            .cmp(&missing(b))
            .then_with(|| directed(a.key.cmp(&b.key), self.falling))
            .then_with(|| directed(a.id.cmp(&b.id), self.falling_ids))
    }
}

/// Where a row stands in its list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The sort value.
    #[serde(rename = "key")]
    pub(super) key: Key,
    /// The id.
    pub(super) id: u64,
}

impl Place {
    pub(super) fn new(key: Key, id: u64) -> Self {
        Self { key, id }
    }

    fn cursor(&self) -> String {
        let text = serde_json::to_string(self).expect("a place has text keys only");
        STANDARD.encode(text)
    }

    fn read(cursor: &str) -> Result<Self, Error> {
        STANDARD
            .decode(cursor)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .ok_or_else(|| Error::new("Please provide a valid cursor"))
    }
}

/// One page of a connection.
#[derive(Debug)]
pub(super) struct Page {
    rows: Vec<(Place, Node)>,
    count: usize,
    has_next: bool,
    has_previous: bool,
}

/// Which page is asked for.
#[derive(Debug)]
pub(super) struct Paging {
    first: Option<usize>,
    /// The size of a page from the end.
    pub(super) last: Option<usize>,
    /// Where the page begins.
    pub(super) after: Option<Place>,
    /// Where the page ends.
    pub(super) before: Option<Place>,
}

impl Paging {
    /// Reads the arguments that all connections have.
    pub(super) fn read(args: Args<'_>) -> Result<Self, Error> {
        let (first, last) = (args.count("first"), args.count("last"));
        if first.is_some() && last.is_some() {
            return Err(Error::new("Can only provide either `first` or `last`, not both"));
        }
        let after = args.filled("after").map(Place::read).transpose()?;
        let before = args.filled("before").map(Place::read).transpose()?;
        Ok(Self { first, last, after, before })
    }

    /// Returns how many rows the page has at most.
    pub(super) fn size(&self) -> usize {
        let maximum = usize::try_from(PAGE_MAXIMUM).unwrap_or(usize::MAX);
        self.first.or(self.last).unwrap_or(maximum).min(maximum)
    }
}

/// Makes a page of rows that are in order, of a list whose rows nobody asked to count.
pub(super) fn finish<T>(
    rows: Vec<(Place, T)>,
    node: impl Fn(T) -> Option<Node>,
    has_next: bool,
    has_previous: bool,
) -> Out {
    let rows: Vec<_> =
        rows.into_iter().filter_map(|(place, row)| Some((place, node(row)?))).collect();
    Out::Node(Node::Page(Arc::new(Page { count: rows.len(), rows, has_next, has_previous })))
}

/// Cuts a page out of rows in any order. Only the rows of the page are made into nodes.
pub(super) fn connect<T>(
    args: Args<'_>,
    direction: Direction,
    mut rows: Vec<(Place, T)>,
    node: impl Fn(T) -> Option<Node>,
) -> Result<Out, Error> {
    let paging = Paging::read(args)?;
    let size = paging.size();
    let Paging { last, after, before, .. } = paging;
    let count = rows.len();
    let order = |a: &Place, b: &Place| direction.compare(a, b);
    rows.retain(|(place, _)| {
        after.as_ref().is_none_or(|after| order(place, after) == Ordering::Greater)
            && before.as_ref().is_none_or(|before| order(place, before) == Ordering::Less)
    });
    let more = rows.len() > size;
    if more && last.is_some() {
        let cut = rows.len() - size;
        if size > 0 {
            rows.select_nth_unstable_by(cut, |a, b| order(&a.0, &b.0));
        }
        rows.drain(..cut);
    } else if more {
        rows.select_nth_unstable_by(size, |a, b| order(&a.0, &b.0));
        rows.truncate(size);
    }
    rows.sort_unstable_by(|a, b| order(&a.0, &b.0));
    let page = Page {
        count,
        has_next: before.is_some() || (last.is_none() && more),
        has_previous: after.is_some() || (last.is_some() && more),
        rows: rows.into_iter().filter_map(|(place, row)| Some((place, node(row)?))).collect(),
    };
    Ok(Out::Node(Node::Page(Arc::new(page))))
}

/// Makes a connection of rows that are already in order, by their position.
pub(super) fn list(args: Args<'_>, nodes: Vec<Node>) -> Result<Out, Error> {
    let rows = nodes
        .into_iter()
        .zip(0_u64..)
        .map(|(node, index)| (Place::new(Key::Number(0), index), node))
        .collect();
    connect(args, Direction::RISING, rows, Some)
}

impl Page {
    /// Answers a field of the connection.
    pub(super) fn field(self: &Arc<Self>, name: &str) -> Out {
        match name {
            "nodes" => Out::Nodes(self.rows.iter().map(|(_, node)| node.clone()).collect()),
            "edges" => Out::Nodes(
                (0..self.rows.len()).map(|index| Node::Edge(Arc::clone(self), index)).collect(),
            ),
            "pageInfo" => Out::Node(Node::PageInfo(Arc::clone(self))),
            "count" => Out::Value(self.count.into()),
            _ => Out::Unknown,
        }
    }

    /// Answers a field of `pageInfo`.
    pub(super) fn info(&self, name: &str) -> Out {
        let cursor = |row: Option<&(Place, Node)>| {
            Out::Value(row.map_or(Value::Null, |(place, _)| place.cursor().into()))
        };
        match name {
            "startCursor" => cursor(self.rows.first()),
            "endCursor" => cursor(self.rows.last()),
            "hasNextPage" => Out::Value(self.has_next.into()),
            "hasPreviousPage" => Out::Value(self.has_previous.into()),
            _ => Out::Unknown,
        }
    }

    /// Answers a field of an edge.
    pub(super) fn edge(&self, index: usize, name: &str) -> Out {
        let Some((place, node)) = self.rows.get(index) else {
            return Out::NULL;
        };
        match name {
            "node" => Out::Node(node.clone()),
            "cursor" => Out::Value(place.cursor().into()),
            _ => Out::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_keys_come_by_falling_id_and_missing_keys_last() {
        let rising = Direction::items(false);
        let place =
            |key: Option<i64>, id| Place::new(key.map_or(Key::Nothing(()), Key::Number), id);
        for direction in [rising, Direction::items(true)] {
            assert_eq!(
                direction.compare(&place(Some(5), 2), &place(Some(5), 1)),
                Ordering::Less,
                "the higher id first"
            );
            assert_eq!(direction.compare(&place(None, 9), &place(Some(5), 1)), Ordering::Greater);
        }
        assert_eq!(rising.compare(&place(Some(4), 1), &place(Some(5), 2)), Ordering::Less);
    }

    #[test]
    fn cursors_survive_the_way_to_the_client_and_back() {
        for key in [Key::Number(-3), Key::Text("ä\"".to_owned()), Key::Nothing(())] {
            let place = Place::new(key, 7);
            assert_eq!(Place::read(&place.cursor()).unwrap(), place);
        }
        for wrong in ["", "x", "bm9wZQ==", "e30="] {
            assert!(Place::read(wrong).is_err(), "{wrong}");
        }
    }
}
