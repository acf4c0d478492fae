//! Rows as Parquet: a column of texts for each field of our CSV, one group of rows after the other.

use crate::sources::LIST_COLUMNS;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::io::{self, Write};

/// Rows of a group: what is held in memory, some tens of megabytes. Where each group lies is held, too,
/// until the end: some ten kilobytes.
const GROUP_ROWS: usize = 1 << 16;

/// A table while it is written.
pub(super) struct Table<W: Write + Send> {
    out: SerializedFileWriter<W>,
    columns: [Column; LIST_COLUMNS.len()],
    rows: usize,
}

/// A column of the group being gathered.
#[derive(Debug, Default)]
struct Column {
    /// 1 for each row that has a value, 0 for each that has none.
    present: Vec<i16>,
    values: Vec<ByteArray>,
}

impl<W: Write + Send> Table<W> {
    /// Begins a table without rows.
    pub(super) fn begin(out: W) -> io::Result<Self> {
        let fields = LIST_COLUMNS.map(|name| format!("OPTIONAL BYTE_ARRAY {name} (UTF8); "));
        let schema = format!("message reports {{ {} }}", fields.concat());
        let schema = parse_message_type(&schema).map_err(into_io)?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            // Nobody filters by them, and they would be held in memory until the end of the file.
            .set_statistics_enabled(EnabledStatistics::None)
            .set_offset_index_disabled(true)
            // The same bytes whatever the version of the library.
            .set_created_by("sltd-data".to_owned());
        let out = SerializedFileWriter::new(out, schema.into(), properties.build().into());
        Ok(Self {
            out: out.map_err(into_io)?,
            columns: Default::default(),
            rows: 0,
        })
    }

    /// Takes a row of our CSV, in which no field is quoted.
    pub(super) fn row(&mut self, line: &[u8]) -> io::Result<()> {
        let fields = line.split(|&byte| byte == b',');
        for (column, field) in self.columns.iter_mut().zip(fields) {
            column.present.push(i16::from(!field.is_empty()));
            if !field.is_empty() {
                column.values.push(ByteArray::from(field));
            }
        }
        self.rows += 1;
        if self.rows == GROUP_ROWS {
            self.write_group()?;
        }
        Ok(())
    }

    /// Writes what is gathered, and where in the file everything is.
    pub(super) fn end(mut self) -> io::Result<()> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.out.close().map(drop).map_err(into_io)
    }

    fn write_group(&mut self) -> io::Result<()> {
        let mut group = self.out.next_row_group().map_err(into_io)?;
        for column in &mut self.columns {
            let Some(mut out) = group.next_column().map_err(into_io)? else {
                break;
            };
            out.typed::<ByteArrayType>()
                .write_batch(&column.values, Some(&column.present), None)
                .map_err(into_io)?;
            out.close().map_err(into_io)?;
            column.present.clear();
            column.values.clear();
        }
        group.close().map_err(into_io)?;
        self.rows = 0;
        Ok(())
    }
}

/// What the system said, where it was the system.
fn into_io(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}
