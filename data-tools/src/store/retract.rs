//! `sltd-data retract`.

use super::{EXIT_CODES, parse_reason, publish};
use crate::publish::Who;
use crate::terms::TermsArgs;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take a whole source out of service at once, or into it again
///
/// Nothing that the source says counts any more, neither reports nor withdrawals, until the same
/// command with --lift. Its lists and changes go on being taken in meanwhile.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct RetractArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// The source
    #[arg(long, value_name = "NAME")]
    source: String,
    /// Take it into service again
    #[arg(long)]
    lift: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Runs the command.
pub fn run(args: &RetractArgs) -> ExitCode {
    publish(
        &args.store,
        (&args.who, &args.reason),
        &args.terms,
        |store, act| match args.lift {
            true => store.lift(&args.source, act),
            false => store.retract(&args.source, act),
        },
    )
}
