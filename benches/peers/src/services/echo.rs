//! Services that answer every question with the same message, without looking.

use super::cores::Cores;
use super::{pajamax, runtimes};
use crate::Result;
use crate::process::Server;
use prost::Message as _;
use sltd::proto::lookup_service_client::LookupServiceClient;
use sltd::proto::lookup_service_server::{LookupService, LookupServiceServer};
use sltd::proto::{
    BatchCheckDocumentsRequest, BatchCheckDocumentsResponse, CheckDocumentRequest,
    CheckDocumentResponse, StreamCheckDocumentsRequest, StreamCheckDocumentsResponse, Verdict,
};
use sltd_data::load::read_questions;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::thread;
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

/// The process that echoes.
#[derive(Debug, clap::Args)]
pub(crate) struct EchoArgs {
    /// What serves
    #[arg(value_enum)]
    kind: Kind,
    /// The encoded answer
    answer: PathBuf,
    /// Where to listen
    address: SocketAddr,
}

/// What serves an echo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// tonic on one runtime of several threads.
    Shared,
    /// tonic on a single-threaded runtime a core.
    Single,
    /// pajamax, with a thread for each connection.
    Pajamax,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Single => "single",
            Self::Pajamax => "pajamax",
        }
    }

    /// Starts an echo of the answer in a file.
    ///
    /// # Errors
    /// When it does not listen.
    pub(crate) fn start(self, answer: &Path, cores: &Cores) -> Result<Server> {
        let mut command = cores.server(std::env::current_exe()?);
        let mut server = Server::start(command.args(["echo", self.name()]).arg(answer))?;
        server.wait_until_listening()?;
        Ok(server)
    }
}

/// What a service of ours answers about the first unreported document of a file, encoded.
///
/// # Errors
/// When it can't be asked, or has no such answer.
pub(crate) fn typical_answer(queries: &Path, url: &str) -> Result<Vec<u8>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut client = LookupServiceClient::connect(url.to_owned()).await?;
        for question in read_questions(queries)? {
            let answer = client.check_document(question?.request()).await?;
            let answer = answer.into_inner();
            if answer.verdict() == Verdict::NoRecord && answer.coverage.is_some() {
                return Ok(answer.encode_to_vec());
            }
        }
        Err("no question is answered NO_RECORD with coverage".into())
    })
}

/// Echoes until it is killed.
///
/// # Errors
/// When it can't listen.
pub(crate) fn echo_main(arguments: &EchoArgs) -> Result<()> {
    let answer = CheckDocumentResponse::decode(std::fs::read(&arguments.answer)?.as_slice())?;
    let address = arguments.address;
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let routes = {
        let echo = LookupServiceServer::new(Echo(answer.clone()));
        move || Routes::new(echo.clone())
    };
    match arguments.kind {
        Kind::Shared => runtimes::serve_on_one(routes(), address, threads),
        Kind::Single => {
            let listener = TcpListener::bind(address)?;
            runtimes::serve_on_each(async move || Ok(routes()), &listener, threads)
        }
        Kind::Pajamax => pajamax::serve(answer, address),
    }
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
