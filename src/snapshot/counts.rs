//! What changes change of the counts of a base.

use super::precedence::{Dated, Retracted, Unit, UnitKey};
use crate::document::{DocumentType, IssuingState};
use crate::index::{Count, CountOf};
use crate::report::{Day, ReportStatus};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number of documents that changes have added to a count of the base, or taken from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountChange {
    /// Code of the issuing State.
    pub issuing_state: String,
    /// Code of the type.
    pub document_type: u8,
    /// What is counted.
    pub of: Counted,
    /// Documents.
    pub documents: i64,
    /// The newest day on which one of those added was reported (`YYYY-MM-DD`).
    pub newest_report: Option<String>,
}

/// What a [`CountChange`] counts; see [`CountOf`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// Documents with a report of any source.
    All,
    /// Of a source of the issuing State's own.
    Owned,
    /// Of this source.
    Source(String),
    /// Of this source, where it is the issuing State's own.
    OwnSource(String),
    /// Of the status with this code.
    Status(u8),
}

/// Changes of counts, while they are made.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts(BTreeMap<(IssuingState, DocumentType, CountOf), (i64, Option<Day>)>);

impl Counts {
    /// Those written in a manifest; what this program does not know is left out.
    pub(super) fn read(changes: &[CountChange]) -> Self {
        let read = |change: &CountChange| {
            let of = match &change.of {
                Counted::All => CountOf::All,
                Counted::Owned => CountOf::Owned,
                Counted::Source(name) => CountOf::Source(name.as_str().into()),
                Counted::OwnSource(name) => CountOf::OwnSource(name.as_str().into()),
                Counted::Status(code) => CountOf::Status(ReportStatus::from_code(*code)?),
            };
            let state = IssuingState::parse(&change.issuing_state).ok()?;
            let document_type = DocumentType::from_code(change.document_type)?;
            let newest = change.newest_report.as_deref().and_then(Day::parse_iso);
            Some(((state, document_type, of), (change.documents, newest)))
        };
        Self(changes.iter().filter_map(read).collect())
    }

    pub(super) fn write(&self) -> Vec<CountChange> {
        let changes = self.0.iter().filter(|((.., of), (documents, newest))| {
            // That an own source of the State has reported such documents outlives a compaction.
            *documents != 0 || newest.is_some() || matches!(of, CountOf::OwnSource(_))
        });
        changes
            .map(
                |((state, document_type, of), (documents, newest))| CountChange {
                    issuing_state: state.code().to_owned(),
                    document_type: document_type.code(),
                    of: match of {
                        CountOf::All => Counted::All,
                        CountOf::Owned => Counted::Owned,
                        CountOf::Source(name) => Counted::Source(name.to_string()),
                        CountOf::OwnSource(name) => Counted::OwnSource(name.to_string()),
                        CountOf::Status(status) => Counted::Status(status.code()),
                    },
                    documents: *documents,
                    newest_report: newest.map(|day| day.to_string()),
                },
            )
            .collect()
    }

    /// What is to be added to one base's counts for the same sum as with these changes of another's.
    pub(super) fn rebased(self, from: &[Count], to: &[Count]) -> Self {
        let mut changes = Self::default();
        for count in self.added_to_with_emptied(from) {
            let key = (count.issuing_state, count.document_type, count.of);
            let documents = i64::try_from(count.documents).unwrap_or(i64::MAX);
            changes.0.insert(key, (documents, count.newest_report));
        }
        for count in to {
            let key = (count.issuing_state, count.document_type, count.of.clone());
            let (documents, newest) = changes.0.entry(key).or_default();
            *documents = documents.saturating_sub_unsigned(count.documents);
            if *newest <= count.newest_report {
                *newest = None;
            }
        }
        changes
    }

    /// The counts of a base with these changes, those that are not 0, in order.
    pub(super) fn added_to(self, base: &[Count]) -> Vec<Count> {
        let mut counts = self.added_to_with_emptied(base);
        counts.retain(|count| count.documents > 0);
        counts
    }

    /// The same, with those of which nothing is left.
    pub(super) fn added_to_with_emptied(mut self, base: &[Count]) -> Vec<Count> {
        for count in base {
            let key = (count.issuing_state, count.document_type, count.of.clone());
            let (documents, newest) = self.0.entry(key).or_default();
            *documents = documents.saturating_add_unsigned(count.documents);
            *newest = count.newest_report.max(*newest);
        }
        let counts = self.0.into_iter();
        counts
            .filter_map(
                |((issuing_state, document_type, of), (documents, newest))| {
                    Some(Count {
                        issuing_state,
                        document_type,
                        of,
                        documents: u64::try_from(documents).ok()?,
                        newest_report: newest,
                    })
                },
            )
            .collect()
    }

    /// Documents more than the base reports.
    pub(super) fn documents(&self) -> i64 {
        let all = self.0.iter().filter(|((.., of), _)| *of == CountOf::All);
        all.map(|(_, (documents, _))| documents).sum()
    }

    /// Counts that the documents of a unit were one thing before and are another after.
    fn change(&mut self, (_, state): &UnitKey, before: &[Dated<'_>], after: &[Dated<'_>]) {
        for (said, by) in [(before, -1), (after, 1)] {
            for ((document_type, of), newest) in counted(said) {
                let (documents, newest_of_all) =
                    self.0.entry((*state, document_type, of)).or_default();
                *documents += by;
                if by > 0 {
                    *newest_of_all = newest.max(*newest_of_all);
                }
            }
        }
    }
}

/// What changes change of the counts of a base, as all sources have it, and as those in service do.
#[derive(Debug)]
pub(super) struct Tally<'r> {
    /// What changes change.
    pub plain: Counts,
    /// What it changes further that sources are out of service.
    pub hidden: Counts,
    /// Those sources.
    pub retracted: &'r Retracted,
}

impl<'r> Tally<'r> {
    /// Nothing yet.
    pub(super) fn new(retracted: &'r Retracted) -> Self {
        Self {
            plain: Counts::default(),
            hidden: Counts::default(),
            retracted,
        }
    }

    /// Counts that the documents of a unit were one thing before and are another after.
    pub(super) fn change(&mut self, key: &UnitKey, before: &[Dated<'_>], after: &[Dated<'_>]) {
        self.plain.change(key, before, after);
        if !self.retracted.is_empty() {
            let in_service = self.in_service(before);
            self.hidden.change(key, in_service.statements(), before);
            let in_service = self.in_service(after);
            self.hidden.change(key, after, in_service.statements());
        }
    }

    /// Counts what it changes that sources are out of service, of documents in the base.
    pub(super) fn hide(&mut self, key: &UnitKey, said: &[Dated<'_>]) {
        let in_service = self.in_service(said);
        self.hidden.change(key, said, in_service.statements());
    }

    /// Counts documents of the base whose sources are hidden by [`hide_count`](Self::hide_count) for what they were.
    pub(super) fn show(&mut self, key: &UnitKey, said: &[Dated<'_>]) {
        self.hidden.change(key, &[], said);
    }

    /// What is left of what is said when sources are out of service. How long withdrawals are kept was decided when
    /// they were written into the segments.
    fn in_service<'s>(&self, said: &[Dated<'s>]) -> Unit<'s> {
        Unit::in_service(said, self.retracted, Day::MIN)
    }

    /// Counts that all that a count of the base counts is out of service.
    pub(super) fn hide_count(&mut self, count: &Count) {
        let key = (count.issuing_state, count.document_type, count.of.clone());
        let (documents, _) = self.hidden.0.entry(key).or_default();
        *documents = documents.saturating_sub_unsigned(count.documents);
    }

    /// Takes what another has counted.
    pub(super) fn merge(&mut self, other: Self) {
        for (counts, others) in [
            (&mut self.plain, other.plain),
            (&mut self.hidden, other.hidden),
        ] {
            for (key, (documents, newest)) in others.0 {
                let (sum, newest_of_all) = counts.0.entry(key).or_default();
                *sum += documents;
                *newest_of_all = newest.max(*newest_of_all);
            }
        }
    }
}

/// What the documents of a unit count as, each by its type, and the newest day of its reports for each.
fn counted(said: &[Dated<'_>]) -> BTreeMap<(DocumentType, CountOf), Option<Day>> {
    let mut counted = BTreeMap::new();
    for one in said {
        let Some(report) = one.shown() else {
            continue;
        };
        let source = || report.source.into();
        let of_all = [
            CountOf::All,
            CountOf::Status(report.status),
            CountOf::Source(source()),
        ];
        let own = [CountOf::Owned, CountOf::OwnSource(source())];
        let own = own.into_iter().filter(|_| !report.third_party);
        for of in of_all.into_iter().chain(own) {
            let newest = counted.entry((one.document_type, of)).or_insert(None);
            *newest = report.date_reported.max(*newest);
        }
    }
    counted
}
