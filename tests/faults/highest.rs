//! What a server remembers of a store, with every step of that failing: nothing that was served is forgotten.

use super::endure::{Place, losses};
use super::operations::{first, second};
use rustix::io::Errno;
use sltd::files::faults::{Disk, Fault, Image, Kind, Loss, Plan};
use sltd::snapshot::{HighestSeen, HighestSeenError, LoadError, LoadOptions, Store, Terms};
use std::path::Path;

/// Loads what is current; returns its generation.
fn load(store: &Path, state: &Path) -> Result<u64, LoadError> {
    let terms = Terms::default().remembering(HighestSeen::at(state)?);
    let store = Store::open(store)?.with_terms(terms);
    let snapshot = store.load_current(&LoadOptions::default())?;
    Ok(snapshot.generation())
}

#[test]
fn what_was_served_is_not_forgotten() {
    let place = Place::with(&Image::default());
    let store = place.store();
    first(&store).unwrap();
    let old = std::fs::read(store.join("CURRENT")).unwrap();
    let seen = Place::with(&Image::default());
    std::fs::create_dir(seen.store()).unwrap();
    load(&store, &seen.store()).unwrap();
    let seen = Disk::watch(&seen.store(), None)
        .unwrap()
        .after(Loss::Nothing);
    second(&store).unwrap();
    let new = std::fs::read(store.join("CURRENT")).unwrap();
    let faults = [
        (Kind::Change, Fault::Fails(Errno::NOSPC)),
        (Kind::Change, Fault::Torn(Errno::IO)),
        (Kind::Change, Fault::Dies),
        (Kind::Change, Fault::DiesWithin),
        (Kind::Read, Fault::Fails(Errno::IO)),
    ];
    for (kind, fault) in faults {
        for number in 0.. {
            let plan = Plan {
                kind,
                number,
                fault,
            };
            let state = Place::with(&Image::default());
            std::fs::create_dir(state.store()).unwrap();
            seen.write_to(&state.store()).unwrap();
            let disk = Disk::watch(&state.store(), Some(plan)).unwrap();
            let loaded = load(&store, &state.store());
            let met = disk.met();
            // A fault must not be taken for what is remembered being damaged, which asks for a person.
            match &loaded {
                Ok(generation) => assert_eq!((*generation, &met), (2, &None)),
                Err(LoadError::HighestSeen(HighestSeenError::Io { .. })) => {}
                Err(error) => panic!("{plan:?} met {met:?}: {error}"),
            }
            for loss in losses(number) {
                let after = Place::with(&Image::default());
                std::fs::create_dir(after.store()).unwrap();
                disk.after(loss).write_to(&after.store()).unwrap();
                std::fs::write(store.join("CURRENT"), &old).unwrap();
                let older = load(&store, &after.store());
                let refused = matches!(
                    older,
                    Err(LoadError::HighestSeen(HighestSeenError::Older { .. }))
                );
                let served = matches!(older, Ok(1)) && loaded.is_err();
                assert!(
                    refused || served,
                    "{plan:?} met {met:?}, {loss:?} lost: {older:?}"
                );
                std::fs::write(store.join("CURRENT"), &new).unwrap();
                assert_eq!(load(&store, &after.store()).unwrap(), 2);
            }
            if met.is_none() {
                assert!(number > 0);
                break;
            }
        }
    }
}
