//! Guards against lists that are plainly wrong: empty, shrunken, grown beyond measure.
//!
//! Every figure is compared with what it was when the last base was published, so that many small steps are one large
//! one. What trips a guard can be accepted by name.

mod accept;
mod plausible;
mod trip;
mod wording;

pub use accept::{Acceptance, Accepted, Kind};
pub(crate) use plausible::unlikely_notes;
pub use trip::Trip;

use serde::Deserialize;
use sltd::index::{Damage, Segment};
use sltd::snapshot::{Draft, Figures, Reference};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// From where on a figure trips a guard; the table `[guards]` of a `sources.toml`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Share by which the documents of a whole snapshot may shrink.
    pub overall_shrink: f64,
    /// Share by which the documents of an issuing State in a source may shrink.
    pub issuer_shrink: f64,
    /// Share by which they may grow; a larger growth must also be larger than `growth_steps` times the largest from one
    /// base that is kept to the next.
    pub issuer_growth: f64,
    /// See `issuer_growth`.
    pub growth_steps: f64,
    /// Share of a State's documents in a source that may be replaced by others.
    pub turnover: f64,
    /// Share of a State's documents in a source that may have unlikely numbers, if fewer than `format_before` had in the
    /// list before.
    pub format: f64,
    /// See `format`.
    pub format_before: f64,
    /// Share of a source's documents that one delta may withdraw.
    pub withdrawals: f64,
    /// Different reports that a document may have in one source.
    pub reports: u64,
    /// Below so many documents shares mean nothing.
    pub floor: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            overall_shrink: 0.05,
            issuer_shrink: 0.2,
            issuer_growth: 0.2,
            growth_steps: 3.0,
            turnover: 0.2,
            format: 0.5,
            format_before: 0.1,
            withdrawals: 0.05,
            reports: 1000,
            floor: 1000,
        }
    }
}

impl Limits {
    /// What of some sources trips a guard when a draft is published; nothing where nothing was published before.
    /// `withdrawn` are the documents that a delta withdraws, by source; `None`: it is no delta.
    pub fn of_sources(
        &self,
        draft: &Draft,
        sources: &BTreeSet<&str>,
        withdrawn: Option<&BTreeMap<String, u64>>,
    ) -> Vec<Trip> {
        let Some(reference) = draft.reference() else {
            return Vec::new();
        };
        let figures = draft.figures();
        let mut trips = Vec::new();
        for source in sources {
            let before = reference.figures.of_source(source);
            // A list may be empty, and changes made since stand all the same.
            let manifest = draft.manifest();
            let without_rows = manifest.sources.iter().any(|entry| {
                let new_list = entry.list == Some(manifest.generation);
                entry.name == *source && new_list && entry.rows.indexed == 0
            });
            // That the few documents of a source are all withdrawn is no accident. How many a delta may withdraw at once
            // has a guard of its own.
            let at_once = match withdrawn {
                Some(withdrawn) => withdrawn.get(*source).copied().unwrap_or(0),
                None => before,
            };
            let all_withdrawn = figures.of_source(source) == 0 && at_once >= self.floor;
            if before > 0 && (without_rows || all_withdrawn) {
                trips.push(Trip::Empty {
                    source: (*source).to_owned(),
                    before,
                });
                continue;
            }
            self.of_source(source, &figures, reference, &mut trips);
        }
        trips
    }

    fn of_source(
        &self,
        source: &str,
        figures: &Figures,
        reference: &Reference,
        trips: &mut Vec<Trip>,
    ) {
        let states = |figures: &Figures| -> BTreeSet<String> {
            let of_source = figures.iter().filter(|(name, ..)| *name == source);
            of_source.map(|(_, state, _)| state.to_owned()).collect()
        };
        let mut all = states(figures);
        all.extend(states(&reference.figures));
        let source_is_new = reference.figures.of_source(source) == 0;
        for issuing_state in all {
            let before = reference.figures.get(source, &issuing_state);
            let after = figures.get(source, &issuing_state);
            let (source, issuing_state) = (source.to_owned(), issuing_state);
            if before == 0 {
                if after >= self.floor {
                    trips.push(Trip::New {
                        source,
                        issuing_state,
                        after,
                        source_is_new,
                    });
                }
            } else if before >= self.floor && shrunk(before, after, self.issuer_shrink) {
                trips.push(Trip::Shrunk {
                    source,
                    issuing_state,
                    before,
                    after,
                    limit: self.issuer_shrink,
                });
            } else if self.grown(before, after) {
                let step = reference.steps.get(&source, &issuing_state);
                let growth = after - before;
                if growth as f64 > self.growth_steps * step as f64 {
                    trips.push(Trip::Grown {
                        source,
                        issuing_state,
                        before,
                        after,
                        limit: self.issuer_growth,
                        step,
                    });
                }
            }
        }
    }

    /// Whether it grows by more than it may. From few documents up to the floor anything may grow.
    fn grown(&self, before: u64, after: u64) -> bool {
        after as f64 > before.max(self.floor) as f64 * (1.0 + self.issuer_growth)
    }

    /// Whether a draft has too few documents in all.
    pub fn overall(&self, draft: &Draft) -> Option<Trip> {
        let before = draft.reference()?.documents;
        let after = draft.manifest().documents;
        (before >= self.floor && shrunk(before, after, self.overall_shrink)).then_some(
            Trip::Overall {
                before,
                after,
                limit: self.overall_shrink,
            },
        )
    }

    /// Of which sources documents have too many reports in a segment, and more documents than in those that stood
    /// before.
    ///
    /// # Errors
    /// [`Damage`] when a segment's bytes are no longer those that were verified.
    pub fn reports(
        &self,
        (segments, before): (&[Arc<Segment>], &[Arc<Segment>]),
        sources: &BTreeSet<&str>,
    ) -> Result<Vec<Trip>, Damage> {
        let mut known = BTreeMap::new();
        for segment in before {
            for (of, documents) in segment.crowded(self.reports)? {
                *known.entry(of).or_insert(0) += documents;
            }
        }
        let mut found = BTreeMap::new();
        for segment in segments {
            for (of, documents) in segment.crowded(self.reports)? {
                *found.entry(of).or_insert(0) += documents;
            }
        }
        found.retain(|of, documents| {
            sources.contains(of.0.as_str()) && *documents > known.get(of).copied().unwrap_or(0)
        });
        let found = found.into_iter();
        let trips = found.map(|((source, state), documents)| Trip::Reports {
            source,
            issuing_state: state.code().to_owned(),
            documents,
            limit: self.reports,
        });
        Ok(trips.collect())
    }

    /// Which sources withdraw too many documents at once.
    pub fn withdrawals(&self, draft: &Draft, withdrawn: &BTreeMap<String, u64>) -> Vec<Trip> {
        let Some(reference) = draft.reference() else {
            return Vec::new();
        };
        let mut trips = Vec::new();
        for (source, withdrawn) in withdrawn {
            let documents = reference.figures.of_source(source);
            if *withdrawn > self.floor && *withdrawn as f64 > self.withdrawals * documents as f64 {
                trips.push(Trip::Withdrawals {
                    source: source.clone(),
                    withdrawn: *withdrawn,
                    documents,
                    limit: self.withdrawals,
                });
            }
        }
        trips
    }
}

fn shrunk(before: u64, after: u64, limit: f64) -> bool {
    (after as f64) < before as f64 * (1.0 - limit)
}
