//! What a delta changes of what is shown of a unit.

use super::Before;
use super::fate::StillReported;
use super::order::{Stated, StatedUnit};
use crate::document::{DocumentNumber, DocumentType, IssuingState};
use crate::index::Damage;
use crate::report::{Authority, Report};
use crate::snapshot::changes::find_states;
use crate::snapshot::error::PublishError;
use crate::snapshot::precedence::{Dated, Lists, Retracted, Unit, reaches};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashSet};

/// A unit before and after the changes.
pub(super) struct Moved<'s> {
    lists: &'s Lists,
    before: Vec<Shown<'s>>,
    after: Vec<Shown<'s>>,
    /// What of both is not in the other: a document may have very many reports.
    gone: Vec<usize>,
    come: Vec<usize>,
    /// With sources out of service, too.
    resolved: Unit<'s>,
    /// Without them, where there are any.
    in_service: Option<(&'s Retracted, Unit<'s>)>,
}

/// A report that is shown, and the earliest as-of of a withdrawal that silences it.
struct Shown<'s> {
    document_type: DocumentType,
    report: Report<'s>,
    silenced_from: Timestamp,
}

impl<'s> Moved<'s> {
    /// What the rows of a unit change.
    ///
    /// # Errors
    /// [`Damage`] when the snapshot can't be read.
    pub(super) fn new(unit: &StatedUnit<'s>, before: &'s Before<'s>) -> Result<Self, Damage> {
        let view = before.view;
        let said = view.statements_about(&unit.key)?;
        let mut all = said.clone();
        all.extend(view.kept_of(&unit.key)?);
        all.extend(unit.dated(view.lists));
        let resolved = Unit::resolve(all, before.today);
        let in_service = (!before.retracted.is_empty()).then(|| {
            let unit = Unit::in_service(resolved.statements(), &before.retracted, before.today);
            (&before.retracted, unit)
        });
        let (shown_before, shown_after) =
            (shown(&said, before), shown(resolved.statements(), before));
        Ok(Self {
            lists: view.lists,
            gone: places_without(&shown_before, &shown_after),
            come: places_without(&shown_after, &shown_before),
            before: shown_before,
            after: shown_after,
            resolved,
            in_service,
        })
    }

    /// Whether the reports that a source states in this delta are the last that it has said, and not silenced: of a
    /// source out of service, whether they would be, were it in service.
    pub(super) fn counts(&self, stated: &Stated<'_>) -> bool {
        let unit = match &self.in_service {
            Some((retracted, unit)) if !retracted.contains(stated.source()) => unit,
            _ => &self.resolved,
        };
        let mut said = unit.statements().iter();
        said.any(|one| {
            one.document_type == stated.document_type
                && one.statement.source == stated.source()
                && one.edition == stated.edition
                && one.shown().is_some()
        })
    }

    /// Whether a shown report disappears because of the rows that withdraw.
    pub(super) fn withdraws(&self, stated: &Stated<'_>) -> bool {
        let silences = stated.withdrawal().is_some() && !stated.third_party();
        let hides = |shown: &Shown<'_>| {
            let own = shown.report.source == stated.source()
                && shown.document_type == stated.document_type;
            own || silences && self.is_silenced(shown, stated)
        };
        self.gone().any(hides)
    }

    /// The reports that are shown no longer.
    fn gone(&self) -> impl Iterator<Item = &Shown<'s>> {
        self.gone.iter().filter_map(|place| self.before.get(*place))
    }

    /// Whether the source has said something later of its own reports of the document, or its list is later.
    pub(super) fn is_too_late(&self, stated: &Stated<'_>) -> bool {
        let list = self.lists.get(stated.source());
        let mut said = self.resolved.statements().iter();
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
    pub(super) fn silenced_until_next_list(&self, stated: &Stated<'_>) -> BTreeSet<String> {
        if stated.withdrawal().is_none() || stated.third_party() {
            return BTreeSet::new();
        }
        let undated = self.gone().filter(|shown| {
            let day = shown.report.date_reported.or(shown.report.date_of_loss);
            day.is_none() && self.is_silenced(shown, stated)
        });
        undated
            .map(|shown| shown.report.source.to_owned())
            .collect()
    }

    /// Whether a report of a third party that a withdrawal of the source could silence is shown that was not.
    pub(super) fn shows_again(&self, stated: &Stated<'_>) -> bool {
        let mut come = self.come.iter().filter_map(|place| self.after.get(*place));
        come.any(|shown| {
            shown.report.third_party && reaches(stated.document_type, shown.document_type)
        })
    }

    pub(super) fn still_reported(&self, issuing_state: IssuingState) -> BTreeSet<StillReported> {
        let still = self.after.iter().map(|shown| StillReported {
            issuing_state,
            document_type: shown.document_type,
            source: shown.report.source.to_owned(),
        });
        still.collect()
    }
}

impl<'s> Shown<'s> {
    /// What tells the report from others of the unit. Of the rows of changes, only the codes of authorities are known.
    fn content(&self) -> (DocumentType, Report<'s>) {
        let mut report = self.report;
        report.authority = report.authority.map(|authority| Authority {
            name: "",
            contact: "",
            ..authority
        });
        (self.document_type, report)
    }
}

/// The places of the reports that others lack.
fn places_without(shown: &[Shown<'_>], others: &[Shown<'_>]) -> Vec<usize> {
    let others: HashSet<_> = others.iter().map(Shown::content).collect();
    let shown = shown.iter().enumerate();
    let without = shown.filter(|(_, shown)| !others.contains(&shown.content()));
    without.map(|(place, _)| place).collect()
}

/// The reports that are shown of what is said of the documents of a unit: of sources in service, and in force.
fn shown<'s>(said: &[Dated<'s>], before: &Before<'_>) -> Vec<Shown<'s>> {
    let in_service = match before.retracted.is_empty() {
        true => said.to_vec(),
        false => {
            let unit = Unit::in_service(said, &before.retracted, before.today);
            unit.statements().to_vec()
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
pub(super) fn elsewhere(
    before: &Before<'_>,
    number: &DocumentNumber,
    state: IssuingState,
) -> Result<Vec<StillReported>, PublishError> {
    let mut reported = Vec::new();
    for other in find_states(before.view.segments, number)? {
        if other == state {
            continue;
        }
        let said = before.view.statements_about(&(*number, other))?;
        reported.extend(shown(&said, before).into_iter().map(|shown| StillReported {
            issuing_state: other,
            document_type: shown.document_type,
            source: shown.report.source.to_owned(),
        }));
    }
    Ok(reported)
}
