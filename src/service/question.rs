//! A request read as a question, or the field at fault named.

use super::convert;
use super::errors::Violation;
use crate::document::mrz::{CheckDigit, Mrz};
use crate::document::{DocumentNumber, DocumentType, Issuer};
use crate::proto;
use crate::report::Query;

/// Reads a request.
///
/// What a zone says and what fields say must agree: a caller who sends both has made a mistake
/// somewhere if they differ, and guessing which to believe could miss a hit.
pub(super) fn read(request: &proto::CheckDocumentRequest) -> Result<Query, Violation> {
    if request.number.is_empty() && request.mrz.is_empty() {
        return Err(Violation::of(
            "number",
            "is empty: expected a document number, or a machine-readable zone in `mrz`",
        ));
    }
    let given = fields(
        &request.number,
        &request.issuing_state,
        document_type("type", request.r#type)?,
    )?;
    if request.mrz.is_empty() {
        return Ok(given);
    }
    // A zone that cannot be segmented is no mistake of the caller but a reason to read again.
    match Mrz::read(&request.mrz) {
        Ok(mrz) => together(given, mrz),
        Err(_) => Ok(given),
    }
}

/// Reads a question put as fields alone; an empty number is left to the caller.
fn fields(
    number: &str,
    issuing_state: &str,
    document_type: Option<DocumentType>,
) -> Result<Query, Violation> {
    Ok(Query {
        number: if number.is_empty() {
            None
        } else {
            Some(self::number(number)?)
        },
        issuer: issuer("issuing_state", issuing_state)?,
        document_type,
        number_check_failed: false,
        mrz: None,
    })
}

/// Reads a number.
pub(super) fn number(text: &str) -> Result<DocumentNumber, Violation> {
    DocumentNumber::normalise(text).map_err(|error| Violation::of("number", error.to_string()))
}

/// Reads an issuer; `None` if not given.
pub(super) fn issuer(field: &'static str, text: &str) -> Result<Option<Issuer>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    Issuer::parse(text)
        .map(Some)
        .map_err(|error| Violation::of(field, error.to_string()))
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
    })
}

fn together(given: Query, mrz: Mrz) -> Result<Query, Violation> {
    let differs = |field| {
        Err(Violation::of(
            field,
            "differs from what the machine-readable zone says: expected the same, or only one of them",
        ))
    };
    if let (Some(field), Some(zone)) = (&given.number, &mrz.number)
        && field != zone
    {
        return differs("number");
    }
    if let (Some(field), Some(zone)) = (&given.issuer, &mrz.issuer)
        && field != zone
    {
        return differs("issuing_state");
    }
    // Codes in zones are coarser than types: `P` stands for several.
    if given
        .document_type
        .is_some_and(|field| !mrz.document_type.compatible_with(field))
    {
        return differs("type");
    }
    Ok(Query {
        number: given.number.or(mrz.number),
        issuer: given.issuer.or(mrz.issuer),
        document_type: given.document_type.or(Some(mrz.document_type)),
        number_check_failed: mrz.failed.contains(&CheckDigit::DocumentNumber),
        mrz: Some(mrz),
    })
}
