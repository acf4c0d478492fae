//! Layout `sltd-csv`: our own, comma-separated (RFC 4180).
//!
//! A header names the columns of [`cells`], in any order; columns it does not know are named in a
//! warning and not read. Fields may be quoted and then hold commas and line breaks. UTF-8 unless
//! the source says otherwise, with or without a byte order mark; lines end with LF or CRLF.
//!
//! Series and number stand in one column, in the order of the document's machine-readable zone,
//! else the series first.

use std::collections::BTreeSet;

use super::cells;
use super::delimited::{self, COLUMNS_MAX, Format, IGNORED};
use super::worker::{Worker, remember_unknown};
use super::{RowSink, SourceError, kept};
use crate::config::SourceConfig;

/// Reads the header: which column goes to which cell.
pub(super) fn head(
    source: &SourceConfig,
    file: &str,
    header: &[u8],
    unknown: &mut BTreeSet<String>,
) -> Result<Format, SourceError> {
    let mut format = Format {
        delimiter: b',',
        quoted: true,
        columns: Vec::new(),
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(header);
    let mut names = csv::StringRecord::new();
    let wrong = || SourceError::Header {
        file: file.to_owned(),
        expected: "number,issuing_state,type,status,...",
    };
    if !reader.read_record(&mut names).map_err(|_| wrong())? || names.len() > COLUMNS_MAX {
        return Err(wrong());
    }
    for name in &names {
        let name = name.trim().to_ascii_lowercase();
        let Some(cell) = cells::column(source, file, &name)? else {
            remember_unknown(unknown, &name);
            format.columns.push(IGNORED);
            continue;
        };
        let cell = u8::try_from(cell).unwrap_or(IGNORED);
        if format.columns.contains(&cell) {
            let column = cells::COLUMNS
                .get(usize::from(cell))
                .copied()
                .unwrap_or_default();
            return Err(SourceError::ColumnTwice {
                file: file.to_owned(),
                column,
            });
        }
        format.columns.push(cell);
    }
    let has = |column: usize| {
        format
            .columns
            .iter()
            .any(|&cell| usize::from(cell) == column)
    };
    match cells::missing_column(source, has) {
        Some(column) => Err(SourceError::MissingColumn {
            file: file.to_owned(),
            column,
        }),
        None => Ok(format),
    }
}

/// Reads the rows of a chunk.
pub(super) fn rows<S: RowSink>(worker: &mut Worker<'_, S>, format: &Format, chunk: &[u8]) {
    delimited::each_row(format, chunk, |cells| {
        match cells {
            Ok(cells) => {
                let read = cells::read(worker.source, &mut worker.memos, cells);
                worker.row(read, |line| {
                    kept::delimited(format, cells, &cells::FORMS, line)
                });
            }
            Err(reject) => worker.unusable_row(reject),
        }
        !worker.has_failed()
    });
}
