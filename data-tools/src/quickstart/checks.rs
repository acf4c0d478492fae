//! What the quickstart asks, and what must come back.

use sltd::client::{Answer, Client, ClientError, Question, Verdict, text};
use sltd::document::DocumentType;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Calls before the first that is timed: connection, caches and branch predictors settle.
const WARM_UP: usize = 20;
/// Calls timed: enough that the median stays put.
const TIMED: usize = 200;

/// A check to be made.
#[derive(Debug, Clone)]
pub struct Check {
    /// What kind of document it is about.
    pub about: &'static str,
    /// The question as a person would put it.
    pub shown: String,
    /// The question.
    pub question: Question,
    /// The verdict that must come back.
    pub verdict: Verdict,
    /// Which lines of the full answer are shown, by their labels, and a part of them that
    /// must stand there.
    pub lines: &'static [(&'static str, &'static str)],
}

/// A check made.
#[derive(Debug)]
pub struct Asked {
    /// The check.
    pub check: Check,
    /// The answer.
    pub answer: Answer,
    /// Median time of a call, there and back.
    pub round_trip: Duration,
}

/// A file with a zone can't be read.
#[derive(Debug, thiserror::Error)]
#[error("the sample zone {path} can't be read: {source}", path = path.display())]
pub struct ZoneError {
    path: PathBuf,
    source: io::Error,
}

/// The checks, in the order shown. `samples/README.md` lists them with others.
///
/// # Errors
/// [`ZoneError`] if a zone's file is not in the folder of samples.
pub fn all(samples: &Path) -> Result<Vec<Check>, ZoneError> {
    let zone = |file: &str| {
        let path = samples.join("checks").join(file);
        match fs::read_to_string(&path) {
            Ok(zone) => Ok((format!("checks/{file}"), Question::zone(zone))),
            Err(source) => Err(ZoneError { path, source }),
        }
    };
    let typed = |number: &str, state: &str, document_type: DocumentType| {
        let question = Question::number(number)
            .issuing_state(state)
            .document_type(document_type);
        (format!("{number}, {state}, {document_type}"), question)
    };
    let check = |about, (shown, question), verdict, lines| Check {
        about,
        shown,
        question,
        verdict,
        lines,
    };
    use DocumentType::Passport;
    Ok(vec![
        check(
            "a stolen passport",
            typed("99ZZ90001", "FRA", Passport),
            Verdict::Hit,
            &[("Report", "stolen,"), ("Confirm", "FRA-01")],
        ),
        check(
            "a stolen blank inside a reported range",
            typed("Z900123", "PRT", Passport),
            Verdict::Hit,
            &[("Report", "stolen blank")],
        ),
        check(
            "a lost identity card, read from its MRZ",
            zone("lost-card.mrz")?,
            Verdict::Hit,
            &[("Report", "lost"), ("MRZ", "TD1; no check digit failed")],
        ),
        check(
            "a number typed without issuer and type",
            ("99ZZ90001".to_owned(), Question::number("99ZZ90001")),
            Verdict::Review,
            &[("Why", "not given"), ("Report", "stolen")],
        ),
        check(
            "a number that only another State has reported",
            typed("909090909", "DNK", Passport),
            Verdict::NoRecord,
            &[("Elsewhere", "1 other State has")],
        ),
        check(
            "a misread MRZ",
            zone("misread-passport.mrz")?,
            Verdict::Inconclusive,
            &[
                ("Why", "read the document again"),
                ("MRZ", "document number"),
            ],
        ),
        check(
            "a clean document of a State that reports",
            typed("YA9000001", "ITA", Passport),
            Verdict::NoRecord,
            &[("Coverage", "current")],
        ),
        check(
            "a clean document of a State that reports nothing",
            typed("T900001", "TUV", Passport),
            Verdict::NoRecord,
            &[("Coverage", "none")],
        ),
    ])
}

/// Makes a check: many times, one call after another.
///
/// # Errors
/// [`ClientError`] of the first call that has no answer.
pub async fn ask(client: &Client, check: &Check) -> Result<Asked, ClientError> {
    let answer = client.check(&check.question).await?;
    let mut round_trips = Vec::with_capacity(TIMED);
    for call in 0..WARM_UP + TIMED {
        let begin = Instant::now();
        client.check(&check.question).await?;
        if call >= WARM_UP {
            round_trips.push(begin.elapsed());
        }
    }
    Ok(Asked {
        check: check.clone(),
        answer,
        round_trip: median(round_trips),
    })
}

/// The median, the upper one of two; zero of none.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

impl Asked {
    /// Whether verdict and lines are the expected ones.
    pub fn as_expected(&self) -> bool {
        let lines = self.lines();
        self.answer.verdict() == self.check.verdict
            && self.check.lines.iter().all(|(label, part)| {
                let mut of_label = lines.iter().filter(|(shown, _)| shown == label);
                of_label.any(|(_, rest)| rest.contains(part))
            })
    }

    /// The lines of the full answer that are shown, each with its label.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let full = text::full(&self.answer);
        let mut lines = Vec::new();
        for (label, _) in self.check.lines {
            for line in full.lines() {
                // A label is followed by blanks: `Report` is not `Reported`.
                let rest = line
                    .strip_prefix(label)
                    .filter(|rest| rest.starts_with(' '));
                lines.extend(rest.map(|rest| (*label, rest.trim_start().to_owned())));
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
    }

    #[test]
    fn medians() {
        let of =
            |micros: &[u64]| median(micros.iter().map(|m| Duration::from_micros(*m)).collect());
        assert_eq!(of(&[]), Duration::ZERO);
        assert_eq!(of(&[9, 1, 5]), Duration::from_micros(5));
        assert_eq!(of(&[4, 1, 3, 2]), Duration::from_micros(3));
    }

    #[test]
    fn other_answers_are_not_as_expected() {
        let checks = all(&samples()).unwrap();
        assert_eq!(checks.len(), 8);
        for check in checks {
            let about = check.about;
            let answer = Answer {
                verdict: check.verdict.into(),
                ..Answer::default()
            };
            let asked = Asked {
                check,
                answer,
                round_trip: Duration::ZERO,
            };
            // The right verdict without what goes with it.
            assert!(!asked.as_expected(), "{about}");
        }
    }

    #[test]
    fn a_missing_zone_is_named() {
        let error = all(Path::new("nowhere")).unwrap_err().to_string();
        assert!(error.contains("nowhere/checks/lost-card.mrz"), "{error}");
    }
}
