//! Rows to a segment.
//!
//! ```text
//! rows -> Inserter (a buffer a thread) -> runs, sorted by number, in memory or scratch files
//!      -> pieces of neighbouring numbers, sorted and merged -> shards -> filter -> tables
//! ```
//! Each step works on all cores and is a function of the set of rows alone: neither the order of
//! rows nor threads nor memory shows in the segment.

mod blocks;
mod filters;
mod numbering;
mod ordered;
mod pieces;
mod profiles;
mod record;
mod row;
mod runs;
mod scratch;
mod shards;
mod tallies;
mod texts;
mod writer;

pub use row::{Row, Standing, Withdrawal};

use super::error::BuildError;
use super::format::{Frame, SectionKind};
use super::references::REFERENCE_MAX;
use super::shard::SHARD_NUMBERS;
use super::tables::{self, CountEntry, Edition, Kind};
use crate::document::NumberRange;
use crate::report::{Authority, Day};
use numbering::{Pairs, Tables};
use ordered::ordered;
use profiles::{ProfileCache, ProfileKey, Profiles};
use record::{Record, Span, pack_pair};
use runs::{Buffer, Runs};
use scratch::OpenScratchFiles;
use shards::{BuiltShard, Context};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tallies::PairTallies;
use writer::SegmentWriter;

/// Most records of a thread's buffer: larger runs sort no faster.
const BUFFER_RECORDS_MAX: u64 = 1 << 20;
/// What part of the memory the buffers of all threads together may take: a sixteenth.
const BUFFERS_SHARE: u64 = 16;
/// Fewest, however little memory there is.
const BUFFER_RECORDS_MIN: u64 = 1 << 10;

/// How a segment is built.
#[derive(Debug, Clone)]
pub struct BuildOptions {
    /// Bytes of rows to hold in memory at the most; more go to scratch files. About 250 MiB
    /// come on top, whatever the number of rows.
    pub memory: u64,
    /// Threads that sort and build, at least one.
    pub threads: usize,
    /// An existing folder for scratch files, which the caller removes afterwards.
    pub scratch: PathBuf,
}

/// Rows that were equal to another row of their source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MergedRows {
    /// Reports that stand.
    pub reports: u64,
    /// Withdrawals.
    pub withdrawals: u64,
    /// Rows of either kind that were inserted as overruled.
    pub overruled: u64,
}

/// What was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildSummary {
    /// Distinct documents, also those of which nothing that is said stands.
    pub documents: u64,
    /// Distinct documents that are reported.
    pub reported: u64,
    /// Rows that were equal to another row of their source, by source; sources without are absent.
    pub merged: BTreeMap<String, MergedRows>,
    /// Distinct documents with a report of a source, by source.
    pub documents_by_source: BTreeMap<String, u64>,
    /// Length of the file in bytes.
    pub file_len: u64,
    /// The segment's digest, as [`Segment::digest`](super::Segment::digest) tells it.
    pub digest: blake3::Hash,
}

/// What a build does at the moment, for those who wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BuildStep {
    /// Sorting and merging rows.
    Sort,
    /// Writing keys and reports.
    Shards,
    /// Building the filter.
    Filter,
    /// Making the file durable.
    Sync,
}

/// Gathers rows and builds a segment of them.
///
/// Rows come through [`Inserter`]s, one for each thread that has some, in any order.
/// Heap use is bounded by [`BuildOptions::memory`]; time is linear in the number of documents,
/// but for the sort.
#[derive(Debug)]
pub struct SegmentBuilder {
    options: BuildOptions,
    profiles: Profiles,
    runs: Runs,
}

/// One thread's way into a [`SegmentBuilder`].
#[derive(Debug)]
pub struct Inserter<'b> {
    builder: &'b SegmentBuilder,
    cache: ProfileCache,
    buffer: Buffer,
    buffer_bytes: u64,
}

impl SegmentBuilder {
    /// A builder without rows.
    pub fn new(options: BuildOptions) -> Self {
        // Runs and pieces exist side by side while pieces are made of runs.
        let open = OpenScratchFiles::within_limit();
        let runs = Runs::new(&options.scratch, options.memory * 9 / 20, open);
        Self {
            options,
            profiles: Profiles::default(),
            runs,
        }
    }

    /// A way in for one thread.
    pub fn inserter(&self) -> Inserter<'_> {
        let share = self.options.memory / (BUFFERS_SHARE * self.options.threads.max(1) as u64);
        let records = (share / Record::LEN as u64).clamp(BUFFER_RECORDS_MIN, BUFFER_RECORDS_MAX);
        Inserter {
            builder: self,
            cache: ProfileCache::default(),
            buffer: Buffer::with_capacity(records as usize),
            buffer_bytes: records * Record::LEN as u64,
        }
    }

    /// Builds the segment of all rows at `path`, which the caller then moves to its name, and
    /// makes it durable. `authorities` is the directory; codes that it lacks get an entry
    /// without name and contact. `progress` is told of each step with the share done.
    ///
    /// # Errors
    /// [`BuildError`]; the file may then be there, incomplete.
    pub fn finish(
        self,
        path: &Path,
        authorities: &[Authority<'_>],
        mut progress: impl FnMut(BuildStep, f64),
    ) -> Result<BuildSummary, BuildError> {
        let threads = self.options.threads.max(1);
        let (profiles, places) = self.profiles.finish();
        let (pieces, merged) = pieces::all(self.runs, &places, &self.options, |share| {
            progress(BuildStep::Sort, share)
        })?;
        let tables = Tables::new(&profiles, authorities);
        let pairs = Pairs::of(&pieces.packed_pairs)?;

        let mut writer = SegmentWriter::create(path)?;
        let context = Context {
            numbers_before: pieces
                .all
                .iter()
                .scan(0, |sum, piece| {
                    Some(std::mem::replace(sum, *sum + piece.numbers))
                })
                .collect(),
            pieces: &pieces.all,
            pair_numbers: &pairs.numbers,
            pairs: pairs.list.len(),
            profiles: &tables.profiles,
        };
        let documents: u64 = pieces.all.iter().map(|piece| piece.documents).sum();
        let numbers: u64 = pieces.all.iter().map(|piece| piece.numbers).sum();
        let mut directory = Vec::new();
        let mut tallies = vec![PairTallies::default(); pairs.list.len()];
        let mut reports = 0u64;
        let shards = numbers.div_ceil(SHARD_NUMBERS) as u32;
        let build = |number| Ok(Hashed::of(context.build(number)?));
        ordered(
            shards as usize,
            threads,
            build,
            |number, Hashed { shard, digests }| {
                shard.entry.encode(&mut directory);
                let sections = [
                    (SectionKind::Keys, &shard.keys.automaton),
                    (SectionKind::Blocks, &shard.keys.blocks),
                    (SectionKind::Reports, &shard.reports),
                    (SectionKind::References, &shard.references),
                ];
                for ((kind, bytes), digest) in sections.into_iter().zip(digests) {
                    if kind != SectionKind::References || !bytes.is_empty() {
                        writer.section(kind, number as u32, bytes, digest)?;
                    }
                }
                for (sum, tally) in tallies.iter_mut().zip(&shard.tallies) {
                    sum.merge(tally);
                }
                reports += u64::from(shard.entry.reports);
                progress(BuildStep::Shards, (number + 1) as f64 / f64::from(shards));
                Ok(())
            },
        )?;

        let memory = self.options.memory / 4;
        filters::write(&mut writer, &pieces.all, memory, threads, |share| {
            progress(BuildStep::Filter, share)
        })?;
        writer.table(SectionKind::Shards, &directory)?;
        writer.table(SectionKind::Pairs, &tables::encode_pairs(&pairs.list))?;
        writer.table(
            SectionKind::Profiles,
            &tables::encode_profiles(&tables.profiles),
        )?;
        writer.table(
            SectionKind::Authorities,
            &tables::encode_authorities(&tables.authorities),
        )?;
        writer.table(
            SectionKind::Strings,
            &tables::encode_strings(tables.strings.iter().copied()),
        )?;
        let counts = tallies
            .into_iter()
            .enumerate()
            .flat_map(|(pair, tallies)| tallies.entries(pair as u16));
        let counts: Vec<CountEntry> = counts.collect();
        writer.table(SectionKind::Counts, &tables::encode_counts(&counts))?;

        progress(BuildStep::Sync, 0.0);
        let (digest, file_len) = writer.finish(Frame {
            documents,
            numbers,
            reports,
            shards,
            sections: Vec::new(),
        })?;
        progress(BuildStep::Sync, 1.0);
        let mut summary = BuildSummary {
            documents,
            reported: counts
                .iter()
                .filter(|count| count.kind == tables::COUNT_ALL)
                .map(|count| count.documents)
                .sum(),
            merged: BTreeMap::new(),
            documents_by_source: BTreeMap::new(),
            file_len,
            digest,
        };
        for count in counts
            .iter()
            .filter(|count| count.kind == tables::COUNT_SOURCE)
        {
            let source = tables.strings[count.detail as usize].to_owned();
            *summary.documents_by_source.entry(source).or_default() += count.documents;
        }
        for (profile, rows) in merged {
            let profile = &profiles[profile as usize];
            let merged = summary.merged.entry(profile.source.to_string());
            let merged = merged.or_default();
            *match (profile.overruled, profile.kind) {
                (true, _) => &mut merged.overruled,
                (false, Kind::Report(_)) => &mut merged.reports,
                (false, _) => &mut merged.withdrawals,
            } += rows;
        }
        Ok(summary)
    }
}

impl Inserter<'_> {
    /// Takes a row of a list.
    ///
    /// # Errors
    /// [`BuildError`]; the build can't be finished after one, except after
    /// [`BuildError::ReferenceTooLong`], which leaves the row out.
    pub fn insert(&mut self, row: &Row<'_>) -> Result<(), BuildError> {
        self.insert_as(row, Standing::default())
    }

    /// Takes a row with its standing.
    ///
    /// # Errors
    /// As of [`insert`](Self::insert).
    pub fn insert_as(&mut self, row: &Row<'_>, standing: Standing) -> Result<(), BuildError> {
        if row.owner_reference.len() > REFERENCE_MAX {
            return Err(BuildError::ReferenceTooLong {
                limit: REFERENCE_MAX,
                got: row.owner_reference.len(),
            });
        }
        let key = ProfileKey {
            source: row.source,
            kind: Kind::Report(row.status),
            third_party: row.third_party,
            overruled: standing.overruled,
            edition: standing.edition,
            source_status: row.source_status,
            authority: row.authority,
            restriction: row.restriction,
        };
        let pair = pack_pair(row.issuing_state, row.document_type);
        let days = [row.date_of_loss, row.date_reported, row.review_date];
        self.push(row.numbers, pair, &key, days, row.owner_reference)
    }

    /// Takes a withdrawal with its edition.
    ///
    /// # Errors
    /// [`BuildError`]; the build can't be finished after one.
    pub fn withdraw(
        &mut self,
        withdrawal: &Withdrawal<'_>,
        edition: Option<Edition>,
    ) -> Result<(), BuildError> {
        self.put_kind(Kind::Withdrawal, withdrawal, edition)
    }

    /// Takes an `unwithdraw` with its edition: what it takes back is named as a withdrawal is.
    ///
    /// # Errors
    /// As of [`withdraw`](Self::withdraw).
    pub fn unwithdraw(
        &mut self,
        withdrawal: &Withdrawal<'_>,
        edition: Option<Edition>,
    ) -> Result<(), BuildError> {
        self.put_kind(Kind::Unwithdrawal, withdrawal, edition)
    }

    /// Takes a report that has expired, with its edition: of its content, only what is left of a withdrawal is kept.
    ///
    /// # Errors
    /// As of [`withdraw`](Self::withdraw).
    pub fn insert_expired(
        &mut self,
        report: &Withdrawal<'_>,
        edition: Option<Edition>,
    ) -> Result<(), BuildError> {
        self.put_kind(Kind::Expired, report, edition)
    }

    fn put_kind(
        &mut self,
        kind: Kind,
        withdrawal: &Withdrawal<'_>,
        edition: Option<Edition>,
    ) -> Result<(), BuildError> {
        let key = ProfileKey {
            source: withdrawal.source,
            kind,
            third_party: withdrawal.third_party,
            overruled: false,
            edition,
            source_status: withdrawal.reason,
            authority: "",
            restriction: "",
        };
        let pair = pack_pair(withdrawal.issuing_state, withdrawal.document_type);
        self.push(withdrawal.numbers, pair, &key, [None; 3], "")
    }

    fn push(
        &mut self,
        numbers: NumberRange,
        pair: u32,
        profile: &ProfileKey<'_>,
        days: [Option<Day>; 3],
        owner_reference: &str,
    ) -> Result<(), BuildError> {
        let profile = self.cache.number(&self.builder.profiles, profile)?;
        let mut span = Span::Row(numbers.documents());
        for number in numbers {
            self.buffer.push(
                Record::new(&number, pair, profile, days, span),
                owner_reference,
            );
            span = Span::Inside;
            if self.buffer.bytes() >= self.buffer_bytes {
                self.builder.runs.add(&mut self.buffer)?;
            }
        }
        Ok(())
    }

    /// Hands over what is left. An inserter dropped without this loses rows.
    ///
    /// # Errors
    /// [`BuildError`] when a scratch file can't be written.
    pub fn finish(mut self) -> Result<(), BuildError> {
        self.builder.runs.add(&mut self.buffer)
    }
}

/// A shard with the digests of its sections, computed by the thread that built it.
struct Hashed {
    shard: BuiltShard,
    digests: [blake3::Hash; 4],
}

impl Hashed {
    fn of(shard: BuiltShard) -> Self {
        let sections = [
            &shard.keys.automaton,
            &shard.keys.blocks,
            &shard.reports,
            &shard.references,
        ];
        let digests = sections.map(|section| blake3::hash(section));
        Self { shard, digests }
    }
}
