//! Steps of a lookup in one segment, each beside the simplest structure in memory that could do it.
//!
//! ```text
//! cargo bench --bench index_lookup
//! ```
//! asks a segment of a million documents that it builds; with `SLTD_BENCH_STORE` set to a store and
//! `SLTD_BENCH_QUERIES` to the questions of its list, those. Criterion measures one contender after the other: for
//! ratios that hold on a busy machine see `benches/peers`, where contenders take turns.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use rivals::{Fingerprints, SortedKey};
use sltd::document::DocumentNumber;
use sltd::index::{LoadMode, Segment};
use sltd::snapshot::Store;
use std::hint::black_box;
use std::path::{Path, PathBuf};

#[path = "support/passports.rs"]
mod passports;
#[path = "support/questions.rs"]
mod questions;
#[path = "support/rivals.rs"]
mod rivals;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Documents of the segment that is built where no store is given.
const DOCUMENTS: u64 = 1_000_000;
/// Numbers asked about in one iteration; each iteration asks about others.
const ASKED: usize = 1024;

/// What is asked: a segment, its numbers, and numbers it lacks.
struct Material {
    segment: Segment,
    /// Its numbers, in order.
    keys: Vec<SortedKey>,
    /// Some of them, in random order.
    present: Vec<DocumentNumber>,
    /// Numbers that it lacks, in random order.
    absent: Vec<DocumentNumber>,
}

impl Material {
    /// Of the store that the environment names, or of a segment built for the purpose.
    fn prepare() -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let (segment, asked) = match (variable("SLTD_BENCH_STORE"), variable("SLTD_BENCH_QUERIES"))
        {
            (Some(store), Some(queries)) => {
                let asked = questions::read(&queries)?;
                (
                    segment_of(&store)?,
                    asked.iter().filter_map(|query| query.number).collect(),
                )
            }
            (None, None) => build(scratch.path())?,
            _ => {
                return Err(
                    "expected both SLTD_BENCH_STORE and SLTD_BENCH_QUERIES, or neither".into(),
                );
            }
        };
        let keys = rivals::sorted_keys(&segment)?;
        let mut absent: Vec<DocumentNumber> = asked;
        absent.retain(|number| keys.binary_search(number.padded()).is_err());
        let present = rivals::sample(&keys, absent.len());
        Ok(Self {
            segment,
            keys,
            present,
            absent,
        })
    }
}

/// The first segment of a store's snapshot.
fn segment_of(store: &Path) -> Result<Segment> {
    let opened = Store::open(store)?;
    let manifest = opened.manifest(&opened.pointer()?)?;
    let entry = manifest
        .segments
        .first()
        .ok_or("a snapshot without segments")?;
    warmed(&store.join("segments").join(&entry.file))
}

/// A segment as a server holds it.
fn warmed(path: &Path) -> Result<Segment> {
    let mut segment = Segment::open(path, LoadMode::Mmap)?;
    segment.warm()?;
    Ok(segment)
}

/// A segment of [`DOCUMENTS`] passports, and as many numbers that it lacks.
fn build(scratch: &Path) -> Result<(Segment, Vec<DocumentNumber>)> {
    let (file, _) = passports::build(scratch, DOCUMENTS, 1)?;
    let absent = (0..DOCUMENTS).map(|place| passports::number(2 * place + 1));
    Ok((warmed(&file)?, absent.collect::<Result<_>>()?))
}

/// Documents of a number read with all their reports; `None` when the segment is damaged.
fn reports(segment: &Segment, number: &DocumentNumber) -> Option<usize> {
    let mut reports = 0;
    for document in segment.find(number).ok()? {
        let read = document.and_then(|document| {
            document.each_report(|report| {
                black_box(report);
                reports += 1;
            })
        });
        read.ok()?;
    }
    Some(reports)
}

/// Measures `count`, which says how many of the numbers are listed, on one run of numbers after the other.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    numbers: &[DocumentNumber],
    expected: std::ops::RangeInclusive<usize>,
    mut count: impl FnMut(&[DocumentNumber]) -> usize,
) {
    let found = count(numbers);
    assert!(expected.contains(&found), "{name} finds {found} numbers");
    let mut runs = numbers.chunks_exact(ASKED).cycle();
    group.throughput(Throughput::Elements(ASKED as u64));
    group.bench_function(name, |bencher| {
        bencher.iter(|| runs.next().map(|run| black_box(count(run))))
    });
}

/// `index_lookup/WHAT/HOW/WHOM`.
fn index_lookup(criterion: &mut Criterion) {
    let Material {
        segment,
        keys,
        present,
        absent,
    } = match Material::prepare() {
        Ok(material) => material,
        Err(error) => {
            eprintln!("index_lookup: {error}");
            std::process::exit(1);
        }
    };
    let table = Fingerprints::of(&keys);
    eprintln!(
        "{} numbers; {} bytes of hash table, {} of sorted keys",
        keys.len(),
        table.bytes(),
        size_of_val(keys.as_slice())
    );
    let mut positions = Vec::new();
    let mut group = criterion.benchmark_group("index_lookup");
    // The filter lets about one absent number in 430 pass; the others answer exactly.
    let passing = absent.len() / 600..=absent.len() / 300;
    measure(
        &mut group,
        "absent/one at a time/segment",
        &absent,
        passing.clone(),
        |numbers| {
            numbers
                .iter()
                .filter(|number| segment.may_contain(number))
                .count()
        },
    );
    measure(
        &mut group,
        "absent/one at a time/hashbrown",
        &absent,
        0..=0,
        |numbers| {
            numbers
                .iter()
                .filter(|number| table.contains(number))
                .count()
        },
    );
    measure(
        &mut group,
        "absent/in chunks/segment",
        &absent,
        passing,
        |numbers| {
            positions.clear();
            segment.may_contain_each(numbers, &mut positions);
            positions.len()
        },
    );
    measure(
        &mut group,
        "absent/in chunks/hashbrown",
        &absent,
        0..=0,
        |numbers| table.count(numbers),
    );
    let all = present.len()..=present.len();
    measure(
        &mut group,
        "present/with its reports/segment",
        &present,
        all.clone(),
        |numbers| {
            numbers
                .iter()
                .filter(|number| reports(&segment, number) > Some(0))
                .count()
        },
    );
    measure(
        &mut group,
        "present/position only/sorted keys",
        &present,
        all,
        |numbers| {
            numbers
                .iter()
                .filter(|number| keys.binary_search(number.padded()).is_ok())
                .count()
        },
    );
    group.finish();
}

criterion_group!(benches, index_lookup);
criterion_main!(benches);
