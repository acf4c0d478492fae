//! Random sequences of lists and changes against a plain model: what is said of each document, and how many are
//! counted, after every step.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, Issuer, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, SegmentBuilder, Standing, Withdrawal};
use sltd::report::{Day, Query, ReportStatus};
use sltd::snapshot::{
    LoadOptions, Moment, Publication, RowAccount, Snapshot, SourceEntry, Store, Warm,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const SOURCES: [&str; 4] = ["own-a", "own-b", "other-a", "other-b"];
const STATES: [&str; 2] = ["FIN", "UKR"];
const NUMBERS: u64 = 12;
const STEPS: u32 = 60;
/// Bases of a sequence: changes published before the oldest that is kept are kept only as far as they were in
/// force then, which the model does not know.
const BASES: u32 = 7;

fn third_party(source: &str) -> bool {
    source.starts_with("other")
}

/// A document: its number's index and its State.
type Document = (u64, &'static str);

/// A small generator: the same numbers on every machine.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((u128::from(self.0) * u128::from(end)) >> 64) as u64
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }

    fn document(&mut self) -> Document {
        (self.below(NUMBERS), self.one_of(&STATES))
    }

    fn status(&mut self) -> ReportStatus {
        self.one_of(&[
            ReportStatus::Lost,
            ReportStatus::Stolen,
            ReportStatus::Revoked,
        ])
    }
}

type Listed = BTreeSet<(Document, ReportStatus)>;

/// As-of, then generation.
type Edition = (i64, u64);

/// What the sources have said: lists, of which the last counts, and all changes ever.
#[derive(Default)]
struct Model {
    lists: BTreeMap<&'static str, (Edition, Listed)>,
    changes: Vec<Change>,
}

/// What a source says of a document: `None` withdraws it.
struct Change {
    source: &'static str,
    edition: Edition,
    document: Document,
    said: Option<ReportStatus>,
}

impl Model {
    /// The reports of a document that are to be shown, by source.
    fn shown(&self, document: Document) -> BTreeSet<(&'static str, ReportStatus)> {
        let in_force = |change: &&Change| {
            let list = self.lists.get(change.source);
            change.document == document && list.is_none_or(|(list, _)| change.edition > *list)
        };
        let changes: Vec<&Change> = self.changes.iter().filter(in_force).collect();
        let reports_at = |source: &str, edition: Edition| {
            let at = |change: &&&Change| change.source == source && change.edition == edition;
            let of_edition = changes.iter().filter(at);
            of_edition
                .filter_map(|change| change.said)
                .collect::<BTreeSet<_>>()
        };
        let overruled_to = changes
            .iter()
            .filter(|change| !third_party(change.source) && change.said.is_none())
            .filter(|change| reports_at(change.source, change.edition).is_empty())
            .map(|change| change.edition)
            .max();
        let mut shown = BTreeSet::new();
        for source in SOURCES {
            let last = changes
                .iter()
                .filter(|change| change.source == source)
                .map(|change| change.edition)
                .max();
            let (edition, reports) = match (last, self.lists.get(source)) {
                (Some(last), _) => (last, reports_at(source, last)),
                (None, Some((edition, list))) => {
                    let of_document = list.iter().filter(|(listed, _)| *listed == document);
                    (*edition, of_document.map(|(_, status)| *status).collect())
                }
                (None, None) => continue,
            };
            if !third_party(source) || Some(edition) > overruled_to {
                shown.extend(reports.into_iter().map(|status| (source, status)));
            }
        }
        shown
    }
}

fn number(index: u64) -> DocumentNumber {
    DocumentNumber::normalise(&format!("AB{index:06}")).unwrap()
}

fn row(source: &'static str, (index, state): Document, status: ReportStatus) -> Row<'static> {
    Row {
        numbers: NumberRange::single(number(index)),
        issuing_state: IssuingState::parse(state).unwrap(),
        document_type: DocumentType::Passport,
        status,
        // Told apart by it: reports that say the same are shown once.
        source_status: source,
        date_of_loss: None,
        date_reported: Day::from_ymd(2026, 1, 1),
        review_date: None,
        authority: "NCB",
        restriction: "",
        source,
        third_party: third_party(source),
        owner_reference: "",
    }
}

fn entry(source: &str, as_of: i64) -> SourceEntry {
    SourceEntry {
        name: source.to_owned(),
        as_of: Timestamp::from_second(as_of).unwrap(),
        list: None,
        changed: None,
        owns: vec!["*".to_owned()],
        stale_after_seconds: 60,
        rows: RowAccount::default(),
    }
}

/// Publishes lists of some of the sources, drawn, as a base.
fn list(draws: &mut Draws, folder: &Path, model: &mut Model) {
    let mut lists = Vec::new();
    for source in SOURCES {
        if draws.below(5) == 0 {
            continue;
        }
        let as_of = draws.below(12) as i64;
        let rows = (0..draws.below(2 * NUMBERS)).map(|_| (draws.document(), draws.status()));
        lists.push((source, as_of, rows.collect()));
    }
    publish(folder, lists, model);
}

/// A list: source, as-of, rows.
type List = (&'static str, i64, Vec<(Document, ReportStatus)>);

/// Publishes lists as a base.
fn publish(folder: &Path, of_sources: Vec<List>, model: &mut Model) {
    let writer = Store::writer(folder).unwrap();
    let builder = SegmentBuilder::new(BuildOptions {
        memory: 1 << 20,
        threads: 1,
        scratch: writer.building(),
    });
    let mut inserter = builder.inserter();
    let generation = writer
        .previous()
        .unwrap()
        .map_or(1, |manifest| manifest.generation + 1);
    let mut lists = BTreeMap::new();
    let mut entries = Vec::new();
    for (source, as_of, rows) in of_sources {
        for (document, status) in &rows {
            inserter.insert(&row(source, *document, *status)).unwrap();
        }
        let listed = rows.into_iter().collect();
        lists.insert(source, ((as_of, generation), listed));
        entries.push(entry(source, as_of));
    }
    inserter.finish().unwrap();
    let segment = writer.building().join("segment");
    let summary = builder.finish(&segment, &[], |_, _| ()).unwrap();
    let publication = Publication {
        segment: &segment,
        summary: &summary,
        sources: entries,
        as_of: Day::from_ymd(2026, 1, 1).unwrap(),
        built_at: Timestamp::UNIX_EPOCH,
        by: "test",
    };
    let manifest = writer.publish(&publication).unwrap();
    assert_eq!(manifest.generation, generation);
    model.lists = lists;
}

/// Publishes changes, drawn, of one or two sources.
fn change(draws: &mut Draws, folder: &Path, model: &mut Model) {
    let mut changes = Vec::new();
    for place in 0..=draws.below(2) {
        let source = SOURCES[((draws.below(2) * 2 + place) % 4) as usize];
        let as_of = draws.below(12) as i64;
        let rows = (0..draws.below(8)).map(|_| {
            let document = draws.document();
            (document, (draws.below(2) == 0).then(|| draws.status()))
        });
        changes.push((source, as_of, rows.collect()));
    }
    say(folder, changes, model);
}

/// Changes: source, as-of, documents; without a status they are withdrawn.
type Changes = (&'static str, i64, Vec<(Document, Option<ReportStatus>)>);

/// Publishes changes.
fn say(folder: &Path, of_sources: Vec<Changes>, model: &mut Model) {
    let delta = Store::open(folder).unwrap().delta().unwrap();
    let builder = delta.builder(1 << 20, 1);
    let mut inserter = builder.inserter();
    let mut entries = Vec::new();
    for (source, as_of, rows) in of_sources {
        let edition = delta.edition(Timestamp::from_second(as_of).unwrap());
        for (document, said) in rows {
            let report = row(source, document, said.unwrap_or(ReportStatus::Lost));
            let standing = Standing {
                edition: Some(edition),
                overruled: false,
            };
            if said.is_some() {
                inserter.insert_as(&report, standing).unwrap();
            } else {
                let withdrawal = Withdrawal {
                    numbers: report.numbers,
                    issuing_state: report.issuing_state,
                    document_type: report.document_type,
                    source,
                    third_party: report.third_party,
                    reason: "found",
                };
                inserter.withdraw(&withdrawal, standing).unwrap();
            }
            model.changes.push(Change {
                source,
                edition: (as_of, edition.generation),
                document,
                said,
            });
        }
        entries.push(entry(source, as_of));
    }
    inserter.finish().unwrap();
    let summary = delta.build(builder, &[]).unwrap();
    let published = delta.publish(&summary, &entries, (Timestamp::UNIX_EPOCH, "test"));
    published.unwrap();
}

/// The reports of a document that a snapshot shows, by source.
fn shown(snapshot: &Snapshot, (index, state): Document) -> BTreeSet<(String, ReportStatus)> {
    let query = Query::from_fields(
        number(index),
        Some(Issuer::parse(state).unwrap()),
        Some(DocumentType::Passport),
    );
    let answer = snapshot
        .check(&query, Moment::at(Timestamp::UNIX_EPOCH))
        .unwrap();
    let matches = answer.judgement.matches.iter();
    let of_state = matches.filter(|found| found.issuing_state.code() == state);
    of_state
        .map(|found| (found.report.source.to_owned(), found.report.status))
        .collect()
}

fn compare(folder: &Path, model: &Model, step: &str) {
    let options = LoadOptions {
        warm: Some(Warm::Filter),
        ..LoadOptions::default()
    };
    let snapshot = Store::open(folder).unwrap().load_current(&options).unwrap();
    assert!(snapshot.segments().len() <= 9, "{step}");
    let mut documents = 0;
    let mut owned = BTreeMap::new();
    for index in 0..NUMBERS {
        for state in STATES {
            let expected = model.shown((index, state));
            let found = shown(&snapshot, (index, state));
            let expected_names: BTreeSet<_> = expected
                .iter()
                .map(|(source, status)| ((*source).to_owned(), *status))
                .collect();
            assert_eq!(found, expected_names, "{step}: document {index} of {state}");
            documents += u64::from(!expected.is_empty());
            let own = expected.iter().any(|(source, _)| !third_party(source));
            *owned.entry(state).or_insert(0) += u64::from(own);
        }
    }
    assert_eq!(snapshot.documents(), documents, "{step}");
    for (state, owned) in owned {
        // Of a number that nobody reports: what is said of its State.
        let query = Query::from_fields(
            DocumentNumber::normalise("X").unwrap(),
            Some(Issuer::parse(state).unwrap()),
            Some(DocumentType::Passport),
        );
        let answer = snapshot
            .check(&query, Moment::at(Timestamp::UNIX_EPOCH))
            .unwrap();
        assert_eq!(
            answer.coverage().unwrap().documents,
            owned,
            "{step}: {state}"
        );
    }
}

#[test]
fn lists_and_changes_in_any_order_are_what_the_model_says() {
    for seed in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let mut draws = Draws(seed);
        let mut model = Model::default();
        list(&mut draws, folder.path(), &mut model);
        let mut lists = 1;
        for step in 0..STEPS {
            let what = if lists < BASES && draws.below(8) == 0 {
                lists += 1;
                list(&mut draws, folder.path(), &mut model);
                "a list"
            } else {
                change(&mut draws, folder.path(), &mut model);
                "changes"
            };
            compare(
                folder.path(),
                &model,
                &format!("seed {seed}, step {step}: {what}"),
            );
        }
    }
}

#[test]
fn what_a_source_without_a_list_has_said_outlives_all_bases() {
    let folder = tempfile::tempdir().unwrap();
    let mut model = Model::default();
    let bare = |model: &mut Model| {
        let list = vec![((5, "FIN"), ReportStatus::Lost)];
        publish(folder.path(), vec![("own-b", 1, list)], model);
    };
    bare(&mut model);
    let said = [
        ("own-a", Some(ReportStatus::Lost)),
        ("other-a", Some(ReportStatus::Stolen)),
    ];
    for (index, (source, status)) in said.into_iter().enumerate() {
        let rows = vec![((index as u64, "FIN"), status)];
        say(folder.path(), vec![(source, 1, rows)], &mut model);
    }
    for round in 0..20 {
        bare(&mut model);
        compare(folder.path(), &model, &format!("base {round}"));
    }
    let rows = vec![((1, "FIN"), None)];
    say(folder.path(), vec![("own-a", 2, rows)], &mut model);
    for round in 0..20 {
        bare(&mut model);
        compare(
            folder.path(),
            &model,
            &format!("base {round} after the withdrawal"),
        );
        assert_eq!(model.shown((1, "FIN")).len(), 0);
    }
}
