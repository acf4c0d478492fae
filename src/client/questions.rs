//! Questions from lines of text: numbers with what is known of them, or machine-readable zones. `sltd check` and
//! `sltd-data lookup` read them alike.

mod numbers;

use super::{Fault, Question};
use crate::document::DocumentType;
use crate::document::mrz::Mrz;
use numbers::Form;
use std::collections::VecDeque;
use std::io::{self, BufRead};

/// The longest line of numbers and the longest zone, in bytes. A number has at most 24 characters, a
/// zone 90; this leaves room for separators and keeps a full batch well below a message's 4 MiB.
const QUESTION_BYTES_MAX: usize = 1_024;

/// Where lines come from.
pub type Input = Box<dyn BufRead + Send>;

/// Where questions come from.
pub enum Source {
    /// The command line.
    One(Question),
    /// Lines `number[,issuer[,type]]`, or the columns that a header names.
    Numbers(Input, Defaults),
    /// Zones parted by empty lines; and lines parted by them, where together they are a zone and none is alone.
    Zones(Input),
}

/// What holds for the lines that do not say it themselves.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The issuing State; empty: not known.
    pub issuer: String,
    /// The type.
    pub document_type: Option<DocumentType>,
}

impl Defaults {
    /// A question with what its line says, else with these.
    #[must_use]
    pub fn complete(
        &self,
        question: Question,
        issuer: &str,
        document_type: Option<DocumentType>,
    ) -> Question {
        let issuer = if issuer.is_empty() {
            &self.issuer
        } else {
            issuer
        };
        let question = question.issuing_state(issuer);
        match document_type.or(self.document_type) {
            Some(document_type) => question.document_type(document_type),
            None => question,
        }
    }
}

/// What was read: a question, or why the text is none.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The line of the input it begins on, from 1; 0: not from an input.
    pub line: u64,
    /// The question.
    pub question: Result<Question, Fault>,
}

/// Reads a source until it ends or `hand_over` wants no more.
///
/// # Errors
/// What the system says of the input. What is wrong with a line or a zone stands in its [`Item`].
pub fn read(source: Source, hand_over: &mut dyn FnMut(Item) -> bool) -> io::Result<()> {
    match source {
        Source::One(question) => {
            hand_over(Item {
                line: 0,
                question: Ok(question),
            });
            Ok(())
        }
        Source::Numbers(input, defaults) => read_numbers(input, &defaults, hand_over),
        Source::Zones(input) => read_zones(input, hand_over),
    }
}

fn read_numbers(
    input: Input,
    defaults: &Defaults,
    hand_over: &mut dyn FnMut(Item) -> bool,
) -> io::Result<()> {
    let mut lines = Lines::new(input);
    let mut form = Form::default();
    while let Some(text) = lines.next()? {
        let question = match text.and_then(|text| form.question(text, defaults)) {
            Ok(None) => continue,
            Ok(Some(question)) => Ok(question),
            Err(description) => Err(description.fault("number")),
        };
        if !hand_over(Item {
            line: lines.number,
            question,
        }) {
            break;
        }
    }
    Ok(())
}

/// What is wrong with a piece of input. Says nothing of its content, which may be a number in the
/// wrong place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    TooLong,
    Encoding,
    Fields(usize),
    /// Another number of fields than the header has.
    Columns {
        found: usize,
        expected: usize,
    },
    /// A quotation mark has no pair.
    Quote,
    Type,
}

impl Wrong {
    fn fault(self, field: &str) -> Fault {
        let (field, description) = match self {
            Self::TooLong => (
                field,
                format!("expected at most {QUESTION_BYTES_MAX} bytes"),
            ),
            Self::Encoding => (field, "expected UTF-8".to_owned()),
            Self::Fields(fields) => (
                field,
                format!("expected number[,issuer[,type]], got {fields} fields"),
            ),
            Self::Columns { found, expected } => (
                field,
                format!("expected {expected} fields, as the header has, got {found}"),
            ),
            Self::Quote => (
                field,
                "expected a quotation mark that closes the field".to_owned(),
            ),
            Self::Type => {
                let names = DocumentType::ALL.map(DocumentType::name).join(", ");
                ("type", format!("expected one of {names}"))
            }
        };
        Fault {
            field: field.to_owned(),
            description,
        }
    }
}

fn read_zones(input: Input, hand_over: &mut dyn FnMut(Item) -> bool) -> io::Result<()> {
    let mut lines = Lines::new(input);
    let mut parts = Parts::default();
    let mut part = Part::default();
    loop {
        let number = lines.number + 1;
        let line = lines.next()?;
        let blank = match &line {
            None => true,
            // Control characters that readers send around a zone are on lines of their own at times.
            Some(text) => text.is_ok_and(|text| {
                text.chars()
                    .all(|character| character.is_whitespace() || character.is_control())
            }),
        };
        if blank {
            let end = line.is_none();
            let whole = std::mem::take(&mut part);
            let go_on = whole.is_empty() || parts.add(whole, hand_over);
            if go_on && !end {
                continue;
            }
            if go_on {
                parts.flush(hand_over);
            }
            return Ok(());
        }
        if part.is_empty() {
            part.first_line = number;
        }
        // Once something is wrong with a zone, the rest of it does not matter.
        if let (Ok(text), Some(line)) = (&mut part.text, line) {
            match line {
                Ok(line) if text.len() + line.len() < QUESTION_BYTES_MAX => {
                    text.push_str(line);
                    text.push('\n');
                }
                Ok(_) => part.text = Err(Wrong::TooLong),
                Err(wrong) => part.text = Err(wrong),
            }
        }
    }
}

/// The lines between two empty ones.
struct Part {
    first_line: u64,
    text: Result<String, Wrong>,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            first_line: 0,
            text: Ok(String::new()),
        }
    }
}

impl Part {
    fn is_empty(&self) -> bool {
        matches!(&self.text, Ok(text) if text.is_empty())
    }

    fn into_item(self) -> Item {
        Item {
            line: self.first_line,
            question: self
                .text
                .map(Question::zone)
                .map_err(|wrong| wrong.fault("mrz")),
        }
    }
}

/// Parts that are no zone alone, and may be the beginning of one together.
#[derive(Default)]
struct Parts(VecDeque<Part>);

impl Parts {
    /// Takes the next part; hands over what is a zone by now, and what cannot become one. `false`: nobody wants more.
    fn add(&mut self, part: Part, hand_over: &mut dyn FnMut(Item) -> bool) -> bool {
        let alone = part
            .text
            .as_ref()
            .map_or(true, |text| Mrz::has_layout(text));
        if alone {
            return self.flush(hand_over) && hand_over(part.into_item());
        }
        // A card's second line begins with a date: what has letters there is the first line of another document.
        let apart = part.text.as_deref().is_ok_and(Mrz::is_first_of_card)
            && Mrz::is_first_of_card(&self.joined());
        if apart && !self.flush(hand_over) {
            return false;
        }
        self.0.push_back(part);
        loop {
            let joined = self.joined();
            if self.0.len() > 1 && Mrz::has_layout(&joined) {
                let first_line = self.0.front().map_or(0, |part| part.first_line);
                self.0.clear();
                let zone = Part {
                    first_line,
                    text: Ok(joined),
                };
                return hand_over(zone.into_item());
            }
            if self.0.is_empty() || Mrz::begins_layout(&joined) {
                return true;
            }
            // The first part leads to no zone; those behind it may.
            let first = self.0.pop_front();
            if !first.is_none_or(|part| hand_over(part.into_item())) {
                return false;
            }
        }
    }

    /// Hands over all parts as they are.
    fn flush(&mut self, hand_over: &mut dyn FnMut(Item) -> bool) -> bool {
        self.0.drain(..).all(|part| hand_over(part.into_item()))
    }

    fn joined(&self) -> String {
        self.0
            .iter()
            .filter_map(|part| part.text.as_deref().ok())
            .collect()
    }
}

/// Lines without their ends (LF, CRLF or CR) and without a byte order mark, none kept beyond the limit.
struct Lines {
    input: Input,
    line: Vec<u8>,
    /// Number of the line read last, from 1.
    number: u64,
    /// The line read last ended with a carriage return: a line feed after it ends no line.
    returned: bool,
}

impl Lines {
    fn new(input: Input) -> Self {
        Self {
            input,
            line: Vec::new(),
            number: 0,
            returned: false,
        }
    }

    /// The next line, or what is wrong with it; `None` at the end.
    fn next(&mut self) -> io::Result<Option<Result<&str, Wrong>>> {
        self.line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let read = match self.input.fill_buf() {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read.is_empty() {
                break;
            }
            if std::mem::take(&mut self.returned) && read.first() == Some(&b'\n') {
                self.input.consume(1);
                continue;
            }
            any = true;
            let end = read.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            self.returned = end.and_then(|end| read.get(end)) == Some(&b'\r');
            let part = end.and_then(|end| read.get(..end)).unwrap_or(read);
            too_long |= self.line.len() + part.len() > QUESTION_BYTES_MAX;
            if !too_long {
                self.line.extend_from_slice(part);
            }
            let used = end.map_or(read.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        self.number += 1;
        let mut line = self.line.as_slice();
        if self.number == 1 {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        Ok(Some(if too_long || line.len() > QUESTION_BYTES_MAX {
            Err(Wrong::TooLong)
        } else {
            std::str::from_utf8(line).map_err(|_| Wrong::Encoding)
        }))
    }
}
