//! The lists of reported documents: each row becomes a normalised [`Row`] or a reject.
//!
//! [`read_source`] reads all files of one source. One thread reads (and inflates) the
//! files in order and cuts them into chunks at row boundaries; workers parse the chunks
//! and hand each usable row to their own [`RowSink`]. Memory is bounded by the number of
//! chunks in flight, never by the length of a file or of a row.
//!
//! Nothing is lost: a row read has passed, has expired, or stands in the rejects file with
//! its number, the field and the reason. `SourceAccount::adds_up` says so in one line.

mod account;
mod cells;
mod columns;
mod cut;
mod czechia;
mod dates;
mod delimited;
mod delivery;
mod error;
mod expired;
mod feed;
mod header;
mod input;
mod json;
mod json_object;
mod kept;
mod kind;
mod layout;
mod ledger;
mod memo;
mod noted;
mod pipeline;
mod reading;
mod reasons;
mod reject;
mod retention;
mod row;
mod russia;
mod sltd_csv;
mod sltd_jsonl;
mod sltd_parquet;
#[cfg(test)]
mod tests;
mod ukraine;
mod ukraine_inactive;
mod unlikely;
mod whole_file;
mod worker;

pub use account::{FileAccount, Progress, SourceAccount};
pub use cells::{CODE_BYTES_MAX, REASON_BYTES_MAX, REFERENCE_BYTES_MAX};
pub(crate) use cells::{COLUMNS, LIST_COLUMNS};
pub(crate) use columns::column_key;
pub use dates::DateCounts;
pub(crate) use delivery::{Delivery, by_time, states_a_day};
pub use error::SourceError;
pub use expired::ExpiredFile;
pub(crate) use noted::write_noted;
pub use pipeline::{STALL_AFTER, Stage, Watch};
pub use reasons::RejectCount;
pub use reject::ROW_BYTES_MAX;
pub(crate) use reject::{keep_changes_of, keep_rejects_of};
pub use row::{Fate, Row, RowSink, SinkError, Withdrawal};
pub use unlikely::{StatePlausibility, UnlikelyRows};

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::{SignedDuration, Timestamp};
use sltd::report::Day;

use crate::config::{Layout, Purpose, SourceConfig};
use input::{Inputs, Origin};
#[cfg(test)]
use pipeline::CHUNK_BYTES;
use pipeline::{Done, Tuning};

/// By how much clocks of machines may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// How a source is read.
#[derive(Debug, Clone, Copy)]
pub struct ReadOptions<'a> {
    /// The day (UTC) that decides whether a report is still in force.
    pub today: Day,
    /// Number of parsing threads, at least one. One more reads and inflates.
    pub threads: usize,
    /// The folder of the rejects file; `None`: rejects are counted and not written.
    pub rejects: Option<&'a Path>,
    /// Where rows in force no longer are listed; `None`: they are counted only.
    pub expired: Option<&'a ExpiredFile>,
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
    read_source_watched(source, options, Watch::default(), make_sink, progress)
}

/// [`read_source`] with a [`Watch`] over its threads.
///
/// # Errors
/// Those of [`read_source`], and [`SourceError::Stalled`].
pub fn read_source_watched<S: RowSink>(
    source: &SourceConfig,
    options: &ReadOptions<'_>,
    watch: Watch<'_>,
    make_sink: &(dyn Fn(usize) -> S + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SourceAccount, SourceError> {
    let files = Files::from_source(source)?;
    read_files(source, files, options, watch, make_sink, progress)
}

/// The files of a source, found once: what is said of them and what is read are the same.
#[derive(Debug, Clone)]
pub(crate) struct Files(Inputs);

impl Files {
    /// Looks which files a source has.
    ///
    /// # Errors
    /// [`SourceError`] when there are none, or none that can be looked at.
    pub(crate) fn from_source(source: &SourceConfig) -> Result<Self, SourceError> {
        let mut found = input::find(source)?;
        delivery::keep_part(source, &mut found);
        Ok(Self(found))
    }

    /// The instant that they describe; see [`as_of`].
    ///
    /// # Errors
    /// [`SourceError::Name`] when the name of one does not say it.
    pub(crate) fn as_of(&self, source: &SourceConfig) -> Result<Timestamp, SourceError> {
        let stated = delivery::stated(source, &self.0)?;
        Ok(stated.unwrap_or_else(|| modified(self.0.oldest)))
    }
}

/// [`read_source_watched`] of files that were found before.
///
/// # Errors
/// Those of [`read_source_watched`].
pub(crate) fn read_files<S: RowSink>(
    source: &SourceConfig,
    Files(found): Files,
    options: &ReadOptions<'_>,
    watch: Watch<'_>,
    make_sink: &(dyn Fn(usize) -> S + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SourceAccount, SourceError> {
    let tuning = Tuning {
        watch,
        ..Tuning::new(options.threads)
    };
    if let Some(folder) = options.rejects {
        reject::remove_earlier_changes(folder, source).map_err(|error| SourceError::Rejects {
            path: folder.to_owned(),
            error,
        })?;
    }
    read_inputs(source, found, options, &tuning, make_sink, progress)
}

/// The instant that a source's data describe: as configured or as the names of its files say, else the oldest
/// modification time among its files.
///
/// # Errors
/// [`SourceError`] when there are no files, or none that can be looked at.
pub fn as_of(source: &SourceConfig) -> Result<Timestamp, SourceError> {
    match source.as_of {
        Some(as_of) => Ok(as_of),
        None => Files::from_source(source)?.as_of(source),
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
        expired: None,
    };
    let source = SourceConfig::for_bytes(layout);
    let tuning = Tuning::new(options.threads);
    read_bytes_of(&source, "bytes", bytes, &options, &tuning, &|_| Nowhere)
}

fn read_bytes_of<S: RowSink>(
    source: &SourceConfig,
    name: &str,
    bytes: &[u8],
    options: &ReadOptions<'_>,
    tuning: &Tuning<'_>,
    make_sink: &(dyn Fn(usize) -> S + Sync),
) -> Result<SourceAccount, SourceError> {
    let source = &SourceConfig {
        // Bytes have no time, so no day in them is too late.
        as_of: source.as_of.or(Some(Timestamp::MAX)),
        ..source.clone()
    };
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
    read_inputs(source, inputs, options, tuning, make_sink, &|_| {})
}

fn read_inputs<S: RowSink>(
    source: &SourceConfig,
    found: Inputs,
    options: &ReadOptions<'_>,
    tuning: &Tuning<'_>,
    make_sink: &(dyn Fn(usize) -> S + Sync),
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<SourceAccount, SourceError> {
    let Inputs {
        mut inputs,
        oldest,
        mut warnings,
    } = found;
    if source.purpose == Purpose::Changes && source.layout != Layout::Czechia {
        // Rows of changes count in this order.
        inputs.sort_by(|a, b| a.name.cmp(&b.name));
    }
    if source.layout == Layout::Czechia {
        czechia::check(source, &inputs)?;
    }
    let as_of = source.as_of.unwrap_or_else(|| modified(oldest));
    let source = &SourceConfig {
        as_of: Some(as_of),
        ..source.clone()
    };
    let expired = |error| SourceError::Expired {
        path: options
            .expired
            .map(ExpiredFile::path)
            .unwrap_or(Path::new(""))
            .to_owned(),
        error,
    };
    let begin = options
        .expired
        .map(ExpiredFile::position)
        .transpose()
        .map_err(expired)?;
    let Done {
        closed,
        unknown_columns,
        unlikely,
    } = pipeline::run(source, &inputs, options, tuning, make_sink, progress);
    if let Some(error) = closed.error {
        if let (Some(file), Some(begin)) = (options.expired, begin) {
            file.cut(begin).map_err(expired)?;
        }
        return Err(error);
    }
    let files: Vec<FileAccount> = inputs
        .into_iter()
        .zip(closed.rows.into_iter().zip(closed.without_columns))
        .map(|(input, (rows, without_columns))| FileAccount {
            name: input.name,
            bytes: input.bytes,
            rows,
            without_columns,
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
    let (unlikely, plausibility) = unlikely.finish();
    Ok(SourceAccount {
        chunks: match source.purpose {
            Purpose::Changes => closed.chunks,
            Purpose::List => Vec::new(),
        },
        rows_read: tally.rows,
        passed: tally.passed,
        expired: tally.expired,
        rejected: tally.rejected,
        not_owned: tally.not_owned,
        no_report: tally.no_report,
        reasons: closed.reasons.into_counts(),
        unlikely,
        plausibility,
        withdrawn: tally.withdrawn,
        superseded: tally.superseded,
        third_party: tally.third_party,
        undated: tally.undated,
        ranges: tally.ranges,
        dates: tally.dates,
        warnings,
        files,
        as_of,
        rejects_file,
    })
}
