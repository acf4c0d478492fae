//! `sltd-data diff`: what two snapshots say differently, the operator's page of the morning.

mod args;
mod movements;

pub use args::{DiffArgs, run};
pub use movements::{Diff, Movement};
