//! The fields of a question, read where they lie.
//!
//! prost would copy each text of the one message that counts; here they stay in the bytes received.

use super::errors::CallError;
use crate::proto;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

/// What a `CheckDocumentRequest` says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) number: &'a str,
    pub(super) issuing_state: &'a str,
    /// The value of a `DocumentType`, known or not.
    pub(super) document_type: i32,
    pub(super) mrz: &'a str,
}

impl<'a> From<&'a proto::CheckDocumentRequest> for Fields<'a> {
    fn from(request: &'a proto::CheckDocumentRequest) -> Self {
        Self {
            number: &request.number,
            issuing_state: &request.issuing_state,
            document_type: request.r#type,
            mrz: &request.mrz,
        }
    }
}

impl<'a> Fields<'a> {
    /// Reads an encoded `CheckDocumentRequest` as prost would: of a field that comes twice the last
    /// counts, unknown ones are passed over.
    ///
    /// # Errors
    /// [`CallError::Undecodable`], which repeats nothing of the bytes.
    pub(super) fn decode(mut bytes: &'a [u8]) -> Result<Self, CallError> {
        let mut fields = Self::default();
        while !bytes.is_empty() {
            let (tag, wire_type) = decode_key(&mut bytes).map_err(undecodable)?;
            match (tag, wire_type) {
                (1, WireType::LengthDelimited) => fields.number = text(&mut bytes)?,
                (2, WireType::LengthDelimited) => fields.issuing_state = text(&mut bytes)?,
                // An enum's value is sent as the 64 bits of a signed integer; the low ones count.
                (3, WireType::Varint) => fields.document_type = varint(&mut bytes)? as i32,
                (4, WireType::LengthDelimited) => fields.mrz = text(&mut bytes)?,
                (1..=4, _) => {
                    return Err(undecodable(format!("field {tag} is of another type")));
                }
                _ => skip_field(wire_type, tag, &mut bytes, DecodeContext::default())
                    .map_err(undecodable)?,
            }
        }
        Ok(fields)
    }
}

/// Takes a text and its length off the bytes.
#[inline]
fn text<'a>(bytes: &mut &'a [u8]) -> Result<&'a str, CallError> {
    // The fault's position is all that its words tell.
    std::str::from_utf8(delimited(bytes)?).map_err(undecodable)
}

/// Takes what stands behind its length off the bytes: a text or a message.
#[inline]
pub(super) fn delimited<'a>(bytes: &mut &'a [u8]) -> Result<&'a [u8], CallError> {
    let len = varint(bytes)?;
    let parts = usize::try_from(len)
        .ok()
        .and_then(|len| bytes.split_at_checked(len));
    let (field, rest) = parts.ok_or_else(|| undecodable("a field is cut short"))?;
    *bytes = rest;
    Ok(field)
}

/// Takes an integer off the bytes.
#[inline]
fn varint(bytes: &mut &[u8]) -> Result<u64, CallError> {
    match bytes.split_first() {
        // As nearly all are: short lengths, small values.
        Some((&value, rest)) if value < 0x80 => {
            *bytes = rest;
            Ok(value.into())
        }
        _ => decode_varint(bytes).map_err(undecodable),
    }
}

/// Why bytes are no message of the contract.
#[cold]
pub(super) fn undecodable(why: impl ToString) -> CallError {
    CallError::Undecodable(why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use prost::Message as _;

    proptest! {
        #[test]
        fn reads_what_prost_reads(number in ".{0,30}", issuing_state in ".{0,4}", r#type: i32, mrz in ".{0,90}") {
            let request = proto::CheckDocumentRequest { number, issuing_state, r#type, mrz };
            let bytes = request.encode_to_vec();
            prop_assert_eq!(Fields::decode(&bytes), Ok(Fields::from(&request)));
        }

        #[test]
        fn takes_and_refuses_what_prost_does(bytes in proptest::collection::vec(prop_oneof![0u8..40, any::<u8>()], 0..24)) {
            let theirs = proto::CheckDocumentRequest::decode(bytes.as_slice());
            match (Fields::decode(&bytes), &theirs) {
                (Ok(ours), Ok(theirs)) => prop_assert_eq!(ours, Fields::from(theirs)),
                (ours, theirs) => prop_assert_eq!(ours.is_ok(), theirs.is_ok()),
            }
        }
    }

    #[test]
    fn the_last_of_two_counts_and_unknown_fields_are_passed_over() {
        // Number A, number B, an unknown varint 9, an unknown text 10.
        let bytes = b"\x0a\x01A\x0a\x01B\x48\x07\x52\x02xy";
        assert_eq!(Fields::decode(bytes).unwrap().number, "B");
    }
}
