//! What of a row may be written to a file that people read: the columns that the layout reads, and nothing else.
//!
//! Lists have columns with names and dates of birth, and no layout reads those. A row whose columns can't be told
//! apart keeps nothing. One that has the right number of fields may still have slipped by a column, where a name holds
//! an unquoted comma and another cell is missing: as soon as one cell does not have the form of its column, only
//! numbers and short codes are kept.

use std::borrow::Cow;

use sltd::document::{DocumentType, Placeholders};
use sltd::report::ReportStatus;

use super::delimited::Format;
use super::json_object::Value;

/// The form of the cells of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A document number, or a part of one.
    Number,
    /// A code of at most so many characters.
    Code(usize),
    /// A series: at most four characters, or a Roman numeral and two letters, as on passports of the Soviet Union.
    Series,
    /// The name of a type, or a short code.
    Type,
    /// The name of a status, or a short code.
    Status,
    /// A word that says what a row does.
    Action,
    /// A day, written in digits.
    Date,
    /// Any text.
    Text,
}

/// The longest code that is shown although it is not known: too short for nearly any name.
pub(super) const CODE_MAX: usize = 3;

impl Form {
    /// Whether a cell may be one of the column.
    fn fits(self, cell: &str) -> bool {
        let short =
            |max: usize| cell.chars().count() <= max && cell.chars().all(char::is_alphanumeric);
        match self {
            _ if cell.is_empty() => true,
            Self::Number => {
                cell.chars().any(char::is_numeric) && !is_date(cell) || is_placeholder(cell)
            }
            Self::Code(max) => short(max),
            Self::Series => short(4) || is_soviet(cell),
            Self::Type => DocumentType::from_name(cell).is_some() || short(CODE_MAX),
            Self::Status => ReportStatus::from_name(cell).is_some() || short(CODE_MAX),
            Self::Action => ["add", "withdraw"]
                .iter()
                .any(|word| cell.eq_ignore_ascii_case(word)),
            Self::Date => is_date(cell) || is_date(cell.get(..10).unwrap_or_default()),
            Self::Text => true,
        }
    }

    /// Whether a cell is kept of a row that may have slipped.
    fn is_safe(self) -> bool {
        matches!(
            self,
            Self::Number | Self::Code(_) | Self::Series | Self::Type | Self::Status | Self::Action
        )
    }
}

/// Whether people write it where they have no number: that is no name. A single letter may be an initial.
fn is_placeholder(cell: &str) -> bool {
    let single = cell
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .count()
        == 1;
    !single && Placeholders::is_cell(cell)
}

fn is_soviet(series: &str) -> bool {
    let letters = series.trim_start_matches(['I', 'V', 'X', 'L', 'C']);
    let letters = letters.trim_start_matches(['-', ' ']);
    letters.len() < series.len()
        && letters.chars().count() == 2
        && letters.chars().all(char::is_alphabetic)
}

/// Whether a text is written like a day: three groups of digits, one of four and two of at most two.
fn is_date(text: &str) -> bool {
    let mut groups = text.split(['.', '-', '/']).map(|group| {
        group
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then_some(group.len())
    });
    let lengths = [groups.next(), groups.next(), groups.next()].map(Option::flatten);
    groups.next().is_none()
        && matches!(
            lengths,
            [Some(4), Some(1 | 2), Some(1 | 2)] | [Some(1 | 2), Some(1 | 2), Some(4)]
        )
}

/// Writes the columns of a delimited row that are read, in their order in the file and delimited like there.
pub(super) fn delimited(format: &Format, cells: &[&str], forms: &[Form], line: &mut String) {
    let columns = || {
        let read = format.columns.iter().map(|&column| usize::from(column));
        read.filter_map(|cell| Some((cells.get(cell)?.trim(), *forms.get(cell)?)))
    };
    let slipped = columns().any(|(cell, form)| !form.fits(cell));
    for (place, (cell, form)) in columns().enumerate() {
        if place > 0 {
            line.push(char::from(format.delimiter));
        }
        if !slipped || form.is_safe() && form.fits(cell) {
            push_cell(cell, format, line);
        }
    }
}

fn push_cell(cell: &str, format: &Format, line: &mut String) {
    let special = |byte: u8| byte == format.delimiter || matches!(byte, b'"' | b'\n' | b'\r');
    if format.quoted && cell.bytes().any(special) {
        line.push('"');
        line.push_str(&cell.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(cell);
    }
}

/// Writes named cells as a JSON object; those that are empty are left out.
pub(super) fn object<'c>(
    cells: impl Iterator<Item = (&'static str, Cow<'c, str>)>,
    line: &mut String,
) {
    let cells = cells.filter(|(_, cell)| !cell.is_empty());
    let object: serde_json::Map<_, _> = cells
        .map(|(name, cell)| (name.to_owned(), cell.into()))
        .collect();
    line.push_str(&serde_json::Value::Object(object).to_string());
}

/// Writes the fields of a JSON row that are read. What is neither text nor number is left out.
pub(super) fn fields(names: &[&'static str], values: &[Value<'_>], line: &mut String) {
    let cells = names
        .iter()
        .zip(values)
        .filter_map(|(&name, value)| match value {
            Value::Text(text) => Some((name, Cow::Borrowed(&**text))),
            Value::Integer(number) => Some((name, Cow::Owned(number.to_string()))),
            Value::Absent | Value::Number | Value::Other => None,
        });
    object(cells, line);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_have_the_form_of_their_column() {
        for (form, cell, expected) in [
            (Form::Number, "990000201.0", true),
            (Form::Number, "NULL", true),
            (Form::Number, "#N/A", true),
            (Form::Number, "ZWEITNAME", false),
            // Words, and not surely no names.
            (Form::Number, "ANNA", false),
            (Form::Number, "Anna Maria", false),
            (Form::Number, "Анна", false),
            (Form::Number, "Zoë", false),
            (Form::Number, "-", true),
            (Form::Number, "1980-05-05", false),
            (Form::Number, "5.5.1980", false),
            (Form::Code(3), "FRA", true),
            (Form::Code(3), "1980-05-05", false),
            (Form::Series, "AB12", true),
            (Form::Series, "IV-МЮ", true),
            (Form::Series, "IVANOV", false),
            (Form::Type, "passport", true),
            (Form::Type, "Q", true),
            (Form::Type, "ZWEITNAME", false),
            (Form::Status, "lost", true),
            (Form::Status, "MARIA", false),
            (Form::Date, "2024-02-30", true),
            (Form::Date, "2024-02-03T00:00:00", true),
            (Form::Date, "MARIA", false),
            (Form::Date, "", true),
        ] {
            assert_eq!(form.fits(cell), expected, "{form:?}: {cell}");
        }
    }
}
