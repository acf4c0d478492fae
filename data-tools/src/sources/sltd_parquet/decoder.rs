//! The columns of a Parquet file that are read: how their values are written, and what they are as text.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::ColumnReader;
use parquet::data_type::{ByteArray, Int96};
use parquet::file::reader::RowGroupReader;
use parquet::schema::types::ColumnDescriptor;
use sltd::report::Day;

use super::super::cells::COLUMNS;
use super::Damage;
use crate::config::DateFormat;

/// A column that is read.
pub(super) struct Column {
    /// Its place in the file.
    pub(super) index: usize,
    /// The cell it fills.
    pub(super) cell: usize,
    /// The definition level of a value; 0 where none may be absent.
    pub(super) defined: i16,
    pub(super) kind: Kind,
}

/// How the values of a column are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

fn is_date(cell: usize) -> bool {
    COLUMNS.get(cell).is_some_and(|name| name.contains("date"))
}

/// The types that can be read into a cell.
pub(super) fn readable_types(cell: usize) -> &'static str {
    match is_date(cell) {
        true => "texts, dates or timestamps, one a row",
        false => "texts, one a row",
    }
}

/// How a column that can be read into a cell is written. `None`: it cannot.
pub(super) fn readable(found: &ColumnDescriptor, cell: usize) -> Option<Kind> {
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

/// The values of one column, a batch at a time.
pub(super) struct Decoder<'a> {
    pub(super) cell: usize,
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
    pub(super) fn new(
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

    pub(super) fn cell_of(&self, row: usize) -> &[u8] {
        let start = row
            .checked_sub(1)
            .and_then(|before| self.ends.get(before))
            .copied()
            .unwrap_or(0);
        let end = self.ends.get(row).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Decodes the next `rows` cells.
    pub(super) fn decode(&mut self, rows: usize) -> Result<(), Damage> {
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
