//! What a snapshot consists of, as a file.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version this program writes and the only one it reads.
pub(super) const FORMAT: u32 = 1;

/// A snapshot: its segments and the sources they were built from.
///
/// Stored as JSON; unknown fields are refused, as what a newer program meant by them is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Random id of the store, given to its first snapshot and kept by all others.
    pub store: String,
    /// Rises by at least one with every publish.
    pub generation: u64,
    /// When the snapshot was built: what its age counts from.
    pub built_at: Timestamp,
    /// After this the data must not be relied on; unset: no such limit.
    pub not_after: Option<Timestamp>,
    /// The day whose end decided which reports had expired (`YYYY-MM-DD`).
    pub as_of: String,
    /// The segments, base first, newest last.
    pub segments: Vec<SegmentEntry>,
    /// The sources, in the order of `sources.toml`.
    pub sources: Vec<SourceEntry>,
}

/// One segment of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentEntry {
    /// Its file in the store's folder of segments.
    pub file: String,
    /// Length of the file in bytes.
    pub length: u64,
    /// BLAKE3 of its header and section table, hexadecimal.
    pub digest: String,
    /// Distinct documents in it.
    pub documents: u64,
}

/// One source of a snapshot, and what became of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// Its name.
    pub name: String,
    /// The instant that its data describe.
    pub as_of: Timestamp,
    /// Codes of the issuing States whose own source it is; `*`: every State's.
    pub owns: Vec<String>,
    /// Age of its data past which coverage counts as stale, in seconds.
    pub stale_after_seconds: u64,
    /// What became of its rows.
    pub rows: RowAccount,
}

/// `read = indexed + merged + expired + rejected`, in rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowAccount {
    /// Rows read.
    pub read: u64,
    /// Rows whose report is in the snapshot.
    pub indexed: u64,
    /// Rows equal to another row of the source.
    pub merged: u64,
    /// Rows no longer in force.
    pub expired: u64,
    /// Rows that could not be used.
    pub rejected: u64,
}

impl RowAccount {
    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        self.read == self.indexed + self.merged + self.expired + self.rejected
    }
}

impl SourceEntry {
    /// Age of its data past which coverage counts as stale.
    pub fn stale_after(&self) -> Duration {
        Duration::from_secs(self.stale_after_seconds)
    }
}

impl Manifest {
    /// The oldest instant that the data of any source describe; the build time where there are none.
    pub fn data_as_of(&self) -> Timestamp {
        self.sources
            .iter()
            .map(|source| source.as_of)
            .min()
            .unwrap_or(self.built_at)
    }
}
