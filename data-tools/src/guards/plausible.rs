//! Guards against lists of other documents than before, although there are as many: numbers of another form, or others.

use super::{Limits, Trip};
use crate::diff::Diff;
use sltd::snapshot::{Draft, Manifest, Plausibility, SourceEntry};
use std::collections::BTreeSet;

impl Limits {
    /// Which new lists hold mostly unlikely numbers of a State where the list before held few. Of a first list that is
    /// not known to be wrong: it is told in a sentence each.
    pub fn formats(&self, draft: &Draft, sources: &BTreeSet<&str>) -> (Vec<Trip>, Vec<String>) {
        let (mut trips, mut warnings) = (Vec::new(), Vec::new());
        for source in new_lists(draft.manifest(), sources) {
            let before = draft
                .before()
                .and_then(|before| entry(before, &source.name));
            for after in &source.plausibility {
                let (unlikely, documents) = (after.unlikely, after.documents);
                if documents < self.floor || share(after) <= self.format {
                    continue;
                }
                let state = after.issuing_state.clone();
                match before.and_then(|before| of_state(before, &state)) {
                    Some(before) if share(before) < self.format_before => trips.push(Trip::Format {
                        source: source.name.clone(),
                        issuing_state: state,
                        before: share(before),
                        after: share(after),
                        limit: self.format,
                    }),
                    Some(_) => {}
                    None => warnings.push(format!(
                        "source {}, {state}: {unlikely} of {documents} documents have unlikely numbers; look at the \
                         list before it is relied on",
                        source.name
                    )),
                }
            }
        }
        (trips, warnings)
    }

    /// Whether any State has so many documents in a source that their turnover counts.
    pub fn watch_turnover(&self, draft: &Draft, sources: &BTreeSet<&str>) -> bool {
        draft.reference().is_some_and(|reference| {
            let mut figures = reference.figures.iter();
            figures
                .any(|(source, _, documents)| documents >= self.floor && sources.contains(source))
        })
    }

    /// In which lists too many documents of a State have been replaced by others.
    pub fn turnovers(&self, draft: &Draft, diff: &Diff, sources: &BTreeSet<&str>) -> Vec<Trip> {
        let Some(reference) = draft.reference() else {
            return Vec::new();
        };
        let replaced = diff.lists.iter().filter_map(|((source, state), movement)| {
            let before = reference.figures.get(source, state.code());
            let replaced = movement.added.min(movement.withdrawn);
            let watched = sources.contains(source.as_str()) && before >= self.floor;
            (watched && replaced as f64 > self.turnover * before as f64).then(|| Trip::Turnover {
                source: source.clone(),
                issuing_state: state.code().to_owned(),
                before,
                replaced,
                limit: self.turnover,
            })
        });
        replaced.collect()
    }
}

/// The shares of unlikely numbers in new lists, for the history: one sentence for each that has any.
pub(crate) fn unlikely_notes(manifest: &Manifest) -> impl Iterator<Item = String> {
    let new = manifest.sources.iter();
    let new = new.filter(|source| source.list == Some(manifest.generation));
    new.filter_map(|source| {
        let documents: u64 = source
            .plausibility
            .iter()
            .map(|state| state.documents)
            .sum();
        let unlikely: u64 = source.plausibility.iter().map(|state| state.unlikely).sum();
        let share = crate::accounts::percent(unlikely, documents);
        (unlikely > 0).then(|| {
            format!(
                "source {}: {unlikely} of {documents} documents ({share}) have unlikely numbers",
                source.name
            )
        })
    })
}

fn new_lists<'m>(
    manifest: &'m Manifest,
    sources: &BTreeSet<&str>,
) -> impl Iterator<Item = &'m SourceEntry> {
    let of_these = manifest.sources.iter();
    of_these.filter(|source| {
        source.list == Some(manifest.generation) && sources.contains(source.name.as_str())
    })
}

fn entry<'m>(manifest: &'m Manifest, source: &str) -> Option<&'m SourceEntry> {
    let mut listed = manifest.sources.iter().filter(|entry| entry.list.is_some());
    listed.find(|entry| entry.name == source)
}

fn of_state<'e>(entry: &'e SourceEntry, state: &str) -> Option<&'e Plausibility> {
    entry
        .plausibility
        .iter()
        .find(|one| one.issuing_state == state)
}

fn share(of: &Plausibility) -> f64 {
    of.unlikely as f64 / of.documents.max(1) as f64
}
