//! One document asked about.

use super::errors::CallError;
use super::fields::Fields;
use super::serving::{Current, Serving};
use super::{answer, convert, question};
use crate::document::Placeholders;
use crate::proto;
use crate::report::{Judgement, Query, Verdict};
use crate::snapshot::Answer;
use prost::Message as _;

/// Bytes that the matches of one answer may take; the rest of a message is left to the other fields.
pub(super) const MATCHES_BYTES_MAX: usize = 3 * 1024 * 1024;

/// Answers `CheckDocument`: appends the answer to the bytes of a request to `reply`, and returns its
/// verdict. Waits for nothing, takes no lock, does no I/O but page faults of the mapped snapshot, and
/// of what nobody reported allocates nothing.
pub(super) fn check_document(
    serving: &Serving,
    request: &[u8],
    reply: &mut Vec<u8>,
) -> Result<Verdict, CallError> {
    let request = Fields::decode(request)?;
    let current = serving.guard();
    let current = current.as_deref();
    let query = question::read_alone(request, placeholders(current))?;
    let current = current.ok_or(CallError::NoSnapshot)?;
    let now = serving.now();
    let start = reply.len();
    serving.check_ahead(current, &query, now, |answer| {
        reply.truncate(start);
        answer::write(reply, &query, answer, current.field(now));
        answer.judgement.verdict
    })
}

/// The same from message to message.
pub(super) fn check_message(
    serving: &Serving,
    request: &proto::CheckDocumentRequest,
) -> Result<proto::CheckDocumentResponse, CallError> {
    let current = serving.guard();
    let current = current.as_deref();
    let query = question::read_alone(request.into(), placeholders(current))?;
    let current = current.ok_or(CallError::NoSnapshot)?;
    let now = serving.now();
    serving.check(current, &query, now, |answer| {
        response(&query, answer, current.named(now))
    })
}

/// The placeholders of the snapshot being served; without one, those that hold everywhere.
fn placeholders(current: Option<&Current>) -> &Placeholders {
    static EVERYWHERE: Placeholders = Placeholders::EVERYWHERE;
    current.map_or(&EVERYWHERE, |current| current.snapshot().placeholders())
}

/// What the wire says of an answer.
pub(super) fn response(
    query: &Query,
    answer: &Answer<'_>,
    snapshot: proto::Snapshot,
) -> proto::CheckDocumentResponse {
    let judgement = &answer.judgement;
    let (matches, matches_omitted) = matches(judgement);
    proto::CheckDocumentResponse {
        verdict: convert::verdict(judgement.verdict).into(),
        reasons: convert::reasons(judgement.reasons),
        document: convert::document(query),
        same_number_other_issuers: judgement.same_number_other_issuers,
        mrz: query.mrz.as_ref().map(convert::mrz),
        matches,
        matches_omitted,
        snapshot: Some(snapshot),
        coverage: answer
            .coverage()
            .map(|coverage| convert::coverage(&coverage, query)),
        format_plausible: answer.format_plausible(),
    }
}

/// The matches that one answer holds, and the number of those left out.
pub(super) fn matches(judgement: &Judgement<'_>) -> (Vec<proto::Match>, u32) {
    let mut matches = Vec::with_capacity(judgement.matches.len());
    let mut matches_bytes = 0;
    for (place, candidate) in judgement.matches.iter().enumerate() {
        let matched = convert::matched(candidate, judgement.also_reported_by(place));
        matches_bytes += matched.encoded_len() + super::compact::ENTRY_OVERHEAD;
        if matches_bytes > MATCHES_BYTES_MAX {
            break;
        }
        matches.push(matched);
    }
    let omitted = judgement.matches.len() - matches.len() + judgement.unlisted;
    (matches, u32::try_from(omitted).unwrap_or(u32::MAX))
}
