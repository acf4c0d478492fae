//! Layout `sltd-parquet`: our own, Apache Parquet, with the columns of [`cells`].
//!
//! Texts are `BYTE_ARRAY`, required or optional, in UTF-8; dates are texts or `INT32` annotated
//! `DATE`. Unknown columns are named in a warning and not read. A file packs its own pages (Snappy,
//! gzip, Zstandard) and is read where it lies, row group by row group, so it must not be packed once
//! more. Series and number stand in one column, as in `sltd-csv`. In the rejects a row is shown as a
//! JSON object of the cells that are read.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Read, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::from_utf8;

use bytes::Bytes;
use parquet::basic::{ConvertedType, LogicalType, Type};
use parquet::column::reader::ColumnReader;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::reader::{
    ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader,
};
use parquet::schema::types::ColumnDescriptor;
use sltd::report::Day;

use super::cells::{self, COLUMNS, COUNT};
use super::input::{Input, Origin, Packing, ReadSeek, open_raw};
use super::reject::{ROW, ROW_BYTES_MAX, Reason, Reject};
use super::worker::{Worker, remember_unknown};
use super::{RowSink, SourceError, kept};
use crate::config::SourceConfig;

/// Rows decoded at a time: a few hundred kilobytes.
const BATCH_ROWS: usize = 4096;

type Damage = Box<dyn Error + Send + Sync>;

/// A Parquet file whose columns have been looked at.
pub(super) struct Table {
    reader: SerializedFileReader<Place>,
    columns: Vec<Column>,
}

/// A column that is read.
struct Column {
    /// Its place in the file.
    index: usize,
    /// The cell it fills.
    cell: usize,
    /// The definition level of a value; 0 where none may be absent.
    defined: i16,
    date: bool,
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
        let place = Place {
            origin: input.origin.clone(),
            bytes: input.bytes,
        };
        let damaged = |error: Damage| SourceError::Damaged {
            file: file(),
            rows: 0,
            error,
        };
        let reader = unwinding(|| SerializedFileReader::new(place).map_err(Damage::from))
            .map_err(damaged)?;
        let mut columns: Vec<Column> = Vec::new();
        for (index, found) in reader
            .metadata()
            .file_metadata()
            .schema_descr()
            .columns()
            .iter()
            .enumerate()
        {
            let name = found.path().string();
            let Some(cell) = cells::column(source, &input.name, &name)? else {
                remember_unknown(unknown, &name);
                continue;
            };
            let expected = if (4..=6).contains(&cell) {
                "texts or dates, one a row"
            } else {
                "texts, one a row"
            };
            let Some(date) = readable(found, cell) else {
                return Err(SourceError::ColumnType {
                    file: file(),
                    column: name,
                    expected,
                });
            };
            if columns.iter().any(|column| column.cell == cell) {
                let column = COLUMNS.get(cell).copied().unwrap_or_default();
                return Err(SourceError::ColumnTwice {
                    file: file(),
                    column,
                });
            }
            columns.push(Column {
                index,
                cell,
                defined: found.max_def_level(),
                date,
            });
        }
        match cells::missing_column(source, |cell| {
            columns.iter().any(|column| column.cell == cell)
        }) {
            Some(column) => Err(SourceError::MissingColumn {
                file: file(),
                column,
            }),
            None => Ok(Self { reader, columns }),
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
        let group = self.reader.get_row_group(group)?;
        let mut left = usize::try_from(group.metadata().num_rows())?;
        let mut columns = Vec::new();
        for column in &self.columns {
            columns.push(Decoder::new(column, group.as_ref())?);
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

/// Whether a column can be read into a cell, and whether it holds dates. `None`: it cannot.
fn readable(found: &ColumnDescriptor, cell: usize) -> Option<bool> {
    if found.max_rep_level() > 0 || found.max_def_level() > 1 {
        return None;
    }
    let date = found.logical_type_ref() == Some(&LogicalType::Date)
        || found.converted_type() == ConvertedType::DATE;
    match found.physical_type() {
        Type::BYTE_ARRAY => Some(false),
        Type::INT32 if date && COLUMNS.get(cell).is_some_and(|name| name.contains("date")) => {
            Some(true)
        }
        _ => None,
    }
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

/// The values of one column, a batch at a time.
struct Decoder<'a> {
    cell: usize,
    column: &'a Column,
    reader: ColumnReader,
    levels: Vec<i16>,
    texts: Vec<ByteArray>,
    days: Vec<i32>,
    /// The cells of the batch, one behind the other; absent ones are empty.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Decoder<'a> {
    fn new(column: &'a Column, group: &dyn RowGroupReader) -> Result<Self, Damage> {
        Ok(Self {
            cell: column.cell,
            column,
            reader: group.get_column_reader(column.index)?,
            levels: Vec::new(),
            texts: Vec::new(),
            days: Vec::new(),
            bytes: Vec::new(),
            ends: Vec::new(),
        })
    }

    fn cell_of(&self, row: usize) -> &[u8] {
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Decodes the next `rows` cells.
    fn decode(&mut self, rows: usize) -> Result<(), Damage> {
        self.levels.clear();
        self.texts.clear();
        self.days.clear();
        let optional = self.column.defined > 0;
        let mut read = 0;
        while read < rows {
            let levels = optional.then_some(&mut self.levels);
            let (records, _, _) = match &mut self.reader {
                ColumnReader::ByteArrayColumnReader(reader) => {
                    reader.read_records(rows - read, levels, None, &mut self.texts)?
                }
                ColumnReader::Int32ColumnReader(reader) => {
                    reader.read_records(rows - read, levels, None, &mut self.days)?
                }
                _ => return Err("a column is not of the type that the schema names".into()),
            };
            if records == 0 {
                return Err("a column ends before its row group".into());
            }
            read += records;
        }
        self.lay_out(rows)
    }

    /// Puts the values that are there where the levels say, as text.
    fn lay_out(&mut self, rows: usize) -> Result<(), Damage> {
        self.bytes.clear();
        self.ends.clear();
        let (mut texts, mut days) = (self.texts.iter(), self.days.iter());
        for row in 0..rows {
            let there =
                self.column.defined == 0 || self.levels.get(row) == Some(&self.column.defined);
            if there && self.column.date {
                let day = days.next().and_then(|&day| Day::from_number(day));
                // A day outside of the years 1 to 9999 is left for the row to be rejected with.
                let day = day.map_or_else(|| "no day".to_owned(), |day| day.to_string());
                self.bytes.extend_from_slice(day.as_bytes());
            } else if there {
                let text = texts
                    .next()
                    .ok_or("a column has fewer values than its levels say")?;
                self.bytes.extend_from_slice(text.data());
            }
            self.ends.push(self.bytes.len());
        }
        Ok(())
    }
}

/// Turns a panic of the decoder, which some damaged pages cause, into an error.
fn unwinding<T>(read: impl FnOnce() -> Result<T, Damage>) -> Result<T, Damage> {
    // What `read` leaves behind is thrown away by every caller: the source has failed.
    catch_unwind(AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err("the decoder gave up on a damaged page".into()))
}

/// Where the bytes of a file are. Every read opens it anew: handles that share a position would get
/// in each other's way.
struct Place {
    origin: Origin,
    bytes: u64,
}

impl Length for Place {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Place {
    type T = Box<dyn ReadSeek>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        let mut raw = open_raw(&self.origin)?;
        raw.seek(SeekFrom::Start(start))?;
        Ok(raw)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        // A length from a damaged file is not believed before the bytes are there.
        let mut bytes = Vec::new();
        self.get_read(start)?
            .take(u64::try_from(length).unwrap_or(u64::MAX))
            .read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "expected {length} bytes, found {}",
                bytes.len()
            )));
        }
        Ok(bytes.into())
    }
}
