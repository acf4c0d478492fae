//! Rows as each layout writes them.

use super::dates::{Calendar, ListDay};
use super::rows::{Details, Row};
use super::states::{CZECHIA, RUSSIA, StateRow, UKRAINE, WORLD};
use sltd::document::DocumentType;
use sltd::report::ReportStatus;

/// The layout of a generated list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// Our CSV: every State, every kind of document.
    SltdCsv,
    /// Our JSON Lines: the same fields, empty ones left out.
    SltdJsonl,
    /// Our Parquet: the same fields as columns of texts.
    SltdParquet,
    /// The Russian list of invalid domestic passports: series and number, dense digits, nothing else.
    Russia,
    /// The Ukrainian lists of lost and stolen domestic passports: a JSON array with a byte order mark.
    Ukraine,
    /// The Czech list of invalid identity cards without a series: number and date.
    Czechia,
}

impl Layout {
    /// Who reports what in such a list.
    pub(super) fn states(self) -> &'static [StateRow] {
        match self {
            Self::SltdCsv | Self::SltdJsonl | Self::SltdParquet => WORLD,
            Self::Russia => RUSSIA,
            Self::Ukraine => UKRAINE,
            Self::Czechia => CZECHIA,
        }
    }

    /// How many documents those States have issued, rounded: what is listed of them today (40, 130, 2.9
    /// and 0.85 million) is 1 in 100 world-wide and 1 in 3 of the Russian list, where numbers are dense.
    pub(super) fn issued(self) -> u64 {
        match self {
            Self::SltdCsv | Self::SltdJsonl | Self::SltdParquet => 4_000_000_000,
            Self::Russia => 400_000_000,
            Self::Ukraine => 50_000_000,
            Self::Czechia => 50_000_000,
        }
    }

    /// Whether rows carry a State, a type, a status and dates of their own.
    pub(super) fn is_ours(self) -> bool {
        matches!(self, Self::SltdCsv | Self::SltdJsonl | Self::SltdParquet)
    }
}

/// Writes rows of one layout into a buffer.
#[derive(Debug)]
pub(super) struct Writer {
    layout: Layout,
    calendar: Calendar,
    references: bool,
    first: bool,
}

impl Writer {
    /// A writer of `layout`, with owners' references where the layout has them and `references` asks.
    pub(super) fn new(layout: Layout, references: bool) -> Self {
        Self {
            layout,
            calendar: Calendar::new(),
            references,
            first: true,
        }
    }

    /// What stands before the first row.
    pub(super) fn begin(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.layout {
            Layout::SltdCsv => {
                b"number,issuing_state,type,status,date_of_loss,date_reported,review_date,authority,restriction,owner_reference,range_end\n"
            }
            Layout::Russia => b"PASSP_SERIES,PASSP_NUMBER\n",
            Layout::Ukraine => "\u{feff}[\n".as_bytes(),
            Layout::SltdJsonl | Layout::SltdParquet | Layout::Czechia => b"",
        });
    }

    /// What stands after the last row.
    pub(super) fn end(&self, out: &mut Vec<u8>) {
        if self.layout == Layout::Ukraine {
            out.extend_from_slice(b"\n]\n");
        }
    }

    /// One row.
    pub(super) fn row(&mut self, row: &Row, out: &mut Vec<u8>) {
        match self.layout {
            // A table takes the fields of our CSV apart again.
            Layout::SltdCsv | Layout::SltdParquet => self.sltd_csv(row, out),
            Layout::SltdJsonl => self.sltd_jsonl(row, out),
            Layout::Russia => {
                let number = row.number.as_bytes();
                out.extend_from_slice(number.get(..4).unwrap_or_default());
                out.push(b',');
                out.extend_from_slice(number.get(4..).unwrap_or_default());
                out.push(b'\n');
            }
            Layout::Ukraine => self.ukraine(row, out),
            Layout::Czechia => {
                out.extend_from_slice(row.number.as_bytes());
                out.push(b';');
                let day = row.details.date_reported.unwrap_or(ListDay::newest());
                self.czech_date(day, out);
                out.push(b'\n');
            }
        }
        self.first = false;
    }

    fn sltd_csv(&self, row: &Row, out: &mut Vec<u8>) {
        let details = &row.details;
        out.extend_from_slice(row.number.as_bytes());
        out.push(b',');
        out.extend_from_slice(row.state.as_bytes());
        out.push(b',');
        out.extend_from_slice(kind_name(row.kind).as_bytes());
        out.push(b',');
        out.extend_from_slice(status_name(details.status).as_bytes());
        for day in [
            details.date_of_loss,
            details.date_reported,
            details.review_date,
        ] {
            out.push(b',');
            if let Some(day) = day {
                out.extend_from_slice(self.calendar.iso(day));
            }
        }
        out.push(b',');
        authority(row.state, details, out);
        out.push(b',');
        out.extend_from_slice(details.restriction.as_bytes());
        out.push(b',');
        if self.references {
            reference(row, out);
        }
        out.push(b',');
        if let Some(end) = row.range_end {
            out.extend_from_slice(end.as_bytes());
        }
        out.push(b'\n');
    }

    fn sltd_jsonl(&self, row: &Row, out: &mut Vec<u8>) {
        let details = &row.details;
        let mut field = |name: &str, value: &[u8]| {
            if value.is_empty() {
                return;
            }
            out.extend_from_slice(if name == "number" { b"{\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":\"");
            out.extend_from_slice(value);
            out.push(b'"');
        };
        let iso = |day: Option<ListDay>| day.map_or(&[][..], |day| self.calendar.iso(day));
        let (mut owner, mut owners) = (Vec::new(), Vec::new());
        authority(row.state, details, &mut owner);
        if self.references {
            reference(row, &mut owners);
        }
        field("number", row.number.as_bytes());
        field("issuing_state", row.state.as_bytes());
        field("type", kind_name(row.kind).as_bytes());
        field("status", status_name(details.status).as_bytes());
        field("date_of_loss", iso(details.date_of_loss));
        field("date_reported", iso(details.date_reported));
        field("review_date", iso(details.review_date));
        field("authority", &owner);
        field("restriction", details.restriction.as_bytes());
        field("owner_reference", &owners);
        field(
            "range_end",
            row.range_end.as_ref().map_or(&[], |end| end.as_bytes()),
        );
        out.extend_from_slice(b"}\n");
    }

    fn ukraine(&self, row: &Row, out: &mut Vec<u8>) {
        let number = row.number.as_bytes();
        let letters = number.iter().take_while(|b| b.is_ascii_uppercase()).count();
        let (series, digits) = number.split_at(letters);
        let series: String = series.iter().map(|b| cyrillic(*b)).collect();
        let digits = String::from_utf8_lossy(digits);
        let status = match row.details.status {
            ReportStatus::Stolen | ReportStatus::StolenBlank => "ВИКРАДЕНО",
            _ => "ВТРАЧЕНО",
        };
        let day = |day: Option<ListDay>| match day {
            Some(day) => format!(
                "\"{}T00:00:00\"",
                String::from_utf8_lossy(self.calendar.iso(day))
            ),
            None => "null".to_owned(),
        };
        let (unit, loss, inserted) = (
            row.details.authority,
            day(row.details.date_of_loss),
            day(row.details.date_reported),
        );
        let text = format!(
            "{}{{\"ID\":\"{unit:04}_{series}_{digits}\",\"OVD\":\"ВІДДІЛ ПОЛІЦІЇ № {unit}\",\"D_SERIES\":\"{series}\",\"D_NUMBER\":\"{digits}\",\
             \"D_TYPE\":\"ПАСПОРТ ГРОМАДЯНИНА УКРАЇНИ\",\"D_STATUS\":\"{status}\",\"THEFT_DATA\":{loss},\"INSERT_DATE\":{inserted}}}",
            if self.first { "" } else { ",\n" },
        );
        out.extend_from_slice(text.as_bytes());
    }

    /// `5.3.2019`: day, month, year, without leading zeros.
    fn czech_date(&self, day: ListDay, out: &mut Vec<u8>) {
        let iso = self.calendar.iso(day);
        let plain = |digits: &[u8], out: &mut Vec<u8>| match digits {
            [b'0', rest @ ..] => out.extend_from_slice(rest),
            digits => out.extend_from_slice(digits),
        };
        let (year, month, date) = (&iso[..4], &iso[5..7], &iso[8..]);
        plain(date, out);
        out.push(b'.');
        plain(month, out);
        out.push(b'.');
        plain(year, out);
    }
}

/// The code of an authority: the State and a number of two digits at least, `FRA-04`.
fn authority(state: &str, details: &Details, out: &mut Vec<u8>) {
    out.extend_from_slice(state.as_bytes());
    let (tens, ones) = (details.authority / 10 % 10, details.authority % 10);
    out.extend_from_slice(&[b'-', b'0' + tens as u8, b'0' + ones as u8]);
}

/// The owner's reference: the authority and a running number, `FRA-04/0000123456`.
fn reference(row: &Row, out: &mut Vec<u8>) {
    authority(row.state, &row.details, out);
    let mut digits = *b"/0000000000";
    let mut rest = row.row;
    for digit in digits.iter_mut().skip(1).rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(&digits);
}

/// The Cyrillic letter that looks like a Latin one of the series.
fn cyrillic(latin: u8) -> char {
    match latin {
        b'A' => 'А',
        b'B' => 'В',
        b'C' => 'С',
        b'E' => 'Е',
        b'H' => 'Н',
        b'I' => 'І',
        b'K' => 'К',
        b'M' => 'М',
        b'O' => 'О',
        b'P' => 'Р',
        b'T' => 'Т',
        b'X' => 'Х',
        other => char::from(other),
    }
}

/// The name of a type in our layouts.
pub(super) fn kind_name(kind: DocumentType) -> &'static str {
    match kind {
        DocumentType::Passport => "passport",
        DocumentType::DomesticPassport => "domestic_passport",
        DocumentType::IdentityCard => "identity_card",
        DocumentType::Visa => "visa",
        DocumentType::ResidencePermit => "residence_permit",
        DocumentType::RefugeeTravelDocument => "refugee_travel_document",
        DocumentType::EmergencyTravelDocument => "emergency_travel_document",
        DocumentType::SeafarersDocument => "seafarers_document",
        DocumentType::LaissezPasser => "laissez_passer",
        DocumentType::Other => "other",
    }
}

/// The name of a status in our layouts.
fn status_name(status: ReportStatus) -> &'static str {
    match status {
        ReportStatus::Stolen => "stolen",
        ReportStatus::Lost => "lost",
        ReportStatus::StolenBlank => "stolen_blank",
        ReportStatus::Revoked => "revoked",
        ReportStatus::Invalidated => "invalidated",
    }
}
