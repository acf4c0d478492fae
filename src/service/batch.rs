//! A batch: up to 10,000 documents, one snapshot, one message.

use super::budget::Purpose;
use super::compact::Shared;
use super::errors::{CallError, Violation};
use super::fields::{Fields, delimited, undecodable};
use super::group::{GROUP, Groups};
use super::monitor::Method;
use super::outgoing::{Framed, Outgoing};
use super::question;
use super::receive::Received;
use super::slice::Slices;
use super::stream::Means;
use super::wire::MESSAGE_BYTES_MAX;
use crate::proto;
use crate::proto::batch_result::Outcome;
use crate::snapshot::Answer;
use prost::Message as _;
use prost::encoding::{self, DecodeContext, WireType, decode_key, skip_field};

/// Items of a batch. More are refused: cutting a batch silently has cost others hits.
pub(super) const ITEMS_MAX: usize = 10_000;

/// Bytes kept free for each item still to come: enough for an answer without matches and its share of
/// the tables, and for an error.
const ITEM_RESERVE: usize = 320;

/// What may be filled by results and tables; the rest is the snapshot's.
const BUDGET: usize = MESSAGE_BYTES_MAX - 4_096;

// A full batch must fit even if every item takes its reserve.
const _: () = assert!(ITEMS_MAX * ITEM_RESERVE <= BUDGET);

/// As what the documents are counted.
const METHOD: Method = Method::BatchCheckDocuments;

/// The number of the field `BatchCheckDocumentsResponse.results`, which is written entry by entry.
const RESULTS: u32 = 3;

/// Bytes of memory that an answer of so many items is expected to take, tables included; one that takes more lets its
/// share grow.
fn expected(items: usize) -> usize {
    16 * 1024 + items * ITEM_RESERVE
}

/// Reads the items of an encoded `BatchCheckDocumentsRequest`, where they lie.
///
/// # Errors
/// If there are more than [`ITEMS_MAX`], without reading the rest, or if the bytes are no such message.
fn items(mut bytes: &[u8]) -> Result<Vec<Fields<'_>>, CallError> {
    let mut items = Vec::new();
    while !bytes.is_empty() {
        match decode_key(&mut bytes).map_err(undecodable)? {
            (1, WireType::LengthDelimited) => {
                if items.len() == ITEMS_MAX {
                    return Err(Violation::of(
                        "items",
                        format!(
                            "there are more than {ITEMS_MAX} items: expected at most {ITEMS_MAX}"
                        ),
                    )
                    .into());
                }
                items.push(Fields::decode(delimited(&mut bytes)?)?);
            }
            (1, _) => return Err(undecodable("field 1 is of another type")),
            (tag, wire_type) => skip_field(wire_type, tag, &mut bytes, DecodeContext::default())
                .map_err(undecodable)?,
        }
    }
    Ok(items)
}

/// Answers `BatchCheckDocuments`.
pub(super) async fn check_documents(
    means: &Means,
    request: Received,
) -> Result<Outgoing, CallError> {
    let Means {
        serving,
        counters,
        budget,
        turns,
        ..
    } = means;
    let items = items(&request.bytes)?;
    let mut share = budget
        .reserve(turns, Purpose::Answer, expected(items.len()))
        .await?;
    let now = serving.now();
    let current = serving.hold()?;
    let placeholders = current.snapshot().placeholders();
    let mut shared = Shared::new();
    let mut framed = Framed::with_capacity(items.len() * 64);
    let mut done = 0;
    let mut slices = Slices::begin();
    let mut groups = Groups::default();
    let mut group = Vec::with_capacity(GROUP);
    for requests in items.chunks(GROUP) {
        // Twice the bytes of the results: they are copied when their place becomes too small.
        let held = framed.capacity() * 2 + shared.bytes() * 4;
        budget.grow(turns, &mut share, held).await?;
        group.clear();
        group.extend(
            requests
                .iter()
                .map(|&request| question::read(request, placeholders)),
        );
        let numbers = group
            .iter()
            .map(|item| item.as_ref().ok().and_then(|query| query.number));
        groups.filter(serving, &current, numbers)?;
        for (place, item) in group.drain(..).enumerate() {
            let outcome = match item {
                Err(violation) => {
                    counters.document(METHOD, proto::Verdict::Unspecified);
                    Outcome::Error(violation.into_item_error())
                }
                Ok(query) => {
                    // Everything but the matches of this item is inside its own reserve.
                    let reserved = (items.len() - done) * ITEM_RESERVE;
                    let allowance = BUDGET.saturating_sub(framed.len() + shared.bytes() + reserved);
                    let read = |answer: &Answer<'_>| shared.answer(&query, answer, allowance);
                    let answer = groups.check((serving, &current, now), place, &query, read)?;
                    counters.document(METHOD, answer.verdict());
                    Outcome::Answer(answer)
                }
            };
            let result = proto::BatchResult {
                outcome: Some(outcome),
            };
            encoding::message::encode(RESULTS, &result, framed.message());
            done += 1;
            slices.item_done().await;
        }
    }
    let rest = proto::BatchCheckDocumentsResponse {
        snapshot: Some(current.named(now)),
        shared: Some(shared.into_tables()),
        results: Vec::new(),
    };
    framed.message().reserve_exact(rest.encoded_len());
    rest.encode_raw(framed.message());
    Outgoing::new(framed, share)
}
