//! The operators' commands.

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use sltd_data::store::{compact, history, hold, prune, repair, retract, rollback};
use sltd_data::{
    build, command, delta, diff, generate, inspect, keygen, load, lookup, nightly, publish,
    quickstart, verify,
};
use std::io::{self, Write as _};
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
    Delta(delta::DeltaArgs),
    Nightly(nightly::NightlyArgs),
    Publish(publish::PublishArgs),
    Diff(diff::DiffArgs),
    Rollback(rollback::RollbackArgs),
    Unpin(rollback::UnpinArgs),
    Retract(retract::RetractArgs),
    Hold(hold::HoldArgs),
    Unhold(hold::UnholdArgs),
    Compact(compact::CompactArgs),
    Prune(prune::PruneArgs),
    Repair(repair::RepairArgs),
    History(history::HistoryArgs),
    Keygen(keygen::KeygenArgs),
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
    let matches = match Command::command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return wrong_usage(&error),
    };
    let json = matches
        .subcommand()
        .is_some_and(|(_, of)| matches!(of.try_get_one::<bool>("json"), Ok(Some(true))));
    command::expect_json(json);
    // Scratch files that stay open are read faster; a build works with any limit.
    let _ = sltd::files::raise_open_files_limit();
    let code = match Command::from_arg_matches(&matches) {
        Ok(command) => run(command),
        Err(error) => return wrong_usage(&error),
    };
    command::print_errors();
    code
}

/// Says what is wrong with the command line; a program that wants JSON is told so in JSON, too.
fn wrong_usage(error: &clap::Error) -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    // The flag of `load` names a file.
    let loads = words.next().is_some_and(|word| word == "load");
    if error.use_stderr() && !loads && words.any(|word| word == "--json") {
        command::print_error(error.to_string().trim_end());
    }
    // Nobody may read it: the exit code has to be enough.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Quickstart(args) => quickstart::run(&args),
        Command::Build(args) => build::run(&args),
        Command::Delta(args) => delta::run(&args),
        Command::Nightly(args) => nightly::run(&args),
        Command::Publish(args) => publish::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Rollback(args) => rollback::roll_back(&args),
        Command::Unpin(args) => rollback::unpin(&args),
        Command::Retract(args) => retract::run(&args),
        Command::Hold(args) => hold::hold(&args),
        Command::Unhold(args) => hold::unhold(&args),
        Command::Compact(args) => compact::run(&args),
        Command::Prune(args) => prune::run(&args),
        Command::Repair(args) => repair::run(&args),
        Command::History(args) => history::run(&args),
        Command::Keygen(args) => keygen::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Lookup(args) => lookup::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Load(args) => load::run(&args),
        Command::Completions(args) => completions(args.shell),
    }
}

fn completions(shell: clap_complete::Shell) -> ExitCode {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Command::command(), "sltd-data", &mut script);
    match io::stdout().write_all(&script) {
        // Whoever reads has seen enough: no error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
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
