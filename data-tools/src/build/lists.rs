//! Reading all lists into one segment; sources whose list does not come keep what they reported before.

use super::usable::unusable;
use super::{Build, BuildFailure, Progress};
use crate::accounts::SourceAccounts;
use crate::config::SourceConfig;
use crate::guards::Trip;
use crate::publish::Holds;
use crate::sources::{
    self, Delivery, ExpiredFile, Fate, ReadOptions, Row, RowSink, SinkError, SourceError, Watch,
};
use jiff::Timestamp;
use sltd::index::{BuildOptions, Inserter, SegmentBuilder};
use sltd::snapshot::{Candidate, CurrentBase, Origin, RowAccount, SourceEntry, StoreWriter};
use std::collections::BTreeSet;
use std::path::Path;

/// All lists, read.
pub(super) struct Read {
    pub(super) candidate: Candidate,
    pub(super) accounts: SourceAccounts,
    pub(super) holds: Holds,
    /// What is wrong with the base that is replaced.
    pub(super) damage: Option<String>,
}

/// What is done with a source.
enum Plan {
    /// Its files can't be looked at.
    Fail(SourceError),
    Read(Box<Listed>),
    /// A guard holds it.
    Hold(Vec<String>),
    /// An operator keeps it at the list that it has.
    Keep,
}

/// A list that is read.
struct Listed {
    /// The instant that it describes.
    as_of: Timestamp,
    /// The instant from which its age counts.
    delivered: Timestamp,
    delivery: Delivery,
}

/// Reads all sources and builds a segment of them.
pub(super) fn read(
    build: &Build<'_>,
    writer: &StoreWriter,
    unfetched: &Holds,
    progress: &dyn Progress,
) -> Result<Read, BuildFailure> {
    let current = writer.current()?;
    let options = BuildOptions {
        memory: build.memory,
        threads: build.threads,
        scratch: writer.building(),
    };
    let builder = SegmentBuilder::new(options.clone());
    let mut accounts = SourceAccounts::default();
    let mut holds = Holds::default();
    // Those of which a part was read before that failed.
    let mut read_in_part = BTreeSet::new();
    let figures = current
        .as_ref()
        .map(CurrentBase::figures)
        .unwrap_or_default();
    // Whether the rows of a list that is held could be used.
    let mut some_rows = false;
    let rejects = writer.rejects();
    let expired_failed = |error| BuildFailure::Expired {
        path: build.expired.unwrap_or(Path::new("")).to_owned(),
        error,
    };
    let expired = build
        .expired
        .map(ExpiredFile::new)
        .transpose()
        .map_err(expired_failed)?;
    let read_options = ReadOptions {
        today: build.as_of,
        threads: build.threads,
        rejects: Some(&rejects),
        expired: expired.as_ref(),
    };
    let mut kept = BTreeSet::new();
    for source in &build.sources.sources {
        let by_operator = current
            .as_ref()
            .is_some_and(|current| current.manifest.operators_hold(&source.name).is_some());
        if let Some(why) = unfetched.0.get(&source.name).filter(|_| !by_operator) {
            if source.required {
                let error = SourceError::NotFetched(why.join("; "));
                return Err(BuildFailure::source(source, error));
            }
            why.iter().for_each(|why| holds.add(&source.name, why));
            accounts.push_unread(source, build.built_at);
            continue;
        }
        let listed = match plan(build, source, current.as_ref())? {
            Plan::Fail(error) => Err(error),
            Plan::Read(listed) => Ok(listed),
            Plan::Hold(why) => {
                why.iter().for_each(|why| holds.add(&source.name, why));
                accounts.push_unread(source, build.built_at);
                continue;
            }
            Plan::Keep => {
                kept.insert(source.name.clone());
                accounts.push_unread(source, build.built_at);
                continue;
            }
        };
        let source = &SourceConfig {
            as_of: listed
                .as_ref()
                .map_or(source.as_of, |listed| Some(listed.as_of)),
            ..source.clone()
        };
        let sink = |_| Sink {
            inserter: Some(builder.inserter()),
            source: &source.name,
        };
        let report = |read| progress.reading(&source.name, read);
        let watch = Watch {
            on_stuck: &|error| progress.stuck(&source.name, error),
            ..Watch::default()
        };
        let begun = listed.is_ok();
        let read = listed.and_then(|listed| {
            let files = listed.delivery.files.clone();
            let read = sources::read_files(source, files, &read_options, watch, &sink, &report)?;
            listed.delivery.check_unchanged(source)?;
            Ok((listed, read))
        });
        match read {
            Ok((listed, read)) => {
                let in_force = in_force(current.as_ref(), &source.name);
                let was_empty = in_force.is_some_and(|entry| entry.rows.indexed == 0);
                let before = figures.of_source(&source.name);
                if let Some(why) = unusable(build, source, &read, before, was_empty)? {
                    holds.add(&source.name, why);
                    some_rows |= read.passed > 0;
                    read_in_part.insert(source.name.clone());
                }
                accounts.push(source, read);
                accounts.deliver(listed.delivery.digest, listed.delivered);
            }
            // A stall is no fault of the list, and may have left the builder locked.
            Err(error @ SourceError::Stalled { .. }) => {
                return Err(BuildFailure::source(source, error));
            }
            Err(error) if source.required => {
                return Err(BuildFailure::source(source, error));
            }
            Err(error) => {
                holds.add(&source.name, error);
                accounts.push_unread(source, build.built_at);
                if begun {
                    read_in_part.insert(source.name.clone());
                }
            }
        }
    }
    if let Some(expired) = expired {
        expired.finish().map_err(expired_failed)?;
    }
    remove_old_rejects(build, writer, current.as_ref()).map_err(|error| BuildFailure::Rejects {
        folder: rejects.clone(),
        error,
    })?;
    if !holds.0.is_empty()
        && accounts.sources.len() == holds.0.len() + kept.len()
        && (current.is_none() || !some_rows)
    {
        return Err(BuildFailure::NothingRead(holds));
    }
    let taken_out = no_longer_listed(build, current.as_ref(), &mut holds, &mut kept);

    let mut directory = build.sources.directory();
    let mut before_end: BTreeSet<String> =
        holds.names().difference(&read_in_part).cloned().collect();
    before_end.extend(kept.iter().cloned());
    if let Some(current) = &current
        && !before_end.is_empty()
    {
        let named = current.copy_lists(&before_end, &builder, build.as_of, build.threads)?;
        let listed = directory.len();
        for authority in named.directory() {
            let mut known = directory.iter().take(listed);
            if !known.any(|known| known.code == authority.code) {
                directory.push(authority);
            }
        }
    }
    let segment = writer.building().join("segment");
    let summary = builder.finish(&segment, &directory, |step, share| {
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
    let mut entries = Vec::new();
    let listed = build.sources.sources.iter().zip(&accounts.sources);
    for (source, account) in listed {
        let untouched = holds.0.contains_key(&source.name) || kept.contains(&source.name);
        if !untouched || read_in_part.contains(&source.name) {
            entries.push(account.entry());
        } else if let Some(before) = in_force(current.as_ref(), &source.name) {
            entries.push(SourceEntry {
                stale_after_seconds: source.stale_after.as_secs(),
                ..before.clone()
            });
        }
    }
    entries.extend(taken_out);
    let origin = Origin {
        sources: entries,
        as_of: build.as_of,
        built_at: build.built_at,
        bases_kept: build.bases_kept,
    };
    let mut candidate = writer.candidate(&segment, origin)?;
    if !read_in_part.is_empty() {
        candidate = writer.hold(candidate, &read_in_part, options)?;
    }
    Ok(Read {
        candidate,
        accounts,
        holds,
        damage: current.and_then(|current| current.damage().map(str::to_owned)),
    })
}

/// Removes rejects of sources that nobody knows any more, and what was left by those who were killed writing some.
fn remove_old_rejects(
    build: &Build<'_>,
    writer: &StoreWriter,
    current: Option<&CurrentBase>,
) -> std::io::Result<()> {
    let rejects = writer.rejects();
    let listed = || build.sources.sources.iter().map(|source| &*source.name);
    sources::keep_rejects_of(&rejects, listed())?;
    let known = current.map_or(&[][..], |current| &current.manifest.sources);
    let known = known.iter().filter(|source| !source.removed);
    let known = known.map(|source| &*source.name);
    // A delta that is under way does it itself.
    writer.unless_changing(|| sources::keep_changes_of(&rejects, listed().chain(known)))
}

/// What a source's list in the current base is named by.
fn in_force<'c>(current: Option<&'c CurrentBase>, name: &str) -> Option<&'c SourceEntry> {
    let sources = current?.manifest.sources.iter();
    let mut sources = sources.filter(|source| source.list.is_some());
    sources.find(|source| source.name == name)
}

/// Whether a source's list is read, by what can be told before.
fn plan(
    build: &Build<'_>,
    source: &SourceConfig,
    current: Option<&CurrentBase>,
) -> Result<Plan, BuildFailure> {
    let manifest = current.map(|current| &current.manifest);
    if manifest.is_some_and(|current| current.operators_hold(&source.name).is_some()) {
        return Ok(Plan::Keep);
    }
    let delivery = match Delivery::from_source(source) {
        Ok(delivery) => delivery,
        Err(error @ SourceError::NoFile { .. }) if !source.required => {
            return Ok(Plan::Hold(vec![error.to_string()]));
        }
        Err(error) => return Ok(Plan::Fail(error)),
    };
    if let Err(error) = sources::not_in_the_future(delivery.as_of, build.built_at) {
        // What the operator states is the operator's to correct; what a file's name states is the supplier's, and
        // holds the supplier's list alone.
        return match source.as_of {
            Some(_) => Err(BuildFailure::source(source, error)),
            None => Ok(Plan::Fail(error)),
        };
    }
    let mut listed = Listed {
        as_of: delivery.as_of,
        delivered: delivery.as_of,
        delivery,
    };
    let delivery = &listed.delivery;
    if let Some(in_force) = in_force(current, &source.name)
        && in_force.digest.as_ref() == Some(&delivery.digest)
    {
        // The same list, delivered again: as of when it is does not change by copying it.
        listed.delivered = delivery.as_of.max(in_force.delivered);
        if !delivery.stated || delivery.as_of < in_force.as_of {
            listed.as_of = in_force.as_of;
        }
    }
    let list = SourceEntry {
        digest: Some(delivery.digest.clone()),
        ..SourceEntry::new(&source.name, listed.as_of)
    };
    let trips = manifest.map_or_else(Vec::new, |current| Trip::of_list(&list, current));
    let (_, tripped) = build.accepted.part(trips);
    if !tripped.is_empty() {
        return Ok(Plan::Hold(
            tripped.iter().map(ToString::to_string).collect(),
        ));
    }
    Ok(Plan::Read(Box::new(listed)))
}

/// Holds the sources of the current base that are listed no longer; returns the entries of those that are taken out.
fn no_longer_listed(
    build: &Build<'_>,
    current: Option<&CurrentBase>,
    holds: &mut Holds,
    kept: &mut BTreeSet<String>,
) -> Vec<SourceEntry> {
    let mut entries = Vec::new();
    let Some(current) = current else {
        return entries;
    };
    let figures = current.figures();
    let listed = |name: &str| {
        let mut listed = build.sources.sources.iter();
        listed.any(|source| source.name == name)
    };
    for source in &current.manifest.sources {
        // One without a list has sent changes only, and one that was taken out stays so.
        if source.list.is_none() || source.removed || listed(&source.name) {
            continue;
        }
        if current.manifest.operators_hold(&source.name).is_some() {
            kept.insert(source.name.clone());
            entries.push(source.clone());
            continue;
        }
        let removed = Trip::Removed {
            source: source.name.clone(),
            before: figures.of_source(&source.name),
        };
        let nothing_goes = figures.of_source(&source.name) == 0;
        if nothing_goes || build.accepted.lets_pass(&removed) {
            entries.push(SourceEntry {
                as_of: build.built_at,
                list: None,
                rows: RowAccount::default(),
                removed: true,
                ..source.clone()
            });
        } else {
            holds.add(&source.name, removed);
            entries.push(source.clone());
        }
    }
    entries
}

impl BuildFailure {
    fn source(source: &SourceConfig, error: SourceError) -> Self {
        Self::Source {
            name: source.name.clone(),
            source: error,
        }
    }
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
