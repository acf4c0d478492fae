//! `sltd-data load` against our service in this process, and against services that misbehave.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may end where it stands"
)]

mod fake;
mod loop_kinds;
mod our_service;
#[path = "../support/mod.rs"]
mod support;
