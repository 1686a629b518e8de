//! One writer of an index at a time.
//!
//! SQLite keeps two processes from writing at the same moment, but two syncs would still take each
//! other's progress for their own. The lock is the operating system's, on a file beside the
//! database, and goes with the process however it ends.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use super::{Error, Store};

/// Held by the process that syncs into an index.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Store {
    /// Takes the right to sync into this index.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another process has it.
    pub fn lock(&self) -> Result<Lock, Error> {
        let mut path = self.path().as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|source| Error::Lock { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => {
                Err(Error::Locked { path: self.path().to_path_buf() })
            }
            Err(TryLockError::Error(source)) => Err(Error::Lock { path, source }),
        }
    }
}
