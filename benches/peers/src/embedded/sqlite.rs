//! SQLite.

use super::{Embedded, Found};
use crate::Result;
use crate::entries::Feed;
use rusqlite::{Connection, OpenFlags};
use sltd::document::DocumentNumber;
use std::fs::File;
use std::path::{Path, PathBuf};

/// What was chosen, and why.
pub(super) const SETTINGS: &str = "a table `WITHOUT ROWID` (one tree, the number its key), loaded in one transaction in \
    order of the keys with a prepared statement, `journal_mode = OFF` and `synchronous = OFF` and one sync at the end; \
    read from an immutable, read-only file mapped as a whole (`mmap_size`), with a prepared statement, in one \
    transaction, without mutexes (`NO_MUTEX`)";

/// A database of one file.
pub(super) struct Sqlite {
    connection: Connection,
    path: PathBuf,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("numbers.sqlite")
}

/// Loads all feeds.
///
/// # Errors
/// What SQLite says.
pub(super) fn load(folder: &Path, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
    let path = path(folder);
    let mut connection = Connection::open(&path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
         CREATE TABLE numbers (number BLOB PRIMARY KEY, reports BLOB NOT NULL) WITHOUT ROWID, STRICT;",
    )?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO numbers VALUES (?, ?)")?;
        for mut feed in feeds {
            while let Some((key, value)) = feed.next() {
                insert.execute((key, value))?;
            }
        }
    }
    transaction.commit()?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(File::open(path)?.sync_all()?)
}

impl Sqlite {
    /// Opens what was loaded.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = path(folder);
        let text = path.to_str().ok_or("expected a path that is UTF-8")?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        // Nobody writes, so nothing is locked or looked at again.
        let connection = Connection::open_with_flags(format!("file:{text}?immutable=1"), flags)?;
        let length = std::fs::metadata(&path)?.len();
        connection.pragma_update(None, "mmap_size", i64::try_from(length)?)?;
        Ok(Self { connection, path })
    }
}

impl Embedded for Sqlite {
    fn ask(&self, numbers: &[DocumentNumber], found: &mut Found<'_>) -> Result<()> {
        let transaction = self.connection.unchecked_transaction()?;
        let mut select =
            transaction.prepare_cached("SELECT reports FROM numbers WHERE number = ?")?;
        for number in numbers {
            let mut rows = select.query((number.as_bytes(),))?;
            if let Some(row) = rows.next()? {
                found(row.get_ref(0)?.as_blob()?)?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
