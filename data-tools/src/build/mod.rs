//! `sltd-data build`: from lists to a published snapshot.
//!
//! [`build`] is the work, and can be called without a command line; [`run`] is the command.

mod args;
mod progress;

pub(crate) use args::parse_size;
pub use args::{BuildArgs, run};
pub use progress::{Progress, Shown, Silent};

use crate::accounts::{Account, SourceAccounts};
use crate::config::SourcesFile;
use crate::sources::{self, Fate, ReadOptions, Row, RowSink, SinkError, SourceError};
use jiff::Timestamp;
use sltd::index::{BuildError, BuildOptions, Inserter, LoadMode, Segment, SegmentBuilder};
use sltd::report::Day;
use sltd::snapshot::{Manifest, Publication, PublishError, RowAccount, SourceEntry, Store};
use std::path::{Path, PathBuf};

/// Below so many rows the share of rejects says nothing.
const REJECTS_ROWS_MIN: u64 = 1000;

/// What is built, where to, and with what.
#[derive(Debug, Clone)]
pub struct Build<'a> {
    /// The lists.
    pub sources: &'a SourcesFile,
    /// The store; made if it does not exist.
    pub store: &'a Path,
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
}

/// Why nothing was published.
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
    /// Too many rows of a list can't be used.
    #[error(
        "source {name}: {rejected} of {read} rows were rejected, more than the share of {limit} that --max-rejects \
         allows; nothing was published; the rows stand in {file}", file = file.display()
    )]
    TooManyRejects {
        /// The source.
        name: String,
        /// Rows read.
        read: u64,
        /// Rows rejected.
        rejected: u64,
        /// The share allowed.
        limit: f64,
        /// Where the rows stand.
        file: PathBuf,
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
    #[error("source {name}: the accounts do not add up ({account:?}); nothing was published")]
    Account {
        /// The source.
        name: String,
        /// Its account.
        account: RowAccount,
    },
    /// The segment could not be built.
    #[error("{0}; nothing was published")]
    Build(#[from] BuildError),
    /// What was written is not what is read back.
    #[error("the segment just built can't be read back: {0}; nothing was published")]
    Verify(#[from] sltd::index::OpenError),
    /// The store could not be changed.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// What was published.
#[derive(Debug, Clone)]
pub struct Built {
    /// The new snapshot.
    pub manifest: Manifest,
    /// What became of every row.
    pub accounts: SourceAccounts,
}

/// Reads all sources, builds a segment of them, verifies it and makes it the current snapshot.
///
/// Holds the store's lock from beginning to end. Whatever fails, the snapshot before stays current.
///
/// # Errors
/// [`BuildFailure`].
pub fn build(build: &Build<'_>, progress: &dyn Progress) -> Result<Built, BuildFailure> {
    let writer = Store::writer(build.store)?;
    // Better known now than after the work.
    writer.previous()?;
    let scratch = writer.building();
    let options = BuildOptions {
        memory: build.memory,
        threads: build.threads,
        scratch: scratch.clone(),
    };
    let builder = SegmentBuilder::new(options);
    let mut accounts = SourceAccounts::default();
    let rejects = writer.rejects();
    let options = ReadOptions {
        today: build.as_of,
        threads: build.threads,
        rejects: Some(&rejects),
    };
    for source in &build.sources.sources {
        let sink = |_| Sink {
            inserter: Some(builder.inserter()),
            source: &source.name,
        };
        let report = |read| progress.reading(&source.name, read);
        let read = sources::read_source(source, &options, &sink, &report).map_err(|error| {
            BuildFailure::Source {
                name: source.name.clone(),
                source: error,
            }
        })?;
        if read.rows_read >= REJECTS_ROWS_MIN
            && read.rejected as f64 > build.max_rejects * read.rows_read as f64
        {
            return Err(BuildFailure::TooManyRejects {
                name: source.name.clone(),
                read: read.rows_read,
                rejected: read.rejected,
                limit: build.max_rejects,
                file: read.rejects_file.unwrap_or(rejects),
            });
        }
        accounts.push(source, read);
    }
    let names = build.sources.sources.iter().map(|source| &*source.name);
    sources::keep_rejects_of(&rejects, names).map_err(|error| BuildFailure::Rejects {
        folder: rejects.clone(),
        error,
    })?;

    let authorities = build.sources.directory();
    let segment = scratch.join("segment");
    let summary = builder.finish(&segment, &authorities, |step, share| {
        progress.building(step, share)
    })?;
    accounts.complete(&summary);
    for source in &accounts.sources {
        if !source.rows.adds_up() {
            return Err(BuildFailure::Account {
                name: source.name.clone(),
                account: source.rows,
            });
        }
    }
    // What is published has been read back from the disk, all of it.
    drop(Segment::open(&segment, LoadMode::Mmap)?);
    let publication = Publication {
        segment: &segment,
        summary: &summary,
        sources: accounts
            .sources
            .iter()
            .map(Account::entry)
            .collect::<Vec<SourceEntry>>(),
        as_of: build.as_of,
        built_at: build.built_at,
        by: build.by,
    };
    let manifest = writer.publish(&publication)?;
    Ok(Built { manifest, accounts })
}

/// Hands rows to the segment builder.
struct Sink<'b> {
    inserter: Option<Inserter<'b>>,
    source: &'b str,
}

impl RowSink for Sink<'_> {
    fn row(&mut self, row: &Row<'_>) -> Result<Fate, SinkError> {
        let Some(inserter) = &mut self.inserter else {
            return Ok(Fate::Taken);
        };
        let row = row.of_source(self.source).map_err(SinkError::of)?;
        inserter.insert(&row).map_err(SinkError::of)?;
        Ok(Fate::Taken)
    }

    fn finish(&mut self) -> Result<(), SinkError> {
        self.inserter
            .take()
            .map_or(Ok(()), |inserter| inserter.finish().map_err(SinkError::of))
    }
}
