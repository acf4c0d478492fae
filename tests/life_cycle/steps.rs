//! What can happen to a store: done to it, and to the model.

use crate::model::{
    Action, Document, INSTANTS, Model, NUMBERS, Report, SOURCES, STATES, TYPES, instant,
    review_date, third_party,
};
use jiff::Timestamp;
use sltd::document::{DocumentNumber, IssuingState, NumberRange};
use sltd::index::{BuildOptions, Row, SegmentBuilder, Withdrawal};
use sltd::report::{Day, ReportStatus};
use sltd::snapshot::{
    Act, Change, ChangeRows, Origin, PublishError, Rollback, RowPosition, SourceEntry, Store,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

pub(crate) const ACT: Act<'_> = Act {
    at: Timestamp::UNIX_EPOCH,
    by: "test",
    reason: "why not",
};

/// When everything is published: after all that is stated.
fn now() -> Timestamp {
    instant(INSTANTS)
}

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

    fn instant(&mut self) -> i64 {
        self.below(INSTANTS as u64) as i64
    }

    fn document(&mut self) -> Document {
        let of_type = self.one_of(&TYPES);
        (self.below(NUMBERS), self.one_of(&STATES), of_type)
    }

    /// Dated on one of the days of the instants, or not at all.
    fn report(&mut self) -> Report {
        let mut day = || match self.below(3) {
            0 => None,
            _ => Some(Day::from_timestamp(instant(self.instant()))),
        };
        let [date_of_loss, date_reported] = [day(), day()];
        Report {
            status: self.one_of(&[ReportStatus::Lost, ReportStatus::Revoked]),
            date_of_loss,
            date_reported,
        }
    }

    fn action(&mut self, source: &str) -> Action {
        match self.below(8) {
            0..3 => Action::Add(self.report()),
            3 => Action::AddExpired,
            4 if !third_party(source) => Action::Unwithdraw,
            _ => Action::Withdraw,
        }
    }
}

pub(crate) fn number(index: u64) -> DocumentNumber {
    DocumentNumber::normalise(&format!("AB{index:06}")).unwrap()
}

pub(crate) fn row(
    source: &'static str,
    (index, state, document_type): Document,
    report: &Report,
) -> Row<'static> {
    Row {
        numbers: NumberRange::single(number(index)),
        issuing_state: IssuingState::parse(state).unwrap(),
        document_type,
        status: report.status,
        // Told apart by it: reports that say the same are shown once.
        source_status: source,
        date_of_loss: report.date_of_loss,
        date_reported: report.date_reported,
        review_date: review_date(report.status),
        authority: "NCB",
        restriction: "",
        source,
        third_party: third_party(source),
        owner_reference: "",
    }
}

pub(crate) fn entry(source: &str, as_of: i64) -> SourceEntry {
    SourceEntry::new(source, instant(as_of))
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
        let (_, as_of, rows) = list_of(draws, source);
        lists.push((source, as_of.max(model.as_of(source)), rows));
        if draws.below(6) == 0 {
            held.insert(source);
        }
    }
    publish(folder, lists, &held, model);
    format!("lists, {held:?} held")
}

/// A list: source, as-of, rows.
pub(crate) type List = (&'static str, i64, Vec<(Document, Report)>);

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
        for (document, report) in &rows {
            inserter.insert(&row(source, *document, report)).unwrap();
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
        built_at: now(),
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
    // A store keeps seven bases by itself.
    while model.bases.len() > 7 {
        model.bases.pop_first();
    }
    (model.base, model.lists) = (generation, lists);
}

/// Folds changes into the base, some made meanwhile left as they are.
pub(crate) fn compact(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let meanwhile = draws.below(2) == 0;
    compact_with(folder, meanwhile, || {
        if meanwhile {
            change(draws, folder, model);
        }
    });
    "compaction".to_owned()
}

/// Folds changes into the base.
pub(crate) fn compact_with(folder: &Path, more: bool, meanwhile: impl FnOnce()) {
    let writer = Store::writer(folder).unwrap();
    let compacted = writer.compact(options(&writer.building())).unwrap();
    meanwhile();
    if let Some(compacted) = compacted {
        // Changes made meanwhile may have undone some of those that were folded.
        let Some(draft) = writer.draft_compacted(&compacted, ACT).unwrap() else {
            assert!(more);
            return;
        };
        let manifest = draft.publish(Vec::new()).unwrap().manifest;
        // What changes no answer adds no segment.
        assert!(manifest.segments.len() <= 1 + usize::from(more));
    }
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
            let dropped = manifest.pinned.and_then(|pin| pin.dropped_withdrawals);
            assert_eq!(dropped, (!with_changes).then(|| model.kept_withdrawals()));
            if !with_changes {
                model.statements.clear();
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
        lift(folder, source);
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

/// Takes a source into service again.
pub(crate) fn lift(folder: &Path, source: &str) {
    let store = Store::open(folder).unwrap();
    let draft = store.lift(source, ACT).unwrap();
    draft.publish(Vec::new()).unwrap();
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
    let changes = draw_changes_of_sources(draws);
    let told = format!("changes {changes:?}");
    say(folder, changes, model);
    told
}

/// The same, while others publish: up to as often as until the right to publish is taken first.
pub(crate) fn change_meanwhile(draws: &mut Draws, folder: &Path, model: &mut Model) -> String {
    let changes = draw_changes_of_sources(draws);
    let mut left = draws.below(5);
    let mut told = format!("changes {changes:?}");
    say_while(folder, changes, model, |model| {
        if left > 0 {
            left -= 1;
            let what = match draws.below(4) {
                0 => list(draws, folder, model),
                1 => roll_back(draws, folder, model),
                2 => unpin(folder, model),
                _ => retract_or_lift(draws, folder, model),
            };
            told.push_str(&format!("; meanwhile {what}"));
        }
    });
    told
}

fn draw_changes_of_sources(draws: &mut Draws) -> Vec<Changes> {
    let mut changes = vec![draw_changes(draws)];
    let second = draw_changes(draws);
    // A delta has each source once.
    if draws.below(2) == 0 && second.0 != changes[0].0 {
        changes.push(second);
    }
    changes
}

/// Changes of one source, often several of one document.
pub(crate) fn draw_changes(draws: &mut Draws) -> Changes {
    let source = draws.one_of(&SOURCES);
    let documents: Vec<Document> = (0..3).map(|_| draws.document()).collect();
    let as_of = draws.instant();
    let rows = (0..draws.below(8)).map(|_| (draws.one_of(&documents), draws.action(source)));
    (source, as_of, rows.collect())
}

/// A list of a source, drawn.
pub(crate) fn list_of(draws: &mut Draws, source: &'static str) -> List {
    let as_of = draws.instant();
    let rows = (0..draws.below(4 * NUMBERS)).map(|_| (draws.document(), draws.report()));
    (source, as_of, rows.collect())
}

/// Changes: source, as-of, rows in order.
pub(crate) type Changes = (&'static str, i64, Vec<(Document, Action)>);

/// Publishes changes, and compares what becomes of their rows with the model.
pub(crate) fn say(folder: &Path, of_sources: Vec<Changes>, model: &mut Model) {
    say_while(folder, of_sources, model, |_| ());
}

/// The same; before each attempt to publish them something else may be done.
fn say_while(
    folder: &Path,
    of_sources: Vec<Changes>,
    model: &mut Model,
    mut meanwhile: impl FnMut(&mut Model),
) {
    let store = Store::open(folder).unwrap();
    let mut delta = store.delta().unwrap();
    let rows_in_order = delta.rows(1 << 20, 1);
    insert(&rows_in_order, &of_sources);
    let entries: Vec<_> = of_sources
        .iter()
        .map(|(source, as_of, _)| entry(source, *as_of))
        .collect();
    loop {
        let generation = delta.snapshot().generation() + 1;
        let mut after = model.clone();
        for (source, as_of, rows) in &of_sources {
            after.state(source, (*as_of, generation), rows);
        }
        let changes = delta
            .build(&rows_in_order, &[], Day::from_timestamp(now()))
            .unwrap();
        for (source, as_of, rows) in &of_sources {
            let account = changes.account(source, instant(*as_of));
            let used = account.indexed + account.withdrawn + account.noted;
            let used = used + account.superseded + account.merged + account.expired;
            assert_eq!(used, rows.len() as u64, "{account:?}");
            // Rows that say the same are counted once.
            let edition = (*as_of, generation);
            let withdrawn: BTreeSet<Document> = rows
                .iter()
                .filter(|(_, action)| *action == Action::Withdraw)
                .map(|(document, _)| *document)
                .filter(|document| after.withdraws(model, source, edition, *document))
                .collect();
            assert_eq!(account.withdrawn, withdrawn.len() as u64, "{of_sources:?}");
        }
        let draft = delta.draft(&changes, &entries, ACT).unwrap();
        let before = store.pointer().unwrap();
        meanwhile(model);
        let overtaken = store.pointer().unwrap() != before;
        match draft.publish(Vec::new()) {
            Ok(published) => {
                assert!(!overtaken);
                assert_eq!(published.manifest.generation, generation);
                *model = after;
                return;
            }
            Err(PublishError::Overtaken) => assert!(overtaken),
            Err(error) => panic!("{error}"),
        }
        delta.renew().unwrap();
    }
}

/// Hands over rows from two threads, which meet them in any order.
fn insert(rows_in_order: &ChangeRows, of_sources: &[Changes]) {
    let mut inserters = [rows_in_order.inserter(), rows_in_order.inserter()];
    for (source, as_of, rows) in of_sources {
        for (place, (document, action)) in rows.iter().enumerate().rev() {
            let undated = Report {
                status: ReportStatus::Lost,
                date_of_loss: None,
                date_reported: None,
            };
            let report = match action {
                Action::Add(report) => row(source, *document, report),
                _ => row(source, *document, &undated),
            };
            let withdrawal = Withdrawal {
                numbers: report.numbers,
                issuing_state: report.issuing_state,
                document_type: report.document_type,
                source,
                third_party: report.third_party,
                reason: "found",
            };
            let change = match action {
                Action::Add(_) => Change::Add(report),
                Action::AddExpired => Change::AddExpired(report),
                Action::Withdraw => Change::Withdraw(withdrawal),
                Action::Unwithdraw => Change::Unwithdraw(withdrawal),
            };
            let position = RowPosition {
                file: 0,
                chunk: (place / 3) as u64,
                row: (place % 3) as u64,
            };
            inserters[place % 2].insert(instant(*as_of), position, &change);
        }
    }
    inserters.into_iter().for_each(|inserter| inserter.finish());
}
