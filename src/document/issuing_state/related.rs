//! Issuers that are not equal but not unrelated either.

use super::lookup::{Meaning, meaning};

/// Codes under which one office's documents are known.
struct Group {
    codes: &'static [[u8; 3]],
    /// Where it is written that they are one office's.
    #[cfg_attr(
        not(test),
        expect(
            dead_code,
            reason = "for readers of the table, and the test that each has one"
        )
    )]
    source: &'static str,
}

/// Issuers whose documents are taken for each other's. An office that prints the code of its State prints that of a
/// territory before or after, or the territory stands on the cover and the State in the zone; who types the code from
/// the page, and who compiles a list, writes either.
///
/// A territory is here if its name or code is on documents, or the name of an office of its own; that its people carry
/// the State's passport is not enough (Puerto Rico, the Cook Islands, Norfolk Island).
#[rustfmt::skip] // one group a few lines: it is read as a table
const GROUPS: [Group; 9] = [
    Group {
        codes: &[*b"RKS", *b"UNK"],
        source: "Doc 9303 part 3 section 5: Kosovo, and the United Nations mission that issued before it",
    },
    Group {
        codes: &[*b"CHN", *b"HKG", *b"MAC"],
        source: "Doc 9303 part 3 section 5; Wikipedia, Hong Kong passport: CHN in the zone; Macao's by analogy",
    },
    // The classes of British nationals, whose passports GBR issues (Doc 9303 part 3 section 5); the overseas
    // territories; the Crown dependencies, whose passports are variants of the British one with their name on it.
    Group {
        codes: &[
            *b"GBR", *b"GBD", *b"GBN", *b"GBO", *b"GBP", *b"GBS",
            *b"AIA", *b"BMU", *b"CYM", *b"FLK", *b"GIB", *b"MSR", *b"PCN", *b"SHN", *b"TCA", *b"VGB",
            *b"IOT", *b"SGS", *b"GGY", *b"IMN", *b"JEY",
        ],
        source: "gov.bm, ministerial brief of March 2017: BMU until May 2016, then GBD, the code used for all overseas \
                 territories; The Royal Gazette, 28 April 2023 and 15 April 2024: GBR since, BMU again from 2024; \
                 British Nationality Act 1981, schedule 6 (the territories); Wikipedia, Jersey-, Guernsey- and Isle of \
                 Man-variant British passport",
    },
    Group {
        codes: &[*b"DNK", *b"FRO", *b"GRL"],
        source: "PRADO DNK-AO-03002, -04002 (Foroyar) and -04003 (Kalaallit Nunaat): issuing country DNK; Wikipedia, \
                 Danish passport: the zone begins with P<DNK for all of them",
    },
    Group {
        codes: &[*b"NLD", *b"ANT", *b"ABW", *b"BES", *b"CUW", *b"SXM"],
        source: "Doc 9303 part 3 section 5 (ANT); Wikipedia, Identity card BES: the zone begins with I<NLD; arubahuis.nl, \
                 Paspoort, and gobiernu.cw, Paspoort: the Dutch passport, issued on Aruba and on Curacao by their own \
                 offices",
    },
    Group {
        codes: &[
            *b"FRA", *b"BLM", *b"GLP", *b"GUF", *b"MAF", *b"MTQ", *b"MYT", *b"NCL", *b"PYF", *b"REU", *b"SPM", *b"WLF",
        ],
        source: "decree 2005-1726 of 30 December 2005 on passports, articles 28 and 29: of one form everywhere, and \
                 overseas issued by the representative of the State, the high commissioner or the administrator",
    },
    Group {
        codes: &[*b"FIN", *b"ALA"],
        source: "PRADO FIN-AO-06002 and -07002: Suomi Finland and Aland on the cover, for Finnish nationals from there",
    },
    Group {
        codes: &[*b"NOR", *b"SJM"],
        source: "sysselmesteren.no, Pass: who lives on Svalbard has the passport from the Governor there",
    },
    Group {
        codes: &[*b"UNO", *b"UNA"],
        source: "Doc 9303 part 3 section 5; Wikipedia, United Nations laissez-passer: one document, which the United \
                 Nations issue to their own officials and to those of specialised agencies",
    },
];

/// Letters that readers of machine-readable zones take for each other, as far as both can
/// stand in an issuer code: those of which users of readers complain (foxanna/mrz_parser issues 3 and 17,
/// DoubangoTelecom/tesseractMRZ issue 5, cheminfo/mrz `autoCorrection.ts`). (Of the usual confusions 2-Z, 5-S, 6-G and 8-B have a digit
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
            .any(|group| group.codes.contains(&a) && group.codes.contains(&b))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_of_known_states_has_a_source_and_shares_none() {
        let mut seen = std::collections::HashSet::new();
        for group in &GROUPS {
            assert!(group.codes.len() > 1 && !group.source.is_empty());
            for &code in group.codes {
                assert!(matches!(meaning(code), Meaning::State(_)), "{code:?}");
                assert!(seen.insert(code), "{code:?} is in two groups");
            }
        }
    }
}
