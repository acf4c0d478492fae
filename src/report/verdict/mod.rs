//! The verdict: what a check concludes from what is reported of a number.
//!
//! The rules stand as data in `table`; [`judge`] applies them to each report and puts
//! the results together. There is no "valid": absence of a report is not validity.

mod listing;
mod table;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twin;

use super::{Day, Query, Reasons, Report};
use crate::document::{DocumentType, IssuingState};
use listing::Listing;
use table::{Facts, NO_MATCH_ROWS, NoMatchFact, Worth};

/// The conclusion of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Nothing reported: not a statement of validity.
    NoRecord,
    /// Reported.
    Hit,
    /// Perhaps reported: a person must look.
    Review,
    /// Could not be answered: read it again, or ask where the data is newer.
    Inconclusive,
    /// Stop and refer to the authority; the caller may be told no more.
    Refer,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] = [
        Self::NoRecord,
        Self::Hit,
        Self::Review,
        Self::Inconclusive,
        Self::Refer,
    ];

    /// Its stable name: `NO_RECORD`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NoRecord => "NO_RECORD",
            Self::Hit => "HIT",
            Self::Review => "REVIEW",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Refer => "REFER",
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// How much of a report the owner lets this caller learn, most open first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disclosure {
    /// All of it.
    Full,
    /// That there is one, and whom to ask.
    ContactOnly,
    /// Only that the document must be referred to the authority.
    Refer,
    /// Nothing: the answer is given as if the report did not exist.
    Silent,
}

/// A reported document with the number asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Candidate<'a> {
    /// Its issuing State.
    pub issuing_state: IssuingState,
    /// Its type.
    pub document_type: DocumentType,
    /// One report of it.
    pub report: Report<'a>,
    /// What the caller may learn of the report.
    pub disclosure: Disclosure,
}

/// What [`judge`] concludes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement<'a> {
    /// The verdict.
    pub verdict: Verdict,
    /// All reasons that apply: those of every match listed, or why there is no verdict.
    pub reasons: Reasons,
    /// The matches that may be shown: hits before reviews, otherwise in the order given.
    /// Reports that say the same of one document stand once, whatever their sources. At most a thousand.
    pub matches: Vec<Candidate<'a>>,
    /// Further matches: they count for the verdict and its reasons, and are not listed.
    pub unlisted: usize,
    /// The other sources that say the same as a match, by its place among `matches`, in that order.
    pub also: Vec<(usize, &'a str)>,
    /// Number of other known issuers with a report of the same number.
    pub same_number_other_issuers: u32,
}

impl<'a> Judgement<'a> {
    /// The other sources that say the same as the match at a place.
    pub fn also_reported_by(&self, place: usize) -> impl Iterator<Item = &'a str> {
        let first = self.also.partition_point(|(of, _)| *of < place);
        let from = self.also.get(first..).unwrap_or_default();
        let of_place = from.iter().take_while(move |(of, _)| *of == place);
        of_place.map(|(_, source)| *source)
    }
}

impl Judgement<'_> {
    fn without_matches(verdict: Verdict, reasons: Reasons) -> Self {
        Self {
            verdict,
            reasons,
            matches: Vec::new(),
            unlisted: 0,
            also: Vec::new(),
            same_number_other_issuers: 0,
        }
    }
}

/// Applies the verdict table to the reports of the number asked about.
///
/// `candidates` are all reports of that number, of whatever issuer and type, expired or
/// not, visible or not: what the caller must not know of is left out here, so that
/// nothing in the answer betrays it. `today` is the UTC day of the check. `data_too_old`
/// says that the snapshot is past its hard age; what it does report still counts.
///
/// `HIT` is stronger than `REVIEW`, `REVIEW` than `REFER`. A report the caller may only
/// be told to refer adds nothing but `REFER` itself: no match, reason or count.
///
/// Allocates only when something is reported.
pub fn judge<'a>(
    query: &Query,
    candidates: impl IntoIterator<Item = Candidate<'a>>,
    today: Day,
    data_too_old: bool,
) -> Judgement<'a> {
    let mut check = Check::new(query, today);
    for candidate in candidates {
        check.add(candidate);
    }
    check.conclude(data_too_old)
}

/// What [`judge`] says where nothing is reported of the number.
#[inline]
pub(crate) fn judge_unreported(query: &Query, data_too_old: bool) -> Judgement<'static> {
    let (verdict, reasons) = no_match(query, data_too_old);
    Judgement::without_matches(verdict, reasons)
}

/// A check under way: [`judge`] for whoever meets the reports one after the other. Holds only what is listed, however
/// many there are.
pub(crate) struct Check<'q, 'a> {
    query: &'q Query,
    today: Day,
    hits: Listing<'a>,
    reviews: Listing<'a>,
    reasons: Reasons,
    refer: bool,
    /// Sorted, each once.
    other_issuers: Vec<IssuingState>,
    last: Option<Judged>,
}

/// What the last report was worth: those of one document that follow are mostly worth the same.
type Judged = ((IssuingState, DocumentType, bool), (Worth, Reasons));

impl<'q, 'a> Check<'q, 'a> {
    pub(crate) fn new(query: &'q Query, today: Day) -> Self {
        Self {
            query,
            today,
            hits: Listing::default(),
            reviews: Listing::default(),
            reasons: Reasons::NONE,
            refer: false,
            other_issuers: Vec::new(),
            last: None,
        }
    }

    /// Takes a report of the number asked about.
    pub(crate) fn add(&mut self, candidate: Candidate<'a>) {
        // Without a number nothing can be reported of it.
        if self.query.number.is_none()
            || candidate.disclosure == Disclosure::Silent
            || !candidate.report.in_force(self.today)
        {
            return;
        }
        let (worth, reasons) = self.worth(&candidate);
        let refer_only = candidate.disclosure == Disclosure::Refer;
        match worth {
            // A count would tell such a caller more than to refer.
            Worth::Elsewhere if refer_only => {}
            Worth::Elsewhere => {
                if let Err(at) = self.other_issuers.binary_search(&candidate.issuing_state) {
                    self.other_issuers.insert(at, candidate.issuing_state);
                }
            }
            Worth::Hit | Worth::Review(_) if refer_only => self.refer = true,
            Worth::Hit => self.hits.add(candidate),
            Worth::Review(_) => {
                self.reviews.add(candidate);
                self.reasons = self.reasons.union(reasons);
            }
        }
    }

    fn worth(&mut self, candidate: &Candidate<'_>) -> (Worth, Reasons) {
        let facts_of = (
            candidate.issuing_state,
            candidate.document_type,
            candidate.report.third_party,
        );
        match self.last {
            Some((last, judged)) if last == facts_of => judged,
            _ => {
                let judged = Facts::of(self.query, candidate).judge();
                self.last = Some((facts_of, judged));
                judged
            }
        }
    }

    /// What all reports together amount to.
    pub(crate) fn conclude(self, data_too_old: bool) -> Judgement<'a> {
        let (verdict, reasons) = if !self.hits.is_empty() {
            (Verdict::Hit, self.reasons)
        } else if !self.reviews.is_empty() {
            (Verdict::Review, self.reasons)
        } else if self.refer {
            return Judgement::without_matches(Verdict::Refer, Reasons::NONE);
        } else {
            no_match(self.query, data_too_old)
        };
        let (matches, also, unlisted) = self.hits.then(self.reviews);
        // At most one for each State there is.
        let same_number_other_issuers = self.other_issuers.len() as u32;
        Judgement {
            verdict,
            reasons,
            matches,
            unlisted,
            also,
            same_number_other_issuers,
        }
    }
}

fn no_match(query: &Query, data_too_old: bool) -> (Verdict, Reasons) {
    let holds = |fact| match fact {
        NoMatchFact::NumberImpossible => query.number_is_impossible(),
        NoMatchFact::ZoneNotSupported => query.number.is_none() && query.zone_not_supported,
        NoMatchFact::CheckDigitFailed => query.number_check_failed,
        NoMatchFact::NumberMissing => query.number.is_none(),
        NoMatchFact::DataTooOld => data_too_old,
        NoMatchFact::Else => true,
    };
    let row = NO_MATCH_ROWS.into_iter().find(|&(fact, ..)| holds(fact));
    row.map_or(
        (Verdict::NoRecord, Reasons::NONE),
        |(_, verdict, reason)| (verdict, reason.into_iter().collect()),
    )
}
