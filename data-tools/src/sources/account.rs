//! What has become of the rows of a source.

use super::dates::DateCounts;
use super::reasons::RejectCount;
use super::unlikely::{StatePlausibility, UnlikelyRows};
use jiff::Timestamp;
use sltd::snapshot::RowPosition;
use std::path::PathBuf;

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
    /// Rows that cannot be used; they are in the rejects file.
    pub rejected: u64,
    /// Rows that report nothing, such as those of documents that are valid.
    pub no_report: u64,
    /// Of those rejected: rows of issuing States that the source does not own.
    pub not_owned: u64,
    /// Those rejected, by reason, the most frequent first.
    pub reasons: Vec<RejectCount>,
    /// Rows that passed with unlikely numbers, by reason.
    pub unlikely: UnlikelyRows,
    /// Documents of the rows that passed, and unlikely ones, by issuing State.
    pub plausibility: Vec<StatePlausibility>,
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
    /// Days that were not what they should be.
    pub dates: DateCounts,
    /// What an operator should know, one sentence each, in a stable order.
    pub warnings: Vec<String>,
    /// The files read, in order.
    pub files: Vec<FileAccount>,
    /// The instant the data describes: as configured, else the oldest modification time.
    pub as_of: Timestamp,
    /// Of changes: for each part in which they were read, the file and the rows of that before it.
    pub chunks: Vec<(usize, u64)>,
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
            no_report: 0,
            not_owned: 0,
            reasons: Vec::new(),
            unlikely: UnlikelyRows::default(),
            plausibility: Vec::new(),
            withdrawn: 0,
            superseded: 0,
            third_party: 0,
            undated: 0,
            ranges: 0,
            dates: DateCounts::default(),
            warnings: Vec::new(),
            files: Vec::new(),
            chunks: Vec::new(),
            as_of,
            rejects_file: None,
        }
    }

    /// The file and the number of a row of changes, counted from 1.
    pub(crate) fn row_number(&self, position: &RowPosition) -> Option<(&str, u64)> {
        let chunk = usize::try_from(position.chunk).ok()?;
        let (file, before) = self.chunks.get(chunk)?;
        let file = self.files.get(*file)?;
        Some((&file.name, before + position.row + 1))
    }

    /// Whether every row read is accounted for.
    pub fn adds_up(&self) -> bool {
        let used = self.passed + self.withdrawn;
        self.rows_read == used + self.expired + self.rejected + self.superseded + self.no_report
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
    /// Of those, the ones whose columns can't be told apart.
    pub without_columns: u64,
}

impl FileAccount {
    /// Whether it has rows, and none of them is one of a list of the layout.
    pub fn is_no_list(&self) -> bool {
        self.rows > 0 && self.without_columns == self.rows
    }
}
