//! The documents with a number, and what is reported of them.

use super::error::Damage;
use super::packing::{Found, PackedReport};
use super::segment::Segment;
use super::shard::Shard;
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
    /// Calls `each` with the reports of the document, in a fixed order. Allocates nothing.
    ///
    /// # Errors
    /// [`Damage`] when the bytes are no longer those that were verified.
    pub fn each_report(&self, mut each: impl FnMut(Report<'s>)) -> Result<(), Damage> {
        let mut at = Some(self.first);
        while let Some(found) = at
            && found.report.pair == self.first.report.pair
        {
            let reference = self.shard.reference(found.index);
            let reference = reference.ok_or(changed("references"))?;
            let report = self.segment.unpacked(&found.report, reference);
            each(report.ok_or(changed("reports"))?);
            at = Documents::behind(self.shard, &found)?;
        }
        Ok(())
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
    /// A stored report in full.
    fn unpacked<'s>(
        &'s self,
        packed: &PackedReport,
        owner_reference: &'s str,
    ) -> Option<Report<'s>> {
        let profile = self.profile(packed.profile)?;
        let [date_of_loss, date_reported, review_date] = packed.days;
        Some(Report {
            status: profile.status,
            source_status: self.text(profile.source_status)?,
            date_of_loss,
            date_reported,
            review_date,
            authority: self.authority(profile.authority)?,
            restriction: self.text(profile.restriction)?,
            source: self.text(profile.source)?,
            third_party: profile.third_party,
            owner_reference,
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
