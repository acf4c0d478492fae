//! One immutable segment: reported documents in a file that is mapped and asked.
//!
//! [`SegmentBuilder`] turns rows into a file; [`Segment`] opens one, verifies all of it and
//! answers which reports a document number has. `FORMAT.md` beside this file describes every byte.
//!
//! A segment knows nothing of other segments, of callers or of the clock.

mod bits;
mod build;
mod bytes;
mod error;
mod fields;
mod filter;
mod format;
mod segment;
mod shard;
mod tables;
mod verify;

pub use build::{BuildOptions, BuildStep, BuildSummary, Inserter, Row, SegmentBuilder};
pub use bytes::LoadMode;
pub use error::{BuildError, Damage, OpenError};
pub use format::SectionKind;
pub use segment::{Document, SectionSize, Segment};
pub use shard::REFERENCE_MAX;
pub use tables::{Count, CountOf};
