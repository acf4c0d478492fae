//! What became of a base that was offered, in words and for programs.

use crate::diff::Diff;
use crate::guards::{Accepted, Trip};
use serde_json::{Value, json};
use sltd::snapshot::{Figures, Hold, Manifest, Pin, Published};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

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

/// Why a source keeps the list that it has.
pub(crate) fn kept_sentence(hold: &Hold) -> String {
    format!(
        "kept at the list that it has since generation {} ({:.0}, by {}): {}; `sltd-data unhold` ends it",
        hold.since, hold.at, hold.by, hold.reason
    )
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
