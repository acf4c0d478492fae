//! Document types and which of them can name the same document.

/// The type of a travel document. The discriminants are the codes stored in segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DocumentType {
    /// A passport for travel abroad.
    Passport = 1,
    /// A passport for use inside the issuing State only.
    DomesticPassport = 2,
    /// An identity card.
    IdentityCard = 3,
    /// A visa.
    Visa = 4,
    /// A residence permit.
    ResidencePermit = 5,
    /// A refugee's or stateless person's travel document.
    RefugeeTravelDocument = 6,
    /// An emergency travel document.
    EmergencyTravelDocument = 7,
    /// A seafarer's identity document.
    SeafarersDocument = 8,
    /// A laissez-passer.
    LaissezPasser = 9,
    /// Anything else.
    Other = 10,
}

impl DocumentType {
    /// Every type, in order of its code.
    pub const ALL: [Self; 10] = [
        Self::Passport,
        Self::DomesticPassport,
        Self::IdentityCard,
        Self::Visa,
        Self::ResidencePermit,
        Self::RefugeeTravelDocument,
        Self::EmergencyTravelDocument,
        Self::SeafarersDocument,
        Self::LaissezPasser,
        Self::Other,
    ];
    /// The code stored in segments, 1 to 10.
    pub fn code(self) -> u8 {
        self as u8
    }
    /// The type of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|t| t.code() == code)
    }
    /// The name in lists and on command lines: `identity_card`.
    pub fn name(self) -> &'static str {
        todo!()
    }
    /// The type a [`name`](Self::name) stands for.
    pub fn from_name(_name: &str) -> Option<Self> {
        todo!()
    }
    /// Whether a document asked about as `self` can be the one reported as `reported`.
    pub fn compatible_with(self, _reported: Self) -> bool {
        todo!()
    }
}
