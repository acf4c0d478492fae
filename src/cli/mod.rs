//! The commands of `sltd`: what was typed becomes arguments here, each command acts on its own.

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
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
    let matches = match Cli::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return wrong_usage(&error),
    };
    let json = matches
        .subcommand()
        .is_some_and(|(_, of)| matches!(of.try_get_one::<bool>("json"), Ok(Some(true))));
    JSON.store(json, Ordering::Relaxed);
    let command = match Cli::from_arg_matches(&matches) {
        Ok(line) => line.command,
        Err(error) => return wrong_usage(&error),
    };
    match command {
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

/// Says what is wrong with the command line; a program that wants JSON is told so in JSON, too.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().skip(1).any(|word| word == "--json") {
        print_error(error.to_string().trim_end());
    }
    // Nobody may read it: the exit code has to be enough.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE))
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

/// Whether the command was given `--json`.
static JSON: AtomicBool = AtomicBool::new(false);

/// Says why a command has done nothing; with `--json` on standard output as well, which then is never empty.
fn fail(message: impl Display) {
    let message = message.to_string();
    say(&message);
    if JSON.load(Ordering::Relaxed) {
        print_error(&message);
    }
}

/// Prints an error as a JSON object. Where nobody reads, the exit code has to be enough.
fn print_error(message: &str) {
    let object = serde_json::json!({ "error": { "message": message } });
    let _ = writeln!(io::stdout(), "{object}");
}
