//! A check of documents against a snapshot.

use super::precedence::InService;
use super::{Coverage, Snapshot};
use crate::document::{DocumentNumber, DocumentType, Issuer, IssuingState, format};
use crate::index::{Damage, Document, Documents, Segment};
use crate::report::{
    Candidate, Check, Day, Disclosure, Judgement, Query, Report, judge_unreported,
};
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
        let mut check = Check::new(query, Day::from_timestamp(moment.now));
        if let Some(number) = &query.number
            && self.may_contain(number)
        {
            // Of the documents of a State the newest segment that has any holds all that there is to say.
            let mut seen = Vec::new();
            for segment in self.segments.iter().rev() {
                if segment.may_contain(number) {
                    // Known to be damaged, it is not read again.
                    segment.intact()?;
                    self.gather(segment, number, &mut seen, &mut check)?;
                }
            }
        }
        let judgement = check.conclude(moment.data_too_old);
        Ok(self.answer(query, judgement, moment))
    }

    /// Whether what was read from its segments before this call was what was verified: see [`Segment::intact`].
    /// [`check`](Self::check) asks by itself, but the owners' references in its answer are read when the answer is used:
    /// ask after that.
    ///
    /// # Errors
    /// [`Damage::ChangedWhileMapped`] of the first segment that is not.
    pub fn intact(&self) -> Result<(), Damage> {
        self.segments
            .iter()
            .try_for_each(|segment| segment.intact())
    }

    /// Says that [`may_contain`](Self::may_contain) will be asked about this number soon.
    pub fn fetch(&self, number: &DocumentNumber) {
        if let Some(base) = self.segments.first() {
            base.fetch(number);
        }
    }

    /// Whether anything may be reported about a number: `false` is certain. For many numbers at
    /// once [`may_contain_each`](Self::may_contain_each) is faster.
    #[inline]
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
        let judgement = judge_unreported(query, moment.data_too_old);
        self.answer(query, judgement, moment)
    }

    fn answer<'a>(
        &'a self,
        query: &'a Query,
        judgement: Judgement<'a>,
        moment: Moment,
    ) -> Answer<'a> {
        Answer {
            judgement,
            snapshot: self,
            query,
            now: moment.now,
        }
    }
}

impl Snapshot {
    /// Adds every report of a number in a segment, but of the States that newer segments have documents of.
    fn gather<'s>(
        &self,
        segment: &'s Segment,
        number: &DocumentNumber,
        seen: &mut Vec<IssuingState>,
        check: &mut Check<'_, 's>,
    ) -> Result<(), Damage> {
        let newer = seen.len();
        self.each_report(
            segment.find(number)?,
            (seen, newer),
            |state, of_type, report| {
                check.add(Candidate {
                    issuing_state: state,
                    document_type: of_type,
                    report,
                    // Every caller may see everything until callers are told apart.
                    disclosure: Disclosure::Full,
                });
            },
        )
    }

    /// Calls `each` with the reports of a number in a segment that are shown, of sources in service. The first `newer`
    /// of the States that have been `seen` are left out; those met here are added.
    pub(super) fn each_report<'s>(
        &self,
        documents: Documents<'s>,
        (seen, newer): (&mut Vec<IssuingState>, usize),
        mut each: impl FnMut(IssuingState, DocumentType, Report<'s>),
    ) -> Result<(), Damage> {
        let mut unit = Vec::new();
        for document in documents {
            let document = document?;
            let (state, of_type) = (document.issuing_state, document.document_type);
            if seen.get(..newer).is_some_and(|seen| seen.contains(&state)) {
                continue;
            }
            // The documents of a State stand together.
            if seen
                .get(newer..)
                .is_none_or(|met| met.last() != Some(&state))
            {
                self.each_in_service(&unit, &mut each)?;
                unit.clear();
                seen.push(state);
            }
            match self.hiding {
                None => document.each_report(|report| each(state, of_type, report))?,
                Some(_) => unit.push(document),
            }
        }
        self.each_in_service(&unit, &mut each)
    }

    /// Calls `each` with the reports of a State's documents with a number that are shown when nothing counts that sources
    /// out of service have said.
    fn each_in_service<'s>(
        &self,
        unit: &[Document<'s>],
        each: &mut impl FnMut(IssuingState, DocumentType, Report<'s>),
    ) -> Result<(), Damage> {
        let (Some(hiding), Some(first)) = (&self.hiding, unit.first()) else {
            return Ok(());
        };
        let service = InService::new(unit, (&hiding.sources, &hiding.lists))?;
        for document in unit {
            document.each_statement(|statement| {
                if let Some(report) = service.shown(document.document_type, statement) {
                    each(first.issuing_state, document.document_type, report);
                }
            })?;
        }
        Ok(())
    }
}
