//! How well an issuing State's documents are covered: a miss from a State that reports nothing
//! is not the same as a miss from one that did an hour ago.

use super::{Manifest, SourceEntry};
use crate::document::{DocumentType, IssuingState};
use crate::index::{Count, CountOf};
use crate::report::Day;
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// How well an issuer's documents of a type are covered, by the owner's own sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverageLevel {
    /// The owner reports no documents of this type.
    None,
    /// A source of the owner's is out of service: what it reports is not served.
    Suspended,
    /// It does, but the newest list of its sources is older than it should be.
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
    /// Age of the newest list among the owner's sources, where none has sent one, of their newest changes; `None` where it
    /// has no source.
    pub source_age: Option<Duration>,
    /// Age of the newest changes of these sources that are newer than their lists; `None` where there are none.
    pub change_age: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    documents: u64,
    newest_report: Option<Day>,
    /// Whether any of the sources has sent a list.
    has_list: bool,
    /// From when the age of the newest counts, of those that have sent a list, or of all if none has; and how old it
    /// may be.
    source: Option<(Timestamp, Duration)>,
    /// The newest changes of these sources; `None` if none has sent a list.
    changed: Option<Timestamp>,
    suspended: bool,
    /// The day of the newest instant that the sources' data describe.
    as_of: Option<Day>,
}

impl Entry {
    const NONE: Self = Self {
        documents: 0,
        newest_report: None,
        has_list: false,
        source: None,
        changed: None,
        suspended: false,
        as_of: None,
    };
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
    /// Of a snapshot with these counts; `all` are those that it would have with every source in service. Counts of which
    /// nothing is left say that an own source of the State reports such documents, and has withdrawn them.
    pub(super) fn new(manifest: &Manifest, counts: &[Count], all: &[Count]) -> Self {
        let sources: HashMap<&str, &SourceEntry> = manifest
            .sources
            .iter()
            .map(|source| (source.name.as_str(), source))
            .collect();
        let mut table = vec![Entry::NONE; IssuingState::COUNT * PLACES];
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
                        let Some(source) = sources.get(&**name) else {
                            continue;
                        };
                        // What is out of service covers nothing.
                        if source.removed || manifest.is_retracted(name) {
                            continue;
                        }
                        let of_source = (source.age_from(), source.stale_after());
                        let newest = (source.list.is_some(), Some(of_source));
                        let newest = newest.max((entry.has_list, entry.source));
                        (entry.has_list, entry.source) = newest;
                        entry.changed = entry.changed.max(match source.list {
                            Some(_) => source.changed,
                            None => Some(source.newest()),
                        });
                        let newest = Day::from_timestamp(source.newest());
                        entry.as_of = entry.as_of.max(Some(newest));
                    }
                    CountOf::All | CountOf::Source(_) | CountOf::Status(_) => {}
                }
            }
        }
        // Rows may be dated on the day after the list's as-of, where it is that day already. Nothing is newer than its
        // list all the same.
        for entry in &mut table {
            // Without a list, the age of the changes is that of the source.
            entry.changed = entry.changed.filter(|_| entry.has_list);
            if let Some(as_of) = entry.as_of {
                entry.newest_report = entry.newest_report.map(|newest| newest.min(as_of));
            }
        }
        let mut table = Self(table);
        table.suspend(manifest, all);
        table
    }

    /// Marks what sources out of service are own sources of.
    fn suspend(&mut self, manifest: &Manifest, all: &[Count]) {
        let mut states = BTreeSet::new();
        for source in &manifest.sources {
            if !source.removed && manifest.is_retracted(&source.name) {
                // "*" is no code: the States of such a source are those that it reports.
                let owned = source.owns.iter().map(|code| IssuingState::parse(code));
                states.extend(owned.flatten());
            }
        }
        for count in all {
            if let CountOf::OwnSource(name) = &count.of
                && manifest.is_retracted(name)
            {
                states.insert(count.issuing_state);
                self.suspend_place(count.issuing_state, Some(count.document_type));
            }
        }
        for state in states {
            self.suspend_place(state, None);
            for document_type in DocumentType::ALL {
                // A type that it does not report is covered as well as before by those that do.
                if self.entry(state, Some(document_type)).source.is_none() {
                    self.suspend_place(state, Some(document_type));
                }
            }
        }
    }

    fn suspend_place(&mut self, state: IssuingState, document_type: Option<DocumentType>) {
        let place = place(state, document_type);
        if let Some(entry) = place.and_then(|place| self.0.get_mut(place)) {
            entry.suspended = true;
        }
    }

    fn entry(&self, state: IssuingState, document_type: Option<DocumentType>) -> &Entry {
        place(state, document_type)
            .and_then(|place| self.0.get(place))
            .unwrap_or(&Entry::NONE)
    }

    pub(super) fn get(
        &self,
        state: IssuingState,
        document_type: Option<DocumentType>,
        now: Timestamp,
    ) -> Coverage {
        let entry = self.entry(state, document_type);
        // Data from a clock ahead of ours is as fresh as can be.
        let age =
            |as_of: Timestamp| Duration::try_from(now.duration_since(as_of)).unwrap_or_default();
        let source = entry.source.map(|(from, after)| (age(from), after));
        let level = match source {
            _ if entry.suspended => CoverageLevel::Suspended,
            None => CoverageLevel::None,
            Some((age, stale_after)) if age > stale_after => CoverageLevel::Stale,
            Some(_) => CoverageLevel::Current,
        };
        Coverage {
            level,
            documents: entry.documents,
            newest_report: entry.newest_report,
            source_age: source.map(|(age, _)| age),
            change_age: entry.changed.map(age),
        }
    }
}
