//! `sltd-data quickstart`: the whole line once, with sample lists.
//!
//! Nothing here is staged: lists are read by [`build`](mod@crate::build), the snapshot is served by
//! [`sltd::service::run`], and checks are made by [`sltd::client`] over a real connection.
//! [`checks`] says what is asked and what must come back, `table` shows it.

pub mod checks;
mod table;

use crate::build::{self, Build, BuildFailure, Built, Silent};
use crate::command::{FAILED, USAGE, complain, print};
use crate::config::{self, SourcesFile};
use crate::guards::Accepted;
use crate::resources::default_threads;
use checks::{Asked, Check};
use clap::Args;
use jiff::Timestamp;
use sltd::client::{Client, ClientError, ClientOptions};
use sltd::report::Day;
use sltd::service::{self, Config, ServeError};
use sltd::snapshot::{LoadError, Store, Terms};
use std::collections::BTreeSet;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

/// Memory for rows: the samples are a few MB.
const MEMORY: u64 = 64 << 20;
/// The longest the server may take to verify a snapshot of this size, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// Build a snapshot of the sample lists, serve it and show checks
///
/// Reads the lists of data-tools/samples (several real layouts, fictional numbers), publishes them
/// as a snapshot, serves it, and asks it eight questions over gRPC, one for each kind of answer.
/// Then it goes on serving until Ctrl-C, so that you can try the other commands.
///
/// A store that holds other lists than the samples is left alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Run it in the folder of the source code, or name the samples with --samples:
  cargo run --release -p sltd-data -- quickstart

Exit codes: 0 all answers were the expected ones (and, without --once, serving ended as asked),
2 wrong usage or no samples, 3 the address is taken, the store can't be written or holds other
lists, or an answer was not the expected one.")]
pub struct QuickstartArgs {
    /// Stop after the table
    #[arg(long)]
    once: bool,
    /// Directory of the store; made if it does not exist
    #[arg(long, value_name = "DIR", default_value = "var/store")]
    store: PathBuf,
    /// Address to serve on, a loopback one; port 0 takes any free port
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7440")]
    listen: SocketAddr,
    /// The folder with the sample lists
    #[arg(long, value_name = "DIR", default_value = "data-tools/samples")]
    samples: PathBuf,
}

/// Why the quickstart could not go on.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(
        "no sample lists in {0}: run this in the folder of the source code, or name the folder that \
         holds their sources.toml with --samples"
    )]
    NoSamples(PathBuf),
    #[error("the sample lists can't be used: {0}")]
    Samples(#[from] config::ConfigError),
    #[error("{0}")]
    Zone(#[from] checks::ZoneError),
    #[error(
        "{store} holds a snapshot of other lists ({sources}), which the samples would replace: name \
         another folder with --store"
    )]
    OtherLists { store: PathBuf, sources: String },
    #[error("the store {store} can't be read: {error}; name another folder with --store")]
    Store { store: PathBuf, error: LoadError },
    #[error("{0} (--store names the folder to publish to)")]
    Build(#[from] BuildFailure),
    #[error("{0} (--listen names the address)")]
    Listen(ServeError),
    #[error("serving failed: {0}")]
    Serve(#[from] ServeError),
    #[error("asking the server just started failed: {0}")]
    Client(#[from] ClientError),
    #[error("{0}")]
    System(#[from] io::Error),
    #[error("stopped before all checks were made")]
    Stopped,
    #[error("{0} of the answers above are not the expected ones")]
    Unexpected(usize),
}

/// Runs the command.
pub fn run(args: &QuickstartArgs) -> ExitCode {
    match quickstart(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            complain(&failure);
            ExitCode::from(match failure {
                Failure::NoSamples(_) | Failure::Samples(_) | Failure::Zone(_) => USAGE,
                _ => FAILED,
            })
        }
    }
}

fn quickstart(args: &QuickstartArgs) -> Result<(), Failure> {
    let sources_toml = args.samples.join("sources.toml");
    if !sources_toml.is_file() {
        return Err(Failure::NoSamples(args.samples.clone()));
    }
    let sources = config::load(&sources_toml)?;
    let checks = checks::all(&args.samples)?;
    // Before anything is written: a taken address would waste it.
    let listener = service::bind(args.listen).map_err(Failure::Listen)?;
    spare_other_lists(&args.store, &sources)?;

    print(format_args!(
        "Building a snapshot of the lists in {} in the store {}.\n\n",
        args.samples.display(),
        args.store.display()
    ))?;
    let built = publish(&args.store, &sources)?;
    print(format_args!("{}\n{}\n", built.accounts, built.offered))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(args, listener, &checks));
    // A snapshot may still be loading; nobody waits for it any more.
    runtime.shutdown_background();
    served
}

/// Publishes the samples.
fn publish(store: &Path, sources: &SourcesFile) -> Result<Built, Failure> {
    // The samples must build where the clock is behind, too.
    let newest = sources.sources.iter().filter_map(|source| source.as_of);
    let now = newest.max().unwrap_or_default().max(Timestamp::now());
    let accepted = Accepted::default();
    let request = Build {
        terms: &Terms::default(),
        sources,
        store,
        memory: MEMORY,
        threads: default_threads(),
        as_of: Day::from_timestamp(now),
        built_at: now,
        max_rejects: 0.05,
        by: "quickstart",
        accepted: &accepted,
        put_aside: false,
        compare: false,
        bases_kept: None,
        expired: None,
    };
    Ok(build::build(&request, &Silent, &mut |_| {})?)
}

/// Refuses a store that holds anything but the samples: its lists would be replaced.
fn spare_other_lists(store: &Path, sources: &SourcesFile) -> Result<(), Failure> {
    let current = Store::open(store).and_then(|store| store.manifest(&store.pointer()?));
    let manifest = match current {
        Ok(manifest) => manifest,
        Err(LoadError::NotAStore(_)) => return Ok(()),
        Err(error) => {
            let store = store.to_owned();
            return Err(Failure::Store { store, error });
        }
    };
    let samples: BTreeSet<&str> = sources.sources.iter().map(|s| s.name.as_str()).collect();
    let held: BTreeSet<&str> = manifest.sources.iter().map(|s| s.name.as_str()).collect();
    if held == samples {
        return Ok(());
    }
    Err(Failure::OtherLists {
        store: store.to_owned(),
        sources: held.into_iter().collect::<Vec<_>>().join(", "),
    })
}

/// Serves the store, makes the checks, shows them, and goes on serving unless told otherwise.
async fn serve(
    args: &QuickstartArgs,
    listener: TcpListener,
    checks: &[Check],
) -> Result<(), Failure> {
    let mut config = Config::default();
    config.listen = listener.local_addr()?;
    // Installed before anything is served, so that no signal ends the process without a drain.
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let (end, ended) = oneshot::channel::<()>();
    let shutdown = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            // Dropped unsent is the same: nobody needs the server any more.
            _ = ended => {}
        }
    };
    let url = format!("http://{}", config.listen);
    let serving = service::run(listener, args.store.clone(), &config, shutdown);
    tokio::pin!(serving);
    let asked = tokio::select! {
        served = &mut serving => {
            served?;
            return Err(Failure::Stopped);
        }
        asked = ask(&url, checks) => asked,
    };
    let shown = asked.and_then(|asked| show(args, &url, &asked));
    if args.once || shown.is_err() {
        drop(end);
        serving.await?;
        return shown;
    }
    serving.await?;
    drop(end);
    print("Ended.\n")?;
    Ok(())
}

async fn ask(url: &str, checks: &[Check]) -> Result<Vec<Asked>, Failure> {
    let client = Client::connect([url], ClientOptions::default()).await?;
    client.wait_until_serving(PATIENCE).await?;
    let mut asked = Vec::with_capacity(checks.len());
    for check in checks {
        asked.push(checks::ask(&client, check).await?);
    }
    Ok(asked)
}

/// Shows the checks and what to do next.
fn show(args: &QuickstartArgs, url: &str, asked: &[Asked]) -> Result<(), Failure> {
    print(format_args!(
        "Serving it on {url}. Checks asked there over gRPC:\n\n{}",
        table::Table(asked)
    ))?;
    let unexpected = asked.iter().filter(|asked| !asked.as_expected()).count();
    if unexpected > 0 {
        return Err(Failure::Unexpected(unexpected));
    }
    if !args.once {
        print(table::next(args, url))?;
    }
    Ok(())
}
