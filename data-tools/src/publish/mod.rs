//! The last step of a build: guards, the comparison with what is current, and the publish; and `sltd-data publish`, which
//! takes it later.

mod args;
mod by;

pub(crate) use args::{AcceptArgs, code_of, code_of_publish, conclude};
pub use args::{PublishArgs, run};
pub(crate) use by::{Who, by};

use crate::diff::Diff;
use crate::guards::{Accepted, Limits, Trip, unlikely_notes};
use serde_json::{Value, json};
use sltd::index::{BuildOptions, Damage};
use sltd::snapshot::{
    Act, Candidate, Draft, Figures, Happening, Hold, Holder, Manifest, Origin, Pin, PublishError,
    Published, StoreWriter,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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

/// Sources that are held at what they reported before, and why: one sentence each.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds(pub BTreeMap<String, Vec<String>>);

impl Holds {
    /// Adds a reason to hold a source.
    pub fn add(&mut self, source: &str, why: impl fmt::Display) {
        let sentences = self.0.entry(source.to_owned()).or_default();
        sentences.push(why.to_string());
    }

    /// The names of the sources.
    pub fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    /// All reasons.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let sentences = self.0.iter();
        sentences.flat_map(|(source, why)| {
            why.iter()
                .map(move |why| format!("source {source} is held: {why}"))
        })
    }
}

/// What became of a base that was offered.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is current.
    Published,
    /// It was put aside, as asked.
    PutAside,
    /// A guard stood against it.
    Refused(Vec<Trip>),
    /// A pin stood against it; it was put aside.
    Withheld(Pin),
}

/// What became of a base that was offered, with all that there is to say of it.
#[derive(Debug, Clone)]
pub struct Offered {
    /// What became of it.
    pub outcome: Outcome,
    /// The manifest, of which it is current or would have been.
    pub manifest: Manifest,
    /// The sources held.
    pub holds: Holds,
    /// The sources that operators keep at the lists that they have.
    pub kept: Vec<Hold>,
    /// Whether it shows the same documents as what was current before.
    pub unchanged: bool,
    /// What tripped a guard and was accepted.
    pub accepted: Vec<Trip>,
    /// What is different from what was current before.
    pub diff: Option<Diff>,
    /// Documents by source and issuing State in it.
    pub figures: Figures,
    /// Changes that it lacks because their files are damaged: one sentence each.
    pub lost: Vec<String>,
    /// What would let all of it pass that tripped a guard: arguments of `--accept`.
    pub needed: Vec<String>,
    /// What failed once it was published, and what could not be looked at: one sentence each.
    pub warnings: Vec<String>,
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
    let mut draft = writer.draft(&chosen, act)?;
    let origin = chosen.origin().clone();
    let read = origin.sources.iter();
    let read = read.filter(|source| source.list.is_none() && !source.removed);
    let read: BTreeSet<&str> = read.map(|source| source.name.as_str()).collect();
    let mut trips = policy.limits.of_sources(&draft, &read, None);
    trips.extend(lists(&draft, &origin));
    let (formats, mut warnings) = policy.limits.formats(&draft, &read);
    trips.extend(formats);
    let (mut accepted, mut tripped) = policy.accepted.part(trips);
    let tripped_sources: BTreeSet<String> = tripped
        .iter()
        .filter_map(|trip| Some(trip.source()?.to_owned()))
        .collect();
    if !tripped.is_empty() {
        // Were all of it accepted, this would be asked for next: it is told at once.
        if let Some(overall) = policy.limits.overall(&draft) {
            policy.accepted.lets_pass(&overall);
        }
        let mut watched = read.clone();
        watched.retain(|source| tripped_sources.contains(*source));
        if policy.limits.watch_turnover(&draft, &watched) {
            let compared = compare(writer, &chosen, draft, policy)?;
            draft = compared.draft;
            let diff = compared.diff.as_ref();
            let turnovers = diff.map(|diff| policy.limits.turnovers(&draft, diff, &watched));
            let (_, more) = policy.accepted.part(turnovers.unwrap_or_default());
            tripped.extend(more);
        }
        for trip in &tripped {
            holds.add(trip.source().unwrap_or_default(), trip);
        }
        if tripped_sources.len() == read.len() {
            return Ok(refuse(draft, tripped, holds, accepted, act)?);
        }
        drop(draft);
        chosen = writer.hold(chosen, &tripped_sources, options())?;
        draft = writer.draft(&chosen, act)?;
    }
    let mut watched = read;
    watched.retain(|source| !tripped_sources.contains(*source));
    let mut diff = None;
    while policy.compare || policy.limits.watch_turnover(&draft, &watched) {
        let compared = compare(writer, &chosen, draft, policy)?;
        (draft, diff) = (compared.draft, compared.diff);
        warnings.extend(compared.warning);
        let turnovers = diff.as_ref();
        let turnovers = turnovers.map(|diff| policy.limits.turnovers(&draft, diff, &watched));
        let (let_pass, tripped) = policy.accepted.part(turnovers.unwrap_or_default());
        if tripped.is_empty() {
            accepted.extend(let_pass);
            break;
        }
        let mut held = BTreeSet::new();
        for trip in &tripped {
            holds.add(trip.source().unwrap_or_default(), trip);
            held.extend(trip.source().map(str::to_owned));
        }
        watched.retain(|source| !held.contains(*source));
        if watched.is_empty() {
            return Ok(refuse(draft, tripped, holds, accepted, act)?);
        }
        drop(draft);
        chosen = writer.hold(chosen, &held, options())?;
        draft = writer.draft(&chosen, act)?;
    }
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
        writer.put_aside(candidate)?;
        return Ok(offered(Outcome::PutAside, &draft));
    }
    if let Some(pin) = draft.before().and_then(|before| before.pinned.clone()) {
        let offered = offered(Outcome::Withheld(pin), &draft);
        draft.give_up(Happening::Withheld, act, notes)?;
        writer.put_aside(candidate)?;
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

/// Why a source keeps the list that it has.
pub(crate) fn kept_sentence(hold: &Hold) -> String {
    format!(
        "kept at the list that it has since generation {} ({:.0}, by {}): {}; `sltd-data unhold` ends it",
        hold.since, hold.at, hold.by, hold.reason
    )
}

/// A draft that was compared with what is current.
struct Compared {
    draft: Draft,
    /// `None`: nothing was published before, or it can't be compared.
    diff: Option<Diff>,
    warning: Option<String>,
}

/// Compares a draft of a candidate with what is current.
///
/// That takes a while, and deltas wait for nobody: what they publish meanwhile is in the draft that comes back.
fn compare(
    writer: &StoreWriter,
    candidate: &Candidate,
    draft: Draft,
    policy: &Policy<'_>,
) -> Result<Compared, OfferError> {
    let (before, after) = match draft.snapshots() {
        Ok(snapshots) => snapshots,
        Err(PublishError::Current(error)) if error.is_damage() => {
            let warning =
                format!("what is current is damaged, so nothing is compared with it: {error}");
            return Ok(Compared {
                draft,
                diff: None,
                warning: Some(warning),
            });
        }
        Err(error) => return Err(error.into()),
    };
    drop(draft);
    let diff = before.map(|before| Diff::of(&before, &after, policy.threads));
    let diff = diff.transpose()?;
    Ok(Compared {
        draft: writer.draft(candidate, policy.act)?,
        diff,
        warning: None,
    })
}

impl Offered {
    /// Takes what failed once it was published.
    pub(crate) fn warn(&mut self, published: &Published) {
        let warnings = published.warnings.iter();
        self.warnings.extend(warnings.map(ToString::to_string));
    }

    /// Tells all waivers that are needed at once, and warns of those that nothing needed.
    pub(crate) fn tell_waivers(&mut self, accepted: &Accepted) {
        self.needed = accepted.missing();
        if let Outcome::Refused(_) = self.outcome {
            // Not all was looked at.
            return;
        }
        for unused in accepted.unused() {
            let warning = format!("--accept {unused} was not needed: nothing tripped that guard");
            self.warnings.push(warning);
        }
    }

    /// Whether nothing was held and nothing is lost.
    pub(crate) fn is_complete(&self) -> bool {
        self.holds.0.is_empty() && self.lost.is_empty()
    }

    /// What a quiet command prints: what was held or stood against it.
    pub(crate) fn trouble(&self) -> String {
        match &self.outcome {
            Outcome::Refused(_) | Outcome::Withheld(_) => self.to_string(),
            Outcome::Published | Outcome::PutAside => {
                let sentences = self.holds.sentences();
                sentences.map(|sentence| format!("{sentence}\n")).collect()
            }
        }
    }

    /// What scripts are told beside the accounts.
    pub fn json(&self) -> Value {
        let sentences = |trips: &[Trip]| -> Vec<Value> {
            let trip = |trip: &Trip| json!({ "what": trip.to_string(), "accept": trip.flag() });
            trips.iter().map(trip).collect()
        };
        let (outcome, refused) = match &self.outcome {
            Outcome::Published => ("published", Vec::new()),
            Outcome::PutAside => ("putAside", Vec::new()),
            Outcome::Refused(trips) => ("refused", sentences(trips)),
            Outcome::Withheld(_) => ("withheld", Vec::new()),
        };
        let held = self.holds.0.iter();
        let held = held.map(|(source, why)| json!({ "source": source, "why": why }));
        json!({
            "outcome": outcome,
            "held": held.collect::<Vec<_>>(),
            "kept": self.kept,
            "unchanged": self.unchanged,
            "refused": refused,
            "accepted": sentences(&self.accepted),
            "diff": self.diff.as_ref().map(Diff::json),
            "lost": self.lost,
            "needed": self.needed,
            "warnings": self.warnings,
        })
    }
}

impl fmt::Display for Offered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for trip in &self.accepted {
            writeln!(f, "accepted: {trip}")?;
        }
        for sentence in self.holds.sentences() {
            writeln!(f, "{sentence}")?;
        }
        for sentence in &self.lost {
            writeln!(f, "LOST: {sentence}; publish them again")?;
        }
        for hold in &self.kept {
            writeln!(f, "source {}: {}", hold.source, kept_sentence(hold))?;
        }
        if !self.needed.is_empty() {
            let needed = self.needed.iter();
            let needed: Vec<_> = needed.map(|what| format!("--accept {what}")).collect();
            writeln!(f, "to let all of it pass: {}", needed.join(" "))?;
        }
        let Manifest {
            generation,
            documents,
            ..
        } = self.manifest;
        match &self.outcome {
            Outcome::Published => {
                let segments = self.manifest.segments.iter();
                let bytes: u64 = segments.map(|segment| segment.length).sum();
                writeln!(
                    f,
                    "published generation {generation}: {documents} documents, {bytes} bytes"
                )?;
                if self.unchanged {
                    let base = self.manifest.base;
                    writeln!(
                        f,
                        "no document changed: the base of generation {base} is continued"
                    )?;
                }
                Ok(())
            }
            Outcome::PutAside => writeln!(
                f,
                "not published: {documents} documents were put aside; `sltd-data publish` publishes them"
            ),
            Outcome::Refused(trips) => {
                writeln!(f, "refused, nothing was published:")?;
                trips.iter().try_for_each(|trip| writeln!(f, "  {trip}"))
            }
            Outcome::Withheld(pin) => writeln!(
                f,
                "withheld: generation {} has pinned the base (by {}: {}); {documents} documents were put aside; \
                 `sltd-data unpin`, then `sltd-data publish` publishes them",
                pin.since, pin.by, pin.reason
            ),
        }
    }
}
