//! Random sequences of all that can happen to a store, against a plain model: what is said of each document, and how
//! many are counted, after every step.
//!
//! `LIFE_CYCLE_SEEDS=500 cargo test --test life_cycle` runs more sequences, `LIFE_CYCLE_FROM=7` begins with another
//! one than the first.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod compare;
mod model;
mod orders;
mod rules;
mod steps;

use compare::compare;
use model::{Action, Document, Model, Report};
use sltd::document::DocumentType;
use sltd::report::{Day, ReportStatus};
use std::collections::BTreeSet;
use std::path::Path;
use steps::{
    Draws, change, change_meanwhile, compact, list, prune, publish, retract_or_lift, roll_back,
    say, unpin,
};

const STEPS: u32 = 60;
/// Sequences of every test run.
const SEEDS: u64 = 4;
/// Seeds of sequences that have found a defect.
const FOUND: [u64; 2] = [195, 350];

/// The seeds to run: those of every run, or as many as the environment says.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let first = number("LIFE_CYCLE_FROM").unwrap_or(0);
    first..first + number("LIFE_CYCLE_SEEDS").unwrap_or(SEEDS)
}

#[test]
fn whatever_happens_to_a_store_the_answers_are_what_the_model_says() {
    run(change);
}

#[test]
fn whatever_is_published_while_changes_are_made() {
    run(change_meanwhile);
}

/// Runs all sequences, with a way to make changes.
fn run(change: fn(&mut Draws, &Path, &mut Model) -> String) {
    for seed in seeds().chain(FOUND) {
        let folder = tempfile::tempdir().unwrap();
        let mut draws = Draws(seed);
        let mut model = Model::default();
        list(&mut draws, folder.path(), &mut model);
        let mut before = None;
        for step in 0..STEPS {
            let (draws, model, folder) = (&mut draws, &mut model, folder.path());
            let what = match draws.below(16) {
                0 | 1 => list(draws, folder, model),
                2 => compact(draws, folder, model),
                3 => roll_back(draws, folder, model),
                4 | 5 => unpin(folder, model),
                6 | 7 => retract_or_lift(draws, folder, model),
                8 => prune(draws, folder, model),
                _ => change(draws, folder, model),
            };
            let step = format!("seed {seed}, step {step}: {what}");
            before = Some(compare(folder, model, before, &step));
        }
    }
}

pub(crate) const LOST: Report = Report {
    status: ReportStatus::Lost,
    date_of_loss: None,
    date_reported: None,
};

fn passport(index: u64) -> Document {
    (index, "FIN", DocumentType::Passport)
}

#[test]
fn what_a_source_without_a_list_has_said_outlives_all_bases() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    let bare = |model: &mut Model| {
        let list = vec![(passport(4), LOST)];
        publish(
            folder.path(),
            vec![("own-b", 1, list)],
            &BTreeSet::new(),
            model,
        );
    };
    bare(&mut model);
    for (index, source) in ["own-a", "other-a"].into_iter().enumerate() {
        let rows = vec![(passport(index as u64), Action::Add(LOST))];
        say(folder.path(), vec![(source, 1, rows)], &mut model);
    }
    for round in 0..20 {
        bare(&mut model);
        compare(folder.path(), &model, None, &format!("base {round}"));
    }
    let rows = vec![(passport(1), Action::Withdraw)];
    say(folder.path(), vec![("own-a", 2, rows)], &mut model);
    for round in 0..20 {
        bare(&mut model);
        compare(
            folder.path(),
            &model,
            None,
            &format!("base {round} after the withdrawal"),
        );
        assert_eq!(model.shown(passport(1), Day::MIN).len(), 0);
    }
    // A report that is exported later, of a day before it: still silenced, though nothing was to be silenced meanwhile.
    let old = Report {
        date_reported: Day::from_ymd(2026, 1, 1),
        ..LOST
    };
    for index in [1, 2] {
        let rows = vec![(passport(index), Action::Add(old))];
        say(folder.path(), vec![("other-b", 9, rows)], &mut model);
        compare(folder.path(), &model, None, &format!("late report {index}"));
    }
    assert_eq!(model.shown(passport(1), Day::MIN).len(), 0);
    assert_eq!(model.shown(passport(2), Day::MIN).len(), 1);
}
