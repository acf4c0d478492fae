//! The file of rows that are in force no longer, written on request.

use std::fs::File;
use std::io::{self, BufWriter, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use sltd::report::{Day, ReportStatus, last_day_in_force};

use super::reading::Reading;
use super::whole_file::create_private;

const COLUMNS: [&str; 12] = [
    "source",
    "row",
    "number",
    "issuing_state",
    "type",
    "status",
    "date_of_loss",
    "date_reported",
    "review_date",
    "range_end",
    "last_day",
    "file",
];

/// The rows of all sources that are in force no longer. It takes its name only when everything has been read.
#[derive(Debug)]
pub struct ExpiredFile {
    path: PathBuf,
    temporary: PathBuf,
    writer: Mutex<BufWriter<File>>,
}

/// One row that is in force no longer: what was read of it, normalised.
#[derive(Debug)]
pub(super) struct ExpiredRow {
    /// Its number in the chunk, from 0.
    pub(super) row: u64,
    cells: [String; 9],
}

impl ExpiredRow {
    pub(super) fn new(row: u64, reading: &Reading<'_>, status: ReportStatus) -> Self {
        let day = |day: Option<Day>| day.map_or_else(String::new, |day| day.to_string());
        let end = reading.range_end.map(|end| end.as_str().to_owned());
        let cells = [
            reading.number.as_str().to_owned(),
            reading.issuing_state.code().to_owned(),
            reading.document_type.name().to_owned(),
            status.name().to_owned(),
            day(reading.date_of_loss),
            day(reading.date_reported),
            day(reading.review_date),
            end.unwrap_or_default(),
            day(last_day_in_force(
                status,
                reading.date_reported,
                reading.review_date,
            )),
        ];
        Self { row, cells }
    }
}

impl ExpiredFile {
    /// A file that will appear at `path`.
    ///
    /// # Errors
    /// What the system says.
    pub fn new(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".tmp");
        let temporary = path.with_file_name(name);
        let mut writer = BufWriter::new(create_private(&temporary)?);
        writer.write_all(&record(&COLUMNS)?)?;
        Ok(Self {
            path: path.to_owned(),
            temporary,
            writer: Mutex::new(writer),
        })
    }

    /// Where the rows of the next source begin.
    pub(super) fn position(&self) -> io::Result<u64> {
        self.lock().stream_position()
    }

    /// Drops the rows of a source that could not be read to its end.
    pub(super) fn cut(&self, position: u64) -> io::Result<()> {
        let mut writer = self.lock();
        writer.seek(SeekFrom::Start(position))?;
        writer.get_mut().set_len(position)
    }

    /// Appends rows; `before` of the same file were counted before them.
    pub(super) fn write(
        &self,
        source: &str,
        file: &str,
        before: u64,
        rows: &[ExpiredRow],
    ) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut writer = self.lock();
        for row in rows {
            let number = (before + row.row + 1).to_string();
            let mut cells = vec![source, number.as_str()];
            cells.extend(row.cells.iter().map(String::as_str));
            cells.push(file);
            writer.write_all(&record(&cells)?)?;
        }
        Ok(())
    }

    /// Makes it visible under its name.
    ///
    /// # Errors
    /// What the system says.
    pub fn finish(self) -> io::Result<()> {
        let mut writer = self.lock();
        writer.flush()?;
        writer.get_ref().sync_all()?;
        drop(writer);
        std::fs::rename(&self.temporary, &self.path)
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, BufWriter<File>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ExpiredFile {
    fn drop(&mut self) {
        // After `finish` it is there no longer.
        let _ = std::fs::remove_file(&self.temporary);
    }
}

fn record(cells: &[&str]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells)?;
    writer
        .into_inner()
        .map_err(|error| io::Error::other(error.to_string()))
}
