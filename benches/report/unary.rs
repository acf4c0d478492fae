//! Unary calls over gRPC: `sltd serve` against tonic servers that answer the same bytes without looking.
//!
//! Servers and load are processes of their own: this program again, with [`ECHO`] or [`LOAD`] as its first argument.
//! The echo runs twice, on tonic's usual runtime of several threads and on a single-threaded runtime a core, as
//! `sltd` does; the better of the two is what counts.

use crate::process::{Server, cpu_seconds};
use crate::serving::start_serving;
use crate::table::{Figure, Findings, Goal, Spread};
use crate::{Given, Result, questions};
use prost::Message as _;
use sltd::proto::lookup_service_client::LookupServiceClient;
use sltd::proto::lookup_service_server::{LookupService, LookupServiceServer};
use sltd::proto::{
    BatchCheckDocumentsRequest, BatchCheckDocumentsResponse, CheckDocumentRequest,
    CheckDocumentResponse, DocumentType, StreamCheckDocumentsRequest, StreamCheckDocumentsResponse,
    Verdict,
};
use std::net::SocketAddr;
use std::path::Path;
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

/// First argument of the process that echoes: `echo KIND FILE ADDRESS`.
pub(crate) const ECHO: &str = "echo";
/// First argument of the process that asks: `load URL FILE SECONDS CALLS`.
pub(crate) const LOAD: &str = "load";

/// Rounds, in each of which every server is asked once.
const ROUNDS: usize = 5;
/// Seconds that every server is asked for in a round.
const SECONDS: f64 = 5.0;
/// Calls before counting begins.
const WARM_UP: Duration = Duration::from_millis(500);
/// Connections of the load, on two threads.
const CONNECTIONS: usize = 8;
/// Calls in flight on each connection; the next is made when one is answered.
const IN_FLIGHT: usize = 16;
/// Questions that are asked in turn.
const QUESTIONS: usize = 200_000;

/// Measures calls a second and processor time a call.
pub(crate) fn run(given: &Given) -> Result<Findings> {
    let (sltd, _) = start_serving(given, "")?;
    let answer = given.scratch.join("answer.bin");
    std::fs::write(&answer, typical_answer(given, &sltd.url())?)?;
    let echo = |kind: &str| -> Result<Server> {
        let mut server = Server::start(
            Command::new(std::env::current_exe()?)
                .args([ECHO, kind])
                .arg(&answer),
        )?;
        server.wait_until_listening()?;
        Ok(server)
    };
    let servers = [sltd, echo("shared")?, echo("single")?];
    let mut calls = [const { Vec::new() }; 3];
    let mut cpu = [const { Vec::new() }; 3];
    for round in 0..ROUNDS {
        for turn in 0..servers.len() {
            let index = (round + turn) % servers.len();
            let Some(server) = servers.get(index) else {
                continue;
            };
            let before = cpu_seconds(server.id())?;
            let load = load(&server.url(), &given.queries, SECONDS, u64::MAX)?;
            let micros = (cpu_seconds(server.id())? - before) / load.all_calls as f64 * 1e6;
            // The published rate of reported documents is 1 in 13,700.
            assert!(
                load.others * 1_000 <= load.all_calls,
                "too many answers that are not NO_RECORD"
            );
            let (Some(calls), Some(cpu)) = (calls.get_mut(index), cpu.get_mut(index)) else {
                continue;
            };
            calls.push(load.calls as f64 / load.seconds);
            cpu.push(micros);
        }
    }
    let [ours, shared, single] = calls;
    let [cpu, cpu_shared, cpu_single] = cpu;
    let median = |measured: &[f64]| Spread::of(measured.iter().copied()).median;
    let shared_is_better = median(&shared) > median(&single);
    let name = |what: &str, shared: bool| {
        let runtime = if shared {
            "one runtime of several threads"
        } else {
            "a single-threaded runtime a core"
        };
        format!("unary/{what}/tonic echo, {runtime}")
    };
    let goal = |counts: bool| {
        if counts {
            Goal::AtLeast(0.95)
        } else {
            Goal::None
        }
    };
    Ok(Findings {
        title: "Unary calls over gRPC",
        notes: vec![
            format!("{CONNECTIONS} connections with {IN_FLIGHT} calls in flight each, closed loop, a process of its own on the same machine; {ROUNDS} rounds of {SECONDS} s in turns; every status is read and must be OK"),
            "the echo answers every question with the bytes of one NO_RECORD with coverage; the better of two echoes counts; processor time is the server's, user and system".to_owned(),
        ],
        figures: vec![
            Figure::ratio(&name("calls a second", true), "/s", &ours, &shared, goal(shared_is_better)),
            Figure::ratio(&name("calls a second", false), "/s", &ours, &single, goal(!shared_is_better)),
            Figure::ratio(&name("processor time a call", true), "us", &cpu, &cpu_shared, Goal::None),
            Figure::ratio(&name("processor time a call", false), "us", &cpu, &cpu_single, Goal::None),
        ],
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
        .args([LOAD, url])
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

/// The process that asks; prints the fields of [`Load`].
///
/// # Errors
/// When any call fails.
pub(crate) fn load_main(arguments: &[String]) -> Result<()> {
    let [url, queries, seconds, calls] = arguments else {
        return Err("expected URL FILE SECONDS CALLS".into());
    };
    let (seconds, most): (f64, u64) = (seconds.parse()?, calls.parse()?);
    let requests = Arc::new(requests(Path::new(queries))?);
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
pub(crate) fn echo_main(arguments: &[String]) -> Result<()> {
    let [kind, answer, address] = arguments else {
        return Err("expected KIND FILE ADDRESS".into());
    };
    let service = LookupServiceServer::new(Echo(CheckDocumentResponse::decode(
        std::fs::read(answer)?.as_slice(),
    )?));
    let address: SocketAddr = address.parse()?;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    match kind.as_str() {
        "shared" => echo_on_one_runtime(service, address, threads),
        _ => echo_on_single_threads(&service, address, threads),
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
