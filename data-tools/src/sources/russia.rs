//! Layout `russia`: the Ministry of the Interior's list of invalid domestic passports,
//! `list_of_expired_passports.csv.bz2` as published until 2023.
//!
//! - Header `PASSP_SERIES,PASSP_NUMBER`; then a series of four digits and a number of six a row,
//!   `0000,000001`. ASCII but for rows that cannot be used; no quotation marks, no dates, no reasons.
//! - Every row is an invalidated domestic passport of Russia. The list does not say why, so it is
//!   not *stolen* or *lost* here; `status` in the source says otherwise where an operator knows.
//!   The Russian passport for travel has nine digits and is another type of document.
//! - Canonical order: series, then number, ten digits. That is how the booklet prints and every
//!   published reader of the list keys it; it has no machine-readable zone of its own until 2011.
//! - Some 10,000 of 130 million rows cannot be used and are rejected, each with its reason: numbers
//!   that lost their leading zeros (to fill them up would be a guess), stray characters, and passports
//!   of the Soviet Union (a Roman numeral and two Cyrillic letters), which Russia did not issue.
//!
//! Public source: the form of the list as its published readers have it, such as
//! `rgaryaev/pspservice` and `rnixik/invalid-passports`.

use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::report::ReportStatus;

use super::cells::trim;
use super::columns::same;
use super::delimited::{self, Format};
use super::header::Header;
use super::kept::Form;
use super::reading::Reading;
use super::reject::Reject;
use super::worker::Worker;
use super::{RowSink, SourceError, kept};

const SERIES: &str = "PASSP_SERIES";
const NUMBER: &str = "PASSP_NUMBER";
/// The forms of both columns.
const FORMS: [Form; 2] = [Form::Series, Form::Number];

/// Checks the header. `delimiter` is the one that is stated.
pub(super) fn head(file: &str, line: &[u8], delimiter: Option<u8>) -> Result<Format, SourceError> {
    let known = |name: &str| same(name, SERIES) || same(name, NUMBER);
    let header = Header::read(file, line, delimiter, known)?;
    if let [series, number] = header.names.as_slice()
        && same(series, SERIES)
        && same(number, NUMBER)
    {
        return Ok(Format {
            delimiter: header.delimiter,
            quoted: false,
            columns: vec![0, 1],
        });
    }
    Err(SourceError::Header {
        file: file.to_owned(),
        expected: "PASSP_SERIES,PASSP_NUMBER",
    })
}

/// Reads the rows of a chunk.
pub(super) fn rows<S: RowSink>(
    worker: &mut Worker<'_, S>,
    state: IssuingState,
    format: &Format,
    chunk: &[u8],
) {
    let source = worker.source;
    let status = source.status.unwrap_or(ReportStatus::Invalidated);
    delimited::each_row(format, chunk, |cells| {
        match cells {
            Ok(cells @ &[series, passport, ..]) => {
                let number = number(trim(series), trim(passport));
                let passport = DocumentType::DomesticPassport;
                let read = number.map(|number| Reading {
                    number_field: NUMBER,
                    ..Reading::new(source, number, state, passport, status)
                });
                worker.row(read, |line| kept::delimited(format, cells, &FORMS, line));
            }
            Err(reject) => worker.unusable_row(reject),
        }
        !worker.has_failed()
    });
}

/// Series and number as one.
fn number(series: &str, passport: &str) -> Result<DocumentNumber, Reject> {
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(series, 4) {
        let soviet = series.chars().any(char::is_alphabetic);
        return Err(Reject::expected(
            SERIES,
            if soviet { SOVIET } else { EXPECTED_SERIES },
        ));
    }
    if !digits(passport, 6) {
        return Err(Reject::expected(NUMBER, EXPECTED_NUMBER));
    }
    let mut joined = [0; 10];
    let (first, last) = joined.split_at_mut(4);
    first.copy_from_slice(series.as_bytes());
    last.copy_from_slice(passport.as_bytes());
    DocumentNumber::from_normalised(&joined)
        .ok_or_else(|| Reject::expected(NUMBER, EXPECTED_NUMBER))
}

const EXPECTED_SERIES: &str = "expected a series of four digits";
const EXPECTED_NUMBER: &str =
    "expected a number of six digits; fewer may have lost their leading zeros";
const SOVIET: &str = "expected a series of four digits, found letters: \
    a passport of the Soviet Union, which Russia has not issued, or a damaged row";
