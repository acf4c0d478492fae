//! A store from a few lines of CSV.

use jiff::Timestamp;
use sltd::client::Question;
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, SegmentBuilder};
use sltd::report::{Authority, Day, ReportStatus};
use sltd::snapshot::{Act, Manifest, Origin, RowAccount, SourceEntry, Store, Terms};
use std::path::Path;

/// Reports from which every verdict can be had. `by` names the source of a third party's report.
pub(crate) const ROWS: &str = "\
number,issuing_state,type,status,range_end,by
12AB34567,FRA,passport,stolen,,
20BB00100,FRA,passport,stolen_blank,20BB00199,
L9ZZ90001,D,identity_card,lost,,
C4ZZ12345,D,passport,revoked,,
900000123,USA,passport,lost,,
33XY00007,FRA,passport,stolen,,NLD
X0440041,UKR,visa,invalidated,,
";

/// The numbers of [`ROWS`] and of the questions asked about them: what no log may hold.
pub(crate) const NUMBERS: [&str; 8] = [
    "12AB34567",
    "20BB001",
    "L9ZZ9000",
    "C4ZZ12345",
    "900000123",
    "33XY00007",
    "X0440041",
    "77CC88888",
];

/// Publishes `rows` as the current snapshot of the store at `path`, built now.
pub(crate) fn publish(path: &Path, rows: &str) -> Manifest {
    publish_at(path, rows, Timestamp::now())
}

/// The same on terms, such as a key to sign with.
pub(crate) fn publish_on(path: &Path, rows: &str, terms: Terms) -> Manifest {
    published(path, rows, Timestamp::now(), terms)
}

/// The same, of a certain age. The sources' data are as old.
pub(crate) fn publish_at(path: &Path, rows: &str, built_at: Timestamp) -> Manifest {
    // Also over what is signed: servers are to refuse it, not the publisher.
    published(path, rows, built_at, Terms::default().unsigned(true))
}

fn published(path: &Path, rows: &str, built_at: Timestamp, terms: Terms) -> Manifest {
    let writer = Store::writer(path).unwrap().with_terms(terms);
    let builder = SegmentBuilder::new(BuildOptions {
        memory: 16 << 20,
        threads: 1,
        scratch: writer.building(),
    });
    let mut inserter = builder.inserter();
    let mut read = 0;
    for line in rows.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [start, state, document_type, status, end, by] = fields[..] else {
            panic!("expected six fields: {line}");
        };
        let number = |text: &str| DocumentNumber::normalise(text).unwrap();
        let end = if end.is_empty() { start } else { end };
        inserter
            .insert(&Row {
                numbers: NumberRange::new(number(start), number(end)).unwrap(),
                issuing_state: IssuingState::parse(state).unwrap(),
                document_type: DocumentType::from_name(document_type).unwrap(),
                status: ReportStatus::from_name(status).unwrap(),
                source_status: "",
                date_of_loss: Day::from_ymd(2026, 10, 1),
                date_reported: Day::from_ymd(2026, 10, 2),
                review_date: None,
                authority: "NCB-1",
                restriction: "",
                source: if by.is_empty() { "own" } else { by },
                third_party: !by.is_empty(),
                owner_reference: "",
            })
            .unwrap();
        read += 1;
    }
    inserter.finish().unwrap();
    let directory = [Authority {
        code: "NCB-1",
        name: "National Central Bureau",
        contact: "+999 1, day and night",
    }];
    let segment = writer.building().join("segment");
    builder.finish(&segment, &directory, |_, _| ()).unwrap();
    let source = |name: &str, read| SourceEntry {
        rows: RowAccount {
            read,
            indexed: read,
            ..RowAccount::default()
        },
        ..SourceEntry::new(name, built_at)
    };
    let origin = Origin {
        sources: vec![source("own", read), source("NLD", 0)],
        as_of: Day::from_timestamp(built_at),
        built_at,
        bases_kept: None,
    };
    let act = Act {
        at: built_at,
        by: "test",
        reason: "",
    };
    writer.publish(&segment, origin, act).unwrap()
}

/// A store of `rows`.
pub(crate) fn store(rows: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    publish(dir.path(), rows);
    dir
}

/// A question about a French passport.
pub(crate) fn passport(number: impl Into<String>) -> Question {
    let question = Question::number(number).issuing_state("FRA");
    question.document_type(DocumentType::Passport)
}
