//! A batch: up to 10,000 documents, one snapshot, one message.

use super::compact::{ENTRY_OVERHEAD, Shared};
use super::errors::{CallError, Violation};
use super::group::{GROUP, Groups};
use super::question;
use super::serving::Serving;
use super::slice::Slices;
use super::wire::MESSAGE_BYTES_MAX;
use crate::proto;
use crate::proto::batch_result::Outcome;
use crate::snapshot::Answer;
use prost::Message as _;

/// Items of a batch. More are refused: cutting a batch silently has cost others hits.
pub(super) const ITEMS_MAX: usize = 10_000;

/// Bytes kept free for each item still to come: enough for an answer without matches and its share of
/// the tables, and for an error.
const ITEM_RESERVE: usize = 320;

/// What may be filled by results and tables; the rest is the snapshot's.
const BUDGET: usize = MESSAGE_BYTES_MAX - 4_096;

// A full batch must fit even if every item takes its reserve.
const _: () = assert!(ITEMS_MAX * ITEM_RESERVE <= BUDGET);

/// Answers `BatchCheckDocuments`.
pub(super) async fn check_documents(
    serving: &Serving,
    request: proto::BatchCheckDocumentsRequest,
) -> Result<proto::BatchCheckDocumentsResponse, CallError> {
    let items = request.items;
    if items.len() > ITEMS_MAX {
        let found = items.len();
        return Err(Violation::of(
            "items",
            format!("there are {found} items: expected at most {ITEMS_MAX}"),
        )
        .into());
    }
    let now = serving.now();
    let current = serving.hold()?;
    let placeholders = current.snapshot().placeholders();
    let mut shared = Shared::new();
    let mut results = Vec::with_capacity(items.len());
    let mut results_bytes = 0;
    let mut slices = Slices::begin();
    let mut groups = Groups::default();
    let mut group = Vec::with_capacity(GROUP);
    for requests in items.chunks(GROUP) {
        group.clear();
        group.extend(
            requests
                .iter()
                .map(|request| question::read(request.into(), placeholders)),
        );
        let numbers = group
            .iter()
            .map(|item| item.as_ref().ok().and_then(|query| query.number));
        groups.filter(serving, &current, numbers)?;
        for (place, item) in group.drain(..).enumerate() {
            let outcome = match item {
                Err(violation) => Outcome::Error(violation.into_item_error()),
                Ok(query) => {
                    // Everything but the matches of this item is inside its own reserve.
                    let reserved = (items.len() - results.len()) * ITEM_RESERVE;
                    let allowance =
                        BUDGET.saturating_sub(results_bytes + shared.bytes() + reserved);
                    let read = |answer: &Answer<'_>| shared.answer(&query, answer, allowance);
                    Outcome::Answer(groups.check((serving, &current, now), place, &query, read)?)
                }
            };
            let result = proto::BatchResult {
                outcome: Some(outcome),
            };
            results_bytes += result.encoded_len() + ENTRY_OVERHEAD;
            results.push(result);
            slices.item_done().await;
        }
    }
    Ok(proto::BatchCheckDocumentsResponse {
        snapshot: Some(current.named(now)),
        shared: Some(shared.into_tables()),
        results,
    })
}
