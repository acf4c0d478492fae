//! The answer to one question, written straight into the bytes that are sent.
//!
//! Building a [`CheckDocumentResponse`](proto::CheckDocumentResponse) first would copy each text
//! twice and cost more than the check. The message is [`lookup::response`](super::lookup::response)'s
//! to the byte, which the tests hold against it.

use super::compact::ENTRY_OVERHEAD;
use super::convert;
use super::lookup::MATCHES_BYTES_MAX;
use crate::proto;
use crate::report::{Candidate, Day, Disclosure, Judgement, Query};
use crate::snapshot::{Answer, Coverage};
use prost::Message as _;
use prost::encoding::{self, WireType, encode_varint};
use std::time::Duration;

/// Appends the encoded `CheckDocumentResponse`. `snapshot` is its field of that name, encoded.
pub(super) fn write(buffer: &mut Vec<u8>, query: &Query, answer: &Answer<'_>, snapshot: &[u8]) {
    let judgement = &answer.judgement;
    number::<1>(
        i32::from(convert::verdict(judgement.verdict)) as u64,
        buffer,
    );
    if !judgement.reasons.is_empty() {
        encoding::int32::encode_packed(2, &convert::reasons(judgement.reasons), buffer);
    }
    if query.number.is_some() || query.issuer.is_some() || query.document_type.is_some() {
        nested::<3>(buffer, |buffer| document(query, buffer));
    }
    number::<4>(judgement.same_number_other_issuers.into(), buffer);
    if let Some(mrz) = &query.mrz {
        encoding::message::encode(5, &convert::mrz(mrz), buffer);
    }
    let omitted = matches(judgement, buffer);
    number::<7>(omitted as u64, buffer);
    buffer.extend_from_slice(snapshot);
    if let Some(of_issuer) = answer.coverage() {
        nested::<9>(buffer, |buffer| coverage(&of_issuer, query, buffer));
    }
    if let Some(plausible) = answer.format_plausible() {
        encoding::bool::encode(10, &plausible, buffer);
    }
}

/// The encoded field `snapshot` of a `CheckDocumentResponse`.
pub(super) fn snapshot(snapshot: &proto::Snapshot) -> Vec<u8> {
    let mut field = Vec::with_capacity(snapshot.encoded_len() + encoding::key_len(8) + 1);
    encoding::message::encode(8, snapshot, &mut field);
    field
}

/// Appends the matches that one answer holds; returns the number of those left out.
fn matches(judgement: &Judgement<'_>, buffer: &mut Vec<u8>) -> usize {
    let mut matches_bytes = 0;
    for (place, candidate) in judgement.matches.iter().enumerate() {
        let start = buffer.len();
        let bytes = nested::<6>(buffer, |buffer| {
            matched(candidate, judgement.also_reported_by(place), buffer);
        });
        matches_bytes += bytes + ENTRY_OVERHEAD;
        if matches_bytes > MATCHES_BYTES_MAX {
            buffer.truncate(start);
            return judgement.matches.len() - place + judgement.unlisted;
        }
    }
    judgement.unlisted
}

/// The fields of a `Match`: those of [`convert::matched`].
fn matched<'a>(
    candidate: &Candidate<'_>,
    also: impl Iterator<Item = &'a str>,
    buffer: &mut Vec<u8>,
) {
    let report = &candidate.report;
    let full = candidate.disclosure == Disclosure::Full;
    if full {
        let status = convert::status(report.status);
        number::<1>(i32::from(status) as u64, buffer);
        text::<2>(report.source_status.as_bytes(), buffer);
    }
    text::<3>(candidate.issuing_state.code().as_bytes(), buffer);
    let of_type = convert::document_type(candidate.document_type);
    number::<4>(i32::from(of_type) as u64, buffer);
    if full {
        day::<5>(report.date_of_loss, buffer);
        day::<6>(report.date_reported, buffer);
        day::<7>(report.review_date, buffer);
    }
    if let Some(authority) = &report.authority {
        nested::<8>(buffer, |buffer| {
            text::<1>(authority.code.as_bytes(), buffer);
            text::<2>(authority.name.as_bytes(), buffer);
            text::<3>(authority.contact.as_bytes(), buffer);
        });
    }
    if full {
        text::<9>(report.restriction.as_bytes(), buffer);
        text::<10>(report.source.as_bytes(), buffer);
        number::<11>(report.third_party.into(), buffer);
        text::<12>(report.owner_reference.as_bytes(), buffer);
    }
    // The owner must confirm each report, `confirm_with_authority`.
    number::<13>(1, buffer);
    if full {
        for source in also {
            // An element of a list is sent even if it is empty.
            buffer.push(key::<14>(WireType::LengthDelimited));
            encode_varint(source.len() as u64, buffer);
            buffer.extend_from_slice(source.as_bytes());
        }
    }
}

/// The fields of a `Document`.
fn document(query: &Query, buffer: &mut Vec<u8>) {
    text::<1>(
        query
            .number
            .as_ref()
            .map_or(b"", |number| number.as_bytes()),
        buffer,
    );
    issuing_state::<2>(query, buffer);
    document_type::<3>(query, buffer);
}

/// The fields of a `Coverage`.
fn coverage(coverage: &Coverage, query: &Query, buffer: &mut Vec<u8>) {
    issuing_state::<1>(query, buffer);
    document_type::<2>(query, buffer);
    number::<3>(
        i32::from(convert::coverage_level(coverage.level)) as u64,
        buffer,
    );
    number::<4>(coverage.documents, buffer);
    if let Some(day) = coverage.newest_report {
        text::<5>(&day.to_iso(), buffer);
    }
    if let Some(age) = coverage.source_age {
        nested::<6>(buffer, |buffer| duration(age, buffer));
    }
    if let Some(age) = coverage.change_age {
        nested::<7>(buffer, |buffer| duration(age, buffer));
    }
}

/// The fields of a `google.protobuf.Duration`.
fn duration(age: Duration, buffer: &mut Vec<u8>) {
    let age = convert::duration(age);
    number::<1>(age.seconds as u64, buffer);
    number::<2>(i64::from(age.nanos) as u64, buffer);
}

fn issuing_state<const TAG: u32>(query: &Query, buffer: &mut Vec<u8>) {
    let code = query.issuer.as_ref().map_or("", |issuer| issuer.code());
    text::<TAG>(code.as_bytes(), buffer);
}

fn document_type<const TAG: u32>(query: &Query, buffer: &mut Vec<u8>) {
    let value = query
        .document_type
        .map_or(proto::DocumentType::Unspecified, convert::document_type);
    number::<TAG>(i32::from(value) as u64, buffer);
}

fn day<const TAG: u32>(day: Option<Day>, buffer: &mut Vec<u8>) {
    if let Some(day) = day {
        text::<TAG>(&day.to_iso(), buffer);
    }
}

/// A number, unless it is 0, which is not sent. Enums and all integers of the contract are sent alike.
fn number<const TAG: u32>(value: u64, buffer: &mut Vec<u8>) {
    let key = key::<TAG>(WireType::Varint);
    match value {
        0 => {}
        // Most are one byte: key and value are then written at once.
        1..0x80 => buffer.extend_from_slice(&[key, value as u8]),
        _ => {
            buffer.push(key);
            encode_varint(value, buffer);
        }
    }
}

/// A text, unless it is empty.
fn text<const TAG: u32>(text: &[u8], buffer: &mut Vec<u8>) {
    let key = key::<TAG>(WireType::LengthDelimited);
    match text.len() {
        0 => {}
        // Nearly all are short: key and length are then written at once.
        length @ 1..0x80 => {
            buffer.extend_from_slice(&[key, length as u8]);
            buffer.extend_from_slice(text);
        }
        length => {
            buffer.push(key);
            encode_varint(length as u64, buffer);
            buffer.extend_from_slice(text);
        }
    }
}

/// What stands before a field's value: one byte. A tag for which it would take more does not compile.
const fn key<const TAG: u32>(wire_type: WireType) -> u8 {
    const { assert!(0 < TAG && TAG < 16, "the key would take more than one byte") };
    (TAG << 3) as u8 | wire_type as u8
}

/// A message in a message, whose fields `write` appends; returns their length. That stands before them and mostly takes
/// one byte; where it takes more, they are moved.
fn nested<const TAG: u32>(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) -> usize {
    buffer.extend_from_slice(&[key::<TAG>(WireType::LengthDelimited), 0]);
    let start = buffer.len();
    write(buffer);
    let length = buffer.len() - start;
    match (length, buffer.get_mut(start - 1)) {
        (0..0x80, Some(place)) => *place = length as u8,
        _ => {
            let mut bytes = Vec::new();
            encode_varint(length as u64, &mut bytes);
            buffer.splice(start - 1..start, bytes);
        }
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{DocumentType, IssuingState};
    use crate::report::{Authority, Reasons, Report, ReportStatus, Verdict};
    use crate::service::lookup;

    /// A candidate all of whose texts are of some length.
    fn candidate(text: &str, disclosure: Disclosure) -> Candidate<'_> {
        let day = Day::from_ymd(2026, 2, 3);
        Candidate {
            issuing_state: IssuingState::parse("D").unwrap(),
            document_type: DocumentType::Visa,
            report: Report {
                status: ReportStatus::Stolen,
                source_status: text,
                date_of_loss: day,
                date_reported: None,
                review_date: day,
                authority: Some(Authority {
                    code: text,
                    name: text,
                    contact: text,
                }),
                restriction: text,
                source: text,
                third_party: text.len().is_multiple_of(2),
                owner_reference: text,
            },
            disclosure,
        }
    }

    fn judgement<'a>(matches: Vec<Candidate<'a>>, also: Vec<(usize, &'a str)>) -> Judgement<'a> {
        Judgement {
            verdict: Verdict::Hit,
            reasons: Reasons::default(),
            matches,
            unlisted: 0,
            also,
            same_number_other_issuers: 0,
        }
    }

    /// Holds the bytes against those of the messages; returns how many matches were left out.
    fn check(judgement: &Judgement<'_>) -> usize {
        let mut bytes = Vec::new();
        let omitted = matches(judgement, &mut bytes);
        let (messages, messages_omitted) = lookup::matches(judgement);
        let expected = proto::CheckDocumentResponse {
            matches: messages,
            ..proto::CheckDocumentResponse::default()
        };
        assert!(bytes == expected.encode_to_vec());
        assert_eq!(omitted, usize::try_from(messages_omitted).unwrap());
        omitted
    }

    #[test]
    fn matches_are_those_of_the_message() {
        // Lengths that take one byte and two, of the texts, of the authority and of the match.
        for length in (0..40).chain([41, 42, 126, 127, 128, 255, 5_500, 20_000]) {
            let text = "x".repeat(length);
            for disclosure in [Disclosure::Full, Disclosure::ContactOnly] {
                let mut plain = candidate(&text, disclosure);
                plain.report.authority = None;
                let matches = vec![candidate(&text, disclosure), plain];
                let also = vec![(1, ""), (1, "b"), (1, &text)];
                assert_eq!(check(&judgement(matches, also)), 0);
            }
        }
    }

    #[test]
    fn matches_that_do_not_fit_are_counted() {
        let text = "x".repeat(60_000);
        let matches = vec![candidate(&text, Disclosure::Full); 12];
        assert!(check(&judgement(matches, Vec::new())) > 0);
        assert_eq!(check(&judgement(Vec::new(), Vec::new())), 0);
    }
}
