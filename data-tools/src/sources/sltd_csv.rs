//! Layout `sltd-csv`: our own, delimited text (RFC 4180).
//!
//! A header names the columns of [`cells`], in any order and as [`Columns`] compares names; columns it does not know
//! are named in a warning and not read. Columns are separated by what the source states, else by the one of `,`, `;`,
//! tab and `|` under which the header makes sense. Fields may be quoted and then hold delimiters and line breaks.
//! UTF-8 unless the source or a byte order mark says otherwise; lines end with LF, CRLF, or CR alone.
//!
//! Series and number stand in one column, in the order of the document's machine-readable zone,
//! else the series first.

use std::collections::BTreeSet;

use super::cells;
use super::columns::Columns;
use super::delimited::{self, Format, IGNORED};
use super::header::Header;
use super::worker::{Worker, remember_unknown};
use super::{RowSink, SourceError, kept};
use crate::config::SourceConfig;

/// Reads the header, behind which `ahead` follows: which column goes to which cell. `delimiter` is the one that is
/// stated.
pub(super) fn head(
    source: &SourceConfig,
    file: &str,
    (line, ahead): (&[u8], &[u8]),
    delimiter: Option<u8>,
    unknown: &mut BTreeSet<String>,
) -> Result<Format, SourceError> {
    let columns = Columns::new(&source.columns);
    let known = |name: &str| columns.find(name).is_some();
    let header = Header::read(file, line, delimiter, known)?;
    let mut format = Format {
        delimiter: header.delimiter,
        quoted: true,
        columns: Vec::new(),
    };
    for name in &header.names {
        let Some(cell) = columns.cell(source, file, name)? else {
            // One without a name is a delimiter at the end of the line.
            if !name.is_empty() {
                remember_unknown(unknown, name);
            }
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
        Some(column) => Err(header.missing(file, (line, ahead), column, known)),
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
