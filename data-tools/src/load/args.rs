//! The command line of `sltd-data load`.

use super::report::Report;
use super::{Arrivals, Grpc, Measured, Plan, Questions, QuestionsError, ServerError, drive};
use crate::command::complain;
use crate::command::{FAILED, USAGE, print};
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};
use sltd::client::{BATCH_ITEMS_MAX, CHUNK_ITEMS_MAX};
use sltd::service::parse_duration;
use std::io;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Calls a second that no client on one machine makes: more is a mistake.
const RATE_MAX: f64 = 10_000_000.0;
/// Calls in flight, and connections, beyond which a load measures itself.
const IN_FLIGHT_LIMIT: u64 = 100_000;
const CONNECTIONS_LIMIT: u64 = 10_000;
/// The longest run: longer ones are watched better piece by piece.
const DURATION_MAX: Duration = Duration::from_secs(7 * 86_400);

/// Put a server under load and measure how it answers
///
/// Asks the questions of a file, over and over, by gRPC. With --rate the loop is open: calls begin on
/// schedule, whatever becomes of those before, and latency counts from the scheduled instant: this is how
/// long a traveller waits. Without, it is closed: --concurrency calls are in flight, each begun when
/// another has ended; this finds the most the server can do.
///
/// Calls that fail or pass the deadline are counted by their status and are in the latencies, too. An
/// arrival misses its time if it starts more than 1 ms late because all callers are busy or the client
/// lacks a core.
#[derive(Debug, Args)]
#[command(after_help = "\
Example: a border's busiest hour, 2,000 travellers a second
  sltd-data generate --records 1000000 --out list.csv --queries queries.csv
  sltd-data load --server http://127.0.0.1:7440 --queries queries.csv --rate 2000 --duration 1m

Exit codes: 0 measured, 2 wrong usage or questions that can't be used, 3 calls failed, or the
result can't be written.")]
pub struct LoadArgs {
    /// The server
    #[arg(long, value_name = "URL")]
    server: String,
    /// Questions, `number[,issuer[,type]]` a line, as `sltd-data generate --queries` writes them
    #[arg(long, value_name = "FILE")]
    queries: PathBuf,
    /// How questions are sent
    #[arg(long, value_enum, default_value = "unary")]
    mode: Mode,
    /// Questions of a batch (at most 10,000) or of a chunk of a stream (at most 65,536)
    #[arg(long, value_name = "N", default_value = "1000")]
    batch: NonZeroUsize,
    /// Open loop: calls (or batches, or chunks) that begin in a second
    #[arg(long, value_name = "R", value_parser = parse_rate, conflicts_with = "concurrency")]
    rate: Option<f64>,
    /// Closed loop: calls (or batches, or chunks) in flight, over all connections
    #[arg(long, value_name = "C", default_value = "16",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=IN_FLIGHT_LIMIT))]
    concurrency: usize,
    /// Connections; in an open loop each has at most 256 calls in flight, or as many as the server takes
    #[arg(long, value_name = "N", default_value = "8",
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=CONNECTIONS_LIMIT))]
    connections: usize,
    /// How long to measure, after the warm-up
    #[arg(long, value_name = "T", default_value = "10s", value_parser = parse_run)]
    duration: Duration,
    /// How long to ask before measuring
    #[arg(long, value_name = "T", default_value = "0s", value_parser = parse_time)]
    warmup: Duration,
    /// When a call is given up, counted from when it was to start
    #[arg(long, value_name = "T", default_value = "10s", value_parser = parse_run)]
    deadline: Duration,
    /// Write what was measured to a file as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// How questions are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// One a call
    Unary,
    /// Many a call
    Batch,
    /// Packed chunks over streams; each has one chunk under way
    Stream,
}

impl Mode {
    /// Its word on the command line.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Unary => "unary",
            Self::Batch => "batch",
            Self::Stream => "stream",
        }
    }

    /// The most questions of a call.
    fn items_max(self) -> usize {
        match self {
            Self::Unary => usize::MAX,
            Self::Batch => BATCH_ITEMS_MAX,
            Self::Stream => CHUNK_ITEMS_MAX,
        }
    }
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if rate > 0.0 && rate <= RATE_MAX => Ok(rate),
        _ => Err(format!(
            "expected calls a second, above 0 and at most {RATE_MAX}"
        )),
    }
}

fn parse_time(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(time) if time <= DURATION_MAX => Ok(time),
        Ok(_) => Err("expected at most 7d".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn parse_run(text: &str) -> Result<Duration, String> {
    match parse_time(text) {
        Ok(Duration::ZERO) => Err("expected more than no time".to_owned()),
        parsed => parsed,
    }
}

/// Why nothing was measured.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("--batch {batch} is too many for this mode: expected at most {max}")]
    Batch { batch: NonZeroUsize, max: usize },
    #[error(transparent)]
    Questions(#[from] QuestionsError),
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot make calls: {0}")]
    Drive(io::Error),
    #[error("cannot write {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot print what was measured: {0}")]
    Print(io::Error),
}

/// Runs the command.
pub fn run(args: &LoadArgs) -> ExitCode {
    match measure(args) {
        Ok(measured) => {
            let calls = measured.tally.calls();
            let answered = measured.tally.status(tonic::Code::Ok);
            if answered > 0 && answered == calls {
                return ExitCode::SUCCESS;
            }
            match answered {
                0 => complain(format_args!("no call was answered by {}", args.server)),
                _ => complain(format_args!(
                    "{} of {calls} calls to {} failed",
                    calls - answered,
                    args.server
                )),
            }
            ExitCode::from(FAILED)
        }
        Err(failure) => {
            complain(&failure);
            ExitCode::from(match failure {
                Failure::Batch { .. } | Failure::Questions(_) | Failure::Server(_) => USAGE,
                Failure::Drive(_) | Failure::Write { .. } | Failure::Print(_) => FAILED,
            })
        }
    }
}

fn measure(args: &LoadArgs) -> Result<Measured, Failure> {
    let max = args.mode.items_max();
    if args.batch.get() > max {
        return Err(Failure::Batch {
            batch: args.batch,
            max,
        });
    }
    let questions = Arc::new(Questions::read(&args.queries, args.mode, args.batch)?);
    let target = Grpc::new(
        &args.server,
        args.mode,
        args.batch,
        questions,
        args.deadline,
    )?;
    let plan = args.plan();
    let measured = drive(&plan, &target).map_err(Failure::Drive)?;
    let report = Report::new(&args.server, args.mode, args.batch, &plan, &measured);
    if let Some(path) = &args.json {
        write(path, &report)?;
    }
    print(&report).map_err(Failure::Print)?;
    Ok(measured)
}

fn write(path: &Path, report: &Report) -> Result<(), Failure> {
    let written = serde_json::to_string_pretty(report).map_err(io::Error::other);
    written
        .and_then(|text| std::fs::write(path, text + "\n"))
        .map_err(|source| Failure::Write {
            path: path.to_owned(),
            source,
        })
}

impl LoadArgs {
    fn plan(&self) -> Plan {
        // The command line takes none below 1.
        let at_least_one = |count| NonZeroUsize::new(count).unwrap_or(NonZeroUsize::MIN);
        Plan {
            arrivals: match self.rate {
                Some(rate) => Arrivals::Open { rate },
                None => Arrivals::Closed {
                    concurrency: at_least_one(self.concurrency),
                },
            },
            connections: at_least_one(self.connections),
            threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            warmup: self.warmup,
            duration: self.duration,
            deadline: self.deadline,
        }
    }
}
