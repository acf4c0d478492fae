//! The last step of a delta: guards, and the publish.

use super::Changes;
use crate::publish::{Holds, Offered, Outcome, kept_lists, refuse};
use sltd::snapshot::{Act, Delta, PublishError, SourceEntry};

/// Publishes the changes of all sources that are not held already and trip no guard.
///
/// # Errors
/// [`PublishError`]; [`PublishError::Overtaken`] when something else was published since the snapshot was opened.
pub(super) fn offer(
    delta: &Delta,
    mut built: sltd::snapshot::Changes,
    (mut entries, mut holds): (Vec<SourceEntry>, Holds),
    changes: &Changes<'_>,
) -> Result<Offered, PublishError> {
    let limits = &changes.sources.guards;
    let act = Act {
        at: changes.now,
        by: changes.by,
        reason: "",
    };
    let mut held = holds.names();
    // What is held may have hidden or shown what others report: all guards are asked again without it.
    let (draft, mut accepted) = loop {
        if !held.is_empty() {
            entries.retain(|entry| !held.contains(&entry.name));
            built = delta.without(&built, &held)?;
        }
        let draft = delta.draft(&built, &entries, act)?;
        let names = entries.iter().map(|entry| entry.name.as_str()).collect();
        // What was there before the delta is not asked for again.
        let segments = (draft.segments(), delta.snapshot().segments());
        let mut withdrawn = built.withdrawn();
        withdrawn.retain(|source, _| !holds.0.contains_key(source));
        let mut trips = limits.of_sources(&draft, &names, Some(&withdrawn));
        trips.extend(limits.withdrawals(&draft, &withdrawn));
        trips.extend(limits.reports(segments, &names)?);
        let (accepted, tripped) = changes.accepted.part(trips);
        if tripped.is_empty() {
            break (draft, accepted);
        }
        if let Some(overall) = limits.overall(&draft) {
            // Were all of it accepted, this would be asked for next: it is told at once.
            changes.accepted.lets_pass(&overall);
        }
        for trip in &tripped {
            holds.add(trip.source().unwrap_or_default(), trip);
        }
        held = holds.names();
        if entries.iter().all(|entry| held.contains(&entry.name)) {
            return refuse(draft, tripped, holds, accepted, act);
        }
    };
    let mut draft = draft;
    let overall = limits.overall(&draft);
    if let Some(overall) = &overall {
        if !changes.accepted.lets_pass(overall) {
            return refuse(draft, vec![overall.clone()], holds, accepted, act);
        }
        accepted.push(overall.clone());
    }
    if !accepted.is_empty() {
        let which = |source: &str, state: &str| {
            accepted.iter().any(|trip| {
                let of_state = trip.issuing_state().is_none_or(|of_trip| of_trip == state);
                trip.source() == Some(source) && of_state
            })
        };
        draft.accept(which, overall.is_some());
    }
    let mut notes: Vec<String> = holds.sentences().collect();
    notes.extend(accepted.iter().map(|trip| format!("accepted: {trip}")));
    let mut offered = Offered {
        outcome: Outcome::Published,
        manifest: draft.manifest().clone(),
        figures: draft.figures(),
        holds,
        kept: kept_lists(draft.manifest()),
        unchanged: false,
        accepted,
        diff: None,
        lost: Vec::new(),
        needed: Vec::new(),
        warnings: Vec::new(),
    };
    offered.warn(&draft.publish(notes)?);
    Ok(offered)
}
