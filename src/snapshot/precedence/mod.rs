//! Which statements about a document count: precedence by source and as-of.
//!
//! The rules, of which everything here follows:
//!
//! 1. A statement is (source, own or third party, document, as-of, publication; report or withdrawal). A list states its
//!    rows at its as-of and replaces all that its source stated up to then (by as-of, then by publication), kept
//!    withdrawals (6) apart. A report that the new list lacks is gone, which silences nobody.
//! 2. In a delta, files in order of name: a `withdraw` row cancels the `add` rows of its document before it; all `add`
//!    rows after the last `withdraw` stand, and such a correction silences nobody. In a daily difference (`czechia`)
//!    removals count as before additions. Lists have no order. ([`rows`](super::rows) does this, once for each delta:
//!    what it leaves of a document, source and edition is either reports or a withdrawal, never both.)
//! 3. A report counts if its source has no later statement about the document: by as-of, then by publication. An
//!    expired `add` row is a statement too: it replaces earlier ones and shows nothing.
//! 4. A withdrawal by one of the State's own sources silences third parties' reports of the same number and State whose
//!    type is the same or covers it, if the report's as-of is not later than the withdrawal's, or its day of report (if
//!    none, its day of loss) is before the day (UTC) of the withdrawal's as-of. Publications do not count here, and
//!    nothing that own sources add or list afterwards lifts it; only an `unwithdraw` of the same source with no earlier
//!    as-of does, and it restores no report of its own.
//! 5. Own sources do not withdraw for each other.
//! 6. Of each document and own source the newest withdrawal (and `unwithdraw`) is kept for ten years, whatever lists,
//!    compactions, prunes and holds do; of other statements, what no list of their source has replaced.
//! 7. Nothing that a retracted source has stated counts, withdrawals included, until it is reinstated.
//! 8. Answers are a function of the statements, the day and the retracted sources. Deltas of different as-of may arrive
//!    in any order, and builds and compactions between them change nothing.
//!
//! What follows for the code:
//!
//! - Since `other` covers every type, what is said of one document may decide on another with the same number and State:
//!   a [`Unit`] of all documents of a number and State is resolved as a whole, and stored and looked up as a whole.
//! - Whether a withdrawal silences a report depends on one figure of the report, the [earliest as-of](silenced_from)
//!   that does. So of the withdrawals of a source the newest decides, and of all sources the newest; a unit is resolved
//!   in the time it takes to sort it.
//! - What a source says last is decided within the source. So sources can be left out of what was resolved before, if
//!   with a report all withdrawals are at hand that silence it by themselves, not only the newest of them.
//! - What can't change an answer, whichever sources are left out, is in no file that servers open: what was said of
//!   documents that nobody reports, and withdrawals that silence nobody so far. All that is no report goes to files of
//!   its own ([`Unit::kept`]), from which it is taken when something new is said of the unit.

use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::index::{Damage, Document, Edition, Said, Statement};
use crate::report::{Day, Report};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Years for which the newest withdrawal of a document and source is kept.
const KEPT_YEARS: u16 = 10;

/// The editions of the sources' lists in a snapshot's base, by name.
pub(super) type Lists = HashMap<String, Edition>;

/// The sources out of service, by name.
pub(super) type Retracted = BTreeSet<String>;

/// What is resolved as a whole: all documents with a number, issued by a State.
pub(super) type UnitKey = (DocumentNumber, IssuingState);

/// A statement about a document of a unit, with its edition, that of its source's list filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Dated<'s> {
    pub document_type: DocumentType,
    pub statement: Statement<'s>,
    pub edition: Edition,
    /// A list of the source has replaced it: of a withdrawal only what it silences is left.
    replaced: bool,
}

impl<'s> Dated<'s> {
    /// Dates a statement found in a snapshot with these lists; `None` for one that its source's list has replaced and
    /// of which nothing is left.
    pub(super) fn new(
        document_type: DocumentType,
        statement: Statement<'s>,
        lists: &Lists,
    ) -> Option<Self> {
        let list = lists.get(statement.source).copied();
        // What is not dated is of a list; a source that the snapshot does not name has none, and nothing speaks for it.
        let edition = statement.edition.or(list)?;
        let replaced = statement.edition.is_some() && Some(edition) <= list;
        let dated = Self {
            document_type,
            statement,
            edition,
            replaced,
        };
        (!replaced || dated.may_silence() || dated.takes_back()).then_some(dated)
    }

    /// The report, shown or not.
    pub(super) fn report(&self) -> Option<Report<'s>> {
        match self.statement.said {
            Said::Reported(report) | Said::Overruled(report) => Some(report),
            Said::Withdrawn { .. } | Said::Unwithdrawn { .. } | Said::Expired => None,
        }
    }

    /// The report, if it is shown.
    pub(super) fn shown(&self) -> Option<Report<'s>> {
        match self.statement.said {
            Said::Reported(report) => Some(report),
            _ => None,
        }
    }

    /// Whether it is a withdrawal by one of the State's own sources.
    fn may_silence(&self) -> bool {
        !self.statement.third_party && matches!(self.statement.said, Said::Withdrawn { .. })
    }

    fn takes_back(&self) -> bool {
        !self.statement.third_party && matches!(self.statement.said, Said::Unwithdrawn { .. })
    }

    /// Whether it says something of the source's own reports: an `unwithdraw` does not.
    pub(super) fn is_of_reports(&self) -> bool {
        !self.replaced && !matches!(self.statement.said, Said::Unwithdrawn { .. })
    }

    /// The earliest as-of of a withdrawal that silences this report.
    pub(super) fn silenced_from(&self, report: &Report<'_>) -> Timestamp {
        let day = report.date_reported.or(report.date_of_loss);
        // Before the day of the withdrawal: it begins on the next day at the earliest.
        let next = day.and_then(|day| Day::from_number(day.number().checked_add(1)?));
        let next = next.and_then(Day::begins_at);
        next.map_or(self.edition.as_of, |next| next.min(self.edition.as_of))
    }
}

/// Whether a withdrawal that describes this instant has been kept for as long as it is on a day.
pub(super) fn has_lapsed(as_of: Timestamp, today: Day) -> bool {
    Day::from_timestamp(as_of).plus_years(KEPT_YEARS) < today
}

/// What a withdrawal of one type does to reports of another: whether the type reported is the same, or covers it.
pub(super) fn reaches(withdrawn: DocumentType, reported: DocumentType) -> bool {
    reported == withdrawn || reported.covers(withdrawn)
}

/// Everything that counts of what is said of the documents of a unit, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit<'s> {
    /// In order of type, source and edition, the newest first.
    said: Vec<Dated<'s>>,
    /// The places of the withdrawals that silence a report by themselves.
    silencing: Vec<usize>,
}

impl<'s> Unit<'s> {
    /// Resolves all that is said of the documents of a unit, on a day. It does not matter whether all that was said is
    /// given, or some of it resolved before; nor is the order of it.
    pub(super) fn resolve(mut said: Vec<Dated<'s>>, today: Day) -> Self {
        // Whether a report is silenced is decided here; until then it is one statement.
        for one in &mut said {
            if let Said::Overruled(report) = one.statement.said {
                one.statement.said = Said::Reported(report);
            }
        }
        let mut once = HashSet::with_capacity(said.len());
        said.retain(|one| once.insert(*one));
        said.sort_by(|a, b| {
            let group = |one: &Dated<'s>| (one.document_type, one.statement.source);
            group(a).cmp(&group(b)).then(b.edition.cmp(&a.edition))
        });
        let last = said
            .chunk_by(of_same_group)
            .flat_map(|group| last_of_source(group, today))
            .collect();
        let mut unit = Self {
            said: last,
            silencing: Vec::new(),
        };
        unit.silence(today);
        unit
    }

    /// The same, when nothing that some sources have said counts.
    pub(super) fn in_service(said: &[Dated<'s>], retracted: &Retracted, today: Day) -> Self {
        let counts = |one: &&Dated<'s>| !retracted.contains(one.statement.source);
        Self::resolve(said.iter().filter(counts).copied().collect(), today)
    }

    /// Marks the reports of third parties that are silenced, and finds the withdrawals that silence any.
    fn silence(&mut self, today: Day) {
        let in_force = self.in_force(today);
        let mut newest = HashMap::new();
        for one in in_force.iter().filter_map(|place| self.said.get(*place)) {
            let to = newest.entry(one.document_type).or_insert(one.edition.as_of);
            *to = one.edition.as_of.max(*to);
        }
        if newest.is_empty() {
            return;
        }
        let mut earliest: HashMap<DocumentType, Timestamp> = HashMap::new();
        for one in &mut self.said {
            let Some(report) = one.report().filter(|report| report.third_party) else {
                continue;
            };
            let from = one.silenced_from(&report);
            let of_type = earliest.entry(one.document_type).or_insert(from);
            *of_type = from.min(*of_type);
            let mut newest = newest.iter();
            let reported = one.document_type;
            if newest.any(|(withdrawn, to)| reaches(*withdrawn, reported) && from <= *to) {
                one.statement.said = Said::Overruled(report);
            }
        }
        let silences = |place: &usize| {
            self.said.get(*place).is_some_and(|one| {
                earliest.iter().any(|(reported, from)| {
                    reaches(one.document_type, *reported) && *from <= one.edition.as_of
                })
            })
        };
        self.silencing = in_force.into_iter().filter(silences).collect();
    }

    /// The places of the withdrawals that have neither been taken back by their source nor been kept long enough.
    fn in_force(&self, today: Day) -> Vec<usize> {
        let mut in_force = Vec::new();
        let mut first = 0;
        for group in self.said.chunk_by(of_same_group) {
            let taken_back = group.iter().filter(|one| one.takes_back());
            let taken_back = taken_back.map(|one| one.edition.as_of).max();
            for (place, one) in (first..).zip(group) {
                let as_of = one.edition.as_of;
                if one.may_silence() && taken_back < Some(as_of) && !has_lapsed(as_of, today) {
                    in_force.push(place);
                }
            }
            first += group.len();
        }
        in_force
    }

    /// All of it.
    pub(super) fn statements(&self) -> &[Dated<'s>] {
        &self.said
    }

    /// What answers may depend on, whichever sources are out of service: reports, shown or silenced, and withdrawals
    /// that silence any.
    pub(super) fn of_answers(&self) -> impl Iterator<Item = &Dated<'s>> {
        let said = self.said.iter().enumerate();
        let of_answers = said.filter(|(place, one)| {
            one.report().is_some() || self.silencing.binary_search(place).is_ok()
        });
        of_answers.map(|(_, one)| one)
    }

    /// What later statements and lists may need: all but the reports.
    pub(super) fn kept(&self) -> impl Iterator<Item = &Dated<'s>> {
        self.said.iter().filter(|one| one.report().is_none())
    }

    /// What stands in for older reports that nothing is left of.
    pub(super) fn instead_of_reports(&self) -> impl Iterator<Item = &Dated<'s>> {
        let said = self.said.iter();
        said.filter(|one| one.is_of_reports() && one.report().is_none())
    }
}

/// Whether two statements are of the same source about the same document.
fn of_same_group(a: &Dated<'_>, b: &Dated<'_>) -> bool {
    (a.document_type, a.statement.source) == (b.document_type, b.statement.source)
}

/// What is left of all that a source has said of a document, the newest first: its last statement, and, if it is the
/// State's own, its newest withdrawal and the newest `unwithdraw`.
fn last_of_source<'s>(group: &[Dated<'s>], today: Day) -> Vec<Dated<'s>> {
    // What both withdraws and reports in one edition is a correction.
    let editions = group.chunk_by(|a, b| a.edition == b.edition);
    let uncorrected = editions.flat_map(|edition| {
        let reports = edition.iter().any(|one| one.report().is_some());
        let adds = reports
            || edition
                .iter()
                .any(|one| one.statement.said == Said::Expired);
        edition.iter().filter(move |one| match one.statement.said {
            Said::Withdrawn { .. } => !adds,
            Said::Expired => !reports,
            _ => true,
        })
    });
    let group: Vec<Dated<'s>> = uncorrected.copied().collect();
    let last = group.iter().find(|one| one.is_of_reports());
    let last = last.map(|one| one.edition);
    let newest = |wanted: fn(&Dated<'s>) -> bool| {
        let mut all = group.iter();
        all.position(|one| wanted(one) && !has_lapsed(one.edition.as_of, today))
    };
    let kept = [newest(Dated::may_silence), newest(Dated::takes_back)];
    let said = group.iter().enumerate().filter(|(place, one)| {
        let stands = one.is_of_reports() && Some(one.edition) == last;
        stands || kept.contains(&Some(*place))
    });
    said.map(|(_, one)| *one).collect()
}

/// What is shown of a unit when nothing counts that sources out of service have said: the same as
/// [`Unit::in_service`] says of what is stored in a segment, found report by report. A check need not hold them all.
///
/// What is stored was resolved when it was written: each source's last word is there, and with each report all
/// withdrawals that may silence it. So only whether one of these counts has to be decided anew.
pub(super) struct InService<'u> {
    retracted: &'u Retracted,
    lists: &'u Lists,
    /// The as-of of the newest withdrawal of each type that counts.
    newest: Vec<(DocumentType, Timestamp)>,
}

impl<'u> InService<'u> {
    /// What counts of the stored documents of a unit.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub(super) fn new(
        documents: &[Document<'_>],
        (retracted, lists): (&'u Retracted, &'u Lists),
    ) -> Result<Self, Damage> {
        let mut others = Vec::new();
        for document in documents {
            document.each_statement(|statement| {
                let no_report = !matches!(
                    statement.said,
                    Said::Reported(_) | Said::Overruled(_) | Said::Expired
                );
                if no_report && !retracted.contains(statement.source) {
                    others.extend(Dated::new(document.document_type, statement, lists));
                }
            })?;
        }
        // How long withdrawals are kept was decided when they were written into the segment.
        let unit = Unit::resolve(others, Day::MIN);
        let in_force = unit.in_force(Day::MIN);
        let in_force = in_force.iter().filter_map(|place| unit.said.get(*place));
        Ok(Self {
            retracted,
            lists,
            newest: in_force
                .map(|one| (one.document_type, one.edition.as_of))
                .collect(),
        })
    }

    /// The report that a statement makes, if it is shown.
    pub(super) fn shown<'s>(
        &self,
        of_type: DocumentType,
        statement: Statement<'s>,
    ) -> Option<Report<'s>> {
        if self.retracted.contains(statement.source) {
            return None;
        }
        let one = Dated::new(of_type, statement, self.lists)?;
        let report = one.report()?;
        let silenced = report.third_party && !self.newest.is_empty() && {
            let from = one.silenced_from(&report);
            let mut newest = self.newest.iter();
            newest.any(|(withdrawn, to)| reaches(*withdrawn, of_type) && from <= *to)
        };
        (!silenced).then_some(report)
    }
}

#[cfg(test)]
mod tests;
