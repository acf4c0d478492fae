//! The directory that holds snapshots.

use std::path::{Path, PathBuf};

/// What is brought into memory before a snapshot is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warm {
    /// Everything.
    All,
    /// The filter only.
    Filter,
}

/// How a segment is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadMode {
    /// Mapped.
    Mmap,
    /// Read into memory: immune to what happens to the file.
    Heap,
}

/// How to load a snapshot.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    /// How segments are held.
    pub load: LoadMode,
    /// What is warmed; `None`: everything where memory allows.
    pub warm: Option<Warm>,
}

/// Why a store or snapshot cannot be used. STUB.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing has been published yet.
    #[error("nothing has been published in {0}")]
    Empty(PathBuf),
}

/// A store.
#[derive(Debug)]
pub struct Store {}

/// A loaded, verified snapshot.
#[derive(Debug)]
pub struct Snapshot {}

impl Store {
    /// Opens an existing store for reading.
    pub fn open(_path: impl AsRef<Path>) -> Result<Self, StoreError> {
        todo!()
    }
    /// Opens, verifies and warms the current snapshot.
    pub fn load_current(&self, _options: &LoadOptions) -> Result<Snapshot, StoreError> {
        todo!()
    }
}

impl Snapshot {
    /// Generation: rises with every publish.
    pub fn generation(&self) -> u64 {
        todo!()
    }
    /// When it was built.
    pub fn built_at(&self) -> jiff::Timestamp {
        todo!()
    }
    /// The oldest as-of instant of its sources.
    pub fn data_as_of(&self) -> jiff::Timestamp {
        todo!()
    }
    /// Documents reported.
    pub fn documents(&self) -> u64 {
        todo!()
    }
}
