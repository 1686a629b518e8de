//! How small closed sets and instants are written in columns.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::ItemKind;

/// Returns the number that stands for a kind of item.
pub const fn kind_code(kind: ItemKind) -> i64 {
    match kind {
        ItemKind::Issue => 1,
        ItemKind::MergeRequest => 2,
    }
}

/// Returns the kind that a number stands for. The schema's CHECK admits no others.
pub const fn kind_of(code: i64) -> ItemKind {
    if code == 2 { ItemKind::MergeRequest } else { ItemKind::Issue }
}

/// Writes the rows of a batch as the JSON parameter in which they travel.
///
/// `json_each` writes the text of a row anew for each column that is taken out of it: statements
/// that take many keep the rows first (`with e as materialized`), which takes little more than half
/// of the time.
pub fn json<T: Serialize + ?Sized>(rows: &T) -> String {
    serde_json::to_string(rows).expect("rows hold only numbers, texts and lists of them")
}

/// Returns an instant from milliseconds since 1970; one out of range becomes the nearest.
pub fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
