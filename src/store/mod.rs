//! The index in SQLite: the only place that knows which database it is.
//!
//! The store speaks in [`crate::model`]'s types and in keys of its own; it knows nothing of GitLab
//! and asks no questions of its own. Its design:
//!
//! - **One writer.** A pool of one connection writes, and every write begins IMMEDIATE, so two
//!   writers wait instead of failing half-way. Readers have a read-only pool; in WAL mode they see
//!   the last commit and are never blocked.
//! - **One transaction per unit.** A page of items, their old and new evidence, and the progress
//!   that says the page was read change together; a process killed at any moment goes on where
//!   the last commit stands.
//! - **Derived rows can be rebuilt.** Texts are kept compressed; tags, references and inheritance
//!   are made of them and of the rules.
//! - **The generation** is raised by every commit that changes what an answer may say.
//!
//! Writing: [`sync`] (runs), [`streams`] (how far each list was read), [`projects`], [`items`],
//! [`names`], [`settled`], [`limits`], [`prune`] with [`tombstones`].
//! Reading: [`read`].

mod codes;
mod details;
mod error;
mod items;
mod labels;
mod limits;
mod links;
mod lock;
mod names;
mod notes;
mod projects;
mod prune;
pub mod read;
mod references;
mod settled;
mod streams;
mod sync;
mod text;
mod tokens;
mod tombstones;

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

pub use details::Lent;
pub use error::Error;
pub use items::{ItemWrite, NotesOfItem};
pub use labels::LabelChange;
pub use limits::LearntLimit;
pub use links::LinkOrigin;
pub use lock::Lock;
pub use notes::{DueNotes, NoteWrite};
pub use projects::{CatalogFile, ProjectParts, ProjectWrite, StoredProject};
pub use prune::{Cause, HeldProject, StoredCount, SuspectedDrop, UnseenItem, UnseenProject};
pub use streams::{
    Moves, Origin, RootKey, RootRow, RootWrite, Stream, StreamKind, WalkRow, Window,
};
pub use sync::{Ended, Outcome, Problem, Run, Totals};
pub use tokens::TokenRow;
pub use tombstones::{Gone, Tombstone};

/// The store's own key of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceKey(pub(crate) i64);

/// The store's own key of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectKey(pub(crate) i64);

/// The store's own key of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey(pub(crate) i64);

/// How long a statement waits for another process that holds the lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Connections of the read-only pool. SQLite reads are CPU work, so a few more than cores serve.
const READERS: u32 = 8;

/// Pages that the writer keeps in memory, in KiB: a page of items touches places all over the
/// indexes, and with SQLite's 2 MiB most of them would be read and written again for each.
const WRITER_CACHE_KIB: u32 = 24 * 1024;

/// Pages of 4 KiB after which the WAL is written back. Places that are written often are written
/// back once for many commits.
const PAGES_OF_WAL: u32 = 4_000;

/// An open index.
#[derive(Debug, Clone)]
pub struct Store {
    reader: SqlitePool,
    writer: SqlitePool,
    path: PathBuf,
}

/// A write in progress; nothing of it is seen before [`Write::commit`].
pub(crate) type Write = Transaction<'static, Sqlite>;

impl Store {
    /// Opens the database of a URL such as `sqlite://xrefd.db`, makes it if there is none, and
    /// brings its schema up to date.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened or written, is no SQLite database, or was written by a newer
    /// version.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let options = options(url)?;
        let path = options.get_filename().to_path_buf();
        let opening = |source| Error::Open { path: path.clone(), source };
        let writing = options
            .clone()
            .create_if_missing(true)
            .pragma("cache_size", format!("-{WRITER_CACHE_KIB}"))
            .pragma("wal_autocheckpoint", PAGES_OF_WAL.to_string())
            // Statements that may fail half-way keep a journal, which else is a file.
            .pragma("temp_store", "memory");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(writing)
            .await
            .map_err(opening)?;
        sqlx::migrate!().run(&writer).await.map_err(|source| Error::migrate(&path, source))?;
        // Opened after the schema is there; a read-only connection can make neither file nor WAL.
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true))
            .await
            .map_err(opening)?;
        Ok(Self { reader, writer, path })
    }

    /// Opens an index that must already be there, to be read alone: a look-up must not change the
    /// schema under a daemon of another version.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] when there is none, [`Error::Older`] or [`Error::Newer`] when it is of
    /// another version.
    pub async fn open_existing(url: &str) -> Result<Self, Error> {
        let options = options(url)?.read_only(true);
        let path = options.get_filename().to_path_buf();
        if !path.exists() {
            return Err(Error::Missing { path });
        }
        let opening = |source| Error::Open { path: path.clone(), source };
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options)
            .await
            .map_err(opening)?;
        let found: i64 =
            sqlx::query_scalar("select coalesce(max(version), 0) from _sqlx_migrations")
                .fetch_one(&reader)
                .await
                .map_err(opening)?;
        let known = sqlx::migrate!().iter().map(|migration| migration.version).max().unwrap_or(0);
        match found.cmp(&known) {
            Ordering::Less => Err(Error::Older { path }),
            Ordering::Greater => Err(Error::Newer { path, version: found }),
            Ordering::Equal => Ok(Self { writer: reader.clone(), reader, path }),
        }
    }

    /// Returns the file of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Closes all connections; the WAL is written back.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Begins a write, waiting for one that is under way.
    async fn write(&self, doing: &'static str) -> Result<Write, Error> {
        self.writer
            .begin_with("begin immediate")
            .await
            .map_err(|source| Error::Query { doing, source })
    }
}

/// Commits a write, raising the generation when it changed what an answer may say.
async fn commit(mut write: Write, changed: bool, doing: &'static str) -> Result<(), Error> {
    let query = |source| Error::Query { doing, source };
    if changed {
        sqlx::query!("update generation set value = value + 1 where id = 1")
            .execute(&mut *write)
            .await
            .map_err(query)?;
    }
    write.commit().await.map_err(query)
}

/// Returns the rows of a page in their order, each key once: a list that shifts while it is read
/// may show a thing twice, and then shows it last as it is now.
fn last_of_each<T, K: Ord>(page: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let mut seen = BTreeSet::new();
    let mut rows: Vec<&T> = page.iter().rev().filter(|row| seen.insert(key(row))).collect();
    rows.reverse();
    rows
}

fn options(url: &str) -> Result<SqliteConnectOptions, Error> {
    Ok(SqliteConnectOptions::from_str(url)
        .map_err(|source| Error::Open { path: url.into(), source })?
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_TIMEOUT)
        .foreign_keys(true))
}

#[cfg(test)]
pub(crate) mod tests;
