//! What a store says, held against the model.

use crate::model::{Document, Model, NUMBERS, STATES, third_party};
use crate::steps::number;
use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, Issuer};
use sltd::report::{Day, Query, ReportStatus};
use sltd::snapshot::{Differences, LoadOptions, Moment, Shown, Snapshot, Store, Warm};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The reports of a document that a snapshot shows at a time, by source.
pub(crate) fn shown(
    snapshot: &Snapshot,
    (index, state): Document,
    now: Timestamp,
) -> BTreeSet<(String, ReportStatus)> {
    let query = Query::from_fields(
        number(index),
        Some(Issuer::parse(state).unwrap()),
        Some(DocumentType::Passport),
    );
    let answer = snapshot.check(&query, Moment::at(now)).unwrap();
    let matches = answer.judgement.matches.iter();
    let of_state = matches.filter(|found| found.issuing_state.code() == state);
    of_state
        .map(|found| (found.report.source.to_owned(), found.report.status))
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
pub(crate) type AllShown = Vec<BTreeSet<(&'static str, ReportStatus)>>;

/// A snapshot, and what it should say.
pub(crate) type Said = (Snapshot, AllShown);

pub(crate) fn all_shown(model: &Model) -> AllShown {
    let documents = (0..NUMBERS).flat_map(|index| STATES.map(|state| (index, state)));
    documents
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
    let mut documents = 0;
    let mut owned = BTreeMap::new();
    let before: Timestamp = "2026-02-28T23:00:00Z".parse().unwrap();
    let after = "2026-03-02T00:00:00Z".parse().unwrap();
    for index in 0..NUMBERS {
        for state in STATES {
            let document = (index, state);
            for now in [after, before] {
                let expected = model.shown(document, Day::from_timestamp(now));
                let expected: BTreeSet<_> = expected
                    .into_iter()
                    .map(|(source, status)| (source.to_owned(), status))
                    .collect();
                let found = shown(&snapshot, document, now);
                assert_eq!(
                    found, expected,
                    "{step}: document {index} of {state} at {now}"
                );
            }
            // Nothing has expired on the day of the build.
            let expected = model.shown(document, Day::from_timestamp(before));
            documents += u64::from(!expected.is_empty());
            let own = expected.iter().any(|(source, _)| !third_party(source));
            *owned.entry(state).or_insert(0) += u64::from(own);
        }
    }
    assert_eq!(snapshot.documents(), documents, "{step}");
    for (state, owned) in owned {
        // Of a number that nobody reports: what is said of its State.
        let query = Query::from_fields(
            DocumentNumber::normalise("X").unwrap(),
            Some(Issuer::parse(state).unwrap()),
            Some(DocumentType::Passport),
        );
        let answer = snapshot
            .check(&query, Moment::at(Timestamp::UNIX_EPOCH))
            .unwrap();
        assert_eq!(
            answer.coverage().unwrap().documents,
            owned,
            "{step}: {state}"
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
