//! Issuing States, ICAO Doc 9303 part 3 section 5.
//!
//! [`IssuingState`] is one that can issue a document and be reported for it; [`Issuer`]
//! is what a question says about the issuer, which may be a code nobody knows. The
//! canonical form is the one printed in the machine-readable zone, so Germany is `D`.

mod codes;
mod lookup;
mod related;
#[cfg(test)]
mod tests;

use super::characters::{ascii, is_invisible};
use super::transliteration::look_alike;
use lookup::Meaning;
pub(super) use lookup::pad;
use std::fmt;

/// A known issuing State in its Doc 9303 code (`D` for Germany). Ordered by the padded
/// code, in which `<` comes before the letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuingState([u8; 3]);

/// A code of the right form that names no issuing State we know; echoed, never mapped.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UnknownIssuer([u8; 3]);

/// What a query says about the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Issuer {
    /// A known issuing State, or `UTO`, the specimen State, for which nothing is ever
    /// reported.
    Known(IssuingState),
    /// A code of the right form that is not known.
    Unknown(UnknownIssuer),
}

/// Why a text names no issuing State.
///
/// A text that is not of the right form is not repeated: in a list with shifted columns
/// it may be a document number or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// Nothing but spaces and fillers.
    #[error("empty; expected an issuing State of one to three letters")]
    Empty,
    /// More than three characters.
    #[error("{length} characters; expected an issuing State of one to three letters")]
    TooLong {
        /// Characters between surrounding spaces and fillers.
        length: usize,
    },
    /// A character other than `A-Z`.
    #[error(
        "character {position} is not a letter; expected an issuing State of one to three letters A-Z"
    )]
    NotALetter {
        /// The character's place among those between surrounding spaces and fillers,
        /// counted from 1.
        position: usize,
    },
    /// The right form, but no code of ISO 3166-1 or Doc 9303 part 3 section 5.
    #[error("{code} is not known; expected a code of ISO 3166-1 or ICAO Doc 9303 part 3 section 5")]
    Unknown {
        /// The code.
        code: UnknownIssuer,
    },
    /// A State that is no more, and no single State follows from the code.
    #[error(
        "{code} is no longer a State; expected the one that answers for the document today: {instead}"
    )]
    Dissolved {
        /// The code.
        code: UnknownIssuer,
        /// The codes to choose from.
        instead: &'static str,
    },
    /// A nationality of stateless persons and refugees.
    #[error("{code} is a nationality, not an issuer; expected the State that printed the document")]
    NationalityOnly {
        /// The code.
        code: UnknownIssuer,
    },
    /// The State of Doc 9303's specimens.
    #[error("UTO is the specimen State of ICAO Doc 9303; expected a real one")]
    Specimen,
}

impl IssuingState {
    /// How many States there are.
    pub const COUNT: usize = codes::STATES.len();

    /// Parses a code or alias (`DEU`, `DE`, `D`, `D<<`); only States for which reports
    /// may be loaded. Case, surrounding spaces and surrounding fillers do not count.
    ///
    /// Aliases are the ISO 3166-1 alpha-2 codes and the few codes known to stand for
    /// another one; a three-letter code is never read as anything but itself or its
    /// alias.
    ///
    /// # Errors
    ///
    /// [`StateError`] for anything else: `UTO` is refused because a specimen must never
    /// match production data, XXA to XXX because they say who the holder is.
    pub fn parse(raw: &str) -> Result<Self, StateError> {
        let padded = letters(raw)?;
        let code = UnknownIssuer(padded);
        match lookup::meaning(padded) {
            Meaning::State(row) => Ok(Self::of_row(row)),
            Meaning::Unknown => Err(StateError::Unknown { code }),
            Meaning::NationalityOnly => Err(StateError::NationalityOnly { code }),
            Meaning::Specimen => Err(StateError::Specimen),
            Meaning::Dissolved(row) => Err(StateError::Dissolved {
                code,
                instead: lookup::DISSOLVED[row].1,
            }),
        }
    }

    /// The code, one to three letters.
    pub fn code(&self) -> &str {
        text(&self.0)
    }

    /// The code padded with `<` to three bytes, as in the MRZ.
    pub fn padded(&self) -> [u8; 3] {
        self.0
    }

    /// The State of a padded code as [`padded`](Self::padded) gives it; `None` if not
    /// known. Aliases and the specimen State are not known here.
    pub fn from_padded(padded: [u8; 3]) -> Option<Self> {
        match lookup::meaning(padded) {
            Meaning::State(row) => Some(Self::of_row(row)).filter(|state| state.0 == padded),
            _ => None,
        }
    }

    /// Its place among [`all`](Self::all), below [`COUNT`](Self::COUNT): the index of what is kept
    /// for each State. `None` for the specimen State, of which nothing is kept.
    #[inline]
    pub fn ordinal(&self) -> Option<usize> {
        lookup::row(self.0)
    }

    /// Its English short name as in ISO 3166-1, or the organisation's name.
    pub fn name(&self) -> &'static str {
        match lookup::meaning(self.0) {
            Meaning::State(row) => codes::STATES[row].name,
            _ => "Utopia (specimens)",
        }
    }

    /// All known States in order of their padded codes.
    pub fn all() -> impl Iterator<Item = Self> {
        codes::STATES.iter().map(|row| Self(row.padded))
    }

    /// Whether both belong to one issuer group but are not equal: Kosovo and the mission
    /// before it, China and its special administrative regions, the United Kingdom, the
    /// classes of British nationals and the territories, and other States and the
    /// territories whose documents are theirs.
    pub fn same_group(&self, other: &Self) -> bool {
        related::same_group(self.0, other.0)
    }

    /// Whether anything can be reported of its documents: not of the specimen State's.
    pub fn is_reportable(&self) -> bool {
        self.ordinal().is_some()
    }

    /// Whether it is an organisation: its documents name the State of which the holder is a national.
    pub fn is_organisation(&self) -> bool {
        matches!(
            &self.0,
            b"EUE" | b"IAO" | b"UNA" | b"UNK" | b"UNO" | [b'X', ..]
        )
    }

    /// The padded code of the State of an [`ordinal`](Self::ordinal).
    pub(super) const fn padded_of(ordinal: usize) -> [u8; 3] {
        codes::STATES[ordinal].padded
    }

    fn of_row(row: usize) -> Self {
        Self(codes::STATES[row].padded)
    }
}

impl Issuer {
    /// Parses a code or alias, keeping one that has the right form but names no State:
    /// whoever asks about it learns that the issuer was not known, and a number that is
    /// reported is looked at by a person.
    ///
    /// `UTO` is taken for what it is, so that a specimen can be read and is never taken
    /// for a reported document.
    ///
    /// # Errors
    ///
    /// [`StateError::Empty`], [`StateError::TooLong`], [`StateError::NotALetter`].
    pub fn parse(raw: &str) -> Result<Self, StateError> {
        letters(raw).map(Self::of)
    }

    /// Reads the issuer field of a machine-readable zone, where two letters are more
    /// often a code whose third was read as a filler than an alpha-2 code: `PA<` may be
    /// PAK, `DK<` may be `D<<`. Such a code is kept as unknown. `GB<`, which does occur,
    /// and every other two-letter code of today without such a neighbour are taken as
    /// [`parse`](Self::parse) takes them. The field is filled from the left, so a code
    /// behind a filler has lost its beginning and is unknown, too: `<AF` may be CAF.
    ///
    /// # Errors
    ///
    /// As [`parse`](Self::parse).
    pub fn from_zone(field: &str) -> Result<Self, StateError> {
        let padded = letters(field)?;
        let two_letters = padded[1] != b'<' && padded[2] == b'<';
        let misread = field.starts_with('<')
            || two_letters
                && (lookup::is_typed_only(padded) || related::misread_of_another(padded));
        if misread {
            return Ok(Self::Unknown(UnknownIssuer(padded)));
        }
        Ok(Self::of(padded))
    }

    /// The code as it is echoed: the canonical one of a known issuer, else as given, in
    /// capitals and without fillers.
    pub fn code(&self) -> &str {
        match self {
            Self::Known(state) => state.code(),
            Self::Unknown(unknown) => unknown.code(),
        }
    }

    /// The issuing State, if it is known.
    pub fn known(&self) -> Option<IssuingState> {
        match self {
            Self::Known(state) => Some(*state),
            Self::Unknown(_) => None,
        }
    }

    /// Whether the two codes, padded to three places, differ in one place only, and there
    /// by letters that readers confuse: O-Q-D, I-L, H-M and the filler with K or C.
    pub fn one_confusable_letter_from(&self, reported: &IssuingState) -> bool {
        let padded = match self {
            Self::Known(state) => state.0,
            Self::Unknown(unknown) => unknown.0,
        };
        related::one_confusable_letter_apart(padded, reported.0)
    }

    fn of(padded: [u8; 3]) -> Self {
        match lookup::meaning(padded) {
            Meaning::State(row) => Self::Known(IssuingState::of_row(row)),
            Meaning::Specimen => Self::Known(IssuingState(padded)),
            Meaning::Unknown | Meaning::NationalityOnly | Meaning::Dissolved(_) => {
                Self::Unknown(UnknownIssuer(padded))
            }
        }
    }
}

impl From<IssuingState> for Issuer {
    fn from(state: IssuingState) -> Self {
        Self::Known(state)
    }
}

impl UnknownIssuer {
    /// The code as given, in capitals and without fillers.
    pub fn code(&self) -> &str {
        text(&self.0)
    }
}

/// The one to three letters of a text, in capitals, padded. Letters of other scripts stand for what they look like, as
/// in numbers.
#[inline]
fn letters(raw: &str) -> Result<[u8; 3], StateError> {
    // As nearly every code is written: one is read for each check.
    if (1..=3).contains(&raw.len()) && raw.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Ok(lookup::pad(raw.as_bytes()));
    }
    letters_of_any_script(raw)
}

#[cold]
fn letters_of_any_script(raw: &str) -> Result<[u8; 3], StateError> {
    let trimmed = raw.trim_matches(|c: char| c == '<' || c.is_whitespace() || is_invisible(c));
    let mut padded = [b'<'; 3];
    let mut length = 0;
    let mut wrong = None;
    for character in trimmed.chars().filter(|&c| !is_invisible(c)) {
        let letter = ascii(character).or_else(|| look_alike(character));
        match letter.filter(u8::is_ascii_alphabetic) {
            Some(letter) => {
                if let Some(slot) = padded.get_mut(length) {
                    *slot = letter.to_ascii_uppercase();
                }
            }
            None => wrong = wrong.or(Some(length + 1)),
        }
        length += 1;
    }
    match (length, wrong) {
        (0, _) => Err(StateError::Empty),
        (4.., _) => Err(StateError::TooLong { length }),
        (_, Some(position)) => Err(StateError::NotALetter { position }),
        (_, None) => Ok(padded),
    }
}

fn text(padded: &[u8; 3]) -> &str {
    let len = padded
        .iter()
        .position(|&letter| letter == b'<')
        .unwrap_or(padded.len());
    // Only letters get here, and letters are UTF-8.
    std::str::from_utf8(&padded[..len]).unwrap_or_default()
}

impl fmt::Display for IssuingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Display for UnknownIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl fmt::Debug for IssuingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IssuingState({})", self.code())
    }
}

impl fmt::Debug for UnknownIssuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "UnknownIssuer({})", self.code())
    }
}
