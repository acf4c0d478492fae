//! The command line of `sltd-data diff`.

use super::Diff;
use crate::command::{FAILED, complain, print};
use crate::resources::default_threads;
use clap::Args;
use sltd::index::LoadMode;
use sltd::snapshot::{LoadOptions, Snapshot, Store, Warm};
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what two snapshots say differently
///
/// Documents added, withdrawn and changed, by issuing State, type, status and source, the largest
/// movements first. Reports count as long as they stand in a snapshot, also those that have expired
/// meanwhile. A store keeps the snapshots as they were when its last bases were published, the current
/// one and the one before; `sltd-data history` lists the generations.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 compared, 2 wrong usage, 3 failed.")]
pub struct DiffArgs {
    /// The generation before [default: the one with which the base before the current one began]
    #[arg(value_name = "A")]
    before: Option<u64>,
    /// The generation after [default: the current one]
    #[arg(value_name = "B")]
    after: Option<u64>,
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Print it as one JSON object, all lines of it
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &DiffArgs) -> ExitCode {
    match diff(args).and_then(|text| Ok(print(text)?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(error);
            ExitCode::from(FAILED)
        }
    }
}

fn diff(args: &DiffArgs) -> Result<String, Box<dyn std::error::Error>> {
    let store = Store::open(&args.store)?;
    let chain = store.chain(&store.pointer()?)?;
    let kept = || {
        let kept = chain.iter().filter(|manifest| store.has_segments(manifest));
        kept.map(|manifest| manifest.generation.to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let options = LoadOptions {
        load: LoadMode::Mmap,
        warm: Some(Warm::Nothing),
    };
    let load = |generation: u64| -> Result<Snapshot, Box<dyn std::error::Error>> {
        let mut kept_manifests = chain.iter().filter(|manifest| store.has_segments(manifest));
        let manifest = kept_manifests
            .find(|manifest| manifest.generation == generation)
            .ok_or_else(|| {
                format!(
                    "generation {generation}: expected one whose snapshot is kept: {}",
                    kept()
                )
            })?;
        Ok(store.load_manifest(manifest, &options)?)
    };
    let current = chain.first().ok_or("the store has no snapshot")?;
    let base_before = || {
        let mut bases = chain
            .iter()
            .filter(|manifest| manifest.base == manifest.generation);
        bases
            .find(|manifest| manifest.generation < current.base)
            .map(|manifest| manifest.generation)
            .ok_or("there is no base before the current one; name a generation")
    };
    let before = args.before.map_or_else(base_before, Ok)?;
    let (before, after) = (
        load(before)?,
        load(args.after.unwrap_or(current.generation))?,
    );
    let diff = Diff::of(&before, &after, default_threads())?;
    let (from, to) = (before.generation(), after.generation());
    if args.json {
        let mut object = diff.json();
        object["before"] = from.into();
        object["after"] = to.into();
        return Ok(format!("{object}\n"));
    }
    Ok(format!("from generation {from} to {to}: {diff}"))
}
