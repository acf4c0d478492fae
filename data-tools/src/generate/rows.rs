//! The rows of a list, one after the other.

use super::GenerateError;
use super::dates::ListDay;
use super::mix::mix;
use super::shape::Number;
use super::space::{Cursor, Run, Space, scale};
use super::world::World;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sltd::document::DocumentType;
use sltd::report::ReportStatus;

/// Rows in 65,536 that report a listed document again (another date, often another status): 1.5 %.
const AGAIN: u64 = 983;
/// Rows in 65,536 that repeat the row before them byte by byte, as a list uploaded twice does: 0.05 %.
const REPEATED: u64 = 33;
/// Reports made again in 16 that name the same State's other kind of document of the same number.
const OTHER_KIND: u64 = 1;

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) number: Number,
    /// Doc 9303 code of the issuing State.
    pub(super) state: &'static str,
    pub(super) kind: DocumentType,
    pub(super) details: Details,
    /// The last number of a range; the row stands for all up to it.
    pub(super) range_end: Option<Number>,
    /// How many rows came before.
    pub(super) row: u64,
}

/// What is reported of a document, or of all documents of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Details {
    pub(super) status: ReportStatus,
    pub(super) date_of_loss: Option<ListDay>,
    pub(super) date_reported: Option<ListDay>,
    pub(super) review_date: Option<ListDay>,
    /// Number of the State's authority, from 1.
    pub(super) authority: u16,
    /// The owner's restriction; empty: none.
    pub(super) restriction: &'static str,
}

/// What a layout can say: a list holds nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traits {
    /// Reports of one document made again, and equal rows.
    pub(super) repeats: bool,
    /// A run of blanks as one row.
    pub(super) ranges: bool,
    /// Review dates and blanks as such, so that a report may be older than the default retention.
    pub(super) long_retention: bool,
}

/// Makes rows; what it holds does not grow with their number.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    world: &'a World,
    cursors: Vec<Cursor>,
    rng: ChaCha8Rng,
    traits: Traits,
    /// The run being written: its space, how many numbers are left, what they share.
    run: Option<(usize, u64, Details)>,
    /// A report by the other State of a number just written.
    shared: Option<(usize, u64)>,
    last: Option<Row>,
    rows: u64,
}

impl<'a> Rows<'a> {
    /// Begins a list.
    pub(super) fn new(world: &'a World, traits: Traits, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(1);
        let cursors = world.spaces().iter().map(Space::cursor).collect();
        Self {
            world,
            cursors,
            rng,
            traits,
            run: None,
            shared: None,
            last: None,
            rows: 0,
        }
    }

    /// How far the list has used up each space.
    pub(super) fn cursors(&self) -> &[Cursor] {
        &self.cursors
    }

    /// The next row. The list is endless as long as its spaces have numbers left.
    pub(super) fn next_row(&mut self) -> Result<Row, GenerateError> {
        let row = self.make()?;
        self.rows += 1;
        self.last = Some(row);
        Ok(row)
    }

    fn make(&mut self) -> Result<Row, GenerateError> {
        if let Some((at, left, details)) = self.run.take() {
            self.run = (left > 1).then_some((at, left - 1, details));
            if let Some((space, (index, _))) = self.take(at) {
                return Ok(self.row(space, space.kind, index, details));
            }
        }
        if let Some((at, index)) = self.shared.take()
            && let Some(space) = self.world.spaces().get(at)
        {
            let details = self.single(space);
            return Ok(self.row(space, space.kind, index, details));
        }
        let random = self.rng.next_u64();
        let at = self.world.choose(random as u16);
        if self.traits.repeats
            && let Some(row) = self.repeat(at, random >> 16)
        {
            return Ok(row);
        }
        // A space that runs dry, which the density makes all but impossible, hands over to the next.
        let count = self.world.spaces().len();
        for at in (at..count).chain(0..at) {
            let Some((space, (index, run))) = self.take(at) else {
                continue;
            };
            let Some(run) = run else {
                self.shared = self
                    .world
                    .shared_with(at, index)
                    .map(|partner| (partner, index));
                let details = self.single(space);
                return Ok(self.row(space, space.kind, index, details));
            };
            return Ok(self.open_run(at, space, index, run));
        }
        Err(GenerateError::Exhausted { rows: self.rows })
    }

    fn take(&mut self, at: usize) -> Option<(&'a Space, (u64, Option<Run>))> {
        let space = self.world.spaces().get(at)?;
        Some((space, space.take(self.cursors.get_mut(at)?)?))
    }

    fn row(&self, space: &Space, kind: DocumentType, index: u64, details: Details) -> Row {
        Row {
            number: space.shape.number(index),
            state: space.state,
            kind,
            details,
            range_end: None,
            row: self.rows,
        }
    }

    /// The first row of a run, or the only one where it is written as a range.
    fn open_run(&mut self, at: usize, space: &Space, index: u64, run: Run) -> Row {
        let details = batch(space, run.hash, self.traits.long_retention);
        let mut row = self.row(space, space.kind, index, details);
        let blanks = details.status == ReportStatus::StolenBlank;
        if self.traits.ranges && blanks && space.shape.same_prefix(index, index + run.len - 1) {
            row.range_end = Some(space.shape.number(index + run.len - 1));
            if let Some(cursor) = self.cursors.get_mut(at) {
                space.take_rest_of_run(cursor, run);
            }
        } else {
            self.run = Some((at, run.len - 1, details));
        }
        row
    }

    /// A row about a document listed already, if `random` asks for one.
    fn repeat(&mut self, at: usize, random: u64) -> Option<Row> {
        let (again, repeated) = (random & 0xFFFF, random >> 16 & 0xFFFF);
        if repeated < REPEATED {
            return self.last;
        }
        if again >= AGAIN {
            return None;
        }
        let space = self.world.spaces().get(at)?;
        let index = space.pick_held_near(self.cursors.get(at)?, self.rng.next_u64())?;
        let kind = match space.kind {
            kind if again % 16 >= OTHER_KIND => kind,
            DocumentType::Passport => DocumentType::IdentityCard,
            _ => DocumentType::Passport,
        };
        let details = self.single(space);
        Some(self.row(space, kind, index, details))
    }

    /// What is reported of a single document.
    fn single(&mut self, space: &Space) -> Details {
        let random = self.rng.next_u64();
        let dates = self.rng.next_u64();
        // Six in ten lost, a quarter stolen, the rest withdrawn by the issuer.
        let status = match random & 0xFF {
            0..=158 => ReportStatus::Lost,
            159..=221 => ReportStatus::Stolen,
            222..=243 => ReportStatus::Invalidated,
            _ => ReportStatus::Revoked,
        };
        let from_bearer = matches!(status, ReportStatus::Lost | ReportStatus::Stolen);
        // Up to 15 years old, or as old as needs no review date; newer ones more often: the square
        // of a uniform number.
        let oldest = if self.traits.long_retention {
            5_600
        } else {
            2_100
        };
        let age = (dates & 0xFFFF).pow(2) >> 16;
        let reported = ListDay::newest().before(((age * oldest) >> 16) as u32);
        // Reported within days as a rule, within two months at times.
        let delay = ((dates >> 16 & 0xFF).pow(4) * 60) >> 32;
        let dated = dates >> 24 & 0xFF >= 5;
        let loss_known = from_bearer && dates >> 32 & 0xFF >= 26;
        Details {
            status,
            date_of_loss: (dated && loss_known).then(|| reported.before(delay as u32)),
            date_reported: dated.then_some(reported),
            review_date: dated.then(|| review_date(reported, dates >> 40)).flatten(),
            authority: 1 + (random >> 8 & 0xFFFF) as u16 % space.authorities,
            restriction: restriction(random >> 24 & 0xFF),
        }
    }
}

/// The review date of a report, drawn from the low 16 bits of `random`: where the default of ten
/// years would end before [`first_lapse`](ListDay::first_lapse) the owner has prolonged it.
fn review_date(reported: ListDay, random: u64) -> Option<ListDay> {
    const TEN_YEARS: u32 = 3653;
    let prolonged = reported.after(2 * TEN_YEARS);
    match reported.after(TEN_YEARS - 3) >= ListDay::first_lapse() {
        true if random & 0xFF < 150 => None,
        true => Some(reported.after(TEN_YEARS + (random >> 8 & 3) as u32 * 365)),
        false => Some(prolonged),
    }
}

/// The owner's restriction, drawn from a byte: most reports have none.
fn restriction(random: u64) -> &'static str {
    match random {
        0..=7 => "contact_only",
        8..=11 => "refer",
        12 => "silent",
        _ => "",
    }
}

/// What is common to the reports of a run: six in ten are stolen blanks, a quarter issued documents
/// stolen together, the rest a series declared invalid.
fn batch(space: &Space, hash: u64, long_retention: bool) -> Details {
    let random = mix(hash, 2);
    let status = match random & 0xFF {
        0..=153 => ReportStatus::StolenBlank,
        154..=217 => ReportStatus::Stolen,
        _ => ReportStatus::Invalidated,
    };
    let blank = status == ReportStatus::StolenBlank;
    // Blanks are kept without end, so they may be old: since 2001. Others lapse.
    let oldest = if blank && long_retention {
        9_000
    } else {
        2_000
    };
    let age = scale(mix(hash, 3), oldest) as u32;
    let reported = ListDay::newest().before(age);
    Details {
        status,
        date_of_loss: Some(reported.before((random >> 8 & 0x3F) as u32)),
        date_reported: Some(reported),
        review_date: if blank {
            None
        } else {
            review_date(reported, random >> 16)
        },
        authority: 1 + (random >> 32 & 0xFFFF) as u16 % space.authorities,
        restriction: restriction(random >> 48 & 0xFF),
    }
}
