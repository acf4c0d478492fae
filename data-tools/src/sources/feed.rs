//! One stream of text: filled into buffers, cut at row boundaries, handed out.

use std::io::Read;
use std::sync::Arc;

use memchr::memchr;

use super::SourceError;
use super::cut::{Cut, Cutter, Lines, Wrong};
use super::delimited::without_break;
use super::header::{line_end, separator_line};
use super::kind::{KIND_BYTES, other_kind};
use super::layout::{Beginning, Head, has_header};
use super::pipeline::{Buffer, Feeder, Stop, What};
use super::reject::{ROW_BYTES_MAX, Reason};

/// The reading of one stream.
pub(super) struct Feed<'f, 'a> {
    feeder: &'f mut Feeder<'a>,
    stream: usize,
    name: &'f str,
    text: &'f mut dyn Read,
    /// That of the form of the rows, once it is known.
    cutter: Box<dyn Cutter>,
    ended: bool,
    /// Lines end with carriage returns alone.
    breaks_are_returns: bool,
}

impl<'f, 'a> Feed<'f, 'a> {
    pub(super) fn new(
        feeder: &'f mut Feeder<'a>,
        stream: usize,
        name: &'f str,
        text: &'f mut dyn Read,
    ) -> Self {
        Self {
            feeder,
            stream,
            name,
            text,
            cutter: Box::new(Lines { quoted_after: None }),
            ended: false,
            breaks_are_returns: false,
        }
    }

    /// Hands out the rows of the stream.
    pub(super) fn run(mut self) -> Result<(), Stop> {
        let mut buffer = self.feeder.buffer()?;
        let head = Arc::new(self.head(&mut buffer)?);
        loop {
            match self.cutter.cut(buffer.bytes(), self.ended) {
                Cut::Rows(0) | Cut::None(0) | Cut::More if self.ended => return Ok(()),
                Cut::Rows(0) | Cut::None(0) | Cut::More => self.fill(&mut buffer)?,
                Cut::Rows(count) => {
                    let mut rest = self.feeder.buffer()?;
                    buffer.split_into(count, &mut rest);
                    self.feeder
                        .send(self.stream, What::Rows(Arc::clone(&head), buffer))?;
                    buffer = rest;
                    self.fill(&mut buffer)?;
                }
                Cut::None(count) => buffer.drop_front(count),
                Cut::Unusable(count, reason) => {
                    buffer.drop_front(count);
                    self.feeder.send(self.stream, What::Unusable(reason))?;
                }
                Cut::TooLong => self.pass_over(&mut buffer)?,
                Cut::Wrong(Wrong::Ends) => {
                    return Err(self.damaged("a JSON array or object is not closed"));
                }
                Cut::Wrong(Wrong::Begins) => return Err(self.not_an_array("at the beginning")),
                Cut::Wrong(Wrong::GoesOn) => {
                    return Err(self.not_an_array("after the end of the array"));
                }
            }
        }
    }

    /// Reads what stands before the first row, and prepares for the form of the rows.
    fn head(&mut self, buffer: &mut Buffer) -> Result<Head, Stop> {
        let layout = self.feeder.source().layout;
        while buffer.len() < KIND_BYTES && !self.ended {
            self.fill(buffer)?;
        }
        if buffer.len() == 0 && !self.feeder.source().may_be_empty() {
            return Err(SourceError::Empty {
                file: self.name.to_owned(),
            }
            .into());
        }
        if let Some(found) = other_kind(layout, buffer.bytes()) {
            let file = self.name.to_owned();
            return Err(SourceError::OtherKind { file, found }.into());
        }
        self.see_line_ends(buffer)?;
        let mut separator = None;
        let end = loop {
            if !layout.is_delimited() {
                break 0;
            }
            let end = self.line_end(buffer)?;
            let line = without_break(buffer.bytes().get(..end).unwrap_or_default());
            let stated = separator_line(line);
            if !has_header(layout) && stated.is_none() {
                break 0;
            }
            if end == 0 || stated.is_none() && !line.trim_ascii().is_empty() {
                break end;
            }
            // A blank line, or one that states the delimiter.
            separator = separator.or(stated);
            buffer.drop_front(end);
        };
        let bytes = buffer.bytes();
        let head = self.feeder.head(
            self.name,
            &Beginning {
                header: without_break(bytes.get(..end).unwrap_or_default()),
                separator,
                ahead: bytes.get(end..).unwrap_or_default(),
                withdraws: self.feeder.withdraws(),
            },
        )?;
        buffer.drop_front(end);
        self.cutter = head.cutter();
        Ok(head)
    }

    /// Reads on until a line break, and takes carriage returns for line breaks where there is none in so many bytes
    /// as the longest row may have.
    fn see_line_ends(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        // Elements of an array need no lines.
        if buffer.bytes().trim_ascii_start().starts_with(b"[") {
            return Ok(());
        }
        let mut seen = 0;
        loop {
            let until = buffer.len().min(ROW_BYTES_MAX);
            let new = buffer.bytes().get(seen..until).unwrap_or_default();
            if memchr(b'\n', new).is_some() {
                return Ok(());
            }
            if until == ROW_BYTES_MAX || self.ended {
                break;
            }
            seen = until;
            self.fill(buffer)?;
        }
        let first = buffer.bytes();
        let first = first.get(..ROW_BYTES_MAX).unwrap_or(first);
        if memchr(b'\r', first).is_some() {
            self.breaks_are_returns = true;
            buffer.break_lines(0);
        }
        Ok(())
    }

    /// Where the first line ends.
    fn line_end(&mut self, buffer: &mut Buffer) -> Result<usize, Stop> {
        loop {
            match line_end(buffer.bytes()) {
                Some(end) => return Ok(end),
                // So long a line is no header; a quotation mark may be open in it.
                None if buffer.len() > ROW_BYTES_MAX || self.ended => {
                    let first = memchr(b'\n', buffer.bytes());
                    return Ok(first.map_or(buffer.len(), |at| at + 1));
                }
                None => self.fill(buffer)?,
            }
        }
    }

    /// Reads one chunk more.
    fn fill(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        if !self.ended {
            let (wanted, before) = (self.feeder.chunk_bytes(), buffer.len());
            let filled = buffer
                .fill(self.text, wanted)
                .map_err(|error| self.damaged(error))?;
            self.ended = filled < wanted;
            if self.breaks_are_returns {
                buffer.break_lines(before);
            }
        }
        Ok(())
    }

    /// Passes over a row that is too long and rejects it.
    fn pass_over(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        let (mut bytes, mut first) = (0, true);
        loop {
            let end = self.cutter.pass_over(buffer.bytes(), first);
            let passed = end.unwrap_or(buffer.len());
            let line_break = end.is_some()
                && buffer
                    .bytes()
                    .get(..passed)
                    .is_some_and(|row| row.ends_with(b"\n"));
            bytes += u64::try_from(passed - usize::from(line_break)).unwrap_or(u64::MAX);
            buffer.drop_front(passed);
            if end.is_some() || (self.ended && buffer.len() == 0) {
                break;
            }
            self.fill(buffer)?;
            first = false;
        }
        self.feeder
            .send(self.stream, What::Unusable(Reason::TooLong { bytes }))
    }

    fn damaged(&self, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Stop {
        SourceError::Damaged {
            file: self.name.to_owned(),
            rows: 0,
            error: error.into(),
        }
        .into()
    }

    fn not_an_array(&self, place: &'static str) -> Stop {
        SourceError::NotAnArray {
            file: self.name.to_owned(),
            place,
        }
        .into()
    }
}
