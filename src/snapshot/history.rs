//! What has happened to a store, a line each: for people, and for who must answer for it.
//!
//! What was published also stands in the manifests, and is told from them where a process was killed before it
//! wrote its line.

use super::error::{LoadError, PublishError};
use super::manifest::{Act, Event, Manifest};
use super::store::{HISTORY, HISTORY_MAX, Store};
use crate::files::{self, File};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;

/// One thing that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happened {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Happening,
    /// Who did it.
    pub by: String,
    /// Why; empty: not said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The generation published; of what was not, the one that stayed current.
    pub generation: u64,
    /// The generation that first published the base.
    #[serde(default)]
    pub base: u64,
    /// The base that a rollback has undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<u64>,
    /// How many deltas a rollback has dropped; unset: it has kept them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<u64>,
    /// Documents reported.
    pub documents: u64,
    /// Documents reported in the generation before.
    #[serde(default)]
    pub documents_before: u64,
    /// What stood against it, and what of it was held: with figures, one sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What happens to a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// A base was published.
    Build,
    /// Changes were published.
    Delta,
    /// Segments were merged.
    Compact,
    /// An earlier base was published again.
    Rollback,
    /// Builds may replace the base again.
    Unpin,
    /// A source was taken out of service.
    Retract,
    /// A source was taken into service again.
    Lift,
    /// A source is kept at the list that it has.
    Hold,
    /// Lists of a source are taken again.
    Unhold,
    /// What was intact of a damaged store was published.
    Repair,
    /// A guard has refused to publish.
    Refused,
    /// A pin has kept a base from being published.
    Withheld,
}

impl From<Event> for Happening {
    fn from(event: Event) -> Self {
        match event {
            Event::Build => Self::Build,
            Event::Delta => Self::Delta,
            Event::Compact => Self::Compact,
            Event::Rollback => Self::Rollback,
            Event::Unpin => Self::Unpin,
            Event::Retract => Self::Retract,
            Event::Lift => Self::Lift,
            Event::Hold => Self::Hold,
            Event::Unhold => Self::Unhold,
            Event::Repair => Self::Repair,
        }
    }
}

impl Happened {
    /// Whether it made a generation current.
    pub fn is_published(&self) -> bool {
        !matches!(self.event, Happening::Refused | Happening::Withheld)
    }

    /// That a manifest was published.
    pub(super) fn published(
        manifest: &Manifest,
        documents_before: u64,
        notes: Vec<String>,
    ) -> Self {
        let pinned = manifest.pinned.as_ref();
        let rollback = pinned.filter(|pin| pin.since == manifest.generation);
        Self {
            at: manifest.published_at,
            event: manifest.event.into(),
            by: manifest.by.clone(),
            reason: manifest.reason.clone(),
            generation: manifest.generation,
            base: manifest.base,
            undone: rollback.map(|pin| pin.undone),
            dropped: rollback.and_then(|pin| pin.dropped),
            documents: manifest.documents,
            documents_before,
            notes,
        }
    }

    /// That something was not published.
    pub(super) fn not_published(
        event: Happening,
        current: Option<&Manifest>,
        documents: u64,
        act: Act<'_>,
        notes: Vec<String>,
    ) -> Self {
        Self {
            at: act.at,
            event,
            by: act.by.to_owned(),
            reason: act.reason.to_owned(),
            generation: current.map_or(0, |current| current.generation),
            base: current.map_or(0, |current| current.base),
            undone: None,
            dropped: None,
            documents,
            documents_before: current.map_or(0, |current| current.documents),
            notes,
        }
    }
}

/// Appends to the history, durably.
///
/// # Errors
/// [`PublishError::Io`].
pub(super) fn append(store: &Store, happened: &Happened) -> Result<(), PublishError> {
    let path = store.path.join(HISTORY);
    let append = || -> io::Result<()> {
        let mut line = serde_json::to_vec(happened)?;
        line.push(b'\n');
        let file = File::append(&path)?;
        match file.last_byte()? {
            // Its name is durable before what it holds: a file that was never synced is empty.
            None => files::sync_folder(&store.path)?,
            Some(b'\n') => {}
            // A line that was cut short by a crash must not swallow this one.
            Some(_) => line.insert(0, b'\n'),
        }
        file.write_all(&line)?;
        file.sync_all()
    };
    append().map_err(PublishError::io(&path))
}

/// The highest generation whose publication stands in the history.
pub(super) fn highest(store: &Store) -> Option<u64> {
    let text = files::read_to_string(&store.path.join(HISTORY), HISTORY_MAX).ok()?;
    let lines = text.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Happened>(line).ok());
    lines.map(|happened| happened.generation).max()
}

impl Store {
    /// What has happened to the store, in the order in which it became current: lines of the history, and what the
    /// manifests that are kept say beyond them. Lines that can't be read are counted.
    ///
    /// # Errors
    /// [`LoadError`] when the history, the pointer or a manifest can't be read.
    pub fn history(&self) -> Result<(Vec<Happened>, usize), LoadError> {
        let path = self.path.join(HISTORY);
        let text = match files::read_to_string(&path, HISTORY_MAX) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(LoadError::io(&path))?,
        };
        let mut happened: Vec<Happened> = Vec::new();
        let mut unreadable = 0;
        for line in text.lines().filter(|line| !line.is_empty()) {
            match serde_json::from_str(line) {
                Ok(one) => happened.push(one),
                Err(_) => unreadable += 1,
            }
        }
        let chain = self.chain(&self.pointer()?)?;
        let known = happened.iter().filter(|one| one.is_published());
        let known: BTreeSet<u64> = known.map(|one| one.generation).collect();
        for (place, manifest) in chain.iter().enumerate().rev() {
            if !known.contains(&manifest.generation) {
                let before = chain.get(place + 1).map_or(0, |before| before.documents);
                // Lines stand in the order of what they tell of; a time says when somebody began, and clocks are set.
                let later = |one: &Happened| one.generation >= manifest.generation;
                let place = happened.iter().position(later).unwrap_or(happened.len());
                happened.insert(place, Happened::published(manifest, before, Vec::new()));
            }
        }
        Ok((happened, unreadable))
    }
}
