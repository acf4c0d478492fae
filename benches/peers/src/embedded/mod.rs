//! Peers in files of this process: embedded stores, each with the best settings that its documentation names.
//!
//! All hold the same: under each number the packed reports of its documents, loaded in order, durable when loaded.

mod lmdb;
mod redb;
#[cfg(feature = "rocksdb")]
mod rocksdb;
mod sqlite;

use crate::Result;
use crate::entries::Feed;
use clap::ValueEnum;
use sltd::document::DocumentNumber;
use std::fs::File;
use std::path::Path;

/// Takes the value of a number that is listed.
pub(crate) type Found<'f> = dyn FnMut(&[u8]) -> Result<()> + 'f;

/// A store opened for reading, and warm for as long as memory is not short.
pub(crate) trait Embedded {
    /// Looks for one number after the other, in one read transaction, and hands the values of those that are listed to
    /// `found`, in order.
    ///
    /// # Errors
    /// What the store says, and what `found` says.
    fn ask(&self, numbers: &[DocumentNumber], found: &mut Found<'_>) -> Result<()>;

    /// Bytes of the disk that hold data.
    ///
    /// # Errors
    /// What the store or the system says.
    fn bytes(&self) -> Result<u64>;
}

/// An embedded store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Store {
    /// Through `heed`.
    Lmdb,
    /// Pure Rust.
    Redb,
    /// A log-structured merge tree.
    Rocksdb,
    /// SQL.
    Sqlite,
}

impl Store {
    /// As ids of figures name it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lmdb => "lmdb",
            Self::Redb => "redb",
            Self::Rocksdb => "rocksdb",
            Self::Sqlite => "sqlite",
        }
    }

    /// What was chosen for it, and why.
    pub(crate) fn settings(self) -> &'static str {
        match self {
            Self::Lmdb => lmdb::SETTINGS,
            Self::Redb => redb::SETTINGS,
            #[cfg(feature = "rocksdb")]
            Self::Rocksdb => rocksdb::SETTINGS,
            #[cfg(not(feature = "rocksdb"))]
            Self::Rocksdb => "not built in",
            Self::Sqlite => sqlite::SETTINGS,
        }
    }

    /// Loads all feeds, which follow one another, into an empty folder; durable when it returns.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn load(self, folder: &Path, feeds: Vec<Box<dyn Feed + '_>>) -> Result<()> {
        match self {
            Self::Lmdb => lmdb::load(folder, feeds),
            Self::Redb => redb::load(folder, feeds),
            #[cfg(feature = "rocksdb")]
            Self::Rocksdb => rocksdb::load(folder, feeds),
            #[cfg(not(feature = "rocksdb"))]
            Self::Rocksdb => Err(NO_ROCKSDB.into()),
            Self::Sqlite => sqlite::load(folder, feeds),
        }?;
        Ok(File::open(folder)?.sync_all()?)
    }

    /// Opens what was loaded.
    ///
    /// # Errors
    /// What the store says.
    pub(crate) fn open(self, folder: &Path) -> Result<Box<dyn Embedded>> {
        Ok(match self {
            Self::Lmdb => Box::new(lmdb::Lmdb::open(folder)?),
            Self::Redb => Box::new(redb::Redb::open(folder)?),
            #[cfg(feature = "rocksdb")]
            Self::Rocksdb => Box::new(rocksdb::Rocks::open(folder)?),
            #[cfg(not(feature = "rocksdb"))]
            Self::Rocksdb => return Err(NO_ROCKSDB.into()),
            Self::Sqlite => Box::new(sqlite::Sqlite::open(folder)?),
        })
    }
}

#[cfg(not(feature = "rocksdb"))]
const NO_ROCKSDB: &str =
    "this program was built without RocksDB: libclang or a C++ compiler is missing";

#[cfg(test)]
mod tests;
