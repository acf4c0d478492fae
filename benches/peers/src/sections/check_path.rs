//! The whole way of a call without the network, against decoding and encoding the same messages alone.

use super::ask;
use crate::Result;
use crate::given::Given;
use crate::report::{Figure, Findings};
use crate::turns::{Contender, in_turns};
use jiff::Timestamp;
use prost::Message as _;
use sltd::proto::{CheckDocumentRequest, CheckDocumentResponse, DocumentType, Verdict};
use sltd::report::Query;
use sltd::service::check_offline;
use sltd::snapshot::Warm;

/// Rounds, in each of which all questions are answered once.
const ROUNDS: usize = 9;
/// Questions asked: more than fit into a cache.
const ASKED: usize = 200_000;

/// Measures absent documents.
///
/// # Errors
/// When a question has no answer.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let snapshot = given.snapshot(Warm::All)?;
    let absent = ask::absent(given, ask::only_segment(&snapshot)?)?;
    let mut requests = Vec::new();
    let mut responses = Vec::new();
    for query in absent.iter().take(ASKED) {
        let request = request(query).ok_or("a question lacks a field")?;
        responses.push(check_offline(&snapshot, &request, Timestamp::now())?);
        requests.push(request.encode_to_vec());
    }
    let no_record =
        |response: &CheckDocumentResponse| usize::from(response.verdict() == Verdict::NoRecord);
    let rounds = given.rounds(ROUNDS);
    let mut buffer = Vec::with_capacity(4096);
    let mut other = Vec::with_capacity(4096);
    let [path, codec] = in_turns(
        rounds,
        requests.len(),
        [
            Contender::fallible("whole path", requests.len(), || {
                let mut count = 0;
                for bytes in &requests {
                    let request = CheckDocumentRequest::decode(bytes.as_slice())?;
                    let response = check_offline(&snapshot, &request, Timestamp::now())?;
                    buffer.clear();
                    response.encode(&mut buffer)?;
                    count += no_record(&response);
                }
                Ok(count)
            }),
            Contender::fallible("codec", requests.len(), || {
                let mut count = 0;
                for (bytes, response) in requests.iter().zip(&responses) {
                    let request = CheckDocumentRequest::decode(bytes.as_slice())?;
                    other.clear();
                    response.encode(&mut other)?;
                    count += usize::from(!request.number.is_empty()) * no_record(response);
                }
                Ok(count)
            }),
        ],
    )?;
    Ok(Findings {
        notes: vec![format!(
            "one thread, {} questions about absent documents, each decoded, normalised, looked up, judged, answered with coverage, and encoded; `codec`: the same requests decoded and the same answers encoded, nothing between; {rounds} rounds in turns; nanoseconds a call",
            requests.len()
        )],
        figures: vec![Figure::less("check-path/absent/codec", "ns", &path, &codec)],
        ..Findings::default()
    })
}

/// A question as a message.
fn request(query: &Query) -> Option<CheckDocumentRequest> {
    let name = format!(
        "DOCUMENT_TYPE_{}",
        query.document_type?.name().to_ascii_uppercase()
    );
    Some(CheckDocumentRequest {
        number: query.number?.as_str().to_owned(),
        issuing_state: query.issuer.as_ref()?.code().to_owned(),
        r#type: DocumentType::from_str_name(&name)?.into(),
        mrz: String::new(),
    })
}
