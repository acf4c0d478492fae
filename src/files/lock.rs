//! Locks on files, by which the processes of one machine keep out of each other's way.

use super::File;
use std::fs::TryLockError;
use std::io;

/// A lock on a file or folder: held until this is dropped or the process dies.
#[derive(Debug)]
pub struct Lock(File);

impl Lock {
    /// Locks the file for nobody else; `None` while another has a lock on it.
    ///
    /// # Errors
    /// What the system says; some file systems know no locks.
    pub fn exclusive(file: File) -> io::Result<Option<Self>> {
        Self::held(file.as_std().try_lock(), file)
    }

    /// Locks the file together with others who do the same; `None` while another has it for itself.
    ///
    /// # Errors
    /// As of [`exclusive`](Self::exclusive).
    pub fn shared(file: File) -> io::Result<Option<Self>> {
        Self::held(file.as_std().try_lock_shared(), file)
    }

    /// As [`exclusive`](Self::exclusive), but waits for the others.
    ///
    /// # Errors
    /// As of [`exclusive`](Self::exclusive).
    pub fn wait(file: File) -> io::Result<Self> {
        file.as_std().lock()?;
        Ok(Self(file))
    }

    fn held(outcome: Result<(), TryLockError>, file: File) -> io::Result<Option<Self>> {
        match outcome {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file would not do: a process that another thread is starting has a copy of the handle until it
        // runs its own program, and the lock would live as long. Nothing can be done where this fails.
        let _ = self.0.as_std().unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_ends_when_it_is_dropped_whoever_has_a_copy_of_the_handle() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let open = || File::append(&path).unwrap();
        let (first, second) = (open(), open());
        let copies = [first.try_clone().unwrap(), second.try_clone().unwrap()];

        let alone = Lock::exclusive(first).unwrap().unwrap();
        assert!(Lock::exclusive(open()).unwrap().is_none());
        assert!(Lock::shared(open()).unwrap().is_none());
        drop(alone);

        let together = Lock::shared(second).unwrap().unwrap();
        assert!(Lock::exclusive(open()).unwrap().is_none());
        assert!(Lock::shared(open()).unwrap().is_some());
        drop(together);

        assert!(Lock::exclusive(open()).unwrap().is_some());
        drop(copies);
    }
}
