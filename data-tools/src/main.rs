//! The operators' commands.

use clap::{CommandFactory as _, Parser};
use sltd_data::{build, generate, inspect, load, lookup, quickstart, verify};
use std::process::ExitCode;

/// A build takes and gives back gigabytes in large pieces, which the system's allocator returns
/// to the kernel each time: a fifth of its time went into fresh pages.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The operators' commands of sltd: build, verify, inspect and look up snapshots of reported
/// travel documents.
///
/// New here? `sltd-data quickstart` builds a snapshot of sample lists, serves it and shows checks.
#[derive(Debug, Parser)]
#[command(
    name = "sltd-data",
    version,
    propagate_version = true,
    max_term_width = 100
)]
enum Command {
    Quickstart(quickstart::QuickstartArgs),
    Build(build::BuildArgs),
    Verify(verify::VerifyArgs),
    Inspect(inspect::InspectArgs),
    Lookup(lookup::LookupArgs),
    Generate(generate::GenerateArgs),
    Load(load::LoadArgs),
    Completions(CompletionsArgs),
}

/// Print a completion script for a shell
///
/// For example `sltd-data completions bash > /etc/bash_completion.d/sltd-data`.
#[derive(Debug, clap::Args)]
struct CompletionsArgs {
    /// The shell to write for
    shell: clap_complete::Shell,
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Quickstart(args) => quickstart::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Lookup(args) => lookup::run(&args),
        Command::Generate(args) => generated(generate::run(&args)),
        Command::Load(args) => load::run(&args),
        Command::Completions(args) => {
            let (mut command, out) = (Command::command(), &mut std::io::stdout());
            clap_complete::generate(args.shell, &mut command, "sltd-data", out);
            ExitCode::SUCCESS
        }
    }
}

fn generated(outcome: Result<generate::Generated, generate::GenerateError>) -> ExitCode {
    match outcome {
        Ok(done) => {
            eprintln!(
                "{} rows, {} questions, {} of them about reported documents",
                done.rows, done.queries, done.reported_queries
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Command::command().debug_assert();
    }
}
