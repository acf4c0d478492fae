//! The memory that requests and answers may take, shared by all threads.
//!
//! What a client can make the server hold for long is taken from here before it is allocated: requests of many
//! documents while they are received, answers until HTTP/2 has sent their last byte. A [`Share`] is returned when the
//! bytes are dropped. A single check of usual size takes none. When a pool is used up, the call is ended that has waited
//! longest for its client ([`waits`]); and so is one where calls are too many ([`open`]).

mod open;
mod pool;
mod waits;

pub(super) use pool::{Budget, Purpose, Share, Turns};
pub(super) use waits::{Endable, Held, Waiting};
