//! What is done to a store.

use super::store::{ACT, FIRST, LATE, LISTED, SECOND, list, say};
use sltd::report::ReportStatus::{Lost, Stolen};
use sltd::snapshot::signature::SigningKey;
use sltd::snapshot::{Happening, PublishError, Published, Rollback, Store, Terms};
use std::collections::BTreeSet;
use std::path::Path;

/// What an operation came to: `None` where it publishes nothing.
pub(crate) type Outcome = Result<Option<Published>, PublishError>;
pub(crate) type Operation = fn(&Path) -> Outcome;

/// The rows of a list.
type Rows = [(
    &'static str,
    std::ops::Range<u64>,
    sltd::report::ReportStatus,
); 2];
const FIRST_ROWS: Rows = [("own", 0..12, Lost), ("second", 19..20, Stolen)];
const SECOND_ROWS: Rows = [("own", 6..18, Stolen), ("second", 19..20, Stolen)];

pub(crate) fn first(store: &Path) -> Outcome {
    publish_list(store, FIRST, &FIRST_ROWS, None)
}

/// The same, of which alone the bases are kept.
pub(crate) fn first_and_only(store: &Path) -> Outcome {
    publish_list(store, FIRST, &FIRST_ROWS, Some(1))
}

pub(crate) fn second(store: &Path) -> Outcome {
    publish_list(store, SECOND, &SECOND_ROWS, None)
}

fn publish_list(store: &Path, as_of: i64, rows: &Rows, bases_kept: Option<u32>) -> Outcome {
    let writer = Store::writer(store)?;
    let candidate = list(&writer, as_of, rows, bases_kept)?;
    writer.draft(&candidate, ACT)?.publish(Vec::new()).map(Some)
}

/// Signed with a key that only this process knows.
pub(crate) fn second_signed(store: &Path) -> Outcome {
    let key = SigningKey::generate().unwrap();
    let terms = Terms::default().signing(vec![key]).unwrap();
    let writer = Store::writer(store)?.with_terms(terms);
    let candidate = list(&writer, SECOND, &SECOND_ROWS, None)?;
    writer.draft(&candidate, ACT)?.publish(Vec::new()).map(Some)
}

pub(crate) fn second_with_own_held(store: &Path) -> Outcome {
    let writer = Store::writer(store)?;
    let candidate = list(&writer, SECOND, &SECOND_ROWS, None)?;
    let held = BTreeSet::from(["own".to_owned()]);
    let options = super::store::options(writer.building());
    let candidate = writer.hold(candidate, &held, options)?;
    writer.draft(&candidate, ACT)?.publish(Vec::new()).map(Some)
}

/// What the first list does not know yet, but the second.
pub(crate) fn changes(store: &Path) -> Outcome {
    say(store, LISTED, &[(20, true), (21, true), (0, false)]).map(Some)
}

/// What no list knows.
pub(crate) fn late_changes(store: &Path) -> Outcome {
    say(store, LATE, &[(23, true)]).map(Some)
}

pub(crate) fn compact(store: &Path) -> Outcome {
    let writer = Store::writer(store)?;
    let compacted = writer.compact(super::store::options(writer.building()))?;
    let draft = writer.draft_compacted(&compacted.unwrap(), ACT)?;
    draft.unwrap().publish(Vec::new()).map(Some)
}

pub(crate) fn roll_back(store: &Path) -> Outcome {
    let rollback = Rollback {
        to: None,
        with_changes: true,
    };
    let draft = Store::open(store)?.roll_back(rollback, ACT)?;
    draft.publish(Vec::new()).map(Some)
}

pub(crate) fn unpin(store: &Path) -> Outcome {
    let draft = Store::open(store)?.unpin(ACT)?;
    draft.publish(Vec::new()).map(Some)
}

pub(crate) fn retract(store: &Path) -> Outcome {
    let draft = Store::open(store)?.retract("second", ACT)?;
    draft.publish(Vec::new()).map(Some)
}

pub(crate) fn lift(store: &Path) -> Outcome {
    let draft = Store::open(store)?.lift("second", ACT)?;
    draft.publish(Vec::new()).map(Some)
}

pub(crate) fn hold(store: &Path) -> Outcome {
    let draft = Store::open(store)?.hold("second", ACT)?;
    draft.publish(Vec::new()).map(Some)
}

pub(crate) fn unhold(store: &Path) -> Outcome {
    let draft = Store::open(store)?.unhold("second", ACT)?;
    draft.publish(Vec::new()).map(Some)
}

pub(crate) fn put_aside(store: &Path) -> Outcome {
    let writer = Store::writer(store)?;
    let candidate = list(&writer, SECOND, &SECOND_ROWS, None)?;
    writer.put_aside(&candidate, &["overall".to_owned()])?;
    Ok(None)
}

pub(crate) fn publish_aside(store: &Path) -> Outcome {
    let writer = Store::writer(store)?;
    let candidate = writer.take_up()?.unwrap();
    let published = writer.draft(&candidate, ACT)?.publish(Vec::new())?;
    // Whoever finds it later knows that it was published.
    let _ = writer.drop_aside();
    Ok(Some(published))
}

pub(crate) fn prune(store: &Path) -> Outcome {
    Store::open(store)?.prune(1)?;
    Ok(None)
}

pub(crate) fn refuse(store: &Path) -> Outcome {
    let writer = Store::writer(store)?;
    let candidate = list(&writer, SECOND, &SECOND_ROWS, None)?;
    let draft = writer.draft(&candidate, ACT)?;
    draft.give_up(Happening::Refused, ACT, vec!["too many".to_owned()])?;
    Ok(None)
}
