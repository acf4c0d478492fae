//! The columns of our own layouts, `sltd-csv`, `sltd-jsonl` and `sltd-parquet`: eleven texts a row, in
//! lists of changes thirteen.
//!
//! | column | value |
//! |---|---|
//! | `number` | the number as printed; the first of a range. Series and number in one, in the order of the machine-readable zone, else series first |
//! | `issuing_state` | ICAO Doc 9303 part 3 section 5 code, or an alias of it |
//! | `type` | `passport`, `domestic_passport`, `identity_card`, `visa`, `residence_permit`, `refugee_travel_document`, `emergency_travel_document`, `seafarers_document`, `laissez_passer`, `other`, with blanks or hyphens as well, or the letter of a zone: `P`, `V`, `I`, `A`, `C` |
//! | `status` | `lost`, `stolen`, `stolen_blank`, `revoked`, `invalidated`, with blanks or hyphens as well |
//! | `date_of_loss`, `date_reported`, `review_date` | ISO 8601 days, or empty |
//! | `authority`, `restriction` | codes of at most 64 bytes, or empty |
//! | `owner_reference` | at most 255 bytes, or empty |
//! | `range_end` | the last number of a range, or empty |
//! | `action` | `add`, `withdraw` or `unwithdraw`; only in lists of changes, and required there |
//! | `reason` | why a report is withdrawn, at most 255 bytes, or empty; only in lists of changes |
//!
//! `number`, `issuing_state`, `type` and `status` are required; all but the number may be fixed in
//! the source instead. What a row says itself goes before what the source fixes. A withdrawal is of number,
//! issuing State and type; its other cells are not looked at.

use sltd::document::DocumentNumber;
use sltd::report::Day;

use super::SourceError;
use super::dates::stand_in_text;
use super::kept::Form;
use super::memo::Memos;
use super::reading::{Reading, Says};
use super::reject::{Reason, Reject};
use crate::config::{Purpose, SourceConfig};

/// The columns of a list, in the order in which `sltd-data generate` writes them.
pub(crate) const LIST_COLUMNS: [&str; 11] = match COLUMNS.first_chunk() {
    Some(columns) => *columns,
    None => [""; 11],
};

/// All columns.
pub(crate) const COLUMNS: [&str; COUNT] = [
    "number",
    "issuing_state",
    "type",
    "status",
    "date_of_loss",
    "date_reported",
    "review_date",
    "authority",
    "restriction",
    "owner_reference",
    "range_end",
    "action",
    "reason",
];
/// How many there are.
pub(super) const COUNT: usize = 13;
/// The forms of their cells.
pub(super) const FORMS: [Form; COUNT] = [
    Form::Number,
    Form::Code(3),
    Form::Type,
    Form::Status,
    Form::Date,
    Form::Date,
    Form::Date,
    Form::Text,
    Form::Text,
    Form::Text,
    Form::Number,
    Form::Action,
    Form::Text,
];

const NUMBER: usize = 0;
const ISSUING_STATE: usize = 1;
const TYPE: usize = 2;
const STATUS: usize = 3;
const DATE_OF_LOSS: usize = 4;
const DATE_REPORTED: usize = 5;
const REVIEW_DATE: usize = 6;
const AUTHORITY: usize = 7;
const RESTRICTION: usize = 8;
const OWNER_REFERENCE: usize = 9;
const RANGE_END: usize = 10;
const ACTION: usize = 11;
const REASON: usize = 12;

/// The longest code of an authority or restriction, in bytes.
pub const CODE_BYTES_MAX: usize = 64;
/// The longest reference of an owner, in bytes.
pub const REFERENCE_BYTES_MAX: usize = 255;

/// The longest reason of a withdrawal, in bytes.
pub const REASON_BYTES_MAX: usize = 255;

/// The place of a column among [`COLUMNS`]; `None` for one that is not read.
///
/// # Errors
/// [`SourceError::Changes`] for a column that only lists of changes have: taken as a list, it would report
/// the very documents that were found again, and no other.
pub(super) fn column(
    source: &SourceConfig,
    file: &str,
    name: &str,
) -> Result<Option<usize>, SourceError> {
    let place = COLUMNS.iter().position(|&column| column == name);
    match (source.purpose, place) {
        (Purpose::List, Some(ACTION)) => Err(SourceError::Changes {
            file: file.to_owned(),
        }),
        (Purpose::List, Some(REASON)) => Ok(None),
        _ => Ok(place),
    }
}

/// The first required column that neither the list has nor the source fixes.
pub(super) fn missing_column(
    source: &SourceConfig,
    has: impl Fn(usize) -> bool,
) -> Option<&'static str> {
    let fixed = |column| match column {
        ISSUING_STATE => source.issuing_state.is_some(),
        TYPE => source.document_type.is_some(),
        // A list of withdrawals needs none; a row that does is rejected.
        STATUS => source.status.is_some() || source.purpose == Purpose::Changes,
        ACTION => source.purpose == Purpose::List,
        _ => false,
    };
    let missing = [NUMBER, ISSUING_STATE, TYPE, STATUS, ACTION]
        .into_iter()
        .find(|&column| !has(column) && !fixed(column))?;
    COLUMNS.get(missing).copied()
}

/// Reads the cells of a row, each empty where the row has none.
#[inline]
pub(super) fn read<'a>(
    source: &'a SourceConfig,
    memos: &mut Memos,
    cells: &[&'a str; COUNT],
) -> Result<Reading<'a>, Reject> {
    let cell = |column: usize| -> &'a str { trim(cells[column]) };
    let number = required(cell(NUMBER), NUMBER)?;
    let issuing_state = match (cell(ISSUING_STATE), source.issuing_state) {
        ("", Some(fixed)) => fixed,
        (raw, _) => memos
            .state(required(raw, ISSUING_STATE)?)
            .map_err(|error| Reject::new(COLUMNS[ISSUING_STATE], error))?,
    };
    let document_type = match (cell(TYPE), source.document_type) {
        ("", Some(fixed)) => fixed,
        (raw, _) => memos
            .document_type(required(raw, TYPE)?)
            .ok_or_else(|| Reject::not_known(COLUMNS[TYPE], raw, EXPECTED_TYPE))?,
    };
    let action = match (cell(ACTION), source.purpose) {
        ("", Purpose::List) => Action::Add,
        (_, Purpose::List) => return Err(Reject::new(COLUMNS[ACTION], Reason::Change)),
        ("", Purpose::Changes) => return Err(Reject::new(COLUMNS[ACTION], Reason::Missing)),
        (action, Purpose::Changes) if action.eq_ignore_ascii_case("add") => Action::Add,
        (action, Purpose::Changes) if action.eq_ignore_ascii_case("withdraw") => Action::Withdraw,
        (action, Purpose::Changes) if action.eq_ignore_ascii_case("unwithdraw") => {
            Action::Unwithdraw
        }
        _ => {
            let expected = "expected add, withdraw or unwithdraw, found another text";
            return Err(Reject::expected(COLUMNS[ACTION], expected));
        }
    };
    if action != Action::Add {
        let reason = text(cell(REASON), None, COLUMNS[REASON], REASON_BYTES_MAX)?;
        return Ok(Reading {
            says: match action {
                Action::Unwithdraw => Says::Unwithdrawn { reason },
                _ => Says::Withdrawn { reason },
            },
            range_end: range_end(cell(RANGE_END))?,
            ..Reading::withdrawn(self::number(number)?, issuing_state, document_type, reason)
        });
    }
    let status = match (cell(STATUS), source.status) {
        ("", Some(fixed)) => fixed,
        (raw, _) => memos
            .status(required(raw, STATUS)?)
            .ok_or_else(|| Reject::not_known(COLUMNS[STATUS], raw, EXPECTED_STATUS))?,
    };
    Ok(Reading {
        number: self::number(number)?,
        cell: number,
        number_field: COLUMNS[NUMBER],
        range_end: range_end(cell(RANGE_END))?,
        issuing_state,
        document_type,
        says: Says::Reported(status),
        source_status: "",
        date_of_loss: day(source, cell(DATE_OF_LOSS), DATE_OF_LOSS)?,
        date_reported: day(source, cell(DATE_REPORTED), DATE_REPORTED)?,
        review_date: day(source, cell(REVIEW_DATE), REVIEW_DATE)?,
        authority: text(
            cell(AUTHORITY),
            source.authority.as_deref(),
            COLUMNS[AUTHORITY],
            CODE_BYTES_MAX,
        )?,
        restriction: text(
            cell(RESTRICTION),
            source.restriction.as_deref(),
            COLUMNS[RESTRICTION],
            CODE_BYTES_MAX,
        )?,
        owner_reference: text(
            cell(OWNER_REFERENCE),
            None,
            COLUMNS[OWNER_REFERENCE],
            REFERENCE_BYTES_MAX,
        )?,
    })
}

/// What a row of changes does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Add,
    Withdraw,
    Unwithdraw,
}

const EXPECTED_TYPE: &str = "expected passport, domestic_passport, identity_card, visa, residence_permit, \
    refugee_travel_document, emergency_travel_document, seafarers_document, laissez_passer or other";
const EXPECTED_STATUS: &str = "expected lost, stolen, stolen_blank, revoked or invalidated";

#[inline]
fn number(raw: &str) -> Result<DocumentNumber, Reject> {
    DocumentNumber::from_cell(raw).map_err(|error| Reject::new(COLUMNS[NUMBER], error))
}

#[inline]
fn range_end(raw: &str) -> Result<Option<DocumentNumber>, Reject> {
    if raw.is_empty() {
        return Ok(None);
    }
    let end = DocumentNumber::from_cell(raw);
    Ok(Some(
        end.map_err(|error| Reject::new(COLUMNS[RANGE_END], error))?,
    ))
}

fn required(raw: &str, column: usize) -> Result<&str, Reject> {
    match (raw, column) {
        ("", NUMBER) => Err(Reject::new(COLUMNS[column], Reason::Missing)),
        ("", _) => Err(Reject::new(COLUMNS[column], Reason::MissingAndNotFixed)),
        _ => Ok(raw),
    }
}

#[inline]
fn day(source: &SourceConfig, raw: &str, column: usize) -> Result<Option<Day>, Reject> {
    if raw.is_empty() {
        return Ok(None);
    }
    let day = match &source.date_format {
        None => Day::parse_iso(raw),
        Some(format) => format.parse(raw),
    };
    match day {
        Some(day) => Ok(Some(day)),
        None => stand_in(source, raw, column),
    }
}

/// What a text that is no day stands for.
#[cold]
fn stand_in(source: &SourceConfig, raw: &str, column: usize) -> Result<Option<Day>, Reject> {
    let expected = match source.date_format {
        None => EXPECTED_DAY,
        Some(_) => EXPECTED_FORMAT,
    };
    match stand_in_text(raw) {
        Some(day) => Ok(Some(day)),
        None => Err(Reject::expected(COLUMNS[column], expected)),
    }
}

const EXPECTED_DAY: &str = "expected a day of the calendar as YYYY-MM-DD, found another text";
const EXPECTED_FORMAT: &str = "expected a day of the calendar in the form that date_format in the source has, found another text";

/// A text of limited length, or what the source fixes for it.
#[inline]
pub(super) fn text<'a>(
    raw: &'a str,
    fixed: Option<&'a str>,
    field: &'static str,
    max: usize,
) -> Result<&'a str, Reject> {
    match raw {
        "" => Ok(fixed.unwrap_or("")),
        raw if raw.len() <= max => Ok(raw),
        raw => Err(Reject::new(
            field,
            Reason::TextTooLong {
                found: raw.len(),
                max,
            },
        )),
    }
}

/// Without white space at both ends; looks at the ends first, as there is none nearly always.
#[inline]
pub(super) fn trim(text: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_none_or(|byte| (b'!'..=b'~').contains(byte));
    let bytes = text.as_bytes();
    if plain(bytes.first()) && plain(bytes.last()) {
        text
    } else {
        text.trim()
    }
}
