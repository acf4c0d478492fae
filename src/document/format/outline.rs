//! Shapes in a form that is compared all at once: each check asks for some shapes, and a build for those of each row of
//! a list.

use super::Piece::{L, N, Of, X};
use super::Shape;
use super::table::ROWS;
use crate::document::DocumentNumber;

/// A bit for each place of a number, from the lowest: set where a letter stands.
type Places = u32;

/// A number as it is compared with outlines.
pub(super) struct Outlined<'n> {
    number: &'n [u8],
    letters: Places,
}

impl<'n> Outlined<'n> {
    pub(super) fn new(number: &'n DocumentNumber) -> Self {
        Self {
            number: number.as_bytes(),
            letters: letters_of(number.padded()),
        }
    }

    /// Whether it has one of the shapes of a row of the table.
    pub(super) fn has_shape_of(&self, row: usize) -> bool {
        let shapes = ROWS.get(row).map_or(0, |row| row.shapes.len());
        let outlines = OUTLINES
            .get(row)
            .and_then(|outlines| outlines.get(..shapes));
        let mut outlines = outlines.unwrap_or_default().iter();
        outlines.any(|outline| outline.holds(self))
    }
}

const fn letters_of(padded: &[u8; DocumentNumber::MAX_LEN]) -> Places {
    // The bit that ASCII letters have and digits have not.
    const LETTER: u64 = u64::from_le_bytes([0x40; 8]);
    // Moves the lowest bit of each byte to its place in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let mut places = 0;
    let mut at = 0;
    let (words, _) = padded.as_chunks();
    while at < words.len() {
        let letters = u64::from_le_bytes(words[at]) & LETTER;
        places |= ((letters >> 6).wrapping_mul(GATHER) >> 56) << (8 * at);
        at += 1;
    }
    places as Places
}

#[derive(Clone, Copy)]
struct Outline {
    /// Where only letters stand.
    letters: Places,
    /// Where only digits stand.
    digits: Places,
    /// The length of the numbers.
    length: u8,
    /// Where only some letters and digits stand.
    sets: [Set; SETS_MAX],
}

/// Neighbouring places where only some characters stand.
#[derive(Clone, Copy)]
struct Set {
    start: u8,
    /// Equal to `start`: there is no such place.
    end: u8,
    /// A bit for each character, from `0` up.
    characters: u64,
}

/// The most sets of one shape.
const SETS_MAX: usize = 2;

const fn bit(character: u8) -> u64 {
    // `Z`, the last, has bit 42.
    1 << (character.wrapping_sub(b'0') & 63)
}

impl Set {
    const NONE: Self = Self {
        start: 0,
        end: 0,
        characters: 0,
    };

    fn holds(&self, number: &[u8]) -> bool {
        let run = number.get(usize::from(self.start)..usize::from(self.end));
        let mut run = run.unwrap_or_default().iter();
        run.all(|&character| self.characters & bit(character) != 0)
    }
}

impl Outline {
    const NONE: Self = Self {
        letters: 0,
        digits: 0,
        length: 0,
        sets: [Set::NONE; SETS_MAX],
    };

    const fn from_shape(shape: Shape) -> Self {
        let mut outline = Self::NONE;
        let mut at = 0;
        let mut piece = 0;
        let mut set = 0;
        while piece < shape.len() {
            let end = at + shape[piece].count();
            let places = ((1 << end) - 1) & !((1 << at) - 1);
            match shape[piece] {
                L(_) => outline.letters |= places,
                N(_) => outline.digits |= places,
                X(_) => {}
                Of(_, characters) => {
                    let characters = characters.as_bytes();
                    let mut bits = 0;
                    let mut next = 0;
                    while next < characters.len() {
                        bits |= bit(characters[next]);
                        next += 1;
                    }
                    outline.sets[set] = Set {
                        start: at as u8,
                        end: end as u8,
                        characters: bits,
                    };
                    set += 1;
                }
            }
            at = end;
            piece += 1;
        }
        outline.length = at as u8;
        outline
    }

    fn holds(&self, outlined: &Outlined<'_>) -> bool {
        let Outlined { number, letters } = outlined;
        number.len() == usize::from(self.length)
            && (letters & self.digits) | (!letters & self.letters) == 0
            && self.sets.iter().all(|set| set.holds(number))
    }
}

/// The most shapes of one row.
const SHAPES_MAX: usize = 8;

/// The outlines of the shapes of each row of the table.
static OUTLINES: [[Outline; SHAPES_MAX]; ROWS.len()] = {
    let mut outlines = [[Outline::NONE; SHAPES_MAX]; ROWS.len()];
    let mut row = 0;
    while row < ROWS.len() {
        let mut shape = 0;
        while shape < ROWS[row].shapes.len() {
            outlines[row][shape] = Outline::from_shape(ROWS[row].shapes[shape]);
            shape += 1;
        }
        row += 1;
    }
    outlines
};
