//! What issuers' document numbers look like: hints, never verdicts.
//!
//! Published lists of formats are incomplete and age: formats change while booklets of the old one stay valid for
//! ten years, and a stolen blank may carry a stock number of another shape. A number that does not fit deserves a
//! second look at the page, nothing more; one that fits may still be misread.
//!
//! Passports are those of `validatorjs/validator.js` (`isPassportNumber.js`), with its known errors put right, and of
//! Microsoft Purview (definitions of sensitive information, `sit-defn-...-passport-number`) where it has more; other
//! sources stand at the rows. Shapes are those of the normalised number.

mod table;
#[cfg(test)]
mod tests;

use super::issuing_state::pad;
use super::{DocumentNumber, DocumentType, IssuingState};
use Piece::{L, N, Of, X};
use table::ROWS;

/// Whether `number` fits what is known of the issuer's numbers: those of documents of the given type, or of any
/// type known where none is given. `None` when nothing is known.
///
/// ```
/// use sltd::document::{DocumentNumber, DocumentType, IssuingState, format};
///
/// let germany = IssuingState::parse("D")?;
/// let plausible = |number| {
///     let number = DocumentNumber::normalise(number).ok()?;
///     format::plausible(&germany, Some(DocumentType::Passport), &number)
/// };
/// assert_eq!(plausible("C01X0006H"), Some(true));
/// // Germany uses the digit 0, never the letter O: misread.
/// assert_eq!(plausible("CO1X0006H"), Some(false));
/// # Ok::<(), sltd::document::StateError>(())
/// ```
pub fn plausible(
    issuer: &IssuingState,
    document_type: Option<DocumentType>,
    number: &DocumentNumber,
) -> Option<bool> {
    let letters = letters_of(number.padded());
    let mut known = false;
    for (row, outlines) in rows_of(issuer) {
        if document_type.is_none_or(|asked| asked == row.document_type) {
            known = true;
            if row.fits(number.as_bytes(), letters, outlines) {
                return Some(true);
            }
        }
    }
    known.then_some(false)
}

/// The rows of a State, each with the outlines of its shapes.
fn rows_of(
    issuer: &IssuingState,
) -> impl Iterator<Item = (&'static Row, &'static [Outline; SHAPES_MAX])> {
    let starts = issuer
        .ordinal()
        .and_then(|state| STARTS.get(state..state + 2));
    let range = match starts {
        Some(&[start, end]) => usize::from(start)..usize::from(end),
        _ => 0..0,
    };
    let rows = ROWS.get(range.clone()).unwrap_or_default();
    rows.iter().zip(OUTLINES.get(range).unwrap_or_default())
}

/// A bit for each place of a number, from the lowest: set where a letter stands.
type Places = u32;

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

/// A shape in a form that is compared all at once: each check asks for some shapes, and a build for those of each row
/// of a list.
#[derive(Clone, Copy)]
struct Outline {
    /// Where only letters stand.
    letters: Places,
    /// Where only digits stand.
    digits: Places,
    /// The length of the numbers.
    length: u8,
    /// Whether that is all there is to the shape; else its characters are looked at as well.
    is_all: bool,
}

impl Outline {
    const NONE: Self = Self {
        letters: 0,
        digits: 0,
        length: 0,
        is_all: true,
    };

    const fn from_shape(shape: Shape) -> Self {
        let mut outline = Self::NONE;
        let mut at = 0;
        let mut piece = 0;
        while piece < shape.len() {
            let end = at + shape[piece].count();
            let places = ((1 << end) - 1) & !((1 << at) - 1);
            match shape[piece] {
                L(_) => outline.letters |= places,
                N(_) => outline.digits |= places,
                X(_) => {}
                Of(..) => outline.is_all = false,
            }
            at = end;
            piece += 1;
        }
        outline.length = at as u8;
        outline
    }

    /// Whether a number of this length has letters where only they stand, and none where only digits do.
    fn holds(&self, length: usize, letters: Places) -> bool {
        length == usize::from(self.length)
            && (letters & self.digits) | (!letters & self.letters) == 0
    }
}

/// The most shapes of one row.
const SHAPES_MAX: usize = 8;

/// The outlines of the shapes of each row.
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

/// Where the rows of each State begin, and behind the last State where they end: every check asks
/// for some State's.
static STARTS: [u8; IssuingState::COUNT + 1] = {
    let mut starts = [0; IssuingState::COUNT + 1];
    let mut row = 0;
    let mut state = 0;
    while state < IssuingState::COUNT {
        starts[state] = row as u8;
        let [a, b, c] = IssuingState::padded_of(state);
        while row < ROWS.len()
            && matches!(pad(ROWS[row].state.as_bytes()), [d, e, f] if a == d && b == e && c == f)
        {
            row += 1;
        }
        state += 1;
    }
    starts[state] = row as u8;
    assert!(
        row == ROWS.len(),
        "a row out of order, or of a State that is not known"
    );
    assert!(row <= u8::MAX as usize);
    starts
};

/// A run of characters of a shape.
#[derive(Debug, Clone, Copy)]
enum Piece {
    /// So many letters.
    L(usize),
    /// So many digits.
    N(usize),
    /// So many letters or digits.
    X(usize),
    /// So many of these characters.
    Of(usize, &'static str),
}

impl Piece {
    const fn count(self) -> usize {
        match self {
            L(count) | N(count) | X(count) | Of(count, _) => count,
        }
    }

    fn takes(self, character: u8) -> bool {
        match self {
            L(_) => character.is_ascii_uppercase(),
            N(_) => character.is_ascii_digit(),
            X(_) => character.is_ascii_alphanumeric(),
            Of(_, characters) => characters.as_bytes().contains(&character),
        }
    }
}

type Shape = &'static [Piece];

fn matches(shape: Shape, number: &[u8]) -> bool {
    let mut rest = number;
    shape
        .iter()
        .all(|piece| match rest.split_at_checked(piece.count()) {
            Some((run, after)) => {
                rest = after;
                run.iter().all(|&character| piece.takes(character))
            }
            None => false,
        })
        && rest.is_empty()
}

/// What is known of one State's documents of one type.
#[derive(Debug)]
struct Row {
    state: &'static str,
    document_type: DocumentType,
    /// One of these fits, and
    shapes: &'static [Shape],
    /// this holds.
    rule: fn(&[u8]) -> bool,
}

impl Row {
    fn fits(&self, number: &[u8], letters: Places, outlines: &[Outline; SHAPES_MAX]) -> bool {
        self.shapes.iter().zip(outlines).any(|(shape, outline)| {
            outline.holds(number.len(), letters) && (outline.is_all || matches(shape, number))
        }) && (self.rule)(number)
    }
}
