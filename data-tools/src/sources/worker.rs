//! What every row goes through once its layout has been read: ownership, range, retention, sink.

use std::collections::BTreeSet;

use sltd::document::{DocumentNumber, NumberError, NumberRange};
use sltd::report::Day;
use sltd::snapshot::RowPosition;

use super::dates::{DateCounts, DateRules};
use super::expired::ExpiredRow;
use super::memo::Memos;
use super::reading::{Reading, Says};
use super::reasons::ReasonCounts;
use super::reject::{ROW, Reason, Reject, on_one_line};
use super::retention::Retention;
use super::unlikely::UnlikelyCounts;
use super::{Fate, Row, RowSink, SinkError, Withdrawal};
use crate::config::{Purpose, SourceConfig, ThirdParty};

/// The most names of unknown columns kept for the warning: the first in order of the alphabet.
const UNKNOWN_MAX: usize = 32;

/// The column that says what a row of changes does.
const ACTION: &str = "action";
const UNWITHDRAW_BY_THIRD_PARTY: &str = "unwithdraw of a State's document: expected it of a source that owns the State; the withdrawals of others hide no \
     reports but their own";

/// How many rows went which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) passed: u64,
    pub(super) expired: u64,
    pub(super) rejected: u64,
    pub(super) not_owned: u64,
    pub(super) no_report: u64,
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
        self.not_owned += other.not_owned;
        self.no_report += other.no_report;
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
    pub(super) reasons: ReasonCounts,
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
    unlikely: UnlikelyCounts,
    sink: S,
    outcome: Outcome,
    failed: Option<SinkError>,
    /// Where the rows of the chunk stand in a list of changes.
    position: RowPosition,
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
            unlikely: UnlikelyCounts::default(),
            sink,
            outcome: Outcome::default(),
            failed: None,
            position: RowPosition::default(),
        }
    }

    /// Begins a chunk: `file` is the place of its file in the order in which rows count.
    pub(super) fn begin_chunk(&mut self, file: u64, chunk: u64) {
        self.position = RowPosition {
            file,
            chunk,
            row: 0,
        };
    }

    /// Takes the next row of the chunk: what the layout has read. `kept` writes the columns that are read, for the
    /// file of rejects.
    #[inline]
    pub(super) fn row(
        &mut self,
        mut read: Result<Reading<'_>, Reject>,
        kept: impl FnOnce(&mut String),
    ) {
        // A reading is too large to be moved for each row.
        match read.as_mut().map(|reading| self.usable(reading)) {
            Ok(Ok(())) => {}
            Ok(Err(reject)) => self.reject(&reject, kept),
            Err(reject) => self.reject(reject, kept),
        }
        self.outcome.tally.rows += 1;
    }

    /// Takes a row that reports nothing.
    pub(super) fn no_report(&mut self) {
        self.outcome.tally.rows += 1;
        self.outcome.tally.no_report += 1;
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
    fn usable(&mut self, reading: &mut Reading<'_>) -> Result<(), Reject> {
        let source = self.source;
        let state = Some(&reading.issuing_state);
        if source.placeholders.contains(&reading.number, state) {
            let error = NumberError::Placeholder;
            return Err(Reject::new(reading.number_field, error));
        }
        let range = reading.range_end.map(|end| {
            if source.placeholders.contains(&end, state) {
                return Err(Reason::from(NumberError::Placeholder));
            }
            Ok(NumberRange::new(reading.number, end)?)
        });
        let range = range
            .transpose()
            .map_err(|reason| Reject::new("range_end", reason))?;
        let owned = source.owns.contains(&reading.issuing_state);
        if !owned && source.third_party == ThirdParty::Reject {
            let state = reading.issuing_state.code().to_owned();
            self.outcome.tally.not_owned += 1;
            return Err(Reject::new("issuing_state", Reason::NotOwned { state }));
        }
        if source.purpose == Purpose::Changes {
            self.position.row = self.outcome.tally.rows;
            self.sink.set_position(self.position);
        }
        let status = match reading.says {
            Says::Reported(status) => status,
            Says::Withdrawn { .. } | Says::Unwithdrawn { .. } => {
                return self.withdraw(reading, !owned);
            }
        };
        self.dates.apply(reading, &mut self.outcome.tally.dates);
        let in_force = self.retention.in_force(reading);
        let expired = in_force == Some(false);
        let tally = &mut self.outcome.tally;
        if expired {
            tally.expired += 1;
            if self.keep_expired {
                let row = ExpiredRow::new(tally.rows, reading, status);
                self.outcome.expired.push(row);
            }
        }
        if expired && source.purpose == Purpose::List {
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
        if expired {
            if let Err(error) = self.sink.expired(&row) {
                self.failed.get_or_insert(error);
            }
            return Ok(());
        }
        let fate = self.sink.row(&row);
        let tally = &mut self.outcome.tally;
        match fate {
            Ok(Fate::Taken) => {
                tally.passed += 1;
                tally.third_party += u64::from(!owned);
                let is_range = reading.range_end.is_some_and(|end| end != reading.number);
                tally.ranges += u64::from(is_range);
                tally.undated += u64::from(in_force.is_none());
                self.unlikely.add(reading, range);
            }
            Ok(Fate::Superseded) => tally.superseded += 1,
            Ok(Fate::Refused(what)) => return Err(Reject::new(ROW, Reason::Refused(what))),
            Err(error) => drop(self.failed.get_or_insert(error)),
        }
        Ok(())
    }

    fn withdraw(&mut self, reading: &Reading<'_>, third_party: bool) -> Result<(), Reject> {
        let (reason, takes_back) = match reading.says {
            Says::Withdrawn { reason } => (reason, false),
            Says::Unwithdrawn { reason } => (reason, true),
            Says::Reported(_) => ("", false),
        };
        if takes_back && third_party {
            return Err(Reject::expected(ACTION, UNWITHDRAW_BY_THIRD_PARTY));
        }
        let withdrawal = Withdrawal {
            number: reading.number,
            range_end: reading.range_end,
            issuing_state: reading.issuing_state,
            document_type: reading.document_type,
            reason,
            third_party,
        };
        let fate = match takes_back {
            false => self.sink.withdraw(&withdrawal),
            true => self.sink.unwithdraw(&withdrawal),
        };
        match fate {
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
        self.outcome.reasons.add(reject);
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

    /// Ends the work: closes the sink, hands back the unknown columns met and what was counted.
    pub(super) fn finish(mut self) -> Result<(BTreeSet<String>, UnlikelyCounts), SinkError> {
        self.sink.finish()?;
        Ok((self.unknown_columns, self.unlikely))
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
    DocumentNumber::from_cell_bytes(joined).map_err(|error| Reject::new(field, error))
}
