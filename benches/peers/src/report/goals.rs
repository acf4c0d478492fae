//! What the project promises, as data: every figure that must appear in a report, with its goal.

use super::spread::{Spread, number};
use crate::sections::Section;
use std::fmt;

/// What the ratio of a figure is held against. It is met when the interval of the ratios, taken round by round, reaches
/// it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// So much or more; the ratio rises with what is better of ours.
    AtLeast(f64),
    /// More than this; the ratio rises with what is better of ours.
    MoreThan(f64),
    /// So much or less; the ratio is ours divided by the peer's.
    AtMost(f64),
    /// Less than this; the ratio is ours divided by the peer's.
    Below(f64),
    /// None: the figure is stated.
    None,
}

impl Goal {
    /// Whether ratios reach it.
    pub(crate) fn is_met(self, ratio: &Spread) -> bool {
        match self {
            Self::AtLeast(goal) => ratio.max >= goal,
            Self::MoreThan(goal) => ratio.max > goal,
            Self::AtMost(goal) => ratio.min <= goal,
            Self::Below(goal) => ratio.min < goal,
            Self::None => true,
        }
    }

    /// The number in it.
    pub(crate) fn value(self) -> Option<f64> {
        match self {
            Self::AtLeast(goal) | Self::MoreThan(goal) | Self::AtMost(goal) | Self::Below(goal) => {
                Some(goal)
            }
            Self::None => None,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(goal) => write!(f, "at least {}", number(*goal)),
            Self::MoreThan(goal) => write!(f, "more than {}", number(*goal)),
            Self::AtMost(goal) => write!(f, "at most {}", number(*goal)),
            Self::Below(goal) => write!(f, "below {}", number(*goal)),
            Self::None => Ok(()),
        }
    }
}

/// A figure that must appear, found or not.
#[derive(Debug)]
pub(crate) struct Promise {
    /// Who measures it.
    pub(crate) section: Section,
    /// `what/how/whom`.
    pub(crate) id: &'static str,
    /// Its goal.
    pub(crate) goal: Goal,
}

const fn promise(section: Section, id: &'static str, goal: Goal) -> Promise {
    Promise { section, id, goal }
}

/// Every promise, by section. Figures that are not listed are stated where they can be had.
pub(crate) const PROMISES: &[Promise] = &[
    promise(Section::Build, "build/wall/sort", Goal::AtMost(0.6)),
    promise(
        Section::Build,
        "build/second-core/one-core",
        Goal::AtLeast(1.7),
    ),
    promise(
        Section::Build,
        "build/memory/limit-and-300-mb",
        Goal::AtMost(1.0),
    ),
    promise(
        Section::Loads,
        "build/from-csv/rocksdb",
        Goal::MoreThan(1.0),
    ),
    promise(Section::Loads, "build/from-csv/lmdb", Goal::MoreThan(1.0)),
    promise(
        Section::Bytes,
        "bytes/keys-and-filter/limit",
        Goal::AtMost(1.0),
    ),
    promise(Section::Bytes, "bytes/whole/limit", Goal::AtMost(1.0)),
    promise(Section::Start, "start/to-serving/limit", Goal::AtMost(1.0)),
    promise(
        Section::Start,
        "memory/absent-traffic/filter-and-40-mb",
        Goal::AtLeast(1.0),
    ),
    promise(
        Section::Lookups,
        "absent/one-at-a-time/hashbrown",
        Goal::AtLeast(1.0),
    ),
    promise(
        Section::Lookups,
        "absent/in-chunks/hashbrown",
        Goal::AtLeast(1.2),
    ),
    promise(
        Section::Lookups,
        "present/with-reports/binary-search",
        Goal::AtLeast(1.0),
    ),
    promise(
        Section::Memory,
        "bytes/keys-and-filter/hashbrown",
        Goal::MoreThan(1.0),
    ),
    promise(
        Section::Memory,
        "bytes/keys-and-filter/sorted-array",
        Goal::MoreThan(1.0),
    ),
    promise(Section::Memory, "bytes/keys-and-filter/fst", Goal::None),
    promise(Section::Memory, "bytes/keys-and-filter/bloom", Goal::None),
    promise(Section::Memory, "bytes/keys-and-filter/roaring", Goal::None),
    promise(
        Section::Memory,
        "absent/one-at-a-time/string-map",
        Goal::None,
    ),
    promise(
        Section::Stores,
        "absent/one-at-a-time/lmdb",
        Goal::AtLeast(10.0),
    ),
    promise(
        Section::Stores,
        "present/with-reports/lmdb",
        Goal::AtLeast(1.5),
    ),
    promise(Section::Stores, "bytes/whole/lmdb", Goal::MoreThan(1.0)),
    promise(
        Section::Stores,
        "absent/one-at-a-time/redb",
        Goal::AtLeast(10.0),
    ),
    promise(Section::Stores, "present/with-reports/redb", Goal::None),
    promise(Section::Stores, "bytes/whole/redb", Goal::MoreThan(1.0)),
    promise(
        Section::Stores,
        "absent/one-at-a-time/rocksdb",
        Goal::AtLeast(10.0),
    ),
    promise(Section::Stores, "present/with-reports/rocksdb", Goal::None),
    promise(Section::Stores, "bytes/whole/rocksdb", Goal::MoreThan(1.0)),
    promise(
        Section::Stores,
        "absent/one-at-a-time/sqlite",
        Goal::AtLeast(10.0),
    ),
    promise(Section::Stores, "present/with-reports/sqlite", Goal::None),
    promise(Section::Stores, "bytes/whole/sqlite", Goal::MoreThan(1.0)),
    promise(
        Section::CheckPath,
        "check-path/absent/codec",
        Goal::AtMost(1.6),
    ),
    promise(
        Section::Unary,
        "unary/calls/tonic-echo",
        Goal::AtLeast(1.15),
    ),
    promise(
        Section::Unary,
        "unary/calls-per-cpu-second/tonic-echo",
        Goal::AtLeast(1.15),
    ),
    promise(Section::Unary, "unary/calls/pajamax-echo", Goal::None),
    promise(
        Section::Unary,
        "unary/calls-per-cpu-second/pajamax-echo",
        Goal::None,
    ),
    promise(
        Section::Latency,
        "latency/p999-at-half-the-echo's-top-rate/tonic-echo",
        Goal::AtMost(1.15),
    ),
    promise(
        Section::Latency,
        "latency/p99-beside-a-stream/without",
        Goal::AtMost(2.0),
    ),
    promise(
        Section::Stream,
        "stream/lookups-per-cpu-second-of-two-threads/one-thread",
        Goal::AtLeast(0.85),
    ),
    promise(
        Section::Services,
        "build/from-csv/redis",
        Goal::MoreThan(1.0),
    ),
    promise(
        Section::Services,
        "build/from-csv/postgresql",
        Goal::MoreThan(1.0),
    ),
    promise(Section::Services, "bytes/whole/redis", Goal::MoreThan(1.0)),
    promise(
        Section::Services,
        "bytes/whole/postgresql",
        Goal::MoreThan(1.0),
    ),
    promise(
        Section::Services,
        "unary/calls/tonic-and-redis",
        Goal::AtLeast(2.0),
    ),
    promise(
        Section::Services,
        "unary/calls/postgresql",
        Goal::AtLeast(5.0),
    ),
    promise(
        Section::Services,
        "stream/lookups-per-cpu-second/redis-mget",
        Goal::AtLeast(2.0),
    ),
    promise(Section::List, "list/found/rows", Goal::AtLeast(1.0)),
    promise(
        Section::List,
        "list/reported-are-hit/questions",
        Goal::AtLeast(1.0),
    ),
    promise(
        Section::List,
        "list/unreported-are-no-hit/questions",
        Goal::AtLeast(1.0),
    ),
    promise(
        Section::List,
        "list/review-share/hit-share",
        Goal::Below(1.0),
    ),
];

/// The goal of a figure.
pub(crate) fn goal_of(id: &str) -> Goal {
    PROMISES
        .iter()
        .find(|promise| promise.id == id)
        .map_or(Goal::None, |promise| promise.goal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_promise_is_made_once() {
        for (at, promise) in PROMISES.iter().enumerate() {
            assert_eq!(
                PROMISES.iter().position(|other| other.id == promise.id),
                Some(at),
                "{}",
                promise.id
            );
        }
    }
}
