//! A segment opened for reading.

use super::bytes::{Bytes, LoadMode};
use super::documents::{Document, Documents};
use super::error::{Damage, OpenError};
use super::filter::{Filter, hash};
use super::format::{ENTRY_LEN, Frame, Section, SectionKind};
use super::shard::{Shard, ShardEntry, ShardSections};
use super::tables::{self, AuthorityEntry, Count, Profile};
use super::union::UnionFilter;
use super::verify::{read_frame, verify_sections};
use super::walk::Walk;
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::files::File;
use crate::report::Authority;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One immutable file of reported documents, verified and ready to be asked.
#[derive(Debug)]
pub struct Segment {
    frame: Frame,
    digest: blake3::Hash,
    /// All of it.
    bytes: Bytes,
    /// The file that it was opened from.
    path: Box<Path>,
    filter: Option<Filter>,
    shards: Vec<Shard>,
    /// The padded number that each shard begins with: side by side, so that the search for a
    /// number's shard stays within a few cache lines.
    firsts: Vec<[u8; DocumentNumber::MAX_LEN]>,
    pairs: Vec<(IssuingState, DocumentType)>,
    profiles: Vec<Profile>,
    authorities: Vec<AuthorityEntry>,
    strings: Vec<Arc<str>>,
    counts: Vec<Count>,
    /// Its file was found to be another one than that which was verified. Boxed: with a cell in it, a segment would be
    /// read anew for each number that is asked about.
    suspect: Box<AtomicBool>,
}

/// Bytes of a segment that stand for one kind of section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SectionSize {
    /// The kind.
    pub kind: SectionKind,
    /// Sum of the lengths of its sections, in bytes.
    pub bytes: u64,
}

impl Segment {
    /// Opens a segment and verifies all of it: every byte is held against a digest, and every
    /// length, offset and count that a query relies on is checked.
    ///
    /// Verifying reads a file that is to be mapped with `pread`, so that it does not make it resident; of one that is
    /// read into memory, what was read is verified.
    /// Nothing is warmed: see [`warm_filter`](Self::warm_filter) and [`warm`](Self::warm).
    ///
    /// # Errors
    /// Whatever is wrong with the file, with its path.
    pub fn open(path: &Path, mode: LoadMode) -> Result<Self, OpenError> {
        Self::open_inner(path, mode).map_err(|damage| OpenError {
            path: path.to_owned(),
            damage,
        })
    }

    fn open_inner(path: &Path, mode: LoadMode) -> Result<Self, Damage> {
        let file = File::open_regular(path)?;
        // Of both, the frame is looked at first: what is no segment is not read whole.
        let (frame, digest, file_len) = read_frame(&file)?;
        let (frame, digest, bytes) = match mode {
            LoadMode::Mmap => {
                verify_sections(&file, &frame)?;
                let witnesses = frame.witnesses();
                let bytes = Bytes::map(file, file_len, witnesses)?;
                (frame, digest, bytes)
            }
            LoadMode::Heap => {
                let bytes = Bytes::read(&file, file_len)?;
                // Of what was read, not of the file, which may be another by now.
                let (frame, digest, _) = read_frame(bytes.as_ref())?;
                verify_sections(bytes.as_ref(), &frame)?;
                (frame, digest, bytes)
            }
        };
        let segment = Self::assemble(frame, digest, &bytes, path)?;
        // The tables were read from the mapping.
        segment.intact()?;
        Ok(segment)
    }

    /// Builds the readers over bytes whose digests match.
    fn assemble(
        frame: Frame,
        digest: blake3::Hash,
        bytes: &Bytes,
        path: &Path,
    ) -> Result<Self, Damage> {
        let slice = |section: &Section| bytes.slice(section.offset, section.len);
        let one = |kind: SectionKind, shard: u32| match frame.find(kind, shard) {
            Some(section) => slice(section),
            None => Err(Damage::Malformed {
                section: kind.name(),
                what: "it is missing",
            }),
        };
        let strings = tables::parse_strings(one(SectionKind::Strings, 0)?.as_ref())?;
        let pairs = tables::parse_pairs(one(SectionKind::Pairs, 0)?.as_ref())?;
        let authorities =
            tables::parse_authorities(one(SectionKind::Authorities, 0)?.as_ref(), strings.len())?;
        let profiles = tables::parse_profiles(
            one(SectionKind::Profiles, 0)?.as_ref(),
            strings.len(),
            authorities.len(),
        )?;
        let counts = tables::parse_counts(one(SectionKind::Counts, 0)?.as_ref(), &pairs, &strings)?;
        let filter = match frame.find(SectionKind::Filter, 0) {
            None => None,
            Some(section) => Some(Filter::parse(frame.numbers, slice(section)?)?),
        };
        let entries = ShardEntry::parse_all(one(SectionKind::Shards, 0)?.as_ref(), frame.shards)?;
        let mut shards = Vec::with_capacity(entries.len());
        // The sections of a shard stand together in the table: a walk, where searching the
        // table for each would take the square of their number.
        let mut sections = frame.sections.iter().peekable();
        for (number, entry) in entries.into_iter().enumerate() {
            let mut next = |kind: SectionKind| {
                let section = sections
                    .next_if(|section| section.kind == kind && section.shard as usize == number);
                section.map(slice).transpose()
            };
            let missing = |kind: SectionKind| Damage::Malformed {
                section: kind.name(),
                what: "it is missing",
            };
            let sections = ShardSections {
                keys: next(SectionKind::Keys)?.ok_or(missing(SectionKind::Keys))?,
                blocks: next(SectionKind::Blocks)?.ok_or(missing(SectionKind::Blocks))?,
                reports: next(SectionKind::Reports)?.ok_or(missing(SectionKind::Reports))?,
                references: next(SectionKind::References)?,
            };
            shards.push(Shard::open(entry, sections)?);
        }
        let sum = |count: fn(&ShardEntry) -> u32| {
            shards
                .iter()
                .map(|shard| u64::from(count(&shard.entry)))
                .sum::<u64>()
        };
        if sum(|entry| entry.numbers) != frame.numbers
            || sum(|entry| entry.documents) != frame.documents
            || sum(|entry| entry.reports) != frame.reports
        {
            return Err(Damage::Malformed {
                section: "shards",
                what: "their counts are not those of the header",
            });
        }
        Ok(Self {
            frame,
            digest,
            bytes: bytes.clone(),
            path: path.into(),
            filter,
            firsts: shards.iter().map(|shard| shard.entry.first).collect(),
            shards,
            pairs,
            profiles,
            authorities,
            strings,
            counts,
            suspect: Box::new(AtomicBool::new(false)),
        })
    }

    /// BLAKE3 of header and section table, which hold the digests of everything else: the
    /// digest of the segment that manifests name.
    pub fn digest(&self) -> blake3::Hash {
        self.digest
    }

    /// Length of the file in bytes.
    pub fn file_len(&self) -> u64 {
        self.frame.table_offset() + (self.frame.sections.len() * ENTRY_LEN) as u64
    }

    /// Distinct documents, also those of which nothing that is said stands.
    pub fn documents(&self) -> u64 {
        self.frame.documents
    }

    /// Distinct document numbers.
    pub fn numbers(&self) -> u64 {
        self.frame.numbers
    }

    /// Stored reports: documents in a row that have equal reports share them.
    pub fn reports(&self) -> u64 {
        self.frame.reports
    }

    /// Notes that its file is no longer what was verified: who opens it next is not to share this one.
    pub fn suspect(&self) {
        self.suspect.store(true, Ordering::Relaxed);
    }

    /// Whether its file was found to be no longer what was verified.
    pub fn is_suspect(&self) -> bool {
        self.suspect.load(Ordering::Relaxed) || self.intact().is_err()
    }

    /// Whether what was read from it before this call was what was verified. All that is read here asks by itself before
    /// it returns; only texts that are handed out ([`Report::owner_reference`](crate::report::Report)) are read later:
    /// who uses them asks after that.
    ///
    /// # Errors
    /// [`Damage::ChangedWhileMapped`] once its file was truncated, replaced in place or could not be read, and then for
    /// ever. Bytes that are changed in the middle of the file do not show here, but in [`reread`](Self::reread).
    #[inline]
    pub fn intact(&self) -> Result<(), Damage> {
        match self.bytes.are_intact() {
            true => Ok(()),
            false => Err(self.changed_while_mapped()),
        }
    }

    #[cold]
    fn changed_while_mapped(&self) -> Damage {
        Damage::ChangedWhileMapped {
            file: self.path.to_path_buf(),
        }
    }

    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(super) fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Documents by issuing State, type, source and status.
    pub fn counts(&self) -> &[Count] {
        &self.counts
    }

    /// Whether it holds nothing but reports of lists: no withdrawals, nothing that is overruled or dated.
    pub fn holds_lists_only(&self) -> bool {
        let mut profiles = self.profiles.iter();
        profiles.all(Profile::is_of_list)
    }

    /// How the file's bytes divide into sections; kinds that the segment lacks are left out.
    pub fn section_sizes(&self) -> Vec<SectionSize> {
        SectionKind::ALL
            .into_iter()
            .map(|kind| {
                let sections = self
                    .frame
                    .sections
                    .iter()
                    .filter(|section| section.kind == kind);
                SectionSize {
                    kind,
                    bytes: sections.map(|section| section.len).sum(),
                }
            })
            .filter(|size| size.bytes > 0)
            .collect()
    }

    /// Bytes that find a number: the automata with the directory of shards, what stands of the numbers
    /// in the blocks, the filter. Everything else says what is reported.
    pub fn keys_and_filter_len(&self) -> u64 {
        let finding = [
            SectionKind::Keys,
            SectionKind::Blocks,
            SectionKind::Shards,
            SectionKind::Filter,
        ];
        let sections = self.frame.sections.iter();
        let sections = sections.filter(|section| finding.contains(&section.kind));
        let records: u64 = self.shards.iter().map(Shard::records_len).sum();
        let len: u64 = sections.map(|section| section.len).sum();
        len.saturating_sub(records)
    }

    /// Brings the filter into memory of its own, which is faster to probe than mapped pages.
    ///
    /// # Errors
    /// What the system says, or [`Damage::Digest`] when the file is no longer the one verified.
    pub fn warm_filter(&mut self) -> Result<(), Damage> {
        match (&mut self.filter, self.frame.find(SectionKind::Filter, 0)) {
            (Some(filter), Some(section)) => filter.warm(&section.digest),
            _ => Ok(()),
        }
    }

    /// Brings everything into memory.
    ///
    /// # Errors
    /// As of [`warm_filter`](Self::warm_filter).
    pub fn warm(&mut self) -> Result<(), Damage> {
        self.warm_filter()?;
        self.shards.iter().try_for_each(Shard::warm)?;
        self.intact()
    }

    /// Whether the number may be reported: `false` is certain, `true` is wrong for about one
    /// unreported number in 400. Allocates nothing.
    #[inline(always)]
    pub fn may_contain(&self, number: &DocumentNumber) -> bool {
        // A segment without a filter answers through the automaton alone.
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.contains(number) || filter.is_in_doubt())
    }

    /// Says that [`may_contain`](Self::may_contain) will be asked about this number soon: what it
    /// then looks at is on its way meanwhile.
    #[inline]
    pub fn fetch(&self, number: &DocumentNumber) {
        if let Some(filter) = &self.filter {
            filter.fetch(number);
        }
    }

    /// [`may_contain`](Self::may_contain) for many numbers: appends the positions of those that
    /// may be reported, in order. Their cache misses overlap.
    pub fn may_contain_each(&self, numbers: &[DocumentNumber], positions: &mut Vec<u32>) {
        match &self.filter {
            Some(filter) => filter.contains_each(numbers, |_| false, positions),
            None => positions.extend(0..numbers.len() as u32),
        }
    }

    /// Whether the number may be reported by this segment or by those of `others`.
    #[inline(always)]
    pub fn may_contain_with(&self, others: &UnionFilter, number: &DocumentNumber) -> bool {
        let hash = hash(number);
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.holds(hash) || others.holds(hash) || filter.is_in_doubt())
    }

    /// [`may_contain_with`](Self::may_contain_with) for many numbers, as
    /// [`may_contain_each`](Self::may_contain_each).
    pub fn may_contain_each_with(
        &self,
        others: &UnionFilter,
        numbers: &[DocumentNumber],
        positions: &mut Vec<u32>,
    ) {
        match &self.filter {
            Some(filter) => filter.contains_each(numbers, |hash| others.holds(hash), positions),
            None => positions.extend(0..numbers.len() as u32),
        }
    }

    /// The reported documents with this number. Does not ask the filter; allocates nothing.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn find(&self, number: &DocumentNumber) -> Result<Documents<'_>, Damage> {
        let shard = self
            .firsts
            .partition_point(|first| first <= number.padded());
        let Some(shard) = shard
            .checked_sub(1)
            .and_then(|shard| self.shards.get(shard))
        else {
            return Ok(Documents::new(self, None));
        };
        let first = shard.find(number.as_bytes())?;
        self.intact()?;
        Ok(Documents::new(self, first.map(|first| (shard, first))))
    }

    /// Calls `visit` with every document and its number, in order of number, issuing State and type.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn for_each<'s>(
        &'s self,
        mut visit: impl FnMut(DocumentNumber, Document<'s>),
    ) -> Result<(), Damage> {
        (0..self.shards.len()).try_for_each(|part| self.for_each_of(part, &mut visit))
    }

    /// Parts that can be walked side by side.
    pub fn parts(&self) -> usize {
        self.shards.len()
    }

    /// [`for_each`](Self::for_each) of one of the [`parts`](Self::parts), counted from 0; a part that is not there
    /// has no documents.
    ///
    /// # Errors
    /// As of [`for_each`](Self::for_each).
    pub fn for_each_of<'s>(
        &'s self,
        part: usize,
        mut visit: impl FnMut(DocumentNumber, Document<'s>),
    ) -> Result<(), Damage> {
        let Some(shard) = self.shards.get(part) else {
            return Ok(());
        };
        shard.each(|number, first| {
            for document in Documents::new(self, Some((shard, first))) {
                visit(number, document?);
            }
            Ok(())
        })?;
        self.intact()
    }

    /// All numbers from one on, in order, with their documents; `None`: from the first one on.
    pub fn walk(&self, from: Option<&DocumentNumber>) -> Walk<'_> {
        let part = from.map_or(0, |from| {
            let parts = self.firsts.partition_point(|first| first <= from.padded());
            parts.saturating_sub(1)
        });
        Walk::new(self, part, from.copied())
    }

    /// The numbers that parts begin with, in order.
    pub fn part_firsts(&self) -> impl Iterator<Item = DocumentNumber> {
        let text = |first: &[u8; DocumentNumber::MAX_LEN]| {
            let len = first.iter().position(|byte| *byte == 0);
            first
                .get(..len.unwrap_or(first.len()))
                .and_then(DocumentNumber::from_normalised)
        };
        self.firsts.iter().filter_map(text)
    }

    pub(super) fn shard(&self, number: usize) -> Option<&Shard> {
        self.shards.get(number)
    }

    /// The directory of authorities, in order of their codes.
    pub fn authorities(&self) -> impl Iterator<Item = Authority<'_>> {
        (1..=self.authorities.len() as u32)
            .filter_map(|place| self.authority(place))
            .flatten()
    }

    pub(super) fn pairs(&self) -> &[(IssuingState, DocumentType)] {
        &self.pairs
    }

    pub(super) fn profile(&self, number: u32) -> Option<&Profile> {
        self.profiles.get(number as usize)
    }

    pub(super) fn text(&self, number: u32) -> Option<&str> {
        self.strings.get(number as usize).map(AsRef::as_ref)
    }

    pub(super) fn authority(&self, number: u32) -> Option<Option<Authority<'_>>> {
        let Some(index) = number.checked_sub(1) else {
            return Some(None);
        };
        let entry = self.authorities.get(index as usize)?;
        Some(Some(Authority {
            code: self.text(entry.code)?,
            name: self.text(entry.name)?,
            contact: self.text(entry.contact)?,
        }))
    }
}
