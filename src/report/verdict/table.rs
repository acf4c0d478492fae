//! The verdict table, as data.
//!
//! [`MATCH_ROWS`] is asked for each live, visible report of the number; the first row
//! whose facts all hold decides what the report is worth. When no report is a match,
//! [`NO_MATCH_ROWS`] decides for the check.

use super::Verdict;
use crate::report::{Query, Reason, Reasons};

use super::Candidate;

/// Something that holds, or does not, for one report under one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Fact {
    /// The issuer asked about is the one reported.
    IssuerEqual,
    /// No issuer is asked about.
    IssuerNotGiven,
    /// The issuer asked about is not known.
    IssuerUnknown,
    /// It is known and of the same group as the one reported.
    IssuerOfSameGroup,
    /// It is one confusable letter away from the one reported.
    IssuerOneLetterAway,
    /// None of the above: it is known and another one.
    IssuerAnother,
    /// Not [`IssuerAnother`](Self::IssuerAnother).
    IssuerNotAnother,
    /// The reported issuer is the State of the holder's nationality or one of its group, on
    /// a passport of a national that is read without a fault but perhaps in the issuer.
    NationalityReported,
    /// The type asked about can be the one reported.
    TypeCompatible,
    /// No type is asked about.
    TypeNotGiven,
    /// The type asked about cannot be the one reported.
    TypeIncompatible,
    /// The report is the issuing State's own.
    OwnersReport,
    /// It is not.
    ThirdPartyReport,
    /// The number has no check digit, or one that verifies.
    CheckDigitNotFailed,
    /// The number's check digit does not verify.
    CheckDigitFailed,
}

/// What one report is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Worth {
    /// A match that is a `HIT`.
    Hit,
    /// A match that is a `REVIEW`, for this reason and that of every other row that fits.
    Review(Reason),
    /// No match: another State's document of the same number.
    Elsewhere,
}

/// The facts that must hold, and what the report is worth then.
pub(super) type MatchRow = (&'static [Fact], Worth);

/// From the top, the first row that fits decides; each report fits one.
pub(super) const MATCH_ROWS: [MatchRow; 11] = {
    use Fact::*;
    use Worth::{Elsewhere, Hit, Review};
    [
        (
            &[
                IssuerEqual,
                TypeCompatible,
                OwnersReport,
                CheckDigitNotFailed,
            ],
            Hit,
        ),
        (
            &[IssuerNotAnother, TypeNotGiven],
            Review(Reason::TypeNotGiven),
        ),
        (
            &[IssuerNotAnother, TypeIncompatible],
            Review(Reason::TypeIncompatible),
        ),
        (
            &[IssuerNotAnother, ThirdPartyReport],
            Review(Reason::ThirdPartyReport),
        ),
        (
            &[IssuerNotAnother, CheckDigitFailed],
            Review(Reason::NumberCheckDigitFailed),
        ),
        (&[IssuerNotGiven], Review(Reason::IssuerNotGiven)),
        (&[IssuerUnknown], Review(Reason::IssuerUnknown)),
        (&[IssuerOfSameGroup], Review(Reason::IssuerOfSameGroup)),
        (&[IssuerOneLetterAway], Review(Reason::IssuerOneLetterAway)),
        (
            &[
                IssuerAnother,
                NationalityReported,
                TypeCompatible,
                OwnersReport,
            ],
            Review(Reason::ReportedByNationality),
        ),
        (&[IssuerAnother], Elsewhere),
    ]
};

/// Something that holds, or does not, for a check that found no match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoMatchFact {
    /// No document of the State and type has such a number, and its check digit does not
    /// say that it was read right.
    NumberImpossible,
    /// The number's check digit does not verify.
    CheckDigitFailed,
    /// There is no number, and the zone is of a kind that can't be read.
    ZoneNotSupported,
    /// There is no number: the zone could not be segmented, or its number is empty.
    NumberMissing,
    /// The snapshot is past its hard age.
    DataTooOld,
    /// Always.
    Else,
}

/// From the top, the first row that fits decides; the last always does.
pub(super) const NO_MATCH_ROWS: [(NoMatchFact, Verdict, Option<Reason>); 6] = [
    (
        NoMatchFact::NumberImpossible,
        Verdict::Inconclusive,
        Some(Reason::NumberImpossible),
    ),
    (
        NoMatchFact::CheckDigitFailed,
        Verdict::Inconclusive,
        Some(Reason::Misread),
    ),
    (
        NoMatchFact::ZoneNotSupported,
        Verdict::Inconclusive,
        Some(Reason::ZoneNotSupported),
    ),
    (
        NoMatchFact::NumberMissing,
        Verdict::Inconclusive,
        Some(Reason::Unreadable),
    ),
    (
        NoMatchFact::DataTooOld,
        Verdict::Inconclusive,
        Some(Reason::DataTooOld),
    ),
    (NoMatchFact::Else, Verdict::NoRecord, None),
];

/// A set of [`Fact`]s, a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts(u16);

impl Facts {
    /// The facts of a report under a question.
    pub(super) fn of(query: &Query, candidate: &Candidate<'_>) -> Self {
        use Fact::*;
        let mut facts = Self(0);
        let reported = &candidate.issuing_state;
        match query.issuer {
            None => facts.insert(IssuerNotGiven),
            Some(asked) if asked.known() == Some(*reported) => facts.insert(IssuerEqual),
            Some(asked) => {
                match asked.known() {
                    None => facts.insert(IssuerUnknown),
                    Some(state) if state.same_group(reported) => facts.insert(IssuerOfSameGroup),
                    Some(_) => {}
                }
                if asked.one_confusable_letter_from(reported) {
                    facts.insert(IssuerOneLetterAway);
                }
            }
        }
        // Nothing said about the issuer so far: it is known and another one.
        facts.insert(if facts == Self(0) {
            IssuerAnother
        } else {
            IssuerNotAnother
        });
        let nationality = query.nationality_in_doubt();
        if nationality.is_some_and(|state| state == *reported || state.same_group(reported)) {
            facts.insert(NationalityReported);
        }
        facts.insert(match query.can_be(candidate.document_type) {
            None => TypeNotGiven,
            Some(true) => TypeCompatible,
            Some(false) => TypeIncompatible,
        });
        facts.insert(if candidate.report.third_party {
            ThirdPartyReport
        } else {
            OwnersReport
        });
        facts.insert(if query.number_check_failed {
            CheckDigitFailed
        } else {
            CheckDigitNotFailed
        });
        facts
    }

    fn insert(&mut self, fact: Fact) {
        self.0 |= 1 << fact as u8;
    }

    /// Whether all facts of a row hold.
    pub(super) fn fit(self, row: &MatchRow) -> bool {
        row.0.iter().all(|&fact| self.0 & (1 << fact as u8) != 0)
    }

    /// What the first fitting row makes of the report, and the reasons of all that fit
    /// if that is a `REVIEW`.
    pub(super) fn judge(self) -> (Worth, Reasons) {
        let mut fitting = MATCH_ROWS
            .iter()
            .filter(|row| self.fit(row))
            .map(|&(_, worth)| worth);
        // Every report fits a row: whatever is not another issuer's is a hit or has a fact
        // that stands in the way. `Elsewhere` is never reached for lack of a row.
        match fitting.next().unwrap_or(Worth::Elsewhere) {
            Worth::Review(first) => {
                let others = fitting.filter_map(|worth| match worth {
                    Worth::Review(reason) => Some(reason),
                    Worth::Hit | Worth::Elsewhere => None,
                });
                (
                    Worth::Review(first),
                    std::iter::once(first).chain(others).collect(),
                )
            }
            worth => (worth, Reasons::NONE),
        }
    }
}
