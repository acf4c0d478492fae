//! Cutting a stream into rows without looking into them: where one ends, what is none.

use memchr::{memchr, memchr2, memrchr};

use super::reject::{ROW_BYTES_MAX, Reason};

/// What stands at the beginning of a buffer that begins where a row may begin.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// That many bytes of whole rows.
    Rows(usize),
    /// That many bytes that belong to no row.
    None(usize),
    /// One row of that many bytes, which cannot be used.
    Unusable(usize, Reason),
    /// A row that is longer than [`ROW_BYTES_MAX`]: pass over it with [`Cutter::pass_over`].
    TooLong,
    /// Not yet to be told: more bytes are needed.
    More,
    /// What is there is not what the layout should be.
    Wrong(Wrong),
}

/// In which way a stream as a whole is not what the layout should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It does not begin as a JSON array.
    Begins,
    /// It goes on after the end of the array.
    GoesOn,
    /// It ends inside the array.
    Ends,
}

/// Finds the ends of rows. What it finds depends on the stream only, never on how much of it is
/// in the buffer.
pub(super) trait Cutter {
    /// Looks at the beginning of `buffer`. `ended`: nothing follows it.
    fn cut(&mut self, buffer: &[u8], ended: bool) -> Cut;

    /// Goes on passing over a row that is too long; `first`: `buffer` begins with it. Says where
    /// in `buffer` it ends, `None` when not there.
    fn pass_over(&mut self, buffer: &[u8], first: bool) -> Option<usize>;
}

/// Rows end with a line break, which may stand inside quotation marks where the layout has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    /// The delimiter of fields where fields may be quoted.
    pub(super) quoted_after: Option<u8>,
}

impl Cutter for Lines {
    fn cut(&mut self, buffer: &[u8], ended: bool) -> Cut {
        let quoted_after = self.quoted_after.filter(|_| memchr(b'"', buffer).is_some());
        let mut whole = 0;
        match quoted_after {
            None => whole = memrchr(b'\n', buffer).map_or(0, |at| at + 1),
            Some(delimiter) => {
                while let RowEnd::At { end, .. } = row_end(buffer, whole, delimiter)
                    && end - whole <= ROW_BYTES_MAX
                {
                    whole = end;
                }
            }
        }
        if whole > 0 {
            return Cut::Rows(whole);
        }
        // From here on there is no whole row at the beginning, or one that is too long.
        let too_long = buffer.len() > ROW_BYTES_MAX;
        if !(too_long || ended) {
            return Cut::More;
        }
        let line = memchr(b'\n', buffer).map(|at| at + 1);
        match line {
            // A quotation mark was opened on this line and its pair is not to be found: the line
            // is given up, the next one is read as if nothing had happened.
            Some(line) if line <= ROW_BYTES_MAX => Cut::Unusable(line, Reason::UnclosedQuote),
            _ if too_long => Cut::TooLong,
            _ if buffer.is_empty() => Cut::Rows(0),
            _ => match quoted_after.map(|delimiter| row_end(buffer, 0, delimiter)) {
                Some(RowEnd::Quoted) => Cut::Unusable(buffer.len(), Reason::UnclosedQuote),
                _ => Cut::Rows(buffer.len()),
            },
        }
    }

    fn pass_over(&mut self, buffer: &[u8], _first: bool) -> Option<usize> {
        memchr(b'\n', buffer).map(|at| at + 1)
    }
}

/// Where a row of comma-separated values ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowEnd {
    /// Before byte `end`; its line break is part of the row. `sound`: every closing quotation mark
    /// is the last character of its field, as it has to be.
    At { end: usize, sound: bool },
    /// Not in these bytes.
    Beyond { sound: bool },
    /// Not in these bytes: they end inside quotation marks.
    Quoted,
}

/// The end of the row that begins at `start`. As in RFC 4180 a quotation mark opens a quoted field
/// only as the field's first character, and two of them inside stand for one.
pub(super) fn row_end(buffer: &[u8], start: usize, delimiter: u8) -> RowEnd {
    let from = |at: usize| buffer.get(at..).unwrap_or_default();
    let (mut at, mut sound) = (start, true);
    loop {
        let Some(found) = memchr2(b'\n', b'"', from(at)) else {
            return RowEnd::Beyond { sound };
        };
        at += found;
        if buffer.get(at) == Some(&b'\n') {
            return RowEnd::At { end: at + 1, sound };
        }
        let opens = at == start || buffer.get(at - 1) == Some(&delimiter);
        at += 1;
        if opens {
            // To the quotation mark that is not one of a pair.
            loop {
                let Some(found) = memchr(b'"', from(at)) else {
                    return RowEnd::Quoted;
                };
                at += found + 1;
                if buffer.get(at) != Some(&b'"') {
                    break;
                }
                at += 1;
            }
            sound &= match from(at) {
                [] | [b'\n', ..] | [b'\r'] | [b'\r', b'\n', ..] => true,
                [next, ..] => *next == delimiter,
            };
        }
    }
}
