//! The whole way of a call without the network, against decoding and encoding the same messages alone.

use super::ask;
use crate::Result;
use crate::given::Given;
use crate::report::{Figure, Findings};
use crate::turns::{Contender, in_turns};
use prost::Message as _;
use sltd::proto::{CheckDocumentRequest, CheckDocumentResponse, DocumentType, Verdict};
use sltd::report::Query;
use sltd::service::Offline;
use sltd::snapshot::Warm;
use std::hint::black_box;

/// Rounds, in each of which all questions are answered once.
const ROUNDS: usize = 9;
/// Questions asked: more than fit into a cache.
const ASKED: usize = 200_000;

/// Measures absent documents.
///
/// # Errors
/// When a question has no answer.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let absent = {
        let snapshot = given.snapshot(Warm::All)?;
        ask::absent(given, ask::only_segment(&snapshot)?)?
    };
    let offline = Offline::new(given.snapshot(Warm::All)?);
    let (mut requests, mut responses) = (Vec::new(), Vec::new());
    for query in absent.iter().take(ASKED) {
        let request = request(query).ok_or("a question lacks a field")?;
        let encoded = request.encode_to_vec();
        let mut reply = Vec::new();
        offline.check_encoded(&encoded, &mut reply)?;
        let response = CheckDocumentResponse::decode(&reply[..])?;
        if response.verdict() != Verdict::NoRecord {
            return Err("an absent document is answered something other than NO_RECORD".into());
        }
        requests.push(encoded);
        responses.push(response);
    }
    let rounds = given.rounds(ROUNDS);
    let (mut reply, mut buffer) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
    let [path, codec] = in_turns(
        rounds,
        requests.len(),
        [
            Contender::fallible("whole path", requests.len(), || {
                let mut written = 0;
                for request in &requests {
                    reply.clear();
                    offline.check_encoded(request, &mut reply)?;
                    written += usize::from(!reply.is_empty());
                }
                Ok(written)
            }),
            Contender::fallible("codec", requests.len(), || {
                let mut written = 0;
                for (request, response) in requests.iter().zip(&responses) {
                    black_box(CheckDocumentRequest::decode(request.as_slice())?);
                    buffer.clear();
                    response.encode(&mut buffer)?;
                    written += usize::from(!buffer.is_empty());
                }
                Ok(written)
            }),
        ],
    )?;
    Ok(Findings {
        notes: vec![format!(
            "one thread, {} questions about absent documents, each decoded, normalised, looked up, judged, answered with coverage, and encoded; codec: the same requests decoded and the same answers encoded by `prost`, nothing between; {rounds} rounds in turns; nanoseconds a call",
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
