//! How small closed sets and instants are written in columns.

use jiff::Timestamp;

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

/// Returns an instant from milliseconds since 1970; one out of range becomes the nearest.
pub fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(if millis < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}
