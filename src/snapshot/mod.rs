//! Many segments as one: manifest, store, and the check of a document against it.

mod check;
mod store;

pub use check::{Answer, Coverage, CoverageLevel};
pub use store::{LoadMode, LoadOptions, Snapshot, Store, StoreError, Warm};
