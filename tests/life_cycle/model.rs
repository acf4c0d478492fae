//! What sources have said, and what of it is to be shown: without segments, files or counts.

use sltd::report::{Day, ReportStatus};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SOURCES: [&str; 4] = ["own-a", "own-b", "other-a", "other-b"];
pub(crate) const STATES: [&str; 2] = ["FIN", "UKR"];
pub(crate) const NUMBERS: u64 = 12;

pub(crate) fn third_party(source: &str) -> bool {
    source.starts_with("other")
}

/// A document: its number's index and its State.
pub(crate) type Document = (u64, &'static str);

/// As-of, then generation.
pub(crate) type Edition = (i64, u64);

pub(crate) type Listed = BTreeSet<(Document, ReportStatus)>;

/// The lists of a base, by source.
pub(crate) type Lists = BTreeMap<&'static str, (Edition, Listed)>;

/// The last day of a report: only what was revoked has one.
pub(crate) fn review_date(status: ReportStatus) -> Option<Day> {
    (status == ReportStatus::Revoked)
        .then(|| Day::from_ymd(2026, 3, 1))
        .flatten()
}

/// What the sources have said.
#[derive(Default)]
pub(crate) struct Model {
    /// The lists in force.
    pub lists: Lists,
    /// All changes ever that are not left out for good.
    pub changes: Vec<Change>,
    /// The lists of each base, by generation, but for those that were undone.
    pub bases: BTreeMap<u64, Lists>,
    /// The generation of the current base.
    pub base: u64,
    pub pinned: bool,
    pub retracted: BTreeSet<&'static str>,
}

/// What a source says of a document: `None` withdraws it.
#[derive(Clone)]
pub(crate) struct Change {
    pub source: &'static str,
    pub edition: Edition,
    pub document: Document,
    pub said: Option<ReportStatus>,
}

impl Model {
    /// The as-of of a source's list in force.
    pub(crate) fn as_of(&self, source: &str) -> i64 {
        self.lists.get(source).map_or(0, |((as_of, _), _)| *as_of)
    }

    /// The reports of a document that are to be shown on a day, by source.
    pub(crate) fn shown(
        &self,
        document: Document,
        today: Day,
    ) -> BTreeSet<(&'static str, ReportStatus)> {
        let in_force = |change: &&Change| {
            let list = self.lists.get(change.source);
            change.document == document
                && list.is_none_or(|(list, _)| change.edition > *list)
                && !self.retracted.contains(change.source)
        };
        let changes: Vec<&Change> = self.changes.iter().filter(in_force).collect();
        let reports_at = |source: &str, edition: Edition| {
            let at = |change: &&&Change| change.source == source && change.edition == edition;
            let of_edition = changes.iter().filter(at);
            of_edition
                .filter_map(|change| change.said)
                .collect::<BTreeSet<_>>()
        };
        let overruled_to = changes
            .iter()
            .filter(|change| !third_party(change.source) && change.said.is_none())
            .filter(|change| reports_at(change.source, change.edition).is_empty())
            .map(|change| change.edition)
            .max();
        let mut shown = BTreeSet::new();
        for source in SOURCES {
            if self.retracted.contains(source) {
                continue;
            }
            let last = changes
                .iter()
                .filter(|change| change.source == source)
                .map(|change| change.edition)
                .max();
            let (edition, reports) = match (last, self.lists.get(source)) {
                (Some(last), _) => (last, reports_at(source, last)),
                (None, Some((edition, list))) => {
                    let of_document = list.iter().filter(|(listed, _)| *listed == document);
                    (*edition, of_document.map(|(_, status)| *status).collect())
                }
                (None, None) => continue,
            };
            if !third_party(source) || Some(edition) > overruled_to {
                shown.extend(reports.into_iter().map(|status| (source, status)));
            }
        }
        shown.retain(|(_, status)| review_date(*status).is_none_or(|last| today <= last));
        shown
    }
}
