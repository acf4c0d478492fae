//! Layout `ukraine-inactive`: the files `INACTIVE_*.csv` of the State Migration Service of Ukraine, documents that it has
//! declared invalid.
//!
//! No header, `;`, quotation marks where needed, 17 columns:
//!
//! | column | what | kept as |
//! |---|---|---|
//! | 1 | code of the type, see [`TYPES`] | type |
//! | 2, 3 | series, number | the number: two letters and six digits, or nine digits without a series |
//! | 4 | code of the status | status; the code itself stays with the report |
//! | 5-8 | surname, given name, patronymic, date of birth | never read, never kept |
//! | 9-12 | citizenship, day of issue, day of expiry, office | not read |
//! | 13 | day from which it is invalid | day of the report |
//! | 14-17 | day of destruction, act, notes, nothing | not read |
//!
//! - Days are `dd.mm.yyyy`, `ddmmyyyy` or `dd-mm-yyyy`.
//! - Status 002 (withdrawn), 004 (blank annulled) and 408 (of a deceased person) are *invalidated*, 406 is *stolen*, 407
//!   *lost*. 001 (issued) and 412 (expired) are no reports: such rows are counted, and nothing of them is kept. Any other
//!   code is rejected and named.
//! - An identity card and the domestic passport have one code in common, `IP`: with a series it is the booklet.
//!
//! Public source: the code lists and the reader of the Migration Service's own program for invalid documents, whose
//! `save_docs_lost` takes these files.

use sltd::document::{DocumentType, IssuingState};
use sltd::report::{Day, ReportStatus};

use super::cells::trim;
use super::dates::stand_in_text;
use super::delimited::{self, Cells, Format, IGNORED};
use super::kept::Form;
use super::reading::Reading;
use super::reject::{Reason, Reject};
use super::ukraine::numbered;
use super::worker::Worker;
use super::{RowSink, kept};
use crate::config::SourceConfig;

/// Columns of a row.
const COLUMNS: usize = 17;
/// The columns that are read, in the order of the cells: type, series, number, status, day.
const READ: [usize; 5] = [0, 1, 2, 3, 12];
const FORMS: [Form; 5] = [
    Form::Code(2),
    Form::Series,
    Form::Number,
    Form::Code(3),
    Form::Date,
];

/// The types of documents by their codes. `IP` with a series is a domestic passport, without one a card.
const TYPES: [(&str, DocumentType); 15] = [
    // A citizen's passport.
    ("IP", DocumentType::DomesticPassport),
    // A citizen's passport in the form of a card.
    ("ID", DocumentType::IdentityCard),
    // A citizen's passport for travel abroad.
    ("P", DocumentType::Passport),
    // A certificate for the return to Ukraine.
    ("IS", DocumentType::EmergencyTravelDocument),
    // A citizen's temporary certificate.
    ("IT", DocumentType::IdentityCard),
    // A stateless person's certificate for travel abroad.
    ("IN", DocumentType::RefugeeTravelDocument),
    // Permits of permanent and of temporary residence.
    ("ER", DocumentType::ResidencePermit),
    ("ET", DocumentType::ResidencePermit),
    // A migrant's card.
    ("EG", DocumentType::Other),
    // A refugee's certificate.
    ("EY", DocumentType::ResidencePermit),
    // A refugee's travel document.
    ("IB", DocumentType::RefugeeTravelDocument),
    // Certificate and travel document of a person under complementary protection.
    ("ED", DocumentType::ResidencePermit),
    ("SP", DocumentType::RefugeeTravelDocument),
    // A child's travel document.
    ("PR", DocumentType::Passport),
    // A crew member's certificate.
    ("AC", DocumentType::Other),
];

/// The form of the rows. `delimiter` is the one that is stated.
pub(super) fn format(delimiter: Option<u8>) -> Format {
    let mut columns = vec![IGNORED; COLUMNS];
    for (cell, &column) in (0..).zip(&READ) {
        if let Some(place) = columns.get_mut(column) {
            *place = cell;
        }
    }
    Format {
        delimiter: delimiter.unwrap_or(b';'),
        quoted: true,
        columns,
    }
}

/// Reads the rows of a chunk.
pub(super) fn rows<S: RowSink>(
    worker: &mut Worker<'_, S>,
    state: IssuingState,
    format: &Format,
    chunk: &[u8],
) {
    let source = worker.source;
    delimited::each_row(format, chunk, |cells| {
        match cells {
            Ok(&[_, _, _, status, ..]) if is_no_report(status) => {
                worker.no_report();
            }
            Ok(cells) => {
                let read = read_row(source, state, cells);
                worker.row(read, |line| kept::delimited(format, cells, &FORMS, line));
            }
            Err(reject) => worker.unusable_row(reject),
        }
        !worker.has_failed()
    });
}

fn is_no_report(status: &str) -> bool {
    matches!(trim(status), "001" | "412")
}

fn read_row<'a>(
    source: &'a SourceConfig,
    state: IssuingState,
    &[code, series, number, status, day, ..]: &Cells<'a>,
) -> Result<Reading<'a>, Reject> {
    let (code, series, cell) = (trim(code), trim(series), trim(number));
    let known = TYPES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(code));
    let document_type = match known {
        Some((_, DocumentType::DomesticPassport)) if series.is_empty() => {
            DocumentType::IdentityCard
        }
        Some(&(_, document_type)) => document_type,
        None if code.is_empty() => return Err(Reject::new("type", Reason::Missing)),
        None => return Err(Reject::not_known("type", code, EXPECTED_TYPE)),
    };
    if cell.is_empty() {
        return Err(Reject::new("number", Reason::Missing));
    }
    let number = match (document_type, series) {
        // Travel documents of the newest kind have no series.
        (DocumentType::Passport, "") => numbered(DocumentType::IdentityCard, FIELDS, series, cell),
        _ => numbered(document_type, FIELDS, series, cell),
    }?;
    let word = trim(status);
    let status = match word {
        "002" | "004" | "408" => ReportStatus::Invalidated,
        "406" => ReportStatus::Stolen,
        "407" => ReportStatus::Lost,
        "" => return Err(Reject::new("status", Reason::Missing)),
        other => return Err(Reject::not_known("status", other, EXPECTED_STATUS)),
    };
    Ok(Reading {
        cell,
        source_status: word,
        date_reported: read_day(trim(day))?,
        ..Reading::new(source, number, state, document_type, status)
    })
}

/// The fields of series and number.
const FIELDS: [&str; 2] = ["series", "number"];

/// A day as `dd.mm.yyyy`, `ddmmyyyy` or `dd-mm-yyyy`.
fn read_day(text: &str) -> Result<Option<Day>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    let digits = |part: &[u8]| {
        let one = |value: u16, byte: &u8| {
            byte.is_ascii_digit()
                .then(|| value * 10 + u16::from(byte - b'0'))
        };
        part.iter().try_fold(0, one)
    };
    let read = || {
        let (day, month, year) = match text.as_bytes() {
            [d1, d2, b'.', m1, m2, b'.', year @ ..] | [d1, d2, b'-', m1, m2, b'-', year @ ..] => {
                ([*d1, *d2], [*m1, *m2], year)
            }
            [d1, d2, m1, m2, year @ ..] => ([*d1, *d2], [*m1, *m2], year),
            _ => return None,
        };
        let year = digits(<&[u8; 4]>::try_from(year).ok()?)?;
        let [day, month] = [digits(&day)?, digits(&month)?];
        Day::from_ymd(
            year.into(),
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    };
    let day = read().or_else(|| stand_in_text(text));
    day.map(Some).ok_or_else(|| {
        Reject::expected(
            "date",
            "expected a day of the calendar as dd.mm.yyyy, ddmmyyyy or dd-mm-yyyy, found another text",
        )
    })
}

const EXPECTED_TYPE: &str = "expected a code of the Migration Service such as IP, ID, P, ER or ET";
const EXPECTED_STATUS: &str =
    "expected 002, 004, 406, 407 or 408 (or 001 or 412, which are no reports)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        for text in ["05.03.2019", "05032019", "05-03-2019"] {
            assert_eq!(
                read_day(text).unwrap(),
                Day::parse_iso("2019-03-05"),
                "{text}"
            );
        }
        assert_eq!(read_day("00.00.0000").unwrap(), Some(Day::MIN));
        assert_eq!(read_day("").unwrap(), None);
        for text in [
            "5.3.2019",
            "2019-03-05",
            "31022019",
            "050319",
            "05.03-2019",
            "05.03.20199",
            "05.03.2019201920192019",
        ] {
            assert!(read_day(text).is_err(), "{text}");
        }
    }
}
