//! From list to something durable that answers: ours against stores that are made for loading in bulk.

use crate::Result;
use crate::embedded::Store;
use crate::entries::Entries;
use crate::given::{BUILD_MEMORY, Given};
use crate::process::measure as run;
use crate::report::{Figure, Findings};
use sltd::snapshot::Warm;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Rounds, in each of which the list is built once and loaded once into each store.
const ROUNDS: usize = 3;
/// The stores, of which each has a way of its own to take what is sorted.
const STORES: [Store; 2] = [Store::Rocksdb, Store::Lmdb];

/// Measures builds and loads in turns.
///
/// # Errors
/// When ours fails.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let numbers: u64 = {
        let snapshot = given.snapshot(Warm::Filter)?;
        snapshot
            .segments()
            .iter()
            .map(|segment| segment.numbers())
            .sum()
    };
    let mut findings = Findings {
        notes: vec![format!(
            "whole processes from the CSV to durable files; ours: `sltd-data build --threads {} --memory {BUILD_MEMORY}`, which also reads back and verifies; theirs: the same reader and normaliser on as many threads, a parallel sort in memory, equal rows merged, the store's bulk load and sync; {ROUNDS} rounds in turns",
            given.threads
        )],
        ..Findings::default()
    };
    for store in STORES {
        let name = store.name();
        eprintln!("  {name}");
        let measure = || -> Result<Figure> {
            let [mut ours, mut theirs] = [const { Vec::new() }; 2];
            for round in 0..ROUNDS {
                for turn in 0..2 {
                    if (round + turn) % 2 == 0 {
                        ours.push(build(given)?);
                    } else {
                        theirs.push(load(given, store, numbers)?);
                    }
                }
            }
            Ok(Figure::less(
                &format!("build/from-csv/{name}"),
                "s",
                &ours,
                &theirs,
            ))
        };
        match measure() {
            Ok(figure) => findings.figures.push(figure),
            Err(error) => findings
                .notes
                .push(format!("**{name} is missing**: {error}")),
        }
    }
    Ok(findings)
}

/// Seconds of a build.
fn build(given: &Given) -> Result<f64> {
    let store = given.scratch.join("timed-store");
    let usage = given.build_store(&given.list, &store, given.threads, BUILD_MEMORY)?;
    std::fs::remove_dir_all(store)?;
    Ok(usage.wall)
}

/// Seconds of a load, in a process of its own.
fn load(given: &Given, store: Store, numbers: u64) -> Result<f64> {
    let folder = tempfile::tempdir_in(&given.scratch)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["load-store", store.name()]);
    command.arg(&given.list).arg(folder.path());
    command.args([given.threads.to_string(), numbers.to_string()]);
    Ok(run(command.stdout(Stdio::null()))?.wall)
}

/// The process that loads.
#[derive(Debug, clap::Args)]
pub(crate) struct LoadStoreArgs {
    #[arg(value_enum)]
    store: Store,
    /// The list
    list: PathBuf,
    /// An empty folder
    folder: PathBuf,
    threads: usize,
    /// Distinct numbers that the list must have
    numbers: usize,
}

/// Loads a list into a store.
///
/// # Errors
/// When list or store fails, or the list has other numbers than expected.
pub(crate) fn load_store_main(arguments: &LoadStoreArgs) -> Result<()> {
    let entries = Entries::read(&arguments.list, &arguments.folder, arguments.threads)?;
    arguments
        .store
        .load(&arguments.folder, entries.feeds(arguments.threads))?;
    // Memory is given back by the end of the process; taking it apart first would be time of no use.
    let numbers = entries.numbers();
    std::mem::forget(entries);
    if numbers == arguments.numbers {
        Ok(())
    } else {
        Err(format!(
            "the list has {numbers} numbers, the index {}",
            arguments.numbers
        )
        .into())
    }
}
