//! One shard: the documents of a stretch of numbers, and their reports.
//!
//! A key is a number followed by two bytes, the big-endian number of its (issuing State, type)
//! pair; the automaton maps it to the document's rank in the shard. Two bit vectors lead from
//! the rank to the run of its reports: `starts` has a one for each document whose run is not
//! that of the document before it (so the documents of a range share one stored report), `heads`
//! a one for each report that begins a run.

use super::bits::{BitVector, packed_len, unpack, width};
use super::bytes::Bytes;
use super::error::Damage;
use super::fields::Fields;
use crate::report::Day;
use std::ops::Range;

/// Documents of a shard; a shard ends with the last document of the number it reaches this at.
pub(super) const SHARD_DOCUMENTS: u64 = 1 << 20;
/// Bytes of a shard in the directory.
pub(super) const ENTRY_LEN: usize = 40;
/// References between two offsets of the reference section.
pub(super) const REFERENCE_BLOCK: usize = 16;
/// Longest owner's reference kept, in bytes.
pub const REFERENCE_MAX: usize = 255;

/// How the reports of a shard are packed: for each field the smallest value and the bits above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Packing {
    pub profile_bits: u8,
    /// Loss, report, review: 0 stands for "none", else the value is the day above `day_min`, plus one.
    pub day_bits: [u8; 3],
    pub day_min: [i32; 3],
}

/// Bytes of the packing before the packed reports.
const PACKING_LEN: usize = 24;

impl Packing {
    /// The packing that fits profiles up to `profile_max` and days within `days`
    /// (smallest, largest), if any.
    pub(super) fn fit(profile_max: u32, days: [Option<(i32, i32)>; 3]) -> Self {
        let mut packing = Self {
            profile_bits: width(u64::from(profile_max)) as u8,
            ..Self::default()
        };
        for (index, days) in days.into_iter().enumerate() {
            if let Some((min, max)) = days {
                packing.day_min[index] = min;
                packing.day_bits[index] = width(u64::from(max.abs_diff(min)) + 1) as u8;
            }
        }
        packing
    }

    /// Bits of one report.
    pub(super) fn bits(&self) -> u32 {
        u32::from(self.profile_bits)
            + self
                .day_bits
                .iter()
                .map(|bits| u32::from(*bits))
                .sum::<u32>()
    }

    /// One report as bits.
    pub(super) fn pack(&self, profile: u32, days: [Option<Day>; 3]) -> u128 {
        let mut record = u128::from(profile);
        let mut shift = u32::from(self.profile_bits);
        for (index, day) in days.into_iter().enumerate() {
            let value = day.map_or(0, |day| {
                i64::from(day.number()) - i64::from(self.day_min[index]) + 1
            });
            record |= (value as u128) << shift;
            shift += u32::from(self.day_bits[index]);
        }
        record
    }

    fn unpack(&self, record: u128) -> Option<PackedReport> {
        let mut shift = u32::from(self.profile_bits);
        let profile = (record & ((1 << shift) - 1)) as u32;
        let mut days = [None; 3];
        for (index, day) in days.iter_mut().enumerate() {
            let bits = u32::from(self.day_bits[index]);
            let value = ((record >> shift) & ((1 << bits) - 1)) as i64;
            shift += bits;
            if value > 0 {
                let number = i32::try_from(i64::from(self.day_min[index]) + value - 1).ok()?;
                *day = Some(Day::from_number(number)?);
            }
        }
        Some(PackedReport { profile, days })
    }

    /// The head of a reports section.
    pub(super) fn encode(&self, reports: u32) -> Vec<u8> {
        let mut out = reports.to_le_bytes().to_vec();
        out.push(self.profile_bits);
        out.extend_from_slice(&self.day_bits);
        for min in self.day_min {
            out.extend_from_slice(&min.to_le_bytes());
        }
        out.extend_from_slice(&[0; 4]);
        out
    }

    fn parse(fields: &mut Fields<'_>) -> Result<(u32, Self), Damage> {
        let reports = fields.u32()?;
        let packing = Self {
            profile_bits: fields.u8()?,
            day_bits: fields.array()?,
            day_min: [fields.i32()?, fields.i32()?, fields.i32()?],
        };
        if packing.profile_bits > 32
            || packing.day_bits.iter().any(|bits| *bits > 24)
            || fields.u32()? != 0
        {
            return Err(fields.malformed("its fields are wider than they can be"));
        }
        Ok((reports, packing))
    }
}

/// One report as stored: the number of its profile, and its days (loss, report, review).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedReport {
    pub profile: u32,
    pub days: [Option<Day>; 3],
}

/// Owners' references of a shard.
#[derive(Debug)]
struct References {
    bytes: Bytes,
    /// One for each report that has a reference.
    present: BitVector,
    /// Offset of the block offsets in the section.
    blocks: usize,
    /// Offset of the texts, each behind one byte of length.
    texts: usize,
}

impl References {
    /// Parses `present:vector blocks:u32 offset:u32*blocks (len:u8 text)*`.
    fn parse(bytes: Bytes, reports: usize) -> Result<Self, Damage> {
        let section = bytes.as_ref();
        let mut fields = Fields::new(section, "references");
        let present = BitVector::parse(&mut fields, section)?;
        let count = fields.count(4)?;
        if present.len() != reports || count != present.ones().div_ceil(REFERENCE_BLOCK) {
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

    fn get(&self, report: usize) -> Option<&str> {
        let section = self.bytes.as_ref();
        if !self.present.get(section, report)? {
            return Some("");
        }
        let rank = self.present.rank(section, report)?;
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
}

/// What the directory says of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShardEntry {
    /// The first number, padded with zero bytes.
    pub first: [u8; 24],
    pub documents: u32,
    pub runs: u32,
    pub reports: u32,
}

impl ShardEntry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first);
        for count in [self.documents, self.runs, self.reports, 0] {
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
                documents: fields.u32()?,
                runs: fields.u32()?,
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
    runs: Bytes,
    starts: BitVector,
    heads: BitVector,
    reports: Bytes,
    packing: Packing,
    references: Option<References>,
}

/// The sections of a shard, of bytes that match their digests.
pub(super) struct ShardSections {
    pub keys: Bytes,
    pub runs: Bytes,
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
        if keys.len() != entry.documents as usize {
            return Err(malformed(
                "keys",
                "it does not hold the documents of the directory",
            ));
        }
        let mut fields = Fields::new(sections.runs.as_ref(), "runs");
        let starts = BitVector::parse(&mut fields, sections.runs.as_ref())?;
        let heads = BitVector::parse(&mut fields, sections.runs.as_ref())?;
        fields.end()?;
        let counts = (starts.len(), starts.ones(), heads.ones(), heads.len());
        let expected =
            [entry.documents, entry.runs, entry.runs, entry.reports].map(|count| count as usize);
        if counts != expected.into() {
            return Err(malformed(
                "runs",
                "it does not hold the counts of the directory",
            ));
        }
        let mut fields = Fields::new(sections.reports.as_ref(), "reports");
        let (count, packing) = Packing::parse(&mut fields)?;
        if count != entry.reports
            || fields.rest().len() as u64 != packed_len(u64::from(count), packing.bits())
        {
            return Err(malformed(
                "reports",
                "it does not hold the reports of the directory",
            ));
        }
        let references = match sections.references {
            Some(bytes) => Some(References::parse(bytes, count as usize)?),
            None => None,
        };
        Ok(Self {
            entry,
            keys,
            runs: sections.runs,
            starts,
            heads,
            reports: sections.reports,
            packing,
            references,
        })
    }

    /// Calls `visit` with pair and rank of each document that has the number, in order of the pairs.
    pub(super) fn find(&self, number: &[u8], mut visit: impl FnMut(u16, usize)) {
        let fst = &self.keys;
        let mut node = fst.root();
        let mut rank = fst::raw::Output::zero();
        for byte in number {
            let Some(index) = node.find_input(*byte) else {
                return;
            };
            let transition = node.transition(index);
            rank = rank.cat(transition.out);
            node = fst.node(transition.addr);
        }
        for high in node
            .transitions()
            .take_while(|transition| transition.inp < b'0')
        {
            let pair_node = fst.node(high.addr);
            for low in pair_node.transitions() {
                let end = fst.node(low.addr);
                if end.is_final() {
                    let rank = rank.cat(high.out).cat(low.out).cat(end.final_output());
                    visit(
                        u16::from_be_bytes([high.inp, low.inp]),
                        rank.value() as usize,
                    );
                }
            }
        }
    }

    /// The reports of a document; `None` if the shard's bytes are damaged.
    pub(super) fn run(&self, rank: usize) -> Option<Range<usize>> {
        let section = self.runs.as_ref();
        let run = self
            .starts
            .rank(section, rank.checked_add(1)?)?
            .checked_sub(1)?;
        let start = self.heads.select(section, run)?;
        Some(start..self.heads.next(section, start + 1)?)
    }

    /// One report; `None` if the shard's bytes are damaged.
    pub(super) fn report(&self, index: usize) -> Option<PackedReport> {
        let packed = self.reports.as_ref().get(PACKING_LEN..)?;
        self.packing
            .unpack(unpack(packed, index, self.packing.bits())?)
    }

    /// The owner's reference of a report, empty if it has none; `None` if the bytes are damaged.
    pub(super) fn reference(&self, index: usize) -> Option<&str> {
        self.references
            .as_ref()
            .map_or(Some(""), |references| references.get(index))
    }

    /// Brings the shard into memory.
    pub(super) fn warm(&self) -> std::io::Result<()> {
        self.keys.as_inner().warm()?;
        self.runs.warm()?;
        self.reports.warm()?;
        self.references
            .as_ref()
            .map_or(Ok(()), |references| references.bytes.warm())
    }

    /// Every key with its rank, in order.
    pub(super) fn stream(&self) -> fst::raw::Stream<'_> {
        self.keys.stream()
    }
}
