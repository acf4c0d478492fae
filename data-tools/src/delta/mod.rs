//! `sltd-data delta`: from lists of changes to a snapshot with them.
//!
//! [`delta`] is the work, and can be called without a command line; [`run`] is the command.

mod args;
mod series;

pub use args::{DeltaArgs, run};
pub use series::{Series, deltas};

use crate::accounts::SourceAccounts;
use crate::build::Progress;
use crate::config::{Layout, Purpose, SourceConfig, SourcesFile};
use crate::guards::{Accepted, Trip};
use crate::publish::{Holds, Offered, Outcome, kept_lists, not_published, refuse};
use crate::sources::{
    self, ExpiredFile, Fate, ReadOptions, Row, RowSink, SinkError, SourceAccount, SourceError,
    Watch, Withdrawal,
};
use jiff::Timestamp;
use sltd::report::Day;
use sltd::snapshot::{
    Act, Change, ChangeInserter, Delta, LoadError, Manifest, PublishError, RowAccount, RowPosition,
    SourceEntry, Store, Terms,
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
    /// The file of expired rows could not be written.
    #[error("{}: {error}; nothing was published", path.display())]
    Expired {
        /// The file.
        path: PathBuf,
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

/// Reads all sources as changes of the current snapshot and publishes a snapshot with them. `expired` lists rows in
/// force no longer.
///
/// Holds the right to change what is current from beginning to end; a build goes on meanwhile. Whatever fails,
/// the snapshot before stays current.
///
/// # Errors
/// [`DeltaFailure`]; where it is not certain that the snapshot before is current, that says so.
pub fn delta(
    changes: &Changes<'_>,
    expired: Option<&ExpiredFile>,
    progress: &dyn Progress,
) -> Result<Changed, DeltaFailure> {
    let delta = Store::open(changes.store)?
        .with_terms(changes.terms.clone())
        .delta()?;
    check_sources(changes, delta.snapshot().manifest())?;
    let rows = delta.rows(changes.memory, changes.threads);
    let rejects = delta.rejects();
    let options = ReadOptions {
        today: Day::from_timestamp(changes.now),
        threads: changes.threads,
        rejects: Some(&rejects),
        expired,
    };
    let mut accounts = SourceAccounts::default();
    let mut reads = Vec::new();
    for source in &changes.sources.sources {
        let failed = |error| DeltaFailure::Source {
            name: source.name.clone(),
            source: error,
        };
        // Fixed before the first row is read: each is held against what was said at other instants.
        let (as_of, told) = sources::as_of_with_warnings(source).map_err(failed)?;
        sources::not_in_the_future(as_of, changes.now).map_err(failed)?;
        let mut known = delta.snapshot().manifest().sources.iter();
        let known = known.find(|known| known.name == source.name);
        // What its list exempts need not be said again: a number that was reported can be withdrawn.
        let exempt = known.into_iter().flat_map(SourceEntry::exemptions);
        let source = SourceConfig {
            purpose: Purpose::Changes,
            as_of: Some(as_of),
            placeholders: source.placeholders.clone().exempt(exempt),
            ..source.clone()
        };
        let sink = |_| Sink {
            inserter: Some(rows.inserter()),
            source: &source.name,
            as_of,
            position: RowPosition::default(),
        };
        let report = |read| progress.reading(&source.name, read);
        let watch = Watch {
            on_stuck: &|error| progress.stuck(&source.name, error),
            ..Watch::default()
        };
        let mut read = sources::read_source_watched(&source, &options, watch, &sink, &report)
            .map_err(failed)?;
        // The instant is given to the reading, so that it does not say any more where it comes from.
        let unsaid = told.iter().filter(|said| !read.warnings.contains(said));
        let unsaid: Vec<_> = unsaid.cloned().collect();
        read.warnings.splice(0..0, unsaid);
        if is_useless(&read) {
            read.warnings.push(format!(
                "none of its {} rows can be used: nothing of it counts",
                read.rows_read
            ));
        }
        accounts.push(&source, read.clone());
        reads.push((source, read));
    }
    let built = delta.build(rows, &changes.sources.directory(), options.today)?;
    accounts.complete_changes(&built);
    for (account, (source, read)) in accounts.sources.iter_mut().zip(&reads) {
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
    // What says nothing makes no source younger.
    let useful = accounts.sources.iter().zip(&reads);
    let useful = useful.filter(|(_, (_, read))| !is_useless(read));
    let entries: Vec<SourceEntry> = useful.map(|(account, _)| account.entry()).collect();
    let documents_before = delta.snapshot().documents();
    let mut offered = offer(&delta, built, entries, changes)?;
    offered.tell_waivers(changes.accepted);
    accounts.hold(&offered, &[]);
    Ok(Changed {
        offered,
        documents_before,
        accounts,
    })
}

/// Whether a list of changes has rows, and none that can be used.
fn is_useless(read: &SourceAccount) -> bool {
    read.rows_read > 0 && read.rejected == read.rows_read
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

/// Publishes the changes of all sources that trip no guard.
fn offer(
    delta: &Delta,
    built: sltd::snapshot::Changes,
    mut entries: Vec<SourceEntry>,
    changes: &Changes<'_>,
) -> Result<Offered, PublishError> {
    let limits = &changes.sources.guards;
    let act = Act {
        at: changes.now,
        by: changes.by,
        reason: "",
    };
    let mut draft = delta.draft(&built, &entries, act)?;
    let names = entries.iter().map(|entry| entry.name.as_str()).collect();
    let withdrawn = built.withdrawn();
    let mut trips = limits.of_sources(&draft, &names, Some(&withdrawn));
    trips.extend(limits.withdrawals(&draft, &withdrawn));
    let (mut accepted, tripped) = changes.accepted.part(trips);
    let mut holds = Holds::default();
    if !tripped.is_empty()
        && let Some(overall) = limits.overall(&draft)
    {
        // Were all of it accepted, this would be asked for next: it is told at once.
        changes.accepted.lets_pass(&overall);
    }
    for trip in &tripped {
        holds.add(trip.source().unwrap_or_default(), trip);
    }
    if !tripped.is_empty() {
        let held = holds.names();
        entries.retain(|entry| !held.contains(&entry.name));
        if entries.is_empty() {
            return refuse(draft, tripped, holds, accepted, act);
        }
        drop(draft);
        draft = delta.draft(&delta.without(&built, &held)?, &entries, act)?;
    }
    let overall = limits.overall(&draft);
    if let Some(overall) = &overall {
        if !changes.accepted.lets_pass(overall) {
            return refuse(draft, vec![overall.clone()], holds, accepted, act);
        }
        accepted.push(overall.clone());
    }
    if !accepted.is_empty() {
        let which = |source: &str, state: &str| {
            accepted.iter().any(|trip| {
                let of_state = trip.issuing_state().is_none_or(|of_trip| of_trip == state);
                trip.source() == Some(source) && of_state
            })
        };
        draft.accept(which, overall.is_some());
    }
    let mut notes: Vec<String> = holds.sentences().collect();
    notes.extend(accepted.iter().map(|trip| format!("accepted: {trip}")));
    let mut offered = Offered {
        outcome: Outcome::Published,
        manifest: draft.manifest().clone(),
        figures: draft.figures(),
        holds,
        kept: kept_lists(draft.manifest()),
        unchanged: false,
        accepted,
        diff: None,
        lost: Vec::new(),
        needed: Vec::new(),
        warnings: Vec::new(),
    };
    offered.warn(&draft.publish(notes)?);
    Ok(offered)
}

fn layout(layout: Layout, name: &str) -> DeltaFailure {
    DeltaFailure::Layout {
        name: name.to_owned(),
        layout: layout.name(),
    }
}

/// Hands rows over with their positions.
struct Sink<'b> {
    inserter: Option<ChangeInserter<'b>>,
    source: &'b str,
    as_of: Timestamp,
    position: RowPosition,
}

impl Sink<'_> {
    fn insert(&mut self, change: &Change<'_>) -> Fate {
        if let Some(inserter) = &mut self.inserter {
            inserter.insert(self.as_of, self.position, change);
        }
        Fate::Taken
    }
}

impl RowSink for Sink<'_> {
    fn set_position(&mut self, position: RowPosition) {
        self.position = position;
    }

    fn row(&mut self, row: &Row<'_>) -> Result<Fate, SinkError> {
        let row = row.of_source(self.source).map_err(SinkError::of)?;
        Ok(self.insert(&Change::Add(row)))
    }

    fn expired(&mut self, row: &Row<'_>) -> Result<(), SinkError> {
        let row = row.of_source(self.source).map_err(SinkError::of)?;
        self.insert(&Change::AddExpired(row));
        Ok(())
    }

    fn withdraw(&mut self, withdrawal: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        let row = withdrawal.of_source(self.source).map_err(SinkError::of)?;
        Ok(self.insert(&Change::Withdraw(row)))
    }

    fn unwithdraw(&mut self, withdrawal: &Withdrawal<'_>) -> Result<Fate, SinkError> {
        let row = withdrawal.of_source(self.source).map_err(SinkError::of)?;
        Ok(self.insert(&Change::Unwithdraw(row)))
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        if let Some(inserter) = self.inserter.take() {
            inserter.finish();
        }
        Ok(())
    }
}
