//! What can happen to a store: done to it, and to the model.

use crate::model::{Change, Document, Model, NUMBERS, SOURCES, STATES, review_date, third_party};
use jiff::Timestamp;
use sltd::document::{DocumentNumber, DocumentType, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, SegmentBuilder, Standing, Withdrawal};
use sltd::report::{Day, ReportStatus};
use sltd::snapshot::{Act, Origin, PublishError, Rollback, SourceEntry, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) const ACT: Act<'_> = Act {
    at: Timestamp::UNIX_EPOCH,
    by: "test",
    reason: "why not",
};

/// A small generator: the same numbers on every machine.
pub(crate) struct Draws(pub u64);

impl Draws {
    pub(crate) fn below(&mut self, end: u64) -> u64 {
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

pub(crate) fn number(index: u64) -> DocumentNumber {
    DocumentNumber::normalise(&format!("AB{index:06}")).unwrap()
}

pub(crate) fn row(
    source: &'static str,
    (index, state): Document,
    status: ReportStatus,
) -> Row<'static> {
    Row {
        numbers: NumberRange::single(number(index)),
        issuing_state: IssuingState::parse(state).unwrap(),
        document_type: DocumentType::Passport,
        status,
        // Told apart by it: reports that say the same are shown once.
        source_status: source,
        date_of_loss: None,
        date_reported: Day::from_ymd(2026, 1, 1),
        review_date: review_date(status),
        authority: "NCB",
        restriction: "",
        source,
        third_party: third_party(source),
        owner_reference: "",
    }
}

pub(crate) fn entry(source: &str, as_of: i64) -> SourceEntry {
    SourceEntry::new(source, Timestamp::from_second(as_of).unwrap())
}

pub(crate) fn options(scratch: &Path) -> BuildOptions {
    BuildOptions {
        memory: 1 << 20,
        threads: 2,
        scratch: scratch.to_owned(),
    }
}

/// Publishes lists of some of the sources, drawn, as a base; some sources are held at what they reported before, and
/// some taken out.
pub(crate) fn list(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let mut lists = Vec::new();
    let mut held = BTreeSet::new();
    for source in SOURCES {
        if draws.below(5) == 0 {
            // One that had a list is held, or taken out; it does not just vanish.
            if model.lists.contains_key(source) {
                if draws.below(3) == 0 {
                    lists.push((source, model.as_of(source) + 1, Vec::new()));
                } else {
                    lists.push((source, 0, Vec::new()));
                    held.insert(source);
                }
            }
            continue;
        }
        // A list that is older than the one in force is not published.
        let as_of = model.as_of(source).max(draws.below(12) as i64);
        let rows = (0..draws.below(2 * NUMBERS)).map(|_| (draws.document(), draws.status()));
        lists.push((source, as_of, rows.collect()));
        if draws.below(6) == 0 {
            held.insert(source);
        }
    }
    publish(folder, lists, &held, model);
    format!("lists, {held:?} held")
}

/// A list: source, as-of, rows.
pub(crate) type List = (&'static str, i64, Vec<(Document, ReportStatus)>);

/// Publishes lists as a base, but of the sources that are held.
pub(crate) fn publish(
    folder: &Path,
    of_sources: Vec<List>,
    held: &BTreeSet<&str>,
    model: &mut Model,
) {
    let writer = Store::writer(folder).unwrap();
    let builder = SegmentBuilder::new(options(&writer.building()));
    let mut inserter = builder.inserter();
    let generation = writer
        .current()
        .unwrap()
        .map_or(1, |base| base.manifest.generation + 1);
    let mut lists = BTreeMap::new();
    let mut entries = Vec::new();
    for (source, as_of, rows) in of_sources {
        for (document, status) in &rows {
            inserter.insert(&row(source, *document, *status)).unwrap();
        }
        entries.push(entry(source, as_of));
        if held.contains(source) {
            lists.extend(
                model
                    .lists
                    .get_key_value(source)
                    .map(|(name, list)| (*name, list.clone())),
            );
        } else {
            let listed = rows.into_iter().collect();
            lists.insert(source, ((as_of, generation), listed));
        }
    }
    inserter.finish().unwrap();
    let segment = writer.building().join("segment");
    builder.finish(&segment, &[], |_, _| ()).unwrap();
    let origin = Origin {
        sources: entries,
        as_of: Day::from_ymd(2026, 1, 1).unwrap(),
        built_at: Timestamp::UNIX_EPOCH,
        bases_kept: None,
    };
    let mut candidate = writer.candidate(&segment, origin).unwrap();
    if !held.is_empty() {
        let held = held.iter().map(|name| (*name).to_owned()).collect();
        candidate = writer
            .hold(candidate, &held, options(&writer.building()))
            .unwrap();
    }
    let published = writer.draft(&candidate, ACT).unwrap().publish(Vec::new());
    if model.pinned {
        assert!(matches!(published, Err(PublishError::Pinned(_))));
        return;
    }
    assert_eq!(published.unwrap().manifest.generation, generation);
    model.bases.insert(generation, lists.clone());
    (model.base, model.lists) = (generation, lists);
}

/// Folds changes into the base, some made meanwhile left as they are.
pub(crate) fn compact(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let writer = Store::writer(folder).unwrap();
    let compacted = writer.compact(options(&writer.building())).unwrap();
    let meanwhile = draws.below(2) == 0;
    if meanwhile {
        change(draws, folder, model);
    }
    if let Some(compacted) = compacted {
        let draft = writer.draft_compacted(&compacted, ACT).unwrap().unwrap();
        let manifest = draft.publish(Vec::new()).unwrap().manifest;
        // There may be no rows in the changes drawn.
        assert!(manifest.segments.len() <= 1 + usize::from(meanwhile));
    }
    "compaction".to_owned()
}

pub(crate) fn roll_back(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let with_changes = draws.below(4) != 0;
    let to = (draws.below(2) == 0).then(|| {
        let bases: Vec<u64> = model.bases.keys().copied().collect();
        draws.one_of(&bases)
    });
    let before = model.bases.range(..model.base).next_back();
    let expected = to.or(before.map(|(generation, _)| *generation));
    let rollback = Rollback { to, with_changes };
    match Store::open(folder).unwrap().roll_back(rollback, ACT) {
        Ok(draft) => {
            let manifest = draft.publish(Vec::new()).unwrap().manifest;
            assert_eq!(Some(manifest.base), expected);
            // What comes after it is undone.
            model.bases.split_off(&(manifest.base + 1));
            (model.base, model.pinned) = (manifest.base, true);
            model.lists = model.bases[&manifest.base].clone();
            if !with_changes {
                model.changes.clear();
            }
        }
        Err(PublishError::NoBase { kept, .. }) => {
            assert!(to.is_none() && kept.len() >= model.bases.len())
        }
        Err(error) => panic!("{error}"),
    }
    format!("{rollback:?}")
}

pub(crate) fn unpin(folder: &Path, model: &mut Model) -> String {
    match Store::open(folder).unwrap().unpin(ACT) {
        Ok(draft) => {
            draft.publish(Vec::new()).unwrap();
            assert!(model.pinned);
        }
        Err(PublishError::NotPinned) => assert!(!model.pinned),
        Err(error) => panic!("{error}"),
    }
    model.pinned = false;
    "unpin".to_owned()
}

/// Takes a source out of service, or into it again.
pub(crate) fn retract_or_lift(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let source = draws.one_of(&SOURCES);
    let store = Store::open(folder).unwrap();
    let known = store.manifest(&store.pointer().unwrap()).unwrap();
    let known = known.sources.iter().any(|known| known.name == source);
    if model.retracted.remove(source) {
        store
            .lift(source, ACT)
            .unwrap()
            .publish(Vec::new())
            .unwrap();
    } else if known {
        store
            .retract(source, ACT)
            .unwrap()
            .publish(Vec::new())
            .unwrap();
        model.retracted.insert(source);
    } else {
        assert!(matches!(
            store.retract(source, ACT),
            Err(PublishError::Source { .. })
        ));
    }
    format!("{source} retracted or lifted")
}

pub(crate) fn prune(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let bases = 2 + draws.below(4) as u32;
    Store::open(folder).unwrap().prune(bases).unwrap();
    while model.bases.len() > bases as usize {
        model.bases.pop_first();
    }
    format!("pruned to {bases}")
}

/// Publishes changes, drawn, of one or two sources.
pub(crate) fn change(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
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
    "changes".to_owned()
}

/// Changes: source, as-of, documents; without a status they are withdrawn.
pub(crate) type Changes = (&'static str, i64, Vec<(Document, Option<ReportStatus>)>);

/// Publishes changes.
pub(crate) fn say(folder: &Path, of_sources: Vec<Changes>, model: &mut Model) {
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
    let changes = delta.build(builder, &[]).unwrap();
    let draft = delta.draft(&changes, &entries, ACT).unwrap();
    draft.publish(Vec::new()).unwrap();
}
