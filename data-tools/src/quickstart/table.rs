//! The checks as a table, and what to try next.

use super::QuickstartArgs;
use super::checks::Asked;
use std::fmt;

/// Columns of a line at the most.
const WIDTH: usize = 100;
/// Columns of the verdict and of the time, gaps included.
const INDENT: usize = 25;

/// The table: verdict, time, what was asked; below it what came back.
pub(super) struct Table<'a>(pub(super) &'a [Asked]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<14}{:>8}   asked about, and what came back",
            "verdict", "time"
        )?;
        writeln!(f, "{}", "-".repeat(WIDTH))?;
        for asked in self.0 {
            let check = &asked.check;
            // The names of the contract, without their prefix.
            let verdict = asked.answer.verdict().as_str_name();
            let verdict = verdict.strip_prefix("VERDICT_").unwrap_or(verdict);
            let micros = format!("{} µs", asked.round_trip.as_micros());
            let about = wrapped(&format!("{}: {}", check.about, check.shown));
            writeln!(f, "{verdict:<14}{micros:>8}   {about}")?;
            for (label, rest) in asked.lines() {
                writeln!(
                    f,
                    "{:INDENT$}{}",
                    "",
                    wrapped(&format!("{label:<10}{rest}"))
                )?;
            }
            if !asked.as_expected() {
                let expected = check.verdict.as_str_name();
                let expected = expected.strip_prefix("VERDICT_").unwrap_or(expected);
                let parts: Vec<&str> = check.lines.iter().map(|(_, part)| *part).collect();
                let text = format!("NOT AS EXPECTED: {expected} with {}", parts.join(", "));
                writeln!(f, "{:INDENT$}{}", "", wrapped(&text))?;
            }
        }
        writeln!(f, "{}", "-".repeat(WIDTH))?;
        f.write_str(MEANING)
    }
}

const MEANING: &str = "\
HIT            reported by its owner: a lead, not proof; confirm with the authority before acting
REVIEW         perhaps reported: a person compares document and report
NO_RECORD      nobody has reported it here, which does not make it valid: see the State's coverage
INCONCLUSIVE   no answer can be given: read the document again
time           round trip: median of 200 calls, one after another over one connection
";

/// What to try next.
pub(super) fn next(args: &QuickstartArgs, url: &str) -> String {
    let server = match url {
        "http://127.0.0.1:7440" => String::new(),
        url => format!(" --server {url}"),
    };
    let check = format!("cargo run --release --bin sltd -- check{server}");
    let checks = args.samples.join("checks");
    let checks = checks.display();
    format!(
        "
Still serving on {url}, until Ctrl-C. To try next, in another terminal:

  {check} --number 99ZZ90001 --issuer FRA --type passport
  {check} --mrz-file {checks}/lost-card.mrz
  {check} --number - < {checks}/numbers.csv
"
    )
}

/// Breaks a text between words so that it fits behind the indent; further lines are indented too.
fn wrapped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut column = INDENT;
    for word in text.split_inclusive(' ') {
        let width = word.trim_end().chars().count();
        if column > INDENT && column + width > WIDTH {
            out.truncate(out.trim_end().len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', INDENT + 2));
            column = INDENT + 2;
        }
        out.push_str(word);
        column += word.chars().count();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("Report    stolen"), "Report    stolen");
        let text = "word ".repeat(40);
        let broken = wrapped(text.trim_end());
        let lines: Vec<&str> = broken.lines().collect();
        assert_eq!(lines.len(), 3);
        for (index, line) in lines.iter().enumerate() {
            let indent = if index == 0 { INDENT } else { 0 };
            assert!(indent + line.len() <= WIDTH, "{line:?}");
            assert_eq!(line.trim_end(), *line);
        }
        let words = |text: &str| text.split_whitespace().count();
        assert_eq!(words(&broken), 40);
        // What can't be broken stays whole.
        let long = "x".repeat(200);
        assert_eq!(wrapped(&long), long);
    }

    #[test]
    fn the_meanings_fit() {
        assert!(MEANING.lines().all(|line| line.len() <= WIDTH));
    }
}
