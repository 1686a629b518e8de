//! The server-side cache of the merge request lists of projects.
//!
//! GitLab keeps the rendered rows of these lists for up to eight hours, by row, its `updated_at`,
//! labels, assignees and the user who asks. What does not move `updated_at`, such as a comment
//! within a minute of the last change, can therefore stay unseen that long. Only the number of
//! comments can get old here: everything else that the rows show moves the key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::world::{LabelId, MergeRequest, UserId};

/// How long a row is kept.
const LIFETIME: SignedDuration = SignedDuration::from_hours(8);

/// How many rows are kept at most, some 20 MB. When it is full everything is forgotten, as after a
/// restart of the cache.
const CAPACITY: usize = 100_000;

/// The numbers of comments as they were shown.
#[derive(Debug, Default)]
pub(crate) struct Stale(Mutex<HashMap<(Option<UserId>, u64), Kept>>);

#[derive(Debug)]
struct Kept {
    updated_at: Timestamp,
    labels: Box<[LabelId]>,
    assignees: Box<[UserId]>,
    since: Timestamp,
    count: usize,
}

impl Stale {
    /// Returns the number of comments that the list shows a user: that of the kept row while it
    /// lasts, or the present one, which is kept from now on.
    pub(super) fn count(
        &self,
        user: Option<UserId>,
        row: &MergeRequest,
        now: Timestamp,
        count: usize,
    ) -> usize {
        let item = &row.item;
        let mut rows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = rows.get(&(user, item.id))
            && kept.updated_at == item.updated_at
            && *kept.labels == *item.labels
            && *kept.assignees == *item.assignees
            && now.duration_since(kept.since) < LIFETIME
        {
            return kept.count;
        }
        if rows.len() >= CAPACITY {
            rows.clear();
        }
        rows.insert(
            (user, item.id),
            Kept {
                updated_at: item.updated_at,
                labels: item.labels.as_slice().into(),
                assignees: item.assignees.as_slice().into(),
                since: now,
                count,
            },
        );
        count
    }
}
