//! `sltd status`.

use sltd::client::{Client, ClientError, ClientOptions, ServerStatus, json, text};
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

/// Exit code for a server that answers but is not ready.
const NOT_READY: u8 = 1;

/// Ask a server what it serves, what it has refused, and whether it is ready
///
/// Says the generation and age of the snapshot served, its sources and their ages, and which
/// publication stands refused, why and since when: a server that refuses what is published goes on
/// with the snapshot before and is ready all the same.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes: 0 ready, 1 not ready, 2 wrong usage, 3 the server cannot be reached or fails")]
pub(crate) struct StatusArgs {
    /// Server to ask, as http://HOST:PORT
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7440")]
    server: String,
    /// Print the status as JSON (protobuf's canonical mapping) in one line
    #[arg(long)]
    json: bool,
    /// Longest time for the call, retries included, such as 500ms, 5s or 2m
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = super::parse_deadline)]
    deadline: Duration,
}

/// Asks and prints; whether the server is ready becomes the exit code.
pub(crate) fn run(args: StatusArgs) -> ExitCode {
    let options = ClientOptions {
        deadline: args.deadline,
        ..ClientOptions::default()
    };
    let status = match ask(args.server, options) {
        Ok(Ok(status)) => status,
        Ok(Err(error @ (ClientError::Endpoint { .. } | ClientError::NoEndpoint))) => {
            super::fail(error);
            return ExitCode::from(super::USAGE);
        }
        Ok(Err(error)) => return failed(error),
        Err(error) => return failed(format_args!("cannot start: {error}")),
    };
    let text = if args.json {
        match json::status(&status) {
            Ok(line) => format!("{line}\n"),
            Err(error) => return failed(error),
        }
    } else {
        text::server(&status)
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Whoever reads has seen enough: no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return failed(format_args!("cannot write the status: {error}"));
        }
        _ => {}
    }
    if status.ready {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NOT_READY)
    }
}

fn ask(server: String, options: ClientOptions) -> io::Result<Result<ServerStatus, ClientError>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    Ok(runtime.block_on(async { Client::connect([server], options).await?.status().await }))
}

fn failed(message: impl std::fmt::Display) -> ExitCode {
    super::fail(message);
    ExitCode::from(super::FAILED)
}
