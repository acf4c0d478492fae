//! From list to published snapshot, whole processes, against `sort` of the same file.

use crate::Result;
use crate::given::{BUILD_MEMORY, Given};
use crate::process::{Usage, measure as run};
use crate::report::{Figure, Findings, Spread};
use std::process::Command;

/// Rounds, in each of which the list is sorted once and built twice.
const ROUNDS: usize = 3;
/// Memory of the build whose memory is looked at, and the same in MB.
const SMALL_MEMORY: (&str, f64) = ("512MiB", 536.870_912);
/// What may come on top of `--memory`, MB.
const ON_TOP: f64 = 300.0;

/// Measures builds and sorts in turns.
///
/// # Errors
/// When one of them fails.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let store = given.scratch.join("timed-store");
    let [mut sort, mut build, mut single] = [const { Vec::new() }; 3];
    let two = given.threads.min(2);
    for round in 0..ROUNDS {
        // Nobody always comes first.
        for turn in 0..3 {
            match (round + turn) % 3 {
                0 => sort.push(sort_list(given)?),
                1 => build.push(given.build_store(&given.list, &store, two, BUILD_MEMORY)?),
                _ => single.push(given.build_store(&given.list, &store, 1, BUILD_MEMORY)?),
            }
        }
    }
    let small = given.build_store(&given.list, &store, two, SMALL_MEMORY.0)?;
    std::fs::remove_dir_all(&store)?;
    let of =
        |usages: &[Usage], what: fn(&Usage) -> f64| usages.iter().map(what).collect::<Vec<f64>>();
    let wall = |usages: &[Usage]| of(usages, |usage| usage.wall);
    let mut figures = vec![
        Figure::less("build/wall/sort", "s", &wall(&build), &wall(&sort)),
        Figure::less(
            "build/processor-time/sort",
            "s",
            &of(&build, |usage| usage.cpu),
            &of(&sort, |usage| usage.cpu),
        ),
        Figure::less(
            "build/resident-memory/sort",
            "MB",
            &of(&build, megabytes),
            &of(&sort, megabytes),
        ),
        Figure::less(
            "build/memory/limit-and-300-mb",
            "MB",
            &[megabytes(&small).round()],
            &[(SMALL_MEMORY.1 + ON_TOP).floor()],
        ),
        Figure::alone("build/wall/512-mib", "s", Spread::exact(small.wall)),
    ];
    if two == 2 {
        figures.insert(
            1,
            Figure::less(
                "build/second-core/one-core",
                "s",
                &wall(&build),
                &wall(&single),
            ),
        );
    }
    Ok(Findings {
        notes: vec![
            format!(
                "ours: `sltd-data build --sources sources.toml --store DIR --threads N --memory {BUILD_MEMORY}` into a new store, parsing to durable and verified; `sort`: `LC_ALL=C sort --parallel=2 -S 8G -o sorted.csv LIST`"
            ),
            format!(
                "whole processes, {ROUNDS} rounds in turns, the list in the page cache; memory is the kernel's VmHWM, mapped files included; that of a build with `--memory {}` may be 300 MB more",
                SMALL_MEMORY.0
            ),
        ],
        figures,
        ..Findings::default()
    })
}

fn sort_list(given: &Given) -> Result<Usage> {
    let sorted = given.scratch.join("sorted.csv");
    let mut command = Command::new("sort");
    command
        .env("LC_ALL", "C")
        .args(["--parallel=2", "-S", "8G", "-T"])
        .arg(&given.scratch);
    let usage = run(command.arg("-o").arg(&sorted).arg(&given.list))?;
    std::fs::remove_file(sorted)?;
    Ok(usage)
}

fn megabytes(usage: &Usage) -> f64 {
    usage.resident as f64 / 1e6
}
