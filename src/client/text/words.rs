//! The words for what stands in an answer.

use crate::document::DocumentType as Type;
use crate::proto::{
    CheckDigit, CoverageLevel, DocumentType, MrzLayout, MrzLetterField, Reason, ReportStatus,
    Verdict,
};

pub(super) fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Unspecified => "UNKNOWN",
        Verdict::NoRecord => "NO_RECORD",
        Verdict::Hit => "HIT",
        Verdict::Review => "REVIEW",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Refer => "REFER",
    }
}

pub(super) fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Unspecified => "a reason this client does not know",
        Reason::TypeNotGiven => "the type of document was not given",
        Reason::TypeIncompatible => "another type of document was reported",
        Reason::ThirdPartyReport => "the report is not the issuing State's own",
        Reason::NumberCheckDigitFailed => "the number's check digit failed, it may be misread",
        Reason::IssuerNotGiven => "the issuing State was not given",
        Reason::IssuerUnknown => "the issuing State given is not known",
        Reason::IssuerOfSameGroup => "a related issuing State has reported it",
        Reason::IssuerOneLetterAway => "the issuing State may be misread by one letter",
        Reason::Misread => "the number's check digit failed: read the document again",
        Reason::Unreadable => "the zone cannot be read: read the document again",
        Reason::DataTooOld => "the data is too old to say that nothing is reported",
        Reason::ReportedByNationality => {
            "the State of the holder's nationality has reported this number: compare the issuing State with the page"
        }
        Reason::NumberImpossible => {
            "the number holds a letter that the issuing State never uses: read or type it again"
        }
        Reason::ZoneNotSupported => {
            "zones of this kind are known but not supported: type the number"
        }
    }
}

pub(super) fn status(status: ReportStatus) -> &'static str {
    match status {
        ReportStatus::Unspecified => "reported",
        ReportStatus::Stolen => "stolen",
        ReportStatus::Lost => "lost",
        ReportStatus::StolenBlank => "stolen blank",
        ReportStatus::Revoked => "revoked",
        ReportStatus::Invalidated => "invalidated",
    }
}

/// The name that lists and command lines use.
pub(super) fn document_type(document_type: DocumentType) -> &'static str {
    u8::try_from(i32::from(document_type))
        .ok()
        .and_then(Type::from_code)
        .map_or("(no type)", Type::name)
}

pub(super) fn layout(layout: MrzLayout) -> &'static str {
    match layout {
        MrzLayout::Unspecified => "no known layout",
        MrzLayout::Td1 => "TD1",
        MrzLayout::Td2 => "TD2",
        MrzLayout::Td3 => "TD3",
        MrzLayout::MrvA => "MRV-A",
        MrzLayout::MrvB => "MRV-B",
        MrzLayout::FrenchIdentityCard => "French identity card",
        MrzLayout::FrenchDrivingLicence => "French driving licence",
        MrzLayout::SwissDrivingLicence => "Swiss driving licence",
        MrzLayout::SlovakIdentityCard => "Slovak identity card",
        MrzLayout::DutchDrivingLicence => "Dutch driving licence",
    }
}

pub(super) fn check_digit(digit: CheckDigit) -> &'static str {
    match digit {
        CheckDigit::Unspecified => "unknown",
        CheckDigit::DocumentNumber => "document number",
        CheckDigit::DateOfBirth => "date of birth",
        CheckDigit::DateOfExpiry => "date of expiry",
        CheckDigit::OptionalData => "optional data",
        CheckDigit::Composite => "composite",
    }
}

pub(super) fn letter_field(field: MrzLetterField) -> &'static str {
    match field {
        MrzLetterField::Unspecified => "unknown",
        MrzLetterField::DocumentCode => "document code",
        MrzLetterField::IssuingState => "issuing State",
        MrzLetterField::Nationality => "nationality",
    }
}

pub(super) fn coverage_level(level: CoverageLevel) -> &'static str {
    match level {
        CoverageLevel::Unspecified => "unknown",
        CoverageLevel::None => "none",
        CoverageLevel::Stale => "stale",
        CoverageLevel::Current => "current",
        CoverageLevel::Suspended => "SUSPENDED",
    }
}

/// An age in its largest whole unit, seconds to days.
pub(super) fn age(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        172_800.. => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages() {
        let cases = [
            (0, "0 s"),
            (119, "119 s"),
            (120, "2 min"),
            (7_199, "119 min"),
            (7_200, "2 h"),
            (172_799, "47 h"),
            (172_800, "2 days"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(age(seconds), expected);
        }
    }

    #[test]
    fn types_are_named_as_in_lists() {
        assert_eq!(document_type(DocumentType::Unspecified), "(no type)");
        for known in Type::ALL {
            let wire = DocumentType::try_from(i32::from(known.code())).unwrap();
            assert_eq!(document_type(wire), known.name());
        }
    }
}
