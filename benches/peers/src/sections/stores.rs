//! The index against embedded stores that hold the same reports: absent and present documents, bytes.

use super::ask;
use super::bytes::Sizes;
use crate::Result;
use crate::embedded::{Embedded, Store};
use crate::entries::Entries;
use crate::given::Given;
use crate::report::{Figure, Findings};
use crate::turns::{Contender, in_turns};
use crate::value::Reported;
use clap::ValueEnum as _;
use sltd::document::DocumentNumber;
use sltd::index::Segment;
use sltd::snapshot::Warm;
use std::hint::black_box;

/// Rounds, in each of which ours and a store answer all questions once.
const ROUNDS: usize = 7;
/// Absent and present numbers asked about, each: they lead to far more pages than a cache holds.
const ASKED: usize = 500_000;

/// What all stores are asked.
struct Questions<'s> {
    segment: &'s Segment,
    absent: Vec<DocumentNumber>,
    present: Vec<DocumentNumber>,
    /// Reports of all present numbers.
    reports: usize,
}

/// Measures one store after the other, each beside ours.
///
/// # Errors
/// When the segment can't be read.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let snapshot = given.snapshot(Warm::All)?;
    let segment = ask::only_segment(&snapshot)?;
    let entries = Entries::of(segment)?;
    let absent = ask::absent(given, segment)?;
    let present = entries.sample(ASKED);
    let mut reports = 0;
    for number in &present {
        ask::each_report(segment, number, |_| reports += 1)?;
    }
    let questions = Questions {
        segment,
        absent: absent
            .iter()
            .filter_map(|query| query.number)
            .take(ASKED)
            .collect(),
        present,
        reports,
    };
    let each = |bytes: u64| bytes as f64 / snapshot.documents() as f64;
    let mut findings = Findings {
        notes: vec![format!(
            "under each of {} numbers the packed reports of its documents, 6 to 8 bytes each, which are unpacked to what the segment answers with; all present answers are held against the segment's, field by field; {} absent and {} present numbers in random order, one at a time, one thread, {} rounds in turns; nanoseconds a number",
            entries.numbers(),
            questions.absent.len(),
            questions.present.len(),
            given.rounds(ROUNDS)
        )],
        ..Findings::default()
    };
    for store in Store::value_variants() {
        let name = store.name();
        eprintln!("  {name}");
        match compare(given, *store, &entries, &questions) {
            Ok(Compared {
                absent: [ours, theirs],
                present: [our_reports, their_reports],
                bytes,
            }) => {
                findings.notes.push(format!("{name}: {}", store.settings()));
                findings.figures.extend([
                    Figure::less(
                        &format!("absent/one-at-a-time/{name}"),
                        "ns",
                        &ours,
                        &theirs,
                    ),
                    Figure::less(
                        &format!("present/with-reports/{name}"),
                        "ns",
                        &our_reports,
                        &their_reports,
                    ),
                    Figure::less(
                        &format!("bytes/whole/{name}"),
                        "B",
                        &[each(Sizes::of(&snapshot).whole)],
                        &[each(bytes)],
                    ),
                ]);
            }
            Err(error) => findings
                .notes
                .push(format!("**{name} is missing**: {error}")),
        }
    }
    Ok(findings)
}

/// Nanoseconds of ours and a store's, by round, and the store's bytes.
struct Compared {
    absent: [Vec<f64>; 2],
    present: [Vec<f64>; 2],
    bytes: u64,
}

fn compare(
    given: &Given,
    store: Store,
    entries: &Entries,
    questions: &Questions<'_>,
) -> Result<Compared> {
    let folder = tempfile::tempdir_in(&given.scratch)?;
    store.load(folder.path(), entries.feeds(given.threads))?;
    let opened = store.open(folder.path())?;
    same_reports(opened.as_ref(), entries, questions)?;
    let segment = questions.segment;
    let rounds = given.rounds(ROUNDS);
    let (absent, present) = (&questions.absent, &questions.present);
    let absent_times = in_turns(
        rounds,
        absent.len(),
        [
            Contender::fallible("ours", 0, || {
                let mut found = 0;
                for number in absent {
                    found += usize::from(ask::reported(segment, number)?);
                }
                Ok(found)
            }),
            Contender::fallible(store.name(), 0, || {
                let mut found = 0;
                opened.ask(absent, &mut |_| {
                    found += 1;
                    Ok(())
                })?;
                Ok(found)
            }),
        ],
    )?;
    let dictionary = entries.dictionary();
    let present_times = in_turns(
        rounds,
        present.len(),
        [
            Contender::fallible("ours", questions.reports, || {
                let mut reports = 0;
                for number in present {
                    ask::each_report(segment, number, |report| {
                        black_box(report);
                        reports += 1;
                    })?;
                }
                Ok(reports)
            }),
            Contender::fallible(store.name(), questions.reports, || {
                let mut reports = 0;
                opened.ask(present, &mut |value| {
                    let unpacked = dictionary.unpack(value, |report| {
                        black_box(report);
                        reports += 1;
                    });
                    unpacked.ok_or_else(|| NO_VALUE.into())
                })?;
                Ok(reports)
            }),
        ],
    )?;
    Ok(Compared {
        absent: absent_times,
        present: present_times,
        bytes: opened.bytes()?,
    })
}

const NO_VALUE: &str = "a value is not what was packed";

/// Holds every present answer of a store against the segment's.
fn same_reports(opened: &dyn Embedded, entries: &Entries, questions: &Questions<'_>) -> Result<()> {
    let mut numbers = questions.present.iter();
    opened.ask(&questions.present, &mut |value| {
        let number = numbers.next().ok_or("more answers than questions")?;
        let mut theirs: Vec<Reported<'_>> = Vec::new();
        let unpacked = entries
            .dictionary()
            .unpack(value, |report| theirs.push(report));
        unpacked.ok_or(NO_VALUE)?;
        let mut ours = Vec::with_capacity(theirs.len());
        ask::each_report(questions.segment, number, |report| ours.push(report))?;
        if ours == theirs {
            Ok(())
        } else {
            Err("a present number has other reports than in the segment".into())
        }
    })?;
    match numbers.next() {
        None => Ok(()),
        Some(_) => Err("a present number is not found".into()),
    }
}
