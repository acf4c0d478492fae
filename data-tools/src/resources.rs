//! What a command may use of the machine.

use clap::Args;
use sltd::service::parse_size;

/// Memory and threads.
#[derive(Debug, Clone, Args)]
pub(crate) struct ResourceArgs {
    /// Memory for rows, such as 512MiB or 4GiB [default: half of the memory available]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    memory: Option<u64>,
    /// Threads that read, sort and build [default: the cores available]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl ResourceArgs {
    /// Bytes of rows to hold in memory at the most.
    pub(crate) fn memory(&self) -> u64 {
        self.memory.unwrap_or_else(default_memory)
    }

    /// Threads, at least one.
    pub(crate) fn threads(&self) -> usize {
        self.threads.map_or_else(default_threads, usize::from)
    }
}

/// Half of the memory available; where that can't be told, what any machine has.
pub(crate) fn default_memory() -> u64 {
    sltd::memory::available().map_or(1 << 30, |bytes| bytes / 2)
}

/// The cores available.
pub(crate) fn default_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A share from 0 to 1.
pub(crate) fn parse_share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "expected a share from 0 to 1".to_owned())
}
