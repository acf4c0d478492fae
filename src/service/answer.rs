//! The answer to one question, written straight into the bytes that are sent.
//!
//! Building a [`CheckDocumentResponse`](proto::CheckDocumentResponse) first would copy each text
//! twice and cost more than the check. The message is [`lookup::response`](super::lookup::response)'s
//! to the byte, which the tests hold against it.

use super::convert;
use super::lookup;
use crate::proto;
use crate::report::Query;
use crate::snapshot::{Answer, Coverage};
use prost::Message as _;
use prost::encoding::{self, WireType, encode_varint};

/// Appends the encoded `CheckDocumentResponse`. `snapshot` is its field of that name, encoded.
pub(super) fn write(buffer: &mut Vec<u8>, query: &Query, answer: &Answer<'_>, snapshot: &[u8]) {
    let judgement = &answer.judgement;
    number(
        1,
        i32::from(convert::verdict(judgement.verdict)) as u64,
        buffer,
    );
    if !judgement.reasons.is_empty() {
        encoding::int32::encode_packed(2, &convert::reasons(judgement.reasons), buffer);
    }
    if query.number.is_some() || query.issuer.is_some() || query.document_type.is_some() {
        nested(3, buffer, |buffer| document(query, buffer));
    }
    number(4, judgement.same_number_other_issuers.into(), buffer);
    if let Some(mrz) = &query.mrz {
        encoding::message::encode(5, &convert::mrz(mrz), buffer);
    }
    let (matches, omitted) = lookup::matches(judgement);
    for matched in &matches {
        encoding::message::encode(6, matched, buffer);
    }
    number(7, omitted.into(), buffer);
    buffer.extend_from_slice(snapshot);
    if let Some(of_issuer) = answer.coverage() {
        nested(9, buffer, |buffer| coverage(&of_issuer, query, buffer));
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

/// The fields of a `Document`.
fn document(query: &Query, buffer: &mut Vec<u8>) {
    text(
        1,
        query
            .number
            .as_ref()
            .map_or(b"", |number| number.as_bytes()),
        buffer,
    );
    issuing_state(2, query, buffer);
    document_type(3, query, buffer);
}

/// The fields of a `Coverage`.
fn coverage(coverage: &Coverage, query: &Query, buffer: &mut Vec<u8>) {
    issuing_state(1, query, buffer);
    document_type(2, query, buffer);
    number(
        3,
        i32::from(convert::coverage_level(coverage.level)) as u64,
        buffer,
    );
    number(4, coverage.documents, buffer);
    if let Some(day) = coverage.newest_report {
        text(5, &day.to_iso(), buffer);
    }
    for (tag, age) in [(6, coverage.source_age), (7, coverage.change_age)] {
        if let Some(age) = age {
            let age = convert::duration(age);
            nested(tag, buffer, |buffer| {
                number(1, age.seconds as u64, buffer);
                number(2, i64::from(age.nanos) as u64, buffer);
            });
        }
    }
}

fn issuing_state(tag: u32, query: &Query, buffer: &mut Vec<u8>) {
    let code = query.issuer.as_ref().map_or("", |issuer| issuer.code());
    text(tag, code.as_bytes(), buffer);
}

fn document_type(tag: u32, query: &Query, buffer: &mut Vec<u8>) {
    let value = query
        .document_type
        .map_or(proto::DocumentType::Unspecified, convert::document_type);
    number(tag, i32::from(value) as u64, buffer);
}

/// A number, unless it is 0, which is not sent. Enums and all integers of the contract are sent alike.
fn number(tag: u32, value: u64, buffer: &mut Vec<u8>) {
    match value {
        0 => {}
        // Most are one byte: key and value are then written at once.
        1..0x80 => buffer.extend_from_slice(&[key(tag, WireType::Varint), value as u8]),
        _ => {
            buffer.push(key(tag, WireType::Varint));
            encode_varint(value, buffer);
        }
    }
}

/// A text of fewer than 128 bytes, unless it is empty.
fn text(tag: u32, text: &[u8], buffer: &mut Vec<u8>) {
    debug_assert!(text.len() < 0x80);
    if !text.is_empty() {
        buffer.extend_from_slice(&[key(tag, WireType::LengthDelimited), text.len() as u8]);
        buffer.extend_from_slice(text);
    }
}

/// What stands before a field's value; of all tags here it takes one byte.
fn key(tag: u32, wire_type: WireType) -> u8 {
    debug_assert!(tag < 16);
    (tag << 3) as u8 | wire_type as u8
}

/// A message in a message. `write` appends its fields, fewer than 128 bytes of them, so that their
/// length, which stands before them, takes one byte.
fn nested(tag: u32, buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    buffer.extend_from_slice(&[key(tag, WireType::LengthDelimited), 0]);
    let start = buffer.len();
    write(buffer);
    let len = buffer.len() - start;
    debug_assert!(len < 0x80);
    if let Some(place) = buffer.get_mut(start - 1) {
        *place = len as u8;
    }
}
