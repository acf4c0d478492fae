//! The command line of `sltd-data publish`, and what other commands have in common with it.

use super::{OfferError, Offered, Outcome, Policy, Who, by, not_published, offer};
use crate::command::{FAILED, HELD, LOCKED, REFUSED, WITHHELD, complain, print, unusable, warn};
use crate::config;
use crate::guards::{Acceptance, Accepted, Limits};
use crate::resources::ResourceArgs;
use crate::terms::TermsArgs;
use clap::Args;
use jiff::Timestamp;
use sltd::snapshot::{Act, PublishError, Store, StoreWriter};
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_CODES: &str = "\
Exit codes: 0 published, 2 wrong usage, 3 failed, 20 published with a source held, 21 refused by a
guard, 22 withheld by a pin, 23 another process is changing the store.";

/// Publish what was built and put aside
///
/// A build with --no-publish, or one that a pin has withheld, puts its base aside. This publishes it,
/// with the changes that were published meanwhile; guards are asked again. What was accepted when it
/// was built is accepted here. Where a source is held, all of it stays aside, to be published with
/// --accept. It is signed, and may be relied on for as long, as the build was told, unless it is said
/// otherwise here.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct PublishArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// The file that describes the lists; its table [guards] holds
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    accept: AcceptArgs,
    #[command(flatten)]
    who: Who,
    /// Print what was done as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    terms: TermsArgs,
}

/// What is accepted.
#[derive(Debug, Clone, Args)]
pub(crate) struct AcceptArgs {
    /// Let pass what a guard would stop, such as growth:GBR; the message of the guard names it, and
    /// the account names all that are needed
    #[arg(long = "accept", value_name = "WHAT")]
    accept: Vec<Acceptance>,
}

impl AcceptArgs {
    pub(crate) fn accepted(&self) -> Accepted {
        Accepted::new(self.accept.clone())
    }
}

/// Runs the command.
pub fn run(args: &PublishArgs) -> ExitCode {
    let limits = match args.sources.as_deref().map(config::load) {
        None => Limits::default(),
        Some(Ok(file)) => file.guards,
        Some(Err(error)) => {
            complain(&error);
            return ExitCode::from(crate::command::USAGE);
        }
    };
    let writer = match open(args) {
        Ok(writer) => writer,
        Err(code) => return code,
    };
    let by = by(&args.who);
    let (accepted, at) = (args.accept.accepted(), Timestamp::now());
    let accepted = match writer.accepted_aside() {
        Ok(kept) => accepted.with_kept(&kept),
        Err(error) => {
            complain(not_published(&error));
            return ExitCode::from(code_of_publish(&error));
        }
    };
    let policy = Policy {
        limits: &limits,
        accepted: &accepted,
        act: Act {
            at,
            by: &by,
            reason: "",
        },
        put_aside: false,
        compare: true,
        memory: args.resources.memory(),
        threads: args.resources.threads(),
    };
    match publish(args, &writer, &policy) {
        Ok(Some(offered)) => conclude(&offered, || {
            let object = offered.json();
            print(match args.json {
                true => format!("{object}\n"),
                false => offered.to_string(),
            })
        }),
        Ok(None) => {
            complain("nothing was put aside; `sltd-data build --no-publish` does it");
            ExitCode::from(FAILED)
        }
        Err(error) => {
            complain(&error);
            ExitCode::from(code_of(&error))
        }
    }
}

/// Takes the right to build, on the terms on which the base was put aside, but for what the command line says.
fn open(args: &PublishArgs) -> Result<StoreWriter, ExitCode> {
    let failed = |error: &PublishError| {
        complain(not_published(error));
        ExitCode::from(code_of_publish(error))
    };
    let writer = Store::writer(&args.store).map_err(|error| failed(&error))?;
    let aside = writer.terms_aside().map_err(|error| failed(&error))?;
    match args.terms.or(aside).read() {
        Ok(terms) => Ok(writer.with_terms(terms)),
        Err(error) => Err(unusable(error)),
    }
}

fn publish(
    args: &PublishArgs,
    writer: &StoreWriter,
    policy: &Policy<'_>,
) -> Result<Option<Offered>, OfferError> {
    writer.check(policy.act.at)?;
    let Some(candidate) = writer.take_up()? else {
        return Ok(None);
    };
    let json = args.json;
    let mut show = |diff: &crate::diff::Diff| {
        if !json {
            // A publish does not fail for want of a reader.
            let _ = print(diff);
        }
    };
    let mut offered = offer(
        writer,
        &candidate,
        super::Holds::default(),
        policy,
        &mut show,
    )?;
    if let Outcome::Published = offered.outcome {
        if !offered.holds.0.is_empty() {
            let kept = "what was put aside stays there, since not all of it was published";
            offered.warnings.push(kept.to_owned());
        } else if let Err(error) = writer.drop_aside() {
            let warning = format!("what was put aside could not be removed: {error}");
            offered.warnings.push(warning);
        }
    }
    Ok(Some(offered))
}

/// The exit code of what became of a base, after it was printed.
pub(crate) fn conclude(offered: &Offered, print: impl FnOnce() -> std::io::Result<()>) -> ExitCode {
    if let Err(error) = print() {
        let generation = offered.manifest.generation;
        complain(format_args!(
            "generation {generation}: what was done can't be printed: {error}"
        ));
        return ExitCode::from(FAILED);
    }
    for warning in &offered.warnings {
        warn(warning);
    }
    match offered.outcome {
        Outcome::Refused(_) => ExitCode::from(REFUSED),
        Outcome::Withheld(_) => ExitCode::from(WITHHELD),
        Outcome::Published | Outcome::PutAside if offered.is_complete() => ExitCode::SUCCESS,
        Outcome::Published | Outcome::PutAside => ExitCode::from(HELD),
    }
}

/// The exit code of an error.
pub(crate) fn code_of(error: &OfferError) -> u8 {
    match error {
        OfferError::Publish(error) => code_of_publish(error),
        OfferError::Compare(_) => FAILED,
    }
}

/// The exit code of an error of the store's.
pub(crate) fn code_of_publish(error: &PublishError) -> u8 {
    match error {
        PublishError::Locked(_) => LOCKED,
        PublishError::Pinned(_) => WITHHELD,
        PublishError::Untrusted(_)
        | PublishError::Signature(_)
        | PublishError::UnsignedOverSigned => REFUSED,
        _ => FAILED,
    }
}
