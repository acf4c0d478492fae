//! What a travel document is: its number, issuing State, type and machine-readable zone.
//!
//! Rules only: nothing here does I/O or knows what is reported about a document.

mod document_type;
mod issuing_state;
pub mod mrz;
mod number;
mod transliteration;

pub use document_type::DocumentType;
pub use issuing_state::{Issuer, IssuingState, StateError, UnknownIssuer};
pub use number::{DocumentNumber, NumberError};
