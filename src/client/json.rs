//! Answers and errors in protobuf's canonical JSON mapping, one line each.
//!
//! As the mapping has it (protobuf's "ProtoJSON" chapter): names in lowerCamelCase, enums by name,
//! 64-bit integers as strings, instants in RFC 3339, durations in seconds with an `s`. Fields with
//! their default value are written too, so that a reader need not know the contract to see that a
//! list is empty; fields that know whether they are set (messages, `optional`) only if they are.

use super::{Answer, ClientError, Fault, ServerStatus};
use crate::proto::DESCRIPTORS;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::Serialize;
use std::sync::LazyLock;
use tonic::Code;
use tonic_types::pb;

/// Why a message cannot be written: a value is outside what the mapping can express (an instant
/// outside the years 1 to 9999), or the descriptors built in do not fit the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no JSON for a {message}: {why}")]
pub struct JsonError {
    message: &'static str,
    why: String,
}

type Pool = Result<DescriptorPool, String>;

static CONTRACT: LazyLock<Pool> = LazyLock::new(|| pool(DESCRIPTORS));
static ERRORS: LazyLock<Pool> = LazyLock::new(|| pool(pb::FILE_DESCRIPTOR_SET));

fn pool(descriptors: &'static [u8]) -> Pool {
    DescriptorPool::decode(descriptors).map_err(|error| error.to_string())
}

/// An answer, without a line break.
///
/// # Errors
/// [`JsonError`] if the service sent an instant or a duration that JSON cannot express.
pub fn answer(answer: &Answer) -> Result<String, JsonError> {
    write(
        &CONTRACT,
        "sltd.v1.CheckDocumentResponse",
        answer,
        |dynamic| to_line(&Canonical(dynamic)),
    )
}

/// The status of a server, without a line break.
///
/// # Errors
/// [`JsonError`] if the server sent an instant or a duration that JSON cannot express.
pub fn status(status: &ServerStatus) -> Result<String, JsonError> {
    write(&CONTRACT, "sltd.v1.GetStatusResponse", status, |dynamic| {
        to_line(&Canonical(dynamic))
    })
}

/// `{"error": ...}` with what is wrong with a question as a `google.rpc.Status`, without a line break.
///
/// # Errors
/// None that a fault could cause.
pub fn fault(fault: &Fault) -> Result<String, JsonError> {
    error(&ClientError::Malformed {
        message: fault.to_string(),
        faults: vec![fault.clone()],
    })
}

/// `{"error": ...}` with why there is no answer as a `google.rpc.Status`, without a line break.
///
/// # Errors
/// None that an error could cause.
pub fn error(error: &ClientError) -> Result<String, JsonError> {
    write(
        &ERRORS,
        "google.rpc.Status",
        &rpc_status(error),
        |dynamic| {
            to_line(&Wrapped {
                error: Canonical(dynamic),
            })
        },
    )
}

fn rpc_status(error: &ClientError) -> pb::Status {
    let details = match error {
        ClientError::Malformed { faults, .. } if !faults.is_empty() => {
            let field_violations = faults.iter().map(|fault| pb::bad_request::FieldViolation {
                field: fault.field.clone(),
                description: fault.description.clone(),
                ..Default::default()
            });
            let bad_request = pb::BadRequest {
                field_violations: field_violations.collect(),
            };
            vec![prost_types::Any {
                type_url: "type.googleapis.com/google.rpc.BadRequest".to_owned(),
                value: bad_request.encode_to_vec(),
            }]
        }
        _ => Vec::new(),
    };
    pb::Status {
        code: Code::into(error.code()),
        message: error.to_string(),
        details,
    }
}

#[derive(Serialize)]
struct Wrapped<'a> {
    error: Canonical<'a>,
}

struct Canonical<'a>(&'a DynamicMessage);

impl Serialize for Canonical<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = SerializeOptions::new().skip_default_fields(false);
        self.0.serialize_with_options(serializer, &options)
    }
}

fn to_line(value: &impl Serialize) -> Result<String, String> {
    serde_json::to_string(value).map_err(|error| error.to_string())
}

fn write<M: Message>(
    pool: &Pool,
    name: &'static str,
    message: &M,
    to_line: impl FnOnce(&DynamicMessage) -> Result<String, String>,
) -> Result<String, JsonError> {
    let written = pool.as_ref().map_err(Clone::clone).and_then(|pool| {
        let descriptor = pool
            .get_message_by_name(name)
            .ok_or_else(|| "the contract has no such message".to_owned())?;
        let mut dynamic = DynamicMessage::new(descriptor);
        dynamic
            .transcode_from(message)
            .map_err(|error| error.to_string())?;
        to_line(&dynamic)
    });
    written.map_err(|why| JsonError { message: name, why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::fake;
    use crate::proto::{Document, Match, Verdict};

    #[test]
    fn answers() {
        let bare = r#"{"verdict":"VERDICT_UNSPECIFIED","reasons":[],"sameNumberOtherIssuers":0,"matches":[],"matchesOmitted":0}"#;
        let empty_parts = r#"{"verdict":"VERDICT_NO_RECORD","reasons":[],"document":{"number":"","issuingState":"","type":"DOCUMENT_TYPE_UNSPECIFIED"},"sameNumberOtherIssuers":0,"matches":[{"status":"REPORT_STATUS_UNSPECIFIED","sourceStatus":"","issuingState":"","type":"DOCUMENT_TYPE_UNSPECIFIED","dateOfLoss":"","dateReported":"","reviewDate":"","restriction":"","source":"","thirdParty":false,"ownerReference":"","confirmWithAuthority":false,"alsoReportedBy":[]}],"matchesOmitted":0,"snapshot":{"generation":"0","stale":false},"formatPlausible":false}"#;
        let newer = r#"{"verdict":77,"reasons":[],"sameNumberOtherIssuers":0,"matches":[],"matchesOmitted":0}"#;
        let full = concat!(
            r#"{"verdict":"VERDICT_HIT","reasons":[],"#,
            r#""document":{"number":"X0000001","issuingState":"UTO","type":"DOCUMENT_TYPE_PASSPORT"},"#,
            r#""sameNumberOtherIssuers":2,"#,
            r#""mrz":{"layout":"MRZ_LAYOUT_TD3","failedCheckDigits":["CHECK_DIGIT_COMPOSITE"],"#,
            r#""longNumberCheck":"LONG_NUMBER_CHECK_UNSPECIFIED","readAsLetters":[]},"#,
            r#""matches":[{"status":"REPORT_STATUS_STOLEN","sourceStatus":"","issuingState":"UTO","#,
            r#""type":"DOCUMENT_TYPE_PASSPORT","dateOfLoss":"2024-06-30","dateReported":"2024-07-03","#,
            r#""reviewDate":"","authority":{"code":"UTO-NCB","name":"Utopia Central Bureau","#,
            r#""contact":"+00 000"},"restriction":"","source":"uto-daily","thirdParty":false,"#,
            r#""ownerReference":"","confirmWithAuthority":true,"alsoReportedBy":[]}],"matchesOmitted":0,"#,
            r#""snapshot":{"generation":"18446744073709551615","dataAsOf":"2024-07-04T05:06:07Z","#,
            r#""builtAt":"2024-07-04T06:00:00.500Z","stale":false},"#,
            r#""coverage":{"issuingState":"UTO","type":"DOCUMENT_TYPE_PASSPORT","#,
            r#""level":"COVERAGE_LEVEL_CURRENT","documents":"12345","newestReport":"2024-07-03","#,
            r#""sourceAge":"7200s"},"formatPlausible":true}"#,
        );
        let cases = [
            (Answer::default(), bare),
            (
                Answer {
                    verdict: Verdict::NoRecord.into(),
                    document: Some(Document::default()),
                    matches: vec![Match::default()],
                    snapshot: Some(Default::default()),
                    format_plausible: Some(false),
                    ..Answer::default()
                },
                empty_parts,
            ),
            (
                Answer {
                    verdict: 77,
                    ..Answer::default()
                },
                newer,
            ),
            (fake::hit(), full),
        ];
        for (message, expected) in cases {
            assert_eq!(answer(&message).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn an_instant_that_json_cannot_express_is_an_error() {
        let mut message = fake::hit();
        if let Some(snapshot) = &mut message.snapshot {
            snapshot.built_at = Some(prost_types::Timestamp {
                seconds: i64::MAX,
                nanos: 0,
            });
        }
        assert!(answer(&message).is_err());
    }

    #[test]
    fn errors() {
        let number = Fault {
            field: "number".to_owned(),
            description: "character 3: expected a letter or a digit".to_owned(),
        };
        assert_eq!(
            fault(&number).as_deref(),
            Ok(concat!(
                r#"{"error":{"code":3,"message":"number: character 3: expected a letter or a digit","#,
                r#""details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","#,
                r#""fieldViolations":[{"field":"number","#,
                r#""description":"character 3: expected a letter or a digit","reason":"""#,
                r#"}]}]}}"#,
            ))
        );
        let down = ClientError::Unavailable {
            endpoint: "http://[::1]:1".to_owned(),
            message: "refused".to_owned(),
        };
        assert_eq!(
            error(&down).as_deref(),
            Ok(
                r#"{"error":{"code":14,"message":"http://[::1]:1 is not available: refused","details":[]}}"#
            )
        );
    }
}
