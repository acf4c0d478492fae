//! `sltd serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

/// Serve the current snapshot of a store over gRPC
///
/// Opens and verifies the snapshot that the store's CURRENT names, brings its filter into memory and
/// answers checks until it gets SIGTERM or SIGINT; then it lets running calls end, for a stated time
/// at most, and exits with 0. Snapshots published meanwhile are taken over without a pause. Health
/// (grpc.health.v1) says SERVING from the moment checks are answered until the drain begins.
///
/// Connections are not encrypted, so only loopback addresses may be served.
///
/// Exit codes: 0 ended as asked, 2 wrong usage or configuration, 3 could not serve: nothing published,
/// the snapshot damaged, the address taken.
#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Address to listen on, a loopback one; port 0 takes any free port [default: 127.0.0.1:7440]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Configuration file (TOML); flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the server until it is told to end.
pub(crate) fn run(args: ServeArgs) -> ExitCode {
    let _ = (args.store, args.listen, args.config, super::USAGE);
    ExitCode::from(super::FAILED)
}
