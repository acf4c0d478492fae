//! Every operation that changes a store, with every single step of it failing, and with the process dying at every
//! step: the store serves the old snapshot or the new one, whole; what was said of the outcome is true; and the next
//! build and the next changes are published as ever.
//!
//! Faults are injected (`sltd::files::faults`), so that root meets them too. What is tried at every step by default
//! is a sample; with `SLTD_FAULTS=all` it is every error, and more ways to lose what was not synced.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic"
)]

mod endure;
mod files;
mod highest;
mod operations;
mod repair;
mod store;

use endure::{Scenario, endure};
use operations as op;
use sltd::report::ReportStatus::{Lost, Stolen};
use store::{Shown, shown};

/// What stands when nothing was changed since the first base.
fn first() -> Shown {
    shown([(0..12, Lost), (19..20, Stolen)])
}

/// With the first changes.
fn changed() -> Shown {
    shown([(1..12, Lost), (19..20, Stolen), (20..22, Lost)])
}

/// With changes that are later than any list, besides.
fn changed_late() -> Shown {
    let mut shown = changed();
    shown.insert(23, Lost);
    shown
}

/// The second base, with the late changes.
fn second_with_late() -> Shown {
    shown([(6..18, Stolen), (19..20, Stolen), (23..24, Lost)])
}

#[test]
fn a_first_build() {
    endure(Scenario {
        before: None,
        prepare: &[],
        act: op::first,
        after: first(),
    });
}

#[test]
fn a_build_over_a_base_with_changes() {
    endure(Scenario {
        before: Some(changed_late()),
        prepare: &[op::first, op::changes, op::late_changes],
        act: op::second,
        after: second_with_late(),
    });
}

#[test]
fn a_build_that_removes_earlier_bases() {
    endure(Scenario {
        before: Some(second_with_late()),
        prepare: &[op::first, op::changes, op::late_changes, op::second],
        act: op::first_and_only,
        after: changed_late(),
    });
}

#[test]
fn a_build_with_a_source_held() {
    endure(Scenario {
        before: Some(first()),
        prepare: &[op::first],
        act: op::second_with_own_held,
        after: first(),
    });
}

#[test]
fn a_signed_build() {
    endure(Scenario {
        before: Some(first()),
        prepare: &[op::first],
        act: op::second_signed,
        after: shown([(6..18, Stolen), (19..20, Stolen)]),
    });
}

#[test]
fn changes() {
    endure(Scenario {
        before: Some(first()),
        prepare: &[op::first],
        act: op::changes,
        after: changed(),
    });
}

#[test]
fn changes_that_are_merged_with_earlier_ones() {
    endure(Scenario {
        before: Some(changed()),
        prepare: &[op::first, op::changes],
        act: op::late_changes,
        after: changed_late(),
    });
}

#[test]
fn a_compaction() {
    endure(Scenario {
        before: Some(changed_late()),
        prepare: &[op::first, op::changes, op::late_changes],
        act: op::compact,
        after: changed_late(),
    });
}

#[test]
fn a_rollback() {
    endure(Scenario {
        before: Some(second_with_late()),
        prepare: &[op::first, op::changes, op::late_changes, op::second],
        act: op::roll_back,
        after: changed_late(),
    });
}

#[test]
fn an_unpinning() {
    endure(Scenario {
        before: Some(changed_late()),
        prepare: &[
            op::first,
            op::changes,
            op::late_changes,
            op::second,
            op::roll_back,
        ],
        act: op::unpin,
        after: changed_late(),
    });
}

#[test]
fn a_retraction() {
    endure(Scenario {
        before: Some(changed()),
        prepare: &[op::first, op::changes],
        act: op::retract,
        after: shown([(1..12, Lost), (20..22, Lost)]),
    });
}

#[test]
fn a_source_taken_into_service_again() {
    endure(Scenario {
        before: Some(shown([(1..12, Lost), (20..22, Lost)])),
        prepare: &[op::first, op::changes, op::retract],
        act: op::lift,
        after: changed(),
    });
}

#[test]
fn a_source_held_at_its_list() {
    endure(Scenario {
        before: Some(changed()),
        prepare: &[op::first, op::changes],
        act: op::hold,
        after: changed(),
    });
}

#[test]
fn a_source_held_no_longer() {
    endure(Scenario {
        before: Some(changed()),
        prepare: &[op::first, op::changes, op::hold],
        act: op::unhold,
        after: changed(),
    });
}

#[test]
fn a_base_put_aside() {
    endure(Scenario {
        before: Some(first()),
        prepare: &[op::first],
        act: op::put_aside,
        after: first(),
    });
}

#[test]
fn a_base_put_aside_in_place_of_another() {
    endure(Scenario {
        before: Some(first()),
        prepare: &[op::first, op::put_aside],
        act: op::put_aside,
        after: first(),
    });
}

#[test]
fn a_base_that_was_put_aside_is_published() {
    endure(Scenario {
        before: Some(changed_late()),
        prepare: &[op::first, op::changes, op::late_changes, op::put_aside],
        act: op::publish_aside,
        after: second_with_late(),
    });
}

#[test]
fn a_pruning() {
    endure(Scenario {
        before: Some(second_with_late()),
        prepare: &[
            op::first,
            op::changes,
            op::first,
            op::changes,
            op::late_changes,
            op::second,
            op::second,
        ],
        act: op::prune,
        after: second_with_late(),
    });
}

#[test]
fn a_base_that_is_refused() {
    endure(Scenario {
        before: Some(first()),
        prepare: &[op::first],
        act: op::refuse,
        after: first(),
    });
}
