//! A request read as a question, or the field at fault named.

use super::convert;
use super::errors::{CallError, Violation};
use super::fields::Fields;
use crate::document::mrz::Mrz;
use crate::document::{
    DocumentNumber, DocumentType, Issuer, NumberError, Placeholders, StateError,
};
use crate::proto::ItemErrorCode;
use crate::report::{Query, QueryError};

/// The longest number that is read, in bytes. One as printed has a tenth of that.
pub(super) const NUMBER_BYTES_MAX: usize = 1024;
/// The longest zone that is read, in bytes.
const ZONE_BYTES_MAX: usize = 1024;

/// Refuses a text by its length alone: to read it to its end would take time.
fn bounded(field: &'static str, length: usize, limit: usize) -> Result<(), Violation> {
    if length <= limit {
        return Ok(());
    }
    let description = format!("has {length} bytes: expected at most {limit}");
    Err(Violation::of(field, description).coded(ItemErrorCode::TooLong))
}

/// Reads a request that is a call of its own: all of its faults are named.
pub(super) fn read_alone(
    request: Fields<'_>,
    placeholders: &Placeholders,
) -> Result<Query, CallError> {
    read(request, placeholders).map_err(|_| faults(request, placeholders).into())
}

/// Reads a request, or names its first fault. `placeholders` are those of the snapshot that will be asked.
///
/// A zone that cannot be segmented is no mistake of the caller but a reason to read again; what was
/// typed beside it still counts. So does a zone in whose number's place a placeholder stands.
pub(super) fn read(request: Fields<'_>, placeholders: &Placeholders) -> Result<Query, Violation> {
    if request.number.is_empty() && request.mrz.is_empty() {
        return Err(nothing_asked());
    }
    let issuer = issuer("issuing_state", request.issuing_state);
    let typed = match request.number {
        "" => None,
        text => {
            let issuer = issuer.as_ref().ok().and_then(Option::as_ref);
            Some(number("number", text.as_bytes(), issuer, placeholders)?)
        }
    };
    let issuer = issuer?;
    let document_type = document_type("type", request.document_type)?;
    if let (Some(number), true) = (typed, request.mrz.is_empty()) {
        return Ok(Query::from_fields(number, issuer, document_type));
    }
    bounded("mrz", request.mrz.len(), ZONE_BYTES_MAX)?;
    zone(request.mrz, placeholders)
        .with_fields(typed, issuer, document_type)
        .map_err(differs)
}

/// All faults of a request that [`read`] refuses, one for each field. What is in order by itself must agree
/// with the zone.
#[cold]
fn faults(request: Fields<'_>, placeholders: &Placeholders) -> Vec<Violation> {
    let bounded = bounded("mrz", request.mrz.len(), ZONE_BYTES_MAX);
    let zone = match request.mrz {
        "" => Query::unreadable(),
        _ if bounded.is_err() => Query::unreadable(),
        text => zone(text, placeholders),
    };
    let issuer = issuer("issuing_state", request.issuing_state);
    let number = match request.number {
        "" if request.mrz.is_empty() => Err(nothing_asked()),
        "" => Ok(None),
        text => {
            let issuer = issuer.as_ref().ok().and_then(Option::as_ref);
            number("number", text.as_bytes(), issuer, placeholders).map(Some)
        }
    };
    let document_type = document_type("type", request.document_type);
    let agree = |number, issuer, document_type| {
        let question = zone.with_fields(number, issuer, document_type);
        question.map(drop).map_err(differs)
    };
    let found = [
        number.and_then(|number| agree(number, None, None)),
        issuer.and_then(|issuer| agree(None, issuer, None)),
        document_type.and_then(|document_type| agree(None, None, document_type)),
        bounded,
    ];
    found.into_iter().filter_map(Result::err).collect()
}

#[cold]
fn nothing_asked() -> Violation {
    let expected = "is empty: expected a document number, or a machine-readable zone in `mrz`";
    Violation::of("number", expected).coded(ItemErrorCode::Empty)
}

/// What a zone says; a placeholder is no number.
fn zone(text: &str, placeholders: &Placeholders) -> Query {
    let zone = Mrz::read(text).map_or_else(Query::from_mrz_error, Query::from_mrz);
    let state = zone.issuer.as_ref().and_then(Issuer::known);
    match zone.number {
        Some(number) if placeholders.contains(&number, state.as_ref()) => zone.without_number(),
        _ => zone,
    }
}

#[cold]
fn differs(error: QueryError) -> Violation {
    let field = match error {
        QueryError::NumberDiffers => "number",
        QueryError::IssuerDiffers { .. } => "issuing_state",
        QueryError::TypeDiffers { .. } => "type",
    };
    Violation::of(field, error.to_string()).coded(ItemErrorCode::DiffersFromZone)
}

/// Reads a number. A placeholder is none, of a document of the given issuer.
pub(super) fn number(
    field: &'static str,
    text: &[u8],
    issuer: Option<&Issuer>,
    placeholders: &Placeholders,
) -> Result<DocumentNumber, Violation> {
    bounded(field, text.len(), NUMBER_BYTES_MAX)?;
    let error = match DocumentNumber::from_cell_bytes(text) {
        Ok(number) if !placeholders.contains_of(&number, || issuer?.known()) => return Ok(number),
        Ok(_) => NumberError::Placeholder,
        Err(error) => error,
    };
    let (code, position) = match error {
        NumberError::Empty => (ItemErrorCode::Empty, None),
        NumberError::TooLong { .. } => (ItemErrorCode::TooLong, None),
        NumberError::Character { position, .. } => (ItemErrorCode::Character, Some(position)),
        NumberError::NotUtf8 { .. } => (ItemErrorCode::NotUtf8, None),
        NumberError::Decimal => (ItemErrorCode::Decimal, None),
        NumberError::Exponent => (ItemErrorCode::Exponent, None),
        NumberError::Placeholder => (ItemErrorCode::Placeholder, None),
        NumberError::TwoNumbers => (ItemErrorCode::TwoNumbers, None),
    };
    Err(Violation {
        field,
        position,
        code,
        description: error.to_string(),
    })
}

/// Reads an issuer; `None` if not given.
pub(super) fn issuer(field: &'static str, text: &str) -> Result<Option<Issuer>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    Issuer::parse(text).map(Some).map_err(|error| {
        let (code, position) = match error {
            StateError::Empty => (ItemErrorCode::Empty, None),
            StateError::TooLong { .. } => (ItemErrorCode::TooLong, None),
            StateError::NotALetter { position } => (ItemErrorCode::Character, Some(position)),
            StateError::Unknown { .. }
            | StateError::Dissolved { .. }
            | StateError::NationalityOnly { .. }
            | StateError::Specimen => (ItemErrorCode::UnknownValue, None),
        };
        Violation {
            field,
            position,
            code,
            description: error.to_string(),
        }
    })
}

/// Reads a type; `None` if not given.
pub(super) fn document_type(
    field: &'static str,
    value: i32,
) -> Result<Option<DocumentType>, Violation> {
    convert::document_type_given(value).map_err(|value| {
        Violation::of(
            field,
            format!("there is no DocumentType {value}: expected 0 to 10"),
        )
        .coded(ItemErrorCode::UnknownValue)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto;

    fn request(
        number: &str,
        issuing_state: &str,
        r#type: i32,
        mrz: &str,
    ) -> proto::CheckDocumentRequest {
        proto::CheckDocumentRequest {
            number: number.to_owned(),
            issuing_state: issuing_state.to_owned(),
            r#type,
            mrz: mrz.to_owned(),
        }
    }

    /// Number, issuer and type as understood, or field and position at fault.
    fn check(
        request: &proto::CheckDocumentRequest,
        expected: Result<(&str, &str, Option<DocumentType>), (&str, u32)>,
    ) {
        let found = read(request.into(), &Placeholders::default());
        let found = match &found {
            Ok(query) => Ok((
                query.number.as_ref().map_or("", |number| number.as_str()),
                query.issuer.as_ref().map_or("", |issuer| issuer.code()),
                query.document_type,
            )),
            Err(violation) => {
                if !request.number.is_empty() {
                    assert!(
                        !violation.description.contains(&request.number),
                        "{violation:?}"
                    );
                }
                Err((
                    violation.field,
                    violation.clone().into_item_error().position,
                ))
            }
        };
        assert_eq!(found, expected, "{request:?}");
    }

    #[test]
    fn all_faults_of_a_request_are_named() {
        let of_a_request = |number, state, r#type, mrz, expected: &[&str]| {
            let request = request(number, state, r#type, mrz);
            let placeholders = Placeholders::default();
            let first = read((&request).into(), &placeholders).unwrap_err();
            let found = match read_alone((&request).into(), &placeholders) {
                Err(CallError::Malformed(violations)) => violations,
                other => panic!("{other:?}"),
            };
            assert!(found.contains(&first), "{request:?}");
            let fields: Vec<_> = found.iter().map(|violation| violation.field).collect();
            assert_eq!(fields, expected, "{request:?}");
        };
        let all = &["number", "issuing_state", "type"];
        of_a_request("AB?123", "D1", 11, "", all);
        of_a_request("", "D1", 11, "", all);
        of_a_request("N/A", "D", -1, "", &["number", "type"]);
        of_a_request("AB123", "GERMANY", 11, "", &["issuing_state", "type"]);
        of_a_request("AB123", "D", 11, "", &["type"]);
        // The zone says something else.
        of_a_request("L898902C4", "D", 3, TD3, all);
        of_a_request("L898902C3", "D", 3, TD3, &["issuing_state", "type"]);
        // One field is faulty by itself, another one differs from the zone.
        of_a_request("?", "D", 1, TD3, &["number", "issuing_state"]);
        of_a_request("", "D1", 3, TD3, &["issuing_state", "type"]);
        of_a_request("AB?123", "UTO", 1, "no zone", &["number"]);
    }

    const TD3: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10";

    #[test]
    fn fields() {
        use DocumentType::{IdentityCard, Passport};
        check(
            &request(" c01x-00t47 ", "DEU", 1, ""),
            Ok(("C01X00T47", "D", Some(Passport))),
        );
        check(
            &request("0012", "", 3, ""),
            Ok(("0012", "", Some(IdentityCard))),
        );
        check(&request("0012", "QQQ", 0, ""), Ok(("0012", "QQQ", None)));
        check(&request("", "D", 1, ""), Err(("number", 0)));
        check(&request("--", "D", 1, ""), Err(("number", 0)));
        check(&request("AB?123", "D", 1, ""), Err(("number", 3)));
        for number in [
            "000000000",
            "N/A",
            "?",
            "X",
            "990000201.0",
            "1.23457E8",
            "AB990204-AB990209",
        ] {
            check(&request(number, "FRA", 1, ""), Err(("number", 0)));
        }
        check(&request("AB123", "D1", 1, ""), Err(("issuing_state", 2)));
        check(
            &request("AB123", "GERMANY", 1, ""),
            Err(("issuing_state", 0)),
        );
        check(&request("AB123", "D", 11, ""), Err(("type", 0)));
        check(&request(&"A".repeat(25), "D", 1, ""), Err(("number", 0)));
        // Separators don't count, but are not read without end.
        let spaced = |blanks| format!("AB{}123", " ".repeat(blanks));
        check(
            &request(&spaced(1_019), "D", 1, ""),
            Ok(("AB123", "D", Some(Passport))),
        );
        check(&request(&spaced(1_020), "D", 1, ""), Err(("number", 0)));
    }

    #[test]
    fn zones() {
        use DocumentType::{IdentityCard, Passport, RefugeeTravelDocument};
        check(
            &request("", "", 0, TD3),
            Ok(("L898902C3", "UTO", Some(Passport))),
        );
        check(
            &request("l898902c3", "UTO", 1, TD3),
            Ok(("L898902C3", "UTO", Some(Passport))),
        );
        check(
            &request("", "", 6, TD3),
            Ok(("L898902C3", "UTO", Some(RefugeeTravelDocument))),
        );
        check(&request("L898902C4", "", 0, TD3), Err(("number", 0)));
        check(&request("", "D", 0, TD3), Err(("issuing_state", 0)));
        check(&request("", "", 3, TD3), Err(("type", 0)));
        check(&request("", "", 0, "no zone"), Ok(("", "", None)));
        check(&request("", "", 0, &"<".repeat(1_024)), Ok(("", "", None)));
        check(&request("", "", 0, &"<".repeat(1_025)), Err(("mrz", 0)));
        // A placeholder where the number stands.
        let zeros = "P<FRADOE<<JANE<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n0000000000FRA8001014F2801017<<<<<<<<<<<<<<04";
        check(&request("", "", 0, zeros), Ok(("", "FRA", Some(Passport))));
        check(
            &request("X1", "", 0, zeros),
            Ok(("X1", "FRA", Some(Passport))),
        );
        check(
            &request("X1", "D", 3, "no zone"),
            Ok(("X1", "D", Some(IdentityCard))),
        );
    }
}
