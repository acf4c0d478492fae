//! The commands of `sltd`: what was typed becomes arguments here, each command acts on its own.

use clap::{CommandFactory as _, Parser, Subcommand};
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

mod check;
mod serve;
mod status;

/// Exit code for wrong usage; clap uses the same.
const USAGE: u8 = 2;
/// Exit code for a service that cannot be started or reached, or fails.
const FAILED: u8 = 3;

/// Lookup of lost, stolen, stolen blank, revoked and invalidated travel documents.
#[derive(Debug, Parser)]
#[command(name = "sltd", version, propagate_version = true, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::ServeArgs),
    Check(check::CheckArgs),
    Status(status::StatusArgs),
    Completions(CompletionsArgs),
}

/// Print a completion script for a shell
///
/// For example `sltd completions bash > /etc/bash_completion.d/sltd`.
#[derive(Debug, clap::Args)]
struct CompletionsArgs {
    /// The shell to write for
    shell: clap_complete::Shell,
}

/// Reads the command line and runs the command it names; the result is the exit code.
pub(crate) fn run() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(args) => serve::run(args),
        Command::Check(args) => check::run(args),
        Command::Status(args) => status::run(args),
        Command::Completions(args) => {
            let mut script = Vec::new();
            clap_complete::generate(args.shell, &mut Cli::command(), "sltd", &mut script);
            match io::stdout().write_all(&script) {
                // Whoever reads has seen enough: no error.
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                    say(format_args!("cannot write the script: {error}"));
                    ExitCode::from(FAILED)
                }
                _ => ExitCode::SUCCESS,
            }
        }
    }
}

/// A duration in which something can be answered.
fn parse_deadline(text: &str) -> Result<Duration, String> {
    match sltd::service::parse_duration(text) {
        Ok(Duration::ZERO) => Err("expected more than 0".to_owned()),
        Ok(deadline) => Ok(deadline),
        Err(error) => Err(error.to_string()),
    }
}

/// Says what went wrong on standard error. Where `eprintln!` would panic because nobody reads it any
/// more, the exit code has to be enough.
fn say(message: impl Display) {
    let _ = writeln!(io::stderr(), "sltd: {message}");
}
