//! The machine-readable zone: Doc 9303 parts 3 to 7, and what issuers print instead.
//!
//! [`Mrz::read`] finds the layout, takes out what a lookup needs and verifies every check digit, field by field.
//! What it does not do:
//!
//! - It keeps no names, no date of birth, no personal number, not even in an error: those fields are read only as
//!   far as a check digit covers them.
//! - It repairs nothing but a digit where only letters stand: in issuer, nationality and the first place of the document
//!   code `0 1 2 5 8` are read as `O I Z S B`, and the reading says so. A check digit cannot tell characters apart whose values differ by 0, 10, 20 or 30 (`1` and
//!   `L`, `6` and `G`, `M` and `W`, `<` and `K`), and where it fails there are several readings that would pass.
//! - It does not judge. A zone whose check digits fail is still a zone; what follows from that is decided elsewhere.
//!
//! [`MrzLayout`] names the layouts, [`CheckDigit`] and [`FailedCheckDigits`] what was verified, [`NumberCheck`] how
//! the number's own digit was computed. The columns stand in `standard.rs` and `deviants.rs`, one table
//! a layout.

mod check_digit;
mod deviants;
mod layout;
mod letters;
mod number;
mod standard;
#[cfg(test)]
mod tests;
mod zone;

pub use check_digit::{CheckDigit, FailedCheckDigits};
pub use layout::MrzLayout;
pub use letters::{LetterField, ReadAsLetters};
pub use number::{LongNumberForm, NumberCheck};
pub use zone::ZoneShape;

use super::{DocumentNumber, DocumentType, Issuer};
use layout::Plan;
use std::fmt;
use zone::Zone;

/// What a zone says about the document, without names.
///
/// ```
/// use sltd::document::mrz::{CheckDigit, Mrz, MrzLayout};
///
/// let zone = Mrz::read(
///     "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
///      L898902C36UTO7408122F1204159ZE184226B<<<<<10",
/// )?;
/// assert_eq!(zone.layout, MrzLayout::Td3);
/// assert_eq!(zone.number.unwrap().as_str(), "L898902C3");
/// assert!(zone.failed.is_empty());
///
/// // One character of the number misread: two check digits see it.
/// let misread = Mrz::read(
///     "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
///      L898902O36UTO7408122F1204159ZE184226B<<<<<10",
/// )?;
/// assert!(misread.failed.iter().eq([CheckDigit::DocumentNumber, CheckDigit::Composite]));
/// # Ok::<(), sltd::document::mrz::MrzError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mrz {
    /// The layout found.
    pub layout: MrzLayout,
    /// The document code as printed.
    pub code: DocumentCode,
    /// The type its code stands for. Coarse: the second letter is each issuer's own.
    pub document_type: DocumentType,
    /// The issuer; `None` when the field is empty or not of the right form. Of a visa: the State that issued it.
    pub issuer: Option<Issuer>,
    /// The document number; `None` when the field is empty. Of a visa: its own number or that of the passport it
    /// is in, as the issuer chose.
    pub number: Option<DocumentNumber>,
    /// What the number's own check digit says.
    pub number_check: NumberCheck,
    /// The holder's nationality, where the layout has it and it has the form of a code. Codes that only a
    /// nationality can have (stateless, refugee) are among [`Issuer::Unknown`].
    pub nationality: Option<Issuer>,
    /// The date of expiry, where the layout has it and it is one.
    pub expiry: Option<ExpiryDate>,
    /// Check digits that do not verify, in the order of the enum.
    pub failed: FailedCheckDigits,
    /// The fields in which a digit was read as the letter that stands there.
    pub read_as_letters: ReadAsLetters,
}

/// Why a text cannot be segmented into the fields of a zone. Repeats nothing of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MrzError {
    /// There is nothing but blanks.
    #[error("no machine-readable zone: expected its lines as printed")]
    Empty,
    /// A character that no zone holds.
    #[error("line {line}, column {column}: expected a letter A-Z, a digit or the filler <")]
    Character {
        /// The line, from 1, blank lines not counted.
        line: usize,
        /// The column, from 1, in characters after leading blanks.
        column: usize,
    },
    /// The lines are those of no layout.
    #[error(
        "{0}: expected 3 of 30 (TD1), 2 of 36 (TD2, MRV-B), 2 of 44 (TD3, MRV-A), or a national layout: 2 of 34 \
         (Slovakia), 9, 30 and 30 (Swiss driving licence), one of 30 (French and Dutch driving licences)"
    )]
    Shape(ZoneShape),
    /// A zone that is known to exist, but not where its number stands.
    #[error("{0}: known, not supported; expected the number, issuing State and type typed instead")]
    NotSupported(&'static str),
    /// The document code does not begin with a letter: the zone is upside down or cut.
    #[error("line {line}, column 1: expected the letter that begins the document code")]
    DocumentCode {
        /// The line, from 1.
        line: usize,
    },
}

impl Mrz {
    /// Reads a zone: its lines as printed, separated by line breaks or blanks, or all in one unbroken string.
    ///
    /// Small letters, full-width forms, digits of other scripts and look-alikes are taken for what they stand for; an
    /// underscore at the end of a line for the filler. Control characters and quotation marks around a zone, and
    /// between its lines, are passed over. No allocation.
    ///
    /// A character in the names that no zone holds is passed over as well, where number, issuer and all check digits
    /// are intact that do not cover the names.
    ///
    /// # Errors
    /// [`MrzError`] when the text cannot be segmented. Check digits that do not verify are no error: see
    /// [`failed`](Self::failed).
    pub fn read(text: &str) -> Result<Self, MrzError> {
        let (mut zone, mut read_as_letters, plan) = Self::segment(text)?;
        let plan = plan.filter(|_| !deviants::is_pakistani_card(&zone));
        let Some(plan) = plan else {
            let unsupported = deviants::unsupported(&zone).map(MrzError::NotSupported);
            let shape = MrzError::Shape(zone.shape());
            return Err(unsupported.or(zone.forbidden()).unwrap_or(shape));
        };
        zone.end_lines(plan.lines);
        let fields = [
            (Some(plan.issuer), LetterField::IssuingState),
            (plan.nationality, LetterField::Nationality),
        ];
        for (span, field) in fields {
            if span.is_some_and(|span| zone.read_letters(plan.range(span))) {
                read_as_letters.insert(field);
            }
        }
        let forbidden = zone.forbidden();
        if forbidden.is_some() {
            for &names in plan.names {
                zone.blank_forbidden(plan.range(names));
            }
            if let Some(error) = zone.still_forbidden() {
                return Err(error);
            }
        }
        let read = Self::read_fields(plan, zone.characters(), read_as_letters)?;
        let intact = read.number.is_some()
            && read.issuer.is_some()
            && read.failed.iter().all(|digit| plan.covers_names(digit));
        match forbidden {
            Some(error) if !intact => Err(error),
            _ => Ok(read),
        }
    }

    /// Whether the lines of a text are those of a layout that is known, whatever stands in them. What is of a kind that
    /// can't be read, but may be the first line of a card, is none.
    pub fn has_layout(text: &str) -> bool {
        Self::segment(text).is_ok_and(|(zone, _, plan)| {
            plan.is_some() || (deviants::unsupported(&zone).is_some() && !Plan::is_begun_by(&zone))
        })
    }

    /// Whether a text is one line of 30 that begins a zone, or is all of it, and is no second line: where that has the
    /// date of birth, stand letters that are no misread digits.
    pub fn is_first_of_card(text: &str) -> bool {
        let [around, ..] = Zone::AROUND;
        Zone::scan(text, around).is_ok_and(|zone| {
            let letters = zone.characters().iter().take(5).filter(|&&c| {
                c.is_ascii_uppercase() && !matches!(c, b'O' | b'I' | b'S' | b'B' | b'Z')
            });
            zone.shape().lengths() == [30] && letters.count() > 1
        })
    }

    /// Whether the lines of a text are the first ones of a layout, and not all: the rest may follow.
    pub fn begins_layout(text: &str) -> bool {
        Zone::AROUND
            .into_iter()
            .any(|around| Zone::scan(text, around).is_ok_and(|zone| Plan::is_begun_by(&zone)))
    }

    /// The zone, and its plan if it fits one: else as it is without what may stand around it.
    fn segment(text: &str) -> Result<(Zone, ReadAsLetters, Option<&'static Plan>), MrzError> {
        let mut without = None;
        for around in Zone::AROUND {
            let mut zone = Zone::scan(text, around)?;
            let mut read_as_letters = ReadAsLetters::default();
            if letters::first_of_code(&mut zone) {
                read_as_letters.insert(LetterField::DocumentCode);
            }
            let plan = Plan::of(&zone);
            if plan.is_some() {
                return Ok((zone, read_as_letters, plan));
            }
            without.get_or_insert((zone, read_as_letters, None));
        }
        without.ok_or(MrzError::Empty)
    }

    fn read_fields(
        plan: &Plan,
        zone: &[u8],
        read_as_letters: ReadAsLetters,
    ) -> Result<Self, MrzError> {
        let code = DocumentCode::of(plan.field(zone, plan.code)).ok_or(MrzError::DocumentCode {
            line: plan.code.line,
        })?;
        let issuer = |span| {
            let field = std::str::from_utf8(plan.field(zone, span)).ok()?;
            Issuer::from_zone(field).ok()
        };
        let (number, number_check) = number::read(plan, zone);
        let mut failed: FailedCheckDigits = plan
            .checks
            .iter()
            .filter(|check| !plan.verify(zone, check))
            .map(|check| check.digit)
            .collect();
        if number_check == NumberCheck::Failed {
            failed.insert(CheckDigit::DocumentNumber);
        }
        Ok(Self {
            layout: plan.layout,
            code,
            document_type: code.document_type(),
            issuer: issuer(plan.issuer),
            number,
            number_check,
            nationality: plan.nationality.and_then(issuer),
            expiry: plan
                .expiry
                .and_then(|span| ExpiryDate::of(plan.field(zone, span))),
            failed,
            read_as_letters,
        })
    }
}

/// A document code as printed: one or two characters, the first a letter (`P`, `ID`, `D1`).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct DocumentCode([u8; 2]);

impl DocumentCode {
    fn of(field: &[u8]) -> Option<Self> {
        match *field {
            [first, second] if first.is_ascii_uppercase() => Some(Self([first, second])),
            _ => None,
        }
    }

    /// The code without the filler.
    pub fn as_str(&self) -> &str {
        let text = std::str::from_utf8(&self.0).unwrap_or_default();
        text.trim_end_matches('<')
    }

    /// Whether it is a passport card, `IP`: lists have it as a passport and as a card.
    pub fn is_passport_card(self) -> bool {
        self.as_str() == "IP"
    }

    /// Whether it is a passport as a State gives it to its nationals: `P` with any second letter (`PP`, `PD`, `PO`,
    /// `PM`, and what issuers chose before these were laid down) but those that Doc 9303 part 4 section 4.4 has for
    /// documents whose holder is of another State by nature: refugees (`PR`), aliens (`PT`), stateless persons (`PS`),
    /// laissez-passer (`PL`), emergencies (`PE`, `PU`).
    pub fn is_national_passport(self) -> bool {
        let Self([first, second]) = self;
        first == b'P' && !matches!(second, b'R' | b'T' | b'S' | b'L' | b'E' | b'U')
    }

    /// The type its first letter stands for (Doc 9303 parts 4 to 7): `P` a passport, `V` a visa, `A`, `C` and `I`
    /// a card; everything else is [`Other`](DocumentType::Other).
    ///
    /// The second letter is left to issuers, who use it as they like (`PP`, `PD`, `IP`, `AC`), so it decides
    /// nothing. Hence the type is coarse: `P` leads booklets of refugees as well, `I` residence permits, and
    /// [`DocumentType::compatible_with`] allows for it. Driving licences (`D1`, `FA`) are other documents.
    pub fn document_type(self) -> DocumentType {
        let Self([first, second]) = self;
        match first {
            b'P' => DocumentType::Passport,
            b'V' => DocumentType::Visa,
            b'A' | b'C' | b'I' if !second.is_ascii_digit() => DocumentType::IdentityCard,
            _ => DocumentType::Other,
        }
    }
}

impl fmt::Debug for DocumentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for DocumentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A date of expiry as printed: the zone leaves the century out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpiryDate {
    /// Year of the century, 0 to 99.
    pub year: u8,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day, 1 to 31: not held against the length of the month.
    pub day: u8,
}

impl ExpiryDate {
    /// `None` when it is left out, in part or as a whole, or is no date.
    fn of(field: &[u8]) -> Option<Self> {
        let [y1, y2, m1, m2, d1, d2] = *field else {
            return None;
        };
        let two = |tens: u8, ones: u8| {
            let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
            digits.then(|| (tens - b'0') * 10 + (ones - b'0'))
        };
        let (year, month, day) = (two(y1, y2)?, two(m1, m2)?, two(d1, d2)?);
        let valid = (1..=12).contains(&month) && (1..=31).contains(&day);
        valid.then_some(Self { year, month, day })
    }
}
