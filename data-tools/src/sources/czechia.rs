//! Layout `czechia`: the Ministry of the Interior's lists of invalid documents, a ZIP archive with
//! a CSV file for each kind (`typ_dokladu`).
//!
//! | kind | document | row |
//! |---|---|---|
//! | 0 | identity cards without series | `number;date`: `000000001;5.3.2019` |
//! | 1 | identity cards with series | `number;series;date`: `000001;AB12;5.3.2019` |
//! | 2 | passports issued centrally | `number;date` |
//! | 3 | older regional passports | `number;date` |
//!
//! - No header, no quotation marks; dates are `d.M.yyyy`, the day the loss was reported or the
//!   document became invalid: it is kept as the day of the report.
//! - The kind comes from `kind` in the source, else from `typ_dokladu=2` (or `typ_dokladu_2`,
//!   `typ_dokladu2`) in the name of entry or file. The codes of the ministry's single query are other
//!   ones and mean nothing here.
//! - Every document is lost, stolen or invalid by law or decision; the list does not say which, so
//!   its status is *invalidated* unless the source fixes another.
//! - Numbers of cards have nine digits, beside a series (two letters, or two letters and two digits) six: anything else is
//!   rejected. How long those of passports may be is not documented: unlikely ones are counted.
//! - Canonical order: series, then number (`AB12000001`). The cards with a series have no
//!   machine-readable zone, so the rule "else series first" holds. Equal numbers of two series are
//!   two documents.
//! - An archive with two lists of one kind is a daily difference (`rozdil=1`), additions and then removals. As a
//!   list it is refused: it would report the very documents that were found. As changes it is the only
//!   form there is.
//!
//! Public source: the ministry's page on invalid documents, and `danilt2000/AcmarkInvalidDocumentsLoader`
//! and `milas111/Import-Invalid-Documents`, which read these files.

use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::report::{Day, ReportStatus};

use super::cells::trim;
use super::dates::stand_in_text;
use super::delimited::{self, Cells, Format};
use super::input::Input;
use super::kept::Form;
use super::reading::Reading;
use super::reject::{Reason, Reject};
use super::worker::{Worker, series_and_number};
use super::{RowSink, SourceError, kept};
use crate::config::{Layout, Purpose, SourceConfig};

/// What files and archives call the kind.
const KIND: &str = "typ_dokladu";
/// The forms of number, series and date.
const FORMS: [Form; 3] = [Form::Number, Form::Series, Form::Date];

/// The kind of document a file is about, and the form of its rows.
/// `delimiter` is the one that is stated.
pub(super) fn head(
    source: &SourceConfig,
    file: &str,
    delimiter: Option<u8>,
) -> Result<(u8, Format), SourceError> {
    let kind = kind(source, file).ok_or_else(|| SourceError::Kind {
        file: file.to_owned(),
    })?;
    // Cells: number, series, date.
    let columns = if kind == 1 { vec![0, 1, 2] } else { vec![0, 2] };
    Ok((
        kind,
        Format {
            delimiter: delimiter.unwrap_or(b';'),
            quoted: false,
            columns,
        },
    ))
}

/// Refuses an archive that holds two lists of one kind; of changes, whatever is no such archive.
pub(super) fn check(source: &SourceConfig, inputs: &[Input]) -> Result<(), SourceError> {
    if source.purpose == Purpose::Changes {
        return check_changes(source, inputs);
    }
    for (index, input) in inputs.iter().enumerate() {
        let same = |other: &&Input| {
            other.archive() == input.archive()
                && kind(source, &other.name) == kind(source, &input.name)
        };
        if let Some(archive) = input.archive()
            && inputs.iter().skip(index + 1).any(|other| same(&other))
        {
            return Err(SourceError::Difference {
                file: archive.to_owned(),
            });
        }
    }
    Ok(())
}

fn check_changes(source: &SourceConfig, inputs: &[Input]) -> Result<(), SourceError> {
    for input in inputs {
        let name = input.archive().unwrap_or(&input.name);
        let mut entries = inputs.iter().filter(|other| other.archive() == Some(name));
        let (added, withdrawn, more) = (entries.next(), entries.next(), entries.next());
        let kind = |input: &Input| kind(source, &input.name);
        if withdrawn.is_none() || more.is_some() || added.map(kind) != withdrawn.map(kind) {
            let file = name.to_owned();
            return Err(SourceError::NoDifference { file });
        }
    }
    Ok(())
}

/// Whether an input is the second list of a daily difference.
pub(super) fn withdraws(source: &SourceConfig, inputs: &[Input], place: usize) -> bool {
    let archive = |place: usize| inputs.get(place).and_then(Input::archive);
    let before = place.checked_sub(1).and_then(archive);
    source.purpose == Purpose::Changes && before.is_some() && before == archive(place)
}

/// The place of an input in the order in which the rows of changes count: of a daily difference, the removals come
/// before the additions, so that an entry in both is a correction.
pub(super) fn order(source: &SourceConfig, inputs: &[Input], place: usize) -> u64 {
    let is_difference =
        |place: usize| source.layout == Layout::Czechia && withdraws(source, inputs, place);
    let place = match place {
        removals if is_difference(removals) => removals.saturating_sub(1),
        additions if is_difference(additions + 1) => additions + 1,
        other => other,
    };
    place as u64
}

fn kind(source: &SourceConfig, file: &str) -> Option<u8> {
    let by_name = || {
        let (_, after) = file.rsplit_once(KIND)?;
        let digits = after.trim_start_matches(['=', '_', '-']).as_bytes();
        match digits {
            [kind @ b'0'..=b'3', rest @ ..] if !rest.first().is_some_and(u8::is_ascii_digit) => {
                Some(kind - b'0')
            }
            _ => None,
        }
    };
    source.kind.or_else(by_name)
}

/// Reads the rows of a chunk.
pub(super) fn rows<S: RowSink>(
    worker: &mut Worker<'_, S>,
    state: IssuingState,
    (kind, format): (u8, &Format),
    withdraws: bool,
    chunk: &[u8],
) {
    let source = worker.source;
    let status = source.status.unwrap_or(ReportStatus::Invalidated);
    let document_type = if kind <= 1 {
        DocumentType::IdentityCard
    } else {
        DocumentType::Passport
    };
    delimited::each_row(format, chunk, |cells| {
        match cells {
            Ok(cells) => {
                let new = |number| Reading::new(source, number, state, document_type, status);
                let read = read_row(kind, cells, new).map(|reading| match withdraws {
                    true => Reading::withdrawn(reading.number, state, document_type, ""),
                    false => reading,
                });
                worker.row(read, |line| kept::delimited(format, cells, &FORMS, line));
            }
            Err(reject) => worker.unusable_row(reject),
        }
        !worker.has_failed()
    });
}

fn read_row<'a>(
    kind: u8,
    &[number, series, date, ..]: &Cells<'a>,
    new: impl Fn(DocumentNumber) -> Reading<'a>,
) -> Result<Reading<'a>, Reject> {
    let series = if kind == 1 { trim(series) } else { "" };
    let cell = trim(number);
    let number = joined(kind, series, cell)?;
    Ok(Reading {
        cell,
        date_reported: day(trim(date))?,
        ..new(number)
    })
}

/// Series and number as one. The width of passports' numbers is not documented: those that are unlikely are counted.
fn joined(kind: u8, series: &str, number: &str) -> Result<DocumentNumber, Reject> {
    if number.is_empty() {
        return Err(Reject::new("number", Reason::Missing));
    }
    let digits =
        |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
    match kind {
        0 if !digits(number, 9) => return Err(Reject::expected("number", EXPECTED_CARD)),
        1 if series.is_empty() => return Err(Reject::new("series", Reason::Missing)),
        1 if !is_series(series) => return Err(Reject::expected("series", EXPECTED_SERIES)),
        1 if !digits(number, 6) => return Err(Reject::expected("number", EXPECTED_NUMBER)),
        _ => {}
    }
    series_and_number("number", series, number)
}

/// Whether a text is the series of an identity card: two letters, on later cards with two digits behind them.
fn is_series(text: &str) -> bool {
    let (letters, digits) = text.as_bytes().split_at(text.len().min(2));
    letters.len() == 2
        && letters.iter().all(u8::is_ascii_alphabetic)
        && matches!(digits.len(), 0 | 2)
        && digits.iter().all(u8::is_ascii_digit)
}

const EXPECTED_CARD: &str =
    "expected nine digits, as on identity cards without series; fewer may have lost leading zeros";
const EXPECTED_SERIES: &str = "expected a series of two letters, or of two letters and two digits";
const EXPECTED_NUMBER: &str =
    "expected six digits beside a series; fewer may have lost leading zeros";

/// A day as `d.M.yyyy`, with or without leading zeros. `M` is the month: read as minutes, as some
/// date libraries do, it would make every day one of January.
fn day(text: &str) -> Result<Option<Day>, Reject> {
    if text.is_empty() {
        return Ok(None);
    }
    let part = |text: &str, longest| {
        let fits =
            (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse::<u16>().ok()).flatten()
    };
    let read = || {
        let mut parts = text.split('.');
        let (day, month, year) = (
            part(parts.next()?, 2)?,
            part(parts.next()?, 2)?,
            parts.next()?,
        );
        let complete = year.len() == 4 && parts.next().is_none();
        let year = part(year, 4).filter(|_| complete)?;
        Day::from_ymd(
            i32::from(year),
            u8::try_from(month).ok()?,
            u8::try_from(day).ok()?,
        )
    };
    read()
        .or_else(|| stand_in_text(text))
        .map(Some)
        .ok_or_else(|| {
            Reject::expected(
                "date",
                "expected a day of the calendar as d.M.yyyy, found another text",
            )
        })
}
