//! A small language for tests of the real binaries: a store from a few lines, a server over it, a
//! command and what came of it, an HTTP/2 connection that does as it is told.
//!
//! Nothing here asserts a time. What is waited for is waited for with [`PATIENCE`], which only a
//! defect uses up.

mod command;
mod hostile;
mod http2;
mod monitor;
pub(crate) mod plain;
mod server;
mod store;
mod zones;

pub(crate) use command::{Ran, sltd, sltd_fed};
pub(crate) use hostile::Hostile;
pub(crate) use http2::{
    END_HEADERS, END_STREAM, PREFACE, Raw, announced, frame, header_block, kind, prefixed,
};
pub(crate) use monitor::{get, say, wait_for_metric};
pub(crate) use server::{Server, serve};
pub(crate) use store::{NUMBERS, ROWS, passport, publish, publish_at, publish_on, store};
pub(crate) use zones::{LOST_CARD, digit, passport as passport_zone};

use std::time::{Duration, Instant};

/// How long anything may take that ought to happen at all: slow machines, debug builds and all tests
/// at once included.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until something holds.
///
/// # Panics
/// If it does not within [`PATIENCE`].
#[track_caller]
pub(crate) fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Runs a future on a runtime of its own.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}
