//! A repair with a fault at every step of it: whatever stands then, another repair makes it what the first would have.

use super::endure::{Place, losses, scratch};
use super::operations::{self as op, Operation};
use super::store::{ACT, Shown, go_on, served};
use super::{changed_late, first, second_with_late};
use rustix::io::Errno;
use sltd::files::faults::{Fault, Image, Kind, Loss, Plan};
use sltd::snapshot::{Manifest, PublishError, RepairOutcome, Repaired, Store, Terms};
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

struct Scenario<'a> {
    prepare: &'a [Operation],
    damage: fn(&Path),
    /// What is served once it is repaired.
    after: Shown,
}

fn current(store: &Path) -> Manifest {
    let store = Store::open(store).unwrap();
    store.manifest(&store.pointer().unwrap()).unwrap()
}

/// Changes a byte where it stands.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 4;
    fs::write(path, bytes).unwrap();
}

fn segment(store: &Path, file: &str) -> PathBuf {
    store.join("segments").join(file)
}

fn repair(store: &Path) -> Result<Repaired, PublishError> {
    Store::repair(store, Terms::default(), ACT, false)
}

/// What it has named as lost.
fn lost(repaired: &Repaired) -> String {
    let unpublished = matches!(
        repaired.outcome,
        RepairOutcome::NoBase | RepairOutcome::NoManifest
    );
    let (lists, changes) = (&repaired.lists_lost, &repaired.changes_lost);
    format!(
        "{:?}",
        (lists, changes, repaired.generations_lost, unpublished)
    )
}

fn endure(scenario: &Scenario<'_>) {
    let place = Place::with(&Image::default());
    for prepare in scenario.prepare {
        prepare(&place.store()).unwrap();
    }
    (scenario.damage)(&place.store());
    let prepared = place.watch(None).after(Loss::Nothing);
    let lost_at_best = lost(&repair(&place.store()).unwrap());
    assert_eq!(
        served(&place.store(), &|| "repaired".to_owned()).1,
        scenario.after
    );
    let mut settled = HashSet::new();
    let mut settle = |image: &Image, tag: &dyn Fn() -> String| {
        if !settled.insert(image.digest(scratch)) {
            return;
        }
        let place = Place::with(image);
        let _disk = place.watch(None);
        if let Err(error) = repair(&place.store()) {
            panic!("{}: {error}", tag());
        }
        assert_eq!(served(&place.store(), tag).1, scenario.after, "{}", tag());
        go_on(&place.store(), Some(&scenario.after), tag);
    };
    for kind in [Kind::Change, Kind::Read] {
        let mut number = 0;
        'steps: loop {
            let faults = match kind {
                Kind::Read => vec![Fault::Fails(Errno::IO), Fault::Stays(Errno::IO)],
                Kind::Change => vec![
                    Fault::Fails(Errno::NOSPC),
                    Fault::Stays(Errno::ROFS),
                    Fault::Torn(Errno::IO),
                    Fault::Dies,
                    Fault::DiesWithin,
                ],
            };
            for fault in faults {
                let plan = Plan {
                    kind,
                    number,
                    fault,
                };
                let place = Place::with(&prepared);
                let disk = place.watch(Some(plan));
                let outcome = repair(&place.store());
                let Some(met) = disk.met() else {
                    break 'steps;
                };
                let tag = || format!("{plan:?} met {met}: {outcome:?}");
                if matches!(fault, Fault::Dies | Fault::DiesWithin) {
                    for loss in losses(number) {
                        settle(&disk.after(loss), &tag);
                    }
                    continue;
                }
                disk.mend();
                match &outcome {
                    // What can't be read counts as damaged: less is published, and what it lacks is named.
                    Ok(repaired) if kind == Kind::Read && lost(repaired) != lost_at_best => {}
                    Ok(_) => {
                        // It was said, so it is durable.
                        let place = Place::with(&disk.after(Loss::Everything));
                        assert_eq!(served(&place.store(), &tag).1, scenario.after, "{}", tag());
                        settle(&disk.after(Loss::Nothing), &tag);
                    }
                    Err(_) => settle(&disk.after(Loss::Nothing), &tag),
                }
            }
            number += 1;
        }
        assert!(number > 10, "only {number} steps of kind {kind:?}");
    }
}

#[test]
fn a_pointer_and_a_manifest_put_back() {
    endure(&Scenario {
        prepare: &[op::first, op::changes, op::late_changes],
        damage: |store| {
            let name = format!("{:08}.json", current(store).generation);
            flip(&store.join("manifests").join(name));
            fs::write(store.join("CURRENT"), "nothing").unwrap();
        },
        after: changed_late(),
    });
}

#[test]
fn changes_that_are_put_together_anew() {
    endure(&Scenario {
        prepare: &[op::first, op::changes, op::second, op::late_changes],
        damage: |store| flip(&segment(store, &current(store).segments[1].file)),
        after: second_with_late(),
    });
}

#[test]
fn kept_withdrawals_that_are_put_together_anew() {
    endure(&Scenario {
        prepare: &[op::first, op::changes, op::second, op::late_changes],
        damage: |store| {
            let file = &current(store).kept[0].file;
            flip(&segment(store, file));
            flip(&store.join("copies").join(file));
        },
        after: second_with_late(),
    });
}

#[test]
fn a_base_in_the_place_of_a_damaged_one() {
    endure(&Scenario {
        prepare: &[op::first, op::second],
        damage: |store| flip(&segment(store, &current(store).segments[0].file)),
        after: first(),
    });
}
