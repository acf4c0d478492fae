//! `sltd-data retract`.

use super::{Doing, EXIT_CODES, parse_reason, publish_unless};
use crate::guards::Trip;
use crate::publish::{AcceptArgs, Who};
use crate::terms::TermsArgs;
use clap::Args;
use sltd::snapshot::Draft;
use std::path::PathBuf;
use std::process::ExitCode;

/// Take a whole source out of service at once, or into it again
///
/// Nothing that the source says counts any more, neither reports nor withdrawals, until the same
/// command with --lift. Its lists and changes go on being taken in meanwhile. Coverage says SUSPENDED
/// of its States. The last source in service goes only with --accept overall.
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
    accept: AcceptArgs,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// Runs the command.
pub fn run(args: &RetractArgs) -> ExitCode {
    let accepted = args.accept.accepted();
    let what = match args.lift {
        true => "in service again",
        false => "out of service",
    };
    publish_unless(
        &args.store,
        &Doing {
            who: &args.who,
            reason: &args.reason,
            note: Some(format!("source {} is {what}", args.source)),
        },
        &args.terms,
        |store, act| match args.lift {
            true => store.lift(&args.source, act),
            false => store.retract(&args.source, act),
        },
        |draft| {
            let last = last_in_service(draft).filter(|_| !args.lift);
            last.filter(|last| !accepted.lets_pass(last))
        },
    )
}

/// That nothing is left in service.
fn last_in_service(draft: &Draft) -> Option<Trip> {
    let manifest = draft.manifest();
    let mut sources = manifest.sources.iter();
    if sources.any(|source| !source.removed && !manifest.is_retracted(&source.name)) {
        return None;
    }
    Some(Trip::LastSource {
        before: draft.before().map_or(0, |before| before.documents),
    })
}
