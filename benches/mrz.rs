//! Reading a machine-readable zone, by layout.
//!
//! ```text
//! cargo bench --bench mrz
//! ```

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sltd::document::mrz::Mrz;
use std::hint::black_box;

/// Specimens of ICAO Doc 9303 parts 4 to 7, a long number of part 5, and a national card.
const ZONES: [(&str, &str); 7] = [
    (
        "TD1",
        "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ),
    (
        "TD1, long number",
        "I<UTOD23145890<1240<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<0\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
    ),
    (
        "TD2",
        "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
    ),
    (
        "TD3",
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
    ),
    (
        "MRV-A",
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
    ),
    (
        "MRV-B",
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<",
    ),
    (
        "French identity card",
        "IDFRADOUEL<<<<<<<<<<<<<<<<<<<<932013\n0506932020438CHRISTIANE<<NI2906209F3",
    ),
];

/// `mrz/LAYOUT`, and what fits none.
fn mrz(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("mrz");
    group.throughput(Throughput::Elements(1));
    for (name, zone) in ZONES {
        assert!(
            Mrz::read(zone).is_ok_and(|mrz| mrz.number.is_some()),
            "{name}"
        );
        group.bench_function(name, |bencher| bencher.iter(|| Mrz::read(black_box(zone))));
    }
    let torn = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    assert!(Mrz::read(torn).is_err());
    group.bench_function("unreadable", |bencher| {
        bencher.iter(|| Mrz::read(black_box(torn)))
    });
    group.finish();
}

criterion_group!(benches, mrz);
criterion_main!(benches);
