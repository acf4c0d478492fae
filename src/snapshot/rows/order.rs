//! What the rows of a delta state about each document.

use super::{Action, HeldRow};
use crate::document::{DocumentNumber, DocumentType, NumberRange};
use crate::index::{Edition, Inserter, Row, Said, Standing, Statement, Withdrawal};
use crate::report::{Authority, Report};
use crate::snapshot::error::PublishError;
use crate::snapshot::precedence::{Dated, Lists, UnitKey};

/// A row, as far as it is of one document.
#[derive(Clone, Copy)]
pub(super) struct RowOf<'r> {
    /// Among the rows of the delta.
    pub place: usize,
    pub row: &'r HeldRow,
}

/// What one source states about one document in one delta.
pub(super) struct Stated<'r> {
    pub document_type: DocumentType,
    pub edition: Edition,
    /// All rows of the document, in their order.
    pub rows: Vec<RowOf<'r>>,
    /// From this one on `add` rows stand.
    standing_from: usize,
}

/// All that a delta states about the documents with a number, issued by a State.
pub(super) struct StatedUnit<'r> {
    pub key: UnitKey,
    pub stated: Vec<Stated<'r>>,
}

impl<'r> Stated<'r> {
    fn new(rows: Vec<RowOf<'r>>, generation: u64) -> Option<Self> {
        let first = rows.first()?;
        let last_withdraw = rows
            .iter()
            .rposition(|of| of.row.profile.action == Action::Withdraw);
        Some(Self {
            document_type: first.row.profile.document_type,
            edition: Edition {
                as_of: first.row.profile.as_of,
                generation,
            },
            standing_from: last_withdraw.map_or(0, |place| place + 1),
            rows,
        })
    }

    /// The name of the source.
    pub(super) fn source(&self) -> &'r str {
        self.rows.first().map_or("", |of| &of.row.profile.source)
    }

    pub(super) fn third_party(&self) -> bool {
        let mut rows = self.rows.iter();
        rows.any(|of| of.row.profile.third_party)
    }

    /// The `add` rows that no `withdraw` row comes after.
    pub(super) fn standing(&self) -> impl Iterator<Item = RowOf<'r>> {
        let rows = self.rows.iter().skip(self.standing_from).copied();
        rows.filter(|of| matches!(of.row.profile.action, Action::Add(_) | Action::AddExpired))
    }

    /// The row that withdraws; none of a correction.
    pub(super) fn withdrawal(&self) -> Option<RowOf<'r>> {
        let last = self.standing_from.checked_sub(1)?;
        let corrected = self.standing().next().is_some();
        self.rows.get(last).copied().filter(|_| !corrected)
    }

    /// The last row that takes a withdrawal back.
    fn unwithdrawal(&self) -> Option<RowOf<'r>> {
        let mut rows = self.rows.iter().rev();
        rows.find(|of| of.row.profile.action == Action::Unwithdraw)
            .copied()
    }

    /// The rows that state anything, each once.
    fn effective(&self) -> impl Iterator<Item = RowOf<'r>> {
        let others = [self.withdrawal(), self.unwithdrawal()];
        self.standing().chain(others.into_iter().flatten())
    }
}

impl<'r> StatedUnit<'r> {
    /// What it states, dated.
    pub(super) fn dated(&self, lists: &Lists) -> Vec<Dated<'r>> {
        let statements = self.stated.iter().flat_map(|stated| {
            let statement = move |of: RowOf<'r>| statement(of.row, stated.edition);
            let dated = move |of| Dated::new(stated.document_type, statement(of), lists);
            stated.effective().filter_map(dated)
        });
        statements.collect()
    }

    /// Writes it into a segment in the making; `superseded` reports are written as not to be counted.
    pub(super) fn write(
        &self,
        inserter: &mut Inserter<'_>,
        superseded: impl Fn(usize) -> bool,
    ) -> Result<(), PublishError> {
        let numbers = NumberRange::single(self.key.0);
        for stated in &self.stated {
            let edition = Some(stated.edition);
            for RowOf { place, row } in stated.effective() {
                let profile = &*row.profile;
                let without_content = Withdrawal {
                    numbers,
                    issuing_state: profile.issuing_state,
                    document_type: profile.document_type,
                    source: &profile.source,
                    third_party: profile.third_party,
                    reason: &profile.reason,
                };
                let Action::Add(status) = profile.action else {
                    match profile.action {
                        Action::Withdraw => inserter.withdraw(&without_content, edition)?,
                        Action::Unwithdraw => inserter.unwithdraw(&without_content, edition)?,
                        _ => inserter.insert_expired(&without_content, edition)?,
                    }
                    continue;
                };
                let [date_of_loss, date_reported, review_date] = row.days;
                let report = Row {
                    numbers,
                    issuing_state: profile.issuing_state,
                    document_type: profile.document_type,
                    status,
                    source_status: &profile.source_status,
                    date_of_loss,
                    date_reported,
                    review_date,
                    authority: &profile.authority,
                    restriction: &profile.restriction,
                    source: &profile.source,
                    third_party: profile.third_party,
                    owner_reference: &row.owner_reference,
                };
                let overruled = superseded(place);
                inserter.insert_as(&report, Standing { edition, overruled })?;
            }
        }
        Ok(())
    }
}

/// A row as a statement; of an authority only the code is known here.
fn statement(row: &HeldRow, edition: Edition) -> Statement<'_> {
    let profile = &*row.profile;
    let said = match profile.action {
        Action::Withdraw => Said::Withdrawn {
            reason: &profile.reason,
        },
        Action::Unwithdraw => Said::Unwithdrawn {
            reason: &profile.reason,
        },
        Action::AddExpired => Said::Expired,
        Action::Add(status) => {
            let [date_of_loss, date_reported, review_date] = row.days;
            Said::Reported(Report {
                status,
                source_status: &profile.source_status,
                date_of_loss,
                date_reported,
                review_date,
                authority: (!profile.authority.is_empty()).then_some(Authority {
                    code: &profile.authority,
                    name: "",
                    contact: "",
                }),
                restriction: &profile.restriction,
                source: &profile.source,
                third_party: profile.third_party,
                owner_reference: &row.owner_reference,
            })
        }
    };
    Statement {
        source: &profile.source,
        third_party: profile.third_party,
        edition: Some(edition),
        said,
    }
}

/// Calls `visit` with all that rows state, unit by unit in order of number and State. The rows stand in order of source,
/// as-of and position.
pub(super) fn each_unit<'r>(
    rows: &'r [HeldRow],
    generation: u64,
    mut visit: impl FnMut(&StatedUnit<'r>) -> Result<(), PublishError>,
) -> Result<(), PublishError> {
    let documents = rows.iter().map(|row| row.numbers.documents() as usize);
    let mut entries: Vec<(DocumentNumber, usize)> = Vec::with_capacity(documents.sum());
    for (place, row) in rows.iter().enumerate() {
        entries.extend(row.numbers.into_iter().map(|number| (number, place)));
    }
    let profile = |place: &usize| rows.get(*place).map(|row| &*row.profile);
    let state = |place: &usize| profile(place).map(|profile| profile.issuing_state);
    let of = |place: &usize| {
        profile(place).map(|profile| (profile.document_type, &profile.source, profile.as_of))
    };
    entries.sort_unstable_by(|(a, a_place), (b, b_place)| {
        let unit = a.cmp(b).then_with(|| state(a_place).cmp(&state(b_place)));
        let stated = unit.then_with(|| of(a_place).cmp(&of(b_place)));
        stated.then_with(|| a_place.cmp(b_place))
    });
    let units = entries.chunk_by(|a, b| a.0 == b.0 && state(&a.1) == state(&b.1));
    for unit in units {
        let Some(((number, place), state)) = unit.first().and_then(|of| Some((of, state(&of.1)?)))
        else {
            continue;
        };
        debug_assert!(*place < rows.len());
        let stated = unit
            .chunk_by(|a, b| of(&a.1) == of(&b.1))
            .filter_map(|same| {
                let rows = same.iter().filter_map(|(_, place)| {
                    Some(RowOf {
                        place: *place,
                        row: rows.get(*place)?,
                    })
                });
                Stated::new(rows.collect(), generation)
            });
        visit(&StatedUnit {
            key: (*number, state),
            stated: stated.collect(),
        })?;
    }
    Ok(())
}
