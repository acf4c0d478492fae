//! Holding a segment that is open against what its file holds now.

use super::error::Damage;
use super::format::{ENTRY_LEN, HEADER_LEN, Section};
use super::segment::Segment;
use crate::files::UncachedFile;
use std::path::Path;

/// Bytes of an open file that are read at a time.
const PART: usize = 1 << 20;

/// What of a file is held against what.
#[derive(Clone, Copy)]
enum Expected<'a> {
    /// Header or section table.
    Frame,
    /// Nothing but zeros.
    Padding,
    Section(&'a Section),
}

/// How a file was read again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reread {
    /// Bytes read.
    pub bytes: u64,
    /// Whether all of it was read past the page cache.
    pub direct: bool,
}

impl Segment {
    /// Reads the file of this segment again, from the disk, and holds every byte against what was verified when it was
    /// opened. `go_on` is called after each part with its length; where it returns false, the rest is left out and
    /// nothing is said: `None`.
    ///
    /// # Errors
    /// [`Damage`] with the first difference.
    pub fn reread(
        &self,
        path: &Path,
        go_on: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Reread>, Damage> {
        let mut file = UncachedFile::open(path)?;
        let mut comparison = Comparison::new(self);
        loop {
            let part = file.read_part(comparison.at)?;
            let length = part.len();
            comparison.add(part)?;
            if length == 0 || comparison.is_done() {
                break;
            }
            if !go_on(length) {
                return Ok(None);
            }
        }
        comparison.finish()?;
        Ok(Some(Reread {
            bytes: self.file_len(),
            direct: file.is_direct(),
        }))
    }

    /// Reads the open file again that this segment answers from, as it is mapped, and holds every byte against what was
    /// verified when it was opened: also where the file has lost its name, or another one has taken it. `go_on` is as of
    /// [`reread`](Self::reread); false where it said so.
    ///
    /// # Errors
    /// [`Damage`] with the first difference.
    pub fn reread_open(&self, go_on: &mut dyn FnMut(usize) -> bool) -> Result<bool, Damage> {
        let mut comparison = Comparison::new(self);
        let mut part = vec![0; PART];
        while !comparison.is_done() {
            let left = self.file_len() - comparison.at;
            let length = usize::try_from(left).unwrap_or(PART).min(PART);
            let part = &mut part[..length];
            self.bytes().read_again(part, comparison.at)?;
            comparison.add(part)?;
            if !go_on(length) {
                return Ok(false);
            }
        }
        comparison.finish()?;
        Ok(true)
    }

    /// Whether it answers from the file that has this name now, as it is mapped.
    pub fn is_mapped_from(&self, path: &Path) -> bool {
        self.bytes().are_mapped_from(path)
    }
}

struct Comparison<'a> {
    segment: &'a Segment,
    /// The end of each piece of the file, and what it should be; in order.
    pieces: Vec<(u64, Expected<'a>)>,
    piece: usize,
    /// Offset of what comes next.
    at: u64,
    frame: blake3::Hasher,
    section: blake3::Hasher,
}

impl<'a> Comparison<'a> {
    fn new(segment: &'a Segment) -> Self {
        let frame = segment.frame();
        let mut pieces = vec![(HEADER_LEN as u64, Expected::Frame)];
        let mut end = HEADER_LEN as u64;
        let mut add = |start: u64, to: u64, expected| {
            if end < start {
                pieces.push((start, Expected::Padding));
            }
            if start < to {
                pieces.push((to, expected));
            }
            end = to;
        };
        for section in &frame.sections {
            let to = section.offset + section.len;
            add(section.offset, to, Expected::Section(section));
        }
        let table = frame.table_offset();
        let table_len = (frame.sections.len() * ENTRY_LEN) as u64;
        add(table, table + table_len, Expected::Frame);
        Self {
            segment,
            pieces,
            piece: 0,
            at: 0,
            frame: blake3::Hasher::new(),
            section: blake3::Hasher::new(),
        }
    }

    fn is_done(&self) -> bool {
        self.piece == self.pieces.len()
    }

    fn add(&mut self, mut bytes: &[u8]) -> Result<(), Damage> {
        while !bytes.is_empty() {
            let Some((end, expected)) = self.pieces.get(self.piece).copied() else {
                // Longer than it was.
                return Err(Damage::Length {
                    expected: self.segment.file_len(),
                    got: self.at + bytes.len() as u64,
                });
            };
            let length = (end - self.at).min(bytes.len() as u64);
            let (now, rest) = bytes.split_at(length as usize);
            match expected {
                Expected::Frame => _ = self.frame.update(now),
                Expected::Section(_) => _ = self.section.update(now),
                Expected::Padding if now.iter().any(|byte| *byte != 0) => {
                    return Err(Damage::Padding { before: end });
                }
                Expected::Padding => {}
            }
            self.at += length;
            bytes = rest;
            if self.at == end {
                self.piece += 1;
                if let Expected::Section(section) = expected {
                    let found = std::mem::take(&mut self.section).finalize();
                    if found.as_bytes() != &section.digest {
                        return Err(Damage::Digest {
                            section: section.kind.name(),
                            shard: section.shard,
                        });
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<(), Damage> {
        if !self.is_done() {
            return Err(Damage::Length {
                expected: self.segment.file_len(),
                got: self.at,
            });
        }
        match self.frame.finalize() == self.segment.digest() {
            true => Ok(()),
            false => Err(Damage::Digest {
                section: "header and section table",
                shard: 0,
            }),
        }
    }
}
