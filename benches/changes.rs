//! What a day of changes costs: numbers that nobody reports, asked of a snapshot with and without 1,440 deltas over
//! its base.
//!
//! ```text
//! cargo bench --bench changes
//! ```

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::Row;
use sltd::report::{Day, ReportStatus};
use sltd::snapshot::{
    Act, Change, LoadOptions, Origin, RowPosition, Snapshot, SourceEntry, Store, Warm,
};
use std::hint::black_box;
use std::path::Path;

#[path = "support/passports.rs"]
mod passports;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Documents of the base.
const DOCUMENTS: u64 = 10_000_000;
/// A delta each minute of a day, of so many documents.
const DELTAS: u64 = 1_440;
const ROWS: u64 = 10;
/// Numbers asked about in one iteration; each iteration asks about others.
const ASKED: usize = 1024;

fn source(as_of: Timestamp) -> SourceEntry {
    SourceEntry::new("bench", as_of)
}

fn act(at: Timestamp) -> Act<'static> {
    Act {
        at,
        by: "bench",
        reason: "",
    }
}

fn load(folder: &Path) -> Result<Snapshot> {
    let options = LoadOptions {
        warm: Some(Warm::All),
        ..LoadOptions::default()
    };
    Ok(Store::open(folder)?.load_current(&options)?)
}

fn publish_base(folder: &Path, now: Timestamp) -> Result<()> {
    let writer = Store::writer(folder)?;
    let (segment, _) = passports::build(&writer.building(), DOCUMENTS, 2)?;
    let origin = Origin {
        sources: vec![source(now)],
        as_of: Day::from_timestamp(now),
        built_at: now,
        bases_kept: None,
    };
    writer.publish(&segment, origin, act(now))?;
    Ok(())
}

fn publish_delta(folder: &Path, round: u64, now: Timestamp) -> Result<()> {
    let as_of = now + std::time::Duration::from_secs(60 * (round + 1));
    let delta = Store::open(folder)?.delta()?;
    let rows = delta.rows(1 << 24, 1);
    let mut inserter = rows.inserter();
    for row in 0..ROWS {
        // Of the second half of the odd places, which the base does not have and the questions leave alone.
        let place = 2 * (DOCUMENTS + round * ROWS + row) + 1;
        let position = RowPosition {
            row,
            ..RowPosition::default()
        };
        let row = Row {
            numbers: NumberRange::single(passports::number(place)?),
            issuing_state: IssuingState::parse(passports::STATE)?,
            document_type: DocumentType::Passport,
            status: ReportStatus::Lost,
            source_status: "",
            date_of_loss: None,
            date_reported: None,
            review_date: None,
            authority: "",
            restriction: "",
            source: "bench",
            third_party: false,
            owner_reference: "",
        };
        inserter.insert(as_of, position, &Change::Add(row));
    }
    inserter.finish();
    let changes = delta.build(&rows, &[], Day::from_timestamp(now))?;
    let draft = delta.draft(&changes, &[source(as_of)], act(as_of))?;
    draft.publish(Vec::new())?;
    Ok(())
}

/// Numbers that nobody reports, in no order.
fn absent() -> Result<Vec<DocumentNumber>> {
    (0..DOCUMENTS / 4)
        .map(|place| passports::number(2 * place + 1))
        .collect()
}

fn bench(criterion: &mut Criterion) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let now = Timestamp::now();
    publish_base(folder.path(), now)?;
    let without = load(folder.path())?;
    for round in 0..DELTAS {
        publish_delta(folder.path(), round, now)?;
    }
    let with = load(folder.path())?;
    println!(
        "{DELTAS} deltas of {ROWS} documents stand in {} segments",
        with.segments().len() - 1
    );
    let absent = absent()?;
    let mut group = criterion.benchmark_group("changes");
    group.throughput(Throughput::Elements(ASKED as u64));
    for (name, snapshot) in [("without", &without), ("with", &with)] {
        group.bench_function(format!("absent/one at a time/{name}"), |bencher| {
            let mut chunks = absent.chunks_exact(ASKED).cycle();
            bencher.iter(|| {
                let numbers = chunks.next().unwrap_or_default();
                let found = |number: &&DocumentNumber| snapshot.may_contain(number);
                black_box(numbers.iter().filter(found).count())
            });
        });
        group.bench_function(format!("absent/in chunks/{name}"), |bencher| {
            let mut chunks = absent.chunks_exact(ASKED).cycle();
            let mut positions = Vec::new();
            bencher.iter(|| {
                let numbers = chunks.next().unwrap_or_default();
                snapshot.may_contain_each(numbers, &mut positions);
                black_box(positions.len())
            });
        });
    }
    group.finish();
    Ok(())
}

fn changes(criterion: &mut Criterion) {
    if let Err(error) = bench(criterion) {
        eprintln!("changes: {error}");
        std::process::exit(1);
    }
}

criterion_group!(benches, changes);
criterion_main!(benches);
