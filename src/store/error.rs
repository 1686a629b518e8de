//! What can go wrong with the database.

use std::path::{Path, PathBuf};

use sqlx::migrate::MigrateError;

/// An error of the store.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no database yet.
    #[error("there is no index at {path}: run `xrefd sync` or `xrefd serve` first, or name another with [database] url", path = .path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The file could not be opened or made.
    #[error("cannot open the database {path}: it must be a database of xrefd, or not be there yet, in a folder that exists and where this user may write", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Another process writes this index.
    #[error("another xrefd writes the index {path}: stop it first, or ask it with --server", path = .path.display())]
    Locked {
        /// The database.
        path: PathBuf,
    },
    /// The lock beside the database could not be taken.
    #[error("cannot open the database {path}, for its lock cannot be made: it must be in a folder that exists and where this user may write", path = .path.display())]
    Lock {
        /// The database.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The schema is of a version before this program's.
    #[error("the database {path} was written by an older xrefd: `xrefd sync` or `xrefd serve` brings it up to date", path = .path.display())]
    Older {
        /// The file.
        path: PathBuf,
    },
    /// The schema is of a version that this program does not know.
    #[error("the database {path} was written by a newer xrefd (schema {version}): run that version, or name another file with [database] url", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The schema's version.
        version: i64,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {path} up to date", path = .path.display())]
    Migrate {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: MigrateError,
    },
    /// A statement failed.
    #[error("the database failed while {doing}")]
    Query {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// A stored text could not be expanded: the file is damaged.
    #[error(
        "a stored text cannot be read back while {doing}: the database is damaged; restore a backup or sync into a new file"
    )]
    Text {
        /// What was being done.
        doing: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn migrate(path: &Path, source: MigrateError) -> Self {
        let path = path.to_path_buf();
        match source {
            MigrateError::VersionMissing(version) => Self::Newer { path, version },
            MigrateError::Execute(source) => Self::Open { path, source },
            source => Self::Migrate { path, source },
        }
    }
}
