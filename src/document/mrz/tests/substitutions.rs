//! Every single substitution at every position that a check digit covers.
//!
//! Either it is detected, or the two characters' values differ by 0, 10, 20 or 30; the number of those that are not
//! detected is pinned for each zone.

use super::check_digit::value;
use super::*;

const ALPHABET: &[u8; 37] = b"<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// A zone without line breaks, what its check digits cover (themselves included), how many substitutions go unseen.
///
/// Of `n` characters with one value modulo 10, `n - 1` are unseen in place of any other, so a position holds 2, 3 or
/// (`0 A K U <`) 4 of them, and none where the character is a check digit: that is compared as it is printed.
struct Case {
    zone: &'static str,
    /// Offsets from 1, both ends inclusive. The second line begins at 31 in TD1, 37 in TD2 and 45 in TD3.
    covered: &'static [(usize, usize)],
    unseen: usize,
}

const CASES: &[Case] = &[
    // TD3.
    Case {
        zone: "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L898902C36UTO7408122F1204159ZE184226B<<<<<10",
        covered: &[(45, 54), (58, 64), (66, 88)],
        unseen: 105,
    },
    // TD3 without optional data, a filler for its digit: no other character of value 0 in the data goes with the
    // filler (14 x 4 fewer), while `0` in its place is as right (1 more).
    Case {
        zone: "P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<C01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<<0",
        covered: &[(45, 54), (58, 64), (66, 88)],
        unseen: 65,
    },
    // TD2.
    Case {
        zone: "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<D231458907UTO7408122F1204159<<<<<<<6",
        covered: &[(37, 46), (50, 56), (58, 72)],
        unseen: 90,
    },
    // TD1.
    Case {
        zone: "I<UTOD231458907<<<<<<<<<<<<<<<7408122F1204159UTO<<<<<<<<<<<6ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        covered: &[(6, 30), (31, 37), (39, 45), (49, 60)],
        unseen: 166,
    },
    // TD1 with a long number: the digit without the filler, then with it. The fillers at its check position and
    // behind it, and each 0 that would end it too early, are not interchangeable with anything.
    Case {
        zone: "IDBEL600001795<0152<<<<<<<<<<<1301014F2311207BEL130101987398SPECIMEN<<SPECIMEN<<<<<<<<<<<<",
        covered: &[(6, 30), (31, 37), (39, 45), (49, 60)],
        unseen: 147,
    },
    Case {
        zone: "IDBEL000590240<6013<<<<<<<<<<<8512017F1311048BEL851201002007SPECIMEN<<SPECIMEN<<<<<<<<<<<<",
        covered: &[(6, 30), (31, 37), (39, 45), (49, 60)],
        unseen: 152,
    },
    // MRV-A and MRV-B: nothing covers the optional data.
    Case {
        zone: "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<L8988901C4XXX4009078F96121096ZE184226B<<<<<<",
        covered: &[(45, 54), (58, 64), (66, 72)],
        unseen: 59,
    },
    Case {
        zone: "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<L8988901C4XXX4009078F9612109<<<<<<<<",
        covered: &[(37, 46), (50, 56), (58, 64)],
        unseen: 59,
    },
    // French identity card: the composite covers both lines; what marks the layout has no equal.
    Case {
        zone: "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<9409923102854CORINNE<<<<<<<6512068F4",
        covered: &[(1, 72)],
        unseen: 212,
    },
    // French driving licence: as before.
    Case {
        zone: "D1FRA13AA000026181231MARTIN<<9",
        covered: &[(1, 30)],
        unseen: 74,
    },
    // Slovak identity card: as TD2, no composite.
    Case {
        zone: "I<SVKNOVAK<<JAN<<<<<<<<<<<<<<<<<<<123456<AA5SVK8110251M1801020749313",
        covered: &[(35, 44), (48, 54), (56, 62)],
        unseen: 66,
    },
];

#[test]
fn each_is_detected_or_invisible_by_value() {
    for case in CASES {
        let read = Mrz::read(case.zone).unwrap();
        assert!(read.failed.is_empty(), "{}", case.zone);
        let (mut tried, mut unseen) = (0, 0);
        for position in case.covered.iter().flat_map(|&(from, to)| from..=to) {
            let original = case.zone.as_bytes()[position - 1];
            for &substitute in ALPHABET.iter().filter(|&&character| character != original) {
                let mut zone = case.zone.as_bytes().to_vec();
                zone[position - 1] = substitute;
                let zone = String::from_utf8(zone).unwrap();
                // A digit read as the letter that stands there is told.
                let detected = Mrz::read(&zone).map_or(true, |mrz| {
                    !mrz.failed.is_empty() || !mrz.read_as_letters.is_empty()
                });
                let same_value = value(original) % 10 == value(substitute) % 10;
                assert!(detected || same_value, "{zone}: {position} unseen");
                tried += 1;
                unseen += usize::from(!detected);
            }
        }
        let positions: usize = case.covered.iter().map(|&(from, to)| to - from + 1).sum();
        assert_eq!(tried, positions * (ALPHABET.len() - 1));
        assert_eq!(unseen, case.unseen, "{}", case.zone);
    }
}
