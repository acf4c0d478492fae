//! The last step of a build: guards, the comparison with what is current, and the publish; and `sltd-data publish`, which
//! takes it later.

mod args;
mod by;
mod offered;

pub(crate) use args::{AcceptArgs, code_of, code_of_publish, conclude};
pub use args::{PublishArgs, run};
pub(crate) use by::{Who, by};
pub(crate) use offered::kept_sentence;
pub use offered::{Holds, Offered, Outcome};

use crate::diff::Diff;
use crate::guards::{Accepted, Limits, Trip, unlikely_notes};
use sltd::index::{BuildOptions, Damage};
use sltd::snapshot::{
    Act, Candidate, Draft, Happening, Hold, Holder, Manifest, Origin, PublishError, StoreWriter,
};
use std::collections::BTreeSet;

/// So many times a base is compared with what is current, if others publish each time while that is done.
const COMPARISONS_MAX: u32 = 3;

/// How a base is offered.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    /// What trips a guard.
    pub limits: &'a Limits,
    /// What is accepted all the same.
    pub accepted: &'a Accepted,
    /// When, by whom, and why.
    pub act: Act<'a>,
    /// Whether it is only put aside, to be published later.
    pub put_aside: bool,
    /// Whether it is compared with what is current.
    pub compare: bool,
    /// Bytes of rows to hold in memory at the most.
    pub memory: u64,
    /// Threads, at least one.
    pub threads: usize,
}

/// Why a base could not be offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// The store could not be changed.
    #[error("{}", not_published(.0))]
    Publish(#[from] PublishError),
    /// It could not be compared with what is current.
    #[error("the snapshots can't be compared: {0}; nothing was published")]
    Compare(#[from] Damage),
}

/// Why nothing was published, or why that is not certain.
pub(crate) fn not_published(error: &PublishError) -> String {
    match error.leaves_current() {
        true => format!("{error}; nothing was published"),
        false => error.to_string(),
    }
}

/// Offers a base: holds the sources that trip a guard, and publishes the rest if nothing stands against that.
///
/// `holds` are the sources held so far; `show` is told the differences before anything is published.
///
/// # Errors
/// [`OfferError`]; what was current stays so, unless that says otherwise.
pub fn offer(
    writer: &StoreWriter,
    candidate: &Candidate,
    holds: Holds,
    policy: &Policy<'_>,
    show: &mut dyn FnMut(&Diff),
) -> Result<Offered, OfferError> {
    let mut offered = offer_held(writer, candidate, holds, policy, show)?;
    offered.tell_waivers(policy.accepted);
    Ok(offered)
}

fn offer_held(
    writer: &StoreWriter,
    candidate: &Candidate,
    mut holds: Holds,
    policy: &Policy<'_>,
    show: &mut dyn FnMut(&Diff),
) -> Result<Offered, OfferError> {
    let act = policy.act;
    let options = || BuildOptions {
        memory: policy.memory,
        threads: policy.threads,
        scratch: writer.building(),
    };
    let mut chosen = candidate.clone();
    let kept = writer.kept_by_operators(&chosen)?;
    if !kept.is_empty() {
        chosen = writer.hold(chosen, &kept, options())?;
    }
    let origin = chosen.origin().clone();
    let read = origin.sources.iter();
    let read = read.filter(|source| source.list.is_none() && !source.removed);
    let read: BTreeSet<&str> = read.map(|source| source.name.as_str()).collect();
    let mut held = BTreeSet::new();
    let mut all_tripped = Vec::new();
    let mut compared: Option<Compared> = None;
    let mut comparisons = 0;
    let mut compare_warnings = Vec::new();
    // Whenever the draft is put together anew, others may have published meanwhile: all guards are asked again, so that
    // what is published in the end has passed all of them.
    let (mut draft, mut accepted, mut warnings) = loop {
        let draft = writer.draft(&chosen, act)?;
        let mut watched = read.clone();
        watched.retain(|source| !held.contains(*source));
        let mut trips = policy.limits.of_sources(&draft, &watched, None);
        let of_lists = lists(&draft, &origin).into_iter();
        trips.extend(of_lists.filter(|trip| trip.source().is_some_and(|of| watched.contains(of))));
        let (formats, warnings) = policy.limits.formats(&draft, &watched);
        trips.extend(formats);
        let base = draft.segments().get(..1).unwrap_or_default();
        trips.extend(policy.limits.reports((base, &[]), &watched)?);
        let (mut accepted, mut tripped) = policy.accepted.part(trips);
        if !tripped.is_empty() {
            // Were all of it accepted, this and the turnover would be asked for next: they are told at once.
            if let Some(overall) = policy.limits.overall(&draft) {
                policy.accepted.lets_pass(&overall);
            }
            let sources: BTreeSet<&str> = tripped.iter().filter_map(Trip::source).collect();
            watched.retain(|source| sources.contains(source));
        }
        let to_compare =
            policy.limits.watch_turnover(&draft, &watched) || policy.compare && tripped.is_empty();
        let before = draft.before().map(|before| before.generation);
        if to_compare {
            // A comparison takes a while, and deltas wait for nobody: after some it may be with what was current a
            // moment ago.
            let is_done = compared.as_ref().is_some_and(|compared| {
                compared.before == before || comparisons >= COMPARISONS_MAX
            });
            if !is_done {
                comparisons += 1;
                compared = Some(compare(draft, before, policy, &mut compare_warnings)?);
                continue;
            }
            let diff = compared
                .as_ref()
                .and_then(|compared| compared.diff.as_ref());
            let turnovers = diff.map(|diff| policy.limits.turnovers(&draft, diff, &watched));
            let (let_pass, more) = policy.accepted.part(turnovers.unwrap_or_default());
            accepted.extend(let_pass);
            tripped.extend(more);
        }
        if tripped.is_empty() {
            break (draft, accepted, warnings);
        }
        let mut newly_held = BTreeSet::new();
        for trip in &tripped {
            holds.add(trip.source().unwrap_or_default(), trip);
            newly_held.extend(trip.source().map(str::to_owned));
        }
        all_tripped.extend(tripped);
        held.extend(newly_held.iter().cloned());
        if read.iter().all(|source| held.contains(*source)) {
            return Ok(refuse(draft, all_tripped, holds, accepted, act)?);
        }
        drop(draft);
        chosen = writer.hold(chosen, &newly_held, options())?;
        (compared, comparisons) = (None, 0);
    };
    compare_warnings.dedup();
    warnings.append(&mut compare_warnings);
    let mut diff = compared.and_then(|compared| compared.diff);
    if !policy.compare {
        diff = None;
    }
    if let Some(diff) = &diff {
        show(diff);
    }
    if let Some(overall) = policy.limits.overall(&draft) {
        if !policy.accepted.lets_pass(&overall) {
            return Ok(refuse(draft, vec![overall], holds, accepted, act)?);
        }
        accepted.push(overall);
    }
    let mut notes: Vec<String> = holds.sentences().collect();
    let held = holds.0.iter();
    draft.hold_by_guard(held.map(|(source, why)| (source.as_str(), why.join("; "))));
    let unchanged = match &diff {
        Some(diff) => diff.all.total() == 0,
        None => draft.has_current_segments(),
    };
    if unchanged {
        draft.continue_base();
        notes.push("no document changed: the base before is continued".to_owned());
    }
    notes.extend(accepted.iter().map(|trip| format!("accepted: {trip}")));
    notes.extend(unlikely_notes(draft.manifest()));
    let lost = draft.lost().iter();
    let lost: Vec<String> = lost.map(ToString::to_string).collect();
    notes.extend(lost.iter().cloned());
    let offered = |outcome, draft: &Draft| Offered {
        outcome,
        manifest: draft.manifest().clone(),
        figures: draft.figures(),
        holds,
        kept: kept_lists(draft.manifest()),
        unchanged,
        accepted,
        diff,
        lost,
        needed: Vec::new(),
        warnings,
    };
    if policy.put_aside {
        writer.put_aside(candidate, &policy.accepted.flags())?;
        return Ok(offered(Outcome::PutAside, &draft));
    }
    if let Some(pin) = draft.before().and_then(|before| before.pinned.clone()) {
        let offered = offered(Outcome::Withheld(pin), &draft);
        draft.give_up(Happening::Withheld, act, notes)?;
        writer.put_aside(candidate, &policy.accepted.flags())?;
        return Ok(offered);
    }
    let mut offered = offered(Outcome::Published, &draft);
    offered.warn(&draft.publish(notes)?);
    Ok(offered)
}

/// Leaves what is current as it is because of a guard.
///
/// # Errors
/// [`PublishError`] when the history can't be written.
pub(crate) fn refuse(
    draft: Draft,
    trips: Vec<Trip>,
    holds: Holds,
    accepted: Vec<Trip>,
    act: Act<'_>,
) -> Result<Offered, PublishError> {
    // What stands is what stood.
    let before = draft.before().map(|before| before.sources.clone());
    let offered = Offered {
        manifest: Manifest {
            sources: before.unwrap_or_default(),
            ..draft.manifest().clone()
        },
        figures: match draft.reference() {
            Some(reference) => reference.figures.clone(),
            None => draft.figures(),
        },
        outcome: Outcome::Refused(trips.clone()),
        holds,
        kept: kept_lists(draft.manifest()),
        unchanged: false,
        accepted,
        diff: None,
        lost: Vec::new(),
        needed: Vec::new(),
        warnings: Vec::new(),
    };
    let notes = trips.iter().map(ToString::to_string).collect();
    draft.give_up(Happening::Refused, act, notes)?;
    Ok(offered)
}

/// What stands against the lists of a candidate, which may have been put aside for long.
fn lists(draft: &Draft, origin: &Origin) -> Vec<Trip> {
    let Some(before) = draft.before() else {
        return Vec::new();
    };
    let read = origin.sources.iter();
    read.filter(|source| source.list.is_none() && !source.removed)
        .flat_map(|source| Trip::of_list(source, before))
        .collect()
}

/// The sources that operators keep at the lists that they have.
pub(crate) fn kept_lists(manifest: &Manifest) -> Vec<Hold> {
    let held = manifest.held.iter();
    let kept = held.filter(|hold| hold.holder == Holder::Operator);
    kept.cloned().collect()
}

/// How a draft differs from what was current.
struct Compared {
    /// The generation that it was compared with.
    before: Option<u64>,
    /// `None`: nothing was published before, or it can't be compared.
    diff: Option<Diff>,
}

/// Compares a draft with what is current, without keeping others from publishing meanwhile.
fn compare(
    draft: Draft,
    generation: Option<u64>,
    policy: &Policy<'_>,
    warnings: &mut Vec<String>,
) -> Result<Compared, OfferError> {
    let (before, after) = match draft.snapshots() {
        Ok(snapshots) => snapshots,
        Err(PublishError::Current(error)) if error.is_damage() => {
            warnings.push(format!(
                "what is current is damaged, so nothing is compared with it: {error}"
            ));
            return Ok(Compared {
                before: generation,
                diff: None,
            });
        }
        Err(error) => return Err(error.into()),
    };
    drop(draft);
    let diff = before.map(|before| Diff::of(&before, &after, policy.threads));
    Ok(Compared {
        before: generation,
        diff: diff.transpose()?,
    })
}
