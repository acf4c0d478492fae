//! The rows of a delta: put into their order, and what becomes of each.
//!
//! Rows come from several threads and in any order, each with its position. They are held in memory until all are there,
//! since only then is it known which of them stand: a `withdraw` cancels the `add` rows of its document before it.

mod fate;
mod moved;
mod order;

use super::changes::View;
use super::error::PublishError;
use super::precedence::Retracted;
use crate::document::{DocumentType, IssuingState, NumberRange};
use crate::index::{BuildOptions, Row, SegmentBuilder, Withdrawal};
use crate::report::{Authority, Day, ReportStatus};
use jiff::Timestamp;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use fate::Outcome;
pub use fate::{ChangeAccount, NotedRow, StillReported};

/// A row of changes.
#[derive(Debug, Clone, Copy)]
pub enum Change<'a> {
    /// Reports documents.
    Add(Row<'a>),
    /// Reports documents, and has expired: it replaces what its source has reported of them.
    AddExpired(Row<'a>),
    /// Withdraws reports.
    Withdraw(Withdrawal<'a>),
    /// Takes a withdrawal back, as far as that hides reports of third parties.
    Unwithdraw(Withdrawal<'a>),
}

/// Where a row stands among those of its source in a delta: rows count in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RowPosition {
    /// Its file, in order of name.
    pub file: u64,
    /// Its part of that file.
    pub chunk: u64,
    /// Its place in that part.
    pub row: u64,
}

/// The rows of a delta, gathered.
#[derive(Debug)]
pub struct ChangeRows {
    options: BuildOptions,
    held: Mutex<Vec<HeldRow>>,
}

/// One thread's way into [`ChangeRows`].
#[derive(Debug)]
pub struct ChangeInserter<'r> {
    rows: &'r ChangeRows,
    /// What rows have in common, once.
    profiles: HashSet<Arc<Profile>>,
    held: Vec<HeldRow>,
}

/// What many rows of a source have in common.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Profile {
    source: String,
    as_of: Timestamp,
    third_party: bool,
    action: Action,
    issuing_state: IssuingState,
    document_type: DocumentType,
    source_status: String,
    authority: String,
    restriction: String,
    reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Action {
    Add(ReportStatus),
    AddExpired,
    Withdraw,
    Unwithdraw,
}

#[derive(Debug)]
struct HeldRow {
    position: RowPosition,
    profile: Arc<Profile>,
    numbers: NumberRange,
    /// Of loss, report and review.
    days: [Option<Day>; 3],
    owner_reference: Box<str>,
}

/// The snapshot that rows change.
pub(super) struct Before<'a> {
    pub view: View<'a>,
    pub retracted: Retracted,
    /// The generation that will publish the changes.
    pub generation: u64,
    pub today: Day,
}

impl ChangeRows {
    pub(super) fn new(options: BuildOptions) -> Self {
        Self {
            options,
            held: Mutex::default(),
        }
    }

    /// A way in for one thread.
    pub fn inserter(&self) -> ChangeInserter<'_> {
        ChangeInserter {
            rows: self,
            profiles: HashSet::new(),
            held: Vec::new(),
        }
    }

    /// Puts the rows into their order, and writes what they come to at a path; what becomes of each is returned.
    ///
    /// # Errors
    /// [`PublishError`] when the snapshot can't be read, or the segment not be written.
    pub(super) fn build(
        &self,
        before: &Before<'_>,
        path: &Path,
        authorities: &[Authority<'_>],
    ) -> Result<Outcome, PublishError> {
        let mut rows = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        // Of a source and as-of in order of position: that is their order within every document, too.
        rows.sort_by(|a, b| {
            let of = |row: &HeldRow| (row.profile.as_of, row.position);
            let source = a.profile.source.cmp(&b.profile.source);
            source.then_with(|| of(a).cmp(&of(b)))
        });
        let builder = SegmentBuilder::new(self.options.clone());
        let mut inserter = builder.inserter();
        let mut fates = fate::Fates::new(&rows);
        order::each_unit(&rows, before.generation, |unit| {
            fates.decide_unit(unit, before)?;
            unit.write(&mut inserter, |place| fates.is_superseded(place))
        })?;
        inserter.finish()?;
        builder.finish(path, authorities, |_, _| {})?;
        fates.finish(before)
    }
}

impl ChangeInserter<'_> {
    /// Takes a row whose source describes an instant, from its place in the delta.
    pub fn insert(&mut self, as_of: Timestamp, position: RowPosition, change: &Change<'_>) {
        let (action, row) = match change {
            Change::Add(row) => (Action::Add(row.status), row),
            Change::AddExpired(row) => (Action::AddExpired, row),
            Change::Withdraw(withdrawal) => {
                return self.insert_withdrawal(as_of, position, Action::Withdraw, withdrawal);
            }
            Change::Unwithdraw(withdrawal) => {
                return self.insert_withdrawal(as_of, position, Action::Unwithdraw, withdrawal);
            }
        };
        let profile = Profile {
            source: row.source.to_owned(),
            as_of,
            third_party: row.third_party,
            action,
            issuing_state: row.issuing_state,
            document_type: row.document_type,
            source_status: row.source_status.to_owned(),
            authority: row.authority.to_owned(),
            restriction: row.restriction.to_owned(),
            reason: String::new(),
        };
        let days = [row.date_of_loss, row.date_reported, row.review_date];
        self.hold(profile, (position, row.numbers, days, row.owner_reference));
    }

    fn insert_withdrawal(
        &mut self,
        as_of: Timestamp,
        position: RowPosition,
        action: Action,
        withdrawal: &Withdrawal<'_>,
    ) {
        let profile = Profile {
            source: withdrawal.source.to_owned(),
            as_of,
            third_party: withdrawal.third_party,
            action,
            issuing_state: withdrawal.issuing_state,
            document_type: withdrawal.document_type,
            source_status: String::new(),
            authority: String::new(),
            restriction: String::new(),
            reason: withdrawal.reason.to_owned(),
        };
        self.hold(profile, (position, withdrawal.numbers, [None; 3], ""));
    }

    fn hold(
        &mut self,
        profile: Profile,
        (position, numbers, days, owner_reference): (
            RowPosition,
            NumberRange,
            [Option<Day>; 3],
            &str,
        ),
    ) {
        let profile = match self.profiles.get(&profile) {
            Some(known) => Arc::clone(known),
            None => {
                let profile = Arc::new(profile);
                self.profiles.insert(Arc::clone(&profile));
                profile
            }
        };
        self.held.push(HeldRow {
            position,
            profile,
            numbers,
            days,
            owner_reference: owner_reference.into(),
        });
    }

    /// Hands over its rows. An inserter that is dropped without this loses them.
    pub fn finish(mut self) {
        let mut held = self
            .rows
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        held.append(&mut self.held);
    }
}
