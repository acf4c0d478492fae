//! What a check allocates: nothing, where nobody has reported the document.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(
    dead_code,
    clippy::panic,
    reason = "shared with the tests of the processes, which use all of it"
)]
#[path = "blackbox/support/store.rs"]
mod store;

use allocation_counter::measure;
use prost::Message as _;
use sltd::document::{DocumentNumber, DocumentType, Issuer};
use sltd::proto::{CheckDocumentRequest, CheckDocumentResponse, Verdict};
use sltd::report::Query;
use sltd::service::Offline;
use sltd::snapshot::{LoadOptions, Moment, Snapshot, Store};

fn snapshot(folder: &std::path::Path) -> Snapshot {
    let store = Store::open(folder).unwrap();
    store.load_current(&LoadOptions::default()).unwrap()
}

fn request(number: &str) -> Vec<u8> {
    let request = CheckDocumentRequest {
        number: number.to_owned(),
        issuing_state: "FRA".to_owned(),
        r#type: 1,
        mrz: String::new(),
    };
    request.encode_to_vec()
}

/// Allocations of answering a question from bytes to bytes, and the answer.
fn answered(offline: &Offline, reply: &mut Vec<u8>, number: &str) -> (u64, CheckDocumentResponse) {
    let request = request(number);
    reply.clear();
    let counted = measure(|| offline.check_encoded(&request, reply).unwrap());
    let answer = CheckDocumentResponse::decode(&reply[..]).unwrap();
    (counted.count_total, answer)
}

#[test]
fn no_record_allocates_nothing() {
    let folder = store::store(store::ROWS);
    let offline = Offline::new(snapshot(folder.path()));
    let mut reply = Vec::with_capacity(512);
    // The first call of a thread sets up what later ones use again.
    answered(&offline, &mut reply, "77CC88888");
    for number in 0..10_000 {
        let (allocations, answer) = answered(&offline, &mut reply, &format!("88DD{number:05}"));
        assert_eq!(answer.verdict(), Verdict::NoRecord);
        assert!(answer.coverage.is_some());
        assert_eq!(allocations, 0);
    }
    // The counter counts: a report is more than fits on the stack.
    let (allocations, answer) = answered(&offline, &mut reply, "12AB34567");
    assert_eq!(answer.verdict(), Verdict::Hit);
    assert!(allocations > 0);
}

#[test]
fn a_check_in_process_allocates_nothing() {
    let folder = store::store(store::ROWS);
    let snapshot = snapshot(folder.path());
    let moment = Moment::at(snapshot.built_at());
    for number in 0..1_000 {
        let query = Query::from_fields(
            DocumentNumber::normalise(&format!("88DD{number:05}")).unwrap(),
            Issuer::parse("FRA").ok(),
            Some(DocumentType::Passport),
        );
        let counted = measure(|| {
            let answer = snapshot.check(&query, moment).unwrap();
            assert_eq!(answer.format_plausible(), Some(true));
            assert!(
                answer
                    .coverage()
                    .is_some_and(|coverage| coverage.documents == 101)
            );
        });
        assert_eq!(counted.count_total, 0);
    }
}
