//! What the operators' commands are made of.
//!
//! - [`build`]: from lists to a published snapshot.
//! - [`delta`]: from lists of changes to a snapshot with them.
//! - [`guards`], [`diff`], [`publish`]: what stands between a base that was built and its being current.
//! - [`accounts`]: what became of every row.
//! - [`config`]: the file `sources.toml`, in which an operator describes the lists.
//! - [`sources`]: the lists themselves: every published layout, read in parallel
//!   and turned into normalised rows, each row accounted for.
//! - [`nightly`]: all that is done every night, in one.
//! - [`store`]: what is done to a store without lists.
//! - [`generate`]: synthetic lists and queries, for capacity planning and benches.
//! - [`keygen`]: a key to sign snapshots with.
//! - [`verify`], [`inspect`], [`lookup`]: what a store holds, without a server.
//! - [`load`]: how much a server answers, and how fast.
//! - [`quickstart`]: all of it once, with sample lists.

pub mod accounts;
pub mod build;
pub mod command;
pub mod config;
pub mod delta;
pub mod diff;
pub mod generate;
pub mod guards;
pub mod inspect;
pub mod keygen;
pub mod load;
pub mod lookup;
pub mod nightly;
pub mod publish;
pub mod quickstart;
mod resources;
pub mod sources;
mod stated;
pub mod store;
mod terms;
mod usable;
pub mod verify;
