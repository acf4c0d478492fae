//! Every row of a list looked up in the segment built from it, and what unreported documents are answered.
//!
//! The list is read here by the plainest means, not by the reader that the build uses: rows of our CSV without quotes.

use crate::given::Given;
use crate::report::{Figure, Findings};
use crate::{Result, questions};
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{Damage, Segment};
use sltd::report::{Day, Query, Report, ReportStatus, Verdict};
use sltd::snapshot::{LoadOptions, Moment, Snapshot, Store};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Bytes of the list that a thread takes at a time.
const CHUNK: u64 = 8 << 20;
/// The columns that are read, in the order that `sltd-data generate` writes them.
const HEADER: &str = "number,issuing_state,type,status,date_of_loss,date_reported,review_date,authority,restriction,owner_reference,range_end";

/// A document as lists and questions name it.
type Key = (DocumentNumber, IssuingState, DocumentType);

/// Looks every row up, then asks all questions.
///
/// # Errors
/// When list, questions or store can't be read.
pub(super) fn measure(given: &Given) -> Result<Findings> {
    let snapshot = Store::open(&given.store)?.load_current(&LoadOptions::default())?;
    let asked = questions::read(&given.queries)?;
    // Which questions are about listed documents is learnt from the list, not from the index.
    let key = |query: &Query| Some((query.number?, query.issuer?.known()?, query.document_type?));
    let listed: HashMap<Key, AtomicBool> = asked
        .iter()
        .filter_map(key)
        .map(|key| (key, AtomicBool::new(false)))
        .collect();
    let started = Instant::now();
    let looked_up = look_up_all(given, &snapshot, &listed)?;
    let took = started.elapsed().as_secs_f64();

    let mut tally = Tally::default();
    for query in &asked {
        let is_listed = key(query)
            .and_then(|key| listed.get(&key))
            .is_some_and(|seen| seen.load(Ordering::Relaxed));
        let verdict = snapshot
            .check(query, Moment::at(snapshot.built_at()))?
            .judgement
            .verdict;
        tally.add(is_listed, verdict);
    }
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let counts = |id: &str, unit, part: u64, whole: u64| {
        Figure::more(id, unit, &[part as f64], &[whole as f64])
    };
    Ok(Findings {
        notes: vec![
            format!(
                "{} rows, {} documents named by them, each looked up in the finished segment with its report in {took:.0} s; the segment holds {} documents",
                looked_up.rows,
                looked_up.documents,
                snapshot.documents()
            ),
            format!(
                "{} questions, {} of them about documents that the list holds, {} of these answered HIT; {} of the others answered REVIEW",
                asked.len(),
                tally.reported,
                tally.reported_hits,
                tally.unreported_reviews
            ),
        ],
        figures: vec![
            counts(
                "list/found/rows",
                "documents",
                looked_up.documents - looked_up.missing,
                looked_up.documents,
            ),
            counts(
                "list/reported-are-hit/questions",
                "questions",
                tally.reported_hits,
                tally.reported,
            ),
            counts(
                "list/unreported-are-no-hit/questions",
                "questions",
                tally.unreported - tally.unreported_hits,
                tally.unreported,
            ),
            Figure::less(
                "list/review-share/hit-share",
                "",
                &[share(tally.unreported_reviews, tally.unreported)],
                &[share(tally.reported_hits, asked.len() as u64)],
            ),
        ],
        ..Findings::default()
    })
}

/// Verdicts counted.
#[derive(Debug, Default)]
struct Tally {
    reported: u64,
    reported_hits: u64,
    unreported: u64,
    unreported_hits: u64,
    unreported_reviews: u64,
}

impl Tally {
    fn add(&mut self, is_listed: bool, verdict: Verdict) {
        if is_listed {
            self.reported += 1;
            self.reported_hits += u64::from(verdict == Verdict::Hit);
        } else {
            self.unreported += 1;
            self.unreported_hits += u64::from(verdict == Verdict::Hit);
            self.unreported_reviews += u64::from(verdict == Verdict::Review);
        }
    }
}

/// What became of the rows.
#[derive(Debug, Default)]
struct LookedUp {
    rows: u64,
    documents: u64,
    missing: u64,
}

/// Looks all rows up on all cores; marks the questions that they answer.
fn look_up_all(
    given: &Given,
    snapshot: &Snapshot,
    listed: &HashMap<Key, AtomicBool>,
) -> Result<LookedUp> {
    let mut list = BufReader::new(File::open(&given.list)?);
    let mut header = String::new();
    list.read_line(&mut header)?;
    if header.trim_end() != HEADER {
        return Err(format!("expected a list with the header {HEADER}").into());
    }
    let list = Mutex::new(list);
    let worker = || -> Result<LookedUp> {
        let mut sum = LookedUp::default();
        loop {
            let text = next_lines(&mut list.lock().unwrap_or_else(PoisonError::into_inner))?;
            if text.is_empty() {
                return Ok(sum);
            }
            for line in text.lines() {
                let row = Row::parse(line).ok_or("a row of the list is not as generated")?;
                sum.rows += 1;
                for number in row.numbers {
                    sum.documents += 1;
                    sum.missing += u64::from(!row.is_in(snapshot.segments(), &number)?);
                    if let Some(seen) = listed.get(&(number, row.issuing_state, row.document_type))
                    {
                        seen.store(true, Ordering::Relaxed);
                    }
                }
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| worker().map_err(|error| error.to_string())))
            .collect();
        let mut all = LookedUp::default();
        for worker in workers {
            let part = worker.join().map_err(|_| "a thread has panicked")??;
            all.rows += part.rows;
            all.documents += part.documents;
            all.missing += part.missing;
        }
        Ok(all)
    })
}

/// The next whole lines; empty at the end.
fn next_lines(list: &mut BufReader<File>) -> Result<String> {
    let mut text = Vec::with_capacity(CHUNK as usize + 256);
    list.by_ref().take(CHUNK).read_to_end(&mut text)?;
    list.read_until(b'\n', &mut text)?;
    Ok(String::from_utf8(text)?)
}

/// A row of the list.
struct Row<'l> {
    numbers: NumberRange,
    issuing_state: IssuingState,
    document_type: DocumentType,
    status: ReportStatus,
    days: [Option<Day>; 3],
    authority: &'l str,
    restriction: &'l str,
    owner_reference: &'l str,
}

impl<'l> Row<'l> {
    fn parse(line: &'l str) -> Option<Self> {
        let mut fields = line.split(',');
        let first = DocumentNumber::normalise(fields.next()?).ok()?;
        let issuing_state = IssuingState::parse(fields.next()?).ok()?;
        let document_type = DocumentType::from_name(fields.next()?)?;
        let status = ReportStatus::from_name(fields.next()?)?;
        let mut days = [None; 3];
        for day in &mut days {
            let text = fields.next()?;
            *day = if text.is_empty() {
                None
            } else {
                Some(Day::parse_iso(text)?)
            };
        }
        let (authority, restriction, owner_reference) =
            (fields.next()?, fields.next()?, fields.next()?);
        let last = match fields.next()? {
            "" => first,
            text => DocumentNumber::normalise(text).ok()?,
        };
        // A quoted comma gives a field too many.
        if fields.next().is_some() {
            return None;
        }
        let numbers = NumberRange::new(first, last).ok()?;
        Some(Self {
            numbers,
            issuing_state,
            document_type,
            status,
            days,
            authority,
            restriction,
            owner_reference,
        })
    }

    /// Whether a document of the row is found, with the row's report.
    fn is_in(
        &self,
        segments: &[Arc<Segment>],
        number: &DocumentNumber,
    ) -> std::result::Result<bool, Damage> {
        let mut reports = Vec::new();
        for segment in segments {
            for document in segment.find(number)? {
                let document = document?;
                if document.issuing_state == self.issuing_state
                    && document.document_type == self.document_type
                {
                    document.reports(&mut reports)?;
                }
            }
        }
        Ok(reports.iter().any(|report| self.is_reported_by(report)))
    }

    fn is_reported_by(&self, report: &Report<'_>) -> bool {
        report.status == self.status
            && [
                report.date_of_loss,
                report.date_reported,
                report.review_date,
            ] == self.days
            && report.authority.map_or("", |authority| authority.code) == self.authority
            && report.restriction == self.restriction
            && report.owner_reference == self.owner_reference
    }
}
