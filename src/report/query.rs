//! What is asked.

use crate::document::mrz::{CheckDigit, Mrz, MrzError, NumberCheck};
use crate::document::{DocumentNumber, DocumentType, Issuer, IssuingState, alphabets};

/// One question about one document.
///
/// Made from single fields, from a machine-readable zone, or from a zone and what was
/// typed beside it ([`with_fields`](Self::with_fields)).
#[derive(Debug, Clone, Copy)]
pub struct Query {
    /// The number; `None` when the zone was unreadable or its number empty.
    pub number: Option<DocumentNumber>,
    /// The issuer, where given.
    pub issuer: Option<Issuer>,
    /// The type, where given.
    pub document_type: Option<DocumentType>,
    /// Whether the number's own check digit failed; `false` for a number without one.
    pub number_check_failed: bool,
    /// The zone it was read from.
    pub mrz: Option<Mrz>,
    /// Whether the zone is of a kind that is known and can't be read.
    pub zone_not_supported: bool,
}

/// Why a zone and the fields given beside it are not one question.
///
/// The values differ, so one of them is wrong, and guessing which would answer about
/// another document. Numbers are not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// Two numbers.
    #[error(
        "the number given differs from the one in the machine-readable zone; expected the same or one of them"
    )]
    NumberDiffers,
    /// Two issuers.
    #[error(
        "the issuing State given is {given}, the machine-readable zone says {zone}; expected the same or one of them"
    )]
    IssuerDiffers {
        /// As given in the field.
        given: Issuer,
        /// As read from the zone.
        zone: Issuer,
    },
    /// Two types that cannot be the same document.
    #[error(
        "the type given is {given}, the machine-readable zone says {zone}; expected one that it can be, or none"
    )]
    TypeDiffers {
        /// As given in the field.
        given: DocumentType,
        /// As read from the zone.
        zone: DocumentType,
    },
}

impl Query {
    /// A question typed in fields.
    pub fn from_fields(
        number: DocumentNumber,
        issuer: Option<Issuer>,
        document_type: Option<DocumentType>,
    ) -> Self {
        Self {
            number: Some(number),
            issuer,
            document_type,
            number_check_failed: false,
            mrz: None,
            zone_not_supported: false,
        }
    }

    /// A question read from a machine-readable zone.
    pub fn from_mrz(mrz: Mrz) -> Self {
        Self {
            number: mrz.number,
            issuer: mrz.issuer,
            document_type: Some(mrz.document_type),
            number_check_failed: mrz.failed.contains(CheckDigit::DocumentNumber),
            mrz: Some(mrz),
            zone_not_supported: false,
        }
    }

    /// A question whose zone could not be segmented.
    pub fn unreadable() -> Self {
        Self {
            number: None,
            issuer: None,
            document_type: None,
            number_check_failed: false,
            mrz: None,
            zone_not_supported: false,
        }
    }

    /// A question whose zone could not be read, and why.
    pub fn from_mrz_error(error: MrzError) -> Self {
        Self {
            zone_not_supported: matches!(error, MrzError::NotSupported(_)),
            ..Self::unreadable()
        }
    }

    /// The question without its number, as of a zone in whose place for it stands none.
    #[must_use]
    pub fn without_number(self) -> Self {
        Self {
            number: None,
            number_check_failed: false,
            ..self
        }
    }

    /// Whether the document asked about can be one reported as of a type, as far as types go; `None` if no type is
    /// asked about. A passport card is a passport to some lists and a card to others.
    pub(super) fn can_be(&self, reported: DocumentType) -> Option<bool> {
        let asked = self.document_type?;
        let card = self.mrz.is_some_and(|mrz| mrz.code.is_passport_card());
        Some(
            asked.compatible_with(reported)
                || (card && DocumentType::Passport.compatible_with(reported)),
        )
    }

    /// The State whose reports count as perhaps meant although another is read as the issuer, since no check digit
    /// covers that: the State of the holder's nationality, on a passport of a national that is read without a fault.
    /// Never of visas, permits and documents of refugees, nor of organisations' documents, where the two differ by
    /// nature.
    pub(super) fn nationality_in_doubt(&self) -> Option<IssuingState> {
        let mrz = self.mrz.as_ref()?;
        let issuer = self.issuer?.known()?;
        let nationality = mrz.nationality?.known()?;
        let read_whole = mrz.failed.is_empty() && mrz.number_check != NumberCheck::Absent;
        (read_whole
            && mrz.code.is_national_passport()
            && self.document_type == Some(DocumentType::Passport)
            && issuer != nationality
            && issuer.is_reportable()
            && !issuer.is_organisation()
            && !nationality.is_organisation())
        .then_some(nationality)
    }

    /// Whether no document of the State and type asked about has this number, since it holds a letter that they never
    /// have. Not where the number's check digit verifies: then it was read right.
    pub(crate) fn number_is_impossible(&self) -> bool {
        let (Some(number), Some(Issuer::Known(state)), Some(document_type)) =
            (&self.number, &self.issuer, self.document_type)
        else {
            return false;
        };
        alphabets::excludes(state, document_type, number)
            && !self.mrz.is_some_and(|mrz| {
                mrz.number.is_some()
                    && matches!(
                        mrz.number_check,
                        NumberCheck::Verified | NumberCheck::VerifiedLong(_)
                    )
            })
    }

    /// Adds what was given in fields beside the zone: it fills what the zone lacks and
    /// must agree with what it has. Of two types that can be the same document the finer
    /// one stands: the zone of a refugee's travel document says no more than `P`.
    ///
    /// # Errors
    ///
    /// [`QueryError`] for the first of number, issuer and type that differs.
    pub fn with_fields(
        mut self,
        number: Option<DocumentNumber>,
        issuer: Option<Issuer>,
        document_type: Option<DocumentType>,
    ) -> Result<Self, QueryError> {
        match (number, self.number) {
            (Some(given), Some(zone)) if given != zone => return Err(QueryError::NumberDiffers),
            (given, zone) => self.number = zone.or(given),
        }
        match (issuer, self.issuer) {
            (Some(given), Some(zone)) if given != zone => {
                return Err(QueryError::IssuerDiffers { given, zone });
            }
            (given, zone) => self.issuer = zone.or(given),
        }
        self.document_type = match (document_type, self.document_type) {
            (Some(DocumentType::Passport), Some(_))
                if self.mrz.is_some_and(|mrz| mrz.code.is_passport_card()) =>
            {
                Some(DocumentType::Passport)
            }
            (Some(given), Some(zone)) if !given.compatible_with(zone) => {
                return Err(QueryError::TypeDiffers { given, zone });
            }
            (Some(given), Some(zone)) if fineness(given) > fineness(zone) => Some(given),
            (given, zone) => zone.or(given),
        };
        Ok(self)
    }
}

/// How much a type says: of two compatible types that differ, one is always finer.
fn fineness(document_type: DocumentType) -> u8 {
    match document_type {
        DocumentType::Other => 0,
        DocumentType::Passport | DocumentType::IdentityCard => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<DocumentNumber> {
        DocumentNumber::from_normalised(text.as_bytes())
    }

    fn issuer(code: &str) -> Option<Issuer> {
        Issuer::parse(code).ok()
    }

    /// The zone of the German specimen passport, with the second line as given.
    fn zone(second_line: &str) -> Mrz {
        let first_line = format!("{:<<44}", "P<D<<MUSTERMANN<<ERIKA");
        Mrz::read(&format!("{first_line}\n{second_line}")).unwrap()
    }

    const SPECIMEN: &str = "C01X00T478D<<6408125F2702283<<<<<<<<<<<<<<<4";

    #[test]
    fn a_zone_is_a_whole_question() {
        let query = Query::from_mrz(zone(SPECIMEN));
        assert_eq!(
            (query.number, query.issuer),
            (number("C01X00T47"), issuer("D"))
        );
        assert_eq!(query.document_type, Some(DocumentType::Passport));
        assert_eq!(query.mrz, Some(zone(SPECIMEN)));
        assert!(zone(SPECIMEN).failed.is_empty());
    }

    #[test]
    fn only_the_numbers_own_check_digit_counts() {
        let check = |second_line: &str, failed: &[CheckDigit], counts| {
            let mrz = zone(second_line);
            assert!(
                mrz.failed.iter().eq(failed.iter().copied()),
                "{:?}",
                mrz.failed
            );
            assert_eq!(Query::from_mrz(mrz).number_check_failed, counts);
        };
        use CheckDigit::{Composite, DateOfBirth, DocumentNumber};
        check(SPECIMEN, &[], false);
        check(
            "C01X00T478D<<6408135F2702283<<<<<<<<<<<<<<<4",
            &[DateOfBirth, Composite],
            false,
        );
        check(
            "C01X00T479D<<6408125F2702283<<<<<<<<<<<<<<<4",
            &[DocumentNumber, Composite],
            true,
        );
    }

    #[test]
    fn finer_types_are_told_apart() {
        for a in DocumentType::ALL {
            for b in DocumentType::ALL {
                assert!(
                    !a.compatible_with(b) || a == b || fineness(a) != fineness(b),
                    "{a} {b}"
                );
            }
        }
    }

    #[test]
    fn fields_beside_a_zone() {
        use DocumentType::*;
        type Given = (&'static str, &'static str, Option<DocumentType>);
        let check = |(n, i, t): Given, expected: Result<Option<DocumentType>, QueryError>| {
            let query = Query::from_mrz(zone(SPECIMEN)).with_fields(number(n), issuer(i), t);
            let found = query.map(|query| {
                assert_eq!(
                    (query.number, query.issuer),
                    (number("C01X00T47"), issuer("D"))
                );
                query.document_type
            });
            assert_eq!(found, expected, "{n} {i} {t:?}");
        };
        check(("", "", None), Ok(Some(Passport)));
        check(("C01X00T47", "DEU", Some(Passport)), Ok(Some(Passport)));
        check(
            ("", "", Some(RefugeeTravelDocument)),
            Ok(Some(RefugeeTravelDocument)),
        );
        check(("", "", Some(Other)), Ok(Some(Passport)));
        check(
            ("C01X00T48", "AUT", Some(Visa)),
            Err(QueryError::NumberDiffers),
        );
        let (given, zone) = (issuer("AUT").unwrap(), issuer("D").unwrap());
        check(
            ("", "AUT", Some(Visa)),
            Err(QueryError::IssuerDiffers { given, zone }),
        );
        check(
            ("", "D", Some(Visa)),
            Err(QueryError::TypeDiffers {
                given: Visa,
                zone: Passport,
            }),
        );
    }

    #[test]
    fn fields_fill_what_an_unreadable_zone_lacks() {
        let query = Query::unreadable();
        assert_eq!(
            (query.number, query.issuer, query.document_type),
            (None, None, None)
        );
        let query = query
            .with_fields(number("X1"), issuer("ZZZ"), Some(DocumentType::Visa))
            .unwrap();
        assert_eq!(query.number, number("X1"));
        assert_eq!(query.issuer, issuer("ZZZ"));
        assert_eq!(query.document_type, Some(DocumentType::Visa));
    }

    #[test]
    fn errors_repeat_no_number() {
        let query = Query::from_mrz(zone(SPECIMEN)).with_fields(number("C01X00T48"), None, None);
        let message = query.unwrap_err().to_string();
        assert!(
            !message.contains("C01X00T4") && message.contains("number"),
            "{message}"
        );
    }
}
