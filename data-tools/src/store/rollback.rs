//! `sltd-data rollback` and `sltd-data unpin`.

use super::{Doing, EXIT_CODES, parse_reason, publish};
use crate::publish::Who;
use crate::terms::TermsArgs;
use clap::Args;
use sltd::snapshot::Rollback;
use std::path::PathBuf;
use std::process::ExitCode;

/// Publish an earlier base again, and pin it
///
/// All changes that the lists of that base do not know are applied to it, also those published since;
/// newer full lists are not. Until `sltd-data unpin`, deltas go on and builds are withheld. The base
/// that is gone back from counts as undone: without --to, none is gone back to twice. Changes whose
/// files are damaged, and which no later snapshot holds, are named (exit code 20).
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RollbackArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// The generation that published the base [default: the base before the current one]
    #[arg(long, value_name = "GENERATION")]
    to: Option<u64>,
    /// Leave out all changes and kept withdrawals, those published before that base too, for good; says how many
    #[arg(long)]
    without_deltas: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Let builds replace the base again that a rollback has pinned
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct UnpinArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: Option<String>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Runs `rollback`.
pub fn roll_back(args: &RollbackArgs) -> ExitCode {
    let rollback = Rollback {
        to: args.to,
        with_changes: !args.without_deltas,
    };
    publish(
        &args.store,
        &Doing {
            who: &args.who,
            reason: &args.reason,
            note: None,
        },
        &args.terms,
        |store, act| store.roll_back(rollback, act),
    )
}

/// Runs `unpin`.
pub fn unpin(args: &UnpinArgs) -> ExitCode {
    let reason = args.reason.as_deref().unwrap_or_default();
    publish(
        &args.store,
        &Doing {
            who: &args.who,
            reason,
            note: None,
        },
        &args.terms,
        |store, act| store.unpin(act),
    )
}
