//! Compact answers, put together again.
//!
//! In a batch or a stream what answers have in common stands once, and indexes point at it. A caller
//! gets each answer whole, in the form of a single check.

use super::{Answer, ClientError, Fault};
use crate::proto::{
    BatchCheckDocumentsResponse, CompactAnswer, CompactMatch, Match, SharedTables, Snapshot,
    batch_result,
};

/// The answers to a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchAnswer {
    /// The data all answers were computed from.
    pub snapshot: Option<Snapshot>,
    /// What came of each question, in their order.
    pub results: Vec<Result<Answer, Fault>>,
}

impl BatchAnswer {
    /// Puts the answers to `asked` questions together.
    pub(super) fn from_wire(
        response: BatchCheckDocumentsResponse,
        asked: usize,
    ) -> Result<Self, ClientError> {
        let BatchCheckDocumentsResponse {
            snapshot,
            shared,
            results,
        } = response;
        if results.len() != asked {
            return Err(ClientError::Contract {
                what: "number of results",
                expected: asked as u64,
                got: results.len() as u64,
            });
        }
        let shared = shared.unwrap_or_default();
        let results = results
            .into_iter()
            .map(|result| match result.outcome {
                Some(batch_result::Outcome::Answer(answer)) => {
                    expand(answer, &shared, snapshot.as_ref()).map(Ok)
                }
                Some(batch_result::Outcome::Error(error)) => Ok(Err(error.into())),
                None => Err(ClientError::Contract {
                    what: "outcomes of a result",
                    expected: 1,
                    got: 0,
                }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { snapshot, results })
    }
}

/// The answer in the form of a single check.
pub(super) fn expand(
    answer: CompactAnswer,
    shared: &SharedTables,
    snapshot: Option<&Snapshot>,
) -> Result<Answer, ClientError> {
    let CompactAnswer {
        verdict,
        reasons,
        document,
        same_number_other_issuers,
        mrz,
        matches,
        matches_omitted,
        coverage_index,
        format_plausible,
    } = answer;
    let matches = matches
        .into_iter()
        .map(|compact| expand_match(compact, shared))
        .collect::<Result<_, _>>()?;
    Ok(Answer {
        verdict,
        reasons,
        document,
        same_number_other_issuers,
        mrz,
        matches,
        matches_omitted,
        snapshot: snapshot.cloned(),
        coverage: entry(&shared.coverages, coverage_index, "index of a coverage")?.cloned(),
        format_plausible,
    })
}

fn expand_match(compact: CompactMatch, shared: &SharedTables) -> Result<Match, ClientError> {
    let text =
        |index, what| entry(&shared.texts, index, what).map(|t| t.cloned().unwrap_or_default());
    let authority = entry(
        &shared.authorities,
        compact.authority_index,
        "index of an authority",
    )?;
    Ok(Match {
        status: compact.status,
        source_status: text(compact.source_status_index, "index of a source's status")?,
        issuing_state: text(compact.issuing_state_index, "index of an issuing State")?,
        r#type: compact.r#type,
        date_of_loss: compact.date_of_loss,
        date_reported: compact.date_reported,
        review_date: compact.review_date,
        authority: authority.cloned(),
        restriction: text(compact.restriction_index, "index of a restriction")?,
        source: text(compact.source_index, "index of a source")?,
        third_party: compact.third_party,
        owner_reference: compact.owner_reference,
        confirm_with_authority: compact.confirm_with_authority,
        also_reported_by: compact
            .also_reported_by_indexes
            .into_iter()
            .map(|index| text(index, "index of another source"))
            .collect::<Result<_, _>>()?,
    })
}

/// The entry an index points at; index 0 is "none", whether the table has a first entry or not.
fn entry<'a, T>(
    table: &'a [T],
    index: u32,
    what: &'static str,
) -> Result<Option<&'a T>, ClientError> {
    if index == 0 {
        return Ok(None);
    }
    let found = usize::try_from(index).ok().and_then(|i| table.get(i));
    found.map(Some).ok_or(ClientError::Contract {
        what,
        expected: (table.len() as u64).saturating_sub(1),
        got: u64::from(index),
    })
}
