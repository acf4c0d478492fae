//! What every peer holds: numbers in order, each with the reports of the documents that bear it.

use crate::Result;
use crate::given::describe_list;
use crate::rivals::{Draw, SortedKey, unpadded};
use crate::value::{Dictionary, Reported, pack};
use rayon::slice::ParallelSliceMut as _;
use sltd::document::{DocumentNumber, NumberRange};
use sltd::index::Segment;
use sltd::report::{Authority, Day, Report};
use sltd_data::config;
use sltd_data::sources::{Fate, ReadOptions, Row, RowSink, SinkError, read_source};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Entries in order of their keys, for a peer that is loaded with them.
pub(crate) trait Feed: Send {
    /// The next number and its value.
    fn next(&mut self) -> Option<(&[u8], &[u8])>;
}

/// One report of one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: SortedKey,
    /// Its profile in the dictionary.
    profile: u32,
    /// Report, loss, review, as numbers of days; [`NO_DAY`] where there is none.
    days: [i32; 3],
    /// Position of the owner's reference, counted from one; 0: none.
    reference: u32,
}

/// No day is so early.
const NO_DAY: i32 = i32::MIN;

/// All entries, in memory.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    references: Vec<Box<str>>,
    dictionary: Dictionary,
}

impl Entries {
    /// Those of a segment, in its order.
    ///
    /// # Errors
    /// When the segment's bytes have changed since they were verified.
    pub(crate) fn of(segment: &Segment) -> Result<Self> {
        let mut all = Self::default();
        all.entries
            .reserve_exact(usize::try_from(segment.documents())?);
        let (mut reports, mut damage) = (Vec::new(), None);
        segment.for_each(|number, document| {
            reports.clear();
            if let Err(error) = document.reports(&mut reports) {
                damage = Some(error);
            }
            for report in &reports {
                all.push(
                    &number,
                    &Reported {
                        issuing_state: document.issuing_state,
                        document_type: document.document_type,
                        report: *report,
                    },
                );
            }
        })?;
        damage.map_or(Ok(all), |error| Err(error.into()))
    }

    /// Those of a list: parsed and normalised by the reader that a build uses, sorted, equal rows merged.
    ///
    /// # Errors
    /// When the list can't be read.
    pub(crate) fn read(list: &Path, scratch: &Path, threads: usize) -> Result<Self> {
        let sources = config::load(&describe_list(scratch, list)?)?;
        let options = ReadOptions {
            today: Day::from_timestamp(jiff::Timestamp::now()),
            threads,
            rejects: None,
            expired: None,
        };
        let parts = Arc::new(Mutex::new(Vec::new()));
        for source in &sources.sources {
            let sink = |_| Sink {
                source: &source.name,
                part: Self::default(),
                parts: Arc::clone(&parts),
            };
            read_source(source, &options, &sink, &|_| {})?;
        }
        let mut all = Self::default();
        for part in std::mem::take(&mut *parts.lock().unwrap_or_else(PoisonError::into_inner)) {
            all.merge(part);
        }
        all.entries.par_sort_unstable();
        all.entries.dedup();
        Ok(all)
    }

    /// How many distinct numbers there are.
    pub(crate) fn numbers(&self) -> usize {
        self.entries
            .chunk_by(|one, next| one.key == next.key)
            .count()
    }

    /// `count` numbers in random order.
    pub(crate) fn sample(&self, count: usize) -> Vec<DocumentNumber> {
        let mut draw = Draw(1);
        let drawn = (0..count).filter_map(|_| self.entries.get(draw.below(self.entries.len())));
        drawn
            .filter_map(|entry| DocumentNumber::from_normalised(unpadded(&entry.key)))
            .collect()
    }

    /// The profiles that values refer to.
    pub(crate) fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The profiles alone.
    pub(crate) fn into_dictionary(self) -> Dictionary {
        self.dictionary
    }

    /// All entries in about `parts` feeds, one behind the other in order.
    pub(crate) fn feeds(&self, parts: usize) -> Vec<Box<dyn Feed + '_>> {
        let mut feeds: Vec<Box<dyn Feed>> = Vec::with_capacity(parts);
        let mut rest = self.entries.as_slice();
        for left in (1..=parts).rev() {
            let mut len = rest.len() / left;
            // A number is not divided.
            while len > 0
                && len < rest.len()
                && rest.get(len).map(|entry| entry.key) == rest.get(len - 1).map(|entry| entry.key)
            {
                len += 1;
            }
            let (part, behind) = rest.split_at(len);
            rest = behind;
            feeds.push(Box::new(Packing {
                rest: part,
                references: &self.references,
                value: Vec::new(),
            }));
        }
        feeds
    }

    fn push(&mut self, number: &DocumentNumber, reported: &Reported<'_>) {
        let report = &reported.report;
        let reference = match report.owner_reference {
            "" => 0,
            text => {
                self.references.push(text.into());
                self.references.len() as u32
            }
        };
        self.entries.push(Entry {
            key: *number.padded(),
            profile: self.dictionary.profile(reported),
            days: [
                report.date_reported,
                report.date_of_loss,
                report.review_date,
            ]
            .map(|day| day.map_or(NO_DAY, Day::number)),
            reference,
        });
    }

    fn merge(&mut self, mut part: Self) {
        let profiles = self.dictionary.merge(&part.dictionary);
        let references = self.references.len() as u32;
        for entry in &mut part.entries {
            if let Some(profile) = profiles.get(entry.profile as usize) {
                entry.profile = *profile;
            }
            if entry.reference > 0 {
                entry.reference += references;
            }
        }
        self.references.append(&mut part.references);
        if self.entries.is_empty() {
            self.entries = part.entries;
        } else {
            self.entries.append(&mut part.entries);
        }
    }
}

/// Gathers the rows of one parsing thread.
struct Sink<'s> {
    source: &'s str,
    part: Entries,
    parts: Arc<Mutex<Vec<Entries>>>,
}

impl RowSink for Sink<'_> {
    fn row(&mut self, row: &Row<'_>) -> std::result::Result<Fate, SinkError> {
        let authority = (!row.authority.is_empty()).then_some(Authority {
            code: row.authority,
            name: "",
            contact: "",
        });
        let reported = Reported {
            issuing_state: row.issuing_state,
            document_type: row.document_type,
            report: Report {
                status: row.status,
                source_status: row.source_status,
                date_of_loss: row.date_of_loss,
                date_reported: row.date_reported,
                review_date: row.review_date,
                authority,
                restriction: row.restriction,
                source: self.source,
                third_party: row.third_party,
                owner_reference: row.owner_reference,
            },
        };
        match row.range_end {
            None => self.part.push(&row.number, &reported),
            Some(end) => {
                let numbers = NumberRange::new(row.number, end)
                    .map_err(|error| SinkError(Box::new(error)))?;
                for number in numbers {
                    self.part.push(&number, &reported);
                }
            }
        }
        Ok(Fate::Taken)
    }

    fn finish(&mut self) -> std::result::Result<(), SinkError> {
        let part = std::mem::take(&mut self.part);
        self.parts
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(part);
        Ok(())
    }
}

/// Packs the reports of one number after the other.
struct Packing<'e> {
    rest: &'e [Entry],
    references: &'e [Box<str>],
    value: Vec<u8>,
}

impl Feed for Packing<'_> {
    fn next(&mut self) -> Option<(&[u8], &[u8])> {
        let (first, _) = self.rest.split_first()?;
        self.value.clear();
        while let Some((entry, rest)) = self.rest.split_first()
            && entry.key == first.key
        {
            let reference = (entry.reference as usize)
                .checked_sub(1)
                .and_then(|index| self.references.get(index));
            // A number that is no day is none.
            let days = entry.days.map(Day::from_number);
            pack(
                entry.profile,
                days,
                reference.map_or("", AsRef::as_ref),
                &mut self.value,
            );
            self.rest = rest;
        }
        Some((unpadded(&first.key), &self.value))
    }
}
