//! What becomes of the rows of a delta.

use super::order::{RowOf, Stated, StatedUnit};
use super::{Action, Before, HeldRow, RowPosition};
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::report::Report;
use crate::snapshot::changes::find_states;
use crate::snapshot::error::PublishError;
use crate::snapshot::precedence::{Dated, Lists, Unit, reaches};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What becomes of a row; of a range, the greatest of what becomes of its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Fate {
    /// Something later was said of it.
    Superseded,
    /// It withdraws or takes back, and changes nothing that is shown.
    Noted,
    /// It reports, and had expired.
    Expired,
    /// It withdraws a report that was shown.
    Withdrawn,
    /// Because of it, a report is shown again.
    Unwithdrawn,
    /// It is the last thing that its source says.
    Indexed,
}

/// What became of the rows of a source that describe one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChangeAccount {
    /// Rows whose report counts.
    pub indexed: u64,
    /// Rows that withdraw a report that was shown.
    pub withdrawn: u64,
    /// Rows because of which a report is shown again.
    pub unwithdrawn: u64,
    /// Rows that withdraw or take back, and change nothing that is shown.
    pub noted: u64,
    /// Rows about what the source has said something later of.
    pub superseded: u64,
    /// Rows equal to another one.
    pub merged: u64,
    /// Rows that report, and had expired.
    pub expired: u64,
    /// Of the rows that withdraw: those that silence a report without a date, which is back with its source's next list.
    pub undated: u64,
    /// Documents whose report counts.
    pub documents: u64,
}

/// A row that withdraws or takes back, and changes nothing that is shown, or not for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotedRow {
    /// Its source.
    pub source: String,
    /// The instant that its source describes.
    pub as_of: Timestamp,
    /// Where it stands.
    pub position: RowPosition,
    /// Whether it takes a withdrawal back.
    pub takes_back: bool,
    /// Its number, of a range the first that nothing changes of.
    pub number: DocumentNumber,
    /// The issuing State.
    pub issuing_state: IssuingState,
    /// The type.
    pub document_type: DocumentType,
    /// Who still reports the number once the changes are made.
    pub still_reported: Vec<StillReported>,
    /// The sources of the reports without a date that it silences until their next lists; if there are any, it does
    /// change what is shown.
    pub until_next_list: BTreeSet<String>,
}

/// A report that is shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StillReported {
    /// The issuing State.
    pub issuing_state: IssuingState,
    /// The type.
    pub document_type: DocumentType,
    /// The source.
    pub source: String,
}

/// What became of all rows.
#[derive(Debug, Clone, Default)]
pub(in crate::snapshot) struct Outcome {
    accounts: BTreeMap<(String, Timestamp), ChangeAccount>,
    withdrawn: BTreeMap<String, u64>,
    pub noted: Vec<NotedRow>,
}

impl Outcome {
    pub(in crate::snapshot) fn account(&self, source: &str, as_of: Timestamp) -> ChangeAccount {
        let account = self.accounts.get(&(source.to_owned(), as_of));
        account.copied().unwrap_or_default()
    }

    pub(in crate::snapshot) fn withdrawn(&self) -> BTreeMap<String, u64> {
        self.withdrawn.clone()
    }
}

/// What becomes of rows, while it is found out.
pub(super) struct Fates<'r> {
    rows: &'r [HeldRow],
    /// Of each row so far.
    of: Vec<Option<Fate>>,
    /// The reports of the last unit that do not count.
    superseded: HashSet<usize>,
    /// The first document of a row that nothing changes of, and who reports it in its State.
    noted: HashMap<usize, (DocumentNumber, BTreeSet<StillReported>)>,
    until_next_list: HashMap<usize, (DocumentNumber, BTreeSet<String>)>,
    documents: BTreeMap<(&'r str, Timestamp), u64>,
    withdrawn: BTreeMap<String, u64>,
}

/// A unit before and after the changes.
struct Moved<'s> {
    lists: &'s Lists,
    before: Vec<Shown<'s>>,
    after: Vec<Shown<'s>>,
    /// With sources out of service, too.
    resolved: Unit<'s>,
}

/// A report that is shown, and the earliest as-of of a withdrawal that silences it.
struct Shown<'s> {
    document_type: DocumentType,
    report: Report<'s>,
    silenced_from: Timestamp,
}

impl<'r> Fates<'r> {
    pub(super) fn new(rows: &'r [HeldRow]) -> Self {
        Self {
            of: vec![None; rows.len()],
            rows,
            superseded: HashSet::new(),
            noted: HashMap::new(),
            until_next_list: HashMap::new(),
            documents: BTreeMap::new(),
            withdrawn: BTreeMap::new(),
        }
    }

    /// Whether a row's report of the unit taken last does not count.
    pub(super) fn is_superseded(&self, place: usize) -> bool {
        self.superseded.contains(&place)
    }

    /// Finds out what becomes of the rows of a unit.
    pub(super) fn take(
        &mut self,
        unit: &StatedUnit<'r>,
        before: &Before<'_>,
    ) -> Result<(), PublishError> {
        self.superseded.clear();
        let said = before.view.said(&unit.key)?;
        let mut all = before.view.known(&unit.key)?;
        all.extend(unit.dated(before.view.lists));
        let resolved = Unit::resolve(all, before.today);
        let moved = Moved {
            lists: before.view.lists,
            before: shown(&said, before),
            after: shown(resolved.said(), before),
            resolved,
        };
        for stated in &unit.stated {
            self.take_stated(unit.key.0, stated, &moved);
        }
        Ok(())
    }

    fn take_stated(&mut self, number: DocumentNumber, stated: &Stated<'r>, moved: &Moved<'_>) {
        let standing: HashSet<usize> = stated.standing().map(|of| of.place).collect();
        let (mut counts, mut withdraws) = (None, None);
        for RowOf { place, row } in &stated.rows {
            let fate = match row.profile.action {
                Action::AddExpired => Fate::Expired,
                Action::Add(_) if standing.contains(place) => {
                    match *counts.get_or_insert_with(|| moved.counts(stated)) {
                        true => Fate::Indexed,
                        false => Fate::Superseded,
                    }
                }
                Action::Add(_) => Fate::Superseded,
                Action::Withdraw => *withdraws.get_or_insert_with(|| moved.withdraws(stated)),
                Action::Unwithdraw if moved.shows_again(stated) => Fate::Unwithdrawn,
                Action::Unwithdraw => Fate::Noted,
            };
            if let (Action::Add(_), Fate::Superseded) = (row.profile.action, fate) {
                self.superseded.insert(*place);
            }
            if fate == Fate::Noted {
                let still = || (number, moved.still_reported(row.profile.issuing_state));
                self.noted.entry(*place).or_insert_with(still);
            }
            if row.profile.action == Action::Withdraw {
                let until = moved.silenced_until_next_list(stated);
                if !until.is_empty() {
                    let all = self.until_next_list.entry(*place);
                    all.or_insert((number, BTreeSet::new())).1.extend(until);
                }
            }
            if let Some(of) = self.of.get_mut(*place) {
                *of = (*of).max(Some(fate));
            }
        }
        let source = stated.source();
        if withdraws == Some(Fate::Withdrawn) {
            *self.withdrawn.entry(source.to_owned()).or_default() += 1;
        }
        if counts == Some(true) {
            let of = (source, stated.edition.as_of);
            *self.documents.entry(of).or_default() += 1;
        }
    }

    /// Adds it all up.
    pub(super) fn finish(self, before: &Before<'_>) -> Result<Outcome, PublishError> {
        let mut outcome = Outcome {
            withdrawn: self.withdrawn,
            ..Outcome::default()
        };
        for ((source, as_of), documents) in self.documents {
            let account = outcome.accounts.entry((source.to_owned(), as_of));
            account.or_default().documents = documents;
        }
        let mut once = HashSet::with_capacity(self.rows.len());
        for (place, (row, fate)) in self.rows.iter().zip(self.of).enumerate() {
            let profile = &*row.profile;
            let account = outcome
                .accounts
                .entry((profile.source.clone(), profile.as_of))
                .or_default();
            let fate = fate.unwrap_or(Fate::Superseded);
            if fate == Fate::Expired {
                account.expired += 1;
                continue;
            }
            let content = (profile, row.numbers, row.days, &row.owner_reference);
            if !once.insert((content, fate)) {
                account.merged += 1;
                continue;
            }
            *match fate {
                Fate::Superseded => &mut account.superseded,
                Fate::Noted => &mut account.noted,
                Fate::Expired => &mut account.expired,
                Fate::Withdrawn => &mut account.withdrawn,
                Fate::Unwithdrawn => &mut account.unwithdrawn,
                Fate::Indexed => &mut account.indexed,
            } += 1;
            let until = self.until_next_list.get(&place);
            account.undated += u64::from(until.is_some());
            let noted = self.noted.get(&place).filter(|_| fate == Fate::Noted);
            let number = noted.map(|(number, _)| number);
            let Some(number) = number.or(until.map(|(number, _)| number)) else {
                continue;
            };
            let mut still = noted.map_or_else(BTreeSet::new, |(_, still)| still.clone());
            if noted.is_some() {
                still.extend(elsewhere(before, number, profile.issuing_state)?);
            }
            outcome.noted.push(NotedRow {
                source: profile.source.clone(),
                as_of: profile.as_of,
                position: row.position,
                takes_back: profile.action == Action::Unwithdraw,
                number: *number,
                issuing_state: profile.issuing_state,
                document_type: profile.document_type,
                still_reported: still.into_iter().collect(),
                until_next_list: until.map_or_else(BTreeSet::new, |(_, until)| until.clone()),
            });
        }
        Ok(outcome)
    }
}

impl Moved<'_> {
    /// Whether the reports that a source states in this delta are the last that it has said, and not silenced.
    fn counts(&self, stated: &Stated<'_>) -> bool {
        let mut said = self.resolved.said().iter();
        said.any(|one| {
            one.document_type == stated.document_type
                && one.statement.source == stated.source()
                && one.edition == stated.edition
                && one.shown().is_some()
        })
    }

    /// What becomes of the rows that withdraw: whether a shown report disappears.
    fn withdraws(&self, stated: &Stated<'_>) -> Fate {
        let silences = stated.withdrawal().is_some() && !stated.third_party();
        let hides = |shown: &Shown<'_>| {
            let own = shown.report.source == stated.source()
                && shown.document_type == stated.document_type;
            own || silences && self.is_silenced(shown, stated)
        };
        let gone = |shown: &&Shown<'_>| {
            let mut after = self.after.iter();
            hides(shown) && !after.any(|after| after.is(shown))
        };
        match self.before.iter().find(gone) {
            Some(_) => Fate::Withdrawn,
            None if self.is_too_late(stated) => Fate::Superseded,
            None => Fate::Noted,
        }
    }

    /// Whether the source has said something later of its own reports of the document, or its list is later.
    fn is_too_late(&self, stated: &Stated<'_>) -> bool {
        let list = self.lists.get(stated.source());
        let mut said = self.resolved.said().iter();
        list.is_some_and(|list| stated.edition <= *list)
            || said.any(|one| {
                one.document_type == stated.document_type
                    && one.statement.source == stated.source()
                    && one.is_of_reports()
                    && one.edition > stated.edition
            })
    }

    /// Whether a withdrawal silences a report of a third party.
    fn is_silenced(&self, shown: &Shown<'_>, stated: &Stated<'_>) -> bool {
        shown.report.third_party
            && reaches(stated.document_type, shown.document_type)
            && shown.silenced_from <= stated.edition.as_of
    }

    /// The sources of the shown reports without a date that a withdrawal silences.
    fn silenced_until_next_list(&self, stated: &Stated<'_>) -> BTreeSet<String> {
        if stated.withdrawal().is_none() || stated.third_party() {
            return BTreeSet::new();
        }
        let undated = self.before.iter().filter(|shown| {
            let day = shown.report.date_reported.or(shown.report.date_of_loss);
            day.is_none() && self.is_silenced(shown, stated)
        });
        let gone = undated.filter(|shown| !self.after.iter().any(|after| after.is(shown)));
        gone.map(|shown| shown.report.source.to_owned()).collect()
    }

    /// Whether a report of a third party that a withdrawal of the source could silence is shown that was not.
    fn shows_again(&self, stated: &Stated<'_>) -> bool {
        let again = self.after.iter().filter(|shown| {
            shown.report.third_party && reaches(stated.document_type, shown.document_type)
        });
        let mut again = again.filter(|shown| !self.before.iter().any(|before| before.is(shown)));
        again.next().is_some()
    }

    fn still_reported(&self, issuing_state: IssuingState) -> BTreeSet<StillReported> {
        let still = self.after.iter().map(|shown| StillReported {
            issuing_state,
            document_type: shown.document_type,
            source: shown.report.source.to_owned(),
        });
        still.collect()
    }
}

impl Shown<'_> {
    /// Whether both are the same report of the same document. Of the rows of changes, only the codes of authorities are
    /// known.
    fn is(&self, other: &Self) -> bool {
        let code =
            |report: &Report<'_>| report.authority.map(|authority| authority.code.to_owned());
        let content = |report: &Report<'_>| -> bool {
            let mut mine = self.report;
            mine.authority = report.authority;
            mine == *report
        };
        self.document_type == other.document_type
            && code(&self.report) == code(&other.report)
            && content(&other.report)
    }
}

/// The reports that are shown of what is said of the documents of a unit: of sources in service, and in force.
fn shown<'s>(said: &[Dated<'s>], before: &Before<'_>) -> Vec<Shown<'s>> {
    let in_service = match before.retracted.is_empty() {
        true => said.to_vec(),
        false => {
            let unit = Unit::in_service(said, &before.retracted, before.today);
            unit.said().to_vec()
        }
    };
    let shown = in_service.iter().filter_map(|one| {
        let report = one.shown()?;
        Some(Shown {
            document_type: one.document_type,
            report,
            silenced_from: one.silenced_from(&report),
        })
    });
    shown
        .filter(|shown| shown.report.in_force(before.today))
        .collect()
}

/// Who reports a number with another issuing State.
fn elsewhere(
    before: &Before<'_>,
    number: &DocumentNumber,
    state: IssuingState,
) -> Result<Vec<StillReported>, PublishError> {
    let mut reported = Vec::new();
    for other in find_states(before.view.segments, number)? {
        if other == state {
            continue;
        }
        let said = before.view.said(&(*number, other))?;
        reported.extend(shown(&said, before).into_iter().map(|shown| StillReported {
            issuing_state: other,
            document_type: shown.document_type,
            source: shown.report.source.to_owned(),
        }));
    }
    Ok(reported)
}
