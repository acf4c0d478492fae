//! `sltd-data build`: from lists to a published snapshot.
//!
//! [`build`] is the work, and can be called without a command line; [`run`] is the command.

mod args;
mod lists;
mod progress;
mod usable;

pub(crate) use args::report;
pub use args::{BuildArgs, run};
pub use progress::{Progress, Shown, Silent};

use crate::accounts::SourceAccounts;
use crate::config::SourcesFile;
use crate::diff::Diff;
use crate::guards::Accepted;
use crate::publish::{Holds, OfferError, Offered, Policy, not_published, offer};
use crate::sources::SourceError;
use jiff::Timestamp;
use sltd::index::BuildError;
use sltd::report::Day;
use sltd::snapshot::{Act, PublishError, RowAccount, Store, StoreWriter, Terms};
use std::path::{Path, PathBuf};

/// What is built, where to, and with what.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// The lists.
    pub sources: &'a SourcesFile,
    /// The store; made if it does not exist.
    pub store: &'a Path,
    /// On what terms it is read and published.
    pub terms: &'a Terms,
    /// Bytes of rows to hold in memory at the most.
    pub memory: u64,
    /// Threads that parse and sort, at least one.
    pub threads: usize,
    /// The day whose end decides which reports have expired.
    pub as_of: Day,
    /// The time of the build, for the manifest.
    pub built_at: Timestamp,
    /// Largest share of a source's rows that may be rejected, 0 to 1.
    pub max_rejects: f64,
    /// Who builds, for the history.
    pub by: &'a str,
    /// What may trip a guard.
    pub accepted: &'a Accepted,
    /// Whether the base is only put aside, to be published later.
    pub put_aside: bool,
    /// Whether it is compared with what is current.
    pub compare: bool,
    /// Bases to keep from then on; `None`: as many as before.
    pub bases_kept: Option<u32>,
    /// Where rows in force no longer are listed; `None`: they are counted only.
    pub expired: Option<&'a Path>,
}

/// Why a base was not built, or not published.
#[derive(Debug, thiserror::Error)]
pub enum BuildFailure {
    /// A list could not be read to its end.
    #[error("source {name}: {source}; nothing was published")]
    Source {
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        source: SourceError,
    },
    /// A supplier's folder can't be fetched from, and no source is known that has its lists there.
    #[error("{}: {error}; no source has its lists in {}; nothing was published", path.display(), to.display())]
    Fetch {
        /// The file or folder.
        path: PathBuf,
        /// Where its files were to be put.
        to: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// No list could be used.
    #[error(
        "no list could be used; nothing was published:\n{}",
        .0.sentences().collect::<Vec<_>>().join("\n")
    )]
    NothingRead(Holds),
    /// Too many rows of a required list can't be used.
    #[error(
        "source {name}: {why}; it is required, so nothing was published{}",
        file.as_ref().map(|file| format!("; the rows are in {}", file.display())).unwrap_or_default()
    )]
    TooManyRejects {
        /// The source.
        name: String,
        /// How many were rejected, and how many may be.
        why: String,
        /// Where the rows are.
        file: Option<PathBuf>,
    },
    /// The file of expired rows could not be written.
    #[error("{}: {error}; nothing was published", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// Rejects of earlier builds could not be removed.
    #[error("{}: {error}; nothing was published", folder.display())]
    Rejects {
        /// Where they stand.
        folder: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// The rows of a source do not add up: a defect of this program.
    #[error("source {name}: the accounts do not add up ({account}); nothing was published")]
    Account {
        /// The source.
        name: String,
        /// Its account.
        account: RowAccount,
    },
    /// The segment could not be built.
    #[error("{0}; nothing was published")]
    Build(#[from] BuildError),
    /// The store could not be changed.
    #[error("{}", not_published(.0))]
    Publish(#[from] PublishError),
    /// The base could not be offered.
    #[error(transparent)]
    Offer(#[from] OfferError),
}

/// What a build came to.
#[derive(Debug, Clone)]
pub struct Built {
    /// What became of the base.
    pub offered: Offered,
    /// What became of every row.
    pub accounts: SourceAccounts,
}

/// Reads all sources, builds a segment of them, verifies it and, if no guard and no pin stands against it, makes it the
/// base of the current snapshot.
///
/// Holds the right to build from beginning to end; deltas go on. Whatever fails, the snapshot before stays current.
/// `show` is told what is different from that, before anything is published.
///
/// # Errors
/// [`BuildFailure`]; where it is not certain that the snapshot before is current, that says so.
pub fn build(
    build: &Build<'_>,
    progress: &dyn Progress,
    show: &mut dyn FnMut(&Diff),
) -> Result<Built, BuildFailure> {
    let writer = Store::writer(build.store)?.with_terms(build.terms.clone());
    build_with(&writer, &Holds::default(), build, progress, show)
}

/// The same for who has the right to build already. The sources of `unfetched` are held, and not read.
pub(crate) fn build_with(
    writer: &StoreWriter,
    unfetched: &Holds,
    build: &Build<'_>,
    progress: &dyn Progress,
    show: &mut dyn FnMut(&Diff),
) -> Result<Built, BuildFailure> {
    if !build.put_aside {
        // Better known now than after the work.
        writer.check(build.built_at)?;
    }
    let lists::Read {
        candidate,
        mut accounts,
        holds,
        damage,
    } = lists::read(build, writer, unfetched, progress)?;
    let policy = Policy {
        limits: &build.sources.guards,
        accepted: build.accepted,
        act: Act {
            // A build takes a while, and what is published is published now.
            at: build.built_at.max(Timestamp::now()),
            by: build.by,
            reason: "",
        },
        put_aside: build.put_aside,
        compare: build.compare,
        memory: build.memory,
        threads: build.threads,
    };
    let mut offered = offer(writer, &candidate, holds, &policy, show)?;
    if let Some(damage) = damage {
        let warning = format!("the base that was current is damaged: {damage}");
        offered.warnings.push(warning);
    }
    accounts.hold(&offered, &offered.kept);
    Ok(Built { offered, accounts })
}
