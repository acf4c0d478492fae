//! A row as it is sorted.

use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::report::Day;
use std::cmp::Ordering;
use std::ops::Range;

/// Profiles a record can tell apart.
pub(super) const PROFILES_MAX: u32 = 1 << PROFILE_BITS;
/// Issuing States and types packed into 19 bits.
pub(super) const PACKED_PAIRS: usize = 1 << PAIR_BITS;

const PAIR_BITS: u32 = 19;
const PROFILE_BITS: u32 = 22;
const DAY_BITS: u32 = 22;
const SPAN_BITS: u32 = 20;
const SPAN_MASK: u128 = (1 << SPAN_BITS) - 1;
const DAYS_SHIFT: u32 = SPAN_BITS;
const PROFILE_SHIFT: u32 = DAYS_SHIFT + 3 * DAY_BITS;
const PAIR_SHIFT: u32 = PROFILE_SHIFT + PROFILE_BITS;

// What is packed must fit, and a day counted from the first of the calendar must fit its bits.
const _: () = assert!(PAIR_SHIFT + PAIR_BITS <= u128::BITS);
const _: () = assert!(27 * 27 * 27 * 16 <= PACKED_PAIRS);
const _: () = assert!(1 + Day::MAX.number() as i64 - (Day::MIN.number() as i64) < 1 << DAY_BITS);
const _: () = assert!(crate::document::NumberRange::MAX_DOCUMENTS <= SPAN_MASK as u32);

/// One report of one document, packed so that comparing few integers sorts it: 48 bytes, of
/// which a build of tens of millions holds as many as memory allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    /// The number's bytes, zero padded, as big-endian integers.
    pub number: [u64; 3],
    /// From the highest bit: pair, profile, days of loss, report and review, span.
    payload: [u64; 2],
    /// Where the owner's reference stands.
    pub reference: Reference,
}

/// Place of an owner's reference in the texts that go with records: offset and length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reference(u64);

impl Reference {
    pub(super) fn new(offset: usize, len: usize) -> Self {
        debug_assert!(len <= crate::index::REFERENCE_MAX);
        Self((offset as u64) << 8 | len as u64)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 & 0xff == 0
    }

    /// Where the text stands.
    pub(super) fn range(self) -> Range<usize> {
        let start = (self.0 >> 8) as usize;
        start..start + (self.0 & 0xff) as usize
    }

    /// The text.
    pub(super) fn of(self, texts: &[u8]) -> &[u8] {
        &texts[self.range()]
    }

    /// Whether both texts are the same. Nearly all are empty, which two lengths tell.
    pub(super) fn is_equal(self, texts: &[u8], other: Self, others: &[u8]) -> bool {
        match (self.is_empty(), other.is_empty()) {
            (false, false) => self.of(texts) == other.of(others),
            (mine, theirs) => mine == theirs,
        }
    }
}

/// What a row reports, but for number and owner's reference: pair, profile and days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PackedRow([u64; 2]);

impl PackedRow {
    fn payload(self) -> u128 {
        join(self.0)
    }

    /// The issuing State and type, packed.
    pub(super) fn pair(self) -> u32 {
        (self.payload() >> PAIR_SHIFT) as u32
    }

    pub(super) fn profile(self) -> u32 {
        (self.payload() >> PROFILE_SHIFT) as u32 & (PROFILES_MAX - 1)
    }

    /// Days of loss, report and review.
    pub(super) fn days(self) -> [Option<Day>; 3] {
        [2, 1, 0].map(|field| {
            let shifted = self.payload() >> (DAYS_SHIFT + field * DAY_BITS);
            let value = shifted as i32 & ((1 << DAY_BITS) - 1);
            value
                .checked_sub(1)
                .filter(|value| *value >= 0)
                .and_then(|value| Day::from_number(value + Day::MIN.number()))
        })
    }
}

/// Which row a record stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// A row of so many documents: itself, and those that follow.
    Row(u32),
    /// A document of a range whose row another record stands for.
    Inside,
}

/// The issuing State and type of a record as one integer, in the order of keys.
pub(super) fn pack_pair(issuing_state: IssuingState, document_type: DocumentType) -> u32 {
    let state = issuing_state.padded().iter().fold(0, |sum, byte| {
        // `<` pads, and sorts below the letters here as it does in ASCII.
        sum * 27
            + byte
                .checked_sub(b'A')
                .map_or(0, |letter| u32::from(letter % 26) + 1)
    });
    state << 4 | u32::from(document_type.code())
}

impl Record {
    pub(super) fn new(
        number: &DocumentNumber,
        pair: u32,
        profile: u32,
        days: [Option<Day>; 3],
        span: Span,
    ) -> Self {
        let mut payload = u128::from(pair) << PAIR_SHIFT | u128::from(profile) << PROFILE_SHIFT;
        for (index, day) in days.into_iter().enumerate() {
            let value = day.map_or(0, |day| day.number().abs_diff(Day::MIN.number()) + 1);
            payload |= u128::from(value) << (DAYS_SHIFT + (2 - index as u32) * DAY_BITS);
        }
        payload |= match span {
            Span::Row(documents) => u128::from(documents),
            Span::Inside => 0,
        };
        Self {
            number: Self::number_key(number),
            payload: split(payload),
            reference: Reference::default(),
        }
    }

    /// The sort key of a number.
    pub(super) fn number_key(number: &DocumentNumber) -> [u64; 3] {
        let mut key = [0; 3];
        for (to, bytes) in key.iter_mut().zip(number.padded().as_chunks::<8>().0) {
            *to = u64::from_be_bytes(*bytes);
        }
        key
    }

    /// The number's bytes, zero padded.
    pub(super) fn number_bytes(&self) -> [u8; 24] {
        let mut bytes = [0; 24];
        for (to, part) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.number) {
            *to = part.to_be_bytes();
        }
        bytes
    }

    fn payload(&self) -> u128 {
        join(self.payload)
    }

    pub(super) fn pair(&self) -> u32 {
        (self.payload() >> PAIR_SHIFT) as u32
    }

    /// Replaces the profile, when profiles get their final numbers.
    pub(super) fn set_profile(&mut self, profile: u32) {
        let mask = u128::from(PROFILES_MAX - 1) << PROFILE_SHIFT;
        self.payload = split(self.payload() & !mask | u128::from(profile) << PROFILE_SHIFT);
    }

    pub(super) fn span(&self) -> Span {
        match self.payload() & SPAN_MASK {
            0 => Span::Inside,
            documents => Span::Row(documents as u32),
        }
    }

    /// The report itself: what numbers in a row may share.
    pub(super) fn report(&self) -> PackedRow {
        let [high, low] = self.payload;
        PackedRow([high, low & !(SPAN_MASK as u64)])
    }

    /// Whether both are of the same document.
    pub(super) fn same_document(&self, other: &Self) -> bool {
        self.number == other.number && self.pair() == other.pair()
    }

    /// Order by number, pair, report, reference, span; both references are in `texts`.
    pub(super) fn cmp(&self, other: &Self, texts: &[u8]) -> Ordering {
        let report = |record: &Self| record.payload() & !SPAN_MASK;
        self.sort_key()
            .cmp(&other.sort_key())
            .then_with(|| report(self).cmp(&report(other)))
            .then_with(|| self.reference.of(texts).cmp(other.reference.of(texts)))
            .then_with(|| self.payload[1].cmp(&other.payload[1]))
    }

    /// Sorts as [`number`](Self::number) does: two integers are compared without a branch for each.
    pub(super) fn sort_key(&self) -> (u128, u64) {
        let [first, second, third] = self.number;
        (join([first, second]), third)
    }

    /// Bytes of a record in a temporary file.
    pub(super) const LEN: usize = 48;

    pub(super) fn to_bytes(self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let words = self
            .number
            .into_iter()
            .chain(self.payload)
            .chain([self.reference.0]);
        for (to, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut words = [0; Self::LEN / 8];
        for (to, word) in words.iter_mut().zip(bytes.as_chunks::<8>().0) {
            *to = u64::from_le_bytes(*word);
        }
        let [a, b, c, high, low, reference] = words;
        Self {
            number: [a, b, c],
            payload: [high, low],
            reference: Reference(reference),
        }
    }
}

fn join(payload: [u64; 2]) -> u128 {
    u128::from(payload[0]) << 64 | u128::from(payload[1])
}

fn split(payload: u128) -> [u64; 2] {
    [(payload >> 64) as u64, payload as u64]
}
