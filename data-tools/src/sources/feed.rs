//! One stream of text: filled into buffers, cut at row boundaries, handed out.

use std::io::Read;
use std::sync::Arc;

use super::SourceError;
use super::cut::{Cut, Cutter, Wrong};
use super::delimited::without_break;
use super::layout::{Head, cutter, header_end};
use super::pipeline::{Buffer, Feeder, Stop, What};
use super::reject::{ROW_BYTES_MAX, Reason};

/// The reading of one stream.
pub(super) struct Feed<'f, 'a> {
    feeder: &'f mut Feeder<'a>,
    stream: usize,
    name: &'f str,
    text: &'f mut dyn Read,
    cutter: Box<dyn Cutter>,
    ended: bool,
}

impl<'f, 'a> Feed<'f, 'a> {
    pub(super) fn new(
        feeder: &'f mut Feeder<'a>,
        stream: usize,
        name: &'f str,
        text: &'f mut dyn Read,
    ) -> Self {
        let cutter = cutter(feeder.source().layout);
        Self {
            feeder,
            stream,
            name,
            text,
            cutter,
            ended: false,
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
                Cut::Wrong(Wrong::Ends) => return Err(self.damaged("the JSON array is not closed")),
                Cut::Wrong(Wrong::Begins) => return Err(self.not_an_array("at the beginning")),
                Cut::Wrong(Wrong::GoesOn) => {
                    return Err(self.not_an_array("after the end of the array"));
                }
            }
        }
    }

    /// Reads what stands before the first row: byte order mark and header.
    fn head(&mut self, buffer: &mut Buffer) -> Result<Head, Stop> {
        // A byte order mark has three bytes, and a chunk of a test may have one.
        while buffer.len() < 4 && !self.ended {
            self.fill(buffer)?;
        }
        match buffer.bytes() {
            [0xef, 0xbb, 0xbf, ..] => buffer.drop_front(3),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                return Err(SourceError::Utf16 {
                    file: self.name.to_owned(),
                }
                .into());
            }
            _ => {}
        }
        if buffer.len() == 0 && self.ended {
            return Err(SourceError::Empty {
                file: self.name.to_owned(),
            }
            .into());
        }
        let layout = self.feeder.source().layout;
        let end = loop {
            match header_end(layout, buffer.bytes(), self.ended) {
                Some(end) => break end,
                // So long a header is none; the layout will say so.
                None if buffer.len() > ROW_BYTES_MAX => break buffer.len(),
                None => self.fill(buffer)?,
            }
        };
        let header = buffer
            .bytes()
            .get(..end)
            .filter(|header| !header.is_empty());
        let head = self.feeder.head(self.name, header.map(without_break))?;
        buffer.drop_front(end);
        Ok(head)
    }

    /// Reads one chunk more.
    fn fill(&mut self, buffer: &mut Buffer) -> Result<(), Stop> {
        if !self.ended {
            let wanted = self.feeder.chunk_bytes();
            let filled = buffer
                .fill(self.text, wanted)
                .map_err(|error| self.damaged(error))?;
            self.ended = filled < wanted;
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
