//! What issuers' document numbers look like: hints, never verdicts.
//!
//! Published lists of formats are incomplete and age: formats change while booklets of the old one stay valid for
//! ten years, and a stolen blank may carry a stock number of another shape. A number that does not fit deserves a
//! second look at the page, nothing more; one that fits may still be misread.
//!
//! Passports are those of `validatorjs/validator.js` (`isPassportNumber.js`), with its known errors put right;
//! other sources stand at the rows. Shapes are those of the normalised number.

mod table;
#[cfg(test)]
mod tests;

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
    let state = issuer.code();
    let first = ROWS.partition_point(|row| row.state < state);
    let mut rows = ROWS
        .iter()
        .skip(first)
        .take_while(|row| row.state == state)
        .filter(|row| document_type.is_none_or(|asked| asked == row.document_type))
        .peekable();
    rows.peek()?;
    Some(rows.any(|row| row.fits(number.as_bytes())))
}

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
    fn count(self) -> usize {
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
    fn fits(&self, number: &[u8]) -> bool {
        self.shapes.iter().any(|shape| matches(shape, number)) && (self.rule)(number)
    }
}
