//! What a travel document is: its number, issuing State, type and machine-readable zone.
//!
//! Rules only: nothing here does I/O, reads a clock or knows what is reported about a document.
//!
//! - [`DocumentNumber`]: the normalised number, the only form that is stored, hashed or compared. It cannot be wrong
//!   once it exists; [`NumberError`] says which character of a text is.
//! - [`Placeholders`]: what is entered where there is no number; [`Unlikely`]: numbers that are seldom right.
//! - [`IssuingState`] and [`Issuer`]: a State that can be reported for, and what a question says about one.
//! - [`DocumentType`]: the types, and which of them can name one document.
//! - [`mrz`]: reads the machine-readable zone of all layouts of Doc 9303 and of national ones.
//! - [`mod@format`]: whether a number looks like its issuer's; a hint.
//!
//! All of it follows ICAO Doc 9303, eighth edition, except where issuers do otherwise; the places say so.
//!
//! ```
//! use sltd::document::{DocumentNumber, DocumentType, mrz::Mrz};
//!
//! let zone = Mrz::read("I<UTOD231458907<<<<<<<<<<<<<<< 7408122F1204159UTO<<<<<<<<<<<6 ERIKSSON<<ANNA<MARIA<<<<<<<<<<")?;
//! assert_eq!(zone.document_type, DocumentType::IdentityCard);
//! // The number as an officer types it from the page is the same.
//! assert_eq!(zone.number, DocumentNumber::normalise("d 231 458 90").ok());
//! # Ok::<(), sltd::document::mrz::MrzError>(())
//! ```

pub(crate) mod alphabets;
mod cell;
mod characters;
mod document_type;
pub mod format;
mod issuing_state;
pub mod mrz;
mod number;
mod range;
mod transliteration;
mod words;

pub use cell::{Exemption, Placeholders, Unlikely};
pub use document_type::DocumentType;
pub use issuing_state::{Issuer, IssuingState, StateError, UnknownIssuer};
pub use number::{DocumentNumber, NumberError};
pub use range::{NumberRange, Numbers, RangeError};
pub(crate) use words::Word;
