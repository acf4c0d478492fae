//! Answers to many questions in one message: what they have in common stands once.

use super::convert;
use crate::document::{DocumentType, Issuer, IssuingState};
use crate::proto;
use crate::report::{Authority, Candidate, Disclosure, Query};
use crate::snapshot::Answer;
use prost::Message as _;
use std::collections::HashMap;

/// An entry of a repeated field costs its tag and its length (at most 5 bytes of varint) beside its
/// own bytes.
pub(super) const ENTRY_OVERHEAD: usize = 6;

/// Collects what the answers of one message share.
///
/// Entry 0 of each table is empty, so that an index of 0, which protobuf doesn't even send, means
/// "none".
#[derive(Debug)]
pub(super) struct Shared {
    tables: proto::SharedTables,
    texts: HashMap<String, u32>,
    authorities: HashMap<proto::Authority, u32>,
    coverages: HashMap<(IssuingState, Option<DocumentType>), u32>,
    /// Bytes that the tables will take, at most.
    bytes: usize,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            tables: proto::SharedTables {
                texts: vec![String::new()],
                authorities: vec![proto::Authority::default()],
                coverages: vec![proto::Coverage::default()],
            },
            texts: HashMap::new(),
            authorities: HashMap::new(),
            coverages: HashMap::new(),
            bytes: 3 * ENTRY_OVERHEAD,
        }
    }

    /// Bytes that the tables will take in the message, at most.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The tables, to be put into the message.
    pub(super) fn into_tables(self) -> proto::SharedTables {
        self.tables
    }

    /// The compact form of an answer. Matches are taken in as long as they and what they add to the
    /// tables fit into `allowance` bytes; the rest is counted in `matches_omitted`.
    pub(super) fn answer(
        &mut self,
        query: &Query,
        answer: &Answer<'_>,
        allowance: usize,
    ) -> proto::CompactAnswer {
        let judgement = &answer.judgement;
        let mut compact = proto::CompactAnswer {
            verdict: convert::verdict(judgement.verdict).into(),
            reasons: convert::reasons(judgement.reasons),
            document: convert::document(query),
            same_number_other_issuers: judgement.same_number_other_issuers,
            mrz: query.mrz.as_ref().map(convert::mrz),
            matches: Vec::new(),
            matches_omitted: 0,
            coverage_index: self.coverage(query, answer),
            format_plausible: answer.format_plausible,
        };
        let end = self.bytes.saturating_add(allowance);
        let mut matches_bytes = 0;
        for candidate in &judgement.matches {
            // An upper bound is enough to stop in time: a little space is left unused at most.
            if self.bytes + matches_bytes + self.bound(candidate) > end {
                compact.matches_omitted += 1;
                continue;
            }
            let matched = self.matched(candidate);
            matches_bytes += matched.encoded_len() + ENTRY_OVERHEAD;
            compact.matches.push(matched);
        }
        compact
    }

    /// The index of the coverage of the State and type asked about, 0 if no known State was given.
    pub(super) fn coverage(&mut self, query: &Query, answer: &Answer<'_>) -> u32 {
        let (Some(coverage), Some(Issuer::Known(state))) = (&answer.coverage, query.issuer) else {
            return 0;
        };
        *self
            .coverages
            .entry((state, query.document_type))
            .or_insert_with(|| {
                let entry = convert::coverage(coverage, query);
                self.bytes += entry.encoded_len() + ENTRY_OVERHEAD;
                push(&mut self.tables.coverages, entry)
            })
    }

    /// The compact form of [`convert::matched`].
    fn matched(&mut self, candidate: &Candidate<'_>) -> proto::CompactMatch {
        let report = &candidate.report;
        let contact = proto::CompactMatch {
            issuing_state_index: self.text(candidate.issuing_state.code()),
            r#type: convert::document_type(candidate.document_type).into(),
            authority_index: report
                .authority
                .as_ref()
                .map_or(0, |authority| self.authority(authority)),
            confirm_with_authority: true,
            ..proto::CompactMatch::default()
        };
        if candidate.disclosure != Disclosure::Full {
            return contact;
        }
        proto::CompactMatch {
            status: convert::status(report.status).into(),
            source_status_index: self.text(report.source_status),
            date_of_loss: convert::day(report.date_of_loss),
            date_reported: convert::day(report.date_reported),
            review_date: convert::day(report.review_date),
            restriction_index: self.text(report.restriction),
            source_index: self.text(report.source),
            third_party: report.third_party,
            owner_reference: report.owner_reference.to_owned(),
            ..contact
        }
    }

    fn text(&mut self, text: &str) -> u32 {
        if text.is_empty() {
            return 0;
        }
        if let Some(&index) = self.texts.get(text) {
            return index;
        }
        self.bytes += text.len() + ENTRY_OVERHEAD;
        let index = push(&mut self.tables.texts, text.to_owned());
        self.texts.insert(text.to_owned(), index);
        index
    }

    fn authority(&mut self, authority: &Authority<'_>) -> u32 {
        let entry = convert::authority(authority);
        if let Some(&index) = self.authorities.get(&entry) {
            return index;
        }
        self.bytes += entry.encoded_len() + ENTRY_OVERHEAD;
        let index = push(&mut self.tables.authorities, entry.clone());
        self.authorities.insert(entry, index);
        index
    }

    /// What a match can add at most, tables included.
    fn bound(&self, candidate: &Candidate<'_>) -> usize {
        // Three days, five indexes, codes and flags with their tags.
        const FIXED: usize = 128;
        let report = &candidate.report;
        let authority = report
            .authority
            .as_ref()
            .map_or(0, |a| a.code.len() + a.name.len() + a.contact.len());
        let texts = report.source_status.len() + report.restriction.len() + report.source.len();
        FIXED + texts + authority + report.owner_reference.len() + 8 * ENTRY_OVERHEAD
    }
}

/// Appends an entry and returns its index. A table never outgrows a message, and so not a `u32`.
fn push<T>(table: &mut Vec<T>, entry: T) -> u32 {
    let index = u32::try_from(table.len()).unwrap_or(u32::MAX);
    table.push(entry);
    index
}
