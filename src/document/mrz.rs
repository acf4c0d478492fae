//! The machine-readable zone. STUB.

use super::{DocumentNumber, DocumentType, Issuer};

/// Layout of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MrzLayout {
    /// Three lines of 30.
    Td1,
    /// Two lines of 36.
    Td2,
    /// Two lines of 44.
    Td3,
    /// Visa, two lines of 44.
    MrvA,
    /// Visa, two lines of 36.
    MrvB,
    // national deviants follow
}

/// A check digit of the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CheckDigit {
    /// Over the document number.
    DocumentNumber,
    /// Over the date of birth.
    DateOfBirth,
    /// Over the date of expiry.
    DateOfExpiry,
    /// Over the optional data (TD3).
    OptionalData,
    /// Over several fields.
    Composite,
}

/// What a zone says, without names.
#[derive(Debug, Clone)]
pub struct Mrz {
    /// The layout found.
    pub layout: MrzLayout,
    /// The type its code stands for.
    pub document_type: DocumentType,
    /// The issuer; `None` when the field is empty or not of the right form.
    pub issuer: Option<Issuer>,
    /// The document number; `None` when the field is empty.
    pub number: Option<DocumentNumber>,
    /// Check digits that do not verify, in the order of the enum.
    pub failed: Vec<CheckDigit>,
}

/// Why a text cannot be segmented.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a machine-readable zone")]
pub struct MrzError;

impl Mrz {
    /// Reads a zone: lines as printed, separated by line breaks (or one unbroken string).
    pub fn read(_text: &str) -> Result<Self, MrzError> {
        todo!()
    }
}
