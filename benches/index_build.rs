//! Building a segment from rows in no order, with one thread and with two.
//!
//! ```text
//! cargo bench --bench index_build
//! ```
//! Rows are made, inserted, sorted, written, verified and made durable.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

#[path = "support/passports.rs"]
mod passports;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Documents of a segment.
const DOCUMENTS: u64 = 500_000;

/// `index_build/threads/COUNT`.
fn index_build(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("index_build");
    group.throughput(Throughput::Elements(DOCUMENTS));
    group.sample_size(10);
    for threads in [1, 2] {
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
            bencher.iter_batched(
                tempfile::tempdir,
                |folder| -> Result<_> {
                    let folder = folder?;
                    let (_, summary) = passports::build(folder.path(), DOCUMENTS, threads)?;
                    assert_eq!(summary.documents, DOCUMENTS);
                    // Removed outside the measurement.
                    Ok(folder)
                },
                BatchSize::PerIteration,
            )
        });
    }
    group.finish();
}

criterion_group!(benches, index_build);
criterion_main!(benches);
