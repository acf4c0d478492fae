//! Documents by source and issuing State: what a publication is measured against before it is made.

use super::manifest::{Manifest, not_undone};
use crate::index::{Count, CountOf};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Documents of an issuing State that a source reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Name of the source.
    pub source: String,
    /// Code of the issuing State.
    pub issuing_state: String,
    /// Documents.
    pub documents: u64,
}

/// What later publications are measured against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measure {
    /// Documents reported by any source.
    pub documents: u64,
    /// Documents by source and issuing State.
    pub figures: Vec<Figure>,
}

/// Documents by source and issuing State; what is not there is 0.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figures(BTreeMap<(String, String), u64>);

impl Figures {
    /// Those of a snapshot with these counts.
    pub fn of(counts: &[Count]) -> Self {
        let mut figures = BTreeMap::new();
        for count in counts {
            if let CountOf::Source(source) = &count.of {
                let key = (source.to_string(), count.issuing_state.code().to_owned());
                *figures.entry(key).or_default() += count.documents;
            }
        }
        Self(figures)
    }

    pub(super) fn read(figures: &[Figure]) -> Self {
        let read = |figure: &Figure| {
            let key = (figure.source.clone(), figure.issuing_state.clone());
            (key, figure.documents)
        };
        Self(figures.iter().map(read).collect())
    }

    pub(super) fn write(&self) -> Vec<Figure> {
        self.iter()
            .map(|(source, issuing_state, documents)| Figure {
                source: source.to_owned(),
                issuing_state: issuing_state.to_owned(),
                documents,
            })
            .collect()
    }

    /// Documents of a State (by its code) that a source reports.
    pub fn get(&self, source: &str, issuing_state: &str) -> u64 {
        let key = (source.to_owned(), issuing_state.to_owned());
        self.0.get(&key).copied().unwrap_or(0)
    }

    /// Takes those of some sources and States from others.
    pub(super) fn replace(&mut self, others: &Self, which: impl Fn(&str, &str) -> bool) {
        self.0.retain(|(source, state), _| !which(source, state));
        let replaced = others
            .0
            .iter()
            .filter(|((source, state), _)| which(source, state));
        self.0
            .extend(replaced.map(|(key, documents)| (key.clone(), *documents)));
    }

    /// Documents that a source reports.
    pub fn of_source(&self, source: &str) -> u64 {
        let of_source = self.iter().filter(|(name, ..)| *name == source);
        of_source.map(|(.., documents)| documents).sum()
    }

    /// Source, code of the issuing State, documents; in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, u64)> {
        self.0
            .iter()
            .map(|((source, state), documents)| (source.as_str(), state.as_str(), *documents))
    }
}

/// What a publication is measured against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The generation that set it: the last base, rollback or retraction, or changes that were published although
    /// they went beyond it.
    pub generation: u64,
    /// Documents then reported, by any source.
    pub documents: u64,
    /// Documents then reported, by source and issuing State.
    pub figures: Figures,
    /// The most by which each figure has grown from one base that is kept to the next. A first appearance is no
    /// growth.
    pub steps: Figures,
}

impl Reference {
    /// What the successor of the first of these manifests is measured against; the others are those before it,
    /// newest first.
    pub(super) fn of(chain: &[Manifest]) -> Option<Self> {
        let (generation, measure) = chain
            .iter()
            .find_map(|manifest| Some((manifest.generation, manifest.measure.as_ref()?)))?;
        // What a rollback has undone is no measure.
        let bases = not_undone(chain).filter(|manifest| manifest.begins_base());
        let bases = bases.filter_map(|manifest| manifest.measure.as_ref());
        let bases: Vec<_> = bases.map(|base| Figures::read(&base.figures)).collect();
        let mut steps = Figures::default();
        for pair in bases.windows(2) {
            let [newer, older] = pair else { continue };
            for (source, state, documents) in newer.iter() {
                let before = older.get(source, state);
                if before > 0 {
                    let step = steps.0.entry((source.to_owned(), state.to_owned()));
                    let step = step.or_default();
                    *step = documents.saturating_sub(before).max(*step);
                }
            }
        }
        steps.0.retain(|_, step| *step > 0);
        Some(Self {
            generation,
            documents: measure.documents,
            figures: Figures::read(&measure.figures),
            steps,
        })
    }
}
