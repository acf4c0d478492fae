//! Which of the things said of a document stand: precedence by source and edition.
//!
//! - Of each source, what it said last: its reports of that edition, or its withdrawal. A source that in one
//!   edition both withdraws and reports a document has corrected its reports.
//! - The issuing State's withdrawal also overrules what third parties had said before it.
//!
//! What stands is a function of the set of things said: neither their order nor whether some of them were
//! resolved before matters. Therefore the last withdrawal of the State's own sources is kept even where a
//! later report of the same source stands: what a third party said before it may still arrive.

use crate::index::{Edition, Said, Statement};
use std::collections::{BTreeSet, HashMap};

/// The editions of the sources' lists in a snapshot's base, by name.
pub(super) type Lists = HashMap<String, Edition>;

/// The sources out of service, by name.
pub(super) type Retracted = BTreeSet<String>;

/// A statement and its edition, that of its source's list filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dated<'s> {
    pub statement: Statement<'s>,
    pub edition: Edition,
}

impl<'s> Dated<'s> {
    /// Dates a statement found in a snapshot with these lists; `None` for one that its source's list has
    /// replaced.
    pub(super) fn new(statement: Statement<'s>, lists: &Lists) -> Option<Self> {
        let list = lists.get(statement.source);
        let edition = match (statement.edition, list) {
            (Some(edition), Some(list)) if edition <= *list => return None,
            (Some(edition), _) => edition,
            // A list of a source that the snapshot does not name: nothing speaks for it any more.
            (None, list) => *list?,
        };
        Some(Self { statement, edition })
    }

    fn is_report(&self) -> bool {
        !matches!(self.statement.said, Said::Withdrawn { .. })
    }

    /// Whether it is a report that is shown.
    pub(super) fn stands(&self) -> bool {
        matches!(self.statement.said, Said::Reported(_))
    }

    fn same_source_and_edition(&self, other: &Self) -> bool {
        self.statement.source == other.statement.source && self.edition == other.edition
    }
}

/// What is said of a document when nothing that sources out of service say counts. It does not matter whether all
/// that was said, or what is left after resolving it, is given: what is kept of one source is decided by that
/// source alone.
pub(super) fn in_service<'s>(said: &[Dated<'s>], retracted: &Retracted) -> Vec<Dated<'s>> {
    let counts = |one: &&Dated<'s>| !retracted.contains(one.statement.source);
    let mut said: Vec<_> = said.iter().filter(counts).copied().collect();
    resolve(&mut said);
    said
}

/// Leaves of all that is said of a document what matters, each report marked as standing or overruled, in
/// order of source and edition.
pub(super) fn resolve(said: &mut Vec<Dated<'_>>) {
    said.sort_by(|a, b| {
        let source = a.statement.source.cmp(b.statement.source);
        source.then_with(|| b.edition.cmp(&a.edition))
    });
    let all = said.clone();
    let corrected = |withdrawal: &Dated<'_>| {
        all.iter()
            .any(|other| other.is_report() && other.same_source_and_edition(withdrawal))
    };
    let last_of = |source: &str, wanted: &dyn Fn(&Dated<'_>) -> bool| {
        let of_source = all.iter().filter(|one| one.statement.source == source);
        of_source
            .filter(|one| wanted(one))
            .map(|one| one.edition)
            .max()
    };
    let withdrawn = |one: &Dated<'_>| !one.is_report() && !corrected(one);
    let owns_withdrawal = |one: &Dated<'_>| !one.statement.third_party && withdrawn(one);
    let overruled_to = all
        .iter()
        .filter(|one| owns_withdrawal(one))
        .map(|one| one.edition)
        .max();
    said.retain(|one| {
        let source = one.statement.source;
        let last = Some(one.edition) == last_of(source, &|_| true);
        if one.is_report() {
            last
        } else {
            withdrawn(one)
                && (last
                    || owns_withdrawal(one)
                        && Some(one.edition) == last_of(source, &owns_withdrawal))
        }
    });
    for one in said.iter_mut() {
        if let Said::Reported(report) | Said::Overruled(report) = one.statement.said {
            let overruled = report.third_party && Some(one.edition) <= overruled_to;
            one.statement.said = if overruled {
                Said::Overruled(report)
            } else {
                Said::Reported(report)
            };
        }
    }
    let mut once: Vec<Dated<'_>> = Vec::with_capacity(said.len());
    said.retain(|one| {
        let first = !once.contains(one);
        if first {
            once.push(*one);
        }
        first
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Report, ReportStatus};
    use jiff::Timestamp;

    /// `own 3 lost`, `other 2 withdrawn`: source, edition (as-of, generation after a colon), what.
    fn said(texts: &[&'static str]) -> Vec<Dated<'static>> {
        texts.iter().map(|text| one(text)).collect()
    }

    fn one(text: &'static str) -> Dated<'static> {
        let [source, edition, what] = text.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{text}");
        };
        let (as_of, generation) = edition.split_once(':').unwrap_or((edition, edition));
        let edition = Edition {
            as_of: Timestamp::from_second(as_of.parse().unwrap()).unwrap(),
            generation: generation.parse().unwrap(),
        };
        let third_party = source.starts_with("other");
        let report = |status| Report {
            status,
            source_status: "",
            date_of_loss: None,
            date_reported: None,
            review_date: None,
            authority: None,
            restriction: "",
            source,
            third_party,
            owner_reference: "",
        };
        let said = match what {
            "withdrawn" => Said::Withdrawn { reason: "" },
            "overruled" => Said::Overruled(report(ReportStatus::Lost)),
            status => Said::Reported(report(ReportStatus::from_name(status).unwrap())),
        };
        Dated {
            statement: Statement {
                source,
                third_party,
                edition: Some(edition),
                said,
            },
            edition,
        }
    }

    #[track_caller]
    fn check(given: &[&'static str], expected: &[&'static str]) {
        let mut given = said(given);
        resolve(&mut given);
        assert_eq!(given, said(expected));
    }

    #[test]
    fn the_last_word_of_each_source_stands() {
        check(&[], &[]);
        check(&["own 1 lost"], &["own 1 lost"]);
        check(&["own 1 lost", "own 2 stolen"], &["own 2 stolen"]);
        check(
            &["own 1 lost", "own2 2 stolen"],
            &["own 1 lost", "own2 2 stolen"],
        );
        check(
            &["own 2 lost", "own 2 stolen", "own 1 lost"],
            &["own 2 lost", "own 2 stolen"],
        );
        check(&["own 1 lost", "own 2 withdrawn"], &["own 2 withdrawn"]);
        check(
            &["own 1 lost", "own 3 stolen", "own 2 withdrawn"],
            &["own 3 stolen", "own 2 withdrawn"],
        );
        // At the same instant, the one published later.
        check(
            &["own 5:1 lost", "own 5:2 withdrawn"],
            &["own 5:2 withdrawn"],
        );
        // A correction.
        check(
            &["own 1 lost", "own 2 withdrawn", "own 2 stolen"],
            &["own 2 stolen"],
        );
    }

    #[test]
    fn the_owner_overrules_what_others_said_before() {
        check(
            &["other 1 lost", "own 2 withdrawn"],
            &["other 1 overruled", "own 2 withdrawn"],
        );
        check(
            &["other 3 lost", "own 2 withdrawn"],
            &["other 3 lost", "own 2 withdrawn"],
        );
        check(
            &["other 1 lost", "own 2 withdrawn", "own 3 lost"],
            &["other 1 overruled", "own 3 lost", "own 2 withdrawn"],
        );
        check(
            &["other 1 overruled", "own 2 lost"],
            &["other 1 lost", "own 2 lost"],
        );
        // A third party withdraws for itself only; a correction withdraws nothing.
        check(
            &["other 1 lost", "other2 2 withdrawn"],
            &["other 1 lost", "other2 2 withdrawn"],
        );
        check(
            &["other 1 lost", "own 2 withdrawn", "own 2 lost"],
            &["other 1 lost", "own 2 lost"],
        );
    }

    /// Whatever the order, and wherever what was said so far is resolved in between.
    #[test]
    fn order_and_steps_do_not_matter() {
        let all = [
            "own 1 lost",
            "own 3 withdrawn",
            "own 5 stolen",
            "own2 2 withdrawn",
            "other 2 lost",
            "other 4 stolen",
            "other2 1 lost",
            "own2 2 lost",
        ];
        let mut expected = said(&all);
        resolve(&mut expected);
        // Things of one edition come together, as they do.
        let apart = |index: usize| (index * 5 + 3) % 7;
        for steps in 0..128_u32 {
            for start in 0..7 {
                let mut so_far = Vec::new();
                for place in 0..7 {
                    let index = apart((place + start) % 7);
                    so_far.push(one(all[index]));
                    if index == 3 {
                        so_far.push(one(all[7]));
                    }
                    if steps >> place & 1 == 1 {
                        resolve(&mut so_far);
                    }
                }
                resolve(&mut so_far);
                assert_eq!(so_far, expected, "{steps:b} {start}");
            }
        }
    }
}
