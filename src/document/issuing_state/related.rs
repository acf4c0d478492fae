//! Issuers that are not equal but not unrelated either.

use super::lookup::{Meaning, meaning};

/// Issuers whose documents are taken for each other's: Kosovo and the mission that
/// issued before it; China and its special administrative regions, whose passports name
/// CHN in the machine-readable zone; the United Kingdom and the classes of British
/// nationals, who all carry passports issued by GBR (Doc 9303 part 3 section 5).
const GROUPS: [&[[u8; 3]]; 3] = [
    &[*b"RKS", *b"UNK"],
    &[*b"CHN", *b"HKG", *b"MAC"],
    &[*b"GBR", *b"GBD", *b"GBN", *b"GBO", *b"GBP", *b"GBS"],
];

/// Letters that readers of machine-readable zones take for each other, as far as both can
/// stand in an issuer code. (Of the usual confusions 2-Z, 5-S, 6-G and 8-B have a digit
/// on one side; 0 and 1 stand for O and I here.)
const CONFUSABLE: [(u8, u8); 7] = [
    (b'O', b'Q'),
    (b'O', b'D'),
    (b'Q', b'D'),
    (b'I', b'L'),
    (b'H', b'M'),
    (b'<', b'K'),
    (b'<', b'C'),
];

/// Whether two different codes belong to one group.
pub(super) fn same_group(a: [u8; 3], b: [u8; 3]) -> bool {
    a != b
        && GROUPS
            .iter()
            .any(|group| group.contains(&a) && group.contains(&b))
}

/// Whether the padded codes differ in exactly one place, and there by a confusable pair.
pub(super) fn one_confusable_letter_apart(a: [u8; 3], b: [u8; 3]) -> bool {
    let mut apart = a.iter().zip(&b).filter(|(a, b)| a != b);
    matches!((apart.next(), apart.next()), (Some((&a, &b)), None) if confusable(a, b))
}

/// Whether a two-letter code in a zone may be a three-letter one (or `D`) whose last
/// letter was misread: `PA<` is Panama's two-letter code, and `PAK` with its K read as a
/// filler.
pub(super) fn misread_of_another(padded: [u8; 3]) -> bool {
    let own = meaning(padded);
    CONFUSABLE
        .iter()
        .flat_map(|&(a, b)| [(a, b), (b, a)])
        .any(|(from, to)| {
            (0..padded.len()).any(|at| {
                let mut other = padded;
                match other.get_mut(at) {
                    Some(letter) if *letter == from => *letter = to,
                    _ => return false,
                }
                let other = meaning(other);
                matches!(other, Meaning::State(_)) && other != own
            })
        })
}

fn confusable(a: u8, b: u8) -> bool {
    CONFUSABLE.contains(&(a, b)) || CONFUSABLE.contains(&(b, a))
}
