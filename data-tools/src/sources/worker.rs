//! What every row goes through once its layout has been read: ownership, range, retention, sink.

use std::collections::BTreeSet;

use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::report::{Day, ReportStatus, last_day_in_force};

use super::reject::{EXCERPT_BYTES, ROW, Reason, Reject, one_line};
use super::{Row, RowSink, SinkError};
use crate::config::{SourceConfig, ThirdParty};

/// The most names of unknown columns kept for the warning: the first in order of the alphabet.
const UNKNOWN_MAX: usize = 32;

/// A row as its layout reads it, before the rules that hold for all layouts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) number: DocumentNumber,
    pub(super) range_end: Option<DocumentNumber>,
    pub(super) issuing_state: IssuingState,
    pub(super) document_type: DocumentType,
    pub(super) status: ReportStatus,
    pub(super) source_status: &'a str,
    pub(super) date_of_loss: Option<Day>,
    pub(super) date_reported: Option<Day>,
    pub(super) review_date: Option<Day>,
    pub(super) authority: &'a str,
    pub(super) restriction: &'a str,
    pub(super) owner_reference: &'a str,
}

impl<'a> Reading<'a> {
    /// A row that says nothing more; what the source fixes applies.
    pub(super) fn new(
        source: &'a SourceConfig,
        number: DocumentNumber,
        issuing_state: IssuingState,
        document_type: DocumentType,
        status: ReportStatus,
    ) -> Self {
        Self {
            number,
            range_end: None,
            issuing_state,
            document_type,
            status,
            source_status: "",
            date_of_loss: None,
            date_reported: None,
            review_date: None,
            authority: source.authority.as_deref().unwrap_or(""),
            restriction: source.restriction.as_deref().unwrap_or(""),
            owner_reference: "",
        }
    }
}

/// How many rows went which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) rows: u64,
    pub(super) passed: u64,
    pub(super) expired: u64,
    pub(super) rejected: u64,
    pub(super) third_party: u64,
    pub(super) undated: u64,
    pub(super) ranges: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.passed += other.passed;
        self.expired += other.expired;
        self.rejected += other.rejected;
        self.third_party += other.third_party;
        self.undated += other.undated;
        self.ranges += other.ranges;
    }
}

/// One rejected row of a chunk.
#[derive(Debug)]
pub(super) struct Rejected {
    /// Its number in the chunk, from 0.
    pub(super) row: u64,
    pub(super) field: &'static str,
    pub(super) reason: String,
    /// The row on one line.
    pub(super) raw: String,
}

/// What has become of a chunk.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) tally: Tally,
    pub(super) rejects: Vec<Rejected>,
}

/// One thread's share of a source.
pub(super) struct Worker<'a, S> {
    pub(super) source: &'a SourceConfig,
    pub(super) states: StateMemo,
    pub(super) unknown_columns: BTreeSet<String>,
    /// Whether what is rejected has to be written down.
    keep_rejects: bool,
    today: Day,
    sink: S,
    outcome: Outcome,
    failed: Option<SinkError>,
}

impl<'a, S: RowSink> Worker<'a, S> {
    pub(super) fn new(source: &'a SourceConfig, today: Day, keep_rejects: bool, sink: S) -> Self {
        Self {
            source,
            states: StateMemo::default(),
            unknown_columns: BTreeSet::new(),
            keep_rejects,
            today,
            sink,
            outcome: Outcome::default(),
            failed: None,
        }
    }

    /// Takes the next row of the chunk: what the layout has read, and the row as it came.
    #[inline]
    pub(super) fn row(&mut self, raw: &[u8], read: Result<Reading<'_>, Reject>) {
        if let Err(reject) = read.and_then(|reading| self.usable(&reading)) {
            self.reject(&reject, |line| one_line(raw, line));
        }
        self.outcome.tally.rows += 1;
    }

    /// Takes a row that cannot be used as a whole.
    pub(super) fn unusable_row(&mut self, raw: &[u8], reason: Reason) {
        self.row(raw, Err(Reject { field: ROW, reason }));
    }

    /// Takes a row longer than [`ROW_BYTES_MAX`](super::ROW_BYTES_MAX), of which the beginning is there.
    pub(super) fn too_long_row(&mut self, raw: &[u8], bytes: u64) {
        self.unusable_row(raw.get(..EXCERPT_BYTES).unwrap_or(raw), Reason::TooLong { bytes });
    }

    /// Takes a row of a layout without text: `raw` writes it in some readable form.
    pub(super) fn rendered_row(&mut self, raw: impl FnOnce(&mut String), read: Result<Reading<'_>, Reject>) {
        if let Err(reject) = read.and_then(|reading| self.usable(&reading)) {
            self.reject(&reject, raw);
        }
        self.outcome.tally.rows += 1;
    }

    #[inline]
    fn usable(&mut self, reading: &Reading<'_>) -> Result<(), Reject> {
        let source = self.source;
        if let Some(end) = reading.range_end {
            NumberRange::new(reading.number, end).map_err(|error| Reject::new("range_end", error))?;
        }
        let owned = source.owns.contains(&reading.issuing_state);
        if !owned && source.third_party == ThirdParty::Reject {
            let state = reading.issuing_state.code().to_owned();
            return Err(Reject::new("issuing_state", Reason::NotOwned { state }));
        }
        let last_day = last_day_in_force(reading.status, reading.date_reported, reading.review_date);
        let tally = &mut self.outcome.tally;
        if last_day.is_some_and(|last| last < self.today) {
            tally.expired += 1;
            return Ok(());
        }
        tally.passed += 1;
        tally.third_party += u64::from(!owned);
        tally.ranges += u64::from(reading.range_end.is_some_and(|end| end != reading.number));
        tally.undated += u64::from(last_day.is_none() && reading.status != ReportStatus::StolenBlank);
        let row = Row {
            number: reading.number,
            range_end: reading.range_end,
            issuing_state: reading.issuing_state,
            document_type: reading.document_type,
            status: reading.status,
            source_status: reading.source_status,
            date_of_loss: reading.date_of_loss,
            date_reported: reading.date_reported,
            review_date: reading.review_date,
            authority: reading.authority,
            restriction: reading.restriction,
            owner_reference: reading.owner_reference,
            third_party: !owned,
        };
        if let Err(error) = self.sink.row(&row) {
            self.failed.get_or_insert(error);
        }
        Ok(())
    }

    #[cold]
    fn reject(&mut self, reject: &Reject, raw: impl FnOnce(&mut String)) {
        self.outcome.tally.rejected += 1;
        if self.keep_rejects {
            let mut line = String::new();
            raw(&mut line);
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
    let short: String = name.chars().take(64).map(|character| if character.is_control() { ' ' } else { character }).collect();
    names.insert(short);
    if names.len() > UNKNOWN_MAX {
        names.pop_last();
    }
}

/// Remembers which State a code stands for. A list names a few States in millions of rows, and
/// reading a code with all its aliases costs more than the rest of the row.
#[derive(Debug)]
pub(super) struct StateMemo {
    slots: Box<[Option<([u8; 3], IssuingState)>; 256]>,
}

impl Default for StateMemo {
    fn default() -> Self {
        Self { slots: Box::new([None; 256]) }
    }
}

impl StateMemo {
    /// The State of a code or alias as [`IssuingState::parse`] reads it; `None` when not known.
    #[inline]
    pub(super) fn read(&mut self, raw: &str) -> Option<IssuingState> {
        let &[a, b, c] = raw.as_bytes() else { return IssuingState::parse(raw).ok() };
        // Letters differ in their five low bits; the product spreads three times five over eight.
        let packed = u32::from(a & 31) | u32::from(b & 31) << 5 | u32::from(c & 31) << 10;
        let slot = (packed.wrapping_mul(0x9e37_79b1) >> 24) as u8;
        let slot = &mut self.slots[usize::from(slot)];
        if let Some((key, state)) = slot
            && *key == [a, b, c]
        {
            return Some(*state);
        }
        let state = IssuingState::parse(raw).ok()?;
        *slot = Some(([a, b, c], state));
        Some(state)
    }
}

/// The longest series or number with all its blanks and separators, in bytes.
const PART_BYTES_MAX: usize = 64;

/// A number that a list keeps in two parts, series first, normalised as one.
pub(super) fn series_and_number(field: &'static str, series: &str, number: &str) -> Result<DocumentNumber, Reject> {
    let found = series.len().max(number.len());
    if found > PART_BYTES_MAX {
        return Err(Reject::new(field, Reason::TextTooLong { found, max: PART_BYTES_MAX }));
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
