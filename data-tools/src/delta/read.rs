//! Reading all lists of changes.

use super::{Changes, DeltaFailure};
use crate::accounts::SourceAccounts;
use crate::build::Progress;
use crate::config::{Purpose, SourceConfig};
use crate::publish::Holds;
use crate::sources::{
    self, ExpiredFile, Fate, Files, ReadOptions, Row, RowSink, SinkError, SourceAccount, Watch,
    Withdrawal,
};
use crate::usable::too_many_rejects;
use jiff::Timestamp;
use sltd::report::Day;
use sltd::snapshot::{Change, ChangeInserter, ChangeRows, Delta, RowPosition, SourceEntry};

/// All lists of changes, read.
#[derive(Debug, Clone)]
pub(super) struct Read {
    pub(super) accounts: SourceAccounts,
    /// As each was read, with what became of its rows, in the order of the accounts.
    pub(super) sources: Vec<(SourceConfig, SourceAccount)>,
    /// The sources of whose rows too many can't be used.
    pub(super) holds: Holds,
}

/// Reads all sources.
///
/// # Errors
/// [`DeltaFailure`] when a list can't be read to its end, or none can be used.
pub(super) fn read(
    changes: &Changes<'_>,
    (delta, rows): (&Delta, &ChangeRows),
    expired: Option<&ExpiredFile>,
    progress: &dyn Progress,
) -> Result<Read, DeltaFailure> {
    let rejects = delta.rejects();
    let options = ReadOptions {
        today: Day::from_timestamp(changes.now),
        threads: changes.threads,
        rejects: Some(&rejects),
        expired,
    };
    let mut all = Read {
        accounts: SourceAccounts::default(),
        sources: Vec::new(),
        holds: Holds::default(),
    };
    for source in &changes.sources.sources {
        let failed = |error| DeltaFailure::Source {
            name: source.name.clone(),
            source: error,
        };
        // Fixed before the first row is read: each is held against what was said at other instants.
        let files = Files::from_source(source).map_err(failed)?;
        let as_of = files.as_of(source).map_err(failed)?;
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
        let read = sources::read_files(&source, files, &options, watch, &sink, &report);
        let read = read.map_err(failed)?;
        if let Some(why) = too_many_rejects(changes.max_rejects, &read) {
            if source.required {
                return Err(DeltaFailure::TooManyRejects {
                    name: source.name,
                    why,
                    file: read.rejects_file,
                });
            }
            all.holds.add(&source.name, why);
        }
        all.accounts.push(&source, read.clone());
        all.sources.push((source, read));
    }
    if !all.sources.is_empty() && all.holds.0.len() == all.sources.len() {
        return Err(DeltaFailure::NothingRead(all.holds));
    }
    Ok(all)
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
