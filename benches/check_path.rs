//! The whole way of a unary call without the network: decode, normalise, look up, judge, encode.
//!
//! ```text
//! cargo bench --bench check_path
//! ```
//! asks a store of a million passports that it builds. Beside it stand decoding and encoding the same messages alone,
//! by `prost`: what is the least that a service could do. For ratios that hold on a busy machine see the report of
//! `benches/peers`, in which contenders take turns.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use prost::Message as _;
use sltd::document::DocumentType;
use sltd::proto::{CheckDocumentRequest, CheckDocumentResponse, Verdict};
use sltd::report::Day;
use sltd::service::Offline;
use sltd::snapshot::{Act, LoadOptions, Origin, SourceEntry, Store};
use std::hint::black_box;
use std::path::Path;

#[path = "support/passports.rs"]
mod passports;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Passports in the store.
const DOCUMENTS: u64 = 1_000_000;
/// Questions that are asked in turn.
const ASKED: u64 = 100_000;

/// A snapshot that is asked in process.
fn offline(folder: &Path) -> Result<Offline> {
    let now = Timestamp::now();
    let writer = Store::writer(folder)?;
    let (segment, _) = passports::build(&writer.building(), DOCUMENTS, 2)?;
    let origin = Origin {
        sources: vec![SourceEntry::new("bench", now)],
        as_of: Day::from_timestamp(now),
        built_at: now,
        bases_kept: None,
    };
    let act = Act {
        at: now,
        by: "bench",
        reason: "",
    };
    writer.publish(&segment, origin, act)?;
    drop(writer);
    let snapshot = Store::open(folder)?.load_current(&LoadOptions::default())?;
    Ok(Offline::new(snapshot))
}

/// Encoded questions about the passports of these places.
fn questions(places: impl Iterator<Item = u64>) -> Result<Vec<Vec<u8>>> {
    let question = |place| -> Result<Vec<u8>> {
        let request = CheckDocumentRequest {
            number: passports::number(place)?.as_str().to_owned(),
            issuing_state: passports::STATE.to_owned(),
            // Types have the same codes on the wire and in segments.
            r#type: DocumentType::Passport.code().into(),
            mrz: String::new(),
        };
        Ok(request.encode_to_vec())
    };
    places.map(question).collect()
}

/// `check_path/WHAT/HOW`.
fn check_path(criterion: &mut Criterion) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let offline = offline(folder.path())?;
    let mut group = criterion.benchmark_group("check_path");
    group.throughput(Throughput::Elements(1));
    let mut reply = Vec::with_capacity(4096);
    for (what, odd, verdict) in [
        ("absent", 1, Verdict::NoRecord),
        ("present", 0, Verdict::Hit),
    ] {
        let questions = questions((0..ASKED).map(|place| 2 * place * (DOCUMENTS / ASKED) + odd))?;
        let mut answers = Vec::with_capacity(questions.len());
        for question in &questions {
            reply.clear();
            offline.check_encoded(question, &mut reply)?;
            let answer = CheckDocumentResponse::decode(&reply[..])?;
            assert_eq!(answer.verdict(), verdict, "{what}");
            answers.push(answer);
        }
        let mut turn = questions.iter().cycle();
        group.bench_function(format!("{what}/whole"), |bencher| {
            bencher.iter(|| {
                reply.clear();
                turn.next()
                    .map(|question| offline.check_encoded(black_box(question), &mut reply))
            })
        });
        let mut turn = questions.iter().zip(&answers).cycle();
        group.bench_function(format!("{what}/codec alone"), |bencher| {
            bencher.iter(|| {
                reply.clear();
                turn.next().map(|(question, answer)| {
                    black_box(CheckDocumentRequest::decode(black_box(question.as_slice())).is_ok());
                    answer.encode(&mut reply)
                })
            })
        });
    }
    group.finish();
    Ok(())
}

fn run(criterion: &mut Criterion) {
    if let Err(error) = check_path(criterion) {
        eprintln!("check_path: {error}");
        std::process::exit(1);
    }
}

criterion_group!(benches, run);
criterion_main!(benches);
