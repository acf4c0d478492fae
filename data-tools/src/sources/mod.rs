//! The lists of reported documents: each row becomes a normalised [`Row`] or a reject.
//!
//! [`read_source`] reads all files of one source. One thread reads (and inflates) the
//! files in order and cuts them into chunks at row boundaries; workers parse the chunks
//! and hand each usable row to their own [`RowSink`]. Memory is bounded by the number of
//! chunks in flight, never by the length of a file or of a row.
//!
//! Nothing is lost: a row read has passed, has expired, or stands in the rejects file with
//! its number, the field and the reason. `SourceAccount::adds_up` says so in one line.

mod cells;
mod cut;
mod czechia;
mod delimited;
mod error;
mod feed;
mod input;
mod json;
mod json_object;
mod layout;
mod ledger;
mod memo;
mod pipeline;
mod reading;
mod reject;
mod russia;
mod sltd_csv;
mod sltd_jsonl;
mod sltd_parquet;
#[cfg(test)]
mod tests;
mod ukraine;
mod worker;

pub(crate) use cells::LIST_COLUMNS;
pub use cells::{CODE_BYTES_MAX, REASON_BYTES_MAX, REFERENCE_BYTES_MAX};
pub use error::SourceError;
pub use reject::ROW_BYTES_MAX;
pub(crate) use reject::keep_rejects_of;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange, RangeError};
use sltd::report::{Day, ReportStatus};

use crate::config::{Layout, SourceConfig};
/// By how much clocks of machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

use input::{Inputs, Origin};
use pipeline::{CHUNK_BYTES, Done};

/// One usable row, normalised, borrowed from the chunk it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The number, or the first one of a range.
    pub number: DocumentNumber,
    /// The last number of a range, inclusive; `None` or equal to `number`: a single document.
    /// The pair has been checked by [`NumberRange`].
    pub range_end: Option<DocumentNumber>,
    /// The State that issued the document.
    pub issuing_state: IssuingState,
    /// The type of the document.
    pub document_type: DocumentType,
    /// What is reported of it.
    pub status: ReportStatus,
    /// The source's own word for the status; empty where it used ours.
    pub source_status: &'a str,
    /// Day of loss or theft.
    pub date_of_loss: Option<Day>,
    /// Day of the report.
    pub date_reported: Option<Day>,
    /// The last day on which the report is in force, as the owner set it.
    pub review_date: Option<Day>,
    /// Code of the owning authority; may be empty.
    pub authority: &'a str,
    /// Code of the owner's restriction; empty: none.
    pub restriction: &'a str,
    /// The owner's own reference; empty: none.
    pub owner_reference: &'a str,
    /// Whether the source does not own the reports of this issuing State.
    pub third_party: bool,
}

impl<'a> Row<'a> {
    /// The row as the index takes it, reported by this source.
    pub(crate) fn of_source(&self, source: &'a str) -> Result<sltd::index::Row<'a>, RangeError> {
        Ok(sltd::index::Row {
            numbers: numbers(self.number, self.range_end)?,
            issuing_state: self.issuing_state,
            document_type: self.document_type,
            status: self.status,
            source_status: self.source_status,
            date_of_loss: self.date_of_loss,
            date_reported: self.date_reported,
            review_date: self.review_date,
            authority: self.authority,
            restriction: self.restriction,
            source,
            third_party: self.third_party,
            owner_reference: self.owner_reference,
        })
    }
}

fn numbers(
    number: DocumentNumber,
    range_end: Option<DocumentNumber>,
) -> Result<NumberRange, RangeError> {
    range_end.map_or(Ok(NumberRange::single(number)), |end| {
        NumberRange::new(number, end)
    })
}

/// A withdrawal of reports, normalised, borrowed from the chunk it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Withdrawal<'a> {
    /// The number, or the first one of a range.
    pub number: DocumentNumber,
    /// The last number of a range, as in a [`Row`].
    pub range_end: Option<DocumentNumber>,
    /// The State that issued the document.
    pub issuing_state: IssuingState,
    /// The type of the document.
    pub document_type: DocumentType,
    /// Why; may be empty.
    pub reason: &'a str,
    /// Whether the source does not own the reports of this issuing State.
    pub third_party: bool,
}

impl<'a> Withdrawal<'a> {
    /// The withdrawal as the index takes it, by this source.
    pub(crate) fn of_source(
        &self,
        source: &'a str,
    ) -> Result<sltd::index::Withdrawal<'a>, RangeError> {
        Ok(sltd::index::Withdrawal {
            numbers: numbers(self.number, self.range_end)?,
            issuing_state: self.issuing_state,
            document_type: self.document_type,
            source,
            third_party: self.third_party,
            reason: self.reason,
        })
    }
}

/// What a sink makes of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is taken.
    Taken,
    /// The source has said something later already: without effect.
    Superseded,
    /// It can't be used, for this reason.
    Refused(String),
}

/// What a sink could not do, as the sink words it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

impl SinkError {
    pub(crate) fn of(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self(Box::new(error))
    }
}

/// Where a worker hands its rows. Each worker has a sink of its own.
pub trait RowSink: Send {
    /// Takes one row. An error ends the reading of the source.
    fn row(&mut self, row: &Row<'_>) -> Result<Fate, SinkError>;

    /// Takes one withdrawal, which only sources of changes have.
    fn withdraw(&mut self, _: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        Ok(Fate::Refused("withdrawals are not taken here".to_owned()))
    }

    /// Called once, after the worker's last row, unless the reading has failed.
    fn finish(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// How a source is read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The day (UTC) that decides whether a report is still in force.
    pub today: Day,
    /// Number of parsing threads, at least one. One more reads and inflates.
    pub threads: usize,
    /// The folder of the rejects file; `None`: rejects are counted and not written.
    pub rejects: Option<&'a Path>,
}

/// How far the reading of a source has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes read from the files, before inflating.
    pub bytes: u64,
    /// Bytes of all files of the source.
    pub bytes_total: u64,
    /// Rows read.
    pub rows: u64,
    /// Rows rejected.
    pub rejected: u64,
}

/// What has become of the rows of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceAccount {
    /// Rows read. Headers and blank lines are no rows.
    pub rows_read: u64,
    /// Rows handed to a sink.
    pub passed: u64,
    /// Rows no longer in force on the day asked about.
    pub expired: u64,
    /// Rows that cannot be used; they stand in the rejects file.
    pub rejected: u64,
    /// Withdrawals handed to a sink.
    pub withdrawn: u64,
    /// Rows about what the source has said something later of already.
    pub superseded: u64,
    /// Of those that passed: rows kept as reports of a third party.
    pub third_party: u64,
    /// Of those that passed: rows without a date from which an end could be told.
    pub undated: u64,
    /// Of those that passed: rows that name a range.
    pub ranges: u64,
    /// What an operator should know, one sentence each, in a stable order.
    pub warnings: Vec<String>,
    /// The files read, in order.
    pub files: Vec<FileAccount>,
    /// The instant the data describes: as configured, else the oldest modification time.
    pub as_of: Timestamp,
    /// Where the rejects stand; `None` when there are none, or they were not to be written.
    pub rejects_file: Option<PathBuf>,
}

impl SourceAccount {
    /// That of a source of which nothing was read.
    pub(crate) fn unread(as_of: Timestamp) -> Self {
        Self {
            rows_read: 0,
            passed: 0,
            expired: 0,
            rejected: 0,
            withdrawn: 0,
            superseded: 0,
            third_party: 0,
            undated: 0,
            ranges: 0,
            warnings: Vec::new(),
            files: Vec::new(),
            as_of,
            rejects_file: None,
        }
    }

    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        let used = self.passed + self.withdrawn;
        self.rows_read == used + self.expired + self.rejected + self.superseded
    }
}

/// One file of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileAccount {
    /// Its path, relative to the folder of `sources.toml` where it lies below it.
    pub name: String,
    /// Its length in bytes, before inflating.
    pub bytes: u64,
    /// Rows read from it.
    pub rows: u64,
}

/// Reads every file of a source.
///
/// `make_sink` is called once for each worker with the worker's number, counted from 0.
/// Rows reach the sinks in any order; the rejects file and the account are the same for
/// any number of threads. `progress` is called from several threads, a few times for each
/// megabyte read.
///
/// # Errors
/// [`SourceError`] when a file cannot be read to its end or is not what the layout says, or when a
/// sink gives up. The rejects file of an earlier reading is then left as it was.
pub fn read_source<S: RowSink>(
    source: &SourceConfig,
    options: &ReadOptions<'_>,
    make_sink: &(dyn Fn(usize) -> S + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SourceAccount, SourceError> {
    read_inputs(
        source,
        input::find(source)?,
        options,
        CHUNK_BYTES,
        make_sink,
        progress,
    )
}

/// The instant that a source's data describe: as configured, else the oldest modification time among its files.
///
/// # Errors
/// [`SourceError`] when there are no files, or none that can be looked at.
pub fn as_of(source: &SourceConfig) -> Result<Timestamp, SourceError> {
    match source.as_of {
        Some(as_of) => Ok(as_of),
        None => Ok(modified(input::find(source)?.oldest)),
    }
}

/// Refuses data of an instant that is still to come: it would silence whatever comes before it.
///
/// # Errors
/// [`SourceError::InTheFuture`].
pub(crate) fn not_in_the_future(as_of: Timestamp, now: Timestamp) -> Result<(), SourceError> {
    match now.checked_add(CLOCKS_DIFFER) {
        Ok(latest) if as_of > latest => Err(SourceError::InTheFuture { as_of, now }),
        _ => Ok(()),
    }
}

/// A file system's time; beyond jiff's years it is beyond sense too.
fn modified(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Reads bytes as a list of one source that owns every State's documents, rows going nowhere: what
/// tests and fuzzing give any bytes to.
///
/// # Errors
/// [`SourceError`] as for [`read_source`].
pub fn read_bytes(layout: Layout, bytes: &[u8]) -> Result<SourceAccount, SourceError> {
    struct Nowhere;
    impl RowSink for Nowhere {
        fn row(&mut self, _: &Row<'_>) -> Result<Fate, SinkError> {
            Ok(Fate::Taken)
        }
    }
    let options = ReadOptions {
        today: Day::MIN,
        threads: 1,
        rejects: None,
    };
    let source = SourceConfig::for_bytes(layout);
    read_bytes_of(&source, "bytes", bytes, &options, CHUNK_BYTES, &|_| Nowhere)
}

fn read_bytes_of<S: RowSink>(
    source: &SourceConfig,
    name: &str,
    bytes: &[u8],
    options: &ReadOptions<'_>,
    chunk_bytes: usize,
    make_sink: &(dyn Fn(usize) -> S + Sync),
) -> Result<SourceAccount, SourceError> {
    let mut inputs = Inputs {
        inputs: Vec::new(),
        oldest: SystemTime::UNIX_EPOCH,
        warnings: Vec::new(),
    };
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    input::add(
        source,
        name.to_owned(),
        Origin::Bytes(Arc::from(bytes)),
        length,
        &mut inputs,
    )?;
    read_inputs(source, inputs, options, chunk_bytes, make_sink, &|_| {})
}

fn read_inputs<S: RowSink>(
    source: &SourceConfig,
    found: Inputs,
    options: &ReadOptions<'_>,
    chunk_bytes: usize,
    make_sink: &(dyn Fn(usize) -> S + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SourceAccount, SourceError> {
    let Inputs {
        inputs,
        oldest,
        mut warnings,
    } = found;
    if source.layout == Layout::Czechia {
        czechia::check(source, &inputs)?;
    }
    let Done {
        closed,
        unknown_columns,
    } = pipeline::run(source, &inputs, options, chunk_bytes, make_sink, progress);
    if let Some(error) = closed.error {
        return Err(error);
    }
    let files: Vec<FileAccount> = inputs
        .into_iter()
        .zip(closed.rows)
        .map(|(input, rows)| FileAccount {
            name: input.name,
            bytes: input.bytes,
            rows,
        })
        .collect();
    warnings.extend(
        files
            .iter()
            .filter(|file| file.rows == 0)
            .map(|file| format!("{}: no rows", file.name)),
    );
    if !unknown_columns.is_empty() {
        let names: Vec<_> = unknown_columns.into_iter().collect();
        warnings.push(format!(
            "columns that are not known and not read: {}",
            names.join(", ")
        ));
    }
    let rejects_file = match closed.rejects {
        None => None,
        Some(rejects) => {
            let path = rejects.path().to_owned();
            rejects
                .finish()
                .map_err(|error| SourceError::Rejects { path, error })?
        }
    };
    let tally = closed.tally;
    Ok(SourceAccount {
        rows_read: tally.rows,
        passed: tally.passed,
        expired: tally.expired,
        rejected: tally.rejected,
        withdrawn: tally.withdrawn,
        superseded: tally.superseded,
        third_party: tally.third_party,
        undated: tally.undated,
        ranges: tally.ranges,
        warnings,
        files,
        as_of: source.as_of.unwrap_or_else(|| modified(oldest)),
        rejects_file,
    })
}
