//! Differences, counted.

use serde_json::{Value, json};
use sltd::document::{DocumentType, IssuingState};
use sltd::index::Damage;
use sltd::report::{Report, ReportStatus};
use sltd::snapshot::{Differences, Shown, Snapshot, compare};
use std::collections::BTreeMap;
use std::fmt;

/// Most lines of each table that are printed; the JSON form has all.
const LINES: usize = 10;

/// Documents that came, went, or are reported otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Movement {
    /// Not reported before.
    pub added: u64,
    /// No longer reported.
    pub withdrawn: u64,
    /// Reported before and after, but not in the same way.
    pub changed: u64,
}

impl Movement {
    /// Documents that moved.
    pub fn total(&self) -> u64 {
        self.added + self.withdrawn + self.changed
    }

    fn note<T: PartialEq>(&mut self, before: &[T], after: &[T]) {
        match (before.is_empty(), after.is_empty()) {
            (true, false) => self.added += 1,
            (false, true) => self.withdrawn += 1,
            _ if before != after => self.changed += 1,
            _ => {}
        }
    }

    fn merge(&mut self, other: Self) {
        self.added += other.added;
        self.withdrawn += other.withdrawn;
        self.changed += other.changed;
    }
}

/// What two snapshots say differently.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    /// In all.
    pub all: Movement,
    /// By issuing State.
    pub issuing_states: BTreeMap<IssuingState, Movement>,
    /// By type.
    pub types: BTreeMap<DocumentType, Movement>,
    /// By status: documents with a report of it.
    pub statuses: BTreeMap<ReportStatus, Movement>,
    /// By source: documents with a report of it.
    pub sources: BTreeMap<String, Movement>,
    /// By source and issuing State, for the guards.
    pub lists: BTreeMap<(String, IssuingState), Movement>,
}

impl Diff {
    /// Compares two snapshots.
    ///
    /// # Errors
    /// [`Damage`] when one can't be read.
    pub fn of(before: &Snapshot, after: &Snapshot, threads: usize) -> Result<Self, Damage> {
        compare(before, after, threads)
    }

    fn document(&mut self, of: &Shown<'_>, before: &[Report<'_>], after: &[Report<'_>]) {
        self.all.note(before, after);
        let state = self.issuing_states.entry(of.issuing_state).or_default();
        state.note(before, after);
        let of_type = self.types.entry(of.document_type).or_default();
        of_type.note(before, after);
        for (status, [before, after]) in grouped(before, after, |report| report.status) {
            self.statuses
                .entry(status)
                .or_default()
                .note(&before, &after);
        }
        for (source, [before, after]) in grouped(before, after, |report| report.source) {
            let movement = self.sources.entry(source.to_owned()).or_default();
            movement.note(&before, &after);
            let list = (source.to_owned(), of.issuing_state);
            self.lists.entry(list).or_default().note(&before, &after);
        }
    }

    /// All of it as JSON.
    pub fn json(&self) -> Value {
        fn table<K: fmt::Display>(name: &str, rows: &BTreeMap<K, Movement>) -> Value {
            let rows = largest_first(rows).into_iter();
            rows.map(|(key, movement)| {
                let mut row = movement_json(&movement);
                row[name] = key.into();
                row
            })
            .collect()
        }
        let mut object = movement_json(&self.all);
        object["issuingStates"] = table("issuingState", &self.issuing_states);
        object["types"] = table("type", &self.types);
        object["statuses"] = table("status", &self.statuses);
        object["sources"] = table("source", &self.sources);
        object
    }
}

/// The reports before and after that have the same key.
fn grouped<'r, 's, K: Ord>(
    before: &'r [Report<'s>],
    after: &'r [Report<'s>],
    key: impl Fn(&'r Report<'s>) -> K,
) -> BTreeMap<K, [Vec<&'r Report<'s>>; 2]> {
    let mut groups = BTreeMap::<K, [Vec<_>; 2]>::new();
    for (place, reports) in [before, after].into_iter().enumerate() {
        for report in reports {
            groups.entry(key(report)).or_default()[place].push(report);
        }
    }
    groups
}

fn movement_json(movement: &Movement) -> Value {
    json!({
        "added": movement.added,
        "withdrawn": movement.withdrawn,
        "changed": movement.changed,
    })
}

/// What moved, the largest movement first.
fn largest_first<K: fmt::Display>(rows: &BTreeMap<K, Movement>) -> Vec<(String, Movement)> {
    let rows = rows.iter().filter(|(_, movement)| movement.total() > 0);
    let mut rows: Vec<_> = rows
        .map(|(key, movement)| (key.to_string(), *movement))
        .collect();
    rows.sort_by_key(|(_, movement)| std::cmp::Reverse(movement.total()));
    rows
}

impl Differences for Diff {
    fn differs(&mut self, before: &[Shown<'_>], after: &[Shown<'_>]) {
        let same = |a: &Shown<'_>, b: &Shown<'_>| {
            (a.issuing_state, a.document_type) == (b.issuing_state, b.document_type)
        };
        for old in before {
            let new = after.iter().find(|new| same(old, new));
            self.document(old, &old.reports, new.map_or(&[], |new| &new.reports));
        }
        for new in after {
            if !before.iter().any(|old| same(old, new)) {
                self.document(new, &[], &new.reports);
            }
        }
    }

    fn merge(&mut self, other: Self) {
        fn merge<K: Ord>(all: &mut BTreeMap<K, Movement>, others: BTreeMap<K, Movement>) {
            for (key, movement) in others {
                all.entry(key).or_default().merge(movement);
            }
        }
        self.all.merge(other.all);
        merge(&mut self.issuing_states, other.issuing_states);
        merge(&mut self.types, other.types);
        merge(&mut self.statuses, other.statuses);
        merge(&mut self.sources, other.sources);
        merge(&mut self.lists, other.lists);
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn table<K: fmt::Display>(
            f: &mut fmt::Formatter<'_>,
            name: &str,
            rows: &BTreeMap<K, Movement>,
        ) -> fmt::Result {
            let rows = largest_first(rows);
            let Some((first, _)) = rows.first() else {
                return Ok(());
            };
            let widths = rows.iter().map(|(key, _)| key.len());
            let width = widths.max().unwrap_or(first.len()).max(name.len());
            writeln!(
                f,
                "{name:width$}  {:>11}  {:>11}  {:>11}",
                "added", "withdrawn", "changed"
            )?;
            for (key, movement) in rows.iter().take(LINES) {
                writeln!(
                    f,
                    "{key:width$}  {:>11}  {:>11}  {:>11}",
                    movement.added, movement.withdrawn, movement.changed
                )?;
            }
            if rows.len() > LINES {
                writeln!(f, "and {} more", rows.len() - LINES)?;
            }
            Ok(())
        }
        let all = &self.all;
        writeln!(
            f,
            "{} documents added, {} withdrawn, {} changed",
            all.added, all.withdrawn, all.changed
        )?;
        table(f, "issuing State", &self.issuing_states)?;
        table(f, "type", &self.types)?;
        table(f, "status", &self.statuses)?;
        table(f, "source", &self.sources)
    }
}
