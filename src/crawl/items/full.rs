//! The walk over all of a list: windows of creation time, read at the same time.
//!
//! Which window is read next, and when one is divided, is [`Windows`]'s to say; where each stands is
//! stored with every page, so a killed walk goes on with what is left.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use tokio::sync::Notify;

use super::reading::{Page, Reading, Span};
use super::stream_of;
use super::windows::{Task, Windows};
use crate::crawl::{Error, Event, go_on};
use crate::gitlab::ItemOrder;
use crate::store::{Moves, RootKey, StreamKind, Window};

/// A walk that is under way.
struct Walk {
    windows: Mutex<Windows>,
    /// Told when there may be something to do.
    news: Notify,
}

impl Walk {
    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.windows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One window that is being read.
struct InWindow<'a> {
    walk: &'a Walk,
    window: Window,
    root: RootKey,
    kind: StreamKind,
}

impl Span for InWindow<'_> {
    fn order(&self) -> ItemOrder {
        ItemOrder::Created
    }

    fn from(&self) -> Option<Timestamp> {
        // Without a bound where there is none: GitLab need not compare.
        (self.window.position > Timestamp::UNIX_EPOCH).then_some(self.window.position)
    }

    fn until(&self) -> Option<Timestamp> {
        self.walk.windows().upper(self.window.lower)
    }

    fn page(&self, page: &Page, position: Option<Timestamp>, done: bool) -> Moves {
        self.walk.windows().read(self.window.lower, page.times, page.items, done);
        self.walk.news.notify_waiters();
        Moves::Window {
            root: self.root,
            kind: self.kind,
            lower: self.window.lower,
            position: position.unwrap_or(self.window.position).max(self.window.position),
            done,
        }
    }
}

impl Reading<'_> {
    /// Walks over all of the list that is left, and says whether it was read to its end.
    pub(super) async fn walk_all(&self) -> Result<bool, Error> {
        let (crawler, kind) = (self.crawler, stream_of(self.kind));
        let stored = crawler.inner.store.list_windows(self.root.key, kind).await?;
        let readers = crawler.concurrency();
        let walk = Walk { windows: Mutex::new(Windows::new(stored, readers)), news: Notify::new() };
        crawler.inner.progress.event(Event::More(0));
        let each = (0..readers).map(|_| self.read_windows(&walk));
        let result = stream::iter(each).buffer_unordered(readers).try_collect::<()>().await;
        // Whoever waits for a page of one that failed would wait for ever.
        walk.news.notify_waiters();
        result?;
        Ok(walk.windows().is_whole())
    }

    /// Reads one window after the other, until there is none left.
    async fn read_windows(&self, walk: &Walk) -> Result<(), Error> {
        let kind = stream_of(self.kind);
        loop {
            go_on(self.stop)?;
            let news = walk.news.notified();
            tokio::pin!(news);
            // Before looking: news in between must not be missed.
            news.as_mut().enable();
            let task = walk.windows().take();
            let window = match task {
                Task::End => return Ok(()),
                Task::Wait => {
                    news.await;
                    continue;
                }
                Task::ReadPart { lower, part } => {
                    let store = &self.crawler.inner.store;
                    let split = store.split_window(self.root.key, kind, lower, part.lower).await;
                    if let Err(error) = split {
                        walk.windows().fail();
                        walk.news.notify_waiters();
                        return Err(error.into());
                    }
                    walk.windows().divided(lower, part);
                    part
                }
                Task::Read(window) => window,
            };
            let span = InWindow { walk, window, root: self.root.key, kind };
            let whole = self.read(&span).await;
            if !matches!(whole, Ok(true)) {
                walk.windows().fail();
            }
            walk.news.notify_waiters();
            whole?;
        }
    }
}
