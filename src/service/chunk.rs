//! The packed questions of a job.

use super::errors::{CallError, Violation};
use super::question;
use crate::document::{Issuer, IssuingState, Placeholders};
use crate::proto::ItemErrorCode;
use crate::report::Query;
use bytes::Bytes;
use memchr::{memchr, memchr_iter};
use prost::DecodeError;
use prost::encoding::{self, DecodeContext};

/// Items of a chunk.
pub(super) const ITEMS_MAX: usize = 65_536;

/// Issuing States of a chunk: one byte for each item points at one of them, or says none.
const STATES_MAX: usize = 255;

/// The fields of a chunk. As prost reads them, but for the issuing States, of which no more are kept than there may be:
/// empty ones take two bytes on the wire and twelve times as much in memory.
#[derive(Debug, Default)]
struct Raw {
    numbers: Bytes,
    issuing_states: Vec<String>,
    /// Of `issuing_states`, those that are not kept included.
    states: usize,
    issuing_state_indexes: Bytes,
    document_type: i32,
    types: Bytes,
}

impl Raw {
    fn decode(mut bytes: Bytes) -> Result<Self, CallError> {
        let undecodable = |fault: DecodeError| CallError::Undecodable(fault.to_string());
        let mut raw = Self::default();
        while !bytes.is_empty() {
            let (tag, wire_type) = encoding::decode_key(&mut bytes).map_err(undecodable)?;
            let context = DecodeContext::default();
            let bytes = &mut bytes;
            match tag {
                1 => encoding::bytes::merge(wire_type, &mut raw.numbers, bytes, context),
                2 => {
                    raw.states += 1;
                    let mut state = String::new();
                    let merged = encoding::string::merge(wire_type, &mut state, bytes, context);
                    if raw.states <= STATES_MAX {
                        raw.issuing_states.push(state);
                    }
                    merged
                }
                3 => {
                    let indexes = &mut raw.issuing_state_indexes;
                    encoding::bytes::merge(wire_type, indexes, bytes, context)
                }
                4 => encoding::int32::merge(wire_type, &mut raw.document_type, bytes, context),
                5 => encoding::bytes::merge(wire_type, &mut raw.types, bytes, context),
                _ => encoding::skip_field(wire_type, tag, bytes, context),
            }
            .map_err(undecodable)?;
        }
        Ok(raw)
    }
}

/// A chunk, found to be in order as a whole.
pub(super) struct Chunk {
    numbers: Bytes,
    items: usize,
    /// Entry 0: not given. Then the issuing States of the chunk, as far as they are in order.
    issuers: Vec<Result<Option<Issuer>, Violation>>,
    /// One index into `issuers` for each item, or none if `issuer_of_all` holds.
    issuer_indexes: Bytes,
    issuer_of_all: u8,
    types: Bytes,
    type_of_all: i32,
}

impl Chunk {
    /// Reads an encoded `StreamCheckDocumentsRequest`. What concerns single items only is left to
    /// [`query`](Self::query).
    ///
    /// # Errors
    /// If the bytes are no such message, or fields of it are at fault as a whole: all of these are named.
    pub(super) fn read(bytes: Bytes) -> Result<Self, CallError> {
        Ok(Self::from_raw(Raw::decode(bytes)?)?)
    }

    fn from_raw(raw: Raw) -> Result<Self, Vec<Violation>> {
        let mut faults = Vec::new();
        let numbers = raw.numbers;
        let line_feeds = memchr_iter(b'\n', &numbers).count();
        let items = line_feeds + usize::from(numbers.last().is_some_and(|&last| last != b'\n'));
        if items > ITEMS_MAX {
            faults.push(Violation::of(
                "numbers",
                format!("holds {items} items: expected at most {ITEMS_MAX}"),
            ));
        }
        let states = raw.states;
        if states > STATES_MAX {
            faults.push(Violation::of(
                "issuing_states",
                format!("has {states} entries: expected at most {STATES_MAX}"),
            ));
        }
        for (field, bytes) in [
            ("issuing_state_indexes", &raw.issuing_state_indexes),
            ("types", &raw.types),
        ] {
            let given = bytes.len();
            if given != 0 && given != items {
                faults.push(Violation::of(
                    field,
                    format!("has {given} bytes: expected none or one for each of {items} items"),
                ));
            }
        }
        if raw.issuing_state_indexes.is_empty() && states > 1 && items > 0 {
            let description = format!(
                "is empty: expected one byte for each item, as there are {states} `issuing_states`"
            );
            faults.push(Violation::of("issuing_state_indexes", description));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let given = raw
            .issuing_states
            .iter()
            .map(|text| question::issuer("issuing_states", text));
        Ok(Self {
            numbers,
            items,
            issuers: std::iter::once(Ok(None)).chain(given).collect(),
            issuer_indexes: raw.issuing_state_indexes,
            issuer_of_all: u8::from(states > 0),
            types: raw.types,
            type_of_all: raw.document_type,
        })
    }

    /// The number of items.
    pub(super) fn items(&self) -> usize {
        self.items
    }

    /// The number that begins at the byte `offset`, up to the line feed.
    pub(super) fn number_at(&self, offset: usize) -> &[u8] {
        let rest = self.numbers.get(offset..).unwrap_or_default();
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }

    /// The index of an item's issuing State, 0 if not given; not checked against the chunk's list.
    pub(super) fn issuer_index(&self, item: usize) -> u8 {
        self.issuer_indexes
            .get(item)
            .copied()
            .unwrap_or(self.issuer_of_all)
    }

    /// The value of an item's type; not checked.
    pub(super) fn type_value(&self, item: usize) -> i32 {
        match self.types.get(item) {
            Some(&value) => value.into(),
            None => self.type_of_all,
        }
    }

    /// The issuing State of an item, if a known one is given.
    pub(super) fn state(&self, item: usize) -> Option<IssuingState> {
        let issuer = self.issuers.get(usize::from(self.issuer_index(item)))?;
        issuer.as_ref().ok()?.as_ref()?.known()
    }

    /// The question that an item and its number are.
    pub(super) fn query(
        &self,
        item: usize,
        number: &[u8],
        placeholders: &Placeholders,
    ) -> Result<Query, Violation> {
        if number.is_empty() {
            return Err(
                Violation::of("numbers", "is empty: expected a document number")
                    .coded(ItemErrorCode::Empty),
            );
        }
        let index = self.issuer_index(item);
        let issuer = match self.issuers.get(usize::from(index)) {
            Some(issuer) => issuer.clone()?,
            None => {
                let last = self.issuers.len() - 1;
                let description = format!("says {index}: expected 0 to {last}");
                return Err(Violation::of("issuing_state_indexes", description)
                    .coded(ItemErrorCode::UnknownValue));
            }
        };
        let document_type = match self.types.get(item) {
            Some(&value) => question::document_type("types", value.into())?,
            None => question::document_type("type", self.type_of_all)?,
        };
        Ok(Query::from_fields(
            question::number("numbers", number, issuer.as_ref(), placeholders)?,
            issuer,
            document_type,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;
    use prost::Message as _;

    fn raw(
        numbers: &str,
        states: &[&str],
        indexes: &[u8],
        types: &[u8],
    ) -> proto::StreamCheckDocumentsRequest {
        proto::StreamCheckDocumentsRequest {
            numbers: numbers.to_owned().into(),
            issuing_states: states.iter().map(ToString::to_string).collect(),
            issuing_state_indexes: indexes.to_vec().into(),
            r#type: 3,
            types: types.to_vec().into(),
        }
    }

    type Item<'a> = Result<(&'a str, &'a str, u8), &'a str>;

    /// What each item is read as: number, issuer and type code, or the field at fault; or the fields for
    /// which the whole chunk is refused.
    fn check(raw: proto::StreamCheckDocumentsRequest, expected: Result<&[Item<'_>], &str>) {
        let shown = format!("{raw:?}");
        let chunk = match Chunk::read(raw.encode_to_vec().into()) {
            Ok(chunk) => chunk,
            Err(CallError::Malformed(faults)) => {
                let fields: Vec<_> = faults.iter().map(|violation| violation.field).collect();
                return assert_eq!(Err(&*fields.join(" ")), expected.map(|_| ()), "{shown}");
            }
            Err(error) => panic!("{error:?}: {shown}"),
        };
        let mut offset = 0;
        let read: Vec<_> = (0..chunk.items())
            .map(|item| {
                let number = chunk.number_at(offset);
                offset += number.len() + 1;
                chunk
                    .query(item, number, &Placeholders::default())
                    .map_err(|violation| violation.field)
                    .map(|query| {
                        let issuer = query
                            .issuer
                            .map_or(String::new(), |issuer| issuer.code().to_owned());
                        let number = query.number.unwrap().as_str().to_owned();
                        (
                            number,
                            issuer,
                            query
                                .document_type
                                .map_or(0, |document_type| document_type.code()),
                        )
                    })
            })
            .collect();
        let read: Vec<_> = read
            .iter()
            .map(|item| {
                item.as_ref()
                    .map(|(n, i, t)| (n.as_str(), i.as_str(), *t))
                    .map_err(|field| *field)
            })
            .collect();
        assert_eq!(Ok(read.as_slice()), expected, "{shown}");
    }

    #[test]
    fn items_and_what_holds_for_all() {
        check(raw("", &[], b"", b""), Ok(&[]));
        check(raw("A1", &[], b"", b""), Ok(&[Ok(("A1", "", 3))]));
        check(raw("A1\n", &["DEU"], b"", b""), Ok(&[Ok(("A1", "D", 3))]));
        check(
            raw("A1\r\nb-2\r\n", &["UKR"], b"", b""),
            Ok(&[Ok(("A1", "UKR", 3)), Ok(("B2", "UKR", 3))]),
        );
        check(
            raw("A1\nA2\nA3", &["D", "QQQ"], &[1, 0, 2], &[1, 0, 10]),
            Ok(&[Ok(("A1", "D", 1)), Ok(("A2", "", 0)), Ok(("A3", "QQQ", 10))]),
        );
    }

    #[test]
    fn a_faulty_item_leaves_the_others_alone() {
        check(
            raw("\nA!\nA3\n\n", &[], b"", b""),
            Ok(&[
                Err("numbers"),
                Err("numbers"),
                Ok(("A3", "", 3)),
                Err("numbers"),
            ]),
        );
        check(
            raw("A1\nA2\nA3", &["D", "D1"], &[2, 1, 3], b""),
            Ok(&[
                Err("issuing_states"),
                Ok(("A2", "D", 3)),
                Err("issuing_state_indexes"),
            ]),
        );
        check(
            raw("A1\nA2", &[], b"", &[11, 1]),
            Ok(&[Err("types"), Ok(("A2", "", 1))]),
        );
    }

    #[test]
    fn a_faulty_chunk_is_refused() {
        check(
            raw(&"1\n".repeat(ITEMS_MAX + 1), &[], b"", b""),
            Err("numbers"),
        );
        check(raw("A1", &["D"; 256], &[1], b""), Err("issuing_states"));
        check(
            raw("A1", &["D", "UKR"], b"", b""),
            Err("issuing_state_indexes"),
        );
        check(
            raw("A1", &["D"], &[1, 1], b""),
            Err("issuing_state_indexes"),
        );
        check(raw("A1\nA2", &[], b"", &[1]), Err("types"));
        // All that is wrong is named.
        check(
            raw(&"1\n".repeat(ITEMS_MAX + 1), &["D"; 256], &[1], &[1]),
            Err("numbers issuing_states issuing_state_indexes types"),
        );
        check(
            raw("A1", &["D", "UKR"], b"", &[1, 1]),
            Err("types issuing_state_indexes"),
        );
    }

    #[test]
    fn a_full_chunk_is_taken() {
        assert_eq!(
            Chunk::read(
                raw(&"1\n".repeat(ITEMS_MAX), &[], b"", b"")
                    .encode_to_vec()
                    .into()
            )
            .unwrap()
            .items(),
            ITEMS_MAX
        );
    }
}
