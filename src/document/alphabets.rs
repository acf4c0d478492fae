//! Characters that an issuer's numbers never have.
//!
//! Unlike a format, which is a hint, an alphabet is law: a number with another letter does not exist, so it was
//! mistyped or misread. Only alphabets that a regulation states are listed, one an entry.

use super::{DocumentNumber, DocumentType, IssuingState};

/// The characters of German numbers since 1 November 2007: no vowels, so that they make no words, and no `B D Q S`,
/// which are misread (Federal Ministry of the Interior, leaflet on alphanumeric serial numbers, 1 October 2011).
pub(super) const GERMAN: &str = "CFGHJKLMNPRTVWXYZ0123456789";

/// The alphabet of the numbers of one State's documents.
struct Alphabet {
    state: [u8; 3],
    document_type: DocumentType,
    /// Numbers of this length only: others are of documents before the regulation, or of other kinds.
    length: usize,
    characters: &'static str,
    /// Where it is laid down.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "for readers of the table, and the test that each has one"
        )
    )]
    regulation: &'static str,
}

/// In order of the State's code. A letter and seven digits, as on provisional and children's documents, are eight
/// characters and not meant here.
static ALPHABETS: [Alphabet; 2] = [
    Alphabet {
        state: *b"D<<",
        document_type: DocumentType::Passport,
        length: 9,
        characters: GERMAN,
        regulation: "Passverordnung of 19 October 2007 (BGBl. I p. 2386), annex 11: formal requirements of the entries",
    },
    Alphabet {
        state: *b"D<<",
        document_type: DocumentType::IdentityCard,
        length: 9,
        characters: GERMAN,
        regulation: "Personalausweisgesetz section 2 (8) and Personalausweisverordnung of 1 November 2010 (BGBl. I p. 1460)",
    },
];

/// Whether the numbers of a State's documents of a type have an alphabet.
pub(crate) fn is_known_of(state: &IssuingState, document_type: DocumentType) -> bool {
    ALPHABETS
        .iter()
        .any(|row| row.state == state.padded() && row.document_type == document_type)
}

/// Whether no document of the State and type has this number, since it holds a character outside the alphabet.
pub(crate) fn excludes(
    state: &IssuingState,
    document_type: DocumentType,
    number: &DocumentNumber,
) -> bool {
    ALPHABETS.iter().any(|row| {
        row.state == state.padded()
            && row.document_type == document_type
            && row.excludes(number.as_bytes())
    })
}

/// Whether some alphabet excludes a number, whatever the State and type: a first look.
pub(crate) fn may_exclude(number: &DocumentNumber) -> bool {
    ALPHABETS.iter().any(|row| row.excludes(number.as_bytes()))
}

impl Alphabet {
    fn excludes(&self, number: &[u8]) -> bool {
        number.len() == self.length
            && number
                .iter()
                .any(|byte| !self.characters.as_bytes().contains(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn german_numbers_of_nine_characters() {
        for (state, document_type, number, expected) in [
            ("D", DocumentType::Passport, "C01X00T47", false),
            ("D", DocumentType::Passport, "CO1X00T47", true),
            ("D", DocumentType::Passport, "C01X00D47", true),
            ("D", DocumentType::IdentityCard, "LO1X00T47", true),
            ("D", DocumentType::IdentityCard, "L01X00T47", false),
            ("D", DocumentType::Visa, "CO1X00T47", false),
            // A letter and seven digits; all digits, of before 2007; with the check digit behind.
            ("D", DocumentType::Passport, "E1234567", false),
            ("D", DocumentType::Passport, "123456789", false),
            ("D", DocumentType::Passport, "CO1X00T478", false),
            ("AUT", DocumentType::Passport, "CO1X00T47", false),
        ] {
            let state = IssuingState::parse(state).unwrap();
            let parsed = DocumentNumber::normalise(number).unwrap();
            assert_eq!(
                excludes(&state, document_type, &parsed),
                expected,
                "{number}"
            );
            assert!(!expected || is_known_of(&state, document_type));
        }
    }

    #[test]
    fn every_alphabet_has_a_regulation() {
        for row in &ALPHABETS {
            assert!(IssuingState::from_padded(row.state).is_some() && !row.regulation.is_empty());
        }
    }
}
