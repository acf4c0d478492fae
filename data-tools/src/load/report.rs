//! What was measured, for people and for programs.

use super::{Arrivals, LATE, Measured, Mode, Plan};
use serde::Serialize;
use sltd::proto::Verdict;
use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use tonic::Code;

/// Share of the time in which the busiest thread wants a core, from which on the client is taken to be
/// what limits a run.
const CLIENT_BOUND: f64 = 0.9;

/// The result of a load; its JSON has these fields.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    server: String,
    mode: &'static str,
    /// Documents of a call.
    batch: usize,
    /// "open" or "closed".
    r#loop: &'static str,
    /// Calls a second that were to begin; null in a closed loop.
    rate: Option<f64>,
    /// Calls in flight; null in an open loop.
    concurrency: Option<usize>,
    connections: usize,
    warmup_seconds: f64,
    duration_seconds: f64,
    deadline_seconds: f64,
    /// Calls that ended, however they did; all of them are in the latencies.
    calls: u64,
    /// Documents that were answered.
    lookups: u64,
    calls_per_second: f64,
    lookups_per_second: f64,
    latency_us: Latency,
    arrivals: Missed,
    verdicts: BTreeMap<&'static str, u64>,
    statuses: BTreeMap<&'static str, u64>,
    /// What the first call of each failing status said.
    failures: BTreeMap<&'static str, String>,
    client: Client,
}

/// Microseconds from the intended start of a call to its end.
#[derive(Debug, Serialize)]
struct Latency {
    p50: f64,
    p90: f64,
    p99: f64,
    p999: f64,
    max: f64,
}

/// Arrivals that did not start in time; those of them that were given up before they could start.
#[derive(Debug, Serialize)]
struct Missed {
    missed: u64,
    unsent: u64,
}

#[derive(Debug, Serialize)]
struct Client {
    cpu_seconds: f64,
    threads: usize,
    /// Share of the time in which the busiest thread computed or waited for a core.
    busiest_thread: f64,
    /// Whether the client limited the run rather than the server.
    bound: bool,
}

impl Report {
    pub(super) fn new(
        server: &str,
        mode: Mode,
        batch: NonZeroUsize,
        plan: &Plan,
        measured: &Measured,
    ) -> Self {
        let tally = &measured.tally;
        let (rate, concurrency) = match plan.arrivals {
            Arrivals::Open { rate } => (Some(rate), None),
            Arrivals::Closed { concurrency } => (None, Some(concurrency.get())),
        };
        let named = |(verdict, count): (Verdict, u64)| (verdict.as_str_name(), count);
        Self {
            server: server.to_owned(),
            mode: mode.name(),
            batch: match mode {
                Mode::Unary => 1,
                Mode::Batch | Mode::Stream => batch.get(),
            },
            r#loop: if rate.is_some() { "open" } else { "closed" },
            rate,
            concurrency,
            connections: measured.connections,
            warmup_seconds: plan.warmup.as_secs_f64(),
            duration_seconds: plan.duration.as_secs_f64(),
            deadline_seconds: plan.deadline.as_secs_f64(),
            calls: tally.calls(),
            lookups: tally.verdicts().sum(),
            calls_per_second: measured.calls_per_second(),
            lookups_per_second: measured.lookups_per_second(),
            latency_us: Latency {
                p50: tally.latency_us(0.5),
                p90: tally.latency_us(0.9),
                p99: tally.latency_us(0.99),
                p999: tally.latency_us(0.999),
                max: tally.latency_us(1.0),
            },
            arrivals: Missed {
                missed: tally.missed(),
                unsent: tally.unsent(),
            },
            verdicts: tally.verdicts().iter().map(named).collect(),
            statuses: tally
                .statuses()
                .map(|(code, status)| (code_name(code), status.calls))
                .collect(),
            failures: tally
                .statuses()
                .filter(|(code, _)| *code != Code::Ok)
                .map(|(code, status)| (code_name(code), status.why.clone()))
                .collect(),
            client: Client {
                cpu_seconds: measured.cpu.as_secs_f64(),
                threads: measured.threads,
                busiest_thread: measured.busiest,
                bound: measured.busiest >= CLIENT_BOUND,
            },
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = match self.mode {
            "batch" => format!("batches of {}", self.batch),
            "stream" => format!("chunks of {}", self.batch),
            _ => "calls".to_owned(),
        };
        match (self.rate, self.concurrency) {
            (Some(rate), _) => write!(f, "{calls}, {rate} a second on schedule")?,
            (_, in_flight) => write!(f, "{calls}, {} in flight", in_flight.unwrap_or_default())?,
        }
        writeln!(
            f,
            ", {} connection(s), measured for {} s\n",
            self.connections, self.duration_seconds
        )?;
        let counts = |counts: &BTreeMap<&str, u64>| {
            let said = counts.iter().map(|(name, count)| {
                let name = name.strip_prefix("VERDICT_").unwrap_or(name);
                format!("{name} {count}")
            });
            said.collect::<Vec<_>>().join(", ")
        };
        writeln!(
            f,
            "calls      {}; {:.0} a second answered",
            self.calls, self.calls_per_second
        )?;
        writeln!(
            f,
            "lookups    {}; {:.0} a second",
            self.lookups, self.lookups_per_second
        )?;
        let latency = &self.latency_us;
        writeln!(
            f,
            "latency    p50 {:.0} µs, p90 {:.0} µs, p99 {:.0} µs, p99.9 {:.0} µs, max {:.0} µs",
            latency.p50, latency.p90, latency.p99, latency.p999, latency.max
        )?;
        writeln!(f, "verdicts   {}", counts(&self.verdicts))?;
        writeln!(f, "statuses   {}", counts(&self.statuses))?;
        for (status, why) in &self.failures {
            writeln!(f, "           {status}: {why}")?;
        }
        if self.rate.is_some() {
            writeln!(
                f,
                "missed     {} arrivals started more than {} ms late; {} of them were given up unsent",
                self.arrivals.missed,
                LATE.as_millis(),
                self.arrivals.unsent
            )?;
        }
        let client = &self.client;
        writeln!(
            f,
            "client     {:.2} s of processor time; the busiest of {} thread(s) wanted a core {:.0} % of \
             the time",
            client.cpu_seconds,
            client.threads,
            client.busiest_thread * 100.0
        )?;
        if client.bound {
            writeln!(
                f,
                "\nThis run is bound by the client: it computed or waited for a core nearly all of the \
                 time. The server\nmay be faster than this. Give the client cores of its own, or ask \
                 less a second."
            )?;
        }
        Ok(())
    }
}

/// The name of a status as gRPC's specification has it.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
