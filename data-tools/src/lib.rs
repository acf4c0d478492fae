//! What the operators' commands are made of.
//!
//! - [`build`]: from lists to a published snapshot.
//! - [`delta`]: from lists of changes to a snapshot with them.
//! - [`accounts`]: what became of every row.
//! - [`config`]: the file `sources.toml`, in which an operator describes the lists.
//! - [`sources`]: the lists themselves: every published layout, read in parallel
//!   and turned into normalised rows, each row accounted for.
//! - [`generate`]: synthetic lists and queries, for capacity planning and benches.
//! - [`verify`], [`inspect`], [`lookup`]: what a store holds, without a server.
//! - [`load`]: how much a server answers, and how fast.
//! - [`quickstart`]: all of it once, with sample lists.

pub mod accounts;
pub mod build;
mod command;
pub mod config;
pub mod delta;
pub mod generate;
pub mod inspect;
pub mod load;
pub mod lookup;
pub mod quickstart;
pub mod sources;
pub mod verify;
