//! Layout `sltd-parquet`: our own, Apache Parquet, with the columns of [`cells`].
//!
//! Texts are `BYTE_ARRAY`, required or optional, in UTF-8; dates are texts, `INT32` annotated
//! `DATE`, or timestamps (`INT64` annotated `TIMESTAMP`, `INT96`), of which the day counts, as it is in UTC. Names are
//! compared as [`Columns`] has it; unknown columns are named in a warning and not read. A file packs its own pages
//! (Snappy, gzip, Zstandard, LZ4) and is read where it lies, row group by row group, so it must not be packed
//! once more. Series and number stand in one column, as in `sltd-csv`. In the rejects a row is shown as a
//! JSON object of the cells that are read.

mod decoder;
mod place;

use std::collections::BTreeSet;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::from_utf8;

use parquet::basic::{Compression, LogicalType};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::cells::{self, COLUMNS, COUNT};
use super::columns::Columns;
use super::header::not_among;
use super::input::{Input, Packing, listed};
use super::reject::{ROW, ROW_BYTES_MAX, Reason, Reject};
use super::worker::{Worker, remember_unknown};
use super::{RowSink, SourceError, kept};
use crate::config::{DateFormat, SourceConfig};
use decoder::{Column, Decoder, readable, readable_types};
use place::Place;

/// Rows decoded at a time: a few hundred kilobytes.
const BATCH_ROWS: usize = 4096;

type Damage = Box<dyn Error + Send + Sync>;

/// A Parquet file whose columns have been looked at.
pub(super) struct Table {
    reader: SerializedFileReader<Place>,
    columns: Vec<Column>,
    date_format: Option<DateFormat>,
}

impl Table {
    /// Opens a file and finds its columns.
    pub(super) fn open(
        source: &SourceConfig,
        input: &Input,
        unknown: &mut BTreeSet<String>,
    ) -> Result<Self, SourceError> {
        let file = || input.name.clone();
        if input.packing != Packing::Plain {
            return Err(SourceError::PackedParquet { file: file() });
        }
        let place = Place::new(input);
        let damaged = |error: Damage| SourceError::Damaged {
            file: file(),
            rows: 0,
            error,
        };
        let kind = place
            .other_kind()
            .map_err(|error| damaged(Box::new(error)))?;
        if let Some(found) = kind {
            return Err(SourceError::OtherKind {
                file: file(),
                found,
            });
        }
        let reader =
            unwinding(|| SerializedFileReader::new(place).map_err(plain)).map_err(damaged)?;
        let metadata = reader.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let known = Columns::new(&source.columns);
        let mut columns: Vec<Column> = Vec::new();
        let (mut names, mut empty) = (Vec::new(), Vec::new());
        for (index, found) in schema.columns().iter().enumerate() {
            let name = found.path().string();
            names.push(name.clone());
            let Some(cell) = known.cell(source, &input.name, &name)? else {
                remember_unknown(unknown, &name);
                continue;
            };
            // What programs write where no row has a value is of no type.
            if found.logical_type_ref() == Some(&LogicalType::Unknown) {
                empty.push(name);
                continue;
            }
            let Some(kind) = readable(found, cell) else {
                return Err(SourceError::ColumnType {
                    file: file(),
                    column: name,
                    expected: readable_types(cell),
                });
            };
            if columns.iter().any(|column| column.cell == cell) {
                let column = COLUMNS.get(cell).copied().unwrap_or_default();
                return Err(SourceError::ColumnTwice {
                    file: file(),
                    column,
                });
            }
            for group in metadata.row_groups() {
                let codec = group.column(index).compression();
                if !is_read(codec) {
                    return Err(SourceError::Codec {
                        file: file(),
                        codec: codec_name(codec),
                    });
                }
            }
            columns.push(Column {
                index,
                cell,
                defined: found.max_def_level(),
                kind,
            });
        }
        match cells::missing_column(source, |cell| {
            columns.iter().any(|column| column.cell == cell)
        }) {
            Some(column) => Err(SourceError::MissingColumn {
                file: file(),
                column,
                hint: match empty.as_slice() {
                    [] => not_among(column, &names),
                    _ => format!(
                        "{}; without any value {}",
                        not_among(column, &names),
                        listed(&empty)
                    ),
                },
            }),
            None => Ok(Self {
                reader,
                columns,
                date_format: source.date_format.clone(),
            }),
        }
    }

    pub(super) fn row_groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// Bytes of a row group in the file.
    pub(super) fn row_group_bytes(&self, group: usize) -> u64 {
        let group = self.reader.metadata().row_groups().get(group);
        group.map_or(0, |group| {
            u64::try_from(group.compressed_size()).unwrap_or(0)
        })
    }

    /// Reads the rows of a row group.
    pub(super) fn rows<S: RowSink>(
        &self,
        worker: &mut Worker<'_, S>,
        group: usize,
    ) -> Result<(), Damage> {
        unwinding(|| self.read_rows(worker, group))
    }

    fn read_rows<S: RowSink>(
        &self,
        worker: &mut Worker<'_, S>,
        group: usize,
    ) -> Result<(), Damage> {
        let group = self.reader.get_row_group(group).map_err(plain)?;
        let mut left = usize::try_from(group.metadata().num_rows())?;
        let mut columns = Vec::new();
        for column in &self.columns {
            let date_format = self.date_format.as_ref();
            columns.push(Decoder::new(column, date_format, group.as_ref())?);
        }
        while left > 0 && !worker.has_failed() {
            let batch = left.min(BATCH_ROWS);
            for column in &mut columns {
                column.decode(batch)?;
            }
            for row in 0..batch {
                take_row(worker, &columns, row);
            }
            left -= batch;
        }
        Ok(())
    }
}

/// Whether pages packed so can be read: what the features of `parquet` that this package asks for come to.
fn is_read(codec: Compression) -> bool {
    match codec {
        Compression::UNCOMPRESSED
        | Compression::SNAPPY
        | Compression::GZIP(_)
        | Compression::ZSTD(_)
        | Compression::LZ4
        | Compression::LZ4_RAW => true,
        Compression::BROTLI(_) | Compression::LZO => false,
    }
}

fn codec_name(codec: Compression) -> String {
    let name = codec.to_string();
    name.split('(').next().unwrap_or_default().to_owned()
}

fn take_row<S: RowSink>(worker: &mut Worker<'_, S>, columns: &[Decoder<'_>], row: usize) {
    let mut texts = [""; COUNT];
    let mut bytes = 0;
    let mut wrong = None;
    for column in columns {
        let name = COLUMNS.get(column.cell).copied().unwrap_or(ROW);
        let raw = column.cell_of(row);
        bytes += raw.len();
        match (from_utf8(raw), texts.get_mut(column.cell)) {
            (Ok(text), Some(place)) => *place = text,
            (Err(error), _) => {
                wrong = Some(Reject::new(
                    name,
                    Reason::NotUtf8 {
                        position: error.valid_up_to() + 1,
                    },
                ))
            }
            (Ok(_), None) => {}
        }
    }
    let too_long = bytes > ROW_BYTES_MAX;
    let read = match wrong {
        _ if too_long => Err(Reject::new(
            ROW,
            Reason::TooLong {
                bytes: u64::try_from(bytes).unwrap_or(u64::MAX),
            },
        )),
        Some(reject) => Err(reject),
        None => cells::read(worker.source, &mut worker.memos, &texts),
    };
    worker.row(read, |line| {
        if !too_long {
            let cells = COLUMNS.iter().zip(texts);
            kept::object(cells.map(|(&name, text)| (name, text.into())), line);
        }
    });
}

/// An error in words that say something to an operator: not how the library was built.
fn plain(error: ParquetError) -> Damage {
    let text = error.to_string();
    if text.contains("encrypt") {
        "it is encrypted: expected a file that is not".into()
    } else if text.contains("feature") {
        "it is written in a way that is not read: write it again with Snappy or Zstandard".into()
    } else {
        error.into()
    }
}

/// Turns a panic of the decoder, which some damaged pages cause, into an error.
fn unwinding<T>(read: impl FnOnce() -> Result<T, Damage>) -> Result<T, Damage> {
    // What `read` leaves behind is thrown away by every caller: the source has failed.
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("the decoder gave up on a damaged page".into()))
}
