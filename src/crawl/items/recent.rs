//! What changed in a list since its watermark.

use jiff::{SignedDuration, Timestamp};

use super::reading::{Page, Reading, Span};
use super::stream_of;
use crate::crawl::{Error, Event};
use crate::gitlab::ItemOrder;
use crate::store::{Moves, RootKey, StreamKind};

/// How much of what was read is read again: a change may be seen this much after it was made,
/// because it was not committed yet, or because a replica lags.
const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

/// How far before the watermark an item may lie whose comments are read a second time with the
/// page: as long as they may be due for it. What is due for longer is asked for by itself.
const SECOND_LOOK: SignedDuration = SignedDuration::from_mins(5);

/// What changes for so long after a walk began is read by it still. Without an end, a walk over a
/// list that changes faster than it is read would not end; the next one reads the rest.
const FOLLOWED: SignedDuration = SignedDuration::from_mins(1);

/// What changed since a time.
struct Since {
    from: Timestamp,
    until: Timestamp,
    began_at: Timestamp,
    root: RootKey,
    kind: StreamKind,
}

impl Span for Since {
    fn order(&self) -> ItemOrder {
        ItemOrder::Updated
    }

    fn from(&self) -> Option<Timestamp> {
        Some(self.from)
    }

    fn until(&self) -> Option<Timestamp> {
        Some(self.until)
    }

    fn page(&self, _: &Page, position: Option<Timestamp>, _: bool) -> Moves {
        match position {
            Some(to) => {
                Moves::Watermark { root: self.root, kind: self.kind, to: to.min(self.began_at) }
            }
            None => Moves::Nothing,
        }
    }
}

impl Reading<'_> {
    /// Reads what changed since the watermark, and says whether that was read to its end.
    pub(super) async fn read_recent(&self, watermark: Timestamp) -> Result<bool, Error> {
        let (crawler, kind) = (self.crawler, stream_of(self.kind));
        let began_at = crawler.gitlab_now();
        let earlier = |time: Timestamp, by| time.checked_sub(by).unwrap_or(time);
        let mut from = earlier(watermark, OVERLAP);
        if self.with_notes && crawler.inner.source.comments {
            let furthest = earlier(watermark, SECOND_LOOK);
            let due = crawler.inner.store.oldest_second_look(self.run.source, furthest).await?;
            from = due.map_or(from, |due| from.min(due));
        }
        let until = began_at.checked_add(FOLLOWED).unwrap_or(began_at);
        let span = Since { from, until, began_at, root: self.root.key, kind };
        crawler.inner.progress.event(Event::More(0));
        if !self.read(&span).await? {
            return Ok(false);
        }
        crawler.inner.store.end_of_list(self.root.key, kind, began_at, None).await?;
        Ok(true)
    }
}
