//! `sltd-data prune`.

use crate::command::{FAILED, complain, print};
use crate::publish::code_of_publish;
use clap::Args;
use sltd::snapshot::{PublishError, Store, Unneeded};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Remove what is not needed to go back to the last bases
///
/// Every publish does this by itself, for as many bases as the store keeps (see `sltd-data build
/// --keep`). What a build or publish has left that was killed goes too. What a server on this machine has open stays until it lets go.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 done, 2 wrong usage, 3 failed, 23 another process is changing the store."
)]
pub struct PruneArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Bases to keep, with the changes since [default: as many as the store keeps]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    keep: Option<u32>,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
pub fn run(args: &PruneArgs) -> ExitCode {
    let pruned = prune(args).map(|unneeded| print(shown(&unneeded, args.dry_run)));
    match pruned {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            complain(format_args!("what was done can't be printed: {error}"));
            ExitCode::from(FAILED)
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(code_of_publish(&error))
        }
    }
}

fn prune(args: &PruneArgs) -> Result<Unneeded, PublishError> {
    let store = Store::open(&args.store)?;
    let kept = match args.keep {
        Some(keep) => keep,
        None => store.manifest(&store.pointer()?)?.bases_kept,
    };
    match args.dry_run {
        true => Ok(store.unneeded(kept)?),
        false => store.prune(kept),
    }
}

fn shown(unneeded: &Unneeded, dry_run: bool) -> String {
    let mut text = String::new();
    let removed = if dry_run {
        "would be removed"
    } else {
        "removed"
    };
    let (mut files, mut total) = (0, 0);
    // Writing to a string can't fail.
    for (path, bytes) in &unneeded.files {
        let _ = writeln!(text, "{removed}: {} ({bytes} bytes)", path.display());
        files += 1;
        total += bytes;
    }
    for (path, bytes) in &unneeded.in_use {
        let _ = writeln!(text, "in use, kept: {} ({bytes} bytes)", path.display());
    }
    let _ = writeln!(text, "{files} files, {total} bytes {removed}");
    text
}
