//! A server from its start to SERVING, and the memory it takes while only absent documents are asked for.

use super::ask;
use super::bytes::Sizes;
use crate::Result;
use crate::given::Given;
use crate::process::{Memory, Server, server_memory};
use crate::report::{Figure, Findings, number};
use crate::services::ask::{CONNECTIONS, IN_FLIGHT, Order, Whom};
use crate::services::cores::Cores;
use sltd::client::{Client, ClientOptions, Health};
use sltd::snapshot::Warm;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Starts that are measured, after one that is not.
const STARTS: usize = 5;
/// How long absent documents are asked for before memory is read, in a full run and in a quick one.
const TRAFFIC: Duration = Duration::from_secs(10);
const QUICK_TRAFFIC: Duration = Duration::from_secs(3);
/// What a server may take beside the filter, MB.
const BESIDE_FILTER: f64 = 40.0;
/// Seconds that a start may take at the most: about one.
const START_MAX: f64 = 1.2;

/// Measures starts and memory.
///
/// # Errors
/// When a server doesn't serve, or answers wrongly.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let mut starts = Vec::with_capacity(STARTS);
    for start in 0..=STARTS {
        let (_server, seconds) = start_serving(given, "", None)?;
        // The first brings the segment into the page cache.
        if start > 0 {
            starts.push(seconds);
        }
    }

    let Traffic {
        before,
        after,
        calls,
    } = absent_traffic(given)?;
    let filter = Sizes::of(&given.snapshot(Warm::Filter)?).filter;
    // The filter is in anonymous memory; pages of it that were resident in the mapping as well would count. The rest of the
    // mapping are the automaton's: there because a number in 430 passes the filter, part of the page cache, gone when memory
    // is short.
    let counted = (after.anonymous + after.filter) as f64 / 1e6;
    let most = filter as f64 / 1e6 + BESIDE_FILTER;
    let limits = vec![START_MAX; starts.len()];
    let mb = |bytes: u64| number((bytes as f64 / 1e6).round());
    Ok(Findings {
        notes: vec![
            format!(
                "`sltd serve`, from the start of the process to SERVING of `grpc.health.v1`; {STARTS} starts, the file in the page cache"
            ),
            format!(
                "memory with `warm = \"filter\"` after {} unary calls about absent documents: anonymous {} MB ({} MB at the start), resident pages of the segment {} MB ({} MB), filter {} MB; counted are anonymous memory and resident pages of the filter",
                calls,
                mb(after.anonymous),
                mb(before.anonymous),
                mb(after.segments),
                mb(before.segments),
                number(filter as f64 / 1e6)
            ),
        ],
        figures: vec![
            Figure::less("start/to-serving/limit", "s", &starts, &limits),
            Figure::less(
                "memory/absent-traffic/filter-and-40-mb",
                "MB",
                &[counted],
                &[most],
            ),
        ],
        ..Findings::default()
    })
}

/// A server of the store that answers checks, and the seconds it took until it did; on all cores, or on those that
/// servers have.
///
/// # Errors
/// When it can't be started or doesn't serve within a minute.
pub(super) fn start_serving(
    given: &Given,
    config: &str,
    cores: Option<&Cores>,
) -> Result<(Server, f64)> {
    let file = given.scratch.join("sltd.toml");
    std::fs::write(&file, config)?;
    let program = &given.programs.sltd;
    let mut command = match cores {
        Some(cores) => cores.server(program),
        None => Command::new(program),
    };
    command
        .stderr(Stdio::null())
        .arg("serve")
        .arg("--config")
        .arg(file);
    command.arg("--store").arg(&given.store).arg("--listen");
    let started = Instant::now();
    let mut server = Server::start(&mut command)?;
    server.wait_until_listening()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let client = Client::connect(
            [server.url()],
            ClientOptions {
                retries: 0,
                ..Default::default()
            },
        )
        .await?;
        while !matches!(client.health().await, Ok(Health::Serving)) {
            if started.elapsed() > Duration::from_secs(60) {
                return Err("the server does not serve after a minute".into());
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok((server, started.elapsed().as_secs_f64()))
    })
}

/// Memory of a server before and after calls about absent documents only.
pub(super) struct Traffic {
    pub(super) before: Memory,
    pub(super) after: Memory,
    /// How many calls.
    pub(super) calls: u64,
}

/// Asks a server with `warm = "filter"` about absent documents for a while.
///
/// # Errors
/// When the server doesn't serve, or answers wrongly.
pub(super) fn absent_traffic(given: &Given) -> Result<Traffic> {
    let queries = absent_file(given)?;
    let cores = Cores::shared_out()?;
    let (server, _) = start_serving(given, "warm = \"filter\"\n", None)?;
    let before = server_memory(server.id())?;
    let order = Order {
        whom: Whom::Unary(server.url()),
        queries,
        rate: None,
        in_flight: IN_FLIGHT,
        connections: CONNECTIONS,
        warm_up: Duration::ZERO,
        duration: if given.quick { QUICK_TRAFFIC } else { TRAFFIC },
    };
    let asked = order.run(&cores)?;
    if asked.no_record != asked.lookups {
        return Err("an absent document was answered something other than NO_RECORD".into());
    }
    Ok(Traffic {
        before,
        after: server_memory(server.id())?,
        calls: asked.calls,
    })
}

/// A file of the questions about numbers that nobody has reported.
fn absent_file(given: &Given) -> Result<PathBuf> {
    let snapshot = given.snapshot(Warm::Filter)?;
    let mut text = String::new();
    for query in ask::absent(given, ask::only_segment(&snapshot)?)? {
        if let (Some(number), Some(issuer), Some(document_type)) =
            (query.number, query.issuer, query.document_type)
        {
            let (code, name) = (issuer.code(), document_type.name());
            writeln!(text, "{},{code},{name}", number.as_str())?;
        }
    }
    let path = given.scratch.join("absent.queries");
    std::fs::write(&path, text)?;
    Ok(path)
}
