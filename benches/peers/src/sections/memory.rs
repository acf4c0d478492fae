//! The index against what could stand for its keys and filter in memory.

use super::ask;
use super::bytes::Sizes;
use crate::Result;
use crate::given::Given;
use crate::memory::{Automaton, Bloom, DenseDigits, Known, SortedText, Strings};
use crate::report::{Figure, Findings, Spread, number};
use crate::rivals::{self, Fingerprints, SortedKey, unpadded};
use crate::turns::{Contender, in_turns};
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, Segment, SegmentBuilder};
use sltd::report::ReportStatus;
use sltd::snapshot::Warm;
use std::path::Path;

/// Rounds, in each of which ours and a peer answer all questions once.
const ROUNDS: usize = 5;
/// Absent and present numbers asked about, each.
const ASKED: usize = 500_000;
/// Memory of the segment that holds the numbers that are all digits.
const BUILD_MEMORY: u64 = 2 << 30;

/// Ours, and what it is asked.
struct Questions<'s> {
    segment: &'s Segment,
    /// Its documents.
    documents: u64,
    /// Bytes of its keys and filter.
    bytes: u64,
    absent: Vec<DocumentNumber>,
    present: Vec<DocumentNumber>,
    rounds: usize,
}

/// Measures one peer after the other, each beside ours.
///
/// # Errors
/// When ours or a peer gives a wrong answer.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let snapshot = given.snapshot(Warm::All)?;
    let segment = ask::only_segment(&snapshot)?;
    let sizes = Sizes::of(&snapshot);
    let keys = rivals::sorted_keys(segment)?;
    let absent = ask::absent(given, segment)?;
    let absent: Vec<_> = absent.iter().filter_map(|query| query.number).collect();
    let passing = absent
        .iter()
        .filter(|number| segment.may_contain(number))
        .count();
    let false_positives = passing.max(1) as f64 / absent.len().max(1) as f64;
    let questions = Questions {
        segment,
        documents: segment.documents(),
        bytes: sizes.keys + sizes.filter,
        absent: absent.iter().copied().take(ASKED).collect(),
        present: rivals::sample(&keys, ASKED),
        rounds: given.rounds(ROUNDS),
    };
    let mut figures = Vec::new();
    // Its times stand among the lookups.
    figures.push(questions.bytes("hashbrown", &Fingerprints::of(&keys)));
    figures.extend(questions.compare("sorted-array", &SortedText::of(&keys)?)?);
    figures.extend(questions.compare("string-map", &Strings::of(&keys)?)?);
    figures.extend(questions.compare("fst", &Automaton::of(&keys)?)?);
    let bloom = Bloom::of(&keys, false_positives);
    let wrong = absent
        .iter()
        .filter(|number| bloom.contains(number))
        .count();
    figures.extend(questions.compare("bloom", &bloom)?);
    figures.push(Figure::alone(
        "absent/share-that-passes-the-filter/bloom",
        "%",
        Spread::exact(wrong as f64 / absent.len() as f64 * 100.0),
    ));
    drop(bloom);
    let (note, digits) = digits(given, &keys, &questions)?;
    figures.extend(digits);
    Ok(Findings {
        notes: vec![
            format!(
                "peers know the numbers alone: no issuing State, no type, no report; {} absent and {} present numbers in random order, one at a time, one thread, {} rounds in turns, nanoseconds a number; ours proves each answer: filter, then automaton",
                questions.absent.len(), questions.present.len(), questions.rounds
            ),
            "hashbrown: `HashTable<u64>` of xxh3-64 hashes that hash to themselves; sorted-array: numbers without gaps and the offset where each ends; string-map: the standard `HashMap<String, u32>`; fst: one `fst::Set`".to_owned(),
            format!(
                "bloom: `fastbloom`, given xxh3-64 hashes and as many false positives as ours: {} %; it proves nothing, where ours goes on to the automaton",
                number(false_positives * 100.0)
            ),
            note,
        ],
        figures,
        ..Findings::default()
    })
}

impl Questions<'_> {
    fn bytes(&self, name: &str, peer: &impl Known) -> Figure {
        let each = |bytes: u64| bytes as f64 / self.documents as f64;
        Figure::less(
            &format!("bytes/keys-and-filter/{name}"),
            "B",
            &[each(self.bytes)],
            &[each(peer.bytes())],
        )
    }

    /// Bytes, and times for absent and present numbers.
    fn compare(&self, name: &str, peer: &impl Known) -> Result<[Figure; 3]> {
        eprintln!("  {name}");
        let count = |numbers: &[DocumentNumber]| {
            numbers
                .iter()
                .filter(|number| peer.contains(number))
                .count()
        };
        let ours = |numbers: &[DocumentNumber]| {
            let mut found = 0;
            for number in numbers {
                found += usize::from(ask::reported(self.segment, number)?);
            }
            Ok(found)
        };
        // Of what is no proof, so many are wrong.
        let wrong = count(&self.absent);
        let [our_absent, absent] = in_turns(
            self.rounds,
            self.absent.len(),
            [
                Contender::fallible("ours", 0, || ours(&self.absent)),
                Contender::new(name, wrong, || count(&self.absent)),
            ],
        )?;
        let listed = self.present.len();
        let [our_present, present] = in_turns(
            self.rounds,
            listed,
            [
                Contender::fallible("ours", listed, || ours(&self.present)),
                Contender::new(name, listed, || count(&self.present)),
            ],
        )?;
        Ok([
            self.bytes(name, peer),
            Figure::less(
                &format!("absent/one-at-a-time/{name}"),
                "ns",
                &our_absent,
                &absent,
            ),
            Figure::less(
                &format!("present/known/{name}"),
                "ns",
                &our_present,
                &present,
            ),
        ])
    }
}

/// Roaring bitmaps against a segment of the same numbers: those that are all digits.
fn digits(given: &Given, keys: &[SortedKey], all: &Questions<'_>) -> Result<(String, [Figure; 3])> {
    let folder = tempfile::tempdir_in(&given.scratch)?;
    let segment = build_digits(folder.path(), keys, given.threads)?;
    let of_digits = |numbers: &[DocumentNumber]| {
        let takes = |number: &&DocumentNumber| DenseDigits::takes(number.as_bytes());
        numbers.iter().filter(takes).copied().collect()
    };
    let questions = Questions {
        documents: segment.documents(),
        bytes: segment.keys_and_filter_len(),
        absent: of_digits(&all.absent),
        present: of_digits(&all.present),
        rounds: all.rounds,
        segment: &segment,
    };
    let note = format!(
        "roaring: `RoaringTreemap`, one for each length, with runs; it can hold only numbers that are all digits, {} of {}, and is held against a segment of the same; where such numbers are dense it is the smallest of all",
        segment.documents(),
        keys.len()
    );
    Ok((note, questions.compare("roaring", &DenseDigits::of(keys))?))
}

/// A segment of the numbers that are all digits.
fn build_digits(folder: &Path, keys: &[SortedKey], threads: usize) -> Result<Segment> {
    let builder = SegmentBuilder::new(BuildOptions {
        memory: BUILD_MEMORY,
        threads,
        scratch: folder.to_owned(),
    });
    let mut inserter = builder.inserter();
    let issuing_state = IssuingState::parse("UKR")?;
    for key in keys.iter().map(unpadded) {
        if !DenseDigits::takes(key) {
            continue;
        }
        let number = DocumentNumber::from_normalised(key).ok_or("a key is no number")?;
        inserter.insert(&Row {
            numbers: NumberRange::single(number),
            issuing_state,
            document_type: DocumentType::Passport,
            status: ReportStatus::Lost,
            source_status: "",
            date_of_loss: None,
            date_reported: None,
            review_date: None,
            authority: "",
            restriction: "",
            source: "bench",
            third_party: false,
            owner_reference: "",
        })?;
    }
    inserter.finish()?;
    let path = folder.join("digits.seg");
    builder.finish(&path, &[], |_, _| {})?;
    let mut segment = Segment::open(&path, sltd::index::LoadMode::Mmap)?;
    segment.warm()?;
    Ok(segment)
}
