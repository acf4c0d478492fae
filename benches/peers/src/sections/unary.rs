//! Unary calls over gRPC: `sltd serve` against services that answer the same bytes without looking.

use super::start::start_serving;
use crate::Result;
use crate::given::Given;
use crate::process::{Server, cpu_seconds};
use crate::report::{Figure, Findings, Spread, number};
use crate::services::ask::{
    Asked, CONNECTIONS, Contender, IN_FLIGHT, Order, Rounds, Whom, in_turns,
};
use crate::services::cores::Cores;
use crate::services::echo::{Kind, typical_answer};
use std::time::Duration;

/// Rounds, in each of which every server is asked once.
const ROUNDS: usize = 5;

/// Measures calls a second, and calls a second of the servers' processor time.
///
/// # Errors
/// When a server doesn't serve, or answers wrongly.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let cores = Cores::shared_out()?;
    let (ours, _) = start_serving(given, "", Some(&cores))?;
    let answer = given.scratch.join("answer.bin");
    std::fs::write(&answer, typical_answer(&given.queries, &ours.url())?)?;
    let shared = Kind::Shared.start(&answer, &cores)?;
    let single = Kind::Single.start(&answer, &cores)?;
    let pajamax = Kind::Pajamax.start(&answer, &cores)?;
    let rounds = given.rounds(ROUNDS);
    let contender = |server| contender(given, server);
    let seen = in_turns(
        rounds,
        &cores,
        &[
            contender(&ours),
            contender(&shared),
            contender(&single),
            contender(&pajamax),
        ],
    )?;
    let [ours, shared, single, pajamax] = &seen;
    nearly_all_absent(&ours.asked)?;
    let ((counts, runtime), (other, _)) = {
        let shared = (shared, "one runtime of several threads");
        let single = (single, "a single-threaded runtime a core");
        if median(&shared.0.calls) > median(&single.0.calls) {
            (shared, single)
        } else {
            (single, shared)
        }
    };
    let figures = [
        ("tonic-echo", counts),
        ("slower-tonic-echo", other),
        ("pajamax-echo", pajamax),
    ]
    .into_iter()
    .flat_map(|(name, peer)| {
        [
            Figure::more(
                &format!("unary/calls/{name}"),
                "/s",
                &ours.calls,
                &peer.calls,
            ),
            Figure::more(
                &format!("unary/calls-per-cpu-second/{name}"),
                "/s",
                &ours.calls_per_cpu_second,
                &peer.calls_per_cpu_second,
            ),
        ]
    });
    Ok(Findings {
        notes: vec![
            format!(
                "`sltd-data load`'s own loop, closed, {CONNECTIONS} connections with {IN_FLIGHT} calls in flight on all of them; {rounds} rounds of {} s in turns; every status is read and must be OK; {}",
                seconds(given).as_secs_f64(),
                cores.describe()
            ),
            format!(
                "an echo answers every question with the bytes of one NO_RECORD with coverage; of two by tonic, on one runtime of several threads and on a single-threaded runtime a core, the better one counts: {runtime}; processor time is the server's, user and system"
            ),
            format!(
                "where those who ask want a core all of the time, it is they who limit calls a second, and calls a second of processor time tell more: ours {}, tonic {}, pajamax {}",
                busy(&ours.asked),
                busy(&counts.asked),
                busy(&pajamax.asked)
            ),
        ],
        figures: figures.collect(),
        ..Findings::default()
    })
}

/// How long every server is asked in a round.
pub(super) fn seconds(given: &Given) -> Duration {
    Duration::from_secs(if given.quick { 1 } else { 5 })
}

/// As many unary calls as the server answers.
pub(super) fn at_top_rate(given: &Given, url: String) -> Order {
    Order {
        whom: Whom::Unary(url),
        queries: given.queries.clone(),
        rate: None,
        in_flight: IN_FLIGHT,
        connections: CONNECTIONS,
        warm_up: Duration::ZERO,
        duration: seconds(given),
    }
}

fn contender<'s>(given: &Given, server: &'s Server) -> Contender<'s> {
    Contender {
        order: at_top_rate(given, server.url()),
        cpu: Box::new(|| cpu_seconds(server.id())),
    }
}

/// The published rate of reported documents is 1 in 13,700.
///
/// # Errors
/// When answers are not like that.
pub(super) fn nearly_all_absent(asked: &[Asked]) -> Result<()> {
    let others = |asked: &Asked| (asked.lookups - asked.no_record) * 1_000;
    if asked.iter().any(|asked| others(asked) > asked.lookups) {
        return Err("too many answers that are not NO_RECORD".into());
    }
    Ok(())
}

pub(super) fn median(measured: &[f64]) -> f64 {
    Spread::of(measured.iter().copied()).median
}

/// The share of the time in which those who asked wanted a core.
fn busy(asked: &[Asked]) -> String {
    let busiest = Spread::of(asked.iter().map(|asked| asked.busiest)).median;
    format!("{} %", number((busiest * 100.0).round()))
}

/// Of what rounds gave, the one whose calls a second are more.
pub(super) fn faster<'r, T>(one: (&'r Rounds, T), other: (&'r Rounds, T)) -> (&'r Rounds, T) {
    if median(&one.0.calls) >= median(&other.0.calls) {
        one
    } else {
        other
    }
}
