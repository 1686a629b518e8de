//! The questions one can ask, whatever the face that asks them.
//!
//! HTTP, the command line and later the page and ToolJump ask here and show what they get, so the
//! same question has one answer. The answer types are the bodies: a second set of types between
//! them could only make the faces differ (ADR 3).
//!
//! A question takes a [`Viewer`]; what the viewer may not see is neither shown nor counted. Every
//! answer carries its age. Nothing here calls GitLab, and all SQL is the store's.
//!
//! - [`Lookup::names`], [`Lookup::name`] and the lists of a name: services, teams, any key.
//! - [`Lookup::mentions_in`], [`Lookup::mentions_of`]: references.
//! - [`Lookup::project`], [`Lookup::owners`]: projects and CODEOWNERS.
//! - [`Lookup::resolve`]: anything a person may paste.

mod answer;
mod crawls;
mod hydrate;
mod input;
mod live;
mod names;
mod projects;
mod references;
mod resolve;
mod streams;

use std::sync::Arc;

use jiff::Timestamp;

use crate::correlate::Reader;
use crate::store::Store;
use crate::store::read::{SourceRow, Visibility};

pub use crate::store::read::{ItemCursor, Sort};
pub use answer::*;
pub use input::Input;
pub use live::{
    BudgetStatus, BudgetWindow, CrawlState, EndedSync, GitLabStatus, LearntLimit, Live, TokenScope,
    TokenStatus, UnavailablePart, WebhookStatus,
};
pub use names::ItemQuery;
pub use streams::{StreamGap, StreamState, StreamStatus};

/// What can go wrong with a question.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error("the index could not be read")]
    Store(#[from] crate::store::Error),
    /// The question makes no sense.
    #[error("{0}")]
    Question(String),
}

/// Who asks, and so what may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Viewer {
    /// Confidential issues and internal comments may be shown.
    pub confidential: bool,
    /// Only projects of these groups may be shown; `None` for all.
    pub groups: Option<Vec<String>>,
}

/// How many rows a list gives unless asked otherwise.
pub const DEFAULT_LIMIT: usize = 50;

/// How many rows a list gives at most.
pub const MAX_LIMIT: usize = 200;

/// The read side of an index.
#[derive(Debug, Clone)]
pub struct Lookup {
    store: Store,
    reader: Arc<Reader>,
    sources: Vec<String>,
}

impl Lookup {
    /// Makes the read side. `reader` reads what people paste, by the same rules as the index was
    /// made with; `sources` are the names of the configured sources, none of which must be missing
    /// from the index for it to be complete.
    pub fn new(store: Store, reader: Arc<Reader>, sources: Vec<String>) -> Self {
        Self { store, reader, sources }
    }

    /// Returns a number that changes whenever an answer may.
    pub async fn generation(&self) -> Result<i64, Error> {
        Ok(self.store.generation().await?)
    }

    /// Returns how old and how whole the index is.
    pub async fn freshness(&self) -> Result<Freshness, Error> {
        Ok(freshness(&self.store.list_sources().await?, &self.sources))
    }

    async fn visibility(&self, viewer: &Viewer) -> Result<Visibility, Error> {
        Ok(self.store.visibility(viewer.confidential, viewer.groups.as_deref()).await?)
    }
}

/// How old and how whole an index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// The oldest sync among the sources; `None` while one has never been read.
    pub as_of: Option<Timestamp>,
    /// False while a first sync runs, or when a part could not be read in the latest.
    pub complete: bool,
}

fn freshness(rows: &[SourceRow], configured: &[String]) -> Freshness {
    let missing = configured.iter().any(|name| rows.iter().all(|row| row.name != *name));
    let unread = rows.is_empty() || missing || rows.iter().any(|row| row.synced_at.is_none());
    let as_of = if unread { None } else { rows.iter().filter_map(|row| row.synced_at).min() };
    let complete = !unread
        && rows.iter().all(|row| row.outcome == "complete" && row.complete_at == row.synced_at);
    Freshness { as_of, complete }
}

#[cfg(test)]
mod tests;
