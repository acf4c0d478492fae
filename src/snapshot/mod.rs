//! Many segments as one: manifest, store, and the check of a document against them.
//!
//! A [`Store`] is a folder with one pointer to the [`Manifest`] of the current snapshot;
//! [`Store::load_current`] opens that [`Snapshot`], and [`Snapshot::check`] answers a query from
//! it. [`StoreWriter::publish`] replaces it, atomically.
//!
//! Nothing here reads the clock on its own: callers say what time it is.

mod check;
mod coverage;
mod error;
mod files;
mod manifest;
mod store;

pub use check::{Answer, Moment};
pub use coverage::{Coverage, CoverageLevel};
pub use error::{LoadError, PublishError};
pub use manifest::{Manifest, RowAccount, SegmentEntry, SourceEntry};
pub use store::{Pointer, Publication, Store, StoreWriter};

use crate::index::{Damage, LoadMode, Segment};
use coverage::CoverageTable;
use jiff::Timestamp;
use std::path::Path;

/// What is brought into memory before a snapshot is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Warm {
    /// Everything.
    All,
    /// The filter only: two bytes a document, enough for documents that nobody reported.
    Filter,
}

/// How a snapshot is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoadOptions {
    /// How segments are held.
    pub load: LoadMode,
    /// What is warmed; `None`: everything, where it takes less than half of the memory available.
    pub warm: Option<Warm>,
}

/// A loaded, verified snapshot.
#[derive(Debug)]
pub struct Snapshot {
    manifest: Manifest,
    segments: Vec<Segment>,
    coverage: CoverageTable,
}

impl Snapshot {
    /// Opens, verifies and warms the segments of a manifest.
    fn load(manifest: Manifest, folder: &Path, options: &LoadOptions) -> Result<Self, LoadError> {
        let mut segments = Vec::with_capacity(manifest.segments.len());
        for entry in &manifest.segments {
            let path = folder.join(&entry.file);
            let open = Segment::open(&path, options.load);
            let mut segment = open.map_err(|source| LoadError::Segment {
                generation: manifest.generation,
                source,
            })?;
            let digest = segment.digest().to_hex();
            if digest.as_str() != entry.digest {
                let damage = Damage::NotTheOneNamed {
                    expected: entry.digest.clone(),
                    got: digest.to_string(),
                };
                return Err(LoadError::segment(manifest.generation, &path, damage));
            }
            let bytes: u64 = manifest.segments.iter().map(|segment| segment.length).sum();
            let warm = options
                .warm
                .unwrap_or_else(|| match crate::memory::available() {
                    Some(available) if bytes > available / 2 => Warm::Filter,
                    _ => Warm::All,
                });
            let warmed = match warm {
                Warm::All => segment.warm(),
                Warm::Filter => segment.warm_filter(),
            };
            warmed.map_err(|damage| LoadError::segment(manifest.generation, &path, damage))?;
            segments.push(segment);
        }
        let coverage = CoverageTable::new(&manifest, &segments);
        Ok(Self {
            manifest,
            segments,
            coverage,
        })
    }

    /// One that holds nothing.
    #[cfg(test)]
    pub(crate) fn without_segments() -> Self {
        let manifest = Manifest {
            format: manifest::FORMAT,
            store: String::new(),
            generation: 1,
            built_at: Timestamp::UNIX_EPOCH,
            not_after: None,
            as_of: String::new(),
            segments: Vec::new(),
            sources: Vec::new(),
        };
        Self {
            coverage: CoverageTable::new(&manifest, &[]),
            segments: Vec::new(),
            manifest,
        }
    }

    /// What it consists of.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its segments, base first.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Its generation, which rises with every publish.
    pub fn generation(&self) -> u64 {
        self.manifest.generation
    }

    /// When it was built.
    pub fn built_at(&self) -> Timestamp {
        self.manifest.built_at
    }

    /// The oldest instant that the data of any of its sources describe.
    pub fn data_as_of(&self) -> Timestamp {
        self.manifest.data_as_of()
    }

    /// Distinct documents reported.
    pub fn documents(&self) -> u64 {
        self.segments.iter().map(Segment::documents).sum()
    }
}
