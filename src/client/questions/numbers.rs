//! Lines of numbers, as typed or exported: `number[,issuer[,type]]`, or the columns that a header names.

use super::{Defaults, Wrong};
use crate::client::Question;
use crate::document::DocumentType;

/// What may separate the fields of a line.
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];

/// What headers call the three columns. Neither case nor blanks, hyphens and underscores count.
const NAMES: [&[&str]; 3] = [
    &["number", "documentnumber", "docno", "documentno"],
    &["issuer", "issuingstate", "issuingcountry"],
    &["type", "documenttype", "doctype"],
];

/// The form of the lines, which the first one shows.
#[derive(Debug, Default)]
pub(super) enum Form {
    /// Nothing has been read.
    #[default]
    Unknown,
    /// No header.
    Bare,
    /// A header, the places of our columns in it, and how many there are.
    Header {
        delimiter: char,
        places: [Option<usize>; 3],
        fields: usize,
    },
}

impl Form {
    /// The question of a line; `None` if it is blank or the header.
    pub(super) fn question(
        &mut self,
        line: &str,
        defaults: &Defaults,
    ) -> Result<Option<Question>, Wrong> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        if let Self::Unknown = self {
            *self = header(line).unwrap_or(Self::Bare);
            if let Self::Header { .. } = self {
                return Ok(None);
            }
        }
        let (found, places) = match *self {
            Self::Header {
                delimiter,
                places,
                fields,
            } => {
                let found = split(line, delimiter).ok_or(Wrong::Quote)?;
                if found.len() != fields {
                    return Err(Wrong::Columns {
                        found: found.len(),
                        expected: fields,
                    });
                }
                (found, places)
            }
            Self::Bare | Self::Unknown => {
                let mut found = split(line, delimiter(line)).ok_or(Wrong::Quote)?;
                // A line may end with a delimiter.
                if found.len() > 3 && found.last().is_some_and(String::is_empty) {
                    found.pop();
                }
                if found.len() > 3 {
                    return Err(Wrong::Fields(found.len()));
                }
                (found, [Some(0), Some(1), Some(2)])
            }
        };
        let [number, issuer, document_type] = places.map(|place| {
            place
                .and_then(|place| found.get(place))
                .map_or("", String::as_str)
        });
        let document_type = match document_type {
            "" => None,
            name => Some(DocumentType::from_name(name).ok_or(Wrong::Type)?),
        };
        Ok(Some(defaults.complete(
            Question::number(number),
            issuer,
            document_type,
        )))
    }
}

/// The header that a line is: it has a column of numbers.
fn header(line: &str) -> Option<Form> {
    DELIMITERS.into_iter().find_map(|delimiter| {
        let names: Vec<String> = split(line, delimiter)?
            .iter()
            .map(|name| key(name))
            .collect();
        let places =
            NAMES.map(|known| names.iter().position(|name| known.contains(&name.as_str())));
        places[0]?;
        Some(Form::Header {
            delimiter,
            places,
            fields: names.len(),
        })
    })
}

fn key(name: &str) -> String {
    name.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// What separates the fields of a line: the first that stands in it outside of quotation marks.
fn delimiter(line: &str) -> char {
    let mut quoted = false;
    let found = line.chars().find(|&character| {
        quoted ^= character == '"';
        !quoted && DELIMITERS.contains(&character)
    });
    found.unwrap_or(',')
}

/// The fields of a line, trimmed and unquoted (RFC 4180); `None` if a quotation mark has no pair.
fn split(line: &str, delimiter: char) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let field = rest.trim_start_matches([' ', '\t']);
        if let Some(quoted) = field.strip_prefix('"') {
            let (text, after) = unquote(quoted)?;
            fields.push(text.trim().to_owned());
            let after = after.trim_start_matches(' ');
            if after.trim().is_empty() && !after.starts_with(delimiter) {
                return Some(fields);
            }
            rest = after.strip_prefix(delimiter)?;
            continue;
        }
        match rest.split_once(delimiter) {
            Some((field, after)) => {
                fields.push(field.trim().to_owned());
                rest = after;
            }
            None => {
                fields.push(rest.trim().to_owned());
                return Some(fields);
            }
        }
    }
}

/// The text up to the quotation mark that closes it, and what follows.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut rest = quoted;
    loop {
        let (part, after) = rest.split_once('"')?;
        text.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                text.push('"');
                rest = after;
            }
            None => return Some((text, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_split_and_unquoted() {
        let check = |line: &str, delimiter: char, expected: Option<&[&str]>| {
            let found = split(line, delimiter);
            let found: Option<Vec<&str>> = found
                .as_ref()
                .map(|found| found.iter().map(String::as_str).collect());
            assert_eq!(found.as_deref(), expected, "{line}");
        };
        check("A1,FRA", ',', Some(&["A1", "FRA"]));
        check(" A1 , FRA ", ',', Some(&["A1", "FRA"]));
        check("\"A1\",\"FRA\"", ',', Some(&["A1", "FRA"]));
        check("\"A,1\" ; \"FRA\"\t", ';', Some(&["A,1", "FRA"]));
        check("\"A\"\"1\"", ',', Some(&["A\"1"]));
        check("A1,,", ',', Some(&["A1", "", ""]));
        check("\"A1\",", ',', Some(&["A1", ""]));
        check("A1\t\tvisa", '\t', Some(&["A1", "", "visa"]));
        check("", ',', Some(&[""]));
        check("\"A1", ',', None);
        check("\"A1\"x,FRA", ',', None);
    }

    fn ask(lines: &[&str]) -> Vec<Result<Option<Question>, Wrong>> {
        let mut form = Form::default();
        let defaults = Defaults::default();
        let asked = lines.iter().map(|line| form.question(line, &defaults));
        asked.collect()
    }

    #[test]
    fn a_header_says_what_the_columns_are() {
        let visa = |number: &str| {
            let question = Question::number(number).issuing_state("FRA");
            Ok(Some(question.document_type(DocumentType::Visa)))
        };
        for lines in [
            ["number,issuer,type", "A1,FRA,visa"],
            ["Type;Document Number;Issuing State", "visa;A1;FRA"],
            ["name\tNUMBER\tissuing_state\ttype", "X, Y\tA1\tFRA\tvisa"],
            [
                "\"number\",\"issuing-state\",\"type\"",
                "\"A1\",\"FRA\",\"visa\"",
            ],
        ] {
            assert_eq!(ask(&lines), [Ok(None), visa("A1")], "{lines:?}");
        }
        assert_eq!(
            ask(&["", "number", "number"]),
            [Ok(None), Ok(None), Ok(Some(Question::number("number")))]
        );
        let wrong = Wrong::Columns {
            found: 3,
            expected: 2,
        };
        assert_eq!(ask(&["number,issuer", "A1,FRA,visa"])[1], Err(wrong));
    }

    #[test]
    fn lines_without_a_header_are_number_issuer_and_type() {
        let question = Question::number("A1").issuing_state("FRA");
        for line in [
            "A1,FRA",
            "A1;FRA",
            "A1\tFRA",
            "A1|FRA",
            "\"A1\",\"FRA\"",
            "A1;FRA;;",
        ] {
            assert_eq!(ask(&[line]), [Ok(Some(question.clone()))], "{line}");
        }
        assert_eq!(ask(&["A1,FRA,visa,x"]), [Err(Wrong::Fields(4))]);
        assert_eq!(ask(&["\"A1,FRA"]), [Err(Wrong::Quote)]);
        assert_eq!(ask(&["A1,FRA,paper"]), [Err(Wrong::Type)]);
    }
}
