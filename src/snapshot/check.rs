//! A check of documents against a snapshot.

use super::precedence::{Dated, in_service};
use super::{Coverage, Snapshot};
use crate::document::{DocumentNumber, DocumentType, Issuer, IssuingState, format};
use crate::index::{Damage, Document, Said, Segment};
use crate::report::{Candidate, Day, Disclosure, Judgement, Query, Report, judge};
use jiff::Timestamp;

/// The answer to one query.
///
/// What stands beside the judgement is worked out when it is asked for: a job of millions of
/// documents wants the verdicts only.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// Verdict, reasons, matches.
    pub judgement: Judgement<'a>,
    snapshot: &'a Snapshot,
    query: &'a Query,
    now: Timestamp,
}

impl Answer<'_> {
    /// Coverage of the issuer (and type, where given) asked about; `None` without a known issuer.
    pub fn coverage(&self) -> Option<Coverage> {
        let state = self.issuer()?;
        let table = &self.snapshot.coverage;
        Some(table.get(state, self.query.document_type, self.now))
    }

    /// Whether the number looks like one of the issuer's: a hint, never a verdict. `None` when
    /// nothing is known of them.
    pub fn format_plausible(&self) -> Option<bool> {
        let number = self.query.number.as_ref()?;
        format::plausible(&self.issuer()?, self.query.document_type, number)
    }

    fn issuer(&self) -> Option<IssuingState> {
        self.query.issuer.as_ref().and_then(Issuer::known)
    }
}

/// What a check needs to know of the moment it is made in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The time.
    pub now: Timestamp,
    /// Whether the snapshot is past the age at which "no record" can't be said any more.
    pub data_too_old: bool,
}

impl Moment {
    /// This instant, with data of an age that does not matter.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            data_too_old: false,
        }
    }
}

impl Snapshot {
    /// Checks one document. Allocates nothing for a document that nobody reported.
    ///
    /// # Errors
    /// [`Damage`] when a segment's bytes are no longer those that were verified: the answer is
    /// not known, and the snapshot must be verified again.
    pub fn check<'a>(&'a self, query: &'a Query, moment: Moment) -> Result<Answer<'a>, Damage> {
        let mut candidates = Vec::new();
        if let Some(number) = &query.number
            && self.may_contain(number)
        {
            // Of a document the newest segment that has it holds all that there is to say.
            let mut seen = Vec::new();
            for segment in self.segments.iter().rev() {
                if segment.may_contain(number) {
                    self.gather(segment, number, &mut seen, &mut candidates)?;
                }
            }
        }
        Ok(self.answer(query, candidates, moment))
    }

    /// Says that [`may_contain`](Self::may_contain) will be asked about this number soon.
    pub fn fetch(&self, number: &DocumentNumber) {
        if let Some(base) = self.segments.first() {
            base.fetch(number);
        }
    }

    /// Whether anything may be reported about a number: `false` is certain. For many numbers at
    /// once [`may_contain_each`](Self::may_contain_each) is faster.
    pub fn may_contain(&self, number: &DocumentNumber) -> bool {
        let base = self.segments.first();
        base.is_some_and(|base| match &self.changed {
            None => base.may_contain(number),
            Some(changed) => base.may_contain_with(changed, number),
        })
    }

    /// Sets `positions` to the places of the numbers about which anything may be reported, in order.
    pub fn may_contain_each(&self, numbers: &[DocumentNumber], positions: &mut Vec<u32>) {
        positions.clear();
        if let Some(base) = self.segments.first() {
            match &self.changed {
                None => base.may_contain_each(numbers, positions),
                Some(changed) => base.may_contain_each_with(changed, numbers, positions),
            }
        }
    }

    /// The answer to a query about whose number nothing is reported: what
    /// [`check`](Self::check) says after the filter has.
    pub fn check_unreported<'a>(&'a self, query: &'a Query, moment: Moment) -> Answer<'a> {
        self.answer(query, Vec::new(), moment)
    }

    fn answer<'a>(
        &'a self,
        query: &'a Query,
        candidates: Vec<Candidate<'a>>,
        moment: Moment,
    ) -> Answer<'a> {
        let today = Day::from_timestamp(moment.now);
        Answer {
            judgement: judge(query, candidates, today, moment.data_too_old),
            snapshot: self,
            query,
            now: moment.now,
        }
    }
}

impl Snapshot {
    /// Appends every report of a number in a segment, but of the documents that have been seen.
    fn gather<'s>(
        &self,
        segment: &'s Segment,
        number: &DocumentNumber,
        seen: &mut Vec<(IssuingState, DocumentType)>,
        candidates: &mut Vec<Candidate<'s>>,
    ) -> Result<(), Damage> {
        for document in segment.find(number)? {
            let document = document?;
            let key = (document.issuing_state, document.document_type);
            if seen.contains(&key) {
                continue;
            }
            seen.push(key);
            self.each_report(&document, |report| {
                candidates.push(Candidate {
                    issuing_state: document.issuing_state,
                    document_type: document.document_type,
                    report,
                    // Every caller may see everything until callers are told apart.
                    disclosure: Disclosure::Full,
                });
            })?;
        }
        Ok(())
    }

    /// Calls `each` with the reports of a document that stand, of sources in service.
    pub(super) fn each_report<'s>(
        &self,
        document: &Document<'s>,
        mut each: impl FnMut(Report<'s>),
    ) -> Result<(), Damage> {
        let Some(hiding) = &self.hiding else {
            return document.each_report(each);
        };
        let mut said = Vec::new();
        document.each_statement(|statement| said.extend(Dated::new(statement, &hiding.lists)))?;
        for one in in_service(&said, &hiding.sources) {
            if let Said::Reported(report) = one.statement.said {
                each(report);
            }
        }
        Ok(())
    }
}
