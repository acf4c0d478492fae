//! A message of answers in the making.

use crate::document::{DocumentNumber, DocumentType, alphabets};
use crate::proto;
use crate::proto::stream_item_detail::Outcome;
use crate::report::Query;
use crate::service::budget::{Budget, Share, Turns};
use crate::service::chunk::ITEMS_MAX;
use crate::service::compact::Shared;
use crate::service::convert;
use crate::service::errors::{CallError, Violation};
use crate::service::outgoing::Framed;
use crate::service::wire::MESSAGE_BYTES_MAX;
use crate::snapshot::Answer;
use prost::Message as _;
use prost::encoding;

/// Bytes that the matches of one item may take.
const ITEM_MATCHES_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of details and tables from which on a message is sent and another one begun: room is left
/// for one more item, for the verdicts and for the snapshot.
const BYTES_FULL: usize = MESSAGE_BYTES_MAX - ITEM_MATCHES_BYTES_MAX - ITEMS_MAX - 8_192;

/// Bytes of memory that an answer is expected to take beside those of its items.
pub(super) const ANSWER_BYTES: usize = 16 * 1024;

/// The step in which a share grows.
const GROWTH: usize = 64 * 1024;

/// Errors of a chunk that are described; of the others the code, the field and the position are sent.
const DESCRIBED_MAX: usize = 100;

/// A message in the making.
pub(super) struct Draft {
    /// The message, of which the details are written first.
    framed: Framed,
    pub(super) verdicts: Vec<u8>,
    shared: Shared,
    covered: Covered,
    /// Those of `covered` whose numbers have an alphabet.
    ruled: Covered,
    /// The verdict of an item about whose number nothing is reported and which no alphabet excludes,
    /// once there was one: it is the same for all of them.
    unreported: Option<u8>,
    /// Items of the chunk so far that could not be checked.
    pub(super) errors: usize,
}

impl Draft {
    /// Of so many items of a chunk, before which `errors` could not be checked.
    pub(super) fn new(items: usize, errors: usize) -> Self {
        Self {
            framed: Framed::with_capacity(items + ANSWER_BYTES / 4),
            verdicts: Vec::with_capacity(items),
            shared: Shared::new(),
            covered: Covered::default(),
            ruled: Covered::default(),
            unreported: None,
            errors,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.framed.len() + self.shared.bytes() >= BYTES_FULL
    }

    /// Whether what is held fits into the share, which grows if there is room. Of a message without items it does: then
    /// it waits for room.
    pub(super) async fn fits(
        &self,
        share: &mut Share,
        budget: &Budget,
        turns: &Turns,
    ) -> Result<bool, CallError> {
        // Once more the bytes of the details: they are copied when their place becomes too small. The tables are kept in
        // two forms, as texts and encoded.
        let held = self.verdicts.capacity() + self.framed.capacity() * 2 + self.shared.bytes() * 4;
        if held <= share.bytes() {
            return Ok(true);
        }
        let grown = held.next_multiple_of(GROWTH);
        if budget.try_grow(share, grown) {
            return Ok(true);
        }
        if self.verdicts.is_empty() {
            budget.grow(turns, share, grown).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Adds an item about whose number nothing is reported, if that much is known of it: State and
    /// type have come before and so are in order and in the tables, and no alphabet excludes the number. Nearly all items of a job are
    /// such, and are not worth a question and an answer each.
    pub(super) fn push_unreported<'n>(
        &mut self,
        issuer_index: u8,
        type_value: i32,
        number: impl FnOnce() -> Option<&'n DocumentNumber>,
    ) -> bool {
        match self.unreported {
            Some(verdict)
                if self.covered.contains(issuer_index, type_value)
                    && !(self.ruled.contains(issuer_index, type_value)
                        && number().is_none_or(alphabets::may_exclude)) =>
            {
                self.verdicts.push(verdict);
                true
            }
            _ => false,
        }
    }

    pub(super) fn push(
        &mut self,
        issuer_index: u8,
        query: &Query,
        answer: &Answer<'_>,
        unreported: bool,
    ) {
        if self.covered.insert(issuer_index, query.document_type) {
            self.shared.coverage(query, answer);
            let state = query.issuer.and_then(|issuer| issuer.known());
            if state.is_some_and(|state| {
                query
                    .document_type
                    .is_some_and(|document_type| alphabets::is_known_of(&state, document_type))
            }) {
                self.ruled.insert(issuer_index, query.document_type);
            }
        }
        let verdict = convert::verdict(answer.judgement.verdict);
        if verdict != proto::Verdict::NoRecord || answer.judgement.same_number_other_issuers > 0 {
            let answer = self.shared.answer(query, answer, ITEM_MATCHES_BYTES_MAX);
            self.push_detail(Outcome::Answer(answer));
        }
        // Values of the enum are below 256.
        let value = u8::try_from(i32::from(verdict)).unwrap_or(0);
        if unreported && !query.number_is_impossible() {
            self.unreported = Some(value);
        }
        self.verdicts.push(value);
    }

    pub(super) fn push_error(&mut self, violation: Violation) {
        let mut error = violation.into_item_error();
        if self.errors >= DESCRIBED_MAX {
            error.description.clear();
        }
        self.errors += 1;
        self.push_detail(Outcome::Error(error));
        self.verdicts.push(0);
    }

    /// Adds the detail of the item whose verdict comes next.
    fn push_detail(&mut self, outcome: Outcome) {
        // At most 65,536 items: fits.
        let index = u32::try_from(self.verdicts.len()).unwrap_or(u32::MAX);
        let detail = proto::StreamItemDetail {
            index,
            outcome: Some(outcome),
        };
        encoding::message::encode(field::DETAILS, &detail, self.framed.message());
    }

    /// Writes the fields that stand behind the details.
    pub(super) fn into_message(mut self, first_item: u64, snapshot: proto::Snapshot) -> Framed {
        let message = self.framed.message();
        let rest = proto::StreamCheckDocumentsResponse {
            first_item,
            verdicts: self.verdicts.into(),
            details: Vec::new(),
            shared: Some(self.shared.into_tables()),
            snapshot: Some(snapshot),
        };
        message.reserve_exact(rest.encoded_len());
        rest.encode_raw(message);
        self.framed
    }
}

/// Numbers of fields that are written one by one.
mod field {
    /// `StreamCheckDocumentsResponse.details`.
    pub(super) const DETAILS: u32 = 3;
}

/// Which issuing States (by their index in the chunk) and types have been seen in a message.
struct Covered([u16; 256]);

impl Default for Covered {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl Covered {
    /// Whether the two have come together; the type as its value on the wire, which is its code.
    fn contains(&self, issuer_index: u8, type_value: i32) -> bool {
        let seen = self.0.get(usize::from(issuer_index)).copied();
        let bit = u32::try_from(type_value)
            .ok()
            .and_then(|code| 1_u16.checked_shl(code));
        seen.zip(bit).is_some_and(|(seen, bit)| seen & bit != 0)
    }

    /// Whether the two come together for the first time.
    fn insert(&mut self, issuer_index: u8, document_type: Option<DocumentType>) -> bool {
        // Codes are 1 to 10.
        let bit = 1_u16 << document_type.map_or(0, DocumentType::code);
        let Some(seen) = self.0.get_mut(usize::from(issuer_index)) else {
            return true;
        };
        let first = *seen & bit == 0;
        *seen |= bit;
        first
    }
}
