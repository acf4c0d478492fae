//! `sltd serve`.

use clap::ValueEnum;
use sltd::service::{self, Config, LogFormat};
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};

/// Serve the current snapshot of a store over gRPC
///
/// Opens and verifies the snapshot that the store's CURRENT names, brings its filter into memory and
/// answers checks until it gets SIGTERM or SIGINT; then it lets running calls end, for a stated time
/// at most, and exits with 0. Snapshots published meanwhile are taken over without a pause. Health
/// (grpc.health.v1) says SERVING from the moment checks are answered until the drain begins; the log
/// then names the address, the generation and the number of documents.
///
/// Connections are not encrypted, so only loopback addresses may be served.
///
/// On SIGHUP the configuration and the trusted keys are read again; the keys take effect at once, everything else with a
/// restart. What can't be used is logged and changes nothing.
///
/// `sltd status` tells what a server serves and what it has refused; --metrics tells Prometheus.
///
/// The log goes to standard error and never holds a document number. RUST_LOG=debug says more.
///
/// Exit codes: 0 ended as asked, 2 wrong usage or configuration, 3 could not serve (nothing
/// published, the snapshot damaged or not signed as the configuration asks, the address taken).
#[derive(Debug, clap::Args)]
#[command(after_long_help = format!("The configuration, all of it optional:\n\n{CONFIG}"))]
pub(crate) struct ServeArgs {
    /// Directory of the store
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Address to listen on as HOST:PORT, a loopback one such as localhost:7440; port 0 takes any free port
    /// [default: 127.0.0.1:7440]
    #[arg(long, value_name = "ADDR", value_parser = service::parse_address)]
    listen: Option<SocketAddr>,
    /// Configuration file (TOML); the flags beside it override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Threads that serve connections [default: the cores available]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Address to serve /metrics, /healthz and /readyz on over HTTP, a loopback one; port 0 takes any free
    /// port [default: nowhere]
    #[arg(long, value_name = "ADDR", value_parser = service::parse_address)]
    metrics: Option<SocketAddr>,
    /// How long running calls may take after SIGTERM, such as 500ms, 8s or 2m [default: 8s]
    #[arg(long, value_name = "DURATION", value_parser = service::parse_duration)]
    drain: Option<Duration>,
    /// Form of the log [default: human]
    #[arg(long, value_name = "FORM")]
    log: Option<Log>,
}

/// Every key of the configuration, as the help shows it.
const CONFIG: &str = "\
listen = \"127.0.0.1:7440\"
threads = 2               # default: the cores available
drain = \"8s\"              # how long running calls may take after SIGTERM
max_connections = 16000   # default: 16000, or as many as the descriptors granted leave (ulimit -n)
max_connection_age = \"1h\" # then GOAWAY, a tenth earlier or later; default: off
memory = \"64MiB\"        # what requests and answers may take; default: an eighth of what is free at the start
stalled_after = \"10m\"   # how long a call may hold any of it while it waits for its client
watch = \"1s\"              # how often to look for a new snapshot
scrub = \"24h\"             # how often to read the segments again from the disk, at idle priority, or \"off\"
log = \"human\"             # or \"json\"
load = \"mmap\"             # or \"heap\": immune to what happens to the file
warm = \"all\"              # or \"filter\"; default: all, where memory allows
soft_age = \"26h\"          # past it answers say stale; default: never
hard_age = \"7d\"           # past it a miss is INCONCLUSIVE; default: never
fail_when_too_old = false # past it health says NOT_SERVING, too
metrics = \"127.0.0.1:9440\"  # where /metrics, /healthz, /readyz are served; default: nowhere
state_dir = \"state\"       # needed with trusted keys: remembers the highest generation seen

[[trusted_key]]           # any number; default: none, and snapshots need not be signed
file = \"2026.pub\"
not_before = \"2026-01-01T00:00:00Z\"   # what was published in this time is accepted;
not_after = \"2027-02-01T00:00:00Z\"    # default: no limit";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Log {
    /// Lines for people
    Human,
    /// One JSON object a line
    Json,
}

impl ServeArgs {
    /// The configuration: the file's, or the defaults, with what the flags say instead.
    fn config(&self) -> Result<Config, service::ConfigError> {
        let mut config = match &self.config {
            Some(path) => Config::read(path)?,
            None => Config::default(),
        };
        config.listen = self.listen.unwrap_or(config.listen);
        config.threads = self.threads.unwrap_or(config.threads);
        config.metrics = self.metrics.or(config.metrics);
        config.drain = self.drain.unwrap_or(config.drain);
        config.log = match self.log {
            Some(Log::Human) => LogFormat::Human,
            Some(Log::Json) => LogFormat::Json,
            None => config.log,
        };
        config.validate()?;
        Ok(config)
    }
}

/// Runs the server until it is told to end.
pub(crate) fn run(args: ServeArgs) -> ExitCode {
    let file = args.config.clone();
    let config = match args.config() {
        Ok(config) => config,
        Err(error) => {
            super::say(error);
            return ExitCode::from(super::USAGE);
        }
    };
    log_to_stderr(config.log);
    log_panics_without_their_message();
    match serve(args, &config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let wrong_usage = matches!(error, service::ServeError::TrustedKey(_));
            match file {
                // Keys stand in the file only.
                Some(file) if wrong_usage => tracing::error!("{}: {error}", file.display()),
                _ => tracing::error!("{error}"),
            }
            ExitCode::from(if wrong_usage {
                super::USAGE
            } else {
                super::FAILED
            })
        }
    }
}

fn serve(args: ServeArgs, config: &Config) -> Result<(), service::ServeError> {
    let listener = service::bind(config.listen)?;
    service::raise_open_files_limit(config);
    // The accept loop and the watch of the store; calls have threads of their own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        // Installed before anything is served, so that no signal ends the process without a drain.
        let (mut terminate, mut interrupt, mut hang_up) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
            signal(SignalKind::hangup())?,
        );
        let shutdown = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let (reload, reloads) = mpsc::channel(1);
        let store = args.store.clone();
        let args = Arc::new(args);
        let hear = async {
            while hang_up.recv().await.is_some() {
                let args = Arc::clone(&args);
                // The disk may be slow.
                let read = spawn_blocking(move || args.config()).await;
                if let Ok(config) = read
                    && reload.send(config).await.is_err()
                {
                    break;
                }
            }
            std::future::pending().await
        };
        tokio::select! {
            served = service::run_with_reloads(listener, store, config, reloads, shutdown) => {
                served.map(|_| ())
            }
            () = hear => Ok(()),
        }
    });
    // A snapshot may still be loading; nobody waits for it any more.
    runtime.shutdown_background();
    served
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // h2 writes what clients send, a malformed path for example, and a document number may be in it; and it writes at
    // their pace. Whatever RUST_LOG asks for, nothing of it is logged.
    let not_of_h2 = filter_fn(|event| {
        let origin = event.target().split("::").next();
        origin != Some("h2")
    });
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_target(false)
        // They would be written with `eprintln!`, which panics: a server must not die because whoever
        // read its log has gone.
        .log_internal_errors(false);
    let log = match format {
        LogFormat::Human => log
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
            .boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(log.with_filter(not_of_h2).with_filter(filter))
        .init();
}

/// A panic's message may quote what was being worked on, such as a document number: the log says
/// where it happened and no more.
fn log_panics_without_their_message() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        tracing::error!(place, "panic");
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_configuration_in_the_help_is_one() {
        Config::from_toml(CONFIG).unwrap();
        let shown: toml::Table = CONFIG.parse().unwrap();
        // The message about a key that there is not lists all that there are.
        let message = Config::from_toml("none = 1").unwrap_err().to_string();
        let (_, known) = message.split_once("expected one of ").unwrap();
        let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        assert_eq!(known, shown.keys().map(String::as_str).collect());
    }
}
