//! What a source may say of the form of its files: encoding, columns, dates.

use std::collections::BTreeMap;
use std::fmt;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use jiff::civil::Date;
use jiff::fmt::strtime::{self, BrokenDownTime};
use sltd::report::Day;

/// How text is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encoding {
    encoding: &'static encoding_rs::Encoding,
    /// UTF-16 of which only a byte order mark says in which order its bytes are.
    needs_mark: bool,
}

impl Encoding {
    /// UTF-8, the default.
    pub const UTF_8: Self = Self {
        encoding: UTF_8,
        needs_mark: false,
    };

    /// The encoding of a label of the WHATWG Encoding Standard, such as `windows-1250`. As there, `latin-1` is
    /// windows-1252, which has it all.
    pub fn from_label(label: &str) -> Option<Self> {
        let label = label.trim().to_ascii_lowercase();
        let label = match label.as_str() {
            "utf-16" | "utf16" => {
                return Some(Self {
                    encoding: UTF_16LE,
                    needs_mark: true,
                });
            }
            "latin-1" => "latin1",
            "utf16le" => "utf-16le",
            "utf16be" => "utf-16be",
            "win-1250" | "cp-1250" => "windows-1250",
            "win-1251" | "cp-1251" => "windows-1251",
            "win-1252" | "cp-1252" => "windows-1252",
            label => label,
        };
        let encoding = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?;
        // It maps bytes to characters of private use: nothing that a list could mean.
        (encoding != encoding_rs::X_USER_DEFINED).then_some(Self {
            encoding,
            needs_mark: false,
        })
    }

    /// What the first bytes of a text say: its encoding and the length of its byte order mark.
    pub(crate) fn from_mark(first: &[u8]) -> Option<(Self, usize)> {
        let (encoding, mark) = encoding_rs::Encoding::for_bom(first)?;
        let needs_mark = false;
        Some((
            Self {
                encoding,
                needs_mark,
            },
            mark,
        ))
    }

    /// The encoding itself, for text without a byte order mark; `None` where the mark is needed.
    pub(crate) fn without_mark(self) -> Option<&'static encoding_rs::Encoding> {
        (!self.needs_mark).then_some(self.encoding)
    }

    /// Whether characters are units of 16 bits.
    pub(crate) fn is_utf_16(self) -> bool {
        self.encoding == UTF_16LE || self.encoding == UTF_16BE
    }

    /// Its name in the standard.
    pub fn name(self) -> &'static str {
        if self.needs_mark {
            "UTF-16"
        } else {
            self.encoding.name()
        }
    }
}

impl fmt::Debug for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How a source calls the columns that it does not call as we do: our name, and its.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnNames(pub BTreeMap<&'static str, String>);

impl ColumnNames {
    /// What the source calls one of our columns.
    pub fn name_of<'n>(&'n self, column: &'n str) -> &'n str {
        self.0.get(column).map_or(column, String::as_str)
    }
}

/// How a source writes days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFormat {
    /// As in strftime.
    format: String,
    /// Whether the year has four digits.
    full_year: bool,
}

/// Days that a format must write and read again, day and month told apart.
const SAMPLES: [Date; 2] = [Date::constant(2024, 11, 13), Date::constant(2003, 2, 1)];
/// An earlier year may have had fewer than four digits in the text.
const FULL_YEAR_MIN: i16 = 1000;

impl DateFormat {
    /// A format as `%d.%m.%Y`, or as `dd.mm.yyyy`; `None` if it does not tell day, month and year.
    pub fn new(text: &str) -> Option<Self> {
        let format = if text.contains('%') {
            text.to_owned()
        } else {
            from_letters(text)?
        };
        let full_year = ["%Y", "%F", "%G"].iter().any(|year| format.contains(year));
        let read = Self { format, full_year };
        let tells = |date: Date| {
            let written = strtime::format(&read.format, date.at(14, 5, 6, 0)).ok();
            let back = written.and_then(|written| read.parse(&written));
            back.is_some() && back == day(date)
        };
        SAMPLES.into_iter().all(tells).then_some(read)
    }

    /// The day that a text names.
    pub fn parse(&self, text: &str) -> Option<Day> {
        let date = BrokenDownTime::parse(&self.format, text)
            .ok()?
            .to_date()
            .ok()?;
        // A year of two digits would be one of the first century; 01.01.0001 is written for "no date".
        let year = date.year();
        let full = !self.full_year || year >= FULL_YEAR_MIN || text.contains(&format!("{year:04}"));
        day(date).filter(|_| full)
    }

    /// A day as the source would write it.
    pub(crate) fn write(&self, day: Day) -> Option<String> {
        let (year, month, day) = day.ymd();
        let date = Date::new(
            i16::try_from(year).ok()?,
            i8::try_from(month).ok()?,
            i8::try_from(day).ok()?,
        );
        strtime::format(&self.format, date.ok()?.at(0, 0, 0, 0)).ok()
    }

    /// The format, as in strftime.
    pub fn as_str(&self) -> &str {
        &self.format
    }
}

fn day(date: Date) -> Option<Day> {
    Day::from_ymd(
        i32::from(date.year()),
        u8::try_from(date.month()).ok()?,
        u8::try_from(date.day()).ok()?,
    )
}

/// A format in letters, as spreadsheets have it. `mm` after an hour are minutes.
fn from_letters(text: &str) -> Option<String> {
    let mut format = String::new();
    let mut rest = text;
    let mut timed = false;
    while let Some(first) = rest.chars().next() {
        let letter = first.to_ascii_lowercase();
        let same = |other: &char| other.to_ascii_lowercase() == letter;
        let count = rest.chars().take_while(same).count();
        let (part, length) = match (letter, count) {
            _ if rest
                .get(..3)
                .is_some_and(|mon| mon.eq_ignore_ascii_case("mon")) =>
            {
                ("%b", 3)
            }
            ('y', 4) => ("%Y", 4),
            ('y', 2) => ("%y", 2),
            ('m', 1 | 2) if timed => ("%M", count),
            ('m', 1 | 2) => ("%m", count),
            ('m', 3) => ("%b", 3),
            ('m', 4) => ("%B", 4),
            ('d', 1 | 2) => ("%d", count),
            ('h', 1 | 2) => ("%H", count),
            ('s', 1 | 2) => ("%S", count),
            ('t', 1) => ("T", 1),
            ('a'..='z', _) => return None,
            _ => ("", 0),
        };
        timed |= letter == 'h';
        if length > 0 {
            format.push_str(part);
            rest = rest.get(length..)?;
        } else {
            format.push(first);
            rest = rest.get(first.len_utf8()..)?;
        }
    }
    Some(format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_have_the_names_that_people_use() {
        for (label, name) in [
            ("utf-8", "UTF-8"),
            ("UTF8", "UTF-8"),
            ("windows-1250", "windows-1250"),
            ("cp1250", "windows-1250"),
            ("Windows-1251", "windows-1251"),
            ("windows-1252", "windows-1252"),
            ("latin-1", "windows-1252"),
            ("latin1", "windows-1252"),
            ("iso-8859-1", "windows-1252"),
            ("ISO-8859-2", "ISO-8859-2"),
            ("utf-16le", "UTF-16LE"),
            ("UTF-16BE", "UTF-16BE"),
            ("utf-16", "UTF-16"),
        ] {
            assert_eq!(
                Encoding::from_label(label).map(Encoding::name),
                Some(name),
                "{label}"
            );
        }
        for label in ["", "utf-7", "x-user-defined", "hz-gb-2312"] {
            assert_eq!(Encoding::from_label(label), None, "{label}");
        }
    }

    #[track_caller]
    fn check(format: &str, text: &str, expected: Option<&str>) {
        let day = DateFormat::new(format).unwrap().parse(text);
        assert_eq!(day, expected.and_then(Day::parse_iso), "{format} {text}");
    }

    #[test]
    fn days_are_read_as_the_source_writes_them() {
        for format in ["%d.%m.%Y", "dd.mm.yyyy", "DD.MM.YYYY", "d.m.yyyy"] {
            check(format, "05.03.2019", Some("2019-03-05"));
            check(format, "5.3.2019", Some("2019-03-05"));
            check(format, "31.02.2019", None);
            check(format, "2019-03-05", None);
            check(format, "05.03.19", None);
            check(format, "", None);
        }
        check("ddmmyyyy", "05032019", Some("2019-03-05"));
        check("ddmmyyyy", "5032019", None);
        check("ddmmyyyy", "1112024", None);
        check("dd.mm.yyyy", "01.01.0001", Some("0001-01-01"));
        check("yyyymmdd", "20190305", Some("2019-03-05"));
        check("mm/dd/yyyy", "03/05/2019", Some("2019-03-05"));
        check("dd/mm/yy", "05/03/19", Some("2019-03-05"));
        check("DD-MON-YYYY", "05-MAR-2019", Some("2019-03-05"));
        check("dd mmm yyyy", "05 Mar 2019", Some("2019-03-05"));
        check(
            "%d.%m.%Y %H:%M:%S",
            "05.03.2019 12:30:00",
            Some("2019-03-05"),
        );
        check(
            "dd.mm.yyyy hh:mm:ss",
            "05.03.2019 12:30:00",
            Some("2019-03-05"),
        );
        check(
            "yyyy-mm-ddThh:mm:ss",
            "2019-03-05T12:30:00",
            Some("2019-03-05"),
        );
    }

    #[test]
    fn a_format_tells_day_month_and_year() {
        for format in [
            "", "%d.%m", "%Y", "dd.mm", "yyyy", "d.m.y", "%Q", "%", "tomorrow", "%H:%M",
        ] {
            assert_eq!(DateFormat::new(format), None, "{format}");
        }
    }

    #[test]
    fn days_are_written_as_they_are_read() {
        let format = DateFormat::new("dd.mm.yyyy").unwrap();
        let day = Day::parse_iso("2019-03-05").unwrap();
        assert_eq!(format.write(day).as_deref(), Some("05.03.2019"));
    }
}
