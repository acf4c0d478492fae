//! Unary calls over gRPC: `sltd serve` against tonic servers that answer the same bytes without looking.
//!
//! Servers and load are processes of their own: this program again, with the commands `echo` and `load`.
//! The echo runs twice, on tonic's usual runtime of several threads and on a single-threaded runtime a core, as
//! `sltd` does; the better of the two is what counts.

use super::start::start_serving;
use crate::given::Given;
use crate::process::{Server, cpu_seconds};
use crate::report::{Figure, Findings, Spread};
use crate::{Result, questions};
use prost::Message as _;
use sltd::proto::lookup_service_client::LookupServiceClient;
use sltd::proto::lookup_service_server::{LookupService, LookupServiceServer};
use sltd::proto::{
    BatchCheckDocumentsRequest, BatchCheckDocumentsResponse, CheckDocumentRequest,
    CheckDocumentResponse, DocumentType, StreamCheckDocumentsRequest, StreamCheckDocumentsResponse,
    Verdict,
};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response, Status, Streaming};

/// The process that echoes.
#[derive(Debug, clap::Args)]
pub(crate) struct EchoArgs {
    /// On which runtimes
    #[arg(value_enum)]
    kind: EchoKind,
    /// The encoded answer
    answer: PathBuf,
    /// Where to listen
    address: SocketAddr,
}

/// What an echo runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum EchoKind {
    /// One runtime of several threads.
    Shared,
    /// A single-threaded runtime a core.
    Single,
}

impl EchoKind {
    fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Single => "single",
        }
    }
}

/// The process that asks; prints the fields of [`Load`].
#[derive(Debug, clap::Args)]
pub(crate) struct LoadArgs {
    url: String,
    /// Questions, `number,issuer,type` a line
    queries: PathBuf,
    /// Seconds at the most
    seconds: f64,
    /// Calls at the most
    calls: u64,
}

/// Rounds, in each of which every server is asked once.
const ROUNDS: usize = 5;
/// Seconds that every server is asked for in a round.
const SECONDS: f64 = 5.0;
/// The same in a quick run.
const QUICK_SECONDS: f64 = 2.0;
/// Calls before counting begins.
const WARM_UP: Duration = Duration::from_millis(500);
/// Connections of the load, on two threads.
const CONNECTIONS: usize = 8;
/// Calls in flight on each connection; the next is made when one is answered.
const IN_FLIGHT: usize = 16;
/// Questions that are asked in turn.
const QUESTIONS: usize = 200_000;

/// Measures calls a second and processor time a call.
///
/// # Errors
/// When a server doesn't serve, or answers wrongly.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let (sltd, _) = start_serving(given, "")?;
    let answer = given.scratch.join("answer.bin");
    std::fs::write(&answer, typical_answer(given, &sltd.url())?)?;
    let echo = |kind: EchoKind| -> Result<Server> {
        let mut server = Server::start(
            Command::new(std::env::current_exe()?)
                .args(["echo", kind.name()])
                .arg(&answer),
        )?;
        server.wait_until_listening()?;
        Ok(server)
    };
    let servers = [sltd, echo(EchoKind::Shared)?, echo(EchoKind::Single)?];
    let mut calls = [const { Vec::new() }; 3];
    let mut per_cpu_second = [const { Vec::new() }; 3];
    let (rounds, seconds) = (
        given.rounds(ROUNDS),
        if given.quick { QUICK_SECONDS } else { SECONDS },
    );
    for round in 0..rounds {
        for turn in 0..servers.len() {
            let index = (round + turn) % servers.len();
            let Some(server) = servers.get(index) else {
                continue;
            };
            let before = cpu_seconds(server.id())?;
            let load = load(&server.url(), &given.queries, seconds, u64::MAX)?;
            let cpu = cpu_seconds(server.id())? - before;
            // The published rate of reported documents is 1 in 13,700.
            if load.others * 1_000 > load.all_calls {
                return Err("too many answers that are not NO_RECORD".into());
            }
            let (Some(calls), Some(per_cpu_second)) =
                (calls.get_mut(index), per_cpu_second.get_mut(index))
            else {
                continue;
            };
            calls.push(load.calls as f64 / load.seconds);
            per_cpu_second.push(load.all_calls as f64 / cpu);
        }
    }
    let [ours, shared, single] = calls;
    let [cpu, cpu_shared, cpu_single] = per_cpu_second;
    let median = |measured: &[f64]| Spread::of(measured.iter().copied()).median;
    let (counts, cpu_counts, other, cpu_other, runtime) = if median(&shared) > median(&single) {
        (
            &shared,
            &cpu_shared,
            &single,
            &cpu_single,
            "one runtime of several threads",
        )
    } else {
        (
            &single,
            &cpu_single,
            &shared,
            &cpu_shared,
            "a single-threaded runtime a core",
        )
    };
    Ok(Findings {
        notes: vec![
            format!(
                "{CONNECTIONS} connections with {IN_FLIGHT} calls in flight each, closed loop, a process of its own on the same machine; {rounds} rounds of {seconds} s in turns; every status is read and must be OK"
            ),
            format!(
                "the echo answers every question with the bytes of one NO_RECORD with coverage; of two echoes, on one runtime of several threads and on a single-threaded runtime a core, the better one counts: {runtime}; processor time is the server's, user and system"
            ),
        ],
        figures: vec![
            Figure::more("unary/calls/tonic-echo", "/s", &ours, counts),
            Figure::more(
                "unary/calls-per-cpu-second/tonic-echo",
                "/s",
                &cpu,
                cpu_counts,
            ),
            Figure::more("unary/calls/slower-tonic-echo", "/s", &ours, other),
            Figure::more(
                "unary/calls-per-cpu-second/slower-tonic-echo",
                "/s",
                &cpu,
                cpu_other,
            ),
        ],
        ..Findings::default()
    })
}

/// What the server answers about the first unreported document, encoded.
fn typical_answer(given: &Given, url: &str) -> Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut client = LookupServiceClient::new(connect(url.to_owned()).await?);
        for request in requests(&given.queries)? {
            let answer = client.check_document(request).await?.into_inner();
            if answer.verdict() == Verdict::NoRecord && answer.coverage.is_some() {
                return Ok(answer.encode_to_vec());
            }
        }
        Err("no question is answered NO_RECORD with coverage".into())
    })
}

async fn connect(url: String) -> Result<Channel> {
    Ok(Endpoint::from_shared(url)?
        .tcp_nodelay(true)
        .connect()
        .await?)
}

/// The first [`QUESTIONS`] of a file as messages.
fn requests(path: &Path) -> Result<Vec<CheckDocumentRequest>> {
    let text = std::fs::read_to_string(path)?;
    let request = |line: &str| {
        let (number, issuing_state, document_type) = questions::split(line)?;
        let document_type = format!("DOCUMENT_TYPE_{}", document_type.to_ascii_uppercase());
        Some(CheckDocumentRequest {
            number: number.to_owned(),
            issuing_state: issuing_state.to_owned(),
            r#type: DocumentType::from_str_name(&document_type)?.into(),
            mrz: String::new(),
        })
    };
    let requests: Option<Vec<_>> = text.lines().take(QUESTIONS).map(request).collect();
    requests
        .filter(|requests| !requests.is_empty())
        .ok_or_else(|| "expected lines of number,issuer,type".into())
}

/// What a load has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Calls answered while they were counted.
    pub(crate) calls: u64,
    /// How long they were counted, seconds.
    pub(crate) seconds: f64,
    /// Calls answered in all, warm-up included.
    pub(crate) all_calls: u64,
    /// Answers other than NO_RECORD.
    pub(crate) others: u64,
}

/// Asks a server in a process of its own for some seconds, or until it has answered `calls` if that is sooner.
///
/// # Errors
/// When any call fails.
pub(crate) fn load(url: &str, queries: &Path, seconds: f64, calls: u64) -> Result<Load> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["load", url])
        .arg(queries)
        .args([seconds.to_string(), calls.to_string()]);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("the load on {url} ended with {}", output.status).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let mut fields = text.split_whitespace();
    let mut next = || fields.next().ok_or("expected four numbers of the load");
    Ok(Load {
        calls: next()?.parse()?,
        seconds: next()?.parse()?,
        all_calls: next()?.parse()?,
        others: next()?.parse()?,
    })
}

/// Counters that all calls share; each is written by two threads only.
#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    others: AtomicU64,
    stop: AtomicBool,
}

/// Asks until told, and prints the fields of [`Load`].
///
/// # Errors
/// When any call fails.
pub(crate) fn load_main(arguments: &LoadArgs) -> Result<()> {
    let (url, seconds, most) = (&arguments.url, arguments.seconds, arguments.calls);
    let requests = Arc::new(requests(&arguments.queries)?);
    let counts = Arc::new(Counts::default());
    let threads: Vec<_> = (0..2)
        .map(|thread| {
            let (url, requests, counts) = (url.clone(), Arc::clone(&requests), Arc::clone(&counts));
            thread::spawn(move || {
                ask_from_thread(thread, &url, &requests, &counts).map_err(|error| error.to_string())
            })
        })
        .collect();
    let ended = || threads.iter().any(thread::JoinHandle::is_finished);
    thread::sleep(WARM_UP);
    let (started, before) = (Instant::now(), counts.calls.load(Ordering::Relaxed));
    while started.elapsed().as_secs_f64() < seconds
        && counts.calls.load(Ordering::Relaxed) < most
        && !ended()
    {
        thread::sleep(Duration::from_millis(5));
    }
    let (calls, seconds) = (
        counts.calls.load(Ordering::Relaxed) - before,
        started.elapsed().as_secs_f64(),
    );
    counts.stop.store(true, Ordering::Relaxed);
    for thread in threads {
        thread.join().map_err(|_| "a thread has panicked")??;
    }
    let (all, others) = (
        counts.calls.load(Ordering::Relaxed),
        counts.others.load(Ordering::Relaxed),
    );
    println!("{calls} {seconds} {all} {others}");
    Ok(())
}

/// Half of the connections, on one thread.
fn ask_from_thread(
    thread: usize,
    url: &str,
    requests: &Arc<Vec<CheckDocumentRequest>>,
    counts: &Arc<Counts>,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut asking = tokio::task::JoinSet::new();
        for connection in 0..CONNECTIONS / 2 {
            let channel = connect(url.to_owned()).await?;
            for flight in 0..IN_FLIGHT {
                let first = ((thread * CONNECTIONS + connection) * IN_FLIGHT + flight) * 997;
                let client = LookupServiceClient::new(channel.clone());
                asking.spawn(ask(client, Arc::clone(requests), first, Arc::clone(counts)));
            }
        }
        while let Some(asked) = asking.join_next().await {
            asked??;
        }
        Ok(())
    })
}

/// Asks one question after the other, each when the one before is answered.
async fn ask(
    mut client: LookupServiceClient<Channel>,
    requests: Arc<Vec<CheckDocumentRequest>>,
    first: usize,
    counts: Arc<Counts>,
) -> std::result::Result<(), Status> {
    for request in requests.iter().cycle().skip(first % requests.len()) {
        if counts.stop.load(Ordering::Relaxed) {
            break;
        }
        let answer = client.check_document(request.clone()).await?.into_inner();
        counts.calls.fetch_add(1, Ordering::Relaxed);
        if answer.verdict() != Verdict::NoRecord {
            counts.others.fetch_add(1, Ordering::Relaxed);
        }
    }
    Ok(())
}

/// A service that answers every question with the same message.
#[derive(Debug, Clone)]
struct Echo(CheckDocumentResponse);

#[tonic::async_trait]
impl LookupService for Echo {
    type StreamCheckDocumentsStream =
        tokio_stream::Empty<std::result::Result<StreamCheckDocumentsResponse, Status>>;

    async fn check_document(
        &self,
        _: Request<CheckDocumentRequest>,
    ) -> std::result::Result<Response<CheckDocumentResponse>, Status> {
        Ok(Response::new(self.0.clone()))
    }

    async fn batch_check_documents(
        &self,
        _: Request<BatchCheckDocumentsRequest>,
    ) -> std::result::Result<Response<BatchCheckDocumentsResponse>, Status> {
        Err(Status::unimplemented("single questions only"))
    }

    async fn stream_check_documents(
        &self,
        _: Request<Streaming<StreamCheckDocumentsRequest>>,
    ) -> std::result::Result<Response<Self::StreamCheckDocumentsStream>, Status> {
        Err(Status::unimplemented("single questions only"))
    }
}

/// The process that echoes, until it is killed.
///
/// # Errors
/// When it can't listen.
pub(crate) fn echo_main(arguments: &EchoArgs) -> Result<()> {
    let service = LookupServiceServer::new(Echo(CheckDocumentResponse::decode(
        std::fs::read(&arguments.answer)?.as_slice(),
    )?));
    let address = arguments.address;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    match arguments.kind {
        EchoKind::Shared => echo_on_one_runtime(service, address, threads),
        EchoKind::Single => echo_on_single_threads(&service, address, threads),
    }
}

fn echo_on_one_runtime(
    service: LookupServiceServer<Echo>,
    address: SocketAddr,
    threads: usize,
) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let incoming = TcpIncoming::bind(address)?.with_nodelay(Some(true));
        Ok(tonic::transport::Server::builder()
            .add_service(service)
            .serve_with_incoming(incoming)
            .await?)
    })
}

/// Hands connections to the threads in turn.
fn echo_on_single_threads(
    service: &LookupServiceServer<Echo>,
    address: SocketAddr,
    threads: usize,
) -> Result<()> {
    let listener = std::net::TcpListener::bind(address)?;
    let mut hands = Vec::with_capacity(threads);
    for _ in 0..threads {
        let (hand, taken) = tokio::sync::mpsc::unbounded_channel::<std::net::TcpStream>();
        hands.push(hand);
        let service = service.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::spawn(move || {
            let incoming = UnboundedReceiverStream::new(taken).map(tokio::net::TcpStream::from_std);
            runtime.block_on(
                tonic::transport::Server::builder()
                    .add_service(service)
                    .serve_with_incoming(incoming),
            )
        });
    }
    for hand in hands.iter().cycle() {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        hand.send(stream).map_err(|_| "a thread has ended")?;
    }
    Ok(())
}
