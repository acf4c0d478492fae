//! What a server tells those who watch over it, beside its answers.
//!
//! [`Counters`] are what the threads that serve calls count, each its own; `metrics` merges them with
//! the server's [`Condition`](super::condition::Condition) when they are asked for; `listener` hands
//! both out over HTTP, on a thread of its own.
//!
//! What is counted has a place in a table, found by its method, status and verdict: no name is looked
//! up, no lock taken and no cache line shared on the way of a call. Nothing here ever holds a document
//! number.

mod counters;
mod histogram;
mod listener;
mod metrics;

pub(super) use counters::{BodyCall, Counters, Method};
pub(super) use listener::Monitor;
