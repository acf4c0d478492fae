//! A typed client: endpoints, deadline and retries are arguments, never globals.
//!
//! - [`Client`] asks: one document ([`Client::check`]), up to [`BATCH_ITEMS_MAX`] against one and
//!   the same snapshot ([`Client::batch`]), any number of them ([`Client::stream`]).
//! - [`Question`] is what is asked, [`Answer`] what comes back; in a batch or a stream an item that
//!   the service could not understand gets a [`Fault`] in its place.
//! - [`Client::status`] asks a server what it serves and whether it is ready.
//! - [`json`] writes answers in protobuf's canonical JSON mapping, [`text`] writes them for people.
//!
//! Generated types show only where a caller needs them: in the answer itself.
//!
//! ```no_run
//! use sltd::client::{Client, ClientOptions, Question, Verdict};
//! use sltd::document::DocumentType;
//!
//! # async fn example() -> Result<(), sltd::client::ClientError> {
//! let client = Client::connect(["http://127.0.0.1:7440"], ClientOptions::default()).await?;
//! let question = Question::number("L898902C3")
//!     .issuing_state("UTO")
//!     .document_type(DocumentType::Passport);
//! let answer = client.check(&question).await?;
//! if answer.verdict() == Verdict::Hit {
//!     // A lead: confirm with the authority named in each match before acting.
//!     for report in &answer.matches {
//!         println!("{:?}", report.authority);
//!     }
//! }
//! # Ok(())
//! # }
//! ```

mod answer;
mod calls;
mod chunk;
mod error;
mod health;
pub mod json;
mod options;
pub mod outcomes;
mod question;
pub mod questions;
mod retry;
mod stream;
pub mod text;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;

pub use crate::proto::{
    CheckDocumentResponse as Answer, GetStatusResponse as ServerStatus, Snapshot, Verdict,
};
pub use answer::BatchAnswer;
pub use calls::{BATCH_ITEMS_MAX, Client};
pub use chunk::{CHUNK_ITEMS_MAX, Chunk, ChunkError};
pub use error::{ClientError, Fault};
pub use health::Health;
pub use options::{ClientOptions, StreamOptions};
pub use question::Question;
pub use stream::{AnswerStream, ChunkAnswer, ItemDetail};
