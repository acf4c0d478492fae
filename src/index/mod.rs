//! One immutable segment: reported documents in a file that is mapped and asked.
//!
//! [`SegmentBuilder`] turns rows into a file; [`Segment`] opens one, verifies all of it and
//! answers which reports a document number has. `FORMAT.md` beside this file describes every byte.
//!
//! A segment knows nothing of other segments, of callers or of the clock.

mod bits;
mod blocks;
mod build;
mod bytes;
mod crowded;
mod documents;
mod error;
mod fields;
mod filter;
mod format;
mod packing;
mod references;
mod reread;
mod segment;
mod shard;
mod sigbus;
mod tables;
mod union;
mod verify;
mod walk;

pub use build::{
    BuildOptions, BuildStep, BuildSummary, Inserter, MergedRows, Row, SegmentBuilder, Standing,
    Withdrawal,
};
pub use bytes::LoadMode;
pub use documents::{Document, Documents, Said, Statement};
pub use error::{BuildError, Damage, OpenError};
pub use format::SectionKind;
pub use references::REFERENCE_MAX;
pub use reread::Reread;
pub use segment::{SectionSize, Segment};
pub use tables::{Count, CountOf, Edition};
pub use union::UnionFilter;
pub use walk::Walk;
