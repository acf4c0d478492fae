//! What issuers' document numbers look like: hints, never verdicts.
//!
//! Published lists of formats are incomplete and age: formats change while booklets of the old one stay valid for
//! ten years, and a stolen blank may carry a stock number of another shape. A number that does not fit deserves a
//! second look at the page, nothing more; one that fits may still be misread.
//!
//! Passports are those of `validatorjs/validator.js` (`isPassportNumber.js`), with its known errors put right, and of
//! Microsoft Purview (definitions of sensitive information, `sit-defn-...-passport-number`) where it has more; other
//! sources stand at the rows. Shapes are those of the normalised number.

mod outline;
mod table;
#[cfg(test)]
mod tests;

use super::issuing_state::pad;
use super::{DocumentNumber, DocumentType, IssuingState};
use Piece::{L, N, Of, X};
use outline::Outlined;
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
    let state = issuer.ordinal()?;
    let fits = |document_type| {
        let row = row_of(state, document_type)?;
        let rule = ROWS.get(row).and_then(|row| row.rule);
        let follows_rule = || rule.is_none_or(|follows| follows(number.as_bytes()));
        Some(Outlined::new(number).has_shape_of(row) && follows_rule())
    };
    match document_type {
        Some(document_type) => fits(document_type),
        None => DocumentType::ALL.into_iter().filter_map(fits).max(),
    }
}

/// The row of the table for a State, by its ordinal, and a type.
fn row_of(state: usize, document_type: DocumentType) -> Option<usize> {
    let row = PLACES.get(state)?.get(usize::from(document_type.code()))?;
    usize::from(*row).checked_sub(1)
}

/// For each State and the code of each type the place of its row in the table, counted from 1; 0: there is none.
static PLACES: [[u8; DocumentType::ALL.len() + 1]; IssuingState::COUNT] = {
    let mut places = [[0; DocumentType::ALL.len() + 1]; IssuingState::COUNT];
    let mut row = 0;
    let mut state = 0;
    while state < IssuingState::COUNT {
        let [a, b, c] = IssuingState::padded_of(state);
        while row < ROWS.len()
            && matches!(pad(ROWS[row].state.as_bytes()), [d, e, f] if a == d && b == e && c == f)
        {
            places[state][ROWS[row].document_type as usize] = row as u8 + 1;
            row += 1;
        }
        state += 1;
    }
    assert!(
        row == ROWS.len(),
        "a row out of order, or of a State that is not known"
    );
    assert!(row < u8::MAX as usize);
    places
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
}

type Shape = &'static [Piece];

/// What is known of one State's documents of one type.
#[derive(Debug)]
struct Row {
    state: &'static str,
    document_type: DocumentType,
    /// One of these fits, and
    shapes: &'static [Shape],
    /// this holds, if there is one.
    rule: Option<fn(&[u8]) -> bool>,
}
