//! One shard: the numbers of a stretch, and the reports of their documents.
//!
//! The automaton maps the beginning of a number to the [block](super::blocks) of those that begin so,
//! where its record stands. See [`packing`](super::packing) for what a record is.

use super::blocks::{Block, Blocks};
use super::bytes::Bytes;
use super::documents::changed;
use super::error::Damage;
use super::fields::Fields;
use super::packing::{Found, Records};
use super::references::References;
use crate::document::DocumentNumber;

/// Numbers of a shard; the last has those that are left.
pub(super) const SHARD_NUMBERS: u64 = 1 << 20;
/// Bytes of a shard in the directory.
pub(super) const ENTRY_LEN: usize = 48;

/// What the directory says of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShardEntry {
    /// The first number, padded with zero bytes.
    pub first: [u8; 24],
    pub numbers: u32,
    pub documents: u32,
    /// Records in the blocks.
    pub records: u32,
    /// Records of numbers that have several reports.
    pub chained: u32,
    pub reports: u32,
}

impl ShardEntry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first);
        let counts = [self.numbers, self.documents, self.records];
        for count in counts.into_iter().chain([self.chained, self.reports, 0]) {
            out.extend_from_slice(&count.to_le_bytes());
        }
    }

    pub(super) fn parse_all(bytes: &[u8], shards: u32) -> Result<Vec<Self>, Damage> {
        let mut fields = Fields::new(bytes, "shards");
        if bytes.len() as u64 != u64::from(shards) * ENTRY_LEN as u64 {
            return Err(fields.malformed("its length is not that of the header's shards"));
        }
        let mut entries: Vec<Self> = Vec::with_capacity(shards as usize);
        for _ in 0..shards {
            let first = fields.array()?;
            let entry = Self {
                first,
                numbers: fields.u32()?,
                documents: fields.u32()?,
                records: fields.u32()?,
                chained: fields.u32()?,
                reports: fields.u32()?,
            };
            if fields.u32()? != 0 || entries.last().is_some_and(|last| last.first >= first) {
                return Err(fields.malformed("its shards are not in order"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// A shard opened for reading.
pub(super) struct Shard {
    pub entry: ShardEntry,
    keys: fst::raw::Fst<Bytes>,
    blocks: Blocks,
    records: Records,
    references: Option<References>,
}

/// The sections of a shard, of bytes that match their digests.
pub(super) struct ShardSections {
    pub keys: Bytes,
    pub blocks: Bytes,
    pub reports: Bytes,
    pub references: Option<Bytes>,
}

// An automaton has nothing to show.
impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard")
            .field("entry", &self.entry)
            .finish_non_exhaustive()
    }
}

impl Shard {
    pub(super) fn open(entry: ShardEntry, sections: ShardSections) -> Result<Self, Damage> {
        let malformed = |section, what| Damage::Malformed { section, what };
        let keys = fst::raw::Fst::new(sections.keys)
            .map_err(|_| malformed("keys", "it is no automaton"))?;
        let records = entry.records.checked_add(entry.chained);
        let records = records.ok_or(malformed("shards", "its records are too many"))?;
        Ok(Self {
            entry,
            keys,
            blocks: Blocks::parse(sections.blocks)?,
            records: Records::parse(sections.reports, entry.records, entry.chained)?,
            references: sections
                .references
                .map(|bytes| References::parse(bytes, records as usize))
                .transpose()?,
        })
    }

    /// The first report of a number; `None` if the shard lacks the number.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are damaged.
    pub(super) fn find(&self, number: &[u8]) -> Result<Option<Found>, Damage> {
        let Some((prefix, offset)) = self.prefix(number) else {
            return Ok(None);
        };
        let block = self.blocks.get(offset).ok_or(changed("blocks"))?;
        match number.get(prefix..).and_then(|suffix| block.find(suffix)) {
            None => Ok(None),
            Some(place) => self.first_report(&block, place).map(Some),
        }
    }

    /// The longest beginning of a number that has a block, in bytes, and where that is.
    fn prefix(&self, number: &[u8]) -> Option<(usize, u64)> {
        let fst = &self.keys;
        let mut node = fst.root();
        let mut offset = fst::raw::Output::zero();
        let mut found = None;
        for (index, byte) in number.iter().enumerate() {
            let Some(input) = node.find_input(*byte) else {
                break;
            };
            let transition = node.transition(input);
            offset = offset.cat(transition.out);
            node = fst.node(transition.addr);
            // The longest counts: a number may be the beginning of others.
            if node.is_final() {
                found = Some((index + 1, offset.cat(node.final_output()).value()));
            }
        }
        found
    }

    fn first_report(&self, block: &Block<'_>, place: usize) -> Result<Found, Damage> {
        let record = block.record(place, self.records.bits());
        record
            .and_then(|(record, index)| self.records.read(record, index))
            .ok_or(changed("reports"))
    }

    /// The report behind one that has more.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are damaged.
    pub(super) fn behind(&self, found: &Found) -> Result<Found, Damage> {
        self.records.behind(found).ok_or(changed("reports"))
    }

    /// The report at a place among those of numbers that have several.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are damaged.
    pub(super) fn chained(&self, place: usize) -> Result<Found, Damage> {
        self.records.chained(place).ok_or(changed("reports"))
    }

    /// The owner's reference of a report, empty if it has none; `None` if the bytes are damaged.
    pub(super) fn reference(&self, index: usize) -> Option<&str> {
        self.references
            .as_ref()
            .map_or(Some(""), |references| references.get(index))
    }

    /// Bytes of the records in the blocks.
    pub(super) fn records_len(&self) -> u64 {
        u64::from(self.entry.records) * u64::from(self.records.bits()) / 8
    }

    /// Brings the shard into memory.
    pub(super) fn warm(&self) -> std::io::Result<()> {
        self.keys.as_inner().warm()?;
        self.blocks.warm()?;
        self.records.warm()?;
        self.references.as_ref().map_or(Ok(()), References::warm)
    }

    /// Calls `each` with every number and its first report, in order.
    ///
    /// # Errors
    /// What `each` says, or [`Damage`] when the bytes are damaged.
    pub(super) fn each(
        &self,
        mut each: impl FnMut(DocumentNumber, Found) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        use fst::Streamer;
        let mut prefixes = self.prefixes();
        while let Some((prefix, offset)) = prefixes.next() {
            self.each_of_block(prefix, offset.value(), &mut each)?;
        }
        Ok(())
    }

    /// What numbers begin with, in order, and where the block of those is.
    pub(super) fn prefixes(&self) -> fst::raw::Stream<'_> {
        self.keys.stream()
    }

    /// [`each`](Self::each) of one block.
    pub(super) fn each_of_block(
        &self,
        prefix: &[u8],
        offset: u64,
        mut each: impl FnMut(DocumentNumber, Found) -> Result<(), Damage>,
    ) -> Result<(), Damage> {
        let block = self.blocks.get(offset).ok_or(changed("blocks"))?;
        let read = block.each(prefix, |number, place| {
            each(number, self.first_report(&block, place)?)
        });
        read.ok_or(changed("blocks"))?
    }
}
