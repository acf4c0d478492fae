//! Sorted documents to the sections of one shard.

use super::super::bits::{Packer, encode_bits};
use super::super::error::BuildError;
use super::super::packing::{Extent, PackedReport, Packing};
use super::super::references::REFERENCE_BLOCK;
use super::super::shard::{SHARD_NUMBERS, ShardEntry};
use super::super::tables::Profile;
use super::blocks::{self, Keys, Numbered};
use super::pieces::Piece;
use super::record::{PackedRow, Record, Reference};
use super::tallies::PairTallies;
use crate::report::Day;

/// The sections of a shard.
pub(super) struct BuiltShard {
    pub entry: ShardEntry,
    pub keys: Keys,
    pub reports: Vec<u8>,
    /// Empty when no report has one.
    pub references: Vec<u8>,
    pub tallies: Vec<PairTallies>,
}

/// What all shards of a build have in common.
pub(super) struct Context<'b> {
    pub pieces: &'b [Piece],
    /// Numbers before each piece.
    pub numbers_before: Vec<u64>,
    /// Number of each packed pair in the segment.
    pub pair_numbers: &'b [u16],
    pub pairs: usize,
    pub profiles: &'b [Profile],
}

impl Context<'_> {
    /// Builds one shard, of which there is one for each [`SHARD_NUMBERS`] numbers.
    pub(super) fn build(&self, shard: usize) -> Result<BuiltShard, BuildError> {
        let start = shard as u64 * SHARD_NUMBERS;
        let end = start + SHARD_NUMBERS;
        let first_piece = self
            .numbers_before
            .partition_point(|before| *before <= start)
            .saturating_sub(1);
        let mut writer = ShardWriter::new(self);
        let stretch = self.pieces.iter().zip(&self.numbers_before);
        for (piece, before) in stretch.skip(first_piece) {
            if *before >= end {
                break;
            }
            let loaded = piece.load()?;
            // A piece begins with a new number.
            let numbers = loaded.records.chunk_by(|a, b| a.number == b.number);
            let (skipped, taken) = (start.saturating_sub(*before), end - before.max(&start));
            for records in numbers.skip(skipped as usize).take(taken as usize) {
                writer.number(records, &loaded.texts);
            }
        }
        writer.finish()
    }
}

/// A report with its owner's reference.
#[derive(Clone, Copy)]
struct Stored {
    report: PackedRow,
    reference: Reference,
}

/// What a number's reports are, shared by all numbers in a row that have the same.
enum Run {
    One(Stored),
    /// Several, from this place of the chained ones on.
    Several(usize),
}

struct ShardWriter<'c> {
    context: &'c Context<'c>,
    documents: u64,
    numbers: Vec<Numbered>,
    runs: Vec<Run>,
    /// Reports of runs that have several, and whether another follows.
    chained: Vec<(Stored, bool)>,
    texts: Vec<u8>,
    extent: Extent,
    tallies: Vec<PairTallies>,
}

impl<'c> ShardWriter<'c> {
    fn new(context: &'c Context<'c>) -> Self {
        Self {
            context,
            documents: 0,
            numbers: Vec::with_capacity(SHARD_NUMBERS as usize),
            runs: Vec::with_capacity(SHARD_NUMBERS as usize),
            chained: Vec::new(),
            texts: Vec::new(),
            extent: Extent::default(),
            tallies: vec![PairTallies::default(); context.pairs],
        }
    }

    /// Appends a number; `records` are all reports of all its documents, their references in `texts`.
    fn number(&mut self, records: &[Record], texts: &[u8]) {
        if !self.last_run_is(records, texts) {
            let run = match records {
                [record] => Run::One(self.store(record, texts)),
                _ => {
                    let first = self.chained.len();
                    for (index, record) in records.iter().enumerate() {
                        let stored = self.store(record, texts);
                        self.chained.push((stored, index + 1 < records.len()));
                    }
                    Run::Several(first)
                }
            };
            self.runs.push(run);
        }
        self.numbers.push(Numbered {
            number: records[0].number_bytes(),
            run: self.runs.len() as u32 - 1,
        });
        records
            .chunk_by(Record::same_document)
            .for_each(|document| self.count(document));
    }

    /// Whether the number before has the same reports of the same States and types.
    fn last_run_is(&self, records: &[Record], texts: &[u8]) -> bool {
        let same = |stored: &Stored, record: &Record| {
            stored.report == record.report()
                && stored
                    .reference
                    .is_equal(&self.texts, record.reference, texts)
        };
        match self.runs.last() {
            None => false,
            Some(Run::One(stored)) => records.len() == 1 && same(stored, &records[0]),
            Some(Run::Several(first)) => {
                let chained = &self.chained[*first..];
                let mut pairs = chained.iter().zip(records);
                chained.len() == records.len()
                    && pairs.all(|((stored, _), record)| same(stored, record))
            }
        }
    }

    fn store(&mut self, record: &Record, texts: &[u8]) -> Stored {
        let report = record.report();
        let Extent {
            pair_max,
            profile_max,
            days,
            ..
        } = &mut self.extent;
        *pair_max = (*pair_max).max(self.context.pair_numbers[report.pair() as usize]);
        *profile_max = (*profile_max).max(report.profile());
        for (bounds, day) in days.iter_mut().zip(report.days()) {
            if let Some(day) = day.map(Day::number) {
                let (min, max) = bounds.unwrap_or((day, day));
                *bounds = Some((min.min(day), max.max(day)));
            }
        }
        let text = record.reference.of(texts);
        let reference = Reference::new(self.texts.len(), text.len());
        self.texts.extend_from_slice(text);
        Stored { report, reference }
    }

    /// Counts a document.
    fn count(&mut self, records: &[Record]) {
        self.documents += 1;
        let pair = self.context.pair_numbers[records[0].report().pair() as usize];
        let tallies = &mut self.tallies[usize::from(pair)];
        let reports = records.iter().map(|record| {
            let report = record.report();
            (
                &self.context.profiles[report.profile() as usize],
                report.days()[1],
            )
        });
        match records {
            [_] => reports.for_each(|(profile, day)| tallies.count_one(profile, day)),
            _ => tallies.count(reports),
        }
    }

    fn finish(mut self) -> Result<BuiltShard, BuildError> {
        let count = |count: u64, what, limit: u32| match u32::try_from(count) {
            Ok(count) if count <= limit => Ok(count),
            _ => Err(BuildError::TooMany {
                what,
                limit: limit.into(),
            }),
        };
        let documents = count(self.documents, "documents in a shard", u32::MAX)?;
        // Those in the blocks come on top, where records are counted.
        let limit = u32::MAX - SHARD_NUMBERS as u32;
        let chained = count(self.chained.len() as u64, "reports in a shard", limit)?;
        self.extent.chained = chained;
        let packing = Packing::fit(&self.extent);
        let keys = blocks::encode(&self.numbers, packing.bits(), |run| {
            match &self.runs[run as usize] {
                Run::One(stored) => self.pack(&packing, stored, false),
                Run::Several(first) => Packing::pack_place(*first as u32),
            }
        })?;
        let mut packer = Packer::new(packing.encode(chained));
        for (stored, more) in &self.chained {
            packer.push(self.pack(&packing, stored, *more), packing.bits());
        }
        let single = |run: &&u32| matches!(self.runs[**run as usize], Run::One(_));
        let single = keys.records.iter().filter(single).count();
        Ok(BuiltShard {
            entry: ShardEntry {
                first: self.numbers.first().map_or([0; 24], |first| first.number),
                numbers: self.numbers.len() as u32,
                documents,
                records: keys.records.len() as u32,
                chained,
                reports: (single + self.chained.len()) as u32,
            },
            reports: packer.finish(),
            references: self.encode_references(&keys.records)?,
            keys,
            tallies: self.tallies,
        })
    }

    fn pack(&self, packing: &Packing, stored: &Stored, more: bool) -> u128 {
        let report = PackedReport {
            pair: self.context.pair_numbers[stored.report.pair() as usize],
            profile: stored.report.profile(),
            days: stored.report.days(),
        };
        packing.pack(&report, more)
    }

    /// The references section, of the runs in the blocks and of the chained reports; empty when
    /// there are none.
    fn encode_references(&self, runs: &[u32]) -> Result<Vec<u8>, BuildError> {
        if self.texts.is_empty() {
            return Ok(Vec::new());
        }
        let runs = runs.iter().map(|run| match &self.runs[*run as usize] {
            Run::One(stored) => stored.reference,
            Run::Several(_) => Reference::default(),
        });
        let chained = self.chained.iter().map(|(stored, _)| stored.reference);
        let references: Vec<Reference> = runs.chain(chained).collect();
        let (mut blocks, mut encoded) = (Vec::new(), Vec::new());
        let held = references.iter().filter(|reference| !reference.is_empty());
        for (rank, reference) in held.enumerate() {
            if rank % REFERENCE_BLOCK == 0 {
                let limit = u64::from(u32::MAX);
                let offset = u32::try_from(encoded.len()).map_err(|_| BuildError::TooMany {
                    what: "bytes of references in a shard",
                    limit,
                })?;
                blocks.push(offset);
            }
            let text = reference.of(&self.texts);
            encoded.push(text.len() as u8);
            encoded.extend_from_slice(text);
        }
        let present: Vec<bool> = references
            .iter()
            .map(|reference| !reference.is_empty())
            .collect();
        let mut section = Vec::new();
        encode_bits(&present, &mut section);
        section.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
        for block in blocks {
            section.extend_from_slice(&block.to_le_bytes());
        }
        section.extend_from_slice(&encoded);
        Ok(section)
    }
}
