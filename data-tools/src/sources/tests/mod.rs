//! The readers as a whole: bytes in, rows and rejects out.

mod chunks;
mod files;
mod forms;
mod layouts;
mod many_files;
mod parquet;
mod personal;
mod published;
mod stall;
mod streams;

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use super::*;

/// The day the tests take for today.
pub(super) fn today() -> Day {
    Day::parse_iso("2026-11-01").unwrap()
}

/// A sink that writes each row down as a line.
pub(super) struct Lines(Arc<Mutex<Vec<String>>>);

impl RowSink for Lines {
    fn row(&mut self, row: &Row<'_>) -> Result<Fate, SinkError> {
        self.0.lock().unwrap().push(line(row));
        Ok(Fate::Taken)
    }

    fn withdraw(&mut self, withdrawal: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        let mut line = format!("withdrawn {}", withdrawal.number.as_str());
        if let Some(end) = withdrawal.range_end {
            write!(line, "..{}", end.as_str()).unwrap();
        }
        let (state, document_type) = (withdrawal.issuing_state, withdrawal.document_type);
        write!(line, " {} {}", state.code(), document_type.name()).unwrap();
        if !withdrawal.reason.is_empty() {
            write!(line, " reason={}", withdrawal.reason).unwrap();
        }
        if withdrawal.third_party {
            line.push_str(" third-party");
        }
        self.0.lock().unwrap().push(line);
        Ok(Fate::Taken)
    }
}

/// A row as a line: number, State, type, status, and whatever else it has.
fn line(row: &Row<'_>) -> String {
    let mut line = row.number.as_str().to_owned();
    if let Some(end) = row.range_end {
        write!(line, "..{}", end.as_str()).unwrap();
    }
    write!(
        line,
        " {} {} {}",
        row.issuing_state.code(),
        row.document_type.name(),
        row.status.name()
    )
    .unwrap();
    let day = |day: Option<Day>| day.map_or(String::new(), |day| day.to_string());
    for (name, value) in [
        ("word", row.source_status),
        ("loss", &day(row.date_of_loss)),
        ("reported", &day(row.date_reported)),
        ("review", &day(row.review_date)),
        ("authority", row.authority),
        ("restriction", row.restriction),
        ("reference", row.owner_reference),
    ] {
        if !value.is_empty() {
            write!(line, " {name}={value}").unwrap();
        }
    }
    if row.third_party {
        line.push_str(" third-party");
    }
    line
}

/// Everything that comes out of a reading.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    /// The rows that passed, sorted.
    pub(super) rows: Vec<String>,
    /// The rejects file without its header.
    pub(super) rejects: String,
    pub(super) account: SourceAccount,
}

/// Reads bytes as the file `name` of a source.
pub(super) fn read(
    source: &SourceConfig,
    name: &str,
    bytes: &[u8],
    chunk_bytes: usize,
    threads: usize,
) -> Result<Outcome, SourceError> {
    let folder = tempfile::tempdir().unwrap();
    let rows = Arc::new(Mutex::new(Vec::new()));
    let options = ReadOptions {
        today: today(),
        threads,
        rejects: Some(folder.path()),
        expired: None,
    };
    let sink = |_| Lines(Arc::clone(&rows));
    let tuning = Tuning {
        chunk_bytes,
        ..Tuning::new(threads)
    };
    let mut account = read_bytes_of(source, name, bytes, &options, &tuning, &sink)?;
    assert!(account.adds_up());
    let rejects = account
        .rejects_file
        .take()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .unwrap_or_default();
    assert_eq!(rejects.is_empty(), account.rejected == 0);
    let rejects = rejects
        .split_once('\n')
        .map(|(_, rows)| rows.to_owned())
        .unwrap_or_default();
    let mut rows = Arc::into_inner(rows).unwrap().into_inner().unwrap();
    rows.sort();
    assert_eq!(u64::try_from(rows.len()).unwrap(), account.passed);
    Ok(Outcome {
        rows,
        rejects,
        account,
    })
}

/// Reads bytes in chunks of many sizes and with several threads; all must give the same.
#[track_caller]
pub(super) fn read_all_ways(
    source: &SourceConfig,
    name: &str,
    bytes: &[u8],
) -> Result<Outcome, String> {
    let once = |chunk, threads| {
        read(source, name, bytes, chunk, threads).map_err(|error| error.to_string())
    };
    let expected = once(CHUNK_BYTES, 1);
    let sizes = if bytes.len() < 10_000 {
        &[1, 2, 3, 7, 50][..]
    } else {
        &[10_000, 100_000]
    };
    for &chunk in sizes {
        for threads in [1, 3] {
            assert_eq!(
                once(chunk, threads),
                expected,
                "chunks of {chunk} bytes, {threads} threads"
            );
        }
    }
    expected
}

/// Reads a text and compares the rows that pass and the lines of the rejects file.
#[track_caller]
pub(super) fn check(
    source: &SourceConfig,
    bytes: impl AsRef<[u8]>,
    rows: &[&str],
    rejects: &[&str],
) {
    let outcome = read_all_ways(source, "list", bytes.as_ref()).unwrap();
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    assert_eq!(outcome.rows, rows);
    assert_eq!(outcome.rejects.lines().collect::<Vec<_>>(), rejects);
}

/// Reads bytes that stop the source.
#[track_caller]
pub(super) fn check_error(source: &SourceConfig, bytes: impl AsRef<[u8]>, expected: &str) {
    let error = read_all_ways(source, "list", bytes.as_ref()).unwrap_err();
    assert_eq!(error, expected);
}
