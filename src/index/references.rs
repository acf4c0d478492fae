//! Owners' references of the reports of a shard.

use super::bits::BitVector;
use super::bytes::Bytes;
use super::error::Damage;
use super::fields::Fields;

/// References between two offsets of the section.
pub(super) const REFERENCE_BLOCK: usize = 16;
/// Longest owner's reference kept, in bytes.
pub const REFERENCE_MAX: usize = 255;

/// The references section, opened for reading.
#[derive(Debug)]
pub(super) struct References {
    bytes: Bytes,
    /// One for each record that has a reference.
    present: BitVector,
    /// Offset of the block offsets in the section.
    blocks: usize,
    /// Offset of the texts, each behind one byte of length.
    texts: usize,
}

impl References {
    /// Parses `present:vector blocks:u32 offset:u32*blocks (len:u8 text)*`.
    pub(super) fn parse(bytes: Bytes, records: usize) -> Result<Self, Damage> {
        let section = bytes.as_ref();
        let mut fields = Fields::new(section, "references");
        let present = BitVector::parse(&mut fields, section)?;
        let count = fields.count(4)?;
        if present.len() != records || count != present.ones().div_ceil(REFERENCE_BLOCK) {
            return Err(fields.malformed("it is not as long as the reports"));
        }
        let blocks = section.len() - fields.rest().len();
        let texts = blocks + count * 4;
        Ok(Self {
            present,
            blocks,
            texts,
            bytes,
        })
    }

    /// The reference of a record, empty if it has none; `None` if the bytes are damaged.
    pub(super) fn get(&self, record: usize) -> Option<&str> {
        let section = self.bytes.as_ref();
        let (present, rank) = self.present.get(section, record)?;
        if !present {
            return Some("");
        }
        let at = self.blocks + rank / REFERENCE_BLOCK * 4;
        let block = u32::from_le_bytes(*section.get(at..)?.first_chunk()?) as usize;
        let mut rest = section.get(self.texts + block..)?;
        for _ in 0..rank % REFERENCE_BLOCK {
            let (len, tail) = rest.split_first()?;
            rest = tail.get(usize::from(*len)..)?;
        }
        let (len, tail) = rest.split_first()?;
        std::str::from_utf8(tail.get(..usize::from(*len))?).ok()
    }

    /// Brings the references into memory.
    pub(super) fn warm(&self) -> std::io::Result<()> {
        self.bytes.warm()
    }
}
