//! `Debug` of the messages that hold a document number: it must not end up in logs, on either side of
//! the wire. All others show these only.

use super::{CheckDocumentRequest, Document, StreamCheckDocumentsRequest};
use std::fmt;

/// Says whether something was given, and not what.
struct Hidden<'a>(&'a [u8]);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "given" })
    }
}

impl fmt::Debug for CheckDocumentRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckDocumentRequest")
            .field("number", &Hidden(self.number.as_bytes()))
            .field("issuing_state", &self.issuing_state)
            .field("type", &self.r#type())
            .field("mrz", &Hidden(self.mrz.as_bytes()))
            .finish()
    }
}

impl fmt::Debug for StreamCheckDocumentsRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamCheckDocumentsRequest")
            .field("numbers", &Hidden(&self.numbers))
            .field("issuing_states", &self.issuing_states)
            .field("issuing_state_indexes", &self.issuing_state_indexes)
            .field("type", &self.r#type())
            .field("types", &self.types)
            .finish()
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("number", &Hidden(self.number.as_bytes()))
            .field("issuing_state", &self.issuing_state)
            .field("type", &self.r#type())
            .finish()
    }
}
