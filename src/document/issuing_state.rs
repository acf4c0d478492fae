//! Issuing States, ICAO Doc 9303 part 3 section 5.

/// A known issuing State in its Doc 9303 code (`D` for Germany).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuingState([u8; 3]);

/// A code of the right form that names no issuing State we know; echoed, never mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownIssuer([u8; 3]);

/// What a query says about the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// A known issuing State.
    Known(IssuingState),
    /// A code of the right form that is not known.
    Unknown(UnknownIssuer),
}

/// Why a text names no issuing State. STUB.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an issuing State")]
pub struct StateError;

impl IssuingState {
    /// Parses a code or alias (`DEU`, `DE`, `D`, `D<<`); only known States.
    pub fn parse(_raw: &str) -> Result<Self, StateError> {
        todo!()
    }
    /// The code, one to three letters.
    pub fn code(&self) -> &str {
        todo!()
    }
    /// The code padded with `<` to three bytes, as in the MRZ.
    pub fn padded(&self) -> [u8; 3] {
        self.0
    }
    /// The State of a padded code as [`padded`](Self::padded) gives it; `None` if not known.
    pub fn from_padded(_padded: [u8; 3]) -> Option<Self> {
        todo!()
    }
    /// Its English short name.
    pub fn name(&self) -> &'static str {
        todo!()
    }
    /// All known States in order of their padded codes.
    pub fn all() -> impl Iterator<Item = Self> {
        std::iter::empty()
    }
    /// Whether both belong to one issuer group but are not equal.
    pub fn same_group(&self, _other: &Self) -> bool {
        todo!()
    }
}

impl Issuer {
    /// Parses a code, keeping one that has the right form but is not known.
    pub fn parse(_raw: &str) -> Result<Self, StateError> {
        todo!()
    }
    /// The code as it is echoed.
    pub fn code(&self) -> &str {
        todo!()
    }
    /// Whether the two codes are apart by one letter that readers confuse.
    pub fn one_confusable_letter_from(&self, _reported: &IssuingState) -> bool {
        todo!()
    }
}
