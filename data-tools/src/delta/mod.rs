//! `sltd-data delta`: from lists of changes to a snapshot with them.
//!
//! [`delta`] is the work, and can be called without a command line; [`run`] is the command.

mod args;
mod offer;
mod read;
mod series;

pub use args::{DeltaArgs, run};
pub use series::{Series, deltas};

use crate::accounts::{Account, SourceAccounts};
use crate::build::Progress;
use crate::config::{Layout, SourceConfig, SourcesFile};
use crate::guards::{Accepted, Trip};
use crate::publish::{Holds, Offered, not_published};
use crate::sources::{self, ExpiredFile, SourceError};
use jiff::Timestamp;
use sltd::document::Exemption;
use sltd::report::Day;
use sltd::snapshot::{
    ChangeRows, Delta, LoadError, Manifest, PublishError, RowAccount, SourceEntry, Store, Terms,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What is changed, where, and with what.
#[derive(Debug, Clone)]
pub struct Changes<'a> {
    /// The lists of changes.
    pub sources: &'a SourcesFile,
    /// The store, which has a snapshot.
    pub store: &'a Path,
    /// On what terms it is read and published.
    pub terms: &'a Terms,
    /// Largest share of a source's rows that may be rejected, 0 to 1.
    pub max_rejects: f64,
    /// Bytes of rows to hold in memory at the most.
    pub memory: u64,
    /// Threads that parse and sort, at least one.
    pub threads: usize,
    /// The time, for the manifest; its day decides which reports have expired.
    pub now: Timestamp,
    /// Who publishes, for the history.
    pub by: &'a str,
    /// What may trip a guard.
    pub accepted: &'a Accepted,
    /// Where rows in force no longer are listed; `None`: they are counted only.
    pub expired: Option<&'a Path>,
}

/// Why changes were not published.
#[derive(Debug, thiserror::Error)]
pub enum DeltaFailure {
    /// There are no lists of changes in a layout.
    #[error(
        "source {name}: field layout: expected one that has lists of changes (sltd-csv, sltd-jsonl, sltd-parquet, \
         czechia), found {layout}"
    )]
    Layout {
        /// The source.
        name: String,
        /// Its layout.
        layout: &'static str,
    },
    /// A list could not be read to its end.
    #[error("source {name}: {source}; nothing was published")]
    Source {
        /// Its name.
        name: String,
        /// What is wrong.
        #[source]
        source: SourceError,
    },
    /// No list of changes could be used.
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
    /// A build has changed what the rows of a source are read by.
    #[error(
        "source {0}: a build has changed its placeholder exemptions while its changes were read; nothing was \
         published; run it again"
    )]
    Exemptions(String),
    /// The file of expired rows could not be written.
    #[error("{}: {error}; nothing was published", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// Rejects of earlier deltas could not be removed.
    #[error("{}: {error}; nothing was published", folder.display())]
    Rejects {
        /// Where they stand.
        folder: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// The noted rows of a source could not be written.
    #[error("source {name}: the noted rows can't be written: {error}; nothing was published")]
    Noted {
        /// The source.
        name: String,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
    /// Sources that the store does not know, or not as they are described.
    #[error(
        "refused, nothing was published:\n{}",
        .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    )]
    Unexpected(Vec<Trip>),
    /// The rows of a source do not add up: a defect of this program.
    #[error("source {name}: the accounts do not add up ({account}); nothing was published")]
    Account {
        /// The source.
        name: String,
        /// Its account.
        account: RowAccount,
    },
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] LoadError),
    /// The store could not be changed.
    #[error("{}", not_published(.0))]
    Publish(#[from] PublishError),
}

/// What became of changes.
#[derive(Debug, Clone)]
pub struct Changed {
    /// What became of them.
    pub offered: Offered,
    /// Documents reported before.
    pub documents_before: u64,
    /// What became of every row.
    pub accounts: SourceAccounts,
}

/// Whether the sources of changes are those that the store knows, in layouts that have changes.
fn check_sources(changes: &Changes<'_>, current: &Manifest) -> Result<(), DeltaFailure> {
    let sources = &changes.sources.sources;
    if let Some(source) = sources.iter().find(|source| !source.layout.has_changes()) {
        return Err(layout(source.layout, &source.name));
    }
    let unexpected = sources.iter();
    let unexpected = unexpected.filter_map(|source| unexpected_source(source, current));
    let (_, unexpected) = changes.accepted.part(unexpected.collect());
    match unexpected.is_empty() {
        true => Ok(()),
        false => Err(DeltaFailure::Unexpected(unexpected)),
    }
}

/// Reads all sources as changes and publishes a snapshot with them. `expired` lists rows in force no longer.
///
/// A build and other publications go on meanwhile: the right to change what is current is taken only to publish. If
/// something else was published since the snapshot was read, what becomes of the rows is found out again. Whatever
/// fails, the snapshot before stays current.
///
/// # Errors
/// [`DeltaFailure`]; where it is not certain that the snapshot before is current, that says so.
pub fn delta(
    changes: &Changes<'_>,
    expired: Option<&ExpiredFile>,
    progress: &dyn Progress,
) -> Result<Changed, DeltaFailure> {
    let mut delta = Store::open(changes.store)?
        .with_terms(changes.terms.clone())
        .delta()?;
    check_sources(changes, delta.snapshot().manifest())?;
    remove_old_rejects(changes, &delta)?;
    let rows = delta.rows(changes.memory, changes.threads);
    let read = read::read(changes, (&delta, &rows), expired, progress)?;
    loop {
        let attempt = publish(changes, &delta, &rows, read.clone());
        let Err(DeltaFailure::Publish(PublishError::Overtaken)) = attempt else {
            return attempt;
        };
        let names = || changes.sources.sources.iter().map(|source| &*source.name);
        let of_each = |delta: &Delta| names().map(|name| exemptions(delta, name)).collect();
        let before: Vec<Vec<Exemption>> = of_each(&delta);
        delta.renew()?;
        let now: Vec<Vec<Exemption>> = of_each(&delta);
        let other = names().zip(before.iter().zip(&now));
        if let Some((name, _)) = other.into_iter().find(|(_, (before, now))| before != now) {
            return Err(DeltaFailure::Exemptions(name.to_owned()));
        }
    }
}

/// Removes rejects of changes of sources that nobody knows any more, and what killed deltas have left.
fn remove_old_rejects(changes: &Changes<'_>, delta: &Delta) -> Result<(), DeltaFailure> {
    let folder = delta.rejects();
    let known = delta.snapshot().manifest().sources.iter();
    let known = known.filter(|source| !source.removed);
    let known = known.map(|source| &*source.name);
    let given = changes.sources.sources.iter().map(|source| &*source.name);
    sources::keep_changes_of(&folder, known.chain(given))
        .map_err(|error| DeltaFailure::Rejects { folder, error })
}

/// What the snapshot exempts from the placeholders of a source, which decides how its rows are read.
fn exemptions(delta: &Delta, source: &str) -> Vec<Exemption> {
    let known = delta.snapshot().manifest().sources.iter();
    let known = known.filter(|known| known.name == source);
    known.flat_map(SourceEntry::exemptions).collect()
}

/// Finds out what becomes of the rows that were read, and publishes them over the snapshot that is open.
fn publish(
    changes: &Changes<'_>,
    delta: &Delta,
    rows: &ChangeRows,
    read: read::Read,
) -> Result<Changed, DeltaFailure> {
    // What was asked over a snapshot that has been replaced does not count.
    let accepted = changes.accepted.anew();
    let changes = &Changes {
        accepted: &accepted,
        ..changes.clone()
    };
    check_sources(changes, delta.snapshot().manifest())?;
    let today = Day::from_timestamp(changes.now);
    let built = delta.build(rows, &changes.sources.directory(), today)?;
    let read::Read {
        mut accounts,
        sources,
        holds,
    } = read;
    accounts.complete_changes(&built);
    let rejects = delta.rejects();
    for (account, (source, read)) in accounts.sources.iter_mut().zip(&sources) {
        let noted = built.noted().iter();
        let noted = noted.filter(|row| row.source == source.name);
        let written = sources::write_noted(&rejects, source, read, noted);
        let path = written.map_err(|error| DeltaFailure::Noted {
            name: account.name.clone(),
            error,
        })?;
        account.noted = path.map(|path| path.display().to_string());
    }
    for source in &accounts.sources {
        if !source.rows.adds_up() {
            return Err(DeltaFailure::Account {
                name: source.name.clone(),
                account: source.rows,
            });
        }
    }
    let entries = accounts.sources.iter().map(Account::entry).collect();
    let documents_before = delta.snapshot().documents();
    let mut offered = offer::offer(delta, built, (entries, holds), changes)?;
    offered.tell_waivers(changes.accepted);
    accounts.hold(&offered, &[]);
    Ok(Changed {
        offered,
        documents_before,
        accounts,
    })
}

/// Whether a source of changes is not one that the store knows: its name may be mistyped, or its States.
fn unexpected_source(source: &SourceConfig, current: &Manifest) -> Option<Trip> {
    let mut known = current.sources.iter();
    let Some(known) = known.find(|known| known.name == source.name && !known.removed) else {
        return Some(Trip::UnknownSource {
            source: source.name.clone(),
        });
    };
    let given = source.owns.codes();
    let sorted = |codes: &[String]| codes.iter().cloned().collect::<BTreeSet<String>>();
    (sorted(&given) != sorted(&known.owns)).then(|| Trip::Owns {
        source: source.name.clone(),
        known: known.owns.clone(),
        given,
    })
}

fn layout(layout: Layout, name: &str) -> DeltaFailure {
    DeltaFailure::Layout {
        name: name.to_owned(),
        layout: layout.name(),
    }
}
