//! The numbers one State issued for one kind of document, and which of them are reported.
//!
//! A [`Space`] is a window of consecutive numbers of one shape: what the State has issued. The window
//! is cut into *units* of [`UNIT`] consecutive numbers. A keyed bijection says in which order units
//! become reported; within a unit a keyed hash says which numbers do: single ones at the list's
//! density, or one run of consecutive numbers (a batch stolen together). So whether a number is
//! reported is a function of the number, the key and a [`Cursor`]: how many units the list has used
//! up. A list is written by moving cursors; an unreported number is *proved* to be one by going the
//! bijection backwards, with nothing kept but the cursors.

use super::mix::{Permutation, mix};
use super::shape::Shape;
use sltd::document::DocumentType;

/// Consecutive numbers in a unit.
pub(super) const UNIT: u64 = 4096;
/// Numbers in a word: as many as a mask has bits.
const WORD: u64 = 64;
const WORDS: u64 = UNIT / WORD;
/// Runs are 8 to 4,096 long, each of so many doublings as likely as the next.
const RUN_DOUBLINGS: u64 = 9;

/// How densely the numbers of a window are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Density {
    /// Single reported numbers, in 256ths of all.
    single: u8,
    /// The chance of a unit to hold a run, in 2^32ths.
    run_chance: u64,
    /// The longest run.
    run_max: u64,
}

impl Density {
    /// A density at which `records` documents fit into windows of `issued` numbers altogether with
    /// a fifth of the units to spare, a share of `runs` in 100 in runs; `None` if that is more
    /// than half of all numbers.
    pub(super) fn for_list(records: u64, issued: u64, runs: u64) -> Option<Self> {
        let used = u128::from(issued / 5 * 4).max(1);
        let single = (u128::from(records) * 256).div_ceil(used).max(2);
        let single = u8::try_from(single).ok().filter(|s| *s <= 128)?;
        // Short lists have short runs, so that one run is not half of the list.
        let run_max = (records / 200).clamp(8, UNIT);
        let mean = (0..RUN_DOUBLINGS)
            .map(|doubling| (12 << doubling).min(run_max))
            .sum::<u64>()
            / RUN_DOUBLINGS;
        // With chance q of a run: q * mean / (q * mean + (1 - q) * singles) = runs / 100.
        let singles = UNIT * u64::from(single) / 256;
        let run_chance = ((runs * singles) << 32) / (runs * singles + (100 - runs) * mean);
        Some(Self {
            single,
            run_chance,
            run_max,
        })
    }
}

/// A run of consecutive numbers within a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    first: u64,
    /// How many numbers it has.
    pub(super) len: u64,
    /// A hash to draw what is common to its reports from.
    pub(super) hash: u64,
}

/// How far a list has used up a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    unit: u64,
    word: u64,
    /// The reported numbers of the word that the list does not hold yet.
    mask: u64,
    /// The first index of the unit.
    base: u64,
    /// Documents taken.
    pub(super) taken: u64,
}

/// One State's numbers of one shape for one type of document. Indices are those of the shape.
#[derive(Debug, Clone)]
pub(super) struct Space {
    /// Doc 9303 code of the issuing State.
    pub(super) state: &'static str,
    /// What the documents are.
    pub(super) kind: DocumentType,
    /// The shape of the numbers.
    pub(super) shape: Shape,
    /// How many authorities of the State report.
    pub(super) authorities: u16,
    start: u64,
    order: Permutation,
    key: u64,
    density: Density,
}

impl Space {
    /// A space of `units` units from index `start` on.
    pub(super) fn new(
        (state, kind): (&'static str, DocumentType),
        shape: Shape,
        (start, units): (u64, u64),
        density: Density,
        key: u64,
    ) -> Self {
        let order = Permutation::new(units, mix(key, 0));
        Self {
            state,
            kind,
            shape,
            authorities: 1,
            start,
            order,
            key,
            density,
        }
    }

    /// The indices issued, first and one past the last.
    pub(super) fn window(&self) -> std::ops::Range<u64> {
        self.start..self.start + self.order.len() * UNIT
    }

    /// The run of a unit, if it holds one.
    pub(super) fn run(&self, unit: u64) -> Option<Run> {
        let hash = mix(self.key ^ 0x52_55_4E, unit);
        if hash >> 32 >= self.density.run_chance {
            return None;
        }
        let smallest = 8 << (((hash & 0xFFFF) * RUN_DOUBLINGS) >> 16);
        let len = smallest + ((smallest * (hash >> 16 & 0xFFFF)) >> 16);
        let len = len.min(self.density.run_max);
        let hash = mix(hash, 1);
        Some(Run {
            first: hash % (UNIT - len + 1),
            len,
            hash,
        })
    }

    /// Which of the 64 numbers of a word are reported once the list has got there.
    fn mask(&self, unit: u64, word: u64) -> u64 {
        if let Some(run) = self.run(unit) {
            let from = run.first.clamp(word * WORD, (word + 1) * WORD) - word * WORD;
            let to = (run.first + run.len).clamp(word * WORD, (word + 1) * WORD) - word * WORD;
            let below = |n: u64| if n == WORD { u64::MAX } else { (1 << n) - 1 };
            return below(to) & !below(from);
        }
        // Each bit is set with probability single/256: the binary digits of the share, from the
        // lowest set one up, say whether to widen (or) or to narrow (and) by a random word.
        let share = self.density.single;
        let base = mix(self.key, unit * WORDS + word);
        let mut mask = 0;
        for digit in share.trailing_zeros()..8 {
            let random = mix(base, u64::from(digit));
            mask = if share >> digit & 1 == 1 {
                mask | random
            } else {
                mask & random
            };
        }
        mask
    }

    /// The cursor of an empty list.
    pub(super) fn cursor(&self) -> Cursor {
        Cursor {
            unit: 0,
            word: 0,
            mask: self.mask(0, 0),
            base: self.base(0),
            taken: 0,
        }
    }

    /// The first index of a unit.
    fn base(&self, unit: u64) -> u64 {
        self.start + self.order.forward(unit) * UNIT
    }

    /// Takes the next reported document: its index, and the run it opens. `None`: all are taken.
    pub(super) fn take(&self, cursor: &mut Cursor) -> Option<(u64, Option<Run>)> {
        while cursor.mask == 0 {
            cursor.word += 1;
            if cursor.word == WORDS {
                if cursor.unit + 1 == self.order.len() {
                    cursor.word = WORDS - 1;
                    return None;
                }
                cursor.word = 0;
                cursor.unit += 1;
                cursor.base = self.base(cursor.unit);
            }
            cursor.mask = self.mask(cursor.unit, cursor.word);
        }
        let offset = cursor.word * WORD + u64::from(cursor.mask.trailing_zeros());
        cursor.mask &= cursor.mask - 1;
        cursor.taken += 1;
        let run = self.run(cursor.unit).filter(|run| run.first == offset);
        Some((cursor.base + offset, run))
    }

    /// Takes what is left of a run just opened at once.
    pub(super) fn take_rest_of_run(&self, cursor: &mut Cursor, run: Run) {
        cursor.taken += run.len - 1;
        cursor.word = WORDS - 1;
        cursor.mask = 0;
    }

    /// Whether the list up to `cursor` holds the number at `index`.
    pub(super) fn holds(&self, cursor: &Cursor, index: u64) -> bool {
        if !self.window().contains(&index) {
            return false;
        }
        let (block, offset) = ((index - self.start) / UNIT, (index - self.start) % UNIT);
        let unit = self.order.backward(block);
        self.taken(cursor, unit, offset)
    }

    fn taken(&self, cursor: &Cursor, unit: u64, offset: u64) -> bool {
        let (word, bit) = (offset / WORD, 1 << (offset % WORD));
        let before = (unit, word) < (cursor.unit, cursor.word);
        let at = (unit, word) == (cursor.unit, cursor.word);
        (before || at && cursor.mask & bit == 0) && self.mask(unit, word) & bit != 0
    }

    /// The index of a number chosen by `random` among those the list holds; `None` if that choice
    /// hit another number: ask again with the next random value. All are equally likely.
    pub(super) fn pick_held(&self, cursor: &Cursor, random: u64) -> Option<u64> {
        let unit = scale(random, cursor.unit + 1);
        let offset = mix(random, 1) % UNIT;
        self.taken(cursor, unit, offset)
            .then(|| self.base(unit) + offset)
    }

    /// The index of a number the list holds near a place chosen by `random`; `None` if there is none
    /// near. Cheaper than [`pick_held`](Self::pick_held), and not equally likely.
    pub(super) fn pick_held_near(&self, cursor: &Cursor, random: u64) -> Option<u64> {
        let unit = scale(random, cursor.unit + 1);
        let first = mix(random, 1) % WORDS;
        for word in (first..WORDS).chain(0..first).take(8) {
            let mask = match (unit, word).cmp(&(cursor.unit, cursor.word)) {
                std::cmp::Ordering::Less => self.mask(unit, word),
                std::cmp::Ordering::Equal => self.mask(unit, word) & !cursor.mask,
                std::cmp::Ordering::Greater => 0,
            };
            if mask != 0 {
                return Some(self.base(unit) + word * WORD + u64::from(mask.trailing_zeros()));
            }
        }
        None
    }

    /// An index issued, reported or not, chosen by `random`; all are equally likely.
    pub(super) fn pick_issued(&self, random: u64) -> u64 {
        self.start + scale(random, self.order.len() * UNIT)
    }

    /// Whether the report of `index` also stands in the list of another State (equal numbers of
    /// different States), to be asked of reported numbers only.
    pub(super) fn is_shared(&self, index: u64) -> bool {
        mix(self.key ^ 0x54_57_49_4E, index) >> 56 == 0
    }
}

/// A value below `len`, for a uniform `random`.
pub(super) fn scale(random: u64, len: u64) -> u64 {
    ((u128::from(random) * u128::from(len)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn space(records: u64, units: u64, runs: u64) -> Space {
        let density = Density::for_list(records, units * UNIT, runs).unwrap();
        let shape = Shape::parse("ln6").unwrap();
        Space::new(
            ("UTO", DocumentType::Passport),
            shape,
            (1000, units),
            density,
            42,
        )
    }

    /// What is taken is held, what is not taken is not, at every moment; the twin is a plain set.
    #[test]
    fn holds_exactly_what_was_taken() {
        for (records, units, runs) in [
            (10, 1, 8),
            (1000, 10, 8),
            (16_000, 10, 8),
            (16_000, 10, 0),
            (100, 40, 50),
        ] {
            let space = space(records, units, runs);
            let (mut cursor, mut taken) = (space.cursor(), BTreeSet::new());
            let mut next_check = 1;
            while let Some((index, _)) = space.take(&mut cursor) {
                assert!(space.window().contains(&index));
                assert!(taken.insert(index), "taken twice");
                if taken.len() == next_check {
                    next_check = next_check * 3 + 1;
                    for index in 0..space.window().end + 5000 {
                        assert_eq!(
                            space.holds(&cursor, index),
                            taken.contains(&index),
                            "{records} {units} {index}"
                        );
                    }
                }
            }
            assert_eq!(cursor.taken, taken.len() as u64);
            // Of a few units chance may fill too many with short runs.
            assert!(runs > 0 || taken.len() as u64 >= records);
            for random in 0..2000 {
                let random = mix(random, 7);
                for picked in [
                    space.pick_held(&cursor, random),
                    space.pick_held_near(&cursor, random),
                ] {
                    assert!(picked.is_none_or(|index| taken.contains(&index)));
                }
                assert!(space.window().contains(&space.pick_issued(random)));
            }
        }
    }

    #[test]
    fn runs_are_consecutive_and_taken_together() {
        let space = space(200_000, 6000, 8);
        let (mut cursor, mut runs, mut in_runs) = (space.cursor(), 0, 0);
        while let Some((index, run)) = space.take(&mut cursor) {
            let Some(run) = run else { continue };
            runs += 1;
            in_runs += run.len;
            for next in index + 1..index + run.len {
                assert_eq!(space.take(&mut cursor), Some((next, None)));
            }
        }
        let share = in_runs as f64 / cursor.taken as f64;
        assert!(
            runs > 10 && (0.04..0.13).contains(&share),
            "{runs} runs, {share} of all"
        );
    }

    #[test]
    fn refuses_lists_denser_than_half() {
        assert!(Density::for_list(400, 1000, 8).is_some());
        assert!(Density::for_list(401, 1000, 8).is_none());
    }
}
