//! Decoding and encoding each message of `LookupService`.
//!
//! ```text
//! cargo bench --bench codec
//! ```
//! The messages are as a server sends them: one answer, a batch of a hundred, a chunk of ten thousand. By `prost`; the
//! server reads and writes the messages of a single check in a way of its own, which `check_path` measures.

use bytes::BytesMut;
use criterion::{Criterion, criterion_group, criterion_main};
use prost::Message;
use sltd::proto::{
    Authority, BatchCheckDocumentsRequest, BatchCheckDocumentsResponse, BatchResult,
    CheckDocumentRequest, CheckDocumentResponse, CompactAnswer, Coverage, Document, DocumentType,
    Match, SharedTables, Snapshot, StreamCheckDocumentsRequest, StreamCheckDocumentsResponse,
    Verdict, batch_result,
};
use std::hint::black_box;

fn document(index: u32) -> Document {
    Document {
        number: format!("AB{index:07}"),
        issuing_state: "FRA".to_owned(),
        r#type: DocumentType::Passport.into(),
    }
}

fn question(index: u32) -> CheckDocumentRequest {
    let Document {
        number,
        issuing_state,
        r#type,
    } = document(index);
    CheckDocumentRequest {
        number,
        issuing_state,
        r#type,
        mrz: String::new(),
    }
}

fn coverage() -> Coverage {
    Coverage {
        issuing_state: "FRA".to_owned(),
        r#type: DocumentType::Passport.into(),
        level: 3,
        documents: 1_234_567,
        newest_report: "2026-11-20".to_owned(),
        source_age: None,
        change_age: None,
    }
}

fn answer(matches: Vec<Match>) -> CheckDocumentResponse {
    let verdict = if matches.is_empty() {
        Verdict::NoRecord
    } else {
        Verdict::Hit
    };
    CheckDocumentResponse {
        verdict: verdict.into(),
        document: Some(document(1)),
        matches,
        snapshot: Some(Snapshot {
            generation: 1,
            ..Snapshot::default()
        }),
        coverage: Some(coverage()),
        format_plausible: Some(true),
        ..CheckDocumentResponse::default()
    }
}

fn report() -> Match {
    Match {
        status: 1,
        issuing_state: "FRA".to_owned(),
        r#type: DocumentType::Passport.into(),
        date_of_loss: "2026-10-02".to_owned(),
        date_reported: "2026-10-03".to_owned(),
        authority: Some(Authority {
            code: "FRA-01".to_owned(),
            name: "National Central Bureau".to_owned(),
            contact: "+999 0000 0033, day and night".to_owned(),
        }),
        source: "world".to_owned(),
        confirm_with_authority: true,
        ..Match::default()
    }
}

/// `codec/MESSAGE/decode` and `codec/MESSAGE/encode`.
fn measure<M: Message + Default + PartialEq>(criterion: &mut Criterion, name: &str, message: &M) {
    let mut group = criterion.benchmark_group(format!("codec/{name}"));
    let bytes = message.encode_to_vec();
    assert!(M::decode(bytes.as_slice()).is_ok_and(|decoded| decoded == *message));
    group.bench_function("decode", |bencher| {
        bencher.iter(|| M::decode(black_box(bytes.as_slice())))
    });
    let mut buffer = BytesMut::with_capacity(bytes.len());
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            buffer.clear();
            black_box(message).encode(&mut buffer)
        })
    });
    group.finish();
}

fn codec(criterion: &mut Criterion) {
    measure(criterion, "CheckDocumentRequest", &question(1));
    measure(
        criterion,
        "CheckDocumentResponse, NO_RECORD",
        &answer(Vec::new()),
    );
    measure(
        criterion,
        "CheckDocumentResponse, HIT",
        &answer(vec![report()]),
    );
    let items = (0..100).map(question).collect();
    measure(
        criterion,
        "BatchCheckDocumentsRequest of 100",
        &BatchCheckDocumentsRequest { items },
    );
    let result = |index| BatchResult {
        outcome: Some(batch_result::Outcome::Answer(CompactAnswer {
            verdict: Verdict::NoRecord.into(),
            document: Some(document(index)),
            coverage_index: 1,
            format_plausible: Some(true),
            ..CompactAnswer::default()
        })),
    };
    let shared = SharedTables {
        texts: vec![String::new()],
        authorities: vec![Authority::default()],
        coverages: vec![Coverage::default(), coverage()],
    };
    let batch = BatchCheckDocumentsResponse {
        shared: Some(shared.clone()),
        results: (0..100).map(result).collect(),
        ..BatchCheckDocumentsResponse::default()
    };
    measure(criterion, "BatchCheckDocumentsResponse of 100", &batch);
    let numbers: Vec<String> = (0..10_000).map(|index| document(index).number).collect();
    let chunk = StreamCheckDocumentsRequest {
        numbers: numbers.join("\n").into(),
        issuing_states: vec!["FRA".to_owned()],
        r#type: DocumentType::Passport.into(),
        ..StreamCheckDocumentsRequest::default()
    };
    measure(criterion, "StreamCheckDocumentsRequest of 10,000", &chunk);
    let verdicts = StreamCheckDocumentsResponse {
        verdicts: vec![Verdict::NoRecord as u8; 10_000].into(),
        shared: Some(shared),
        ..StreamCheckDocumentsResponse::default()
    };
    measure(
        criterion,
        "StreamCheckDocumentsResponse of 10,000",
        &verdicts,
    );
}

criterion_group!(benches, codec);
criterion_main!(benches);
