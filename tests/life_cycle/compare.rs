//! What a store says, held against the model.

use crate::model::{Document, Model, NUMBERS, Report, STATES, TYPES, third_party};
use crate::steps::number;
use jiff::Timestamp;
use sltd::document::{DocumentNumber, Issuer};
use sltd::report::{Day, Query};
use sltd::snapshot::{Differences, LoadOptions, Moment, Shown, Snapshot, Store, Warm};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The reports of a document that a snapshot shows at a time, by source.
pub(crate) fn shown(
    snapshot: &Snapshot,
    (index, state, document_type): Document,
    now: Timestamp,
) -> BTreeSet<(String, Report)> {
    let query = Query::from_fields(
        number(index),
        Some(Issuer::parse(state).unwrap()),
        Some(document_type),
    );
    let answer = snapshot.check(&query, Moment::at(now)).unwrap();
    let matches = answer.judgement.matches.iter();
    let of_document = matches
        .filter(|found| found.issuing_state.code() == state)
        .filter(|found| found.document_type == document_type);
    of_document
        .map(|found| {
            let report = Report {
                status: found.report.status,
                date_of_loss: found.report.date_of_loss,
                date_reported: found.report.date_reported,
            };
            (found.report.source.to_owned(), report)
        })
        .collect()
}

/// Documents added, withdrawn and changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved([u64; 3]);

impl Differences for Moved {
    fn differs(&mut self, before: &[Shown<'_>], after: &[Shown<'_>]) {
        let same = |a: &Shown<'_>, b: &Shown<'_>| {
            (a.issuing_state, a.document_type) == (b.issuing_state, b.document_type)
        };
        for old in before {
            match after.iter().find(|new| same(old, new)) {
                None => self.0[1] += 1,
                Some(new) => self.0[2] += u64::from(old != new),
            }
        }
        let new = after
            .iter()
            .filter(|new| !before.iter().any(|old| same(old, new)));
        self.0[0] += new.count() as u64;
    }

    fn merge(&mut self, other: Self) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }
}

/// What is to be shown of every document, expired or not.
pub(crate) type AllShown = Vec<BTreeSet<(&'static str, Report)>>;

/// A snapshot, and what it should say.
pub(crate) type Said = (Snapshot, AllShown);

fn documents() -> impl Iterator<Item = Document> {
    let pairs = STATES.into_iter();
    let pairs = pairs.flat_map(|state| TYPES.map(|document_type| (state, document_type)));
    (0..NUMBERS).flat_map(move |index| {
        let pairs = pairs.clone();
        pairs.map(move |(state, document_type)| (index, state, document_type))
    })
}

pub(crate) fn all_shown(model: &Model) -> AllShown {
    documents()
        .map(|document| model.shown(document, Day::MIN))
        .collect()
}

/// Compares what a store says with the model, and the differences from what it said before with those in the model.
pub(crate) fn compare(folder: &Path, model: &Model, last: Option<Said>, step: &str) -> Said {
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    let snapshot = Store::open(folder).unwrap().load_current(&options).unwrap();
    assert!(snapshot.segments().len() <= 9, "{step}");
    let mut reported = 0;
    let mut owned = BTreeMap::new();
    let before: Timestamp = "2026-02-28T23:00:00Z".parse().unwrap();
    let after = "2026-03-02T00:00:00Z".parse().unwrap();
    for document in documents() {
        for now in [after, before] {
            let expected = model.shown(document, Day::from_timestamp(now));
            let expected: BTreeSet<_> = expected
                .into_iter()
                .map(|(source, report)| (source.to_owned(), report))
                .collect();
            let found = shown(&snapshot, document, now);
            assert_eq!(found, expected, "{step}: {document:?} at {now}");
        }
        // Nothing has expired on the day of the build.
        let expected = model.shown(document, Day::from_timestamp(before));
        reported += u64::from(!expected.is_empty());
        let own = expected.iter().any(|(source, _)| !third_party(source));
        *owned.entry((document.1, document.2)).or_insert(0) += u64::from(own);
    }
    assert_eq!(snapshot.documents(), reported, "{step}");
    for ((state, document_type), owned) in owned {
        // Of a number that nobody reports: what is said of its State.
        let query = Query::from_fields(
            DocumentNumber::normalise("XY7").unwrap(),
            Some(Issuer::parse(state).unwrap()),
            Some(document_type),
        );
        let answer = snapshot.check(&query, Moment::at(before)).unwrap();
        assert_eq!(
            answer.coverage().unwrap().documents,
            owned,
            "{step}: {state} {document_type}"
        );
    }
    let all = all_shown(model);
    if let Some((before, all_before)) = last {
        let mut moved = Moved::default();
        for (old, new) in all_before.iter().zip(&all) {
            let place = match (old.is_empty(), new.is_empty()) {
                (true, false) => 0,
                (false, true) => 1,
                _ if old != new => 2,
                _ => continue,
            };
            moved.0[place] += 1;
        }
        let found: Moved = sltd::snapshot::compare(&before, &snapshot, 2).unwrap();
        assert_eq!(found, moved, "{step}");
    }
    (snapshot, all)
}
