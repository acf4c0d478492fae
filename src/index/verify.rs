//! From an untrusted file to a frame whose sections are what was written.

use super::error::Damage;
use super::format::{Frame, HEADER_LEN, MAGIC, Section, VERSION};
use crate::files::File;
use rayon::prelude::*;
use std::io;

/// Bytes read at a time while digests are verified.
const VERIFY_BUFFER: usize = 1 << 20;

/// Where bytes are verified: in the file that will be mapped, or in the memory that will be answered from.
pub(super) trait Source: Sync {
    fn length(&self) -> io::Result<u64>;

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Calls `see` with the bytes of a section, given as offset and length, part by part; `buffer` is room that may be
    /// used.
    fn each_part(
        &self,
        section: (u64, u64),
        buffer: &mut [u8],
        see: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()>;
}

impl Source for File {
    fn length(&self) -> io::Result<u64> {
        File::length(self)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        File::read_exact_at(self, buffer, offset)
    }

    fn each_part(
        &self,
        (offset, len): (u64, u64),
        buffer: &mut [u8],
        see: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        let (mut at, end) = (offset, offset + len);
        while at < end {
            let length = (end - at).min(buffer.len() as u64) as usize;
            let part = &mut buffer[..length];
            File::read_exact_at(self, part, at)?;
            see(part);
            at += length as u64;
        }
        Ok(())
    }
}

impl Source for [u8] {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let len = buffer.len();
        self.each_part((offset, len as u64), &mut [], &mut |bytes| {
            buffer.copy_from_slice(bytes);
        })
    }

    fn each_part(
        &self,
        (offset, len): (u64, u64),
        _: &mut [u8],
        see: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        let bytes = usize::try_from(offset)
            .ok()
            .and_then(|offset| self.get(offset..))
            .and_then(|rest| rest.get(..usize::try_from(len).ok()?));
        see(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

/// Reads and checks header and section table; also returns their digest and the file's length.
pub(super) fn read_frame(
    file: &(impl Source + ?Sized),
) -> Result<(Frame, blake3::Hash, u64), Damage> {
    let file_len = file.length()?;
    if file_len < HEADER_LEN as u64 {
        return Err(Damage::Length {
            expected: HEADER_LEN as u64,
            got: file_len,
        });
    }
    let mut header = [0; HEADER_LEN];
    file.read_exact_at(&mut header, 0)?;
    let range = Frame::table_range(&header, file_len);
    if let Err(Damage::Version { .. }) = range
        && is_of_this_version(file, header, file_len)
    {
        return Err(Damage::Digest {
            section: "header and section table",
            shard: 0,
        });
    }
    let (table_offset, table_len) = range?;
    let mut bytes = header.to_vec();
    bytes.resize(HEADER_LEN + table_len, 0);
    file.read_exact_at(&mut bytes[HEADER_LEN..], table_offset)?;
    Ok((Frame::parse(&bytes)?, blake3::hash(&bytes), file_len))
}

/// Whether a header that names another version is one of this version in which that was changed: the digest in it says
/// so.
fn is_of_this_version(
    file: &(impl Source + ?Sized),
    mut header: [u8; HEADER_LEN],
    file_len: u64,
) -> bool {
    header[MAGIC.len()..][..size_of::<u32>()].copy_from_slice(&VERSION.to_le_bytes());
    let Ok((table_offset, table_len)) = Frame::table_range(&header, file_len) else {
        return false;
    };
    let mut bytes = header.to_vec();
    bytes.resize(HEADER_LEN + table_len, 0);
    let read = file.read_exact_at(&mut bytes[HEADER_LEN..], table_offset);
    read.is_ok() && Frame::parse(&bytes).is_ok()
}

/// Holds every section against its digest and every padding against zero, on all cores.
pub(super) fn verify_sections(file: &(impl Source + ?Sized), frame: &Frame) -> Result<(), Damage> {
    let ends = frame
        .sections
        .iter()
        .map(|section| section.offset + section.len);
    let starts = std::iter::once(HEADER_LEN as u64).chain(ends);
    let sections: Vec<(u64, &Section)> = starts.zip(&frame.sections).collect();
    let end = sections.last().map_or(HEADER_LEN as u64, |(_, section)| {
        section.offset + section.len
    });
    let mut padding = vec![0; (frame.table_offset() - end) as usize];
    file.read_exact_at(&mut padding, end)?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(Damage::Padding {
            before: frame.table_offset(),
        });
    }
    sections.par_iter().try_for_each_init(
        || vec![0u8; VERIFY_BUFFER],
        |buffer, (gap, section)| {
            // Alignment bounds the gap to less than a page, which fits the buffer.
            let padding = &mut buffer[..(section.offset - gap) as usize];
            file.read_exact_at(padding, *gap)?;
            if padding.iter().any(|byte| *byte != 0) {
                return Err(Damage::Padding {
                    before: section.offset,
                });
            }
            let mut hasher = blake3::Hasher::new();
            let place = (section.offset, section.len);
            file.each_part(place, buffer, &mut |part| _ = hasher.update(part))?;
            if hasher.finalize().as_bytes() != &section.digest {
                return Err(Damage::Digest {
                    section: section.kind.name(),
                    shard: section.shard,
                });
            }
            Ok(())
        },
    )
}
