//! All spaces of a list together: which one the next row comes from, and who else lists a number.

use super::GenerateError;
use super::mix::mix;
use super::shape::Shape;
use super::space::{Cursor, Density, Space, UNIT, scale};
use super::states::StateRow;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Slots of the table by which a row finds its space: shares are kept to a 65,536th.
const SLOTS: usize = 1 << 16;
/// Documents in a hundred that stand in runs.
const RUNS_PERCENT: u64 = 8;

/// The spaces of a list.
#[derive(Debug)]
pub(super) struct World {
    spaces: Vec<Space>,
    slots: Vec<u16>,
    /// For each space the one of another State that shares some of its numbers.
    partners: Vec<Option<usize>>,
    /// For each space those whose reports are reports of the same State and number, and whether
    /// only their shared ones are.
    claims: Vec<Vec<(usize, Claim)>>,
}

/// Which reported numbers of a space concern another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Claim {
    /// All: it is the same State's.
    All,
    /// Those reported by the other State too.
    Shared,
}

impl World {
    /// The spaces of `table` for a list of `records` rows, when its States have issued `issued`
    /// documents altogether.
    pub(super) fn new(
        table: &[StateRow],
        issued: u64,
        records: u64,
        seed: u64,
    ) -> Result<Self, GenerateError> {
        let too_many = || GenerateError::TooManyRecords {
            asked: records,
            most: issued / 5 * 2,
        };
        let density = Density::for_list(records, issued, RUNS_PERCENT).ok_or_else(too_many)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let total: u128 = table.iter().map(|row| u128::from(row.1) << 32).sum();
        let mut spaces = Vec::new();
        let mut weights = Vec::new();
        for (state, weight, documents) in table {
            let of_state: u128 = documents.iter().map(|d| u128::from(d.1)).sum();
            for (at, (kind, share, pattern)) in documents.iter().enumerate() {
                let shape = Shape::parse(pattern).ok_or(GenerateError::Shape { state, pattern })?;
                // Equal shapes of one State lie in disjoint slices of the shape.
                let slices = documents.iter().filter(|d| d.2 == *pattern).count() as u64;
                let slice = documents
                    .iter()
                    .take(at)
                    .filter(|d| d.2 == *pattern)
                    .count() as u64;
                let slice_len = shape.capacity() / slices;
                let weight = (u128::from(*weight) << 32) * u128::from(*share) / of_state;
                let own = (u128::from(issued) * weight / total) as u64;
                let units = (own.min(slice_len) / UNIT).max(1);
                let room = slice_len.saturating_sub(units * UNIT);
                // Half of the States begin at the first number, the others anywhere in the first
                // quarter: so windows of one shape overlap as those of real States do.
                let place = mix(fingerprint(state), fingerprint(pattern) ^ slice);
                let offset = if place & 1 == 0 {
                    0
                } else {
                    scale(place, room / 4 + 1)
                };
                let start = slice_len * slice + offset;
                let mut space = Space::new(
                    (state, *kind),
                    shape,
                    (start, units),
                    density,
                    rng.next_u64(),
                );
                space.authorities = (own / 2_000_000).clamp(1, 60) as u16;
                spaces.push(space);
                weights.push(weight);
            }
        }
        let slots = slots(&weights);
        let partners = partners(&spaces);
        let claims = claims(&spaces, &partners);
        Ok(Self {
            spaces,
            slots,
            partners,
            claims,
        })
    }

    /// The spaces, in the order of the table.
    pub(super) fn spaces(&self) -> &[Space] {
        &self.spaces
    }

    /// A space by its share, for a uniform `random`.
    pub(super) fn choose(&self, random: u16) -> usize {
        self.slots
            .get(usize::from(random))
            .copied()
            .unwrap_or(0)
            .into()
    }

    /// The space of another State whose list holds the number too, if it does.
    pub(super) fn shared_with(&self, space: usize, index: u64) -> Option<usize> {
        let partner = self.partners.get(space).copied().flatten()?;
        self.spaces.get(space)?.is_shared(index).then_some(partner)
    }

    /// Whether the list up to `cursors` may hold a report by the State of `space` of the number at
    /// `index`, whatever its type. Never false for a number that is listed.
    pub(super) fn is_listed(&self, cursors: &[Cursor], space: usize, index: u64) -> bool {
        let claims = self
            .claims
            .get(space)
            .map(Vec::as_slice)
            .unwrap_or_default();
        claims.iter().any(
            |(other, claim)| match (self.spaces.get(*other), cursors.get(*other)) {
                (Some(other), Some(cursor)) => {
                    (*claim == Claim::All || other.is_shared(index)) && other.holds(cursor, index)
                }
                _ => false,
            },
        )
    }
}

/// A number that stands for a text of the table.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0, |hash, byte| mix(hash, byte.into()))
}

/// Shares the slots out by weight: each space gets at least one, what rounding leaves goes to the first.
fn slots(weights: &[u128]) -> Vec<u16> {
    let total: u128 = weights.iter().sum::<u128>().max(1);
    let mut slots = Vec::with_capacity(SLOTS);
    let mut before = 0;
    for (space, weight) in weights.iter().enumerate() {
        before += weight;
        // All spaces after this one still need a slot each.
        let rest = weights.len() - space - 1;
        let end = (before * SLOTS as u128 / total) as usize;
        let end = end.max(slots.len() + 1).min(SLOTS.saturating_sub(rest));
        slots.resize(end, space as u16);
    }
    slots
}

/// For each space the next one of another State with the same shape, in a circle.
fn partners(spaces: &[Space]) -> Vec<Option<usize>> {
    let same_shape =
        |a: &Space, b: &Space| a.shape.pattern() == b.shape.pattern() && a.state != b.state;
    let after = |at: usize| (at + 1..spaces.len()).chain(0..at);
    let partner = |(at, space)| {
        after(at).find(|other| spaces.get(*other).is_some_and(|o| same_shape(space, o)))
    };
    spaces.iter().enumerate().map(partner).collect()
}

fn claims(spaces: &[Space], partners: &[Option<usize>]) -> Vec<Vec<(usize, Claim)>> {
    let same = |a: &Space, b: &Space| a.shape.pattern() == b.shape.pattern() && a.state == b.state;
    spaces
        .iter()
        .map(|space| {
            let own = spaces
                .iter()
                .enumerate()
                .filter(|(_, other)| same(space, other))
                .map(|(at, _)| (at, Claim::All));
            let shared = partners.iter().enumerate().filter_map(|(at, partner)| {
                let partner = spaces.get((*partner)?)?;
                same(space, partner).then_some((at, Claim::Shared))
            });
            own.chain(shared).collect()
        })
        .collect()
}
