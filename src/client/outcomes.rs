//! What came of questions: lines, and one exit code. `sltd check` and `sltd-data lookup` print alike.

use super::{Answer, ClientError, Fault, Verdict, json, text};
use std::io::{self, BufWriter, Write};

/// The exit code for wrong usage, or a question that is malformed.
const USAGE: u8 = 2;
/// The exit code for a question that could not be answered.
const FAILED: u8 = 3;

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// An answer.
    Answered(Box<Answer>),
    /// The question cannot be understood.
    Malformed {
        /// The line of the input, from 1; 0: not from an input.
        line: u64,
        /// What is wrong with it.
        error: ClientError,
    },
    /// There is no answer.
    Failed {
        /// The line of the input, from 1; 0: not from an input.
        line: u64,
        /// Why.
        error: ClientError,
    },
}

impl Outcome {
    /// That of an answer.
    pub fn answered(answer: Answer) -> Self {
        Self::Answered(Box::new(answer))
    }

    /// That of a question that cannot be understood, with all that is wrong with it.
    pub fn malformed(line: u64, faults: Vec<Fault>) -> Self {
        let words: Vec<String> = faults.iter().map(Fault::to_string).collect();
        let error = ClientError::Malformed {
            message: words.join("; "),
            faults,
        };
        Self::Malformed { line, error }
    }

    /// That of a call that failed.
    pub fn failed(line: u64, error: ClientError) -> Self {
        if error.is_malformed() {
            Self::Malformed { line, error }
        } else {
            Self::Failed { line, error }
        }
    }

    fn json(&self) -> Result<String, json::JsonError> {
        match self {
            Self::Answered(answer) => json::answer(answer),
            Self::Malformed { error, .. } | Self::Failed { error, .. } => json::error(error),
        }
    }

    /// One line for people.
    fn line(&self) -> String {
        match self {
            Self::Answered(answer) => text::line(answer),
            Self::Malformed { line, error } => error_line("MALFORMED", *line, error),
            Self::Failed { line, error } => error_line("FAILED", *line, error),
        }
    }
}

fn error_line(word: &str, line: u64, error: &ClientError) -> String {
    text::columns(word, &format!("line {line}: {error}"))
}

/// Counts what came of the questions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    answered: u64,
    malformed: u64,
    failed: u64,
    /// What came of the only question.
    only: Option<Outcome>,
    /// Why the input could not be read to its end.
    broken_off: Option<String>,
}

impl Tally {
    fn count(&mut self, outcome: &Outcome) {
        self.only = (self.total() == 0).then(|| outcome.clone());
        match outcome {
            // A newer service may know more verdicts; none of the exit codes would be true of them.
            Outcome::Answered(answer) if answer.verdict() == Verdict::Unspecified => {
                self.failed += 1
            }
            Outcome::Answered(_) => self.answered += 1,
            Outcome::Malformed { .. } => self.malformed += 1,
            Outcome::Failed { .. } => self.failed += 1,
        }
    }

    fn total(&self) -> u64 {
        self.answered + self.malformed + self.failed
    }

    /// The contract of the exit codes: that of its verdict for one question; for more, 0 if all were
    /// answered. A failure weighs more than a malformed question, as asking again may help, and
    /// as long as one failed the answers are not complete.
    pub fn exit_code(&self) -> u8 {
        if self.failed > 0 {
            return FAILED;
        }
        if self.malformed > 0 || self.total() == 0 || self.broken_off.is_some() {
            return USAGE;
        }
        match &self.only {
            Some(Outcome::Answered(answer)) => verdict_code(answer.verdict()),
            _ => 0,
        }
    }

    /// What has to be said on standard error.
    pub fn complaint(&self) -> Option<String> {
        if let Some(error) = &self.broken_off {
            return Some(format!("the input cannot be read to its end: {error}"));
        }
        match &self.only {
            None if self.total() == 0 => {
                Some("expected a number or a zone to ask about, got an empty input".to_owned())
            }
            Some(Outcome::Malformed { error, .. }) => Some(format!("malformed question: {error}")),
            Some(Outcome::Failed { error, .. }) => Some(error.to_string()),
            _ => None,
        }
    }
}

/// The exit code of one answered question.
fn verdict_code(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::NoRecord => 0,
        Verdict::Hit => 10,
        Verdict::Review => 11,
        Verdict::Inconclusive => 12,
        Verdict::Refer => 13,
        Verdict::Unspecified => FAILED,
    }
}

/// Prints outcomes. For people the only one is printed at length, and each of several in a line; so
/// the first is held back until a second one comes, or the end.
#[derive(Debug)]
pub struct Printer<W: Write> {
    out: BufWriter<W>,
    json: bool,
    tally: Tally,
}

impl<W: Write> Printer<W> {
    /// Prints to `out`, for people or as JSON.
    pub fn new(out: W, json: bool) -> Self {
        Self {
            out: BufWriter::new(out),
            json,
            tally: Tally::default(),
        }
    }

    /// What has been printed so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Prints an outcome, or holds it back.
    ///
    /// # Errors
    /// What the system says of the output.
    pub fn print(&mut self, outcome: Outcome) -> io::Result<()> {
        let held = self.tally.only.take();
        self.tally.count(&outcome);
        if self.json {
            let line = outcome.json().map_err(io::Error::other)?;
            return writeln!(self.out, "{line}");
        }
        if let Some(held) = held {
            writeln!(self.out, "{}", held.line())?;
        }
        match self.tally.only {
            Some(_) => Ok(()),
            None => writeln!(self.out, "{}", outcome.line()),
        }
    }

    /// Hands over what is buffered.
    ///
    /// # Errors
    /// What the system says of the output.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Prints what is held back; `broken_off`: why the input ended too early.
    ///
    /// # Errors
    /// What the system says of the output.
    pub fn end(&mut self, broken_off: Option<io::Error>) -> io::Result<()> {
        self.tally.broken_off = broken_off.map(|error| error.to_string());
        if let (false, Some(Outcome::Answered(answer))) = (self.json, &self.tally.only) {
            write!(self.out, "{}", text::full(answer))?;
        }
        self.flush()
    }
}
