//! A walk over everything in a segment, as slow and as plain as can be afforded.

use rayon::prelude::*;
use sltd::document::{DocumentNumber, DocumentType, IssuingState};
use sltd::index::{CountOf, Damage, Document, Said, Segment};
use sltd::report::{Day, Report, ReportStatus};
use std::collections::HashMap;
use std::fmt;

/// Documents gathered before the cores share them: 65,536 of about 80 bytes.
const BATCH: usize = 1 << 16;
/// Documents that a core takes at a time.
const PIECE: usize = 1 << 12;

/// What a walk found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Walked {
    pub documents: u64,
    pub numbers: u64,
    pub reports: u64,
}

type Entry<'s> = (DocumentNumber, Document<'s>);

/// What is counted, as [`CountOf`] has it, borrowed: cloning a name for each report would cost more
/// than the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of<'s> {
    All,
    Owned,
    Source(&'s str),
    OwnSource(&'s str),
    Status(ReportStatus),
}

impl<'s> From<&'s CountOf> for Of<'s> {
    fn from(of: &'s CountOf) -> Self {
        match of {
            CountOf::All => Self::All,
            CountOf::Owned => Self::Owned,
            CountOf::Source(name) => Self::Source(name),
            CountOf::OwnSource(name) => Self::OwnSource(name),
            CountOf::Status(status) => Self::Status(*status),
        }
    }
}

impl fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all sources"),
            Self::Owned => f.write_str("the State's own sources"),
            Self::Source(name) => write!(f, "source {name}"),
            Self::OwnSource(name) => write!(f, "source {name}, as the State's own"),
            Self::Status(status) => write!(f, "status {status}"),
        }
    }
}

type Key<'s> = (IssuingState, DocumentType, Of<'s>);

/// Documents, and the newest day on which one was reported.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    documents: u64,
    newest: Option<Day>,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} documents", self.documents)?;
        match self.newest {
            Some(newest) => write!(f, ", the newest of {newest}"),
            None => f.write_str(", none with a date"),
        }
    }
}

#[derive(Debug, Default)]
struct Found<'s> {
    reports: u64,
    tallies: HashMap<Key<'s>, Tally>,
}

/// Walks all documents of a segment; the error says what does not hold, without a document number.
pub(super) fn walk(segment: &Segment) -> Result<Walked, String> {
    let mut walked = Walked::default();
    let mut found = Ok(Found::default());
    let mut last: Option<DocumentNumber> = None;
    let mut batch: Vec<Entry<'_>> = Vec::with_capacity(BATCH);
    let each = |number: DocumentNumber, document| {
        walked.documents += 1;
        if last.is_none_or(|last| last.as_bytes() < number.as_bytes()) {
            walked.numbers += 1;
        } else if last != Some(number) && found.is_ok() {
            found = Err(format!("document {} is out of order", walked.documents));
        }
        last = Some(number);
        batch.push((number, document));
        if batch.len() == BATCH {
            take(segment, &mut batch, &mut found);
        }
    };
    segment
        .for_each(each)
        .map_err(|damage| damage.to_string())?;
    take(segment, &mut batch, &mut found);
    let found = found?;
    walked.reports = found.reports;
    let says = [
        ("documents", segment.documents(), walked.documents),
        ("numbers", segment.numbers(), walked.numbers),
    ];
    for (what, says, has) in says {
        if says != has {
            return Err(format!("it says {says} {what}, but {has} are found"));
        }
    }
    compare(segment, &found.tallies)?;
    Ok(walked)
}

/// Checks what is gathered and adds it to what was found, unless something was found wrong already.
fn take<'s>(
    segment: &'s Segment,
    batch: &mut Vec<Entry<'s>>,
    found: &mut Result<Found<'s>, String>,
) {
    if let Ok(so_far) = found {
        let pieces = batch.par_chunks(PIECE).map(|piece| check(segment, piece));
        match pieces.collect::<Result<Vec<_>, String>>() {
            Ok(pieces) => pieces.into_iter().for_each(|piece| so_far.add(piece)),
            Err(what) => *found = Err(what),
        }
    }
    batch.clear();
}

/// Asks the segment about each document as a query would, and holds the answer against the walk.
fn check<'s>(segment: &'s Segment, piece: &[Entry<'s>]) -> Result<Found<'s>, String> {
    let mut found = Found::default();
    let (mut said, mut said_to_query) = (Vec::new(), Vec::new());
    let mut reports = Vec::new();
    for (number, document) in piece {
        let (state, document_type) = (document.issuing_state, document.document_type);
        let of = |what: &str| format!("a document of {state}, {document_type}, {what}");
        if !segment.may_contain(number) {
            return Err(of("is rejected by the filter"));
        }
        let unreadable = |damage: Damage| of(&format!("has reports that can't be read: {damage}"));
        let mut queried = None;
        for document in segment.find(number).map_err(unreadable)? {
            let document = document.map_err(unreadable)?;
            if (document.issuing_state, document.document_type) == (state, document_type) {
                queried = Some(document);
            }
        }
        let queried = queried.ok_or_else(|| of("is not found by its number"))?;
        said.clear();
        said_to_query.clear();
        let read = document
            .each_statement(|statement| said.push(statement))
            .and_then(|()| queried.each_statement(|statement| said_to_query.push(statement)));
        read.map_err(unreadable)?;
        if said.is_empty() || said != said_to_query {
            return Err(of("has other reports when asked for by its number"));
        }
        reports.clear();
        reports.extend(said.iter().filter_map(|statement| match statement.said {
            Said::Reported(report) => Some(report),
            Said::Overruled(_)
            | Said::Withdrawn { .. }
            | Said::Unwithdrawn { .. }
            | Said::Expired => None,
        }));
        found.count(state, document_type, &reports);
    }
    Ok(found)
}

impl<'s> Found<'s> {
    fn add(&mut self, other: Self) {
        self.reports += other.reports;
        for (key, tally) in other.tallies {
            let sum = self.tallies.entry(key).or_default();
            sum.documents += tally.documents;
            sum.newest = sum.newest.max(tally.newest);
        }
    }

    /// Counts a document once under each thing that any of its reports is.
    fn count(&mut self, state: IssuingState, document_type: DocumentType, reports: &[Report<'s>]) {
        self.reports += reports.len() as u64;
        // As a rule there is one report, so that searching the list costs nothing.
        let mut counted: Vec<(Of<'s>, Option<Day>)> = Vec::with_capacity(5);
        for report in reports {
            let whole = [
                Of::All,
                Of::Status(report.status),
                Of::Source(report.source),
            ];
            let own = [Of::Owned, Of::OwnSource(report.source)];
            let own = own.into_iter().filter(|_| !report.third_party);
            for of in whole.into_iter().chain(own) {
                match counted.iter_mut().find(|(known, _)| *known == of) {
                    Some((_, newest)) => *newest = (*newest).max(report.date_reported),
                    None => counted.push((of, report.date_reported)),
                }
            }
        }
        for (of, newest) in counted {
            let tally = self.tallies.entry((state, document_type, of)).or_default();
            tally.documents += 1;
            tally.newest = tally.newest.max(newest);
        }
    }
}

/// Holds the segment's counts against those of the walk, both ways.
fn compare(segment: &Segment, found: &HashMap<Key<'_>, Tally>) -> Result<(), String> {
    for count in segment.counts() {
        let (state, document_type) = (count.issuing_state, count.document_type);
        let says = Tally {
            documents: count.documents,
            newest: count.newest_report,
        };
        let of = Of::from(&count.of);
        let has = found
            .get(&(state, document_type, of))
            .copied()
            .unwrap_or_default();
        if says != has {
            return Err(format!(
                "counts of {state}, {document_type}, {of}: they say {says}, found are {has}"
            ));
        }
    }
    // Each count was found; as many were found as there are, so none is missing.
    if segment.counts().len() != found.len() {
        return Err(format!(
            "it has {} counts, but {} things are found to be counted",
            segment.counts().len(),
            found.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sltd::document::NumberRange;
    use sltd::index::{BuildOptions, LoadMode, Row, SegmentBuilder};

    fn row<'a>(number: &str, state: &str, status: ReportStatus, source: &'a str) -> Row<'a> {
        Row {
            numbers: NumberRange::single(DocumentNumber::normalise(number).unwrap()),
            issuing_state: IssuingState::parse(state).unwrap(),
            document_type: DocumentType::Passport,
            status,
            source_status: "",
            date_of_loss: None,
            date_reported: Day::from_ymd(2026, 1, 2),
            review_date: None,
            authority: "",
            restriction: "",
            source,
            third_party: source == "other",
            owner_reference: "",
        }
    }

    /// Several reports of a document, equal numbers of two States, a range.
    fn segment(folder: &std::path::Path) -> Segment {
        let options = BuildOptions {
            memory: 1 << 20,
            threads: 1,
            scratch: folder.to_owned(),
        };
        let builder = SegmentBuilder::new(options);
        let mut inserter = builder.inserter();
        let end = DocumentNumber::normalise("B19").unwrap();
        let mut range = row("B10", "FIN", ReportStatus::StolenBlank, "own");
        range.numbers = NumberRange::new(DocumentNumber::normalise("B10").unwrap(), end).unwrap();
        let rows = [
            row("A1", "FIN", ReportStatus::Lost, "own"),
            row("A1", "FIN", ReportStatus::Stolen, "other"),
            row("A1", "D", ReportStatus::Stolen, "own"),
            range,
        ];
        for row in &rows {
            inserter.insert(row).unwrap();
        }
        inserter.finish().unwrap();
        let path = folder.join("segment");
        builder.finish(&path, &[], |_, _| {}).unwrap();
        Segment::open(&path, LoadMode::Heap).unwrap()
    }

    #[test]
    fn everything_is_walked() {
        let folder = tempfile::tempdir().unwrap();
        let walked = walk(&segment(folder.path()));
        let expected = Walked {
            documents: 12,
            numbers: 11,
            reports: 13,
        };
        assert_eq!(walked, Ok(expected));
    }

    #[test]
    fn other_counts_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let segment = segment(folder.path());
        let mut piece = Vec::new();
        segment
            .for_each(|number, document| piece.push((number, document)))
            .unwrap();
        let found = check(&segment, &piece).unwrap();
        assert_eq!(compare(&segment, &found.tallies), Ok(()));

        let fin = IssuingState::parse("FIN").unwrap();
        let key = (fin, DocumentType::Passport, Of::OwnSource("own"));
        assert_eq!(found.tallies[&key].documents, 11);
        let changes: [fn(&mut Tally); 2] =
            [|tally| tally.documents += 1, |tally| tally.newest = None];
        for change in changes {
            let mut tallies = found.tallies.clone();
            change(tallies.get_mut(&key).unwrap());
            let complaint = compare(&segment, &tallies).unwrap_err();
            assert!(
                complaint.contains("counts of FIN, passport, source own"),
                "{complaint}"
            );
        }
        let mut more = found.tallies.clone();
        more.insert((fin, DocumentType::Visa, Of::All), Tally::default());
        assert!(
            compare(&segment, &more)
                .unwrap_err()
                .contains("found to be counted")
        );
    }
}
