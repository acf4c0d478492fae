//! What operators and guards have done to a store and not undone: retracted sources, held lists, a pinned base.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A source taken out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retraction {
    /// Its name.
    pub source: String,
    /// The generation that took it out.
    pub since: u64,
    /// When.
    pub at: Timestamp,
    /// Who did.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A base that no build replaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// The generation that pinned it.
    pub since: u64,
    /// When.
    pub at: Timestamp,
    /// Who did.
    pub by: String,
    /// Why.
    pub reason: String,
    /// The base that was replaced by it.
    pub undone: u64,
    /// How many deltas were dropped for good; unset: none, all that are newer than the lists were applied to it.
    pub dropped: Option<u64>,
    /// How many kept withdrawals were dropped with them; unset as those are.
    pub dropped_withdrawals: Option<u64>,
}

/// A source that is kept at the list that it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Its name.
    pub source: String,
    /// What holds it.
    pub holder: Holder,
    /// The first generation in which it was held.
    pub since: u64,
    /// When that was.
    pub at: Timestamp,
    /// Who held it, or who ran the build whose guard did.
    pub by: String,
    /// Why: of an operator's hold what the operator said, of a guard's why the last build held it.
    pub reason: String,
}

/// What holds a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// An operator, until the operator ends it.
    Operator,
    /// A guard, until a build takes a list of the source.
    Guard,
}

/// A list that a rollback has taken out of the snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UndoneList {
    /// Its source.
    pub source: String,
    /// Digest of its bytes; see [`SourceEntry::digest`](super::SourceEntry::digest).
    pub digest: String,
    /// The generation that published it first.
    pub list: u64,
    /// The rollback's generation.
    pub since: u64,
}
