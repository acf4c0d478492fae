//! An operation with a fault at every step of it.

use super::operations::Operation;
use super::store::{Shown, go_on, served};
use rustix::io::Errno;
use sltd::files::faults::{Disk, Fault, Image, Kind, Loss, Plan};
use sltd::index::BuildError;
use sltd::snapshot::PublishError;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// An operation on a store that others have prepared.
pub(crate) struct Scenario<'a> {
    /// What is served before; `None`: there is no store.
    pub before: Option<Shown>,
    pub prepare: &'a [Operation],
    pub act: Operation,
    /// What is served afterwards.
    pub after: Shown,
}

const ERRNOS: [Errno; 4] = [Errno::IO, Errno::NOSPC, Errno::ROFS, Errno::ACCESS];
/// Draws of what is lost of all that was not synced.
const DRAWS: u64 = 4;
const DRAWS_OF_ALL: u64 = 64;

/// Whether everything is tried that there is.
fn all() -> bool {
    std::env::var_os("SLTD_FAULTS").is_some_and(|which| which == "all")
}

/// Those that are tried at a step: in its turn one, or all.
fn at_step<const N: usize>(errnos: [Errno; N], number: u64) -> Vec<Errno> {
    match all() {
        true => errnos.to_vec(),
        false => vec![errnos[number as usize % N]],
    }
}

/// The faults that are tried at a step.
fn faults(kind: Kind, number: u64) -> Vec<Fault> {
    let errnos = at_step(ERRNOS, number).into_iter();
    let mut faults: Vec<Fault> = errnos.map(Fault::Fails).collect();
    match kind {
        Kind::Read => faults.push(Fault::Stays(Errno::IO)),
        Kind::Change => {
            let stays = at_step([Errno::NOSPC, Errno::ROFS], number).into_iter();
            faults.extend(stays.map(Fault::Stays));
            faults.push(Fault::Dies);
        }
    }
    faults
}

/// Those that are tried besides if the step is a write.
fn faults_of_writes(number: u64) -> Vec<Fault> {
    let errnos = at_step([Errno::NOSPC, Errno::IO], number).into_iter();
    let mut faults: Vec<Fault> = errnos.map(Fault::Torn).collect();
    faults.push(Fault::DiesWithin);
    faults
}

/// What is lost with the process and the power.
pub(crate) fn losses(number: u64) -> Vec<Loss> {
    let draws = if all() { DRAWS_OF_ALL } else { DRAWS };
    let mut losses = vec![
        Loss::Nothing,
        Loss::Everything,
        Loss::Contents,
        Loss::Halves,
        Loss::Zeros,
    ];
    losses.extend((0..draws).map(|draw| Loss::Any(number * draws + draw)));
    losses
}

/// A folder of its own for a store.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn with(image: &Image) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        image.write_to(place.0.path()).unwrap();
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    pub(crate) fn watch(&self, plan: Option<Plan>) -> Disk {
        Disk::watch(self.0.path(), plan).unwrap()
    }
}

/// Tries an operation with faults at every step, and holds all that they leave against what must be there.
pub(crate) fn endure(scenario: Scenario<'_>) {
    let place = Place::with(&Image::default());
    let disk = place.watch(None);
    for prepare in scenario.prepare {
        prepare(&place.store()).unwrap();
    }
    let prepared = disk.after(Loss::Nothing);
    let now = |tag: &str| current(&place.store(), &|| tag.to_owned());
    let before = now("before");
    let shown = |current: &Current| current.as_ref().map(|(_, shown)| shown.clone());
    assert_eq!(shown(&before), scenario.before);
    (scenario.act)(&place.store()).unwrap();
    let after = now("after");
    assert_eq!(shown(&after), Some(scenario.after));
    drop(disk);
    let mut trial = Trial {
        act: scenario.act,
        before,
        after,
        prepared,
        judged: HashMap::new(),
    };
    for kind in [Kind::Change, Kind::Read] {
        let mut number = 0;
        while trial.at(kind, number) {
            number += 1;
        }
        // An operation that nothing could go wrong with would prove nothing.
        assert!(number > 10, "only {number} steps of kind {kind:?}");
    }
}

/// What is served: generation, and what is shown. `None`: there is no store.
type Current = Option<(u64, Shown)>;

fn current(store: &Path, tag: &dyn Fn() -> String) -> Current {
    let there = store.join("CURRENT").exists();
    there.then(|| served(store, tag))
}

/// What must be current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Old,
    New,
    Either,
}

struct Trial {
    act: Operation,
    before: Current,
    after: Current,
    /// What is in the folder before the operation.
    prepared: Image,
    /// What was current in folders that were judged already. What is in the folders of scratch files tells none from
    /// others: nobody reads it.
    judged: HashMap<blake3::Hash, Current>,
}

impl Trial {
    /// Tries all faults at one step; false when there is no such step any more.
    fn at(&mut self, kind: Kind, number: u64) -> bool {
        let mut faults = VecDeque::from(faults(kind, number));
        let mut more = (kind == Kind::Change).then(|| faults_of_writes(number));
        while let Some(fault) = faults.pop_front() {
            let plan = Plan {
                kind,
                number,
                fault,
            };
            let Some(met) = self.meet(plan) else {
                return false;
            };
            if met.starts_with("write") {
                faults.extend(more.take().unwrap_or_default());
            }
        }
        true
    }

    /// Tries one fault; returns what has met it, if anything.
    fn meet(&mut self, plan: Plan) -> Option<String> {
        let place = Place::with(&self.prepared);
        let disk = place.watch(Some(plan));
        let outcome = (self.act)(&place.store());
        let Some(met) = disk.met() else {
            outcome.unwrap();
            return None;
        };
        let said = match &outcome {
            Ok(Some(published)) => format!("published, {:?}", published.warnings),
            Ok(None) => "done".to_owned(),
            Err(error) => error.to_string(),
        };
        let tag = || format!("{plan:?} met {met}: {said}");
        // A panic in a worker is an error to others.
        let panicked = matches!(outcome, Err(PublishError::Write(BuildError::Worker)));
        assert!(!panicked, "{}", tag());
        let expected = match &outcome {
            Ok(_) => Expected::New,
            Err(error) if error.leaves_current() => Expected::Old,
            Err(_) => Expected::Either,
        };
        if matches!(plan.fault, Fault::Dies | Fault::DiesWithin) {
            drop(place);
            let expected = match expected {
                // What was said after the pointer was replaced.
                Expected::New => Expected::New,
                // Nobody was left to hear it.
                Expected::Old | Expected::Either => Expected::Either,
            };
            for loss in losses(plan.number) {
                let tag = || format!("{}, {loss:?} lost", tag());
                self.judge_image(&disk.after(loss), expected, &tag);
            }
            return Some(met);
        }
        disk.mend();
        if expected == Expected::New {
            // It was said, so it is durable.
            let tag = || format!("{}, then all lost", tag());
            self.judge_image(&disk.after(Loss::Everything), expected, &tag);
        }
        let digest = disk.after(Loss::Nothing).digest(scratch);
        if !self.judged.contains_key(&digest) {
            let current = self.judge(&place.store(), &disk, &tag);
            self.judged.insert(digest, current);
        }
        self.expect(digest, expected, &tag);
        Some(met)
    }

    fn judge_image(&mut self, image: &Image, expected: Expected, tag: &dyn Fn() -> String) {
        let digest = image.digest(scratch);
        if !self.judged.contains_key(&digest) {
            let place = Place::with(image);
            let disk = place.watch(None);
            let current = self.judge(&place.store(), &disk, tag);
            self.judged.insert(digest, current);
        }
        self.expect(digest, expected, tag);
    }

    /// Holds a folder that was judged against what must be current.
    fn expect(&self, digest: blake3::Hash, expected: Expected, tag: &dyn Fn() -> String) {
        let current = &self.judged[&digest];
        let (old, new) = (*current == self.before, *current == self.after);
        let fits = match expected {
            Expected::Old => old,
            Expected::New => new,
            Expected::Either => old || new,
        };
        assert!(fits, "{}: {expected:?} expected, {current:?}", tag());
    }

    /// Finds out what is current, goes on with the store, and holds it against what must be current then, also if the
    /// power went.
    fn judge(&self, store: &Path, disk: &Disk, tag: &dyn Fn() -> String) -> Current {
        let current = current(store, tag);
        let next = go_on(store, current.as_ref().map(|(_, shown)| shown), tag);
        let place = Place::with(&disk.after(Loss::Everything));
        let lost = || format!("{}, then went on, then all lost", tag());
        assert_eq!(served(&place.store(), &lost).1, next, "{}", lost());
        current
    }
}

/// Whether a folder is one of scratch files.
pub(crate) fn scratch(folder: &Path) -> bool {
    ["store/building", "store/publishing"]
        .map(Path::new)
        .contains(&folder)
}
