//! Normalising a number, by what it is made of.
//!
//! ```text
//! cargo bench --bench normalise
//! ```

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sltd::document::DocumentNumber;
use std::hint::black_box;

/// What is written, and how: the first is what nearly all numbers look like.
const WRITTEN: [(&str, &str); 5] = [
    ("letters and digits", "AB1234567"),
    ("small letters and separators", "ab 12-345.67"),
    ("full-width", "ＡＢ１２３４５６７"),
    ("Cyrillic series", "СН 1234567"),
    ("refused", "AB12?4567"),
];

/// `normalise/WHAT`.
fn normalise(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("normalise");
    group.throughput(Throughput::Elements(1));
    for (name, text) in WRITTEN {
        assert_eq!(
            DocumentNumber::normalise(text).is_err(),
            name == "refused",
            "{name}"
        );
        group.bench_function(name, |bencher| {
            bencher.iter(|| DocumentNumber::normalise(black_box(text)))
        });
    }
    group.finish();
}

criterion_group!(benches, normalise);
criterion_main!(benches);
