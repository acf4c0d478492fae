//! What is asked.

use crate::document::DocumentType;
use crate::proto::{self, CheckDocumentRequest};
use std::fmt;

/// One question about one document, as typed or read: the service normalises it.
#[derive(Clone, PartialEq)]
pub struct Question(CheckDocumentRequest);

impl Question {
    /// About the document with this number.
    pub fn number(number: impl Into<String>) -> Self {
        Self(CheckDocumentRequest {
            number: number.into(),
            ..CheckDocumentRequest::default()
        })
    }

    /// About the document with this machine-readable zone, its lines as printed, parted by line
    /// breaks.
    pub fn zone(zone: impl Into<String>) -> Self {
        Self(CheckDocumentRequest {
            mrz: zone.into(),
            ..CheckDocumentRequest::default()
        })
    }

    /// The issuing State: a Doc 9303 code, an ISO 3166-1 code or a known alias; empty: not known.
    /// Beside a zone it must say the same as the zone.
    #[must_use]
    pub fn issuing_state(mut self, state: impl Into<String>) -> Self {
        self.0.issuing_state = state.into();
        self
    }

    /// The type; without it a match is a REVIEW at most. Beside a zone it must say the same.
    #[must_use]
    pub fn document_type(mut self, document_type: DocumentType) -> Self {
        self.0.set_type(wire_type(document_type));
        self
    }

    /// The message that asks it.
    pub fn request(&self) -> &CheckDocumentRequest {
        &self.0
    }
}

fn wire_type(document_type: DocumentType) -> proto::DocumentType {
    match document_type {
        DocumentType::Passport => proto::DocumentType::Passport,
        DocumentType::DomesticPassport => proto::DocumentType::DomesticPassport,
        DocumentType::IdentityCard => proto::DocumentType::IdentityCard,
        DocumentType::Visa => proto::DocumentType::Visa,
        DocumentType::ResidencePermit => proto::DocumentType::ResidencePermit,
        DocumentType::RefugeeTravelDocument => proto::DocumentType::RefugeeTravelDocument,
        DocumentType::EmergencyTravelDocument => proto::DocumentType::EmergencyTravelDocument,
        DocumentType::SeafarersDocument => proto::DocumentType::SeafarersDocument,
        DocumentType::LaissezPasser => proto::DocumentType::LaissezPasser,
        DocumentType::Other => proto::DocumentType::Other,
    }
}

/// A question about a number of which nothing else is known.
impl From<&str> for Question {
    fn from(number: &str) -> Self {
        Self::number(number)
    }
}

/// A question about a number of which nothing else is known.
impl From<String> for Question {
    fn from(number: String) -> Self {
        Self::number(number)
    }
}

/// Shows what was given, never the number, which would end up in logs.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Question")
            .field("number", &Given(&self.0.number))
            .field("zone", &Given(&self.0.mrz))
            .field("issuing_state", &self.0.issuing_state)
            .field("document_type", &self.0.r#type())
            .finish()
    }
}

struct Given<'a>(&'a str);

impl fmt::Debug for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "none" } else { "given" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_number() {
        let question = Question::number("X0000001").issuing_state("UTO");
        let shown = format!("{question:?} {:?}", Question::zone("P<UTOX0000001"));
        assert!(!shown.contains("X0000001"), "{shown}");
        assert!(shown.contains("UTO"), "{shown}");
    }
}
