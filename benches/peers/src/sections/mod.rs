//! What is measured: a file a section.

mod ask;
mod build;
mod bytes;
mod check_path;
mod latency;
mod latency_plot;
mod list;
pub(crate) mod loads;
mod lookups;
mod memory;
mod scale;
mod services;
mod start;
mod stores;
mod stream;
mod unary;

use crate::Result;
use crate::given::Given;
use crate::report::Findings;
use clap::ValueEnum;

/// A section of the report, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Section {
    /// From list to published snapshot
    Build,
    /// From list to something durable, against bulk loads
    Loads,
    /// Bytes a document
    Bytes,
    /// A server's start and memory
    Start,
    /// Absent and present documents in process
    Lookups,
    /// Keys and filter against what knows the same numbers in memory
    Memory,
    /// Absent and present documents against embedded stores
    Stores,
    /// The whole way of a call without the network
    CheckPath,
    /// Calls over gRPC, against services that do not look
    Unary,
    /// How long calls take at given rates, and beside a job
    Latency,
    /// A job's stream, with one thread and with two
    Stream,
    /// Redis and PostgreSQL with the same reports
    Services,
    /// Every row looked up; verdicts of all questions
    List,
    /// Lists of several sizes, and what would break first
    Scale,
}

impl Section {
    /// Its heading.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Build => "From list to published snapshot",
            Self::Loads => "From list to durable, against bulk loads",
            Self::Bytes => "Bytes a document",
            Self::Start => "Starting a server",
            Self::Lookups => "Lookups in process",
            Self::Memory => "The same numbers in memory",
            Self::Stores => "Embedded stores with the same reports",
            Self::CheckPath => "The way of a call without the network",
            Self::Unary => "Unary calls over gRPC",
            Self::Latency => "Latency of unary calls",
            Self::Stream => "Streams on one thread and two",
            Self::Services => "Redis and PostgreSQL with the same reports",
            Self::List => "Every row looked up, and what the rest is answered",
            Self::Scale => "Lists of several sizes",
        }
    }

    /// Measures it. What single peers lack is told in the findings.
    ///
    /// # Errors
    /// When nothing of it could be measured.
    pub(crate) fn measure(self, given: &Given) -> Result<Findings> {
        match self {
            Self::Build => build::measure(given),
            Self::Loads => loads::measure(given),
            Self::Bytes => bytes::measure(given),
            Self::Start => start::measure(given),
            Self::Lookups => lookups::measure(given),
            Self::Memory => memory::measure(given),
            Self::Stores => stores::measure(given),
            Self::CheckPath => check_path::measure(given),
            Self::Unary => unary::measure(given),
            Self::Latency => latency::measure(given),
            Self::Stream => stream::measure(given),
            Self::Services => services::measure(given),
            Self::List => list::measure(given),
            Self::Scale => scale::measure(given),
        }
    }
}
