//! The operators' commands.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about)]
enum Command {
    Build(sltd_data::build::BuildArgs),
    Generate(sltd_data::generate::GenerateArgs),
}

fn main() -> ExitCode {
    let args = match Command::parse() {
        Command::Generate(args) => args,
        Command::Build(args) => return sltd_data::build::run(&args),
    };
    match sltd_data::generate::run(&args) {
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
