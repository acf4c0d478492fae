//! `sltd-data compact`.

use super::{EXIT_CODES, failed, report_published};
use crate::command::{FAILED, complain, print, unusable};
use crate::publish::{Who, by};
use crate::resources::ResourceArgs;
use crate::terms::TermsArgs;
use clap::Args;
use jiff::Timestamp;
use sltd::index::BuildOptions;
use sltd::snapshot::{Act, PublishError, Published, Store, Terms};
use std::path::PathBuf;
use std::process::ExitCode;

/// Fold the changes that were published since into the base
///
/// A check then has one segment to ask. Nothing that is reported changes; later lists and changes
/// count as they would have. Deltas go on meanwhile, builds don't.
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct CompactArgs {
    /// The store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    #[command(flatten)]
    resources: ResourceArgs,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    terms: TermsArgs,
}

/// What came of it.
enum Compaction {
    Published(Box<Published>),
    NothingToDo,
    Overtaken,
}

/// Runs the command.
pub fn run(args: &CompactArgs) -> ExitCode {
    let terms = match args.terms.read() {
        Ok(terms) => terms,
        Err(error) => return unusable(error),
    };
    match compact(args, terms) {
        Ok(Compaction::Published(published)) => report_published(&published, &[]),
        Ok(Compaction::NothingToDo) => {
            // Who can't read this has lost nothing.
            let _ = print("the base has no changes beside it\n");
            ExitCode::SUCCESS
        }
        Ok(Compaction::Overtaken) => {
            complain(
                "what was compacted has been replaced meanwhile; nothing was published: compact again",
            );
            ExitCode::from(FAILED)
        }
        Err(error) => failed(&error),
    }
}

fn compact(args: &CompactArgs, terms: Terms) -> Result<Compaction, PublishError> {
    // Not made here if it does not exist.
    let path = Store::open(&args.store)?.path().to_owned();
    let writer = Store::writer(path)?.with_terms(terms);
    let now = Timestamp::now();
    writer.check(now)?;
    let options = BuildOptions {
        memory: args.resources.memory(),
        threads: args.resources.threads(),
        scratch: writer.building(),
    };
    let Some(compacted) = writer.compact(options)? else {
        return Ok(Compaction::NothingToDo);
    };
    let by = by(&args.who);
    let act = Act {
        at: now,
        by: &by,
        reason: "",
    };
    match writer.draft_compacted(&compacted, act)? {
        None => Ok(Compaction::Overtaken),
        Some(draft) => Ok(Compaction::Published(Box::new(draft.publish(Vec::new())?))),
    }
}
