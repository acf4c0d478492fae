//! Rows of delimited text (RFC 4180) out of a chunk that a [`Cutter`](super::cut::Cutter) has cut.
//!
//! The rows of a list are short and hardly ever quoted, so chunks without a quotation mark take a
//! path of their own: one pass over delimiters and line breaks, no copy. The other path is
//! `csv-core`. Both give the same fields; a test holds them against each other and against `csv`.

use std::str::from_utf8;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder, Terminator};

use memchr::memchr;

use super::cut::{RowEnd, row_end};
use super::reject::{ROW, ROW_BYTES_MAX, Reason, Reject};

/// The most columns a header may have.
pub(super) const COLUMNS_MAX: usize = 256;

/// The fields of a row that the layout wants, by their place in the layout.
pub(super) type Cells<'t> = [&'t str; CELLS];
/// The most fields a layout wants.
pub(super) const CELLS: usize = super::cells::COUNT;

/// How the rows of a stream are read.
#[derive(Debug, Clone)]
pub(super) struct Format {
    pub(super) delimiter: u8,
    /// Whether fields may be quoted.
    pub(super) quoted: bool,
    /// For each column of the stream the cell it goes to; [`IGNORED`] for those not wanted.
    pub(super) columns: Vec<u8>,
}

/// A column that goes to no cell.
pub(super) const IGNORED: u8 = CELLS as u8;

/// Calls `take` for each row with its cells, or with the reason why it has none. `take` returns whether to go on.
pub(super) fn each_row(
    format: &Format,
    chunk: &[u8],
    mut take: impl FnMut(Result<&Cells<'_>, Reject>) -> bool,
) {
    match from_utf8(chunk) {
        Ok(text) if !(format.quoted && memchr(b'"', chunk).is_some()) => {
            plain(format, text, &mut take)
        }
        _ => careful(format, chunk, &mut take),
    }
}

/// Text without quotation marks.
fn plain(format: &Format, text: &str, take: &mut impl FnMut(Result<&Cells<'_>, Reject>) -> bool) {
    let bytes = text.as_bytes();
    let mut rows = Plain {
        format,
        text,
        cells: [""; CELLS + 1],
        row: 0,
        field: 0,
        column: 0,
    };
    // Sixty-four bytes at a time. Fields are so short that even a vectorised search for the next
    // delimiter spends its time on starting, and a loop over fewer bytes on mispredicted ends.
    let (blocks, _) = bytes.as_chunks::<64>();
    let mut start = 0;
    for block in blocks {
        let mut ends = ends_in(block, format.delimiter);
        while ends != 0 {
            let end = start + ends.trailing_zeros() as usize;
            ends &= ends - 1;
            if !rows.end_field(end, take) {
                return;
            }
        }
        start += block.len();
    }
    let tail = bytes.get(start..).unwrap_or_default().iter().zip(start..);
    for (&byte, end) in tail {
        if (byte == format.delimiter || byte == b'\n') && !rows.end_field(end, take) {
            return;
        }
    }
    if bytes.last().is_some_and(|&last| last != b'\n') {
        rows.end_field(bytes.len(), take);
    }
}

/// One bit for each byte that is the delimiter or a line break, the first byte's the lowest.
fn ends_in(block: &[u8; 64], delimiter: u8) -> u64 {
    let delimiters = u64::from_le_bytes([delimiter; 8]);
    let breaks = u64::from_le_bytes([b'\n'; 8]);
    let (words, _) = block.as_chunks::<8>();
    let mut ends = 0;
    for &word in words.iter().rev() {
        let word = u64::from_le_bytes(word);
        let found = zero_bytes(word ^ delimiters) | zero_bytes(word ^ breaks);
        // Moves the high bit of byte n to bit 56 + n; no two of the sums meet in one bit.
        ends = ends << 8 | (found >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    }
    ends
}

/// The high bit of each byte that is zero, and of no other.
fn zero_bytes(word: u64) -> u64 {
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // Adding carries into the high bit when any low bit is set, and never out of the byte.
    !(((word & LOW_BITS) + LOW_BITS) | word | LOW_BITS)
}

/// The rows of text without quotation marks, while its fields are found.
struct Plain<'f, 't> {
    format: &'f Format,
    text: &'t str,
    /// One place more than there are cells: what is ignored goes there, without a branch.
    cells: [&'t str; CELLS + 1],
    row: usize,
    field: usize,
    column: usize,
}

impl Plain<'_, '_> {
    /// Takes the field that ends before byte `end`, where a delimiter, a line break or nothing is.
    #[inline(always)]
    fn end_field(
        &mut self,
        end: usize,
        take: &mut impl FnMut(Result<&Cells<'_>, Reject>) -> bool,
    ) -> bool {
        let (format, bytes) = (self.format, self.text.as_bytes());
        let part = self.text.get(self.field..end).unwrap_or_default();
        let cell = format.columns.get(self.column);
        let cell = cell.map_or(CELLS, |&cell| usize::from(cell));
        self.column += 1;
        self.field = end + 1;
        if bytes.get(end) == Some(&format.delimiter) {
            self.cells[cell] = part;
            return true;
        }
        self.cells[cell] = part.strip_suffix('\r').unwrap_or(part);
        let row = std::mem::replace(&mut self.row, end + 1);
        let columns = std::mem::take(&mut self.column);
        let raw = without_break(bytes.get(row..end).unwrap_or_default());
        match self.cells.first_chunk::<CELLS>() {
            _ if raw.is_empty() => true,
            _ if end - row > ROW_BYTES_MAX => take_too_long(end - row, take),
            _ if columns != format.columns.len() => take(Err(field_count(format, columns))),
            Some(cells) => take(Ok(cells)),
            None => true,
        }
    }
}

/// Text with quotation marks, or bytes that are not all UTF-8.
fn careful(
    format: &Format,
    chunk: &[u8],
    take: &mut impl FnMut(Result<&Cells<'_>, Reject>) -> bool,
) {
    let mut reader = Unquoting::new(format);
    let mut row = 0;
    // The end of the lines that are read one by one because as one row they made no sense.
    let mut torn_until = 0;
    while row < chunk.len() {
        let bounds = if row < torn_until {
            chunk.get(..torn_until).unwrap_or(chunk)
        } else {
            chunk
        };
        let line_end = memchr(b'\n', bounds.get(row..).unwrap_or_default())
            .map_or(bounds.len(), |at| row + at + 1);
        let (end, sound) = match row_end(bounds, row, format.delimiter) {
            _ if !format.quoted => (line_end, true),
            RowEnd::At { end, sound } => (end, sound),
            RowEnd::Beyond { sound } => (bounds.len(), sound),
            RowEnd::Quoted => (bounds.len(), false),
        };
        let whole = bounds.get(row..end).unwrap_or_default();
        let raw = without_break(whole);
        let bytes = whole.strip_suffix(b"\n").unwrap_or(whole).len();
        let mut next = end;
        let go_on = if raw.is_empty() {
            true
        } else if bytes > ROW_BYTES_MAX {
            take_too_long(bytes, take)
        } else {
            let read = if sound || end == line_end {
                reader.cells(format, raw)
            } else {
                Err(unclosed())
            };
            match read {
                // A stray quotation mark swallows lines up to the next one. What is read then has
                // hardly ever the right number of fields, or goes on behind that mark: give up the
                // first line only and read the others anew.
                Err(Reject {
                    reason: Reason::FieldCount { .. } | Reason::UnclosedQuote,
                    ..
                }) if end > line_end => {
                    (next, torn_until) = (line_end, torn_until.max(end));
                    take(Err(unclosed()))
                }
                read => take(read.as_ref().map_err(Clone::clone)),
            }
        };
        if !go_on {
            return;
        }
        row = next;
    }
}

/// A row without its line break.
pub(super) fn without_break(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

fn take_too_long(bytes: usize, take: &mut impl FnMut(Result<&Cells<'_>, Reject>) -> bool) -> bool {
    let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
    take(Err(Reject::new(ROW, Reason::TooLong { bytes })))
}

fn unclosed() -> Reject {
    Reject {
        field: ROW,
        reason: Reason::UnclosedQuote,
    }
}

fn field_count(format: &Format, found: usize) -> Reject {
    Reject {
        field: ROW,
        reason: Reason::FieldCount {
            expected: format.columns.len(),
            found,
        },
    }
}

/// Takes rows apart that may have quoted fields.
struct Unquoting {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Unquoting {
    fn new(format: &Format) -> Self {
        let reader = ReaderBuilder::new()
            .delimiter(format.delimiter)
            .quoting(format.quoted)
            .terminator(Terminator::Any(b'\n'))
            .build();
        let mut unquoting = Self {
            reader,
            text: Vec::new(),
            ends: Vec::new(),
        };
        // The reader passes over a byte order mark before its first record, where it may belong to
        // the first row of a chunk. A first record of our own leaves it nothing to pass over.
        unquoting.read(b"-");
        unquoting
    }

    /// The cells of a row without its line break.
    fn cells<'t>(&'t mut self, format: &Format, raw: &'t [u8]) -> Result<Cells<'t>, Reject> {
        if let Err(error) = from_utf8(raw) {
            let position = error.valid_up_to() + 1;
            return Err(Reject {
                field: ROW,
                reason: Reason::NotUtf8 { position },
            });
        }
        let Some((bytes, fields)) = self.read(raw) else {
            return Err(unclosed());
        };
        if fields != format.columns.len() {
            return Err(field_count(format, fields));
        }
        let text = self
            .text
            .get(..bytes)
            .and_then(|text| from_utf8(text).ok())
            .unwrap_or_default();
        let mut cells = [""; CELLS];
        let mut start = 0;
        for (&end, &cell) in self.ends.iter().zip(&format.columns) {
            if let Some(cell) = cells.get_mut(usize::from(cell)) {
                *cell = text.get(start..end).unwrap_or_default();
            }
            start = end;
        }
        Ok(cells)
    }

    /// Unquotes a row into `text` and `ends`; says how many bytes and fields there are. `None`
    /// when the row ends inside quotation marks.
    fn read(&mut self, raw: &[u8]) -> Option<(usize, usize)> {
        // A field ends at a byte of the row or behind it, and unquoting only shortens.
        self.text.resize(raw.len() + 1, 0);
        self.ends.resize(raw.len() + 2, 0);
        let (result, _, bytes, fields) =
            self.reader.read_record(raw, &mut self.text, &mut self.ends);
        debug_assert_eq!(result, ReadRecordResult::InputEmpty);
        let text = self.text.get_mut(bytes..).unwrap_or_default();
        let ends = self.ends.get_mut(fields..).unwrap_or_default();
        let (result, _, more_bytes, more_fields) = self.reader.read_record(b"\n", text, ends);
        if result != ReadRecordResult::Record {
            self.reader.reset();
            self.reader.read_record(b"-\n", &mut [0; 2], &mut [0; 2]);
            return None;
        }
        Some((bytes + more_bytes, fields + more_fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_ends_of_fields_are_found(bytes in prop::collection::vec(prop::sample::select(vec![b',', b'\n', b'-', b'.', b'\x0b', 0, 0x2d ^ 0x80, 0xff]), 64)) {
            let block: [u8; 64] = bytes.try_into().unwrap();
            let found = ends_in(&block, b',');
            for (place, byte) in block.into_iter().enumerate() {
                prop_assert_eq!(found >> place & 1 == 1, byte == b',' || byte == b'\n');
            }
        }
    }
}
