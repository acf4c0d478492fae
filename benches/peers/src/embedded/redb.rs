//! redb.

use super::{Embedded, Found};
use crate::Result;
use crate::entries::Feed;
use redb::{Database, ReadOnlyDatabase, ReadableDatabase as _, TableDefinition};
use sltd::document::DocumentNumber;
use std::path::{Path, PathBuf};

/// What was chosen, and why.
pub(super) const SETTINGS: &str = "loaded in one transaction in order of the keys, then compacted; read from a \
    read-only database with a cache that holds all of it, in one read transaction";

/// Bytes of cache: more than the file has.
const CACHE_BYTES: usize = 6 << 30;
const NUMBERS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("numbers");

/// A database of one file.
pub(super) struct Redb {
    database: ReadOnlyDatabase,
    path: PathBuf,
}

fn path(folder: &Path) -> PathBuf {
    folder.join("numbers.redb")
}

/// Loads all feeds.
///
/// # Errors
/// What redb says.
pub(super) fn load(folder: &Path, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
    let mut database = Database::builder()
        .set_cache_size(CACHE_BYTES)
        .create(path(folder))?;
    let transaction = database.begin_write()?;
    {
        let mut numbers = transaction.open_table(NUMBERS)?;
        for mut feed in feeds {
            while let Some((key, value)) = feed.next() {
                numbers.insert(key, value)?;
            }
        }
    }
    transaction.commit()?;
    database.compact()?;
    Ok(())
}

impl Redb {
    /// Opens what was loaded.
    ///
    /// # Errors
    /// What redb says.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = path(folder);
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .open_read_only(&path)?;
        Ok(Self { database, path })
    }
}

impl Embedded for Redb {
    fn ask(&self, numbers: &[DocumentNumber], found: &mut Found<'_>) -> Result<()> {
        let transaction = self.database.begin_read()?;
        let table = transaction.open_table(NUMBERS)?;
        for number in numbers {
            if let Some(value) = table.get(number.as_bytes())? {
                found(value.value())?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        Ok(std::fs::metadata(&self.path)?.len())
    }
}
