//! `sltd-data nightly`: fetch, build, verify, guard and publish in one.

mod args;
mod config;
mod fetch;

pub use args::{NightlyArgs, run};
pub use config::{Fetch, NightlyConfig, NightlyConfigError};
pub use fetch::{Fetched, fetch};
