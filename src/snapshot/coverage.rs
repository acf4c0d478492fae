//! How well an issuing State's documents are covered: a miss from a State that reports nothing
//! is not the same as a miss from one that did an hour ago.

use super::Manifest;
use crate::document::{DocumentType, IssuingState};
use crate::index::{Count, CountOf};
use crate::report::Day;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// How well an issuer's documents of a type are covered, by the owner's own sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverageLevel {
    /// The owner reports no documents of this type.
    None,
    /// It does, but the newest data of its sources are older than they should be.
    Stale,
    /// It does, and its data are fresh.
    Current,
}

/// What a snapshot holds of an issuing State's documents of a type, from the owner's own
/// sources only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// The level.
    pub level: CoverageLevel,
    /// Documents reported.
    pub documents: u64,
    /// The newest day of a report, where any is dated; at most the day that the data describe.
    pub newest_report: Option<Day>,
    /// Age of the newest data among the owner's sources; `None` where it has none.
    pub source_age: Option<Duration>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    documents: u64,
    newest_report: Option<Day>,
    /// Newest as-of among the sources, and how old that may be.
    source: Option<(Timestamp, Duration)>,
    /// The day of the newest instant that the sources' data describe.
    as_of: Option<Day>,
}

/// Coverage of all issuing States, computed when a snapshot is loaded; ages when it is asked.
///
/// Every check asks for one entry, so it is found by its place, not by hashing.
#[derive(Debug)]
pub(super) struct CoverageTable(Vec<Entry>);

/// Places of a State: all types together, then each type.
const PLACES: usize = 1 + DocumentType::ALL.len();

fn place(state: IssuingState, document_type: Option<DocumentType>) -> Option<usize> {
    let of_type = document_type.map_or(0, |document_type| usize::from(document_type.code()));
    Some(state.ordinal()? * PLACES + of_type)
}

impl CoverageTable {
    pub(super) fn new(manifest: &Manifest, counts: &[Count]) -> Self {
        let sources: HashMap<&str, (Timestamp, Duration)> = manifest
            .sources
            .iter()
            .map(|source| {
                (
                    source.name.as_str(),
                    (source.newest(), source.stale_after()),
                )
            })
            .collect();
        let newest: HashMap<&str, Day> = manifest
            .sources
            .iter()
            .map(|source| (source.name.as_str(), Day::from_timestamp(source.newest())))
            .collect();
        let mut table = vec![Entry::default(); IssuingState::COUNT * PLACES];
        for count in counts {
            // A query may leave the type open: then all types together count.
            for document_type in [Some(count.document_type), None] {
                let place = place(count.issuing_state, document_type);
                let Some(entry) = place.and_then(|place| table.get_mut(place)) else {
                    continue;
                };
                match &count.of {
                    CountOf::Owned => {
                        entry.documents += count.documents;
                        entry.newest_report = entry.newest_report.max(count.newest_report);
                    }
                    CountOf::OwnSource(name) => {
                        entry.source = entry.source.max(sources.get(&**name).copied());
                        entry.as_of = entry.as_of.max(newest.get(&**name).copied());
                    }
                    CountOf::All | CountOf::Source(_) | CountOf::Status(_) => {}
                }
            }
        }
        // Rows may be dated on the day after the list's as-of, where it is that day already. Nothing is newer than its
        // list all the same.
        for entry in &mut table {
            if let Some(as_of) = entry.as_of {
                entry.newest_report = entry.newest_report.map(|newest| newest.min(as_of));
            }
        }
        Self(table)
    }

    pub(super) fn get(
        &self,
        state: IssuingState,
        document_type: Option<DocumentType>,
        now: Timestamp,
    ) -> Coverage {
        let entry = place(state, document_type)
            .and_then(|place| self.0.get(place))
            .copied()
            .unwrap_or_default();
        // Data from a clock ahead of ours is as fresh as can be.
        let age =
            |as_of: Timestamp| Duration::try_from(now.duration_since(as_of)).unwrap_or_default();
        let source_age = entry.source.map(|(as_of, _)| age(as_of));
        let level = match entry.source {
            None => CoverageLevel::None,
            Some((as_of, stale_after)) if age(as_of) > stale_after => CoverageLevel::Stale,
            Some(_) => CoverageLevel::Current,
        };
        Coverage {
            level,
            documents: entry.documents,
            newest_report: entry.newest_report,
            source_age,
        }
    }
}
