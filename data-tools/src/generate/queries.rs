//! Questions about a generated list: a stated share are reported documents, the rest proved not to be.

use super::layouts::kind_name;
use super::mix::mix;
use super::shape::Number;
use super::space::{Cursor, scale};
use super::world::World;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sltd::document::DocumentType;

/// One question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    number: Number,
    state: &'static str,
    kind: DocumentType,
    /// Whether the list reports the document.
    pub(super) reported: bool,
}

impl Question {
    /// `number,issuer,type`, one line.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.number.as_bytes());
        out.push(b',');
        out.extend_from_slice(self.state.as_bytes());
        out.push(b',');
        out.extend_from_slice(kind_name(self.kind).as_bytes());
        out.push(b'\n');
    }
}

/// Asks about the list that ended with `cursors`.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    world: &'a World,
    cursors: &'a [Cursor],
    /// Documents listed before each space, and those of the last: reported ones are drawn evenly.
    before: Vec<u64>,
    rng: ChaCha8Rng,
    left: u64,
    reported_left: u64,
}

impl<'a> Questions<'a> {
    /// `count` questions, `reported` of them about listed documents, spread evenly by chance.
    pub(super) fn new(
        world: &'a World,
        cursors: &'a [Cursor],
        seed: u64,
        count: u64,
        reported: u64,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(2);
        let mut taken = 0;
        let before = cursors.iter().map(|cursor| {
            taken += cursor.taken;
            taken
        });
        let before = before.collect();
        Self {
            world,
            cursors,
            before,
            rng,
            left: count,
            reported_left: reported.min(count),
        }
    }

    /// A listed document, each as likely as any other.
    fn reported(&mut self) -> Option<Question> {
        let listed = self.before.last().copied().filter(|listed| *listed > 0)?;
        let at = scale(self.rng.next_u64(), listed);
        let at = self.before.partition_point(|before| *before <= at);
        let (space, cursor) = (self.world.spaces().get(at)?, self.cursors.get(at)?);
        loop {
            if let Some(index) = space.pick_held(cursor, self.rng.next_u64()) {
                let number = space.shape.number(index);
                return Some(Question {
                    number,
                    state: space.state,
                    kind: space.kind,
                    reported: true,
                });
            }
        }
    }

    /// An issued document whose State does not report its number.
    fn unreported(&mut self) -> Option<Question> {
        loop {
            let random = self.rng.next_u64();
            let at = self.world.choose(random as u16);
            let space = self.world.spaces().get(at)?;
            let index = space.pick_issued(mix(random, 0));
            if !self.world.is_listed(self.cursors, at, index) {
                let number = space.shape.number(index);
                return Some(Question {
                    number,
                    state: space.state,
                    kind: space.kind,
                    reported: false,
                });
            }
        }
    }
}

impl Iterator for Questions<'_> {
    type Item = Question;

    fn next(&mut self) -> Option<Question> {
        // Selection sampling: the share asked for is met exactly, wherever the reported ones fall.
        if self.left == 0 {
            return None;
        }
        let reported = scale(self.rng.next_u64(), self.left) < self.reported_left;
        self.left -= 1;
        if reported {
            self.reported_left -= 1;
            self.reported()
        } else {
            self.unreported()
        }
    }
}
