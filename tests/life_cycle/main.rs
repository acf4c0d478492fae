//! Random sequences of all that can happen to a store, against a plain model: what is said of each document, and how
//! many are counted, after every step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod compare;
mod model;
mod steps;

use compare::compare;
use model::Model;
use sltd::report::{Day, ReportStatus};
use std::collections::BTreeSet;
use steps::{Draws, change, compact, list, prune, publish, retract_or_lift, roll_back, say, unpin};

const STEPS: u32 = 80;

#[test]
fn whatever_happens_to_a_store_the_answers_are_what_the_model_says() {
    for seed in 0..5 {
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
            // A store keeps seven bases by itself.
            while model.bases.len() > 7 {
                model.bases.pop_first();
            }
            let step = format!("seed {seed}, step {step}: {what}");
            before = Some(compare(folder, model, before, &step));
        }
    }
}

#[test]
fn what_a_source_without_a_list_has_said_outlives_all_bases() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    let bare = |model: &mut Model| {
        let list = vec![((5, "FIN"), ReportStatus::Lost)];
        publish(
            folder.path(),
            vec![("own-b", 1, list)],
            &BTreeSet::new(),
            model,
        );
    };
    bare(&mut model);
    let said = [
        ("own-a", Some(ReportStatus::Lost)),
        ("other-a", Some(ReportStatus::Stolen)),
    ];
    for (index, (source, status)) in said.into_iter().enumerate() {
        let rows = vec![((index as u64, "FIN"), status)];
        say(folder.path(), vec![(source, 1, rows)], &mut model);
    }
    for round in 0..20 {
        bare(&mut model);
        compare(folder.path(), &model, None, &format!("base {round}"));
    }
    let rows = vec![((1, "FIN"), None)];
    say(folder.path(), vec![("own-a", 2, rows)], &mut model);
    for round in 0..20 {
        bare(&mut model);
        compare(
            folder.path(),
            &model,
            None,
            &format!("base {round} after the withdrawal"),
        );
        assert_eq!(model.shown((1, "FIN"), Day::MIN).len(), 0);
    }
}
