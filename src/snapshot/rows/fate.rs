//! What becomes of the rows of a delta.

use super::moved::{Moved, elsewhere};
use super::order::{RowOf, Stated, StatedUnit};
use super::{Action, Before, HeldRow, RowPosition};
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::snapshot::error::PublishError;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What becomes of a row; of a range, the greatest of what becomes of its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fate {
    /// It reports, and something later was said of it.
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
    /// Rows whose report counts, and those that take a withdrawal back, because of which a report is shown again.
    pub indexed: u64,
    /// Rows that withdraw a report that was shown.
    pub withdrawn: u64,
    /// Rows that withdraw or take back, and change nothing that is shown.
    pub noted: u64,
    /// Rows that report what the source has said something later of.
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
    /// Whether its source has said something later of its own reports of the document.
    pub too_late: bool,
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
    /// What nothing changes of.
    noted: HashMap<usize, Noted>,
    until_next_list: HashMap<usize, (DocumentNumber, BTreeSet<String>)>,
    documents: BTreeMap<(&'r str, Timestamp), u64>,
    withdrawn: BTreeMap<String, u64>,
}

/// The first document of a row that nothing changes of.
struct Noted {
    number: DocumentNumber,
    too_late: bool,
    /// Who reports it in its State.
    still_reported: BTreeSet<StillReported>,
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

    /// Whether a row's report of the unit decided last does not count.
    pub(super) fn is_superseded(&self, place: usize) -> bool {
        self.superseded.contains(&place)
    }

    /// Finds out what becomes of the rows of a unit.
    pub(super) fn decide_unit(
        &mut self,
        unit: &StatedUnit<'r>,
        before: &Before<'_>,
    ) -> Result<(), PublishError> {
        self.superseded.clear();
        let moved = Moved::new(unit, before)?;
        for stated in &unit.stated {
            self.decide_stated(unit.key.0, stated, &moved);
        }
        Ok(())
    }

    fn decide_stated(&mut self, number: DocumentNumber, stated: &Stated<'r>, moved: &Moved<'_>) {
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
                Action::Withdraw => match *withdraws.get_or_insert_with(|| moved.withdraws(stated))
                {
                    true => Fate::Withdrawn,
                    false => Fate::Noted,
                },
                Action::Unwithdraw if moved.shows_again(stated) => Fate::Unwithdrawn,
                Action::Unwithdraw => Fate::Noted,
            };
            if let (Action::Add(_), Fate::Superseded) = (row.profile.action, fate) {
                self.superseded.insert(*place);
            }
            if fate == Fate::Noted {
                self.noted.entry(*place).or_insert_with(|| Noted {
                    number,
                    too_late: moved.is_too_late(stated),
                    still_reported: moved.still_reported(row.profile.issuing_state),
                });
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
        if withdraws == Some(true) {
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
                Fate::Unwithdrawn | Fate::Indexed => &mut account.indexed,
            } += 1;
            let until = self.until_next_list.get(&place);
            account.undated += u64::from(until.is_some());
            let noted = self.noted.get(&place).filter(|_| fate == Fate::Noted);
            let number = noted.map(|noted| &noted.number);
            let Some(number) = number.or(until.map(|(number, _)| number)) else {
                continue;
            };
            let mut still = noted.map_or_else(BTreeSet::new, |noted| noted.still_reported.clone());
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
                too_late: noted.is_some_and(|noted| noted.too_late),
                still_reported: still.into_iter().collect(),
                until_next_list: until.map_or_else(BTreeSet::new, |(_, until)| until.clone()),
            });
        }
        Ok(outcome)
    }
}
