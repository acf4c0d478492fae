//! The operators' commands.

use clap::Parser;
use std::process::ExitCode;

#[derive(Parser)]
#[command(version, about)]
enum Command {
    Generate(sltd_data::generate::GenerateArgs),
}

fn main() -> ExitCode {
    let Command::Generate(args) = Command::parse();
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
