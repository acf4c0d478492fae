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
            matches_omitted: u32::try_from(judgement.unlisted).unwrap_or(u32::MAX),
            coverage_index: self.coverage(query, answer),
            format_plausible: answer.format_plausible(),
        };
        let end = self.bytes.saturating_add(allowance);
        let mut matches_bytes = 0;
        for (place, candidate) in judgement.matches.iter().enumerate() {
            let also = || judgement.also_reported_by(place);
            // An upper bound is enough to stop in time: a little space is left unused at most.
            if self.bytes + matches_bytes + self.bound(candidate, also()) > end {
                compact.matches_omitted = compact.matches_omitted.saturating_add(1);
                continue;
            }
            let matched = self.matched(candidate, also());
            matches_bytes += matched.encoded_len() + ENTRY_OVERHEAD;
            compact.matches.push(matched);
        }
        compact
    }

    /// The index of the coverage of the State and type asked about, 0 if no known State was given.
    pub(super) fn coverage(&mut self, query: &Query, answer: &Answer<'_>) -> u32 {
        let Some(Issuer::Known(state)) = query.issuer else {
            return 0;
        };
        *self
            .coverages
            .entry((state, query.document_type))
            .or_insert_with(|| {
                let Some(coverage) = answer.coverage() else {
                    return 0;
                };
                let entry = convert::coverage(&coverage, query);
                self.bytes += entry.encoded_len() + ENTRY_OVERHEAD;
                push(&mut self.tables.coverages, entry)
            })
    }

    /// The compact form of [`convert::matched`].
    fn matched<'a>(
        &mut self,
        candidate: &Candidate<'_>,
        also: impl Iterator<Item = &'a str>,
    ) -> proto::CompactMatch {
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
            also_reported_by_indexes: also.map(|source| self.text(source)).collect(),
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
    fn bound<'a>(&self, candidate: &Candidate<'_>, also: impl Iterator<Item = &'a str>) -> usize {
        // Three days, five indexes, codes and flags with their tags.
        const FIXED: usize = 128;
        let report = &candidate.report;
        let authority = report
            .authority
            .as_ref()
            .map_or(0, |a| a.code.len() + a.name.len() + a.contact.len());
        let texts = report.source_status.len() + report.restriction.len() + report.source.len();
        // A text and the index of it.
        let also: usize = also.map(|source| source.len() + 2 * ENTRY_OVERHEAD).sum();
        FIXED + texts + authority + report.owner_reference.len() + also + 8 * ENTRY_OVERHEAD
    }
}

/// Appends an entry and returns its index. A table never outgrows a message, and so not a `u32`.
fn push<T>(table: &mut Vec<T>, entry: T) -> u32 {
    let index = u32::try_from(table.len()).unwrap_or(u32::MAX);
    table.push(entry);
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::DocumentNumber;
    use crate::report::{Day, Judgement, Reasons, Report, ReportStatus, Verdict};
    use crate::snapshot::{Moment, Snapshot};
    use jiff::Timestamp;

    fn query(issuer: &str) -> Query {
        let number = DocumentNumber::from_normalised(b"AB1234567").unwrap();
        Query::from_fields(
            number,
            Issuer::parse(issuer).ok(),
            Some(DocumentType::Passport),
        )
    }

    fn candidate<'a>(
        authority: &'a str,
        owner_reference: &'a str,
        disclosure: Disclosure,
    ) -> Candidate<'a> {
        Candidate {
            issuing_state: IssuingState::parse("UKR").unwrap(),
            document_type: DocumentType::Passport,
            report: Report {
                status: ReportStatus::Stolen,
                source_status: "theft",
                date_of_loss: Day::from_ymd(2024, 7, 3),
                date_reported: Day::from_ymd(2024, 7, 4),
                review_date: None,
                authority: Some(Authority {
                    code: authority,
                    name: "Central Bureau",
                    contact: "+00 000 000",
                }),
                restriction: "",
                source: "list",
                third_party: false,
                owner_reference,
            },
            disclosure,
        }
    }

    /// The compact form of a hit with these matches.
    fn compact(
        shared: &mut Shared,
        issuer: &str,
        matches: Vec<Candidate<'_>>,
        allowance: usize,
    ) -> proto::CompactAnswer {
        let (snapshot, query) = (Snapshot::without_segments(), query(issuer));
        let mut answer = snapshot.check_unreported(&query, Moment::at(Timestamp::UNIX_EPOCH));
        answer.judgement = Judgement {
            unlisted: 0,
            verdict: Verdict::Hit,
            reasons: Reasons::NONE,
            matches,
            also: Vec::new(),
            same_number_other_issuers: 3,
        };
        shared.answer(&query, &answer, allowance)
    }

    #[test]
    fn what_is_common_stands_once() {
        let mut shared = Shared::new();
        let answers: Vec<_> = (0..10)
            .map(|_| {
                let found = candidate("UA-1", "r", Disclosure::Full);
                compact(&mut shared, "UKR", vec![found], 10_000)
            })
            .collect();
        assert!(answers.iter().all(|answer| answer == &answers[0]));
        let one = &answers[0].matches[0];
        let tables = shared.into_tables();
        let text = |index: u32| tables.texts[index as usize].as_str();
        assert_eq!(text(one.source_status_index), "theft");
        assert_eq!(text(one.issuing_state_index), "UKR");
        assert_eq!(text(one.source_index), "list");
        assert_eq!(text(one.restriction_index), "");
        assert_eq!(
            tables.authorities[one.authority_index as usize].code,
            "UA-1"
        );
        let coverage = &tables.coverages[answers[0].coverage_index as usize];
        assert_eq!(coverage.issuing_state, "UKR");
        assert_eq!(coverage.level(), proto::CoverageLevel::None);
        assert_eq!(
            (
                tables.texts.len(),
                tables.authorities.len(),
                tables.coverages.len()
            ),
            (4, 2, 2)
        );
        assert_eq!(
            (one.date_of_loss.as_str(), one.review_date.as_str()),
            ("2024-07-03", "")
        );
    }

    #[test]
    fn an_unknown_issuer_has_no_coverage() {
        let mut shared = Shared::new();
        let compact = compact(&mut shared, "QQQ", Vec::new(), 10_000);
        assert_eq!(compact.coverage_index, 0);
        assert_eq!(shared.into_tables().coverages, [proto::Coverage::default()]);
    }

    #[test]
    fn contact_only_tells_whom_to_ask_and_no_more() {
        let mut shared = Shared::new();
        let found = candidate("UA-1", "r", Disclosure::ContactOnly);
        let compact = compact(&mut shared, "UKR", vec![found], 10_000);
        let full = convert::matched(&found, ["other"].into_iter());
        assert_eq!(
            (
                full.status,
                full.source.as_str(),
                full.owner_reference.as_str()
            ),
            (0, "", "")
        );
        assert!(full.also_reported_by.is_empty());
        assert_eq!(full.authority.unwrap().code, "UA-1");
        let expected = proto::CompactMatch {
            issuing_state_index: 1,
            r#type: 1,
            authority_index: 1,
            confirm_with_authority: true,
            ..proto::CompactMatch::default()
        };
        assert_eq!(compact.matches, [expected]);
    }

    #[test]
    fn matches_stop_at_the_allowance_and_the_rest_is_counted() {
        let codes: Vec<String> = (0..200).map(|code| format!("authority {code}")).collect();
        let reference = "r".repeat(100);
        let matches: Vec<_> = codes
            .iter()
            .map(|code| candidate(code, &reference, Disclosure::Full))
            .collect();
        for allowance in [0, 1_000, 10_000, 20_000, 1_000_000] {
            let mut shared = Shared::new();
            let without = compact(&mut shared, "UKR", Vec::new(), 0);
            let before = shared.bytes() + without.encoded_len();
            let compact = compact(&mut shared, "UKR", matches.clone(), allowance);
            assert_eq!(
                compact.matches.len() + compact.matches_omitted as usize,
                matches.len()
            );
            let claimed = shared.bytes();
            let tables = shared.into_tables();
            assert!(
                tables.encoded_len() <= claimed,
                "tables are larger than claimed"
            );
            let grown = (tables.encoded_len() + compact.encoded_len()).saturating_sub(before);
            assert!(
                grown <= allowance + ENTRY_OVERHEAD,
                "{grown} bytes of {allowance}"
            );
            // The bound is not so careful that it wastes half.
            assert!(
                compact.matches_omitted == 0 || allowance < 1_000 || grown * 3 > allowance,
                "{grown} of {allowance}"
            );
        }
    }
}
