//! Layout `sltd-parquet`: our own, Apache Parquet, with the columns of [`cells`].
//!
//! Texts are `BYTE_ARRAY`, required or optional, in UTF-8; dates are texts, `INT32` annotated
//! `DATE`, or timestamps (`INT64` annotated `TIMESTAMP`, `INT96`), of which the day counts, as it is in UTC. Names are
//! compared as [`Columns`] has it; unknown columns are named in a warning and not read. A file packs its own pages
//! (Snappy, gzip, Zstandard, LZ4) and is read where it lies, row group by row group, so it must not be packed
//! once more. Series and number stand in one column, as in `sltd-csv`. In the rejects a row is shown as a
//! JSON object of the cells that are read.

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Read, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::from_utf8;

use bytes::Bytes;
use parquet::basic::{Compression, ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, Int96};
use parquet::errors::ParquetError;
use parquet::file::reader::{
    ChunkReader, FileReader, Length, RowGroupReader, SerializedFileReader,
};
use parquet::schema::types::ColumnDescriptor;
use sltd::report::Day;

use super::cells::{self, COLUMNS, COUNT};
use super::columns::Columns;
use super::header::not_among;
use super::input::{Input, Origin, Packing, ReadSeek, open_raw};
use super::reject::{ROW, ROW_BYTES_MAX, Reason, Reject};
use super::worker::{Worker, remember_unknown};
use super::{RowSink, SourceError, kept};
use crate::config::{DateFormat, SourceConfig};

/// Rows decoded at a time: a few hundred kilobytes.
const BATCH_ROWS: usize = 4096;

type Damage = Box<dyn Error + Send + Sync>;

/// A Parquet file whose columns have been looked at.
pub(super) struct Table {
    reader: SerializedFileReader<Place>,
    columns: Vec<Column>,
    date_format: Option<DateFormat>,
}

/// A column that is read.
struct Column {
    /// Its place in the file.
    index: usize,
    /// The cell it fills.
    cell: usize,
    /// The definition level of a value; 0 where none may be absent.
    defined: i16,
    kind: Kind,
}

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// Days since 1970.
    Days,
    /// Units since 1970, so many a day.
    Timestamps(i64),
    /// Nanoseconds of a Julian day.
    Julian,
}

const SECONDS_A_DAY: i64 = 24 * 60 * 60;
/// The Julian day of 1970-01-01.
const JULIAN_1970: i64 = 2_440_588;

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
        let reader =
            unwinding(|| SerializedFileReader::new(place).map_err(plain)).map_err(damaged)?;
        let metadata = reader.metadata();
        let schema = metadata.file_metadata().schema_descr();
        let known = Columns::new(&source.columns);
        let mut columns: Vec<Column> = Vec::new();
        let mut names = Vec::new();
        for (index, found) in schema.columns().iter().enumerate() {
            let name = found.path().string();
            names.push(name.clone());
            let Some(cell) = known.cell(source, &input.name, &name)? else {
                remember_unknown(unknown, &name);
                continue;
            };
            let expected = if is_date(cell) {
                "texts, dates or timestamps, one a row"
            } else {
                "texts, one a row"
            };
            let Some(kind) = readable(found, cell) else {
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
                hint: not_among(column, &names),
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

fn is_date(cell: usize) -> bool {
    COLUMNS.get(cell).is_some_and(|name| name.contains("date"))
}

/// How a column that can be read into a cell is written. `None`: it cannot.
fn readable(found: &ColumnDescriptor, cell: usize) -> Option<Kind> {
    if found.max_rep_level() > 0 || found.max_def_level() > 1 {
        return None;
    }
    let (logical, converted) = (found.logical_type_ref(), found.converted_type());
    let day = logical == Some(&LogicalType::Date) || converted == ConvertedType::DATE;
    let second = match (logical, converted) {
        (Some(LogicalType::Timestamp(found)), _) => Some(match found.unit {
            TimeUnit::MILLIS => 1_000,
            TimeUnit::MICROS => 1_000_000,
            TimeUnit::NANOS => 1_000_000_000,
        }),
        (_, ConvertedType::TIMESTAMP_MILLIS) => Some(1_000),
        (_, ConvertedType::TIMESTAMP_MICROS) => Some(1_000_000),
        _ => None,
    };
    match (found.physical_type(), second) {
        (Type::BYTE_ARRAY, _) => Some(Kind::Text),
        _ if !is_date(cell) => None,
        (Type::INT32, _) if day => Some(Kind::Days),
        (Type::INT64, Some(second)) => Some(Kind::Timestamps(SECONDS_A_DAY * second)),
        (Type::INT96, _) => Some(Kind::Julian),
        _ => None,
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

/// The values of one column, a batch at a time.
struct Decoder<'a> {
    cell: usize,
    column: &'a Column,
    reader: ColumnReader,
    /// How the cells of days are read again.
    date_format: Option<&'a DateFormat>,
    levels: Vec<i16>,
    texts: Vec<ByteArray>,
    days: Vec<i32>,
    timestamps: Vec<i64>,
    julian: Vec<Int96>,
    /// The cells of the batch, one behind the other; absent ones are empty.
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl<'a> Decoder<'a> {
    fn new(
        column: &'a Column,
        date_format: Option<&'a DateFormat>,
        group: &dyn RowGroupReader,
    ) -> Result<Self, Damage> {
        Ok(Self {
            date_format,
            timestamps: Vec::new(),
            julian: Vec::new(),
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
        self.timestamps.clear();
        self.julian.clear();
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
                ColumnReader::Int64ColumnReader(reader) => {
                    reader.read_records(rows - read, levels, None, &mut self.timestamps)?
                }
                ColumnReader::Int96ColumnReader(reader) => {
                    reader.read_records(rows - read, levels, None, &mut self.julian)?
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
        const FEWER: &str = "a column has fewer values than its levels say";
        let mut next = 0;
        for row in 0..rows {
            let there =
                self.column.defined == 0 || self.levels.get(row) == Some(&self.column.defined);
            if there {
                let day = match self.column.kind {
                    Kind::Text => {
                        let text = self.texts.get(next).ok_or(FEWER)?;
                        self.bytes.extend_from_slice(text.data());
                        None
                    }
                    Kind::Days => Some(i64::from(*self.days.get(next).ok_or(FEWER)?)),
                    Kind::Timestamps(a_day) => {
                        Some(self.timestamps.get(next).ok_or(FEWER)?.div_euclid(a_day))
                    }
                    Kind::Julian => {
                        let &[_, _, day] = self.julian.get(next).ok_or(FEWER)?.data() else {
                            return Err(FEWER.into());
                        };
                        Some(i64::from(day) - JULIAN_1970)
                    }
                };
                if let Some(day) = day {
                    self.lay_out_day(day);
                }
                next += 1;
            }
            self.ends.push(self.bytes.len());
        }
        Ok(())
    }

    /// A day outside of the years 1 to 9999 is left for the row to be rejected with.
    fn lay_out_day(&mut self, day: i64) {
        let day = i32::try_from(day).ok().and_then(Day::from_number);
        let text = match (day, self.date_format) {
            (Some(day), Some(format)) => format.write(day),
            (Some(day), None) => Some(day.to_string()),
            (None, _) => None,
        };
        let text = text.unwrap_or_else(|| "no day".to_owned());
        self.bytes.extend_from_slice(text.as_bytes());
    }
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
