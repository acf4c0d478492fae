//! What a snapshot consists of, as a file.

use super::counts::CountChange;
use super::precedence::Lists;
use super::store::Pointer;
use crate::index::Edition;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version this program writes and the only one it reads.
pub(super) const FORMAT: u32 = 2;

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
    /// BLAKE3 of the manifest of the generation before, hexadecimal; unset in the store's first.
    pub previous: Option<String>,
    /// What made it.
    pub event: Event,
    /// When the snapshot was built: what its age counts from.
    pub built_at: Timestamp,
    /// After this the data must not be relied on; unset: no such limit.
    pub not_after: Option<Timestamp>,
    /// The day whose end decided which reports had expired (`YYYY-MM-DD`).
    pub as_of: String,
    /// The generation that published the base first.
    pub base: u64,
    /// Documents reported.
    pub documents: u64,
    /// The segments: the base, then those of what has changed since, newest last. Of a document that
    /// several hold, the newest holds all that there is to say.
    pub segments: Vec<SegmentEntry>,
    /// How the changes change the base's counts.
    pub counts: Vec<CountChange>,
    /// The sources, in the order of `sources.toml`.
    pub sources: Vec<SourceEntry>,
    /// The changes that this generation has brought, as they came: what is applied anew to another base.
    pub delta: Option<DeltaEntry>,
}

/// What made a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A build from lists.
    Build,
    /// Changes to what was there.
    Delta,
}

/// Changes as they came, in a segment of their own that no server opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaEntry {
    /// The segment.
    pub segment: SegmentEntry,
    /// What became of the rows of each source.
    pub sources: Vec<DeltaSource>,
}

/// One source of a delta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaSource {
    /// Its name.
    pub name: String,
    /// The instant that its changes describe.
    pub as_of: Timestamp,
    /// What became of its rows.
    pub rows: RowAccount,
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
    /// Distinct documents in it, also those of which nothing that is said stands.
    pub documents: u64,
}

/// One source of a snapshot, and what became of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// Its name.
    pub name: String,
    /// The instant that its list describes; of a source that has sent none, its newest changes.
    pub as_of: Timestamp,
    /// The generation that published its list first; unset: it has sent none, only changes.
    pub list: Option<u64>,
    /// The newest instant that changes of it describe.
    pub changed: Option<Timestamp>,
    /// Codes of the issuing States whose own source it is; `*`: every State's.
    pub owns: Vec<String>,
    /// Age of its data past which coverage counts as stale, in seconds.
    pub stale_after_seconds: u64,
    /// What became of the rows of its list.
    pub rows: RowAccount,
}

/// `read = indexed + merged + expired + rejected + withdrawn + superseded`, in rows.
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
    /// Rows that withdraw reports; only of changes.
    #[serde(default)]
    pub withdrawn: u64,
    /// Rows about what the source has said something later of already; only of changes.
    #[serde(default)]
    pub superseded: u64,
}

impl RowAccount {
    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        let used = self.indexed + self.merged + self.withdrawn;
        self.read == used + self.expired + self.rejected + self.superseded
    }
}

impl SourceEntry {
    /// The edition of its list.
    pub(super) fn edition(&self) -> Option<Edition> {
        Some(Edition {
            as_of: self.as_of,
            generation: self.list?,
        })
    }

    /// The newest instant that its data describe, list or changes.
    pub fn newest(&self) -> Timestamp {
        self.changed
            .map_or(self.as_of, |changed| changed.max(self.as_of))
    }

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
            .map(SourceEntry::newest)
            .min()
            .unwrap_or(self.built_at)
    }

    /// The name of the file of a generation's manifest.
    pub(super) fn name(generation: u64) -> String {
        format!("{generation:08}.json")
    }

    /// Where the manifest of the generation before is.
    pub(super) fn previous(&self) -> Option<Pointer> {
        Some(Pointer {
            manifest: Self::name(self.generation.checked_sub(1)?),
            digest: self.previous.clone()?,
        })
    }

    /// The editions of the sources' lists.
    pub(super) fn lists(&self) -> Lists {
        self.sources
            .iter()
            .filter_map(|source| Some((source.name.clone(), source.edition()?)))
            .collect()
    }
}
