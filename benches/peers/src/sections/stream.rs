//! A job's stream: lookups a second of the server's processor time with one server thread and with two.

use super::start::start_serving;
use super::unary::{nearly_all_absent, seconds};
use crate::Result;
use crate::given::Given;
use crate::process::{Server, cpu_seconds};
use crate::report::{Figure, Findings};
use crate::services::ask::{Contender, Order, Whom, in_turns};
use crate::services::cores::Cores;
use std::num::NonZeroUsize;
use std::time::Duration;

/// Rounds, in each of which every server is asked once.
const ROUNDS: usize = 5;
/// Questions of a chunk.
pub(super) const CHUNK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);
/// Chunks under way, on as many streams, and connections.
const CHUNKS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
const CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);

/// A job of packed chunks, as fast as the server takes them.
pub(super) fn job(given: &Given, url: String) -> Order {
    Order {
        whom: Whom::Stream(url, CHUNK),
        queries: given.queries.clone(),
        rate: None,
        in_flight: CHUNKS,
        connections: CONNECTIONS,
        warm_up: Duration::ZERO,
        duration: seconds(given),
    }
}

/// Measures streams.
///
/// # Errors
/// When a server doesn't serve, or answers wrongly.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let cores = Cores::shared_out()?;
    // On all cores: with two threads on one there would be nothing to see.
    let (one, _) = start_serving(given, "threads = 1\n", None)?;
    let (two, _) = start_serving(given, "threads = 2\n", None)?;
    let rounds = given.rounds(ROUNDS);
    let contenders = [&two, &one].map(|server: &Server| Contender {
        order: job(given, server.url()),
        cpu: Box::new(|| cpu_seconds(server.id())),
    });
    let [two, one] = in_turns(rounds, &cores, &contenders)?;
    nearly_all_absent(&two.asked)?;
    nearly_all_absent(&one.asked)?;
    Ok(Findings {
        notes: vec![format!(
            "`sltd-data load --mode stream`'s own loop, closed: {CHUNKS} chunks of {CHUNK} questions under way on {CONNECTIONS} connections; {rounds} rounds of {} s in turns; the servers on all cores, one with `threads = 1`, one with `threads = 2`",
            seconds(given).as_secs_f64()
        )],
        figures: vec![Figure::more(
            "stream/lookups-per-cpu-second-of-two-threads/one-thread",
            "/s",
            &two.lookups_per_cpu_second,
            &one.lookups_per_cpu_second,
        )],
        ..Findings::default()
    })
}
