//! Questions in process: the index against a hash table of fingerprints and a sorted array, in one run and in turns.

use crate::questions;
use crate::rivals::{self, Fingerprints, padded};
use crate::table::{Figure, Findings, Goal, Spread, number};
use crate::{Given, Result};
use sltd::document::{DocumentNumber, Issuer};
use sltd::index::{Damage, SectionKind, Segment};
use sltd::report::{Query, Verdict};
use sltd::snapshot::{LoadOptions, Moment, Snapshot, Store, Warm};
use std::time::Instant;

/// Rounds, in each of which every contender answers all questions once.
const ROUNDS: usize = 9;
/// Reported numbers asked about: with the keys they lead to, far more than a cache holds.
const PRESENT: usize = 1_000_000;

/// Measures absent and present documents.
pub(crate) fn run(given: &Given) -> Result<Findings> {
    let snapshot = Store::open(&given.store)?.load_current(&LoadOptions {
        warm: Some(Warm::All),
        ..Default::default()
    })?;
    let [segment] = snapshot.segments() else {
        return Err("expected a store with one segment".into());
    };
    let keys = rivals::sorted_keys(segment)?;
    let table = Fingerprints::of(&keys);
    let mut asked = questions::read(&given.queries)?;
    asked.retain(|query| {
        query
            .number
            .is_some_and(|number| keys.binary_search(&padded(&number)).is_err())
    });
    let absent: Vec<DocumentNumber> = asked.iter().filter_map(|query| query.number).collect();
    let present = rivals::sample(&keys, PRESENT);
    let of = |kind: SectionKind| {
        segment
            .section_sizes()
            .iter()
            .filter(|size| size.kind == kind)
            .map(|size| size.bytes)
            .sum::<u64>()
    };
    let filter = of(SectionKind::Filter) as f64;

    let passed = absent
        .iter()
        .filter(|number| segment.may_contain(number))
        .count();
    let times = in_turns(
        absent.len(),
        &mut [
            contender(0, || {
                absent
                    .iter()
                    .filter(|number| reported(segment, number))
                    .count()
            }),
            contender(0, || reported_of(&snapshot, &absent)),
            contender(passed, || {
                absent
                    .iter()
                    .filter(|number| segment.may_contain(number))
                    .count()
            }),
            contender(0, || {
                asked
                    .iter()
                    .filter(|query| verdict(&snapshot, query) != Some(Verdict::NoRecord))
                    .count()
            }),
            contender(0, || {
                absent
                    .iter()
                    .filter(|number| table.contains(number))
                    .count()
            }),
            contender(0, || table.count(&absent)),
        ],
    );
    let [one, chunks, filter_only, check, table_one, table_chunks] = times.as_slice() else {
        return Err("six contenders".into());
    };
    let mut figures = vec![
        Figure::ratio(
            "absent/one at a time/hashbrown",
            "ns",
            one,
            table_one,
            Goal::AtMost(1.5),
        ),
        Figure::ratio(
            "absent/in chunks/hashbrown",
            "ns",
            chunks,
            table_chunks,
            Goal::AtMost(1.5),
        ),
        Figure::ratio(
            "absent/filter only, one at a time/hashbrown",
            "ns",
            filter_only,
            table_one,
            Goal::None,
        ),
        Figure::ratio(
            "absent/whole check: verdict, coverage, format/hashbrown",
            "ns",
            check,
            table_one,
            Goal::None,
        ),
        Figure::ratio(
            "absent/memory asked, filter/hashbrown",
            "MB",
            &[filter / 1e6],
            &[table.bytes() as f64 / 1e6],
            Goal::None,
        ),
    ];

    let questions: Vec<Query> = present
        .iter()
        .map(|number| question(segment, number))
        .collect::<Result<_>>()?;
    let times = in_turns(
        present.len(),
        &mut [
            contender(present.len(), || {
                present
                    .iter()
                    .filter(|number| has_reports(segment, number))
                    .count()
            }),
            contender(present.len(), || {
                questions
                    .iter()
                    .filter(|query| verdict(&snapshot, query) == Some(Verdict::Hit))
                    .count()
            }),
            contender(present.len(), || {
                present
                    .iter()
                    .filter(|number| keys.binary_search(&padded(number)).is_ok())
                    .count()
            }),
        ],
    );
    let [found, check, search] = times.as_slice() else {
        return Err("three contenders".into());
    };
    figures.push(Figure::ratio(
        "present/with its reports/binary search",
        "ns",
        found,
        search,
        Goal::AtMost(1.0),
    ));
    figures.push(Figure::ratio(
        "present/whole check: HIT with reports/binary search",
        "ns",
        check,
        search,
        Goal::None,
    ));
    let share = Spread::exact(passed as f64 / absent.len() as f64 * 100.0);
    figures.push(Figure::alone(
        "absent/share that the filter lets pass",
        share,
        "%",
        Goal::None,
    ));

    Ok(Findings {
        title: "Lookups in process",
        notes: vec![
            format!(
                "one thread; {} absent and {} present numbers in random order, {} distinct numbers listed; {ROUNDS} rounds in turns; nanoseconds a number, hashing included",
                absent.len(), present.len(), keys.len()
            ),
            format!(
                "`hashbrown`: `HashTable<u64>` of xxh3-64 hashes that hash to themselves, {} MB; `binary search`: sorted 24-byte keys, {} MB; both know a number or not, nothing else",
                number(table.bytes() as f64 / 1e6), number(size_of_val(keys.as_slice()) as f64 / 1e6)
            ),
            "absent is answered by the filter and, where that lets a number pass, by the automaton: the answer is a proof; every contender's answers are asserted in every round".to_owned(),
        ],
        figures,
    })
}

/// A contender: what it must answer, and how it does.
type Contender<'c> = (usize, Box<dyn Fn() -> usize + 'c>);

fn contender<'c>(expected: usize, answer: impl Fn() -> usize + 'c) -> Contender<'c> {
    (expected, Box::new(answer))
}

/// Nanoseconds a question, by contender and round. Who begins changes from round to round.
fn in_turns(questions: usize, contenders: &mut [Contender<'_>]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..=ROUNDS {
        for turn in 0..contenders.len() {
            let index = (round + turn) % contenders.len();
            let (Some((expected, answer)), Some(times)) =
                (contenders.get(index), times.get_mut(index))
            else {
                continue;
            };
            let started = Instant::now();
            let answered = answer();
            let took = started.elapsed().as_nanos() as f64 / questions as f64;
            assert_eq!(
                answered, *expected,
                "contender {index} gives another answer"
            );
            // The first round warms.
            if round > 0 {
                times.push(took);
            }
        }
    }
    times
}

/// Whether a number is reported, for certain.
#[inline]
fn reported(segment: &Segment, number: &DocumentNumber) -> bool {
    segment.may_contain(number)
        && segment
            .find(number)
            .is_ok_and(|documents| !documents.is_empty())
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
            let found = |segment: &Segment| {
                segment
                    .find(number)
                    .is_ok_and(|documents| !documents.is_empty())
            };
            snapshot.segments().iter().any(found)
        };
        count += passed.filter(|number| is_reported(number)).count();
    }
    count
}

/// Whether every document with the number is found with at least one report.
fn has_reports(segment: &Segment, number: &DocumentNumber) -> bool {
    let read = || -> std::result::Result<bool, Damage> {
        let documents = segment.find(number)?;
        let mut reports = Vec::new();
        for document in &documents {
            document.reports(&mut reports)?;
        }
        Ok(!documents.is_empty() && reports.len() >= documents.len())
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
    let documents = segment.find(number)?;
    let document = documents.first().ok_or("a listed number is not found")?;
    Ok(Query::from_fields(
        *number,
        Some(Issuer::Known(document.issuing_state)),
        Some(document.document_type),
    ))
}
