//! gRPC in and out.
//!
//! [`run`] serves a store's snapshots on a listener from [`bind`], with the settings of [`Config`],
//! until it is told to stop. The way of one check:
//!
//! `connection` (HTTP/2 and its limits) → `dispatch` (form, deadline, method) → `wire` (bytes to
//! message) → `lookup` → `question` (message to query, or the field at fault) → `serving` (the
//! snapshot of the moment, [`Snapshot::check`](crate::snapshot::Snapshot::check)) → `convert` (answer
//! to message) → `wire`.
//!
//! `batch` and `stream` (of `chunk`s) take the same way for many documents at once: the filter is
//! asked for a `group` together, what is common to the answers is kept once (`compact`), and the
//! thread is shared fairly (`slice`). `server` and `worker` hold the threads, `watch` brings new
//! snapshots into service, and `errors` is the one table from inner errors to statuses.
//!
//! What a client can make the server hold comes out of the `budget`: requests of many documents as they are
//! `receive`d, `outgoing` messages until they are sent.
//!
//! What a connection costs and brings stands in its `standing`: the `metered` socket counts there by `frames`, `turns`
//! keeps those that send without a pause in a line, and `places` decides by it who leaves when places (as many as
//! `descriptors` allow) run out. `other_protocol` logs what comes to the port and is no call.
//!
//! What the server knows of itself stands in its `condition`: the watcher tells it what was taken over
//! (`generations` may only rise) and what was refused (`refusal`), and it decides on `readiness`. Those
//! who ask are answered by `admin` and `health` over gRPC and by the `monitor` over HTTP.
//!
//! [`Offline`] takes the middle of that way, from message to message, without a server.
//!
//! Nothing on the way of a check takes a lock, logs, or reads a file; what it allocates is the
//! message it decodes and the one it answers.
//!
//! Who asks and what they may be told will be decided between `dispatch` and `lookup`.

mod address;
mod admin;
mod answer;
mod batch;
mod budget;
mod chunk;
mod clock;
mod compact;
mod condition;
mod config;
mod connection;
mod convert;
mod descriptors;
mod dispatch;
mod duration;
mod errors;
mod fields;
mod frames;
mod generations;
mod group;
mod health;
mod lookup;
mod metered;
mod monitor;
mod notices;
mod offline;
mod other_protocol;
mod outgoing;
mod places;
mod question;
mod readiness;
mod receive;
mod reflection;
mod refusal;
mod reload;
mod reply;
mod scrub;
mod server;
mod serving;
mod size;
mod slice;
mod standing;
mod stream;
#[cfg(test)]
mod tests;
mod tidy;
mod turns;
mod watch;
mod wire;
mod worker;

pub use address::{AddressError, parse_address};
pub use clock::{Clock, ClockHand};
pub use config::{Config, ConfigError, LogFormat};
pub use descriptors::raise_open_files_limit;
pub use duration::{DurationError, parse_duration};
pub use offline::{MalformedField, Offline, OfflineError};
pub use reload::Reloads;
pub use server::{Drained, ServeError, bind, run, run_with_clock, run_with_reloads};
pub use size::{SizeError, parse_size};
