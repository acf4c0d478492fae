//! LMDB, through `heed`.

use super::{Embedded, Found};
use crate::Result;
use crate::entries::Feed;
use heed::types::Bytes;
use heed::{CommitOrAbort, Database, Env, EnvFlags, EnvOpenOptions, PutFlags};
use sltd::document::DocumentNumber;
use std::path::Path;

/// What was chosen, and why.
pub(super) const SETTINGS: &str = "loaded in one transaction with `MDB_APPEND` (no search, full pages) through \
    `MDB_WRITEMAP` and `MDB_NOSYNC` with one sync at the end, as its documentation advises for loading; read through \
    the mapping without copying, in one read transaction, with `MDB_NORDAHEAD`";

/// Bytes of address space, which is all that a larger map costs.
const MAP_BYTES: usize = 1 << 38;
const NO_DATABASE: &str = "LMDB has no database where one was made";

/// A database of one file.
pub(super) struct Lmdb(Env);

type Numbers<'e> = Database<'e, Bytes, Bytes>;

fn open_env(folder: &Path, flags: EnvFlags) -> Result<Env> {
    let mut options = EnvOpenOptions::new();
    options.map_size(MAP_BYTES);
    // SAFETY: nobody else opens or changes the files of this run's own folder, so the mapping stays as LMDB expects it;
    // flags that give up durability are followed by a sync before anything is measured.
    unsafe {
        options.flags(flags);
        Ok(options.open(folder)?)
    }
}

/// Loads all feeds.
///
/// # Errors
/// What LMDB says.
pub(super) fn load(folder: &Path, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
    let env = open_env(folder, EnvFlags::WRITE_MAP | EnvFlags::NO_SYNC)?;
    let created = env.create_databases_and_commit(env.write_txn()?, |opener, transaction| {
        let numbers: Numbers<'_> = opener.create_database(transaction, None)?;
        Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(numbers))
    })?;
    let numbers = created.commit().ok_or(NO_DATABASE)?;
    let mut transaction = env.write_txn()?;
    for mut feed in feeds {
        while let Some((key, value)) = feed.next() {
            numbers.put_with_flags(&mut transaction, PutFlags::APPEND, key, value)?;
        }
    }
    transaction.commit()?;
    env.force_sync()?;
    env.prepare_for_closing().wait();
    Ok(())
}

impl Lmdb {
    /// Opens what was loaded.
    ///
    /// # Errors
    /// What LMDB says.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        open_env(folder, EnvFlags::READ_ONLY | EnvFlags::NO_READ_AHEAD).map(Self)
    }
}

impl Embedded for Lmdb {
    fn ask(&self, numbers: &[DocumentNumber], found: &mut Found<'_>) -> Result<()> {
        let env = &self.0;
        let opened = env.open_databases_and_commit(env.read_txn()?, |opener, transaction| {
            let listed: Option<Numbers<'_>> = opener.open_database(transaction, None)?;
            Ok::<_, heed::Error>(CommitOrAbort::<_, ()>::Commit(listed))
        })?;
        let listed = opened.commit().flatten().ok_or(NO_DATABASE)?;
        let transaction = env.read_txn()?;
        for number in numbers {
            if let Some(value) = listed.get(&transaction, number.as_bytes())? {
                found(value)?;
            }
        }
        Ok(())
    }

    fn bytes(&self) -> Result<u64> {
        // The file is as long as the map: what counts are the pages that hold something.
        Ok(self.0.unnamed_database_stat().non_free_page_size() as u64)
    }
}
