//! What every row goes through once its layout has been read: ownership, range, retention, sink.

use std::collections::BTreeSet;

use sltd::document::{DocumentNumber, NumberRange};
use sltd::report::{Day, ReportStatus, last_day_in_force};

use super::dates::{DateCounts, DateRules};
use super::expired::ExpiredRow;
use super::memo::Memos;
use super::reading::{Reading, Says};
use super::reject::{ROW, Reason, Reject, on_one_line};
use super::{Fate, Row, RowSink, SinkError, Withdrawal};
use crate::config::{SourceConfig, ThirdParty};

/// The most names of unknown columns kept for the warning: the first in order of the alphabet.
const UNKNOWN_MAX: usize = 32;

/// How many rows went which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) passed: u64,
    pub(super) expired: u64,
    pub(super) rejected: u64,
    pub(super) withdrawn: u64,
    pub(super) superseded: u64,
    pub(super) third_party: u64,
    pub(super) undated: u64,
    pub(super) ranges: u64,
    pub(super) dates: DateCounts,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.passed += other.passed;
        self.expired += other.expired;
        self.rejected += other.rejected;
        self.withdrawn += other.withdrawn;
        self.superseded += other.superseded;
        self.third_party += other.third_party;
        self.undated += other.undated;
        self.ranges += other.ranges;
        self.dates.add(&other.dates);
    }
}

/// One rejected row of a chunk.
#[derive(Debug)]
pub(super) struct Rejected {
    /// Its number in the chunk, from 0.
    pub(super) row: u64,
    pub(super) field: &'static str,
    pub(super) reason: String,
    /// The columns of the row that are read; empty where they can't be told apart.
    pub(super) raw: String,
}

/// What has become of a chunk.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    pub(super) rejects: Vec<Rejected>,
    pub(super) expired: Vec<ExpiredRow>,
}

/// One thread's share of a source.
pub(super) struct Worker<'a, S> {
    pub(super) source: &'a SourceConfig,
    pub(super) memos: Memos,
    pub(super) unknown_columns: BTreeSet<String>,
    /// Whether what is rejected has to be written down.
    keep_rejects: bool,
    /// Whether rows in force no longer have to be listed.
    pub(super) keep_expired: bool,
    retention: Retention,
    dates: DateRules,
    sink: S,
    outcome: Outcome,
    failed: Option<SinkError>,
}

impl<'a, S: RowSink> Worker<'a, S> {
    pub(super) fn new(source: &'a SourceConfig, today: Day, keep_rejects: bool, sink: S) -> Self {
        Self {
            source,
            memos: Memos::default(),
            unknown_columns: BTreeSet::new(),
            keep_rejects,
            keep_expired: false,
            retention: Retention::new(today),
            dates: DateRules::new(source.as_of.unwrap_or(jiff::Timestamp::MAX)),
            sink,
            outcome: Outcome::default(),
            failed: None,
        }
    }

    /// Takes the next row of the chunk: what the layout has read. `kept` writes the columns that are read, for the
    /// file of rejects.
    #[inline]
    pub(super) fn row(
        &mut self,
        read: Result<Reading<'_>, Reject>,
        kept: impl FnOnce(&mut String),
    ) {
        if let Err(reject) = read.and_then(|reading| self.usable(reading)) {
            self.reject(&reject, kept);
        }
        self.outcome.tally.rows += 1;
    }

    /// Takes a row whose columns can't be told apart: nothing of it is kept.
    pub(super) fn unusable_row(&mut self, reject: Reject) {
        self.row(Err(reject), |_| {});
    }

    /// Takes a row longer than [`ROW_BYTES_MAX`](super::ROW_BYTES_MAX).
    pub(super) fn too_long_row(&mut self, bytes: u64) {
        self.unusable_row(Reject::new(ROW, Reason::TooLong { bytes }));
    }

    #[inline]
    fn usable(&mut self, mut reading: Reading<'_>) -> Result<(), Reject> {
        let source = self.source;
        if let Some(end) = reading.range_end {
            NumberRange::new(reading.number, end)
                .map_err(|error| Reject::new("range_end", error))?;
        }
        let owned = source.owns.contains(&reading.issuing_state);
        if !owned && source.third_party == ThirdParty::Reject {
            let state = reading.issuing_state.code().to_owned();
            return Err(Reject::new("issuing_state", Reason::NotOwned { state }));
        }
        let status = match reading.says {
            Says::Reported(status) => status,
            Says::Withdrawn { reason } => return self.withdraw(&reading, reason, !owned),
        };
        self.dates
            .apply(&mut reading, &mut self.outcome.tally.dates);
        let in_force = self.retention.in_force(&reading);
        let tally = &mut self.outcome.tally;
        if in_force == Some(false) {
            tally.expired += 1;
            if self.keep_expired {
                let row = ExpiredRow::new(tally.rows, &reading, status);
                self.outcome.expired.push(row);
            }
            return Ok(());
        }
        let row = Row {
            number: reading.number,
            range_end: reading.range_end,
            issuing_state: reading.issuing_state,
            document_type: reading.document_type,
            status,
            source_status: reading.source_status,
            date_of_loss: reading.date_of_loss,
            date_reported: reading.date_reported,
            review_date: reading.review_date,
            authority: reading.authority,
            restriction: reading.restriction,
            owner_reference: reading.owner_reference,
            third_party: !owned,
        };
        let fate = self.sink.row(&row);
        let tally = &mut self.outcome.tally;
        match fate {
            Ok(Fate::Taken) => {
                tally.passed += 1;
                tally.third_party += u64::from(!owned);
                let is_range = reading.range_end.is_some_and(|end| end != reading.number);
                tally.ranges += u64::from(is_range);
                tally.undated += u64::from(in_force.is_none());
            }
            Ok(Fate::Superseded) => tally.superseded += 1,
            Ok(Fate::Refused(what)) => return Err(Reject::new(ROW, Reason::Refused(what))),
            Err(error) => drop(self.failed.get_or_insert(error)),
        }
        Ok(())
    }

    fn withdraw(
        &mut self,
        reading: &Reading<'_>,
        reason: &str,
        third_party: bool,
    ) -> Result<(), Reject> {
        let withdrawal = Withdrawal {
            number: reading.number,
            range_end: reading.range_end,
            issuing_state: reading.issuing_state,
            document_type: reading.document_type,
            reason,
            third_party,
        };
        match self.sink.withdraw(&withdrawal) {
            Ok(Fate::Taken) => self.outcome.tally.withdrawn += 1,
            Ok(Fate::Superseded) => self.outcome.tally.superseded += 1,
            Ok(Fate::Refused(what)) => return Err(Reject::new(ROW, Reason::Refused(what))),
            Err(error) => drop(self.failed.get_or_insert(error)),
        }
        Ok(())
    }

    #[cold]
    fn reject(&mut self, reject: &Reject, kept: impl FnOnce(&mut String)) {
        self.outcome.tally.rejected += 1;
        if self.keep_rejects {
            let mut line = String::new();
            kept(&mut line);
            on_one_line(&mut line);
            self.outcome.rejects.push(Rejected {
                row: self.outcome.tally.rows,
                field: reject.field,
                reason: reject.reason.to_string(),
                raw: line,
            });
        }
    }

    /// Remembers the name of a column that the layout does not know.
    pub(super) fn unknown_column(&mut self, name: &str) {
        if !self.unknown_columns.contains(name) {
            remember_unknown(&mut self.unknown_columns, name);
        }
    }

    /// Ends a chunk: what has become of it, or what the sink could not do.
    pub(super) fn end_chunk(&mut self) -> Result<Outcome, SinkError> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(std::mem::take(&mut self.outcome)),
        }
    }

    /// Ends the work: closes the sink, hands back the unknown columns met.
    pub(super) fn finish(mut self) -> Result<BTreeSet<String>, SinkError> {
        self.sink.finish()?;
        Ok(self.unknown_columns)
    }

    /// Whether the sink has failed: the rest of the chunk is in vain.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }
}

/// Adds a name to those of unknown columns. The set stays small, and the same in any order of
/// adding: the names that come first in the alphabet are kept.
pub(super) fn remember_unknown(names: &mut BTreeSet<String>, name: &str) {
    let short: String = name
        .chars()
        .take(64)
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect();
    names.insert(short);
    if names.len() > UNKNOWN_MAX {
        names.pop_last();
    }
}

/// [`last_day_in_force`] asked about one day for many reports: no calendar in the way of a row.
#[derive(Debug, Clone, Copy)]
struct Retention {
    today: Day,
    /// Reports without a review date are in force when made on this day or later.
    first_reported: Day,
}

impl Retention {
    fn new(today: Day) -> Self {
        // The later a report was made the later it ends, so the first day can be searched for.
        let (mut low, mut high) = (Day::MIN.number(), Day::MAX.number());
        while low < high {
            let middle = low + (high - low) / 2;
            let last = last_day_in_force(ReportStatus::Lost, Day::from_number(middle), None);
            if last.is_some_and(|last| last < today) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let first_reported = Day::from_number(low).unwrap_or(today);
        Self {
            today,
            first_reported,
        }
    }

    /// Whether a report is in force; `None` when it bears no day from which an end could be told.
    fn in_force(&self, reading: &Reading<'_>) -> Option<bool> {
        match (reading.review_date, reading.date_reported) {
            (Some(last), _) => Some(last >= self.today),
            (None, _) if reading.says == Says::Reported(ReportStatus::StolenBlank) => Some(true),
            (None, Some(reported)) => Some(reported >= self.first_reported),
            (None, None) => None,
        }
    }
}

/// The longest series or number with all its blanks and separators, in bytes.
const PART_BYTES_MAX: usize = 64;

/// A number that a list keeps in two parts, series first, normalised as one.
pub(super) fn series_and_number(
    field: &'static str,
    series: &str,
    number: &str,
) -> Result<DocumentNumber, Reject> {
    let found = series.len().max(number.len());
    if found > PART_BYTES_MAX {
        return Err(Reject::new(
            field,
            Reason::TextTooLong {
                found,
                max: PART_BYTES_MAX,
            },
        ));
    }
    // On the stack: no row of a list costs an allocation.
    let mut joined = [0; 2 * PART_BYTES_MAX];
    let length = series.len() + number.len();
    for (to, from) in joined.iter_mut().zip(series.bytes().chain(number.bytes())) {
        *to = from;
    }
    let joined = joined.get(..length).unwrap_or_default();
    DocumentNumber::normalise_bytes(joined).map_err(|error| Reject::new(field, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Layout;
    use sltd::document::{DocumentType, IssuingState};

    #[test]
    fn retention_is_that_of_reports() {
        let source = SourceConfig::for_bytes(Layout::SltdCsv);
        let number = DocumentNumber::normalise("A1").unwrap();
        let state = IssuingState::parse("FRA").unwrap();
        let days = |text: &str| Day::parse_iso(text);
        for today in [
            "0001-01-01",
            "0011-01-01",
            "2024-02-28",
            "2024-02-29",
            "2026-11-01",
            "9999-12-31",
        ] {
            let today = days(today).unwrap();
            let retention = Retention::new(today);
            for status in ReportStatus::ALL {
                for review_date in [
                    None,
                    days("2024-02-28"),
                    days("2026-10-31"),
                    days("2026-11-01"),
                ] {
                    for reported in [
                        0,
                        9 * 365,
                        3648,
                        3649,
                        3650,
                        3651,
                        3652,
                        3653,
                        3654,
                        3655,
                        11 * 365,
                        800_000,
                    ] {
                        for date_reported in [None, Day::from_number(today.number() - reported)] {
                            let reading =
                                Reading::new(&source, number, state, DocumentType::Visa, status);
                            let reading = Reading {
                                date_reported,
                                review_date,
                                ..reading
                            };
                            let last = last_day_in_force(status, date_reported, review_date);
                            let expected = last.is_none_or(|last| last >= today);
                            assert_eq!(
                                retention.in_force(&reading).unwrap_or(true),
                                expected,
                                "{reading:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
