//! The rules one by one, each with what it says of a document and what it does not: on the model and on a store.

use crate::LOST;
use crate::compare::compare;
use crate::model::{Action, Document, Model, Report};
use crate::steps::{publish, say};
use sltd::document::DocumentType;
use sltd::report::Day;
use std::collections::BTreeSet;
use tempfile::TempDir;

const PASSPORT: Document = (1, "FIN", DocumentType::Passport);
const REFUGEES: Document = (1, "FIN", DocumentType::RefugeeTravelDocument);
const OTHER: Document = (1, "FIN", DocumentType::Other);

/// Three instants of each day: 6 is 08:00 less than 7, and 6, 7 and 8 are of one day.
const MORNING: i64 = 6;
const NOON: i64 = 7;
const EVENING: i64 = 8;
const NEXT_DAY: i64 = 9;

const ADD: Action = Action::Add(LOST);

/// A report of the day of [`MORNING`], or of so many days before it.
fn dated(days_before: i32) -> Action {
    let day = Day::from_timestamp(crate::model::instant(MORNING));
    Action::Add(Report {
        date_reported: Day::from_number(day.number() - days_before),
        ..LOST
    })
}

struct Case {
    folder: TempDir,
    model: Model,
}

impl Case {
    /// Lists of all sources, at the first instant, of which two report a passport.
    fn new() -> Self {
        let mut case = Self {
            folder: tempfile::tempdir().unwrap(),
            model: Model::default(),
        };
        case.list("own-a", 0, &[]);
        case
    }

    /// Publishes a list; the other sources keep theirs.
    fn list(&mut self, source: &'static str, as_of: i64, rows: &[(Document, Action)]) -> &mut Self {
        let reports = rows.iter().map(|(document, action)| match action {
            Action::Add(report) => (*document, *report),
            _ => panic!("a list adds"),
        });
        let held: BTreeSet<&str> = self.model.lists.keys().copied().collect();
        let held: BTreeSet<&str> = held.into_iter().filter(|name| *name != source).collect();
        let mut lists = vec![(source, as_of, reports.collect())];
        let others = self.model.lists.keys().copied();
        let others: Vec<_> = others.filter(|name| *name != source).collect();
        lists.extend(others.into_iter().map(|name| (name, 0, Vec::new())));
        publish(self.folder.path(), lists, &held, &mut self.model);
        self
    }

    fn delta(
        &mut self,
        source: &'static str,
        as_of: i64,
        rows: &[(Document, Action)],
    ) -> &mut Self {
        say(
            self.folder.path(),
            vec![(source, as_of, rows.to_vec())],
            &mut self.model,
        );
        self
    }

    /// What model and store both show of a document: the sources.
    #[track_caller]
    fn shows(&mut self, document: Document, sources: &[&str]) -> &mut Self {
        compare(self.folder.path(), &self.model, None, "a rule");
        let shown = self.model.shown(document, Day::MIN);
        let shown: Vec<&str> = shown.into_iter().map(|(source, _)| source).collect();
        assert_eq!(shown, sources, "{document:?}");
        self
    }
}

#[test]
fn a_list_replaces_what_its_source_stated_up_to_then() {
    Case::new()
        .delta("own-a", 3, &[(PASSPORT, ADD)])
        .list("own-a", 2, &[])
        .shows(PASSPORT, &["own-a"])
        .list("own-a", 3, &[])
        .shows(PASSPORT, &[])
        // What a list lacks is gone, and nobody is silenced.
        .list("other-a", 1, &[(PASSPORT, ADD)])
        .list("own-a", 4, &[(PASSPORT, ADD)])
        .list("own-a", 5, &[])
        .shows(PASSPORT, &["other-a"]);
}

#[test]
fn in_a_delta_the_order_of_rows_decides() {
    let withdraw = (PASSPORT, Action::Withdraw);
    let add = (PASSPORT, ADD);
    Case::new()
        .delta("own-a", 1, &[add, withdraw])
        .shows(PASSPORT, &[])
        .delta("own-a", 2, &[withdraw, add])
        .shows(PASSPORT, &["own-a"])
        .delta("own-a", 3, &[add, withdraw, add, (PASSPORT, dated(1))])
        .shows(PASSPORT, &["own-a", "own-a"])
        .delta("own-a", 4, &[withdraw, add, withdraw])
        .shows(PASSPORT, &[]);
    // A correction silences nobody, a withdrawal that comes after an addition does.
    Case::new()
        .list("other-a", 1, &[add])
        .delta("own-a", 2, &[withdraw, add])
        .shows(PASSPORT, &["other-a", "own-a"])
        .delta("own-a", 3, &[add, withdraw])
        .shows(PASSPORT, &[])
        // Another document is another matter.
        .delta("own-a", 4, &[(OTHER, Action::Withdraw), add])
        .shows(PASSPORT, &["own-a"]);
}

#[test]
fn an_expired_report_replaces_earlier_ones() {
    Case::new()
        .list("own-a", 1, &[(PASSPORT, ADD)])
        .delta("own-a", 2, &[(PASSPORT, Action::AddExpired)])
        .shows(PASSPORT, &[])
        .delta("own-a", 1, &[(PASSPORT, ADD)])
        .shows(PASSPORT, &[])
        // And silences nobody.
        .delta("other-a", 1, &[(PASSPORT, ADD)])
        .shows(PASSPORT, &["other-a"])
        .delta(
            "own-a",
            3,
            &[(PASSPORT, Action::Withdraw), (PASSPORT, Action::AddExpired)],
        )
        .shows(PASSPORT, &["other-a"]);
}

#[test]
fn an_owners_withdrawal_silences_third_parties_by_as_of_or_day() {
    for (as_of, report, silenced) in [
        (MORNING, ADD, true),
        (NOON, ADD, true),
        (EVENING, ADD, false),
        (EVENING, dated(0), false),
        (NOON, dated(-1), true),
        (EVENING, dated(1), true),
        (NEXT_DAY, dated(1), true),
        (NEXT_DAY, dated(0), false),
        (NEXT_DAY, ADD, false),
    ] {
        let expected: &[&str] = if silenced { &[] } else { &["other-a"] };
        let withdraw = [(PASSPORT, Action::Withdraw)];
        Case::new()
            .list("other-a", as_of, &[(PASSPORT, report)])
            .delta("own-a", NOON, &withdraw)
            .shows(PASSPORT, expected)
            // Whatever own sources add or list afterwards.
            .list("own-a", 12, &[])
            .shows(PASSPORT, expected)
            .delta(
                "own-a",
                13,
                &[
                    (PASSPORT, ADD),
                    (PASSPORT, Action::Withdraw),
                    (PASSPORT, ADD),
                ],
            )
            .delta("own-b", 2, &[(PASSPORT, Action::Unwithdraw)]);
        // It came first, and matched nothing then.
        Case::new()
            .delta("own-a", NOON, &withdraw)
            .list("own-a", 12, &[])
            .delta("other-a", as_of, &[(PASSPORT, report)])
            .shows(PASSPORT, expected);
    }
    // The day of loss counts where there is none of the report.
    let lost_before = Action::Add(Report {
        date_of_loss: Day::from_ymd(2026, 1, 1),
        ..LOST
    });
    Case::new()
        .delta("own-a", NOON, &[(PASSPORT, Action::Withdraw)])
        .list("other-a", 13, &[(PASSPORT, lost_before)])
        .shows(PASSPORT, &[]);
}

#[test]
fn a_withdrawal_reaches_the_same_type_and_those_that_cover_it() {
    let all = [(PASSPORT, ADD), (REFUGEES, ADD), (OTHER, ADD)];
    for (withdrawn, silenced) in [
        (PASSPORT, [true, false, true]),
        (REFUGEES, [true, true, true]),
        (OTHER, [false, false, true]),
    ] {
        let mut case = Case::new();
        case.list("other-a", 1, &all).list("own-b", 1, &all).delta(
            "own-a",
            2,
            &[(withdrawn, Action::Withdraw)],
        );
        for ((document, _), silenced) in all.into_iter().zip(silenced) {
            // Own sources do not withdraw for each other.
            let expected: &[&str] = if silenced {
                &["own-b"]
            } else {
                &["other-a", "own-b"]
            };
            case.shows(document, expected);
        }
    }
    let elsewhere = (1, "UKR", DocumentType::Passport);
    Case::new()
        .list("other-a", 1, &[(elsewhere, ADD)])
        .delta("own-a", 2, &[(PASSPORT, Action::Withdraw)])
        .shows(elsewhere, &["other-a"]);
}

#[test]
fn only_unwithdraw_of_the_same_source_lifts_it() {
    let withdraw = [(PASSPORT, Action::Withdraw)];
    let unwithdraw = [(PASSPORT, Action::Unwithdraw)];
    Case::new()
        .list("other-a", 1, &[(PASSPORT, ADD)])
        .list("own-a", 1, &[(PASSPORT, ADD)])
        .delta("own-a", 5, &withdraw)
        .delta("own-b", 9, &unwithdraw)
        .shows(PASSPORT, &[])
        .delta("own-a", 4, &unwithdraw)
        .shows(PASSPORT, &[])
        // It restores no report of its own.
        .delta("own-a", 5, &unwithdraw)
        .shows(PASSPORT, &["other-a"])
        // A withdrawal that is older than it comes to nothing, a newer one does not.
        .delta("own-a", 3, &withdraw)
        .shows(PASSPORT, &["other-a"])
        .delta("own-a", 6, &withdraw)
        .shows(PASSPORT, &[]);
    // By itself it says nothing of the source's own reports.
    Case::new()
        .list("own-a", 1, &[(PASSPORT, ADD)])
        .delta("own-a", 5, &unwithdraw)
        .shows(PASSPORT, &["own-a"]);
}

#[test]
fn nothing_that_a_retracted_source_has_stated_counts() {
    let mut case = Case::new();
    case.list("other-a", 1, &[(PASSPORT, ADD)])
        .delta("own-a", 2, &[(PASSPORT, Action::Withdraw)])
        .delta("own-b", 3, &[(PASSPORT, Action::Withdraw)])
        .shows(PASSPORT, &[]);
    for (source, shown) in [("own-b", vec![]), ("own-a", vec!["other-a"])] {
        let store = sltd::snapshot::Store::open(case.folder.path()).unwrap();
        let draft = store.retract(source, crate::steps::ACT).unwrap();
        draft.publish(Vec::new()).unwrap();
        case.model.retracted.insert(source);
        case.shows(PASSPORT, &shown);
    }
    case.model.retracted.clear();
    crate::steps::lift(case.folder.path(), "own-a");
    crate::steps::lift(case.folder.path(), "own-b");
    case.shows(PASSPORT, &[]);
}
