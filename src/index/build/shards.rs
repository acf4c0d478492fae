//! Sorted documents to the sections of one shard.

use super::super::bits::{Packer, encode_bits};
use super::super::error::BuildError;
use super::super::shard::{Packing, REFERENCE_BLOCK, SHARD_DOCUMENTS, ShardEntry};
use super::super::tables::{
    COUNT_ALL, COUNT_OWN_SOURCE, COUNT_OWNED, COUNT_SOURCE, COUNT_STATUS, CountEntry, Profile,
};
use super::pieces::Piece;
use super::record::{PackedRow, Record, Reference};
use crate::report::{Day, ReportStatus};

/// The sections of a shard.
pub(super) struct BuiltShard {
    pub entry: ShardEntry,
    pub keys: Vec<u8>,
    pub runs: Vec<u8>,
    pub reports: Vec<u8>,
    /// Empty when no report has one.
    pub references: Vec<u8>,
    pub tallies: Vec<PairTallies>,
}

/// Documents and the newest day on which one was reported.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    documents: u64,
    newest: Option<Day>,
}

impl Tally {
    fn add(&mut self, newest: Option<Day>) {
        self.documents += 1;
        self.newest = self.newest.max(newest);
    }

    fn merge(&mut self, other: &Self) {
        self.documents += other.documents;
        self.newest = self.newest.max(other.newest);
    }
}

/// Documents of one pair, counted.
#[derive(Debug, Clone, Default)]
pub(super) struct PairTallies {
    all: Tally,
    owned: Tally,
    /// In the order of [`ReportStatus::ALL`].
    status: [Tally; ReportStatus::ALL.len()],
    /// A handful: the sources that report documents of one State and type.
    sources: Vec<SourceTallies>,
}

#[derive(Debug, Clone, Copy)]
struct SourceTallies {
    source: u32,
    all: Tally,
    own: Tally,
}

impl PairTallies {
    fn source(&mut self, source: u32) -> &mut SourceTallies {
        let index = self
            .sources
            .iter()
            .position(|known| known.source == source)
            .unwrap_or_else(|| {
                self.sources.push(SourceTallies {
                    source,
                    all: Tally::default(),
                    own: Tally::default(),
                });
                self.sources.len() - 1
            });
        &mut self.sources[index]
    }

    /// Counts a document by its reports: profile and day of the report.
    fn count<'p>(&mut self, reports: impl Iterator<Item = (&'p Profile, Option<Day>)> + Clone) {
        // Each status, source and owner counts a document once, with the newest of its reports.
        let newest = |wanted: &dyn Fn(&Profile) -> bool| {
            reports
                .clone()
                .filter(|(profile, _)| wanted(profile))
                .map(|(_, day)| day)
                .max()
        };
        if let Some(day) = newest(&|_| true) {
            self.all.add(day);
        }
        if let Some(day) = newest(&|profile| !profile.third_party) {
            self.owned.add(day);
        }
        for (status, tally) in ReportStatus::ALL.into_iter().zip(&mut self.status) {
            if let Some(day) = newest(&|profile| profile.status == status) {
                tally.add(day);
            }
        }
        for (index, (profile, _)) in reports.clone().enumerate() {
            let source = profile.source;
            if reports
                .clone()
                .take(index)
                .any(|(earlier, _)| earlier.source == source)
            {
                continue;
            }
            let tallies = self.source(source);
            if let Some(day) = newest(&|profile| profile.source == source) {
                tallies.all.add(day);
            }
            if let Some(day) = newest(&|profile| profile.source == source && !profile.third_party) {
                tallies.own.add(day);
            }
        }
    }

    /// [`count`](Self::count) for a document with one report, as nearly all are.
    fn count_one(&mut self, profile: &Profile, day: Option<Day>) {
        self.all.add(day);
        self.status[usize::from(profile.status.code()) - 1].add(day);
        let source = self.source(profile.source);
        source.all.add(day);
        if !profile.third_party {
            source.own.add(day);
            self.owned.add(day);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.owned.merge(&other.owned);
        for (sum, tally) in self.status.iter_mut().zip(&other.status) {
            sum.merge(tally);
        }
        for tallies in &other.sources {
            let sum = self.source(tallies.source);
            sum.all.merge(&tallies.all);
            sum.own.merge(&tallies.own);
        }
    }

    /// The counts of the pair that are not zero, in order of kind and detail.
    pub(super) fn entries(self, pair: u16) -> Vec<CountEntry> {
        let status = ReportStatus::ALL
            .map(|status| u32::from(status.code()))
            .into_iter()
            .zip(self.status);
        let mut tallies = vec![(COUNT_ALL, 0, self.all), (COUNT_OWNED, 0, self.owned)];
        tallies.extend(status.map(|(status, tally)| (COUNT_STATUS, status, tally)));
        for source in self.sources {
            tallies.push((COUNT_SOURCE, source.source, source.all));
            tallies.push((COUNT_OWN_SOURCE, source.source, source.own));
        }
        tallies.sort_by_key(|(kind, detail, _)| (*kind, *detail));
        tallies
            .into_iter()
            .filter(|(.., tally)| tally.documents > 0)
            .map(|(kind, detail, tally)| CountEntry {
                pair,
                kind,
                detail,
                documents: tally.documents,
                newest_report: tally.newest,
            })
            .collect()
    }
}

/// What all shards of a build have in common.
pub(super) struct Context<'b> {
    pub pieces: &'b [Piece],
    /// Documents before each piece.
    pub documents_before: Vec<u64>,
    /// Number of each packed pair in the segment.
    pub pair_numbers: &'b [u16],
    pub pairs: usize,
    pub profiles: &'b [Profile],
}

impl<'b> Context<'b> {
    /// Builds shard `number`; `None` if the shard before took its last documents.
    pub(super) fn build(&self, number: usize) -> Result<Option<BuiltShard>, BuildError> {
        let start = number as u64 * SHARD_DOCUMENTS;
        let end = start + SHARD_DOCUMENTS;
        let first_piece = self
            .documents_before
            .partition_point(|before| *before <= start)
            .saturating_sub(1);
        let mut shard: Option<ShardWriter<'_>> = None;
        let stretch = self
            .pieces
            .iter()
            .zip(&self.documents_before)
            .skip(first_piece);
        for (piece, before) in stretch {
            let loaded = piece.load()?;
            // A piece begins with a new number.
            let mut last_number = None;
            let documents = loaded.records.chunk_by(Record::same_document);
            for (rank, document) in (*before..).zip(documents) {
                let new_number = last_number != Some(document[0].number);
                last_number = Some(document[0].number);
                // A shard ends with the last document of a number.
                if rank >= end && new_number {
                    return shard.map(ShardWriter::finish).transpose();
                }
                if shard.is_none() && rank >= start && new_number {
                    shard = Some(ShardWriter::new(self, &document[0]));
                }
                if let Some(shard) = &mut shard {
                    shard.document(document, &loaded.texts)?;
                }
            }
        }
        shard.map(ShardWriter::finish).transpose()
    }
}

struct ShardWriter<'c> {
    context: &'c Context<'c>,
    entry: ShardEntry,
    keys: fst::raw::Builder<Vec<u8>>,
    /// For each document: does it have a run of its own?
    starts: Vec<bool>,
    /// For each stored report: does it begin a run?
    heads: Vec<bool>,
    reports: Vec<(PackedRow, Reference)>,
    texts: Vec<u8>,
    /// Where the reports of the last run begin.
    last_run: usize,
    tallies: Vec<PairTallies>,
}

impl<'c> ShardWriter<'c> {
    fn new(context: &'c Context<'c>, first: &Record) -> Self {
        Self {
            context,
            entry: ShardEntry {
                first: first.number_bytes(),
                documents: 0,
                runs: 0,
                reports: 0,
            },
            keys: fst::raw::Builder::memory(),
            starts: Vec::with_capacity(SHARD_DOCUMENTS as usize),
            heads: Vec::with_capacity(SHARD_DOCUMENTS as usize),
            reports: Vec::with_capacity(SHARD_DOCUMENTS as usize),
            texts: Vec::new(),
            last_run: 0,
            tallies: vec![PairTallies::default(); context.pairs],
        }
    }

    /// Appends a document; `records` are all its reports, their references in `texts`.
    fn document(&mut self, records: &[Record], texts: &[u8]) -> Result<(), BuildError> {
        let pair = self.context.pair_numbers[records[0].pair() as usize];
        let mut key = [0; 26];
        let number = records[0].number_bytes();
        let len = number
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(number.len());
        key[..len].copy_from_slice(&number[..len]);
        key[len..len + 2].copy_from_slice(&pair.to_be_bytes());
        let rank = self.starts.len() as u64;
        // Keys come in order, into memory: neither of its errors can occur.
        self.keys
            .insert(&key[..len + 2], rank)
            .map_err(|_| BuildError::Worker)?;

        let shares = self.reports.len() - self.last_run == records.len()
            && self.reports[self.last_run..].iter().zip(records).all(
                |((report, reference), record)| {
                    *report == record.report()
                        && reference.of(&self.texts) == record.reference.of(texts)
                },
            );
        self.starts.push(!shares);
        if !shares {
            self.last_run = self.reports.len();
            for record in records {
                self.heads.push(self.reports.len() == self.last_run);
                let text = record.reference.of(texts);
                let reference = Reference::new(self.texts.len(), text.len());
                self.texts.extend_from_slice(text);
                self.reports.push((record.report(), reference));
            }
        }
        self.count(usize::from(pair), records);
        Ok(())
    }

    fn count(&mut self, pair: usize, records: &[Record]) {
        let reports = records.iter().map(|record| {
            let report = record.report();
            (
                &self.context.profiles[report.profile() as usize],
                report.days()[1],
            )
        });
        match records {
            [_] => reports.for_each(|(profile, day)| self.tallies[pair].count_one(profile, day)),
            _ => self.tallies[pair].count(reports),
        }
    }

    fn finish(mut self) -> Result<BuiltShard, BuildError> {
        self.entry.documents = self.starts.len() as u32;
        self.entry.runs = self.starts.iter().filter(|start| **start).count() as u32;
        self.entry.reports = self.reports.len() as u32;
        let keys = self.keys.into_inner().map_err(|_| BuildError::Worker)?;
        let mut runs = Vec::new();
        encode_bits(&self.starts, &mut runs);
        encode_bits(&self.heads, &mut runs);
        let (reports, references) = (
            pack(&self.reports),
            encode_references(&self.reports, &self.texts)?,
        );
        Ok(BuiltShard {
            entry: self.entry,
            keys,
            runs,
            reports,
            references,
            tallies: self.tallies,
        })
    }
}

/// The reports section.
fn pack(reports: &[(PackedRow, Reference)]) -> Vec<u8> {
    let mut profile_max = 0;
    let mut bounds: [Option<(i32, i32)>; 3] = [None; 3];
    for (report, _) in reports {
        profile_max = profile_max.max(report.profile());
        for (bounds, day) in bounds.iter_mut().zip(report.days()) {
            if let Some(day) = day.map(Day::number) {
                let (min, max) = bounds.unwrap_or((day, day));
                *bounds = Some((min.min(day), max.max(day)));
            }
        }
    }
    let packing = Packing::fit(profile_max, bounds);
    let mut packer = Packer::default();
    for (report, _) in reports {
        packer.push(
            packing.pack(report.profile(), report.days()),
            packing.bits(),
        );
    }
    let mut section = packing.encode(reports.len() as u32);
    section.extend_from_slice(&packer.finish());
    section
}

/// The references section; empty when there are none.
fn encode_references(
    reports: &[(PackedRow, Reference)],
    texts: &[u8],
) -> Result<Vec<u8>, BuildError> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    let present: Vec<bool> = reports
        .iter()
        .map(|(_, reference)| !reference.is_empty())
        .collect();
    let (mut blocks, mut encoded) = (Vec::new(), Vec::new());
    for (rank, (_, reference)) in reports
        .iter()
        .filter(|(_, reference)| !reference.is_empty())
        .enumerate()
    {
        if rank % REFERENCE_BLOCK == 0 {
            let limit = u64::from(u32::MAX);
            let offset = u32::try_from(encoded.len()).map_err(|_| BuildError::TooMany {
                what: "bytes of references in a shard",
                limit,
            })?;
            blocks.push(offset);
        }
        let text = reference.of(texts);
        encoded.push(text.len() as u8);
        encoded.extend_from_slice(text);
    }
    let mut section = Vec::new();
    encode_bits(&present, &mut section);
    section.extend_from_slice(&(blocks.len() as u32).to_le_bytes());
    for block in blocks {
        section.extend_from_slice(&block.to_le_bytes());
    }
    section.extend_from_slice(&encoded);
    Ok(section)
}
