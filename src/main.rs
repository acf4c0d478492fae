//! The server and the client command.

use std::process::ExitCode;

mod cli;

/// A call allocates and frees some twenty small pieces, nearly all of them HTTP/2's: with the system's
/// allocator they take a tenth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
