//! The file of a list: text, written in large pieces, or a table.

use super::layouts::Writer;
use super::parquet::Table;
use super::rows::Row;
use super::{GenerateArgs, GenerateError, Layout};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Bytes gathered before they are written.
const BUFFER: usize = 1 << 20;

/// A list while it is written.
pub(super) enum Sheet<'a> {
    /// A layout of text.
    Text(Writer, Output<'a>),
    /// Parquet: the fields of our CSV as columns.
    Table {
        /// Writes the row of our CSV whose fields the columns get.
        writer: Writer,
        table: Box<Table<File>>,
        path: &'a Path,
        /// The row, for as long as it is taken apart.
        line: Vec<u8>,
    },
}

impl<'a> Sheet<'a> {
    /// Creates the file and writes what stands before the first row.
    pub(super) fn create(args: &'a GenerateArgs) -> Result<Self, GenerateError> {
        let path = &args.out;
        let writer = Writer::new(args.layout, args.references);
        if args.layout == Layout::SltdParquet {
            let file = File::create(path).map_err(write_error(path))?;
            return Ok(Self::Table {
                writer,
                table: Box::new(Table::begin(file).map_err(write_error(path))?),
                path,
                line: Vec::new(),
            });
        }
        let mut out = Output::create(path)?;
        writer.begin(&mut out.buffer);
        Ok(Self::Text(writer, out))
    }

    /// Writes one row.
    pub(super) fn row(&mut self, row: &Row) -> Result<(), GenerateError> {
        match self {
            Self::Text(writer, out) => {
                writer.row(row, &mut out.buffer);
                out.flush_if_full()
            }
            Self::Table {
                writer,
                table,
                path,
                line,
            } => {
                line.clear();
                writer.row(row, line);
                let line = line.strip_suffix(b"\n").unwrap_or(line);
                table.row(line).map_err(write_error(path))
            }
        }
    }

    /// Writes what stands after the last row.
    pub(super) fn finish(self) -> Result<(), GenerateError> {
        match self {
            Self::Text(writer, mut out) => {
                writer.end(&mut out.buffer);
                out.finish()
            }
            Self::Table { table, path, .. } => table.end().map_err(write_error(path)),
        }
    }
}

fn write_error(path: &Path) -> impl FnOnce(io::Error) -> GenerateError {
    move |source| GenerateError::Write {
        path: path.to_owned(),
        source,
    }
}

/// A file written in large pieces.
pub(super) struct Output<'a> {
    path: &'a Path,
    file: File,
    pub(super) buffer: Vec<u8>,
}

impl<'a> Output<'a> {
    pub(super) fn create(path: &'a Path) -> Result<Self, GenerateError> {
        Ok(Self {
            path,
            file: File::create(path).map_err(write_error(path))?,
            buffer: Vec::with_capacity(BUFFER + 4096),
        })
    }

    pub(super) fn flush_if_full(&mut self) -> Result<(), GenerateError> {
        if self.buffer.len() < BUFFER {
            Ok(())
        } else {
            self.finish()
        }
    }

    /// Writes what is gathered.
    pub(super) fn finish(&mut self) -> Result<(), GenerateError> {
        let written = self.file.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(write_error(self.path))
    }
}
