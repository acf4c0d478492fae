//! Small stores: what is put into them, and what they answer.

use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, Issuer, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, SegmentBuilder, Withdrawal};
use sltd::report::ReportStatus::{Lost, Revoked};
use sltd::report::{Day, Query, ReportStatus};
use sltd::snapshot::{
    Act, Candidate, Change, LoadOptions, Moment, Origin, PublishError, Published, RowPosition,
    SourceEntry, Store, StoreWriter, Terms, Warm,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

pub(crate) const ACT: Act<'_> = Act {
    at: Timestamp::UNIX_EPOCH,
    by: "test",
    reason: "",
};

/// Instants that lists and changes describe.
pub(crate) const FIRST: i64 = 1;
/// Of changes that the first list does not know, but the others.
pub(crate) const LISTED: i64 = 2;
/// Of the list of whatever is built next.
const NEXT: i64 = 4;
pub(crate) const SECOND: i64 = 5;
/// Of changes that no list knows.
pub(crate) const LATE: i64 = 6;

/// Documents that there may be.
const DOCUMENTS: Range<u64> = 0..26;

/// What is reported of each document.
pub(crate) type Shown = BTreeMap<u64, ReportStatus>;

pub(crate) fn shown<const N: usize>(parts: [(Range<u64>, ReportStatus); N]) -> Shown {
    let parts = parts.into_iter();
    parts
        .flat_map(|(range, status)| range.map(move |index| (index, status)))
        .collect()
}

fn number(index: u64) -> DocumentNumber {
    DocumentNumber::normalise(&format!("AB{index:06}")).unwrap()
}

fn row(source: &str, index: u64, status: ReportStatus) -> Row<'_> {
    Row {
        numbers: NumberRange::single(number(index)),
        issuing_state: IssuingState::parse("FIN").unwrap(),
        document_type: DocumentType::Passport,
        status,
        source_status: "",
        date_of_loss: None,
        date_reported: Day::from_ymd(2026, 1, 1),
        review_date: None,
        authority: "NCB",
        restriction: "",
        source,
        third_party: false,
        owner_reference: "REF",
    }
}

fn entry(source: &str, as_of: i64) -> SourceEntry {
    SourceEntry::new(source, Timestamp::from_second(as_of).unwrap())
}

/// No memory, so that all goes through scratch files.
pub(crate) fn options(scratch: PathBuf) -> BuildOptions {
    BuildOptions {
        memory: 0,
        threads: 1,
        scratch,
    }
}

/// Builds a base of lists: source, documents and their status.
pub(crate) fn list(
    writer: &StoreWriter,
    as_of: i64,
    rows: &[(&'static str, Range<u64>, ReportStatus)],
    bases_kept: Option<u32>,
) -> Result<Candidate, PublishError> {
    let builder = SegmentBuilder::new(options(writer.building()));
    let mut inserter = builder.inserter();
    for (source, documents, status) in rows {
        for index in documents.clone() {
            inserter.insert(&row(source, index, *status))?;
        }
    }
    inserter.finish()?;
    let path = writer.building().join("segment");
    builder.finish(&path, &[], |_, _| ())?;
    let origin = Origin {
        sources: rows
            .iter()
            .map(|(source, ..)| entry(source, as_of))
            .collect(),
        as_of: Day::from_ymd(2026, 1, 1).unwrap(),
        built_at: Timestamp::from_second(as_of).unwrap(),
        bases_kept,
    };
    writer.candidate(&path, origin)
}

/// Publishes changes of source `own`: documents that it reports as lost, and that it withdraws.
pub(crate) fn say(
    store: &Path,
    as_of: i64,
    changes: &[(u64, bool)],
) -> Result<Published, PublishError> {
    let delta = Store::open(store)?.delta()?;
    let rows = delta.rows(0, 1);
    let mut inserter = rows.inserter();
    for (place, (index, reported)) in (0..).zip(changes) {
        let report = row("own", *index, Lost);
        let withdrawal = Withdrawal {
            numbers: report.numbers,
            issuing_state: report.issuing_state,
            document_type: report.document_type,
            source: report.source,
            third_party: report.third_party,
            reason: "found",
        };
        let change = match reported {
            true => Change::Add(report),
            false => Change::Withdraw(withdrawal),
        };
        let position = RowPosition {
            row: place,
            ..RowPosition::default()
        };
        inserter.insert(Timestamp::from_second(as_of).unwrap(), position, &change);
    }
    inserter.finish();
    let changes = delta.build(&rows, &[], Day::from_ymd(2026, 1, 1).unwrap())?;
    let draft = delta.draft(&changes, &[entry("own", as_of)], ACT)?;
    draft.publish(Vec::new())
}

/// What a store serves: its generation, and what it says of every document there may be. Everything that is kept can
/// be read; what is counted is what is shown.
pub(crate) fn served(path: &Path, tag: &dyn Fn() -> String) -> (u64, Shown) {
    let refused = |error: &dyn std::fmt::Display| -> ! { panic!("{}: {error}", tag()) };
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    let store = Store::open(path).unwrap_or_else(|error| refused(&error));
    let snapshot = store
        .load_current(&options)
        .unwrap_or_else(|error| refused(&error));
    let mut shown = Shown::new();
    for index in DOCUMENTS {
        let query = Query::from_fields(
            number(index),
            Some(Issuer::parse("FIN").unwrap()),
            Some(DocumentType::Passport),
        );
        let answer = snapshot
            .check(&query, Moment::at(Timestamp::UNIX_EPOCH))
            .unwrap();
        let matches = answer.judgement.matches.iter();
        shown.extend(matches.map(|found| (index, found.report.status)));
    }
    assert_eq!(snapshot.documents(), shown.len() as u64, "{}", tag());
    let (_, unreadable) = store.history().unwrap_or_else(|error| refused(&error));
    assert!(unreadable <= 1, "{}", tag());
    (snapshot.generation(), shown)
}

/// Publishes a base and changes, whatever the store has gone through, and holds it against what it must serve then:
/// `before` was served until now.
pub(crate) fn go_on(path: &Path, before: Option<&Shown>, tag: &dyn Fn() -> String) -> Shown {
    let done = || -> Result<(), PublishError> {
        if let Ok(store) = Store::open(path) {
            let manifest = store.manifest(&store.pointer()?)?;
            if manifest.pinned.is_some() {
                store.unpin(ACT)?.publish(Vec::new())?;
            }
            for hold in &manifest.held {
                store.unhold(&hold.source, ACT)?.publish(Vec::new())?;
            }
            for retraction in &manifest.retracted {
                store.lift(&retraction.source, ACT)?.publish(Vec::new())?;
            }
        }
        // What is there may be signed; that a store takes no less is tested elsewhere.
        let terms = Terms::default().unsigned(true);
        let writer = Store::writer(path)?.with_terms(terms);
        let rows = [("own", 3..9, Revoked), ("second", 19..20, Revoked)];
        let candidate = list(&writer, NEXT, &rows, None)?;
        writer.draft(&candidate, ACT)?.publish(Vec::new())?;
        say(path, LATE, &[(24, true), (3, false)])?;
        Ok(())
    };
    if let Err(error) = done() {
        panic!("{}: {error}", tag());
    }
    let mut expected = shown([(4..9, Revoked), (19..20, Revoked), (24..25, Lost)]);
    // What no list knew is carried on.
    expected.extend(before.and_then(|before| before.get_key_value(&23)));
    assert_eq!(served(path, tag).1, expected, "{}", tag());
    assert_tidy(path, tag);
    expected
}

/// Nothing is in the store but what is named.
fn assert_tidy(path: &Path, tag: &dyn Fn() -> String) {
    let store = Store::open(path).unwrap();
    let chain = store.chain(&store.pointer().unwrap()).unwrap();
    let mut named = BTreeSet::from(["CURRENT", "LOCK", "history.jsonl"].map(PathBuf::from));
    for manifest in &chain {
        for folder in ["manifests", "copies"] {
            for ending in ["", ".sig"] {
                let name = format!("{folder}/{:08}.json{ending}", manifest.generation);
                named.insert(name.into());
            }
        }
        for segment in manifest.files() {
            named.insert(Path::new("segments").join(&segment.file));
        }
        for segment in &manifest.kept {
            named.insert(Path::new("copies").join(&segment.file));
        }
    }
    if path.join("candidate").exists() {
        let writer = Store::writer(path).unwrap();
        assert!(writer.take_up().unwrap().is_some(), "{}", tag());
        named.extend(["candidate/origin.json", "candidate/segment"].map(PathBuf::from));
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let within = entry.path().strip_prefix(path).unwrap().to_owned();
            if entry.file_type().unwrap().is_dir() {
                let known = ["manifests", "copies", "segments", "rejects", "candidate"];
                let known = known.iter().any(|known| within == Path::new(known));
                assert!(known, "{}: {within:?}", tag());
                folders.push(entry.path());
            } else {
                found.push(within);
            }
        }
    }
    found.retain(|file| !named.contains(file));
    assert!(found.is_empty(), "{}: {found:?} is left", tag());
}
