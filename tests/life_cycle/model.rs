//! The rules of precedence as plainly as they can be written: all statements ever made, looked through for each
//! document. No segments, files or counts; nothing of the code under test.

use jiff::{Timestamp, ToSpan as _};
use sltd::document::DocumentType;
use sltd::report::{Day, ReportStatus};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const SOURCES: [&str; 4] = ["own-a", "own-b", "other-a", "other-b"];
pub(crate) const STATES: [&str; 2] = ["FIN", "UKR"];
/// `other` covers both, a passport the refugee's document.
pub(crate) const TYPES: [DocumentType; 3] = [
    DocumentType::Passport,
    DocumentType::RefugeeTravelDocument,
    DocumentType::Other,
];
pub(crate) const NUMBERS: u64 = 5;

/// When data may have been exported: three times a day.
pub(crate) const INSTANTS: i64 = 15;

pub(crate) fn instant(step: i64) -> Timestamp {
    let first: Timestamp = "2026-01-10T00:00:00Z".parse().unwrap();
    first + (8 * step).hours()
}

pub(crate) fn third_party(source: &str) -> bool {
    source.starts_with("other")
}

/// A document: its number's index, its State, its type.
pub(crate) type Document = (u64, &'static str, DocumentType);

/// As-of, then publication.
pub(crate) type Edition = (i64, u64);

/// A report as far as the rules know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Report {
    pub status: ReportStatus,
    pub date_of_loss: Option<Day>,
    pub date_reported: Option<Day>,
}

pub(crate) type Listed = BTreeSet<(Document, Report)>;

/// The lists of a base, by source.
pub(crate) type Lists = BTreeMap<&'static str, (Edition, Listed)>;

/// The last day of a report: only what was revoked has one.
pub(crate) fn review_date(status: ReportStatus) -> Option<Day> {
    (status == ReportStatus::Revoked)
        .then(|| Day::from_ymd(2026, 3, 1))
        .flatten()
}

/// A row of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Add(Report),
    AddExpired,
    Withdraw,
    Unwithdraw,
}

/// What a source states about a document in one delta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stated {
    /// Reports; none if all had expired.
    Reports(BTreeSet<Report>),
    Withdrawal,
    Unwithdrawal,
}

#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub source: &'static str,
    pub document: Document,
    pub edition: Edition,
    pub stated: Stated,
}

/// What the sources have stated.
#[derive(Default, Clone)]
pub(crate) struct Model {
    /// The lists in force.
    pub lists: Lists,
    /// All statements of deltas that are not dropped for good.
    pub statements: Vec<Statement>,
    /// The lists of each base, by generation, but for those that were undone.
    pub bases: BTreeMap<u64, Lists>,
    /// The generation of the current base.
    pub base: u64,
    pub pinned: bool,
    pub retracted: BTreeSet<&'static str>,
}

impl Model {
    /// The as-of of a source's list in force.
    pub(crate) fn as_of(&self, source: &str) -> i64 {
        self.lists.get(source).map_or(0, |((as_of, _), _)| *as_of)
    }

    /// Rule 2: takes the rows of one source in a delta.
    pub(crate) fn state(
        &mut self,
        source: &'static str,
        edition: Edition,
        rows: &[(Document, Action)],
    ) {
        let documents: BTreeSet<Document> = rows.iter().map(|(document, _)| *document).collect();
        for document in documents {
            let actions = rows.iter().filter(|(of, _)| *of == document);
            let actions: Vec<Action> = actions.map(|(_, action)| *action).collect();
            let last_withdraw = actions
                .iter()
                .rposition(|action| *action == Action::Withdraw);
            let standing = actions
                .iter()
                .skip(last_withdraw.map_or(0, |place| place + 1));
            let adds = standing.filter(|action| !matches!(action, Action::Unwithdraw));
            let reports: Option<BTreeSet<Report>> =
                adds.fold(None, |reports: Option<BTreeSet<_>>, action| {
                    let mut reports = reports.unwrap_or_default();
                    if let Action::Add(report) = action {
                        reports.insert(*report);
                    }
                    Some(reports)
                });
            let mut stated = Vec::new();
            match reports {
                Some(reports) => stated.push(Stated::Reports(reports)),
                None if last_withdraw.is_some() => stated.push(Stated::Withdrawal),
                None => {}
            }
            if actions.contains(&Action::Unwithdraw) {
                stated.push(Stated::Unwithdrawal);
            }
            for stated in stated {
                self.statements.push(Statement {
                    source,
                    document,
                    edition,
                    stated,
                });
            }
        }
    }

    /// Rules 1 and 3: what a source's last statement about a document reports, and when it was made.
    fn last_reports(&self, source: &str, document: Document) -> (Edition, BTreeSet<Report>) {
        let list = self.lists.get(source);
        let changes = self.statements.iter().filter(|statement| {
            statement.source == source
                && statement.document == document
                && statement.stated != Stated::Unwithdrawal
                && list.is_none_or(|(list, _)| statement.edition > *list)
        });
        if let Some(last) = changes.max_by_key(|statement| statement.edition) {
            return match &last.stated {
                Stated::Reports(reports) => (last.edition, reports.clone()),
                Stated::Withdrawal | Stated::Unwithdrawal => (last.edition, BTreeSet::new()),
            };
        }
        let Some((edition, listed)) = list else {
            return ((0, 0), BTreeSet::new());
        };
        let listed = listed.iter().filter(|(of, _)| *of == document);
        (*edition, listed.map(|(_, report)| *report).collect())
    }

    /// Rule 6: of each document and own source one withdrawal is kept.
    pub(crate) fn kept_withdrawals(&self) -> u64 {
        let withdrawals = self.statements.iter().filter(|statement| {
            statement.stated == Stated::Withdrawal && !third_party(statement.source)
        });
        let each = withdrawals.map(|statement| (statement.source, statement.document));
        each.collect::<BTreeSet<_>>().len() as u64
    }

    /// Rule 4: whether the withdrawal of one of the State's own sources silences a third party's report.
    pub(crate) fn silenced(&self, document: Document, as_of: i64, report: &Report) -> bool {
        let own = self.statements.iter().filter(|statement| {
            !third_party(statement.source) && !self.retracted.contains(statement.source)
        });
        let mut withdrawals = own
            .clone()
            .filter(|statement| statement.stated == Stated::Withdrawal);
        withdrawals.any(|withdrawal| {
            let (number, state, of_type) = withdrawal.document;
            let taken_back = own.clone().any(|statement| {
                statement.stated == Stated::Unwithdrawal
                    && statement.source == withdrawal.source
                    && statement.document == withdrawal.document
                    && statement.edition.0 >= withdrawal.edition.0
            });
            (number, state) == (document.0, document.1)
                && same_or_covers(document.2, of_type)
                && !taken_back
                && hides(withdrawal.edition.0, as_of, report)
        })
    }

    /// The reports of a document that are to be shown on a day, by source.
    pub(crate) fn shown(&self, document: Document, today: Day) -> BTreeSet<(&'static str, Report)> {
        let mut shown = BTreeSet::new();
        for source in SOURCES {
            if self.retracted.contains(source) {
                continue;
            }
            let (edition, reports) = self.last_reports(source, document);
            for report in reports {
                if !third_party(source) || !self.silenced(document, edition.0, &report) {
                    shown.insert((source, report));
                }
            }
        }
        shown.retain(|(_, report)| review_date(report.status).is_none_or(|last| today <= last));
        shown
    }

    /// Rule 5: whether a shown report has disappeared because of what a source's rows `withdraw`.
    pub(crate) fn withdraws(
        &self,
        before: &Self,
        source: &'static str,
        edition: Edition,
        document: Document,
    ) -> bool {
        let stated = self.statements.iter().any(|statement| {
            (statement.source, statement.edition, statement.document) == (source, edition, document)
                && statement.stated == Stated::Withdrawal
        });
        TYPES.into_iter().any(|of_type| {
            let other = (document.0, document.1, of_type);
            let after = self.shown(other, Day::MIN);
            let gone = before.shown(other, Day::MIN).into_iter();
            let mut gone = gone.filter(|shown| !after.contains(shown));
            gone.any(|(by, report)| {
                let own = by == source && other == document;
                let as_of = before.last_reports(by, other).0.0;
                let silenced = stated
                    && !third_party(source)
                    && third_party(by)
                    && same_or_covers(of_type, document.2)
                    && hides(edition.0, as_of, &report);
                own || silenced
            })
        })
    }
}

fn same_or_covers(reported: DocumentType, withdrawn: DocumentType) -> bool {
    reported == withdrawn
        || reported == DocumentType::Other
        || (reported, withdrawn) == (DocumentType::Passport, DocumentType::RefugeeTravelDocument)
}

/// Whether a withdrawal that describes one instant hides a report that describes another.
fn hides(withdrawn: i64, reported: i64, report: &Report) -> bool {
    let day_of_withdrawal = Day::from_timestamp(instant(withdrawn));
    let day = report.date_reported.or(report.date_of_loss);
    reported <= withdrawn || day.is_some_and(|day| day < day_of_withdrawal)
}
