//! How long unary calls take at given rates, on schedule: ours and an echo by tonic; and ours beside a job.

use super::latency_plot::{self, Curve};
use super::start::start_serving;
use super::unary::{at_top_rate, faster, nearly_all_absent, seconds};
use crate::Result;
use crate::given::Given;
use crate::process::{Server, cpu_seconds};
use crate::report::{Figure, Findings, number};
use crate::services::ask::{Asked, Contender, Order, Whom, in_turns};
use crate::services::cores::Cores;
use crate::services::echo::{Kind, typical_answer};
use std::num::NonZeroUsize;
use std::time::Duration;

/// Rounds, in each of which every server is asked once.
const ROUNDS: usize = 5;
/// Rates that are drawn, in percent of the echo's top rate.
const DRAWN: [u32; 5] = [10, 25, 50, 75, 90];
/// Rate of the calls beside a job: a large border's.
const BORDER_RATE: f64 = 2_000.0;
/// Questions of a chunk of the job, and chunks under way.
const CHUNK: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);
const CHUNKS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
/// What comes before anything is counted: connecting, and caches that fill.
const WARM_UP: Duration = Duration::from_millis(500);

/// Measures latencies.
///
/// # Errors
/// When a server doesn't serve, or answers wrongly.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let cores = Cores::shared_out()?;
    let (ours, _) = start_serving(given, "", Some(&cores))?;
    let answer = given.scratch.join("answer.bin");
    std::fs::write(&answer, typical_answer(&given.queries, &ours.url())?)?;
    let (echo, top) = fastest_echo(given, &answer, &cores)?;
    let rounds = given.rounds(ROUNDS);

    let mut figures = Vec::new();
    let mut curves = Vec::new();
    let drawn: &[u32] = if given.quick { &[50] } else { &DRAWN };
    for &percent in drawn {
        let at = |server: &Server| on_schedule(given, server, top * f64::from(percent) / 100.0);
        let contenders = [&ours, &echo].map(|server| Contender {
            order: at(server),
            cpu: Box::new(|| cpu_seconds(server.id())),
        });
        let [ours, echo] = in_turns(rounds, &cores, &contenders)?;
        nearly_all_absent(&ours.asked)?;
        for (share, name) in [(0.5, "p50"), (0.99, "p99"), (0.999, "p999")] {
            let of = |asked: &[Asked]| at_share(asked, share);
            let rate = match percent {
                50 => "half-the-echo's-top-rate".to_owned(),
                percent => format!("{percent}-percent-of-the-echo's-top-rate"),
            };
            figures.push(Figure::less(
                &format!("latency/{name}-at-{rate}/tonic-echo"),
                "us",
                &of(&ours.asked),
                &of(&echo.asked),
            ));
        }
        curves.push(Curve::new("ours", percent, &ours.asked));
        curves.push(Curve::new("tonic echo", percent, &echo.asked));
    }
    let [with, without] = beside_a_stream(given, &ours, &cores, rounds)?;
    figures.push(Figure::less(
        "latency/p99-beside-a-stream/without",
        "us",
        &with,
        &without,
    ));
    let plots = if given.quick {
        Vec::new()
    } else {
        vec![latency_plot::draw(&curves)?]
    };
    Ok(Findings {
        notes: vec![
            format!(
                "`sltd-data load`'s own loop, open: calls on schedule over 8 connections, latency from the scheduled instant; {rounds} rounds of {} s in turns; {}; rates are shares of the top rate of an echo by tonic, {} calls a second",
                seconds(given).as_secs_f64(),
                cores.describe(),
                number(top.round())
            ),
            format!(
                "beside a stream: {BORDER_RATE} calls a second, alone and while a job of {CHUNKS} chunks of {CHUNK} questions under way on one connection runs as fast as it can on the same server"
            ),
        ],
        figures,
        plots,
    })
}

/// The better of the two echoes by tonic, and its top rate.
fn fastest_echo(given: &Given, answer: &std::path::Path, cores: &Cores) -> Result<(Server, f64)> {
    let shared = Kind::Shared.start(answer, cores)?;
    let single = Kind::Single.start(answer, cores)?;
    let contenders = [&shared, &single].map(|server| Contender {
        order: at_top_rate(given, server.url()),
        cpu: Box::new(|| cpu_seconds(server.id())),
    });
    let seen = in_turns(given.rounds(3), cores, &contenders)?;
    drop(contenders);
    let [of_shared, of_single] = &seen;
    let (rounds, echo) = faster((of_shared, shared), (of_single, single));
    Ok((echo, super::unary::median(&rounds.calls)))
}

fn on_schedule(given: &Given, server: &Server, rate: f64) -> Order {
    Order {
        rate: Some(rate),
        warm_up: WARM_UP,
        ..at_top_rate(given, server.url())
    }
}

fn at_share(asked: &[Asked], share: f64) -> Vec<f64> {
    asked.iter().map(|asked| asked.latency_us(share)).collect()
}

/// The 99th percentile of calls beside a job, and without one, by round.
fn beside_a_stream(
    given: &Given,
    ours: &Server,
    cores: &Cores,
    rounds: usize,
) -> Result<[Vec<f64>; 2]> {
    let calls = on_schedule(given, ours, BORDER_RATE);
    let job = Order {
        whom: Whom::Stream(ours.url(), CHUNK),
        rate: None,
        in_flight: CHUNKS,
        connections: NonZeroUsize::MIN,
        // From before the calls are counted until after.
        warm_up: Duration::ZERO,
        duration: calls.warm_up + calls.duration,
        ..calls.clone()
    };
    let [mut with, mut without] = [const { Vec::new() }; 2];
    for round in 0..rounds {
        for turn in 0..2 {
            if (round + turn) % 2 == 0 {
                without.push(calls.run(cores)?.latency_us(0.99));
            } else {
                let job = job.start(cores)?;
                with.push(calls.run(cores)?.latency_us(0.99));
                nearly_all_absent(&[job.wait()?])?;
            }
        }
    }
    Ok([with, without])
}
