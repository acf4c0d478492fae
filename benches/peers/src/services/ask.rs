//! Asking a server from a process of its own, and rounds in which servers are asked in turns.

use super::cores::Cores;
use super::postgres::PostgresTarget;
use super::redis::RedisTarget;
use crate::Result;
use serde::{Deserialize, Serialize};
use sltd::proto::Verdict;
use sltd_data::load::{Arrivals, Grpc, Measured, Mode, Plan, Questions, drive};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tonic::Code;

/// After so long a call counts as failed.
const DEADLINE: Duration = Duration::from_secs(10);
/// Connections of a load that is after calls a second.
pub(crate) const CONNECTIONS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
/// Calls in flight of such a load, on all connections together.
pub(crate) const IN_FLIGHT: NonZeroUsize = NonZeroUsize::MIN.saturating_add(127);
/// Shares of calls of which the latency is told.
const SHARES: [f64; 9] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999, 1.0];

/// Who is asked, and how.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Whom {
    /// A service of ours at a URL: one question a call.
    Unary(String),
    /// The same: chunks of so many questions.
    Stream(String, NonZeroUsize),
    /// Redis at a socket: `MGET` of so many numbers.
    Redis(PathBuf, NonZeroUsize),
    /// PostgreSQL, its socket in a folder: a prepared statement.
    Postgres(PathBuf),
}

/// What a process that asks is to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Who is asked.
    pub(crate) whom: Whom,
    /// Questions, `number,issuer,type` a line.
    pub(crate) queries: PathBuf,
    /// Calls a second on schedule; `None`: as many as the server answers.
    pub(crate) rate: Option<f64>,
    /// Calls in flight at a time where there is no rate.
    pub(crate) in_flight: NonZeroUsize,
    /// Connections.
    pub(crate) connections: NonZeroUsize,
    /// Not counted, at the beginning.
    pub(crate) warm_up: Duration,
    /// Counted.
    pub(crate) duration: Duration,
}

/// What it has seen.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Calls answered a second.
    pub(crate) calls_per_second: f64,
    /// Documents looked up a second.
    pub(crate) lookups_per_second: f64,
    /// Calls that were answered in all, warm-up left out.
    pub(crate) calls: u64,
    /// Documents in their answers.
    pub(crate) lookups: u64,
    /// Those answered NO_RECORD.
    pub(crate) no_record: u64,
    /// A share of the calls, and the microseconds that it did not pass.
    pub(crate) latency_us: Vec<(f64, f64)>,
    /// Share of the time in which the busiest thread that asked wanted a core.
    pub(crate) busiest: f64,
}

impl Asked {
    /// The microseconds that a share of the calls did not pass.
    pub(crate) fn latency_us(&self, share: f64) -> f64 {
        let found = self.latency_us.iter().find(|(of, _)| *of == share);
        found.map_or(f64::NAN, |(_, us)| *us)
    }
}

/// The process that asks; prints [`Asked`] as JSON.
#[derive(Debug, clap::Args)]
pub(crate) struct AskArgs {
    /// An order in JSON
    order: String,
}

/// Does what it is told and prints what it has seen.
///
/// # Errors
/// When a call fails, or none can be made.
pub(crate) fn ask_main(arguments: &AskArgs) -> Result<()> {
    let order: Order = serde_json::from_str(&arguments.order)?;
    let measured = order.carry_out()?;
    if let Some((code, status)) = measured
        .tally
        .statuses()
        .find(|(code, _)| *code != Code::Ok)
    {
        let (calls, why) = (status.calls, &status.why);
        return Err(format!("{calls} calls ended with {code:?}: {why}").into());
    }
    let tally = &measured.tally;
    let asked = Asked {
        calls_per_second: measured.calls_per_second(),
        lookups_per_second: measured.lookups_per_second(),
        calls: tally.calls(),
        lookups: tally.verdicts().sum(),
        no_record: tally.verdicts().get(Verdict::NoRecord),
        latency_us: SHARES
            .map(|share| (share, tally.latency_us(share)))
            .to_vec(),
        busiest: measured.busiest,
    };
    println!("{}", serde_json::to_string(&asked)?);
    Ok(())
}

impl Order {
    fn carry_out(&self) -> Result<Measured> {
        let plan = Plan {
            arrivals: match self.rate {
                Some(rate) => Arrivals::Open { rate },
                None => Arrivals::Closed {
                    concurrency: self.in_flight,
                },
            },
            connections: self.connections,
            threads: std::thread::available_parallelism()?,
            warmup: self.warm_up,
            duration: self.duration,
            deadline: DEADLINE,
        };
        let grpc = |url: &str, mode, items| -> Result<Grpc> {
            let questions = Arc::new(Questions::read(&self.queries, mode, items)?);
            Ok(Grpc::new(url, mode, items, questions, DEADLINE)?)
        };
        Ok(match &self.whom {
            Whom::Unary(url) => drive(&plan, &grpc(url, Mode::Unary, NonZeroUsize::MIN)?),
            Whom::Stream(url, items) => drive(&plan, &grpc(url, Mode::Stream, *items)?),
            Whom::Redis(socket, items) => {
                drive(&plan, &RedisTarget::new(socket, &self.queries, *items)?)
            }
            Whom::Postgres(folder) => drive(&plan, &PostgresTarget::new(folder, &self.queries)?),
        }?)
    }

    /// Starts a process that carries it out.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(&self, cores: &Cores) -> Result<Asking> {
        let child = cores
            .asker(std::env::current_exe()?)
            .arg("ask")
            .arg(serde_json::to_string(self)?)
            .stdout(Stdio::piped())
            .spawn()?;
        Ok(Asking(child))
    }

    /// Carries it out in a process of its own.
    ///
    /// # Errors
    /// When that fails.
    pub(crate) fn run(&self, cores: &Cores) -> Result<Asked> {
        self.start(cores)?.wait()
    }
}

/// A process that asks.
#[derive(Debug)]
pub(crate) struct Asking(Child);

impl Asking {
    /// What it has seen, when it has ended.
    ///
    /// # Errors
    /// When it failed.
    pub(crate) fn wait(self) -> Result<Asked> {
        let output = self.0.wait_with_output()?;
        if !output.status.success() {
            return Err(format!("a process that asks ended with {}", output.status).into());
        }
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// A server that takes turns with others.
pub(crate) struct Contender<'c> {
    /// How it is asked.
    pub(crate) order: Order,
    /// Processor time its processes have taken so far, seconds.
    pub(crate) cpu: Box<dyn Fn() -> Result<f64> + 'c>,
}

/// What rounds of a contender gave, one value a round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rounds {
    /// Calls a second.
    pub(crate) calls: Vec<f64>,
    /// Calls a second of the server's processor time.
    pub(crate) calls_per_cpu_second: Vec<f64>,
    /// Documents a second of the server's processor time.
    pub(crate) lookups_per_cpu_second: Vec<f64>,
    /// All that was seen.
    pub(crate) asked: Vec<Asked>,
}

/// Asks one server after the other, in another order each round.
///
/// # Errors
/// When one can't be asked or fails a call.
pub(crate) fn in_turns<const N: usize>(
    rounds: usize,
    cores: &Cores,
    contenders: &[Contender<'_>; N],
) -> Result<[Rounds; N]> {
    let mut all = std::array::from_fn(|_| Rounds::default());
    for round in 0..rounds {
        for turn in 0..N {
            let index = (round + turn) % N;
            let (Some(contender), Some(seen)) = (contenders.get(index), all.get_mut(index)) else {
                continue;
            };
            let before = (contender.cpu)()?;
            let asked = contender.order.run(cores)?;
            let cpu = (contender.cpu)()? - before;
            seen.calls.push(asked.calls_per_second);
            seen.calls_per_cpu_second.push(asked.calls as f64 / cpu);
            seen.lookups_per_cpu_second.push(asked.lookups as f64 / cpu);
            seen.asked.push(asked);
        }
    }
    Ok(all)
}
