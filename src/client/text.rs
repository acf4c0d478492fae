//! Answers for people: what was found, what that means, and what it does not mean.

mod server;
mod words;

pub use server::server;

use super::{Answer, Verdict};
use crate::proto::{Coverage, CoverageLevel, Document, Match, Snapshot};
use std::borrow::Cow;
use std::fmt::Write as _;
use words::{check_digit, document_type, layout, letter_field, reason, status, verdict_word};

/// Width of the first column: the longest verdict and a blank.
const VERDICT_WIDTH: usize = 13;
/// Width of the first column below the verdict.
const LABEL_WIDTH: usize = 10;

/// An answer in several lines, each ended by a line feed: the verdict first with what to make of it,
/// then whom to ask, why, and how far the data reaches.
pub fn full(answer: &Answer) -> String {
    let mut text = format!("{}: {}\n", verdict_word(answer.verdict()), meaning(answer));
    for reason in answer.reasons().map(reason) {
        label(&mut text, "Why", reason);
    }
    if let Some(document) = &answer.document {
        label(&mut text, "Document", &document_words(document));
    }
    for report in &answer.matches {
        report_lines(&mut text, report);
    }
    if answer.matches_omitted > 0 {
        label(
            &mut text,
            "",
            &format!("{} more reports are not shown", answer.matches_omitted),
        );
    }
    if let Some(mrz) = &answer.mrz {
        let failed: Vec<&str> = mrz.failed_check_digits().map(check_digit).collect();
        let digits = if failed.is_empty() {
            "no check digit failed".to_owned()
        } else {
            format!("check digits failed: {}", failed.join(", "))
        };
        let fields: Vec<&str> = mrz.read_as_letters().map(letter_field).collect();
        let letters = if fields.is_empty() {
            String::new()
        } else {
            format!("; a digit read as a letter: {}", fields.join(", "))
        };
        label(
            &mut text,
            "MRZ",
            &format!("{}; {digits}{letters}", layout(mrz.layout())),
        );
    }
    if let Some(elsewhere) = elsewhere(answer.same_number_other_issuers) {
        label(&mut text, "Elsewhere", &elsewhere);
    }
    if answer.verdict() != Verdict::Refer {
        let coverage = match &answer.coverage {
            Some(coverage) => coverage_words(coverage),
            None => "unknown, as no known issuing State was given".to_owned(),
        };
        label(&mut text, "Coverage", &coverage);
    }
    if answer.format_plausible == Some(false) {
        let hint = "unusual for this State: look at the number again (a hint, nothing more)";
        label(&mut text, "Format", hint);
    }
    if let Some(snapshot) = &answer.snapshot {
        label(&mut text, "Data", &snapshot_words(snapshot));
    }
    text
}

/// An answer in one line, without a line break: for lists of many.
pub fn line(answer: &Answer) -> String {
    let verdict = answer.verdict();
    let document = answer.document.as_ref().map(document_words);
    let document = document.as_deref().unwrap_or("document not read");
    let more = match verdict {
        Verdict::Hit | Verdict::Review => {
            let mut parts: Vec<String> = answer.matches.iter().map(report_words).collect();
            parts.extend(answer.reasons().map(|r| reason(r).to_owned()));
            parts.push(format!("confirm before acting with {}", whom(answer)));
            parts.join("; ")
        }
        Verdict::Inconclusive => answer.reasons().map(reason).collect::<Vec<_>>().join("; "),
        Verdict::NoRecord => {
            let level = answer.coverage.as_ref().map(Coverage::level);
            let level = level.map_or("unknown", words::coverage_level);
            format!("not reported, which does not make it valid; coverage {level}")
        }
        Verdict::Refer => "stop and refer the holder to the authority".to_owned(),
        Verdict::Unspecified => "a verdict this client does not know".to_owned(),
    };
    columns(verdict_word(verdict), &format!("{document}: {more}"))
}

/// A line that begins with a word in the place of a verdict.
pub fn columns(word: &str, rest: &str) -> String {
    format!("{word:VERDICT_WIDTH$}{}", plain(rest))
}

/// The one line that goes with the verdict.
fn meaning(answer: &Answer) -> String {
    match answer.verdict() {
        Verdict::Hit => format!(
            "reported by its owner. A lead, not proof: before acting, confirm with {}.",
            plain(&whom(answer))
        ),
        Verdict::Review => format!(
            "perhaps reported. Compare the document with the report; before acting, confirm with {}.",
            plain(&whom(answer))
        ),
        Verdict::NoRecord => {
            "nobody has reported this document here. That does not make it valid.".to_owned()
        }
        Verdict::Inconclusive => {
            "no answer. Neither reported nor unreported can be said.".to_owned()
        }
        Verdict::Refer => {
            "stop and refer the holder to the authority. No more may be told here.".to_owned()
        }
        Verdict::Unspecified => {
            "a verdict this client does not know. Treat it as no answer.".to_owned()
        }
    }
}

/// The owners of the matching reports, each once.
fn whom(answer: &Answer) -> String {
    let mut owners: Vec<String> = Vec::new();
    for report in &answer.matches {
        let owner = owner(report);
        if !owners.contains(&owner) {
            owners.push(owner);
        }
    }
    match owners.as_slice() {
        [] => "the issuing State's authority".to_owned(),
        owners => owners.join(" and "),
    }
}

fn owner(report: &Match) -> String {
    match &report.authority {
        Some(authority) if authority.name.is_empty() => authority.code.clone(),
        Some(authority) => format!("{} ({})", authority.name, authority.code),
        None if report.third_party => format!("the source {}", report.source),
        None => format!("the authority of {}", report.issuing_state),
    }
}

fn report_lines(text: &mut String, report: &Match) {
    let document = [&report.issuing_state, document_type(report.r#type())].join(" ");
    label(
        text,
        "Report",
        &format!("{}; {document}", report_words(report)),
    );
    let mut source = format!("source {}", report.source);
    if !report.also_reported_by.is_empty() {
        let _ = write!(source, ", also {}", report.also_reported_by.join(", "));
    }
    if report.third_party {
        source.push_str(", not the issuing State's own");
    }
    let no_end = "9999-12-31";
    if report.review_date == no_end {
        source.push_str("; in force without an end");
    }
    for (what, value) in [
        ("in force until", &report.review_date),
        ("restriction", &report.restriction),
        ("reference", &report.owner_reference),
    ] {
        if !value.is_empty() && value != no_end {
            // Writing to a String cannot fail.
            let _ = write!(source, "; {what} {value}");
        }
    }
    label(text, "", &source);
    let contact = report.authority.as_ref().map_or("", |a| a.contact.as_str());
    let contact = if contact.is_empty() {
        "no contact on file"
    } else {
        contact
    };
    label(text, "Confirm", &format!("{}: {contact}", owner(report)));
}

/// What is reported, and when.
fn report_words(report: &Match) -> String {
    let mut text = status(report.status()).to_owned();
    if !report.source_status.is_empty() {
        let _ = write!(text, " (\"{}\")", report.source_status);
    }
    for (what, day) in [
        ("on", &report.date_of_loss),
        ("reported", &report.date_reported),
    ] {
        if !day.is_empty() {
            let _ = write!(text, ", {what} {day}");
        }
    }
    text
}

fn document_words(document: &Document) -> String {
    let or = |text: &str, otherwise: &str| match text {
        "" => otherwise.to_owned(),
        text => text.to_owned(),
    };
    format!(
        "{} {} {}",
        or(&document.number, "(no number)"),
        or(&document.issuing_state, "(no State)"),
        document_type(document.r#type())
    )
}

fn elsewhere(states: u32) -> Option<String> {
    let who = match states {
        0 => return None,
        1 => "1 other State has".to_owned(),
        more => format!("{more} other States have"),
    };
    Some(format!(
        "{who} reported a document of the same number; that is common and no suspicion"
    ))
}

fn coverage_words(coverage: &Coverage) -> String {
    let of = match coverage.r#type() {
        crate::proto::DocumentType::Unspecified => "all types".to_owned(),
        known => format!("type {}", document_type(known)),
    };
    let mut text = format!(
        "{}, {of}: {}",
        coverage.issuing_state,
        words::coverage_level(coverage.level())
    );
    if coverage.level() == CoverageLevel::None {
        text.push_str("; the State reports none, so a miss means next to nothing");
        return text;
    }
    if coverage.level() == CoverageLevel::Suspended {
        text.push_str("; a source of the State is out of service, so a miss means next to nothing");
    }
    let _ = write!(text, ", {} documents reported", coverage.documents);
    if !coverage.newest_report.is_empty() {
        let _ = write!(text, ", the newest on {}", coverage.newest_report);
    }
    if let Some(age) = &coverage.source_age {
        let _ = write!(text, ", source {} old", words::age(age.seconds));
    }
    if let Some(age) = &coverage.change_age {
        let _ = write!(text, ", last change {} old", words::age(age.seconds));
    }
    text
}

fn snapshot_words(snapshot: &Snapshot) -> String {
    let mut text = format!("generation {}", snapshot.generation);
    if let Some(instant) = &snapshot.data_as_of {
        let _ = write!(text, ", as of {instant}");
    }
    if snapshot.stale {
        text.push_str(", STALE: older than it should be");
    }
    text
}

fn label(text: &mut String, label: &str, rest: &str) {
    let _ = writeln!(text, "{label:LABEL_WIDTH$}{}", plain(rest));
}

/// The text without what could steer a terminal or reorder its line: lists and directories come from
/// many hands.
fn plain(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(steers) {
        text.replace(steers, " ").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::fake;
    use crate::proto::Reason;

    #[test]
    fn a_hit_says_whom_to_confirm_with() {
        assert_eq!(
            full(&fake::hit()),
            "\
HIT: reported by its owner. A lead, not proof: before acting, confirm with Utopia Central Bureau (UTO-NCB).
Document  X0000001 UTO passport
Report    stolen, on 2024-06-30, reported 2024-07-03; UTO passport
          source uto-daily
Confirm   Utopia Central Bureau (UTO-NCB): +00 000
MRZ       TD3; check digits failed: composite
Elsewhere 2 other States have reported a document of the same number; that is common and no suspicion
Coverage  UTO, type passport: current, 12345 documents reported, the newest on 2024-07-03, source 2 h old
Data      generation 18446744073709551615, as of 2024-07-04T05:06:07Z
"
        );
        assert_eq!(
            line(&fake::hit()),
            "HIT          X0000001 UTO passport: stolen, on 2024-06-30, reported 2024-07-03; \
             confirm before acting with Utopia Central Bureau (UTO-NCB)"
        );
    }

    /// A verdict's texts: the first line of the full one, the one line.
    fn check(answer: &Answer, full_line: &str, one_line: &str) {
        assert_eq!(full(answer).lines().next(), Some(full_line));
        assert_eq!(line(answer), one_line);
    }

    #[test]
    fn verdicts() {
        let of = |verdict: Verdict, reasons: &[Reason]| Answer {
            verdict: verdict.into(),
            reasons: reasons.iter().map(|&r| r.into()).collect(),
            ..Answer::default()
        };
        check(
            &of(Verdict::NoRecord, &[]),
            "NO_RECORD: nobody has reported this document here. That does not make it valid.",
            "NO_RECORD    document not read: not reported, which does not make it valid; coverage unknown",
        );
        check(
            &of(Verdict::Review, &[Reason::IssuerNotGiven]),
            "REVIEW: perhaps reported. Compare the document with the report; before acting, confirm with \
             the issuing State's authority.",
            "REVIEW       document not read: the issuing State was not given; confirm before acting with \
             the issuing State's authority",
        );
        check(
            &of(Verdict::Inconclusive, &[Reason::Misread]),
            "INCONCLUSIVE: no answer. Neither reported nor unreported can be said.",
            "INCONCLUSIVE document not read: the number's check digit failed: read the document again",
        );
        check(
            &of(Verdict::Refer, &[]),
            "REFER: stop and refer the holder to the authority. No more may be told here.",
            "REFER        document not read: stop and refer the holder to the authority",
        );
        check(
            &Answer {
                verdict: 77,
                ..Answer::default()
            },
            "UNKNOWN: a verdict this client does not know. Treat it as no answer.",
            "UNKNOWN      document not read: a verdict this client does not know",
        );
    }

    #[test]
    fn texts_from_lists_cannot_steer_the_terminal() {
        let mut answer = fake::hit();
        for authority in answer
            .matches
            .iter_mut()
            .filter_map(|m| m.authority.as_mut())
        {
            authority.name = "A\u{1b}[2J\nB\u{202e}C".to_owned();
        }
        for text in [full(&answer), line(&answer)] {
            assert!(text.contains("A [2J B C"), "{text}");
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        }
    }
}
