//! The documents with a number, and what is reported of them.

use super::error::Damage;
use super::packing::{Found, PackedReport};
use super::segment::Segment;
use super::shard::Shard;
use super::tables::{Edition, Kind};
use crate::document::{DocumentType, IssuingState};
use crate::report::Report;

/// The reported documents with one number, in order of issuing State and type.
#[derive(Debug, Clone)]
pub struct Documents<'s> {
    segment: &'s Segment,
    at: Option<(&'s Shard, Found)>,
}

/// One reported document.
#[derive(Debug, Clone, Copy)]
pub struct Document<'s> {
    segment: &'s Segment,
    shard: &'s Shard,
    first: Found,
    /// Who issued it.
    pub issuing_state: IssuingState,
    /// Its type.
    pub document_type: DocumentType,
}

/// One thing that a source has said of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Statement<'s> {
    /// Name of the source.
    pub source: &'s str,
    /// Whether the source is not the issuing State's own.
    pub third_party: bool,
    /// When it was said; `None`: the edition of the source's list.
    pub edition: Option<Edition>,
    /// What.
    pub said: Said<'s>,
}

/// What a source has said of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Said<'s> {
    /// This report.
    Reported(Report<'s>),
    /// This report, and the issuing State has withdrawn the document since: it is not shown.
    Overruled(Report<'s>),
    /// That it reports it no longer.
    Withdrawn {
        /// Why; empty: not said.
        reason: &'s str,
    },
    /// That its withdrawal was wrong: reports of third parties that it hides are to be shown again.
    Unwithdrawn {
        /// Why; empty: not said.
        reason: &'s str,
    },
    /// A report that had expired when it was added: it replaces earlier ones of its source.
    Expired,
}

impl<'s> Documents<'s> {
    /// The documents whose first report this is; none of none.
    pub(super) fn new(segment: &'s Segment, first: Option<(&'s Shard, Found)>) -> Self {
        Self { segment, at: first }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.at.is_none()
    }

    /// The report behind `found` of the same number.
    fn behind(shard: &Shard, found: &Found) -> Result<Option<Found>, Damage> {
        found.more.then(|| shard.behind(found)).transpose()
    }
}

impl<'s> Iterator for Documents<'s> {
    type Item = Result<Document<'s>, Damage>;

    /// The next document; [`Damage`] when the bytes are no longer those that were verified.
    fn next(&mut self) -> Option<Self::Item> {
        let (shard, first) = self.at.take()?;
        let next = || {
            let pair = usize::from(first.report.pair);
            let pair = self.segment.pairs().get(pair).ok_or(changed("reports"))?;
            let mut next = Self::behind(shard, &first)?;
            while let Some(found) = next
                && found.report.pair == first.report.pair
            {
                next = Self::behind(shard, &found)?;
            }
            self.segment.intact()?;
            Ok((*pair, next))
        };
        Some(next().map(|((issuing_state, document_type), next)| {
            self.at = next.map(|found| (shard, found));
            Document {
                segment: self.segment,
                shard,
                first,
                issuing_state,
                document_type,
            }
        }))
    }
}

impl<'s> Document<'s> {
    /// Calls `each` with the reports of the document that stand, in a fixed order. Allocates nothing.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn each_report(&self, mut each: impl FnMut(Report<'s>)) -> Result<(), Damage> {
        self.each_statement(|statement| {
            if let Said::Reported(report) = statement.said {
                each(report);
            }
        })
    }

    /// Whether lists report it and nothing else is said of it, neither withdrawn nor overruled nor dated. Cheaper than
    /// to look at what is said.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn is_of_lists_only(&self) -> Result<bool, Damage> {
        let mut at = Some(self.first);
        while let Some(found) = at
            && found.report.pair == self.first.report.pair
        {
            let profile = self.segment.profile(found.report.profile);
            let profile = profile.ok_or(changed("reports"))?;
            if !profile.is_of_list() {
                return Ok(false);
            }
            at = Documents::behind(self.shard, &found)?;
        }
        self.segment.intact()?;
        Ok(true)
    }

    /// Calls `each` with everything that is said of the document, also what no longer stands, in a
    /// fixed order. Allocates nothing.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn each_statement(&self, mut each: impl FnMut(Statement<'s>)) -> Result<(), Damage> {
        let mut at = Some(self.first);
        while let Some(found) = at
            && found.report.pair == self.first.report.pair
        {
            let reference = self.shard.reference(found.index);
            let reference = reference.ok_or(changed("references"))?;
            let statement = self.segment.unpacked(&found.report, reference);
            each(statement.ok_or(changed("reports"))?);
            at = Documents::behind(self.shard, &found)?;
        }
        self.segment.intact()
    }

    /// [`each_report`](Self::each_report), appended to a list.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn reports(&self, reports: &mut Vec<Report<'s>>) -> Result<(), Damage> {
        self.each_report(|report| reports.push(report))
    }
}

impl Segment {
    /// A stored statement in full.
    #[inline]
    fn unpacked<'s>(
        &'s self,
        packed: &PackedReport,
        owner_reference: &'s str,
    ) -> Option<Statement<'s>> {
        let profile = self.profile(packed.profile)?;
        let source = self.text(profile.source)?;
        let source_status = self.text(profile.source_status)?;
        let statement = |said| {
            Some(Statement {
                source,
                third_party: profile.third_party,
                edition: profile.edition,
                said,
            })
        };
        let status = match profile.kind {
            Kind::Report(status) => status,
            Kind::Withdrawal => {
                return statement(Said::Withdrawn {
                    reason: source_status,
                });
            }
            Kind::Unwithdrawal => {
                return statement(Said::Unwithdrawn {
                    reason: source_status,
                });
            }
            Kind::Expired => return statement(Said::Expired),
        };
        let [date_of_loss, date_reported, review_date] = packed.days;
        let report = Report {
            status,
            source_status,
            date_of_loss,
            date_reported,
            review_date,
            authority: self.authority(profile.authority)?,
            restriction: self.text(profile.restriction)?,
            source,
            third_party: profile.third_party,
            owner_reference,
        };
        statement(if profile.overruled {
            Said::Overruled(report)
        } else {
            Said::Reported(report)
        })
    }
}

/// Verified bytes have changed since: another process wrote into the file.
pub(super) fn changed(section: &'static str) -> Damage {
    Damage::Malformed {
        section,
        what: "its bytes have changed since they were verified",
    }
}
