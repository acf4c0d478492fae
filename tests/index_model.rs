//! A segment against a plain sorted map: every key built is found with exactly its reports,
//! nothing else is; and the segment's bytes depend on the set of rows alone.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use proptest::prelude::*;
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{BuildOptions, LoadMode, MergedRows, Row, Segment, SegmentBuilder};
use sltd::report::{Authority, Day, Report, ReportStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A row that owns what it names, from few values so that documents collide.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct OwnedRow {
    start: String,
    documents: u32,
    state: &'static str,
    document_type: DocumentType,
    status: ReportStatus,
    days: [Option<i32>; 3],
    authority: &'static str,
    source: &'static str,
    third_party: bool,
    reference: String,
}

impl OwnedRow {
    fn numbers(&self) -> Vec<String> {
        if self.documents == 1 {
            return vec![self.start.clone()];
        }
        let digits = self.start.find(|c: char| c.is_ascii_digit()).unwrap();
        let (prefix, number) = self.start.split_at(digits);
        let first: u128 = number.parse().unwrap();
        (0..u128::from(self.documents))
            .map(|index| format!("{prefix}{:0width$}", first + index, width = number.len()))
            .collect()
    }

    fn day(&self, index: usize) -> Option<Day> {
        self.days[index].and_then(Day::from_number)
    }
}

fn number(text: &str) -> DocumentNumber {
    DocumentNumber::from_normalised(text.as_bytes()).unwrap()
}

fn state(code: &str) -> IssuingState {
    IssuingState::parse(code).unwrap()
}

fn row() -> impl Strategy<Value = OwnedRow> {
    let start = prop_oneof![
        (0u32..40).prop_map(|n| format!("{n:04}")),
        (0u32..40).prop_map(|n| format!("AB{n:05}")),
        (0u32..3).prop_map(|n| format!("{n}")),
        (0u32..9).prop_map(|n| format!("A12345678901234567890{n:03}")),
    ];
    let day = || prop_oneof![2 => Just(None), 4 => (20_000i32..20_003).prop_map(Some), 1 => Just(Some(Day::MAX.number()))];
    (
        (start, prop_oneof![5 => Just(1u32), 1 => 2u32..6]),
        prop_oneof![Just("D"), Just("FRA"), Just("USA")],
        prop_oneof![Just(DocumentType::Passport), Just(DocumentType::IdentityCard)],
        prop_oneof![Just(ReportStatus::Stolen), Just(ReportStatus::StolenBlank)],
        [day(), day(), day()],
        prop_oneof![Just(""), Just("BKA"), Just("unlisted")],
        (prop_oneof![Just("one"), Just("two")], prop::bool::weighted(0.2)),
        prop_oneof![3 => Just(String::new()), 1 => (0u32..4).prop_map(|n| "ref ".repeat(n as usize * 20) + &n.to_string())],
    )
        .prop_map(|((start, documents), state, document_type, status, days, authority, (source, third_party), reference)| {
            // The end must have the digits of the start.
            let documents = if start.len() == 1 { documents.min(3) } else { documents };
            OwnedRow { start, documents, state, document_type, status, days, authority, source, third_party, reference }
        })
}

const DIRECTORY: [Authority<'static>; 1] = [Authority {
    code: "BKA",
    name: "Bundeskriminalamt",
    contact: "+999 1",
}];

/// Builds a segment of rows that `threads` threads hand over.
fn build(
    path: &Path,
    rows: &[OwnedRow],
    threads: usize,
    memory: u64,
) -> BTreeMap<String, MergedRows> {
    let scratch = path.with_extension("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    let builder = SegmentBuilder::new(BuildOptions {
        memory,
        threads,
        scratch,
    });
    std::thread::scope(|scope| {
        for share in rows.chunks(rows.len().div_ceil(threads).max(1)) {
            let builder = &builder;
            scope.spawn(move || {
                let mut inserter = builder.inserter();
                for row in share {
                    let numbers = row.numbers();
                    let range =
                        NumberRange::new(number(&numbers[0]), number(numbers.last().unwrap()))
                            .unwrap();
                    inserter
                        .insert(&Row {
                            numbers: range,
                            issuing_state: state(row.state),
                            document_type: row.document_type,
                            status: row.status,
                            source_status: "",
                            date_of_loss: row.day(0),
                            date_reported: row.day(1),
                            review_date: row.day(2),
                            authority: row.authority,
                            restriction: "",
                            source: row.source,
                            third_party: row.third_party,
                            owner_reference: &row.reference,
                        })
                        .unwrap();
                }
                inserter.finish().unwrap();
            });
        }
    });
    builder.finish(path, &DIRECTORY, |_, _| ()).unwrap().merged
}

/// What a report says, comparable and owned.
type Said = (
    ReportStatus,
    [Option<i32>; 3],
    String,
    String,
    String,
    bool,
    String,
);

fn said(report: &Report<'_>) -> Said {
    let days = [
        report.date_of_loss,
        report.date_reported,
        report.review_date,
    ]
    .map(|day| day.map(Day::number));
    let (authority, name) = report
        .authority
        .map_or(("", ""), |authority| (authority.code, authority.name));
    let texts = [authority, name, report.source].map(str::to_owned);
    let [authority, name, source] = texts;
    (
        report.status,
        days,
        authority,
        name,
        source,
        report.third_party,
        report.owner_reference.to_owned(),
    )
}

type Key = (String, String, DocumentType);

fn model(rows: &[OwnedRow]) -> BTreeMap<Key, BTreeSet<Said>> {
    let mut model: BTreeMap<Key, BTreeSet<Said>> = BTreeMap::new();
    for row in rows {
        for number in row.numbers() {
            let name = if row.authority == "BKA" {
                "Bundeskriminalamt"
            } else {
                ""
            };
            model
                .entry((number, row.state.to_owned(), row.document_type))
                .or_default()
                .insert((
                    row.status,
                    row.days,
                    row.authority.to_owned(),
                    name.to_owned(),
                    row.source.to_owned(),
                    row.third_party,
                    row.reference.clone(),
                ));
        }
    }
    model
}

fn contents(segment: &Segment) -> BTreeMap<Key, BTreeSet<Said>> {
    let mut contents = BTreeMap::new();
    let mut take = |number: DocumentNumber, document: sltd::index::Document<'_>| {
        let mut reports = Vec::new();
        document.reports(&mut reports).unwrap();
        let distinct: BTreeSet<Said> = reports.iter().map(said).collect();
        assert_eq!(distinct.len(), reports.len(), "a report is stored twice");
        let key = (
            number.as_str().to_owned(),
            document.issuing_state.code().to_owned(),
            document.document_type,
        );
        assert!(
            contents.insert(key, distinct).is_none(),
            "a document comes twice"
        );
    };
    segment.for_each(&mut take).unwrap();
    contents
}

fn check(rows: &[OwnedRow], path: &Path) {
    let segment = Segment::open(path, LoadMode::Mmap).unwrap();
    let model = model(rows);
    assert_eq!(contents(&segment), model);
    assert_eq!(segment.documents(), model.len() as u64);
    // Asking by number gives what walking gives, and nothing for numbers that only look alike.
    let mut asked: BTreeSet<String> = model.keys().map(|(number, ..)| number.clone()).collect();
    for number in asked.clone() {
        asked.insert(format!("{number}0"));
        asked.insert(format!("0{number}"));
        asked.insert(number[..number.len() - 1].to_owned());
    }
    for text in asked
        .into_iter()
        .filter(|text| (1..=24).contains(&text.len()))
    {
        let number = number(&text);
        let expected: BTreeMap<_, _> = model.iter().filter(|((of, ..), _)| *of == text).collect();
        let documents: Vec<_> = segment
            .find(&number)
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap();
        assert_eq!(documents.len(), expected.len(), "documents with one number");
        assert!(
            expected.is_empty() || segment.may_contain(&number),
            "the filter hides a document"
        );
        for document in documents {
            let mut reports = Vec::new();
            document.reports(&mut reports).unwrap();
            let key = (
                text.clone(),
                document.issuing_state.code().to_owned(),
                document.document_type,
            );
            assert_eq!(
                reports.iter().map(said).collect::<BTreeSet<_>>(),
                *expected[&key]
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_segment_holds_exactly_its_rows(rows in prop::collection::vec(row(), 0..120), seed: u64) {
        let dir = tempfile::tempdir().unwrap();
        let first = dir.path().join("first");
        let merged = build(&first, &rows, 1, 64 << 20);
        check(&rows, &first);
        for source in ["one", "two"] {
            let of_source: Vec<_> = rows.iter().filter(|row| row.source == source).collect();
            let distinct: BTreeSet<_> = of_source.iter().collect();
            let expected = (of_source.len() - distinct.len()) as u64;
            prop_assert_eq!(merged.get(source).map_or(0, |merged| merged.reports), expected, "rows merged of {}", source);
        }
        let bytes = std::fs::read(&first).unwrap();
        let mut shuffled = rows;
        // A small generator of its own: the order must differ, not be random.
        let mut state = seed | 1;
        for index in (1..shuffled.len()).rev() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            shuffled.swap(index, (state >> 33) as usize % (index + 1));
        }
        // No memory at all: every row goes through scratch files.
        for (threads, memory) in [(2, 0), (5, 0), (2, 64 << 20)] {
            let again = dir.path().join("again");
            let merged_again = build(&again, &shuffled, threads, memory);
            prop_assert_eq!(&merged_again, &merged);
            prop_assert!(std::fs::read(&again).unwrap() == bytes, "{} threads, {} bytes", threads, memory);
        }
    }
}

#[test]
fn numbers_that_begin_others_are_found() {
    // Blocks are divided behind 1, 12 and 123, which are numbers themselves.
    let digits = |before: &'static str, len: usize| {
        (0..10u32.pow(len as u32)).map(move |n| format!("{before}{n:0len$}"))
    };
    let texts = (1..=3).flat_map(|len| digits("", len));
    let texts = texts.chain(digits("1", 3)).chain(digits("123", 3));
    let letters = (0..300).map(|n| {
        let middle = ["A", "Z9", "ZZZZZZZZZZZZZZZZZZZZ"][n % 3];
        format!("12{middle}{:02}", n / 3)
    });
    let rows: Vec<OwnedRow> = texts
        .chain(letters)
        .enumerate()
        .map(|(index, start)| OwnedRow {
            start,
            documents: 1,
            state: if index % 2 == 0 { "D" } else { "FRA" },
            document_type: DocumentType::Passport,
            status: ReportStatus::Lost,
            days: [None, Some(15_000 + (index / 50) as i32), None],
            authority: "BKA",
            source: if index % 5 == 0 { "two" } else { "one" },
            third_party: false,
            reference: String::new(),
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("segment");
    build(&path, &rows, 2, 1 << 20);
    check(&rows, &path);
}

#[test]
fn scratch_files_and_pieces_change_nothing() {
    // Enough rows for many runs, pieces and two shards.
    let rows: Vec<OwnedRow> = (0..30_000u32)
        .map(|index| OwnedRow {
            start: format!("{:07}", index.wrapping_mul(2_654_435_761) % 4_000_000),
            documents: if index % 300 == 0 { 12_000 } else { 1 },
            state: if index % 3 == 0 { "D" } else { "FRA" },
            document_type: DocumentType::Passport,
            status: ReportStatus::Lost,
            days: [None, Some(15_000 + (index % 5_000) as i32), None],
            authority: "BKA",
            source: "one",
            third_party: false,
            reference: if index % 7 == 0 {
                format!("R{index}")
            } else {
                String::new()
            },
        })
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let paths = ["memory", "files"].map(|name| dir.path().join(name));
    build(&paths[0], &rows, 2, 1 << 30);
    build(&paths[1], &rows, 3, 4 << 20);
    assert!(std::fs::read(&paths[0]).unwrap() == std::fs::read(&paths[1]).unwrap());
    let segment = Segment::open(&paths[0], LoadMode::Heap).unwrap();
    assert!(
        segment.numbers() > 1 << 20,
        "one shard does not test the border between two"
    );
    let model = model(&rows);
    assert!(contents(&segment) == model);
    for ((text, ..), _) in model.iter().step_by(17) {
        assert!(segment.may_contain(&number(text)));
        assert!(!segment.find(&number(text)).unwrap().is_empty());
    }
    // References are stored once a range: far fewer reports than documents.
    assert!(segment.reports() * 10 < segment.documents());
}
