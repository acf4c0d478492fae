//! From list to published snapshot, whole processes, against `sort` of the same file; and the bytes that come of it.

use crate::process::{Usage, measure};
use crate::table::{Figure, Findings, Goal, Spread};
use crate::{Given, Result};
use sltd::index::SectionKind;
use sltd::snapshot::{LoadOptions, Store, Warm};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Rounds, in each of which the list is sorted once and built twice.
const ROUNDS: usize = 3;
/// Memory of the timed builds: what `sort` gets.
const MEMORY: &str = "8GiB";
/// Memory of the build whose memory is looked at, and the same in MB.
const SMALL_MEMORY: (&str, f64) = ("512MiB", 536.870_912);
/// What may come on top of `--memory`, MB.
const ON_TOP: f64 = 300.0;

/// Measures builds and sorts in turns.
pub(crate) fn run(given: &Given) -> Result<Findings> {
    let store = given.scratch.join("timed-store");
    let [mut sort, mut build, mut single] = [const { Vec::new() }; 3];
    let two = given.threads.min(2);
    for round in 0..ROUNDS {
        // Nobody always comes first.
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => sort.push(sort_list(given)?),
                1 => build.push(build_list(given, &store, two, MEMORY)?),
                _ => single.push(build_list(given, &store, 1, MEMORY)?),
            }
        }
    }
    let small = build_list(given, &store, two, SMALL_MEMORY.0)?;
    let wall = |usages: &[Usage]| usages.iter().map(|usage| usage.wall).collect::<Vec<f64>>();
    let cpu = |usages: &[Usage]| usages.iter().map(|usage| usage.cpu).collect::<Vec<f64>>();
    let resident = |usages: &[Usage]| {
        usages
            .iter()
            .map(|usage| megabytes(usage.resident))
            .collect::<Vec<f64>>()
    };
    let mut figures = vec![
        Figure::ratio(
            "build/wall time, 2 threads/sort",
            "s",
            &wall(&build),
            &wall(&sort),
            Goal::AtMost(0.6),
        ),
        Figure::ratio(
            "build/processor time, 2 threads/sort",
            "s",
            &cpu(&build),
            &cpu(&sort),
            Goal::None,
        ),
        Figure::ratio(
            "build/resident memory at the most, 2 threads/sort",
            "MB",
            &resident(&build),
            &resident(&sort),
            Goal::None,
        ),
        Figure::alone(
            "build/resident memory at the most, --memory 512MiB",
            Spread::exact(megabytes(small.resident).round()),
            "MB",
            Goal::AtMost((SMALL_MEMORY.1 + ON_TOP).floor()),
        ),
        Figure::alone(
            "build/wall time, --memory 512MiB",
            Spread::exact(small.wall),
            "s",
            Goal::None,
        ),
    ];
    if two == 2 {
        let mut speedup = Figure::ratio(
            "build/wall time, 1 thread/2 threads",
            "s",
            &wall(&single),
            &wall(&build),
            Goal::AtLeast(1.6),
        );
        speedup.name.push_str(" (the second core's gain)");
        figures.insert(1, speedup);
    }
    std::fs::remove_dir_all(&store)?;
    Ok(Findings {
        title: "From list to published snapshot",
        notes: vec![
            format!(
                "ours: `sltd-data build --sources sources.toml --store DIR --threads N --memory {MEMORY}` into a new store, parsing to durable and verified; theirs: `LC_ALL=C sort --parallel=2 -S 8G -o sorted.csv LIST`"
            ),
            format!(
                "whole processes, {ROUNDS} rounds in turns, the list in the page cache; memory is the kernel's VmHWM, mapped files included"
            ),
        ],
        figures,
    })
}

/// Bytes of the segment by what they are for.
pub(crate) fn bytes(given: &Given) -> Result<Findings> {
    let snapshot = Store::open(&given.store)?.load_current(&LoadOptions {
        warm: Some(Warm::Filter),
        ..Default::default()
    })?;
    let (mut keys, mut filter, mut references, mut whole) = (0, 0, 0, 0);
    for segment in snapshot.segments() {
        whole += segment.file_len();
        for size in segment.section_sizes() {
            match size.kind {
                SectionKind::Keys | SectionKind::Shards => keys += size.bytes,
                SectionKind::Filter => filter += size.bytes,
                SectionKind::References => references += size.bytes,
                _ => {}
            }
        }
    }
    let each = |bytes: u64| Spread::exact(bytes as f64 / snapshot.documents() as f64);
    Ok(Findings {
        title: "Bytes a document",
        notes: vec![format!(
            "{} documents, a segment of {whole} bytes; with their directories: keys {keys}, filter {filter}; owners' references {references}",
            snapshot.documents()
        )],
        figures: vec![
            Figure::alone(
                "bytes/keys and filter",
                each(keys + filter),
                "B",
                Goal::AtMost(9.5),
            ),
            Figure::alone(
                "bytes/whole segment without owners' references",
                each(whole - references),
                "B",
                Goal::AtMost(20.0),
            ),
        ],
    })
}

/// Builds the list into a store that is removed first.
///
/// # Errors
/// When the build fails.
pub(crate) fn build_list(
    given: &Given,
    store: &Path,
    threads: usize,
    memory: &str,
) -> Result<Usage> {
    if store.exists() {
        std::fs::remove_dir_all(store)?;
    }
    let mut command = Command::new(&given.sltd_data);
    command
        .args(["build", "--json", "--memory", memory, "--threads"])
        .arg(threads.to_string());
    command
        .arg("--sources")
        .arg(sources(given)?)
        .arg("--store")
        .arg(store);
    measure(command.stdout(Stdio::null()))
}

fn sort_list(given: &Given) -> Result<Usage> {
    let sorted = given.scratch.join("sorted.csv");
    let mut command = Command::new("sort");
    command
        .env("LC_ALL", "C")
        .args(["--parallel=2", "-S", "8G", "-T"])
        .arg(&given.scratch);
    let usage = measure(command.arg("-o").arg(&sorted).arg(&given.list))?;
    std::fs::remove_file(sorted)?;
    Ok(usage)
}

/// The description of the list.
fn sources(given: &Given) -> Result<PathBuf> {
    let path = given.scratch.join("sources.toml");
    let list = toml::Value::from(given.list.to_str().ok_or("expected a path that is UTF-8")?);
    std::fs::write(
        &path,
        format!(
            "[[source]]\nname = \"world\"\npath = {list}\nlayout = \"sltd-csv\"\nowns = [\"*\"]\n"
        ),
    )?;
    Ok(path)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
