//! `sltd-data load`: a server under load, measured.
//!
//! Two loops. Open: calls arrive on a schedule, whether or not those before are answered, as travellers do;
//! a call's latency counts from the instant it was to start, so that a server that stalls is charged for
//! everyone it kept waiting ("coordinated omission" is to measure only those who got through). Closed: so
//! many calls are in flight, and each begins when one before has ended, as a job does; it finds the most a
//! server can do.
//!
//! [`drive`] makes the calls of a [`Plan`] on a [`Target`]: our service over gRPC ([`Grpc`]), or whatever
//! else answers the same questions and is to be compared with it.

mod alarm;
mod args;
mod busy;
mod drive;
mod grpc;
mod plan;
mod questions;
mod report;
mod schedule;
mod tally;
mod target;

pub use args::{LoadArgs, Mode, run};
pub use drive::{LATE, Measured, drive};
pub use grpc::{Grpc, GrpcCaller, GrpcConnection, ServerError};
pub use plan::{Arrivals, Plan};
pub use questions::{Asked, Questions, QuestionsError, read as read_questions};
pub use tally::{Status, Tally};
pub use target::{Caller, IN_FLIGHT_MAX, Outcome, Target, Verdicts};
