//! Questions in process: the index against a hash table of fingerprints and a sorted array, in one run and in turns.

use super::ask;
use super::bytes::Sizes;
use crate::given::Given;
use crate::report::{Figure, Findings, Spread, number};
use crate::rivals::{self, Fingerprints};
use crate::turns::{Contender, in_turns};
use crate::{Result, questions};
use sltd::document::{DocumentNumber, Issuer};
use sltd::index::{Damage, Segment};
use sltd::report::{Query, Verdict};
use sltd::snapshot::{Moment, Snapshot, Warm};
use std::hint::black_box;

/// Rounds, in each of which every contender answers all questions once.
const ROUNDS: usize = 9;
/// Reported numbers asked about: with the keys they lead to, far more than a cache holds.
const PRESENT: usize = 1_000_000;

/// Measures absent and present documents.
///
/// # Errors
/// When a contender gives a wrong answer.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let snapshot = given.snapshot(Warm::All)?;
    let [segment] = snapshot.segments() else {
        return Err("expected a store with one segment".into());
    };
    let keys = rivals::sorted_keys(segment)?;
    let table = Fingerprints::of(&keys);
    let mut asked = questions::read(&given.queries)?;
    asked.retain(|query| {
        query
            .number
            .is_some_and(|number| keys.binary_search(number.padded()).is_err())
    });
    let absent: Vec<DocumentNumber> = asked.iter().filter_map(|query| query.number).collect();
    let present = rivals::sample(&keys, PRESENT);
    let filter = Sizes::of(&snapshot).filter as f64;
    let rounds = given.rounds(ROUNDS);
    let passed = absent
        .iter()
        .filter(|number| segment.may_contain(number))
        .count();
    let [one, chunks, filter_only, check, table_one, table_chunks] = in_turns(
        rounds,
        absent.len(),
        [
            Contender::new("one at a time", 0, || {
                count(&absent, |number| reported(segment, number))
            }),
            Contender::new("in chunks", 0, || reported_of(&snapshot, &absent)),
            Contender::new("filter only", passed, || {
                count(&absent, |number| segment.may_contain(number))
            }),
            Contender::new("whole check", 0, || {
                count(&asked, |query| {
                    verdict(&snapshot, query) != Some(Verdict::NoRecord)
                })
            }),
            Contender::new("hashbrown", 0, || {
                count(&absent, |number| table.contains(number))
            }),
            Contender::new("hashbrown in chunks", 0, || table.count(&absent)),
        ],
    )?;
    let mut figures = vec![
        Figure::less("absent/one-at-a-time/hashbrown", "ns", &one, &table_one),
        Figure::less("absent/in-chunks/hashbrown", "ns", &chunks, &table_chunks),
        Figure::less(
            "absent/filter-only/hashbrown",
            "ns",
            &filter_only,
            &table_one,
        ),
        Figure::less(
            "absent/verdict-coverage-format/hashbrown",
            "ns",
            &check,
            &table_one,
        ),
        Figure::less(
            "absent/memory-asked/hashbrown",
            "MB",
            &[filter / 1e6],
            &[table.bytes() as f64 / 1e6],
        ),
        Figure::alone(
            "absent/share-that-passes-the-filter",
            "%",
            Spread::exact(passed as f64 / absent.len() as f64 * 100.0),
        ),
    ];

    let questions: Vec<Query> = present
        .iter()
        .map(|number| question(segment, number))
        .collect::<Result<_>>()?;
    let [found, check, search] = in_turns(
        rounds,
        present.len(),
        [
            Contender::new("with reports", present.len(), || {
                count(&present, |number| has_reports(segment, number))
            }),
            Contender::new("whole check", present.len(), || {
                count(&questions, |query| {
                    verdict(&snapshot, query) == Some(Verdict::Hit)
                })
            }),
            Contender::new("binary search", present.len(), || {
                count(&present, |number| {
                    keys.binary_search(number.padded()).is_ok()
                })
            }),
        ],
    )?;
    figures.push(Figure::less(
        "present/with-reports/binary-search",
        "ns",
        &found,
        &search,
    ));
    figures.push(Figure::less(
        "present/verdict-coverage-format/binary-search",
        "ns",
        &check,
        &search,
    ));

    Ok(Findings {
        notes: vec![
            format!(
                "one thread; {} absent and {} present numbers in random order, {} distinct numbers listed; {rounds} rounds in turns; nanoseconds a number, hashing included",
                absent.len(), present.len(), keys.len()
            ),
            format!(
                "`hashbrown`: `HashTable<u64>` of xxh3-64 hashes that hash to themselves, {} MB; `binary search`: sorted 24-byte keys, {} MB; both know a number or not, nothing else",
                number(table.bytes() as f64 / 1e6), number(size_of_val(keys.as_slice()) as f64 / 1e6)
            ),
            "absent is answered by the filter and, where that lets a number pass, by the automaton: the answer is a proof; every contender's answers are asserted in every round".to_owned(),
        ],
        figures,
        ..Findings::default()
    })
}

/// How many of them are so.
fn count<T>(all: &[T], is_so: impl Fn(&T) -> bool) -> usize {
    all.iter().filter(|one| is_so(one)).count()
}

/// Whether a number is reported, for certain.
#[inline(always)]
fn reported(segment: &Segment, number: &DocumentNumber) -> bool {
    ask::reported(segment, number).unwrap_or(false)
}

/// How many of the numbers are reported, for certain.
fn reported_of(snapshot: &Snapshot, numbers: &[DocumentNumber]) -> usize {
    let mut positions = Vec::new();
    let mut count = 0;
    // As many as a service takes together.
    for numbers in numbers.chunks(1024) {
        snapshot.may_contain_each(numbers, &mut positions);
        let passed = positions
            .iter()
            .filter_map(|position| numbers.get(*position as usize));
        let is_reported = |number: &DocumentNumber| {
            let mut segments = snapshot.segments().iter();
            segments.any(|segment| ask::reported(segment, number).unwrap_or(false))
        };
        count += passed.filter(|number| is_reported(number)).count();
    }
    count
}

/// Whether every document with the number is found with at least one report.
fn has_reports(segment: &Segment, number: &DocumentNumber) -> bool {
    let read = || -> std::result::Result<bool, Damage> {
        let (mut documents, mut without) = (0, 0);
        for document in segment.find(number)? {
            let mut reports = 0;
            document?.each_report(|report| {
                black_box(report);
                reports += 1;
            })?;
            documents += 1;
            without += usize::from(reports == 0);
        }
        Ok(documents > 0 && without == 0)
    };
    read().unwrap_or(false)
}

fn verdict(snapshot: &Snapshot, query: &Query) -> Option<Verdict> {
    snapshot
        .check(query, Moment::at(snapshot.built_at()))
        .ok()
        .map(|answer| answer.judgement.verdict)
}

/// The question about the first document with a number, as an officer who has it would ask.
fn question(segment: &Segment, number: &DocumentNumber) -> Result<Query> {
    let first = segment.find(number)?.next();
    let document = first.ok_or("a listed number is not found")??;
    Ok(Query::from_fields(
        *number,
        Some(Issuer::Known(document.issuing_state)),
        Some(document.document_type),
    ))
}
