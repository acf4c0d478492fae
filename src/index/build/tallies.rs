//! Documents counted while they are written.

use super::super::tables::{
    COUNT_ALL, COUNT_OWN_SOURCE, COUNT_OWNED, COUNT_SOURCE, COUNT_STATUS, CountEntry, Kind, Profile,
};
use crate::report::{Day, ReportStatus};

/// Documents and the newest day on which one was reported.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    documents: u64,
    newest: Option<Day>,
}

impl Tally {
    fn add(&mut self, newest: Option<Day>) {
        self.documents += 1;
        self.newest = self.newest.max(newest);
    }

    fn merge(&mut self, other: &Self) {
        self.documents += other.documents;
        self.newest = self.newest.max(other.newest);
    }
}

/// Documents of one pair, counted.
#[derive(Debug, Clone, Default)]
pub(super) struct PairTallies {
    all: Tally,
    owned: Tally,
    /// In the order of [`ReportStatus::ALL`].
    status: [Tally; ReportStatus::ALL.len()],
    /// A handful: the sources that report documents of one State and type.
    sources: Vec<SourceTallies>,
}

#[derive(Debug, Clone, Copy)]
struct SourceTallies {
    source: u32,
    all: Tally,
    own: Tally,
}

impl PairTallies {
    fn source(&mut self, source: u32) -> &mut SourceTallies {
        let index = self
            .sources
            .iter()
            .position(|known| known.source == source)
            .unwrap_or_else(|| {
                self.sources.push(SourceTallies {
                    source,
                    all: Tally::default(),
                    own: Tally::default(),
                });
                self.sources.len() - 1
            });
        &mut self.sources[index]
    }

    /// Counts a document by what is said of it: profile and day of the report. Only what stands counts.
    pub(super) fn count<'p>(
        &mut self,
        statements: impl Iterator<Item = (&'p Profile, Option<Day>)> + Clone,
    ) {
        let reports = statements.filter(|(profile, _)| profile.stands());
        // Each status, source and owner counts a document once, with the newest of its reports.
        let newest = |wanted: &dyn Fn(&Profile) -> bool| {
            reports
                .clone()
                .filter(|(profile, _)| wanted(profile))
                .map(|(_, day)| day)
                .max()
        };
        if let Some(day) = newest(&|_| true) {
            self.all.add(day);
        }
        if let Some(day) = newest(&|profile| !profile.third_party) {
            self.owned.add(day);
        }
        for (status, tally) in ReportStatus::ALL.into_iter().zip(&mut self.status) {
            if let Some(day) = newest(&|profile| profile.kind == Kind::Report(status)) {
                tally.add(day);
            }
        }
        for (index, (profile, _)) in reports.clone().enumerate() {
            let source = profile.source;
            if reports
                .clone()
                .take(index)
                .any(|(earlier, _)| earlier.source == source)
            {
                continue;
            }
            let tallies = self.source(source);
            if let Some(day) = newest(&|profile| profile.source == source) {
                tallies.all.add(day);
            }
            if let Some(day) = newest(&|profile| profile.source == source && !profile.third_party) {
                tallies.own.add(day);
            }
        }
    }

    /// [`count`](Self::count) for a document of which one thing is said, as of nearly all.
    pub(super) fn count_one(&mut self, profile: &Profile, day: Option<Day>) {
        let Some(status) = profile.kind.status().filter(|_| profile.stands()) else {
            return;
        };
        self.all.add(day);
        self.status[usize::from(status.code()) - 1].add(day);
        let source = self.source(profile.source);
        source.all.add(day);
        if !profile.third_party {
            source.own.add(day);
            self.owned.add(day);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.all.merge(&other.all);
        self.owned.merge(&other.owned);
        for (sum, tally) in self.status.iter_mut().zip(&other.status) {
            sum.merge(tally);
        }
        for tallies in &other.sources {
            let sum = self.source(tallies.source);
            sum.all.merge(&tallies.all);
            sum.own.merge(&tallies.own);
        }
    }

    /// The counts of the pair that are not zero, in order of kind and detail.
    pub(super) fn entries(self, pair: u16) -> Vec<CountEntry> {
        let status = ReportStatus::ALL
            .map(|status| u32::from(status.code()))
            .into_iter()
            .zip(self.status);
        let mut tallies = vec![(COUNT_ALL, 0, self.all), (COUNT_OWNED, 0, self.owned)];
        tallies.extend(status.map(|(status, tally)| (COUNT_STATUS, status, tally)));
        for source in self.sources {
            tallies.push((COUNT_SOURCE, source.source, source.all));
            tallies.push((COUNT_OWN_SOURCE, source.source, source.own));
        }
        tallies.sort_by_key(|(kind, detail, _)| (*kind, *detail));
        tallies
            .into_iter()
            .filter(|(.., tally)| tally.documents > 0)
            .map(|(kind, detail, tally)| CountEntry {
                pair,
                kind,
                detail,
                documents: tally.documents,
                newest_report: tally.newest,
            })
            .collect()
    }
}
