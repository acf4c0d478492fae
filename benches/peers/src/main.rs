//! Measures sltd side by side with what a user would pick instead.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- report
//! ```
//! Contenders of a figure take turns in one run, so that what the machine does beside hits all of them; medians are
//! told with the least and the greatest, ratios are taken round by round. Every contender is asked the same questions
//! about the same documents, its answers are held against the expected ones, and a wrong answer ends the section.
//!
//! | room | what it holds |
//! |---|---|
//! | [`report`] | figures, goals, and how they are written down |
//! | [`sections`] | what is measured, one file each |
//! | [`memory`] | peers in memory |
//! | [`embedded`] | peers in files of this process |
//! | [`services`] | peers behind a socket, and what asks them |
//! | [`given`] | list, questions and store, made by the real programs |

mod cli;
mod embedded;
mod entries;
mod given;
mod memory;
mod process;
mod programs;
#[path = "../../support/questions.rs"]
mod questions;
mod report;
#[path = "../../support/rivals.rs"]
mod rivals;
mod sections;
mod services;
mod turns;
mod value;

use clap::Parser as _;
use std::process::ExitCode;

/// That of the server and the operators' commands: whoever is measured beside them has it too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A measurement fails as a whole: whoever runs it reads the text.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match cli::run(cli::Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("sltd-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
