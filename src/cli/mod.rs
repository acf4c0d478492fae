//! The commands of `sltd`: what was typed becomes arguments here, each command acts on its own.

use clap::{CommandFactory as _, Parser, Subcommand};
use std::process::ExitCode;

mod check;
mod serve;

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
        Command::Completions(args) => {
            clap_complete::generate(
                args.shell,
                &mut Cli::command(),
                "sltd",
                &mut std::io::stdout(),
            );
            ExitCode::SUCCESS
        }
    }
}
