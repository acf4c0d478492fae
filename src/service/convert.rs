//! Inner types to wire types, one function for each.
//!
//! Inner types know nothing of the wire; what they gain must be given a value here, which the
//! compiler demands by the exhaustive matches.

use crate::document::DocumentType;
use crate::document::mrz::{CheckDigit, LetterField, LongNumberForm, Mrz, MrzLayout, NumberCheck};
use crate::proto;
use crate::report::{
    Authority, Candidate, Day, Disclosure, Query, Reason, Reasons, ReportStatus, Verdict,
};
use crate::snapshot::{Coverage, CoverageLevel, Snapshot};
use jiff::Timestamp;
use std::time::Duration;

pub(super) fn verdict(verdict: Verdict) -> proto::Verdict {
    match verdict {
        Verdict::NoRecord => proto::Verdict::NoRecord,
        Verdict::Hit => proto::Verdict::Hit,
        Verdict::Review => proto::Verdict::Review,
        Verdict::Inconclusive => proto::Verdict::Inconclusive,
        Verdict::Refer => proto::Verdict::Refer,
    }
}

pub(super) fn reasons(reasons: Reasons) -> Vec<i32> {
    reasons.iter().map(|one| reason(one).into()).collect()
}

fn reason(reason: Reason) -> proto::Reason {
    match reason {
        Reason::TypeNotGiven => proto::Reason::TypeNotGiven,
        Reason::TypeIncompatible => proto::Reason::TypeIncompatible,
        Reason::ThirdPartyReport => proto::Reason::ThirdPartyReport,
        Reason::NumberCheckDigitFailed => proto::Reason::NumberCheckDigitFailed,
        Reason::IssuerNotGiven => proto::Reason::IssuerNotGiven,
        Reason::IssuerUnknown => proto::Reason::IssuerUnknown,
        Reason::IssuerOfSameGroup => proto::Reason::IssuerOfSameGroup,
        Reason::IssuerOneLetterAway => proto::Reason::IssuerOneLetterAway,
        Reason::Misread => proto::Reason::Misread,
        Reason::Unreadable => proto::Reason::Unreadable,
        Reason::DataTooOld => proto::Reason::DataTooOld,
        Reason::ReportedByNationality => proto::Reason::ReportedByNationality,
        Reason::NumberImpossible => proto::Reason::NumberImpossible,
        Reason::ZoneNotSupported => proto::Reason::ZoneNotSupported,
    }
}

pub(super) fn document_type(document_type: DocumentType) -> proto::DocumentType {
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

/// The type a wire value stands for: `Ok(None)` if not given, `Err` if there is no such value.
pub(super) fn document_type_given(value: i32) -> Result<Option<DocumentType>, i32> {
    Ok(Some(
        match proto::DocumentType::try_from(value).map_err(|_| value)? {
            proto::DocumentType::Unspecified => return Ok(None),
            proto::DocumentType::Passport => DocumentType::Passport,
            proto::DocumentType::DomesticPassport => DocumentType::DomesticPassport,
            proto::DocumentType::IdentityCard => DocumentType::IdentityCard,
            proto::DocumentType::Visa => DocumentType::Visa,
            proto::DocumentType::ResidencePermit => DocumentType::ResidencePermit,
            proto::DocumentType::RefugeeTravelDocument => DocumentType::RefugeeTravelDocument,
            proto::DocumentType::EmergencyTravelDocument => DocumentType::EmergencyTravelDocument,
            proto::DocumentType::SeafarersDocument => DocumentType::SeafarersDocument,
            proto::DocumentType::LaissezPasser => DocumentType::LaissezPasser,
            proto::DocumentType::Other => DocumentType::Other,
        },
    ))
}

pub(super) fn status(status: ReportStatus) -> proto::ReportStatus {
    match status {
        ReportStatus::Stolen => proto::ReportStatus::Stolen,
        ReportStatus::Lost => proto::ReportStatus::Lost,
        ReportStatus::StolenBlank => proto::ReportStatus::StolenBlank,
        ReportStatus::Revoked => proto::ReportStatus::Revoked,
        ReportStatus::Invalidated => proto::ReportStatus::Invalidated,
    }
}

/// ISO 8601; empty if not known.
pub(super) fn day(day: Option<Day>) -> String {
    day.map(|day| day.to_string()).unwrap_or_default()
}

pub(super) fn timestamp(instant: Timestamp) -> prost_types::Timestamp {
    // protobuf counts nanoseconds forward from the second below, jiff towards zero.
    let (mut seconds, mut nanos) = (instant.as_second(), instant.subsec_nanosecond());
    if nanos < 0 {
        seconds -= 1;
        nanos += 1_000_000_000;
    }
    prost_types::Timestamp { seconds, nanos }
}

pub(super) fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        // Below 1,000,000,000 by definition.
        nanos: duration.subsec_nanos().cast_signed(),
    }
}

/// The document as understood; `None` if nothing of it could be read.
pub(super) fn document(query: &Query) -> Option<proto::Document> {
    if query.number.is_none() && query.issuer.is_none() && query.document_type.is_none() {
        return None;
    }
    Some(proto::Document {
        number: query
            .number
            .as_ref()
            .map(|number| number.as_str().to_owned())
            .unwrap_or_default(),
        issuing_state: query
            .issuer
            .as_ref()
            .map(|issuer| issuer.code().to_owned())
            .unwrap_or_default(),
        r#type: query
            .document_type
            .map_or(proto::DocumentType::Unspecified, document_type)
            .into(),
    })
}

pub(super) fn mrz(mrz: &Mrz) -> proto::MrzReading {
    let long_number_check = match mrz.number_check {
        NumberCheck::VerifiedLong(LongNumberForm::WithoutFiller) => {
            proto::LongNumberCheck::WithoutFiller
        }
        NumberCheck::VerifiedLong(LongNumberForm::WithFiller) => proto::LongNumberCheck::WithFiller,
        NumberCheck::VerifiedLong(LongNumberForm::Either) => proto::LongNumberCheck::Both,
        NumberCheck::Verified | NumberCheck::Failed | NumberCheck::Absent => {
            proto::LongNumberCheck::Unspecified
        }
    };
    proto::MrzReading {
        layout: layout(mrz.layout).into(),
        failed_check_digits: mrz
            .failed
            .iter()
            .map(|digit| check_digit(digit).into())
            .collect(),
        long_number_check: long_number_check.into(),
        read_as_letters: mrz
            .read_as_letters
            .iter()
            .map(|field| letter_field(field).into())
            .collect(),
    }
}

fn letter_field(field: LetterField) -> proto::MrzLetterField {
    match field {
        LetterField::DocumentCode => proto::MrzLetterField::DocumentCode,
        LetterField::IssuingState => proto::MrzLetterField::IssuingState,
        LetterField::Nationality => proto::MrzLetterField::Nationality,
    }
}

fn layout(layout: MrzLayout) -> proto::MrzLayout {
    match layout {
        MrzLayout::Td1 => proto::MrzLayout::Td1,
        MrzLayout::Td2 => proto::MrzLayout::Td2,
        MrzLayout::Td3 => proto::MrzLayout::Td3,
        MrzLayout::MrvA => proto::MrzLayout::MrvA,
        MrzLayout::MrvB => proto::MrzLayout::MrvB,
        MrzLayout::FrenchIdentityCard => proto::MrzLayout::FrenchIdentityCard,
        MrzLayout::FrenchDrivingLicence => proto::MrzLayout::FrenchDrivingLicence,
        MrzLayout::SwissDrivingLicence => proto::MrzLayout::SwissDrivingLicence,
        MrzLayout::SlovakIdentityCard => proto::MrzLayout::SlovakIdentityCard,
        MrzLayout::DutchDrivingLicence => proto::MrzLayout::DutchDrivingLicence,
    }
}

fn check_digit(digit: CheckDigit) -> proto::CheckDigit {
    match digit {
        CheckDigit::DocumentNumber => proto::CheckDigit::DocumentNumber,
        CheckDigit::DateOfBirth => proto::CheckDigit::DateOfBirth,
        CheckDigit::DateOfExpiry => proto::CheckDigit::DateOfExpiry,
        CheckDigit::OptionalData => proto::CheckDigit::OptionalData,
        CheckDigit::Composite => proto::CheckDigit::Composite,
    }
}

/// The snapshot as answers name it while it is fresh.
pub(super) fn snapshot(snapshot: &Snapshot) -> proto::Snapshot {
    proto::Snapshot {
        generation: snapshot.generation(),
        data_as_of: Some(timestamp(snapshot.data_as_of())),
        built_at: Some(timestamp(snapshot.built_at())),
        stale: false,
    }
}

pub(super) fn coverage_level(level: CoverageLevel) -> proto::CoverageLevel {
    match level {
        CoverageLevel::None => proto::CoverageLevel::None,
        CoverageLevel::Suspended => proto::CoverageLevel::Suspended,
        CoverageLevel::Stale => proto::CoverageLevel::Stale,
        CoverageLevel::Current => proto::CoverageLevel::Current,
    }
}

/// The coverage of the State and type asked about.
pub(super) fn coverage(coverage: &Coverage, query: &Query) -> proto::Coverage {
    proto::Coverage {
        issuing_state: query
            .issuer
            .as_ref()
            .map(|issuer| issuer.code().to_owned())
            .unwrap_or_default(),
        r#type: query
            .document_type
            .map_or(proto::DocumentType::Unspecified, document_type)
            .into(),
        level: coverage_level(coverage.level).into(),
        documents: coverage.documents,
        newest_report: day(coverage.newest_report),
        source_age: coverage.source_age.map(duration),
        change_age: coverage.change_age.map(duration),
    }
}

/// A match, complete in itself; `also` are the other sources that say the same. Where the owner lets the caller know no more than whom to ask, that is
/// all it says.
pub(super) fn matched<'a>(
    candidate: &Candidate<'_>,
    also: impl Iterator<Item = &'a str>,
) -> proto::Match {
    let report = &candidate.report;
    let contact = proto::Match {
        issuing_state: candidate.issuing_state.code().to_owned(),
        r#type: document_type(candidate.document_type).into(),
        authority: report.authority.as_ref().map(authority),
        confirm_with_authority: true,
        ..proto::Match::default()
    };
    if candidate.disclosure != Disclosure::Full {
        return contact;
    }
    proto::Match {
        status: status(report.status).into(),
        source_status: report.source_status.to_owned(),
        date_of_loss: day(report.date_of_loss),
        date_reported: day(report.date_reported),
        review_date: day(report.review_date),
        restriction: report.restriction.to_owned(),
        source: report.source.to_owned(),
        third_party: report.third_party,
        owner_reference: report.owner_reference.to_owned(),
        also_reported_by: also.map(str::to_owned).collect(),
        ..contact
    }
}

pub(super) fn authority(authority: &Authority<'_>) -> proto::Authority {
    proto::Authority {
        code: authority.code.to_owned(),
        name: authority.name.to_owned(),
        contact: authority.contact.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_survive_the_wire() {
        for inner in DocumentType::ALL {
            assert_eq!(
                document_type_given(document_type(inner).into()),
                Ok(Some(inner))
            );
        }
        assert_eq!(document_type_given(0), Ok(None));
        assert_eq!(document_type_given(11), Err(11));
        assert_eq!(document_type_given(-1), Err(-1));
    }

    #[test]
    fn instants_before_1970_count_nanoseconds_forward() {
        let cases = [
            ("1970-01-01T00:00:01.5Z", 1, 500_000_000),
            ("1969-12-31T23:59:59.25Z", -1, 250_000_000),
            ("1969-12-31T23:59:59Z", -1, 0),
        ];
        for (text, seconds, nanos) in cases {
            let instant: Timestamp = text.parse().unwrap();
            assert_eq!(
                timestamp(instant),
                prost_types::Timestamp { seconds, nanos },
                "{text}"
            );
        }
    }
}
