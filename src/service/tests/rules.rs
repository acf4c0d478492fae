//! Rules that decide item by item, in streams and batches: the filter's answer is not the same for all.

use super::served::{passport, quick, run};
use super::store::publish;
use crate::proto;
use crate::proto::batch_result::Outcome;
use crate::proto::stream_item_detail;

/// A number, its State, and the verdict and reason of it; no verdict: the item's error.
type Case = (String, &'static str, proto::Verdict, Option<proto::Reason>);

/// German numbers with a letter that they never have, among others; placeholders; reported ones.
fn cases() -> Vec<Case> {
    use proto::Verdict::{Hit, Inconclusive, NoRecord, Unspecified};
    (0..2_000)
        .map(|index| {
            let impossible = Some(proto::Reason::NumberImpossible);
            match index % 7 {
                0 => (format!("CF9X{index:05}"), "D", NoRecord, None),
                1 => (format!("CO9X{index:05}"), "D", Inconclusive, impossible),
                2 => (format!("CO9X{index:05}"), "FRA", NoRecord, None),
                3 => (format!("C{index:07}"), "D", NoRecord, None),
                4 => ("0".repeat(1 + index % 20), "D", Unspecified, None),
                5 => (format!("AB{index:06}"), "UKR", Hit, None),
                _ => (format!("LE9X{index:05}"), "D", Inconclusive, impossible),
            }
        })
        .collect()
}

fn check(index: usize, (number, _, verdict, reason): &Case, found: i32, reasons: &[i32]) {
    assert_eq!(found, i32::from(*verdict), "item {index}: {number}");
    let expected: Vec<i32> = reason.iter().map(|&reason| reason.into()).collect();
    assert_eq!(reasons, expected, "item {index}: {number}");
}

#[tokio::test]
async fn a_stream_tells_impossible_numbers_and_placeholders_from_others() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let running = run(folder.path(), quick()).await;
    let cases = cases();
    let states = ["D", "FRA", "UKR"];
    let numbers: Vec<&str> = cases.iter().map(|case| case.0.as_str()).collect();
    let indexes = cases.iter().map(|case| {
        let at = states.iter().position(|state| *state == case.1);
        u8::try_from(at.unwrap() + 1).unwrap()
    });
    let chunk = proto::StreamCheckDocumentsRequest {
        numbers: numbers.join("\n").into(),
        issuing_states: states.map(str::to_owned).to_vec(),
        issuing_state_indexes: indexes.collect::<Vec<u8>>().into(),
        r#type: 1,
        ..Default::default()
    };
    let mut answers = running
        .client()
        .stream_check_documents(tokio_stream::iter([chunk]))
        .await
        .unwrap()
        .into_inner();
    let (mut next, mut errors) = (0, 0);
    while let Some(message) = answers.message().await.unwrap() {
        let mut details = message.details.iter().peekable();
        for (place, &verdict) in message.verdicts.iter().enumerate() {
            let detail = details.next_if(|detail| detail.index as usize == place);
            let reasons = match detail.and_then(|detail| detail.outcome.as_ref()) {
                Some(stream_item_detail::Outcome::Answer(answer)) => answer.reasons.as_slice(),
                Some(stream_item_detail::Outcome::Error(error)) => {
                    assert_eq!(error.field, "numbers");
                    assert_eq!(error.code(), proto::ItemErrorCode::Placeholder);
                    // Of the first hundred.
                    errors += 1;
                    let description = match errors {
                        1..=100 => "a placeholder, not a document number",
                        _ => "",
                    };
                    assert_eq!(error.description, description);
                    &[]
                }
                None => &[],
            };
            check(next, &cases[next], verdict.into(), reasons);
            next += 1;
        }
    }
    assert_eq!(next, cases.len());
    running.end().await;
}

#[tokio::test]
async fn a_batch_tells_them_too_and_doubts_an_issuer_that_the_nationality_contradicts() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path(), "2026-01-02T00:00:00Z");
    let running = run(folder.path(), quick()).await;
    let cases = cases();
    let zone = |issuer: &str| proto::CheckDocumentRequest {
        mrz: format!(
            "P<{issuer}SHEVCHENKO<<TARAS<<<<<<<<<<<<<<<<<<<<<<\nAB000007<4UKR7408122F1204159<<<<<<<<<<<<<<02"
        ),
        ..Default::default()
    };
    let mut items: Vec<_> = cases
        .iter()
        .map(|(number, state, ..)| passport(number, state))
        .collect();
    items.extend(["POL", "UKR", "P0L"].map(zone));
    let answers = running
        .client()
        .batch_check_documents(proto::BatchCheckDocumentsRequest { items })
        .await
        .unwrap()
        .into_inner();
    let doubted = |reason| (String::new(), "", proto::Verdict::Review, reason);
    let zones = [
        doubted(Some(proto::Reason::ReportedByNationality)),
        (String::new(), "", proto::Verdict::Hit, None),
        doubted(Some(proto::Reason::ReportedByNationality)),
    ];
    let expected = cases.iter().chain(&zones);
    assert_eq!(answers.results.len(), cases.len() + zones.len());
    for (index, (result, case)) in answers.results.iter().zip(expected).enumerate() {
        match result.outcome.as_ref().unwrap() {
            Outcome::Answer(answer) => check(index, case, answer.verdict, &answer.reasons),
            Outcome::Error(error) => {
                assert_eq!(error.description, "a placeholder, not a document number");
                check(index, case, 0, &[]);
            }
        }
    }
    running.end().await;
}
