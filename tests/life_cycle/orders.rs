//! Rule 8: deltas of different as-of may arrive in any order, and builds and compactions between them change nothing.

use crate::compare::{all_shown, compare};
use crate::model::{Model, SOURCES};
use crate::seeds;
use crate::steps::{
    Changes, Draws, compact_with, draw_changes, list_of, publish, retract_or_lift, say,
};
use std::collections::BTreeSet;

/// Deltas in each sequence.
const DELTAS: usize = 8;

#[test]
fn deltas_may_arrive_in_any_order() {
    for seed in seeds() {
        let mut draws = Draws(seed ^ 0x0bad_0dd5);
        let lists: Vec<_> = SOURCES
            .into_iter()
            .map(|source| list_of(&mut draws, source))
            .collect();
        // Of different as-of within a source, its list included: which comes first then says nothing.
        let mut used: BTreeSet<_> = lists.iter().map(|list| (list.0, list.1)).collect();
        let mut deltas: Vec<Changes> = Vec::new();
        while deltas.len() < DELTAS {
            let changes = draw_changes(&mut draws);
            if used.insert((changes.0, changes.1)) {
                deltas.push(changes);
            }
        }
        let mut expected = None;
        for order in 0..3 {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let mut model = Model::default();
            publish(folder, lists.clone(), &BTreeSet::new(), &mut model);
            let mut left = deltas.clone();
            while !left.is_empty() {
                let next = draws.below(left.len() as u64) as usize;
                say(folder, vec![left.remove(next)], &mut model);
                match draws.below(6) {
                    // The lists of before: by as-of they replace no more than they did.
                    0 => publish(folder, lists.clone(), &BTreeSet::new(), &mut model),
                    1 => compact_with(folder, false, || {}),
                    2 => drop(retract_or_lift(&mut draws, folder, &mut model)),
                    _ => {}
                }
            }
            while let Some(source) = model.retracted.pop_first() {
                crate::steps::lift(folder, source);
            }
            let step = format!("seed {seed}, order {order}");
            compare(folder, &model, None, &step);
            let shown = all_shown(&model);
            let expected = expected.get_or_insert(shown.clone());
            let differs = expected.iter().zip(&shown).position(|(a, b)| a != b);
            if let Some(place) = differs {
                panic!(
                    "{step}: place {place}: {:?}, before {:?}; {deltas:?}; {lists:?}",
                    shown[place], expected[place]
                );
            }
        }
    }
}
