//! One document asked about.

use super::errors::CallError;
use super::serving::Serving;
use super::{convert, question};
use crate::proto;
use crate::report::Query;
use crate::snapshot::Answer;
use jiff::Timestamp;
use prost::Message as _;

/// Bytes that the matches of one answer may take; the rest of a message is left to the other fields.
const MATCHES_BYTES_MAX: usize = 3 * 1024 * 1024;

/// Answers `CheckDocument`. Waits for nothing, takes no lock and does no I/O but page faults of the
/// mapped snapshot.
pub(super) fn check_document(
    serving: &Serving,
    request: &proto::CheckDocumentRequest,
) -> Result<proto::CheckDocumentResponse, CallError> {
    let query = question::read(request)?;
    let now = Timestamp::now();
    let current = serving.guard();
    let current = current.as_deref().ok_or(CallError::NoSnapshot)?;
    serving.check(current, &query, now, |answer| {
        response(&query, answer, current.named(now))
    })
}

/// What the wire says of an answer.
pub(super) fn response(
    query: &Query,
    answer: &Answer<'_>,
    snapshot: proto::Snapshot,
) -> proto::CheckDocumentResponse {
    let judgement = &answer.judgement;
    let mut matches = Vec::with_capacity(judgement.matches.len());
    let mut matches_bytes = 0;
    for candidate in &judgement.matches {
        let matched = convert::matched(candidate);
        matches_bytes += matched.encoded_len() + super::compact::ENTRY_OVERHEAD;
        if matches_bytes > MATCHES_BYTES_MAX {
            break;
        }
        matches.push(matched);
    }
    proto::CheckDocumentResponse {
        verdict: convert::verdict(judgement.verdict).into(),
        reasons: convert::reasons(judgement.reasons),
        document: convert::document(query),
        same_number_other_issuers: judgement.same_number_other_issuers,
        mrz: query.mrz.as_ref().map(convert::mrz),
        matches_omitted: u32::try_from(judgement.matches.len() - matches.len()).unwrap_or(u32::MAX),
        matches,
        snapshot: Some(snapshot),
        coverage: answer
            .coverage
            .as_ref()
            .map(|coverage| convert::coverage(coverage, query)),
        format_plausible: answer.format_plausible,
    }
}
