//! From segments into a new one: statements as they are.

use super::changes::{Key, each_unit_of};
use super::error::PublishError;
use super::precedence::{Dated, UnitKey};
use crate::document::NumberRange;
use crate::index::{
    BuildOptions, BuildSummary, Document, Inserter, Row, Said, Segment, SegmentBuilder, Standing,
    Statement, Withdrawal,
};
use crate::report::{Authority, Report};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Rows of changes held in memory; more go through scratch files.
const MEMORY: u64 = 256 << 20;

/// A way into a segment in the making.
pub(super) struct Copy<'b, 's> {
    inserter: Inserter<'b>,
    authorities: Authorities<'s>,
}

impl<'b, 's> Copy<'b, 's> {
    pub(super) fn new(builder: &'b SegmentBuilder) -> Self {
        Self {
            inserter: builder.inserter(),
            authorities: Authorities::default(),
        }
    }

    /// Ends it; the authorities that what was copied names.
    pub(super) fn finish(self) -> Result<Authorities<'s>, PublishError> {
        self.inserter.finish()?;
        Ok(self.authorities)
    }

    /// Copies all that is said of documents of a unit.
    pub(super) fn put_unit(
        &mut self,
        (number, state): &UnitKey,
        documents: &[Document<'s>],
    ) -> Result<(), PublishError> {
        documents.iter().try_for_each(|document| {
            let key = (*number, *state, document.document_type);
            self.put_some(&key, document, |_| true)
        })
    }

    /// Puts a statement about a document of a unit.
    pub(super) fn put_dated(
        &mut self,
        (number, state): &UnitKey,
        one: &Dated<'s>,
    ) -> Result<(), PublishError> {
        self.put(&(*number, *state, one.document_type), one.statement)
    }

    /// Copies some of what is said of a document.
    pub(super) fn put_some(
        &mut self,
        key: &Key,
        document: &Document<'s>,
        wanted: impl Fn(&Statement<'_>) -> bool,
    ) -> Result<(), PublishError> {
        let mut put = Ok(());
        document.each_statement(|statement| {
            if put.is_ok() && wanted(&statement) {
                put = self.put(key, statement);
            }
        })?;
        put
    }

    /// Puts a statement about a document.
    pub(super) fn put(&mut self, key: &Key, statement: Statement<'s>) -> Result<(), PublishError> {
        let (number, issuing_state, document_type) = *key;
        let numbers = NumberRange::single(number);
        let edition = statement.edition;
        let without_content = |reason| Withdrawal {
            numbers,
            issuing_state,
            document_type,
            source: statement.source,
            third_party: statement.third_party,
            reason,
        };
        let (report, overruled) = match statement.said {
            Said::Reported(report) => (report, false),
            Said::Overruled(report) => (report, true),
            Said::Withdrawn { reason } => {
                let put = self.inserter.withdraw(&without_content(reason), edition);
                return Ok(put?);
            }
            Said::Unwithdrawn { reason } => {
                let put = self.inserter.unwithdraw(&without_content(reason), edition);
                return Ok(put?);
            }
            Said::Expired => {
                let put = self.inserter.insert_expired(&without_content(""), edition);
                return Ok(put?);
            }
        };
        self.authorities.note(&report);
        let row = Row {
            numbers,
            issuing_state,
            document_type,
            status: report.status,
            source_status: report.source_status,
            date_of_loss: report.date_of_loss,
            date_reported: report.date_reported,
            review_date: report.review_date,
            authority: report.authority.map_or("", |authority| authority.code),
            restriction: report.restriction,
            source: report.source,
            third_party: report.third_party,
            owner_reference: report.owner_reference,
        };
        let standing = Standing { edition, overruled };
        Ok(self.inserter.insert_as(&row, standing)?)
    }
}

/// Copies from all parts of a segment side by side; `visit` decides what of each unit. Returns the authorities
/// that what was copied names.
///
/// # Errors
/// [`PublishError`] when the segment can't be read, and whatever `visit` says.
pub(super) fn from<'s>(
    segment: &'s Segment,
    builder: &SegmentBuilder,
    threads: usize,
    visit: impl Fn(&mut Copy<'_, 's>, &UnitKey, &[Document<'s>]) -> Result<(), PublishError> + Sync,
) -> Result<Authorities<'s>, PublishError> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut copy = Copy::new(builder);
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= segment.parts() {
                return copy.finish();
            }
            each_unit_of(segment, part, |key, documents| {
                visit(&mut copy, &key, documents)
            })?;
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let mut authorities = Authorities::default();
        for thread in threads {
            match thread.join() {
                Ok(named) => authorities.merge(named?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(authorities)
    })
}

/// Builds a small segment at a path, with a folder for scratch files, of what `fill` puts into it.
///
/// # Errors
/// [`PublishError`] when it can't be written, and whatever `fill` says.
pub(super) fn write<'s>(
    (scratch, path): (&Path, &Path),
    fill: impl FnOnce(&mut Copy<'_, 's>) -> Result<(), PublishError>,
) -> Result<BuildSummary, PublishError> {
    let builder = SegmentBuilder::new(BuildOptions {
        memory: MEMORY,
        threads: 1,
        scratch: scratch.to_owned(),
    });
    let mut copy = Copy::new(&builder);
    fill(&mut copy)?;
    let authorities = copy.finish()?;
    Ok(builder.finish(path, &authorities.directory(), |_, _| {})?)
}

/// The authorities that reports name; of several entries of one code, the one met last.
#[derive(Debug, Default)]
pub struct Authorities<'s>(BTreeMap<&'s str, Authority<'s>>);

impl<'s> Authorities<'s> {
    fn note(&mut self, report: &Report<'s>) {
        if let Some(authority) = report.authority {
            self.0.insert(authority.code, authority);
        }
    }

    /// Takes those that others name too.
    pub fn merge(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// They, in order of their codes.
    pub fn directory(self) -> Vec<Authority<'s>> {
        self.0.into_values().collect()
    }
}
