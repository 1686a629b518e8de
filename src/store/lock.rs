//! One writer of an index at a time.
//!
//! SQLite keeps two processes from writing at the same moment, but two syncs would still take each
//! other's progress for their own. The lock is the operating system's, on a file beside the
//! database, and goes with the process however it ends.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use super::{Error, options};

/// Held by the process that syncs into an index.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the right to sync into the index of a URL, before its schema is touched.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another process has it.
    pub fn take(url: &str) -> Result<Self, Error> {
        let database = options(url)?.get_filename().to_path_buf();
        let mut path = database.clone().into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
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
