//! Bytes a document: of the segment by what they are for, and of what would hold the same.

use crate::Result;
use crate::given::Given;
use crate::report::{Figure, Findings};
use sltd::index::SectionKind;
use sltd::snapshot::{Snapshot, Warm};

/// What keys and filter may take at the most, bytes a document.
const KEYS_AND_FILTER_MAX: f64 = 9.5;
/// What the whole segment may take at the most, without owners' references, bytes a document.
const WHOLE_MAX: f64 = 20.0;

/// Bytes of a snapshot's segments by what they are for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sizes {
    /// Automata, numbers in the blocks and the directory of shards.
    pub(super) keys: u64,
    pub(super) filter: u64,
    /// Owners' references.
    pub(super) references: u64,
    /// Whole files.
    pub(super) whole: u64,
}

impl Sizes {
    /// Of all segments.
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        let mut sizes = Self::default();
        for segment in snapshot.segments() {
            sizes.whole += segment.file_len();
            let mut filter = 0;
            for size in segment.section_sizes() {
                match size.kind {
                    SectionKind::Filter => filter += size.bytes,
                    SectionKind::References => sizes.references += size.bytes,
                    _ => {}
                }
            }
            sizes.filter += filter;
            sizes.keys += segment.keys_and_filter_len() - filter;
        }
        sizes
    }
}

/// Measures sizes.
///
/// # Errors
/// When the snapshot can't be loaded.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let snapshot = given.snapshot(Warm::Filter)?;
    let sizes = Sizes::of(&snapshot);
    let each = |bytes: u64| bytes as f64 / snapshot.documents() as f64;
    Ok(Findings {
        notes: vec![format!(
            "{} documents, a segment of {} bytes; with their directories: keys {}, filter {}; owners' references {}",
            snapshot.documents(),
            sizes.whole,
            sizes.keys,
            sizes.filter,
            sizes.references
        )],
        figures: vec![
            Figure::less(
                "bytes/keys-and-filter/limit",
                "B",
                &[each(sizes.keys + sizes.filter)],
                &[KEYS_AND_FILTER_MAX],
            ),
            Figure::less(
                "bytes/whole/limit",
                "B",
                &[each(sizes.whole - sizes.references)],
                &[WHOLE_MAX],
            ),
        ],
        ..Findings::default()
    })
}
