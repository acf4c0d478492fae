//! Peers behind a socket, and what asks them: each a process of its own, all asked by the load generator that
//! operators use (`sltd_data::load`), each loop of it in a process of its own, too.
//!
//! Servers run on one half of the cores and those who ask on the other, so that every server has the same
//! ([`cores`]).

pub(crate) mod ask;
pub(crate) mod cores;
pub(crate) mod echo;
pub(crate) mod front;
mod pajamax;
pub(crate) mod postgres;
pub(crate) mod redis;
mod runtimes;
#[cfg(test)]
mod tests;
