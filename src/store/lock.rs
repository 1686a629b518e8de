//! One writer of an index at a time.
//!
//! SQLite keeps two processes from writing at the same moment, but two syncs would still take each
//! other's progress for their own. The lock is the operating system's, on a file beside the
//! database, and goes with the process however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::{Error, options};

/// Held by the process that syncs into an index.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Says whether another process has the right to sync into the index of a URL. Makes no file.
    ///
    /// # Errors
    ///
    /// When the URL is none, or the lock cannot be looked at.
    pub fn is_taken(url: &str) -> Result<bool, Error> {
        let database = options(url)?.get_filename().to_path_buf();
        let file = match File::open(beside(&database)) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(source) => return Err(Error::Lock { path: database, source }),
        };
        match file.try_lock() {
            // It goes with the file.
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(source)) => Err(Error::Lock { path: database, source }),
        }
    }

    /// Takes the right to sync into the index of a URL, before its schema is touched.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another process has it.
    pub fn take(url: &str) -> Result<Self, Error> {
        let database = options(url)?.get_filename().to_path_buf();
        let path = beside(&database);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| Error::Lock { path: database.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::Locked { path: database }),
            Err(TryLockError::Error(source)) => Err(Error::Lock { path: database, source }),
        }
    }
}

/// Returns the file that is locked.
fn beside(database: &Path) -> PathBuf {
    let mut path = database.to_path_buf().into_os_string();
    path.push(".lock");
    PathBuf::from(path)
}
