//! Reports packed into records of one width a shard.
//!
//! A record is, from its lowest bit: `more`, pair, profile, and the days of loss, report and review.
//! The record that stands in a [block](super::blocks) is all that is reported of a number, or, where
//! `more` is set, the place of the first of several reports among the chained ones; there `more` says
//! that the next record belongs to the same number. So what nearly every number has, one report, is
//! found without a detour.

use super::bits::{packed_len, unpack, width};
use super::bytes::Bytes;
use super::error::Damage;
use super::fields::Fields;
use crate::report::Day;

/// How the reports of a shard are packed: for each field the smallest value and the bits above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Packing {
    pair_bits: u8,
    profile_bits: u8,
    /// Loss, report, review: 0 stands for "none", else the value is the day above `day_min`, plus one.
    day_bits: [u8; 3],
    day_min: [i32; 3],
}

/// What the records of a shard reach from and to.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extent {
    pub pair_max: u16,
    pub profile_max: u32,
    /// Smallest and largest day of loss, report, review; `None` where no report has one.
    pub days: [Option<(i32, i32)>; 3],
    /// Records chained.
    pub chained: u32,
}

/// One report as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedReport {
    /// Place of the issuing State and type in their table.
    pub pair: u16,
    pub profile: u32,
    /// Loss, report, review.
    pub days: [Option<Day>; 3],
}

impl Packing {
    /// The packing that fits everything within an extent.
    pub(super) fn fit(extent: &Extent) -> Self {
        let mut packing = Self {
            pair_bits: width(u64::from(extent.pair_max)) as u8,
            profile_bits: width(u64::from(extent.profile_max)) as u8,
            ..Self::default()
        };
        for (index, days) in extent.days.into_iter().enumerate() {
            if let Some((min, max)) = days {
                packing.day_min[index] = min;
                packing.day_bits[index] = width(u64::from(max.abs_diff(min)) + 1) as u8;
            }
        }
        // A record must have room for the place of a chained one, too.
        let missing = (1 + width(u64::from(extent.chained))).saturating_sub(packing.bits());
        packing.profile_bits += missing as u8;
        packing
    }

    /// Bits of one record.
    pub(super) fn bits(&self) -> u32 {
        let fields = [self.pair_bits, self.profile_bits];
        let fields = fields.into_iter().chain(self.day_bits);
        1 + fields.map(u32::from).sum::<u32>()
    }

    /// A report as a record.
    pub(super) fn pack(&self, report: &PackedReport, more: bool) -> u128 {
        let mut record = u128::from(more) | u128::from(report.pair) << 1;
        let mut shift = 1 + u32::from(self.pair_bits);
        record |= u128::from(report.profile) << shift;
        shift += u32::from(self.profile_bits);
        for ((day, bits), min) in report.days.iter().zip(self.day_bits).zip(self.day_min) {
            let value = day.map_or(0, |day| i64::from(day.number()) - i64::from(min) + 1);
            record |= (value as u128) << shift;
            shift += u32::from(bits);
        }
        record
    }

    /// The record of a number whose reports begin at a place among the chained ones.
    pub(super) fn pack_place(place: u32) -> u128 {
        u128::from(place) << 1 | 1
    }

    fn unpack(&self, record: u128) -> Option<PackedReport> {
        let mut rest = record >> 1;
        let mut field = |bits: u8| {
            let value = rest as u64 & ((1 << bits) - 1);
            rest >>= bits;
            value
        };
        let pair = field(self.pair_bits) as u16;
        let profile = field(self.profile_bits) as u32;
        let mut days = [None; 3];
        for ((day, bits), min) in days.iter_mut().zip(self.day_bits).zip(self.day_min) {
            let value = field(bits) as i32;
            if value > 0 {
                *day = Some(Day::from_number(min.checked_add(value - 1)?)?);
            }
        }
        Some(PackedReport {
            pair,
            profile,
            days,
        })
    }

    /// The head of a reports section.
    pub(super) fn encode(&self, records: u32) -> Vec<u8> {
        let mut out = records.to_le_bytes().to_vec();
        out.extend_from_slice(&[self.pair_bits, self.profile_bits]);
        out.extend_from_slice(&self.day_bits);
        out.extend_from_slice(&[0; 3]);
        for min in self.day_min {
            out.extend_from_slice(&min.to_le_bytes());
        }
        out
    }

    fn parse(fields: &mut Fields<'_>) -> Result<(u32, Self), Damage> {
        let records = fields.u32()?;
        let [pair_bits, profile_bits] = fields.array()?;
        let day_bits: [u8; 3] = fields.array()?;
        let reserved: [u8; 3] = fields.array()?;
        let packing = Self {
            pair_bits,
            profile_bits,
            day_bits,
            day_min: [fields.i32()?, fields.i32()?, fields.i32()?],
        };
        if pair_bits > 16
            || profile_bits > 32
            || day_bits.iter().any(|bits| *bits > 23)
            || reserved != [0; 3]
        {
            return Err(fields.malformed("its fields are wider than they can be"));
        }
        Ok((records, packing))
    }
}

/// Bytes of the packing before the records.
const PACKING_LEN: usize = 24;

/// How records are read, and the chained ones.
#[derive(Debug)]
pub(super) struct Records {
    bytes: Bytes,
    packing: Packing,
    /// Records in the blocks, which come before the chained ones where records are counted.
    in_blocks: usize,
}

/// A report, where its record stands among all of the shard, and whether the next record belongs to
/// the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub index: usize,
    pub report: PackedReport,
    pub more: bool,
}

impl Records {
    /// Reads a section of so many records behind those in the blocks.
    pub(super) fn parse(bytes: Bytes, in_blocks: u32, chained: u32) -> Result<Self, Damage> {
        let mut fields = Fields::new(bytes.as_ref(), "reports");
        let (count, packing) = Packing::parse(&mut fields)?;
        if count != chained
            || fields.rest().len() as u64 != packed_len(u64::from(count), packing.bits())
        {
            return Err(fields.malformed("it does not hold the records of the directory"));
        }
        Ok(Self {
            bytes,
            packing,
            in_blocks: in_blocks as usize,
        })
    }

    /// Bits of one record.
    #[inline]
    pub(super) fn bits(&self) -> u32 {
        self.packing.bits()
    }

    /// The report in a block's record, or the first of those it leads to; `None` if the bytes are
    /// damaged. `index` is the record's own among all.
    #[inline]
    pub(super) fn read(&self, record: u128, index: usize) -> Option<Found> {
        if record & 1 == 0 {
            return Some(Found {
                index,
                report: self.packing.unpack(record)?,
                more: false,
            });
        }
        self.chained(usize::try_from(record >> 1).ok()?)
    }

    /// The report behind one that has more; `None` if the bytes are damaged.
    pub(super) fn behind(&self, found: &Found) -> Option<Found> {
        self.chained((found.index + 1).checked_sub(self.in_blocks)?)
    }

    /// The report at a place among the chained ones; `None` if the bytes are damaged.
    pub(super) fn chained(&self, place: usize) -> Option<Found> {
        let packed = self.bytes.as_ref().get(PACKING_LEN..)?;
        let record = unpack(packed, place, self.bits())?;
        Some(Found {
            index: self.in_blocks + place,
            report: self.packing.unpack(record)?,
            more: record & 1 == 1,
        })
    }

    /// Brings the records into memory.
    pub(super) fn warm(&self) -> std::io::Result<()> {
        self.bytes.warm()
    }
}
