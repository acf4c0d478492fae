//! A check against a snapshot.

use super::Snapshot;
use crate::report::{Day, Judgement, Query};
use std::time::Duration;

/// How well an issuer's documents of a type are covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CoverageLevel {
    /// The issuer reports no documents of this type.
    None,
    /// It does, but its newest source is older than it should be.
    Stale,
    /// It does, and its data is fresh.
    Current,
}

/// What the index holds of an issuer (and type), from the owner's own sources only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// The level.
    pub level: CoverageLevel,
    /// Documents reported.
    pub documents: u64,
    /// Day of the newest report.
    pub newest_report: Option<Day>,
    /// Age of the newest source at the time of asking.
    pub source_age: Option<Duration>,
}

/// The answer to one query.
#[derive(Debug, Clone)]
pub struct Answer<'a> {
    /// Verdict, reasons, matches.
    pub judgement: Judgement<'a>,
    /// Coverage of the issuer (and type) asked about; `None` when no known issuer was given.
    pub coverage: Option<Coverage>,
    /// Whether the number fits what is known of the issuer's numbers; `None` when nothing is known.
    pub format_plausible: Option<bool>,
}

impl Snapshot {
    /// Checks one document. `now` decides the ages in the answer.
    pub fn check(&self, _query: &Query, _now: jiff::Timestamp) -> Answer<'_> {
        todo!()
    }
}
