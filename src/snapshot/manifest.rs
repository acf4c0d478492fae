//! What a snapshot consists of, as a file.

use super::counts::CountChange;
use super::figures::Measure;
use super::intervention::{Hold, Holder, Pin, Retraction, UndoneList};
use super::precedence::{Lists, Retracted};
use super::retention::BASES_KEPT;
use super::row_account::RowAccount;
use super::store::Pointer;
use super::terms::Terms;
use crate::document::{DocumentNumber, Exemption, IssuingState, Placeholders};
use crate::index::{Edition, Segment};
use crate::report::Day;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The version this program writes and the only one it reads.
pub(super) const FORMAT: u32 = 4;

/// A snapshot: its segments and the sources they were built from.
///
/// Stored as JSON; unknown fields are refused, as what a newer program meant by them is unknown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of this form.
    pub format: u32,
    /// Random id of the store, given to its first snapshot and kept by all others.
    pub store: String,
    /// Rises by at least one with every publish.
    pub generation: u64,
    /// The manifest that was current before; unset in the store's first.
    pub previous: Option<Previous>,
    /// What made it.
    pub event: Event,
    /// When it was made current.
    pub published_at: Timestamp,
    /// Who made it current.
    pub by: String,
    /// Why; empty: not said.
    pub reason: String,
    /// When the data were put together: what the snapshot's age counts from.
    pub built_at: Timestamp,
    /// After this the data must not be relied on; unset: no such limit.
    pub not_after: Option<Timestamp>,
    /// The day whose end decided which reports had expired.
    pub as_of: Day,
    /// The generation that published the base first; later builds that changed no document continue it.
    pub base: u64,
    /// When the last build put the base together, also one that changed no document.
    pub base_built_at: Timestamp,
    /// Bases that are kept to go back to, with the changes since.
    pub bases_kept: u32,
    /// Changes published before this generation are not carried into a base that is published later.
    pub changes_since: u64,
    /// Documents reported, but for those that only sources out of service report.
    pub documents: u64,
    /// The segments: the base, then those of what has changed since, newest last. Of the documents of a number and State that
    /// several hold, the newest holds all that answers depend on.
    pub segments: Vec<SegmentEntry>,
    /// Segments of all that was said, is no report, and may matter to what is said later, newest last: withdrawals, above
    /// all. Servers do not open them. Of the documents of a number and State the newest that holds any holds all.
    pub kept: Vec<SegmentEntry>,
    /// How the changes change the base's counts.
    pub counts: Vec<CountChange>,
    /// How the counts change further because sources are out of service.
    pub hidden: Vec<CountChange>,
    /// Sources out of service: nothing that they say counts.
    pub retracted: Vec<Retraction>,
    /// Sources kept at the lists that they have.
    pub held: Vec<Hold>,
    /// Set: no build replaces the base.
    pub pinned: Option<Pin>,
    /// Lists that rollbacks have taken out: a build of one of them is held until that is accepted.
    pub undone: Vec<UndoneList>,
    /// What later publications are measured against; unset: what the one before was.
    pub measure: Option<Measure>,
    /// The sources, in the order of `sources.toml`.
    pub sources: Vec<SourceEntry>,
    /// The changes that this generation has brought, as they came: what is applied anew to another base.
    pub delta: Option<DeltaEntry>,
}

/// The manifest that was current before another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// Its generation.
    pub generation: u64,
    /// BLAKE3 of its file, hexadecimal.
    pub digest: String,
}

/// What made a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A build from lists.
    Build,
    /// Changes to what was there.
    Delta,
    /// The same, in fewer segments.
    Compact,
    /// An earlier base again.
    Rollback,
    /// Builds may replace the base again.
    Unpin,
    /// A source was taken out of service.
    Retract,
    /// A source was taken into service again.
    Lift,
    /// A source is kept at the list that it has.
    Hold,
    /// Lists of a source are taken again.
    Unhold,
    /// What was intact of a damaged store.
    Repair,
}

/// When something is published, by whom, and why.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: &'a str,
    /// Why; empty: not said.
    pub reason: &'a str,
}

/// Changes as they came, in a segment of their own that no server opens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaEntry {
    /// The segment.
    pub segment: SegmentEntry,
    /// What became of the rows of each source.
    pub sources: Vec<DeltaSource>,
}

/// One source of a delta.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeltaSource {
    /// Its name.
    pub name: String,
    /// The instant that its changes describe.
    pub as_of: Timestamp,
    /// What became of its rows.
    pub rows: RowAccount,
}

/// One segment of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentEntry {
    /// Its file in the store's folder of segments.
    pub file: String,
    /// Length of the file in bytes.
    pub length: u64,
    /// BLAKE3 of its header and section table, hexadecimal.
    pub digest: String,
    /// Distinct documents in it, also those of which nothing that is said stands.
    pub documents: u64,
}

/// One source of a snapshot, and what became of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceEntry {
    /// Its name.
    pub name: String,
    /// The instant that its list describes; of a source that has sent none, its newest changes.
    pub as_of: Timestamp,
    /// The generation that published its list first; unset: it has sent none, only changes.
    pub list: Option<u64>,
    /// BLAKE3 of the bytes of its list's files, hexadecimal; unset: not known.
    pub digest: Option<String>,
    /// When its list was delivered last: later than `as_of` if the same bytes came again. Its age counts from then.
    pub delivered: Timestamp,
    /// The newest instant that changes of it describe.
    pub changed: Option<Timestamp>,
    /// Codes of the issuing States whose own source it is; `*`: every State's.
    pub owns: Vec<String>,
    /// Age of its data past which coverage counts as stale, in seconds.
    pub stale_after_seconds: u64,
    /// What became of the rows of its list.
    pub rows: RowAccount,
    /// Its list was taken out: it is listed no longer, and nothing older of it counts.
    pub removed: bool,
    /// Documents of its list by issuing State, and how many of them have unlikely numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub plausibility: Vec<Plausibility>,
    /// Numbers that look like placeholders and that a State really issues: what its list exempts, and its changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placeholder_exemptions: Vec<PlaceholderExemption>,
}

/// Documents of an issuing State in a list. Rows that repeat others count each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plausibility {
    /// Code of the issuing State.
    pub issuing_state: String,
    /// Documents.
    pub documents: u64,
    /// Those among them whose numbers are unlikely.
    pub unlikely: u64,
}

/// A number that looks like a placeholder and is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceholderExemption {
    /// The number, normalised.
    pub number: String,
    /// Code of the State that issues it; unset: any State.
    pub issuing_state: Option<String>,
}

impl SegmentEntry {
    /// The entry of a segment whose place in the store is by its digest.
    pub(super) fn of(segment: &Segment) -> Self {
        let digest = segment.digest().to_hex();
        Self {
            file: format!("{digest}.seg"),
            length: segment.file_len(),
            digest: digest.to_string(),
            documents: segment.documents(),
        }
    }

    /// The same of changes as they came: in a file of their own, also where their bytes are those of what is served.
    pub(super) fn of_changes(segment: &Segment) -> Self {
        let entry = Self::of(segment);
        Self {
            file: format!("{}.delta", entry.digest),
            ..entry
        }
    }
}

impl SourceEntry {
    /// A source whose list, or whose changes, describe an instant: every State's own, stale after 7 days.
    pub fn new(name: &str, as_of: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            as_of,
            list: None,
            digest: None,
            delivered: as_of,
            changed: None,
            owns: vec!["*".to_owned()],
            stale_after_seconds: 7 * 24 * 60 * 60,
            rows: RowAccount::default(),
            removed: false,
            plausibility: Vec::new(),
            placeholder_exemptions: Vec::new(),
        }
    }

    /// The edition of its list.
    pub(super) fn edition(&self) -> Option<Edition> {
        Some(Edition {
            as_of: self.as_of,
            generation: self.list?,
        })
    }

    /// Whether another entry is of the same list: of the same bytes, as of the same instant.
    pub(super) fn is_list_of(&self, other: &Self) -> bool {
        let same_bytes = self.digest.is_some() && self.digest == other.digest;
        self.list.is_some() && same_bytes && self.as_of == other.as_of
    }

    /// The newest instant that its data describe, list or changes.
    pub fn newest(&self) -> Timestamp {
        self.changed
            .map_or(self.as_of, |changed| changed.max(self.as_of))
    }

    /// The instant from which the age of its data counts: the last delivery of its list; without a list, its newest
    /// changes. Changes do not make an old list younger.
    pub fn age_from(&self) -> Timestamp {
        match self.list {
            Some(_) => self.delivered.max(self.as_of),
            None => self.newest(),
        }
    }

    /// Numbers that look like placeholders and that a State really issues.
    pub fn exemptions(&self) -> impl Iterator<Item = Exemption> {
        let exempt = self.placeholder_exemptions.iter();
        exempt.filter_map(|exempt| {
            let state = exempt.issuing_state.as_deref();
            Some(Exemption {
                number: DocumentNumber::from_normalised(exempt.number.as_bytes())?,
                issuing_state: state.map(IssuingState::parse).transpose().ok()?,
            })
        })
    }

    /// Takes what another entry of the source exempts, too.
    pub(super) fn exempt_as(&mut self, other: &Self) {
        for exempt in &other.placeholder_exemptions {
            if !self.placeholder_exemptions.contains(exempt) {
                self.placeholder_exemptions.push(exempt.clone());
            }
        }
    }

    /// Age of its data past which coverage counts as stale.
    pub fn stale_after(&self) -> Duration {
        Duration::from_secs(self.stale_after_seconds)
    }
}

impl Manifest {
    /// The oldest instant from which the age of any source in service counts; the build time where there are none.
    pub fn data_as_of(&self) -> Timestamp {
        let in_service =
            |source: &&SourceEntry| !source.removed && !self.is_retracted(&source.name);
        self.sources
            .iter()
            .filter(in_service)
            .map(SourceEntry::age_from)
            .min()
            .unwrap_or(self.built_at)
    }

    /// The placeholders that no question may ask about: those that hold everywhere, but for the numbers that sources in
    /// service exempt.
    pub(super) fn placeholders(&self) -> Placeholders {
        let in_service =
            |source: &&SourceEntry| !source.removed && !self.is_retracted(&source.name);
        let exempt = self.sources.iter().filter(in_service);
        Placeholders::new([], exempt.flat_map(SourceEntry::exemptions))
    }

    /// Whether it was the first to publish its base.
    pub(super) fn begins_base(&self) -> bool {
        self.base == self.generation
    }

    /// Whether a source is out of service.
    pub fn is_retracted(&self, source: &str) -> bool {
        self.retraction(source).is_some()
    }

    /// How a source came to be out of service; `None` while it is in service.
    pub fn retraction(&self, source: &str) -> Option<&Retraction> {
        self.retracted.iter().find(|one| one.source == source)
    }

    /// How a source came to be kept at the list that it has; `None`: its lists are taken.
    pub fn hold(&self, source: &str) -> Option<&Hold> {
        self.held.iter().find(|one| one.source == source)
    }

    /// The holds of sources of which nothing has been published yet.
    pub fn held_before_first_list(&self) -> impl Iterator<Item = &Hold> {
        let known = |name: &str| self.sources.iter().any(|source| source.name == name);
        self.held.iter().filter(move |one| !known(&one.source))
    }

    /// An operator's hold of a source.
    pub fn operators_hold(&self, source: &str) -> Option<&Hold> {
        self.hold(source)
            .filter(|hold| hold.holder == Holder::Operator)
    }

    /// The rollback that has taken a list out, by the digest of its bytes.
    pub fn undone_list(&self, source: &str, digest: &str) -> Option<&UndoneList> {
        let mut undone = self.undone.iter();
        undone.find(|list| list.source == source && list.digest == digest)
    }

    /// The sources out of service.
    pub(super) fn retracted_sources(&self) -> Retracted {
        let names = self.retracted.iter().map(|one| one.source.clone());
        names.collect()
    }

    /// The manifest of a store's first generation, without anything in it.
    pub(super) fn first(act: Act<'_>, terms: &Terms) -> Self {
        let generation = terms.generation_after(0);
        Self {
            format: FORMAT,
            store: random_id(act.at),
            generation,
            previous: None,
            event: Event::Build,
            published_at: act.at,
            by: act.by.to_owned(),
            reason: act.reason.to_owned(),
            built_at: act.at,
            not_after: None,
            as_of: Day::from_timestamp(act.at),
            base: generation,
            base_built_at: act.at,
            bases_kept: BASES_KEPT,
            changes_since: generation,
            documents: 0,
            segments: Vec::new(),
            kept: Vec::new(),
            counts: Vec::new(),
            hidden: Vec::new(),
            retracted: Vec::new(),
            held: Vec::new(),
            pinned: None,
            undone: Vec::new(),
            measure: None,
            sources: Vec::new(),
            delta: None,
        }
    }

    /// The manifest of the next generation on these terms, as if nothing else had changed.
    pub(super) fn next(
        &self,
        pointer: &Pointer,
        event: Event,
        act: Act<'_>,
        terms: &Terms,
    ) -> Self {
        Self {
            generation: terms.generation_after(self.generation),
            previous: Some(Previous {
                generation: self.generation,
                digest: pointer.digest.clone(),
            }),
            event,
            published_at: act.at,
            by: act.by.to_owned(),
            reason: act.reason.to_owned(),
            measure: None,
            delta: None,
            ..self.clone()
        }
    }

    /// The name of the file of a generation's manifest.
    pub(super) fn name(generation: u64) -> String {
        format!("{generation:08}.json")
    }

    /// The generation whose manifest has a file of this name.
    pub(super) fn generation_of(name: &str) -> Option<u64> {
        let generation = name.strip_suffix(".json")?.parse().ok()?;
        (Self::name(generation) == name).then_some(generation)
    }

    /// Where the manifest is that was current before.
    pub(super) fn previous(&self) -> Option<Pointer> {
        let previous = self.previous.as_ref()?;
        Some(Pointer {
            manifest: Self::name(previous.generation),
            digest: previous.digest.clone(),
        })
    }

    /// All files of the store that it names: its segments, what it keeps, and the changes that it has brought.
    pub fn files(&self) -> impl Iterator<Item = &SegmentEntry> {
        let delta = self.delta.as_ref().map(|delta| &delta.segment);
        self.segments.iter().chain(&self.kept).chain(delta)
    }

    /// The editions of the sources' lists.
    pub(super) fn lists(&self) -> Lists {
        self.sources
            .iter()
            .filter_map(|source| Some((source.name.clone(), source.edition()?)))
            .collect()
    }
}

/// Of manifests, newest first, those that no rollback has undone.
pub(super) fn not_undone(chain: &[Manifest]) -> impl Iterator<Item = &Manifest> + Clone {
    let mut undone_after = u64::MAX;
    let decided: Vec<bool> = chain
        .iter()
        .map(|manifest| {
            let stands = manifest.generation <= undone_after;
            if stands && manifest.event == Event::Rollback {
                undone_after = manifest.base;
            }
            stands
        })
        .collect();
    let decided = chain.iter().zip(decided);
    decided.filter_map(|(manifest, stands)| stands.then_some(manifest))
}

/// Of manifests, newest first, the one whose base holds the lists of the newest as they were built: a build that changed
/// no document continues a base, but has lists of its own, and changes may have been folded into a base since.
pub(super) fn base_as_built(chain: &[Manifest]) -> Option<&Manifest> {
    let of = |one: &Manifest| (one.base, one.base_built_at);
    let newest = of(chain.first()?);
    chain.iter().take_while(|one| of(one) == newest).last()
}

/// 128 random bits, hexadecimal: tells one store from another.
fn random_id(at: Timestamp) -> String {
    let mut hasher = blake3::Hasher::new();
    for _ in 0..2 {
        // Each state is seeded by the system's random numbers.
        let state = std::collections::hash_map::RandomState::new();
        hasher.update(&std::hash::BuildHasher::hash_one(&state, std::process::id()).to_le_bytes());
    }
    hasher.update(&at.as_nanosecond().to_le_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}
