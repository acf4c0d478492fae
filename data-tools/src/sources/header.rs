//! The header of delimited text: which columns there are, what separates them, and what is wrong if one is missing.

use sltd::document::{DocumentType, IssuingState};
use sltd::report::ReportStatus;

use super::SourceError;
use super::delimited::COLUMNS_MAX;
use super::input::listed;

/// What may separate columns.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How many lines below the first are looked at for a header.
const TITLE_LINES_MAX: usize = 10;

/// A header taken apart.
pub(super) struct Header {
    pub(super) delimiter: u8,
    pub(super) names: Vec<String>,
    /// How many of the names are known.
    known: usize,
}

impl Header {
    /// Takes a header apart, by the delimiter stated, else by the one under which most of its names are known.
    pub(super) fn read(
        file: &str,
        line: &[u8],
        stated: Option<u8>,
        known: impl Fn(&str) -> bool,
    ) -> Result<Self, SourceError> {
        if std::str::from_utf8(line).is_err() {
            return Err(SourceError::Encoding {
                file: file.to_owned(),
                found: "a header that is no UTF-8: state the encoding, such as windows-1250",
            });
        }
        let candidates = match stated {
            Some(delimiter) => vec![delimiter],
            None => DELIMITERS.to_vec(),
        };
        let headers = candidates.into_iter().rev();
        headers
            .filter_map(|delimiter| split(line, delimiter, &known))
            // Of equals the last one counts, and commas come last.
            .max_by_key(|header| match header.known {
                0 => (0, header.names.len()),
                known => (known, 0),
            })
            .ok_or_else(|| SourceError::Header {
                file: file.to_owned(),
                expected: "number,issuing_state,type,status,...",
            })
    }

    /// The error for a column that is missing; it guesses why. `ahead` is what follows the line.
    pub(super) fn missing(
        &self,
        file: &str,
        (line, ahead): (&[u8], &[u8]),
        column: &'static str,
        known: impl Fn(&str) -> bool,
    ) -> SourceError {
        let better = |line: &[u8]| {
            let headers = DELIMITERS
                .into_iter()
                .filter_map(|delimiter| split(line, delimiter, &known));
            headers
                .into_iter()
                .any(|header| header.known > self.known.max(1))
        };
        let mut below = ahead.split(|&byte| byte == b'\n').take(TITLE_LINES_MAX);
        let other = DELIMITERS
            .into_iter()
            .filter_map(|delimiter| split(line, delimiter, &known))
            .find(|other| other.known > self.known);
        let hint = match other {
            Some(other) => format!(
                "the columns seem to be separated by {0}, and delimiter = {1} is stated: expected delimiter = {0}",
                named(other.delimiter),
                named(self.delimiter),
            ),
            None if below.any(better) => {
                "the names of the columns are below the first line: expected no lines above them"
                    .to_owned()
            }
            // What stands in a row is never repeated.
            None if self.known == 0 && self.names.iter().any(|name| is_cell(name)) => {
                "the first line looks like a row: expected a header with the names of the columns"
                    .to_owned()
            }
            None => not_among(column, &self.names),
        };
        SourceError::MissingColumn {
            file: file.to_owned(),
            column,
            hint,
        }
    }
}

/// What is expected where a column is missing among others.
pub(super) fn not_among(column: &str, names: &[String]) -> String {
    let fixed = match column {
        "number" | "action" => String::new(),
        _ => format!(", or {column} = \"...\" to fix it for all rows"),
    };
    format!(
        "expected it among the columns of the file, or columns = {{ {column} = \"...\" }} in the source to say which it \
         is{fixed}; found {}",
        listed(names)
    )
}

fn split(line: &[u8], delimiter: u8, known: &impl Fn(&str) -> bool) -> Option<Header> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(delimiter)
        .from_reader(line);
    let mut record = csv::StringRecord::new();
    let there = reader.read_record(&mut record).ok()?;
    if !there || record.len() > COLUMNS_MAX {
        return None;
    }
    let names: Vec<String> = record.iter().map(|name| name.trim().to_owned()).collect();
    let known = names.iter().filter(|name| known(name)).count();
    Some(Header {
        delimiter,
        names,
        known,
    })
}

/// Whether a field of a first line is what stands in rows: a number, a date, a code.
fn is_cell(field: &str) -> bool {
    let digits = field.chars().filter(|character| character.is_numeric());
    digits.count() > 3
        || DocumentType::from_name(field).is_some()
        || ReportStatus::from_name(field).is_some()
        || (2..=3).contains(&field.len()) && IssuingState::parse(field).is_ok()
}

fn named(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "\"tab\"".to_owned(),
        other => format!("\"{}\"", char::from(other)),
    }
}

/// What the first line of a file says of the delimiter alone, as spreadsheets write it: `sep=;`.
pub(super) fn separator_line(line: &[u8]) -> Option<u8> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let quoted = line
        .strip_prefix(b"\"")
        .and_then(|line| line.strip_suffix(b"\""));
    match quoted.unwrap_or(line) {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', delimiter]
            if DELIMITERS.contains(delimiter) =>
        {
            Some(*delimiter)
        }
        _ => None,
    }
}

/// Where the first line ends, its line break included. A line break between quotation marks is part
/// of the line. `None`: not in these bytes.
pub(super) fn line_end(buffer: &[u8]) -> Option<usize> {
    let mut quoted = false;
    for (at, &byte) in buffer.iter().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> bool {
        ["number", "type", "a,b"].contains(&name)
    }

    #[track_caller]
    fn check(line: &str, delimiter: u8, names: &[&str]) {
        let header = Header::read("list", line.as_bytes(), None, known).unwrap();
        assert_eq!(
            (header.delimiter, header.names),
            (
                delimiter,
                names.iter().map(|&name| name.to_owned()).collect()
            ),
            "{line}"
        );
    }

    #[test]
    fn the_delimiter_is_the_one_that_makes_sense() {
        check("number,type", b',', &["number", "type"]);
        check("number;type", b';', &["number", "type"]);
        check("number\ttype\tx,y,z", b'\t', &["number", "type", "x,y,z"]);
        check("x|number|type", b'|', &["x", "number", "type"]);
        check("number", b',', &["number"]);
        check("\"a,b\";number", b';', &["a,b", "number"]);
        check("\"nu;mber\",type", b',', &["nu;mber", "type"]);
        // Nothing is known: as it seems.
        check("a;b;c", b';', &["a", "b", "c"]);
        check("a", b',', &["a"]);
    }

    #[track_caller]
    fn missing(line: &str, stated: Option<u8>, expected: &str) {
        let header = Header::read("list", line.as_bytes(), stated, known).unwrap();
        let error = header.missing("list", (line.as_bytes(), b""), "number", known);
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn a_missing_column_is_explained_and_no_row_is_repeated() {
        missing("doc_no;type", None, "found doc_no, type");
        missing(
            "doc_no;type",
            Some(b','),
            "separated by \";\", and delimiter = \",\" is stated",
        );
        let rows = [
            "AB990011,FRA,passport,lost",
            "DUPONT;JEAN;12AB34567",
            "DUPONT;FRA",
        ];
        for row in rows {
            missing(row, None, "looks like a row: expected a header");
            let header = Header::read("list", row.as_bytes(), None, known).unwrap();
            let error = header.missing("list", (row.as_bytes(), b""), "number", known);
            for cell in ["AB99", "DUPONT", "12AB"] {
                assert!(!error.to_string().contains(cell), "{error}");
            }
        }
    }

    #[test]
    fn a_title_above_the_header_is_named() {
        let title = b"Export of 2026-11-01";
        let header = Header::read("list", title, None, known).unwrap();
        let error = header.missing(
            "list",
            (title, b"\nnumber;type\nA1;visa\n"),
            "number",
            known,
        );
        assert!(
            error.to_string().contains("below the first line"),
            "{error}"
        );
    }

    #[test]
    fn a_line_that_says_the_delimiter_is_no_header() {
        assert_eq!(separator_line(b"sep=;"), Some(b';'));
        assert_eq!(separator_line(b"SEP=\t\r"), Some(b'\t'));
        assert_eq!(separator_line(b"\"sep=,\""), Some(b','));
        assert_eq!(separator_line(b"sep"), None);
        assert_eq!(separator_line(b"separator;number"), None);
    }

    #[test]
    fn a_header_may_have_line_breaks_between_quotation_marks() {
        assert_eq!(line_end(b"number,\"a\nb\"\nX"), Some(13));
        assert_eq!(line_end(b"number"), None);
    }
}
