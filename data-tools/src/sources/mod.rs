//! The lists of reported documents: each row becomes a normalised [`Row`] or a reject.
//!
//! [`read_source`] reads all files of one source. One thread reads (and inflates) the
//! files in order and cuts them into chunks at row boundaries; workers parse the chunks
//! and hand each usable row to their own [`RowSink`]. Memory is bounded by the number of
//! chunks in flight, never by the length of a file or of a row.
//!
//! Nothing is lost: a row read has passed, has expired, or stands in the rejects file with
//! its number, the field and the reason. `SourceAccount::adds_up` says so in one line.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::report::{Day, ReportStatus};

use crate::config::SourceConfig;

/// One usable row, normalised, borrowed from the chunk it was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The number, or the first one of a range.
    pub number: DocumentNumber,
    /// The last number of a range, inclusive; `None` or equal to `number`: a single document.
    /// The pair has been checked by [`NumberRange`](sltd::document::NumberRange).
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

/// What a sink could not do, as the sink words it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SinkError(#[from] pub Box<dyn std::error::Error + Send + Sync>);

/// Where a worker hands its rows. Each worker has a sink of its own.
pub trait RowSink: Send {
    /// Takes one row. An error ends the reading of the source.
    fn row(&mut self, row: &Row<'_>) -> Result<(), SinkError>;

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
    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        self.rows_read == self.passed + self.expired + self.rejected
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

/// Why a source cannot be read. Nothing of it may be published then: a list that is
/// missing its end looks like documents found again.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// STUB.
    #[error("stub")]
    Stub,
}

/// Reads every file of a source.
///
/// `make_sink` is called once for each worker with the worker's number, counted from 0.
/// Rows reach the sinks in any order; the rejects file and the account are the same for
/// any number of threads. `progress` is called from several threads, a few times for each
/// megabyte read.
pub fn read_source<S: RowSink>(
    _source: &SourceConfig,
    _options: &ReadOptions<'_>,
    _make_sink: &(dyn Fn(usize) -> S + Sync),
    _progress: &(dyn Fn(Progress) + Sync),
) -> Result<SourceAccount, SourceError> {
    todo!()
}
