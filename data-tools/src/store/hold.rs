//! `sltd-data hold` and `sltd-data unhold`.

use super::{Doing, EXIT_CODES, parse_reason, publish};
use crate::publish::Who;
use crate::terms::TermsArgs;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Keep a source at the list that it has
///
/// Builds go on and keep what the source's last good list reports, whatever list comes, until
/// `sltd-data unhold`; its deltas count as before. A build ends with 0 all the same. `sltd-data
/// inspect`, the accounts of every build, `sltd status` and an alert say that it lasts.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct HoldArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// The source
    #[arg(long, value_name = "NAME")]
    source: String,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: String,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Take lists of a source again that was held
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct UnholdArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// The source
    #[arg(long, value_name = "NAME")]
    source: String,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", value_parser = parse_reason)]
    reason: Option<String>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Runs `hold`.
pub fn hold(args: &HoldArgs) -> ExitCode {
    publish(
        &args.store,
        &Doing {
            who: &args.who,
            reason: &args.reason,
            note: Some(format!(
                "source {} is kept at the list that it has",
                args.source
            )),
        },
        &args.terms,
        |store, act| store.hold(&args.source, act),
    )
}

/// Runs `unhold`.
pub fn unhold(args: &UnholdArgs) -> ExitCode {
    let reason = args.reason.as_deref().unwrap_or_default();
    publish(
        &args.store,
        &Doing {
            who: &args.who,
            reason,
            note: Some(format!("lists of source {} are taken again", args.source)),
        },
        &args.terms,
        |store, act| store.unhold(&args.source, act),
    )
}
