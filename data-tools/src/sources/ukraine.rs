//! Layout `ukraine`: the Ministry of the Interior's lists of stolen and lost passports on the
//! open-data portal (citizens' domestic passports, and passports for travel abroad).
//!
//! A JSON array of objects, UTF-8, usually with a byte order mark:
//!
//! | field | kept as |
//! |---|---|
//! | `D_SERIES`, `D_NUMBER` | the number |
//! | `D_TYPE` | issuing State and type |
//! | `D_STATUS` | status; the word itself stays with the report |
//! | `THEFT_DATA` (sic), `INSERT_DATE` | day of loss, day of the report: the first ten characters, or null |
//! | `ID` | the owner's reference |
//! | `OVD` (police unit) | not kept: the authority to ask is the one fixed in the source |
//!
//! - Canonical order: series, then number, `XX000001`, as in the machine-readable zone of the passport
//!   for travel. Series come in Cyrillic, Latin or both; the number's normalisation reads all by look.
//! - A citizen's passport in the form of a card has nine digits and no series: an identity card. One
//!   with a series has two letters and six digits; fewer digits have lost zeros and are rejected.
//! - Ukrainian police list documents of other States too. Their reports are their States' to make: the
//!   source does not own them, and they are rejected, or kept as third-party reports if it says so.
//! - A status that is neither of the two known words takes the `status` fixed in the source; where
//!   none is fixed the row is rejected.
//! - Files whose name contains `shema` (sic) describe the fields and are passed over. An array that is
//!   not closed is a truncated file and stops the source.
//!
//! Public source: the data sets on data.gov.ua and their published loaders such as
//! `overthelex/SecondLayer`; names of documents as in the Law of Ukraine 5492-VI, article 13, and in the code list of the
//! State Migration Service's own program for invalid documents (see [`ukraine_inactive`](super::ukraine_inactive)).

use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::report::{Day, ReportStatus};

use super::cells::{REFERENCE_BYTES_MAX, text, trim};
use super::dates::stand_in_text;
use super::json::elements;
use super::json_object::{self, Value};
use super::memo::Memos;
use super::reading::Reading;
use super::reject::{Reason, Reject};
use super::worker::{Worker, series_and_number};
use super::{RowSink, kept};
use crate::config::SourceConfig;

const FIELDS: [&str; 8] = [
    "ID",
    "OVD",
    "D_SERIES",
    "D_NUMBER",
    "D_TYPE",
    "D_STATUS",
    "THEFT_DATA",
    "INSERT_DATE",
];

/// What a `D_TYPE` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// A citizen's domestic passport, as booklet or card.
    Citizen,
    /// A document of Ukraine.
    Ukrainian(DocumentType),
    /// A citizen's passport of another State; the list does not tell for which use.
    Foreign(&'static str),
}

/// The names of documents, in capitals.
const TYPES: [(&str, Named); 25] = [
    ("ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ", Named::Citizen),
    (
        "ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ ДЛЯ ВИЇЗДУ ЗА КОРДОН",
        Named::Ukrainian(DocumentType::Passport),
    ),
    (
        "ДИПЛОМАТИЧНИЙ ПАСПОРТ УКРАЇНИ",
        Named::Ukrainian(DocumentType::Passport),
    ),
    (
        "СЛУЖБОВИЙ ПАСПОРТ УКРАЇНИ",
        Named::Ukrainian(DocumentType::Passport),
    ),
    (
        "ПОСВІДЧЕННЯ ОСОБИ МОРЯКА",
        Named::Ukrainian(DocumentType::SeafarersDocument),
    ),
    (
        "ПОСВІДЧЕННЯ ОСОБИ НА ПОВЕРНЕННЯ В УКРАЇНУ",
        Named::Ukrainian(DocumentType::EmergencyTravelDocument),
    ),
    (
        "ПРОЇЗНИЙ ДОКУМЕНТ БІЖЕНЦЯ",
        Named::Ukrainian(DocumentType::RefugeeTravelDocument),
    ),
    (
        "ПРОЇЗНИЙ ДОКУМЕНТ ОСОБИ БЕЗ ГРОМАДЯНСТВА",
        Named::Ukrainian(DocumentType::RefugeeTravelDocument),
    ),
    (
        "ПОСВІДКА НА ПОСТІЙНЕ ПРОЖИВАННЯ",
        Named::Ukrainian(DocumentType::ResidencePermit),
    ),
    (
        "ПОСВІДКА НА ТИМЧАСОВЕ ПРОЖИВАННЯ",
        Named::Ukrainian(DocumentType::ResidencePermit),
    ),
    (
        "ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ У ФОРМІ КАРТКИ",
        Named::Ukrainian(DocumentType::IdentityCard),
    ),
    (
        "ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ У ФОРМІ ID-КАРТКИ",
        Named::Ukrainian(DocumentType::IdentityCard),
    ),
    (
        "ТИМЧАСОВЕ ПОСВІДЧЕННЯ ГРОМАДЯНИНА УКРАЇНИ",
        Named::Ukrainian(DocumentType::IdentityCard),
    ),
    (
        "ПОСВІДЧЕННЯ ОСОБИ БЕЗ ГРОМАДЯНСТВА ДЛЯ ВИЇЗДУ ЗА КОРДОН",
        Named::Ukrainian(DocumentType::RefugeeTravelDocument),
    ),
    ("КАРТКА МІГРАНТА", Named::Ukrainian(DocumentType::Other)),
    (
        "ПОСВІДЧЕННЯ БІЖЕНЦЯ",
        Named::Ukrainian(DocumentType::ResidencePermit),
    ),
    (
        "ПОСВІДЧЕННЯ ОСОБИ, ЯКА ПОТРЕБУЄ ДОДАТКОВОГО ЗАХИСТУ",
        Named::Ukrainian(DocumentType::ResidencePermit),
    ),
    (
        "ПРОЇЗНИЙ ДОКУМЕНТ ОСОБИ, ЯКІЙ НАДАНО ДОДАТКОВИЙ ЗАХИСТ",
        Named::Ukrainian(DocumentType::RefugeeTravelDocument),
    ),
    (
        "ПРОЇЗНИЙ ДОКУМЕНТ ДИТИНИ",
        Named::Ukrainian(DocumentType::Passport),
    ),
    (
        "ПОСВІДКА ЧЛЕНА ЕКІПАЖУ",
        Named::Ukrainian(DocumentType::Other),
    ),
    (
        "ПОСВІДЧЕННЯ ЧЛЕНА ЕКІПАЖУ",
        Named::Ukrainian(DocumentType::Other),
    ),
    ("ПАСПОРТ ГРОМАДЯНИНА РОСІЇ", Named::Foreign("RUS")),
    ("ПАСПОРТ ГРОМАДЯНИНА БІЛОРУСІ", Named::Foreign("BLR")),
    ("ПАСПОРТ ГРОМАДЯНИНА МОЛДОВИ", Named::Foreign("MDA")),
    ("ПАСПОРТ ГРОМАДЯНИНА ПОЛЬЩІ", Named::Foreign("POL")),
];

/// Reads the rows of a chunk.
pub(super) fn rows<S: RowSink>(worker: &mut Worker<'_, S>, state: IssuingState, chunk: &[u8]) {
    let mut names = String::new();
    for element in elements(chunk) {
        if worker.has_failed() {
            return;
        }
        let fields = json_object::read(element, &FIELDS, |name| worker.unknown_column(name));
        let source = worker.source;
        match &fields {
            Ok(fields) => {
                let read = read_row(source, &mut worker.memos, state, fields, &mut names);
                worker.row(read, |line| {
                    let [_, police, ..] = &FIELDS;
                    let read = FIELDS
                        .iter()
                        .zip(fields)
                        .filter(|(name, _)| *name != police);
                    let (names, values): (Vec<&str>, Vec<Value<'_>>) =
                        read.map(|(&name, value)| (name, value.clone())).unzip();
                    kept::fields(&names, &values, line);
                });
            }
            Err(reject) => worker.unusable_row(reject.clone()),
        }
    }
}

fn read_row<'a>(
    source: &'a SourceConfig,
    memos: &mut Memos,
    ukraine: IssuingState,
    [id, _, series, number, name, status, loss, reported]: &'a [Value<'a>; 8],
    names: &mut String,
) -> Result<Reading<'a>, Reject> {
    let series = trim(series.text("D_SERIES")?);
    let spelled;
    let number = match number {
        Value::Integer(number) => {
            spelled = number.to_string();
            &spelled
        }
        other => trim(other.text("D_NUMBER")?),
    };
    if number.is_empty() {
        return Err(Reject::new("D_NUMBER", Reason::Missing));
    }
    let mut foreign = |code| {
        memos
            .state(code)
            .map_err(|error| Reject::new("D_TYPE", error))
    };
    let (state, document_type) = match named(trim(name.text("D_TYPE")?), source, names)? {
        Named::Citizen if series.is_empty() => (ukraine, DocumentType::IdentityCard),
        Named::Citizen => (ukraine, DocumentType::DomesticPassport),
        Named::Ukrainian(document_type) => (ukraine, document_type),
        Named::Foreign(code) => (foreign(code)?, DocumentType::Other),
    };
    let number = match state == ukraine {
        true => numbered(document_type, FIELDS_OF_NUMBER, series, number)?,
        false => series_and_number("D_NUMBER", series, number)?,
    };
    let word = trim(status.text("D_STATUS")?);
    let known = |word: &str| match word {
        "ВТРАЧЕНО" => Some(ReportStatus::Lost),
        "ВИКРАДЕНО" => Some(ReportStatus::Stolen),
        _ => None,
    };
    let read = known(word).or_else(|| known(in_capitals(word, names)));
    let status = match (read, word, source.status) {
        (Some(read), ..) => read,
        (None, _, Some(fixed)) => fixed,
        (None, "", None) => return Err(Reject::new("D_STATUS", Reason::MissingAndNotFixed)),
        (None, ..) => return Err(Reject::not_known("D_STATUS", word, EXPECTED_STATUS)),
    };
    Ok(Reading {
        number_field: "D_NUMBER",
        source_status: text(word, None, "D_STATUS", REFERENCE_BYTES_MAX)?,
        date_of_loss: day("THEFT_DATA", loss)?,
        date_reported: day("INSERT_DATE", reported)?,
        owner_reference: text(trim(id.text("ID")?), None, "ID", REFERENCE_BYTES_MAX)?,
        ..Reading::new(source, number, state, document_type, status)
    })
}

/// What the name of a document says; `capitals` is working space.
fn named(name: &str, source: &SourceConfig, capitals: &mut String) -> Result<Named, Reject> {
    if name.is_empty() {
        let fixed = source
            .document_type
            .ok_or_else(|| Reject::new("D_TYPE", Reason::MissingAndNotFixed))?;
        return Ok(if fixed == DocumentType::DomesticPassport {
            Named::Citizen
        } else {
            Named::Ukrainian(fixed)
        });
    }
    let find = |name: &str| {
        TYPES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|&(_, named)| named)
    };
    find(name)
        .or_else(|| find(in_capitals(name, capitals)))
        .ok_or_else(|| Reject::not_known("D_TYPE", name, EXPECTED_TYPE))
}

/// A text in capitals, with one blank between words: not all lists have it so. `capitals` is working space.
fn in_capitals<'c>(text: &str, capitals: &'c mut String) -> &'c str {
    capitals.clear();
    for word in text.split_whitespace() {
        if !capitals.is_empty() {
            capitals.push(' ');
        }
        capitals.extend(word.chars().flat_map(char::to_uppercase));
    }
    capitals
}

/// The fields of series and number.
const FIELDS_OF_NUMBER: [&str; 2] = ["D_SERIES", "D_NUMBER"];

/// Series and number as one, in the form that documents of the type have: two letters and six digits, or nine digits.
pub(super) fn numbered(
    document_type: DocumentType,
    [series_field, number_field]: [&'static str; 2],
    series: &str,
    number: &str,
) -> Result<DocumentNumber, Reject> {
    let digits = |count| number.len() == count && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_series = || series.chars().count() == 2 && series.chars().all(char::is_alphabetic);
    let passport = matches!(
        document_type,
        DocumentType::DomesticPassport | DocumentType::Passport
    );
    let with_series = |series: &str| passport || !series.is_empty();
    match (document_type, series) {
        // Of these no form is known.
        (DocumentType::SeafarersDocument, _) => {}
        (_, series) if with_series(series) && !is_series() => {
            return Err(Reject::expected(series_field, EXPECTED_SERIES));
        }
        (_, series) if with_series(series) && !digits(6) => {
            return Err(Reject::expected(number_field, EXPECTED_NUMBER));
        }
        (_, "") if !digits(9) => return Err(Reject::expected(number_field, EXPECTED_CARD)),
        _ => {}
    }
    series_and_number(number_field, series, number)
}

/// The day at the beginning of a date and time, `2001-02-03T00:00:00`.
fn day(field: &'static str, value: &Value<'_>) -> Result<Option<Day>, Reject> {
    let text = trim(value.text(field)?);
    if text.is_empty() {
        return Ok(None);
    }
    let (day, rest) = text.split_at_checked(10).unwrap_or((text, ""));
    let timed = rest.is_empty() || rest.starts_with(['T', ' ']);
    let day = Day::parse_iso(day).filter(|_| timed);
    let day = day.or_else(|| stand_in_text(text));
    day.map(Some).ok_or_else(|| {
        Reject::expected(
            field,
            "expected a date and time as YYYY-MM-DDThh:mm:ss, found another text",
        )
    })
}

const EXPECTED_TYPE: &str = "expected the name of a document of Ukraine, or of a citizen's passport of a State \
    known to this layout";
const EXPECTED_STATUS: &str =
    "expected ВТРАЧЕНО or ВИКРАДЕНО, or a status fixed in the source for other words";
const EXPECTED_CARD: &str = "expected nine digits, as on a card without series";
const EXPECTED_SERIES: &str = "expected a series of two letters";
const EXPECTED_NUMBER: &str =
    "expected six digits after a series; fewer may have lost their leading zeros";
