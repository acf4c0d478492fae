//! The shapes of document numbers, and the numbers of a shape in order.

/// The longest number a shape may have, in bytes.
const MAX_LEN: usize = 24;

const DIGITS: &[u8] = b"0123456789";
const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const EITHER: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
/// German serial numbers since November 2007: no vowels, no B D Q S (Passport Ordinance, annex 11).
const GERMAN: &[u8] = b"0123456789CFGHJKLMNPRTVWXYZ";
/// First letters of German passports.
const GERMAN_PASSPORT: &[u8] = b"CFGHJK";
/// First letters of German identity cards and permits: what passports (C to K) and travel documents (Z) leave.
const GERMAN_CARD: &[u8] = b"LMNPRTVWXY";
/// Letters but I and O: the second letter of Chinese passports since April 2017.
const CHINESE: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Latin letters with a Cyrillic look-alike that Ukrainian has: the series of Ukrainian booklets.
const UKRAINIAN: &[u8] = b"ABCEHIKMOPTX";

/// A number as written: normalised already, `A-Z0-9`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    bytes: [u8; MAX_LEN],
    len: u8,
}

impl Number {
    /// Its bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or_default()
    }
}

/// How a check digit is worked into the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Check {
    None,
    /// Polish identity cards: the first digit, over the other eight characters, weights 7 3 1 - 7 3 1 7 3.
    Polish,
    /// Belgian identity cards: the last two digits are the first ten modulo 97 (97 for 0).
    Belgian,
}

/// A shape of numbers: an alphabet for each position.
///
/// Written as in lists of formats: `n` a digit, `l` a letter, `x` either, each with a count; capitals
/// stand for themselves; `g`, `p`, `q`, `e`, `u` are the national alphabets
/// above; `#` is the Polish and `%` the Belgian check. `Kn8` is `K` and eight digits.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pattern: &'static str,
    alphabets: Vec<&'static [u8]>,
    check: Check,
    capacity: u64,
}

impl Shape {
    /// The shape of a pattern of the table; `None` if the pattern is not of the grammar above, names
    /// numbers of more than 20 characters or more than 2^62 of them.
    pub(super) fn parse(pattern: &'static str) -> Option<Self> {
        let mut alphabets: Vec<&'static [u8]> = Vec::new();
        let mut check = Check::None;
        let mut at = 0;
        let bytes = pattern.as_bytes();
        while let Some(&symbol) = bytes.get(at) {
            at += 1;
            let alphabet = match symbol {
                b'n' => DIGITS,
                b'l' => LETTERS,
                b'x' => EITHER,
                b'g' => GERMAN,
                b'p' => GERMAN_PASSPORT,
                b'q' => GERMAN_CARD,
                b'e' => CHINESE,
                b'u' => UKRAINIAN,
                b'A'..=b'Z' => bytes.get(at - 1..at)?,
                b'#' => {
                    check = Check::Polish;
                    b"0"
                }
                b'%' => {
                    check = Check::Belgian;
                    alphabets.push(b"0");
                    b"0"
                }
                _ => return None,
            };
            let digits = bytes
                .get(at..)?
                .iter()
                .take_while(|b| b.is_ascii_digit())
                .count();
            let count = match pattern.get(at..at + digits)? {
                "" => 1,
                text => text.parse().ok()?,
            };
            at += digits;
            alphabets.extend(std::iter::repeat_n(alphabet, count));
        }
        if alphabets.is_empty() || alphabets.len() > 20 {
            return None;
        }
        let sizes = alphabets.iter().map(|a| a.len() as u64);
        let capacity = sizes
            .into_iter()
            .try_fold(1u64, u64::checked_mul)
            .filter(|c| *c <= 1 << 62)?;
        Some(Self {
            pattern,
            alphabets,
            check,
            capacity,
        })
    }

    /// The pattern it was parsed from.
    pub(super) fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// How many numbers have the shape.
    pub(super) fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Whether the numbers from `first` to `last` differ in trailing digits only, and each number
    /// between them has the shape: then they can be reported as a range.
    pub(super) fn same_prefix(&self, first: u64, last: u64) -> bool {
        let digits = self
            .alphabets
            .iter()
            .rev()
            .take_while(|a| **a == DIGITS)
            .count();
        let numbers = 10u64.saturating_pow(digits as u32);
        self.check == Check::None && first / numbers == last / numbers
    }

    /// Whether a number could have both shapes (check digits aside).
    #[cfg(test)]
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let meet = |(a, b): (&&[u8], &&[u8])| a.iter().any(|byte| b.contains(byte));
        self.alphabets.len() == other.alphabets.len()
            && self.alphabets.iter().zip(&other.alphabets).all(meet)
    }

    /// The number at `index`, below [`capacity`](Self::capacity); numbers rise with the index.
    pub(super) fn number(&self, index: u64) -> Number {
        let mut number = Number {
            bytes: [0; MAX_LEN],
            len: self.alphabets.len() as u8,
        };
        let mut rest = index;
        let places = number
            .bytes
            .get_mut(..self.alphabets.len())
            .unwrap_or_default();
        for (place, alphabet) in places.iter_mut().zip(&self.alphabets).rev() {
            // Constant divisors compile to multiplications, which is what most positions are.
            let digit = match alphabet.len() {
                10 => take(&mut rest, 10),
                26 => take(&mut rest, 26),
                1 => 0,
                other => take(&mut rest, other as u64),
            };
            *place = alphabet.get(digit as usize).copied().unwrap_or(b'0');
        }
        match self.check {
            Check::None => {}
            Check::Polish => polish_check(&mut number.bytes),
            Check::Belgian => belgian_check(&mut number.bytes),
        }
        number
    }
}

/// Takes the last digit in base `radix` off `rest`.
fn take(rest: &mut u64, radix: u64) -> u64 {
    let digit = *rest % radix;
    *rest /= radix;
    digit
}

/// Sets the fourth character so that the weighted sum of the other eight gives it modulo 10.
fn polish_check(bytes: &mut [u8; MAX_LEN]) {
    const WEIGHTS: [u32; 9] = [7, 3, 1, 0, 7, 3, 1, 7, 3];
    let value = |b: u8| {
        if b.is_ascii_digit() {
            b - b'0'
        } else {
            b - b'A' + 10
        }
    };
    let sum: u32 = WEIGHTS
        .iter()
        .zip(bytes.iter())
        .map(|(w, b)| if *w == 0 { 0 } else { w * u32::from(value(*b)) })
        .sum();
    bytes[3] = b'0' + (sum % 10) as u8;
}

/// Sets characters 11 and 12 to the first ten digits modulo 97, or 97 where that is 0.
fn belgian_check(bytes: &mut [u8; MAX_LEN]) {
    let first = bytes
        .iter()
        .take(10)
        .fold(0u64, |n, b| n * 10 + u64::from(b - b'0'));
    let rest = match first % 97 {
        0 => 97,
        rest => rest as u8,
    };
    bytes[10] = b'0' + rest / 10;
    bytes[11] = b'0' + rest % 10;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &'static str, cases: &[(u64, &str)]) {
        let shape = Shape::parse(pattern).unwrap();
        for (index, expected) in cases {
            assert_eq!(
                std::str::from_utf8(shape.number(*index).as_bytes()).unwrap(),
                *expected,
                "{pattern} {index}"
            );
        }
    }

    #[test]
    fn numbers_of_shapes() {
        check(
            "n9",
            &[
                (0, "000000000"),
                (7, "000000007"),
                (999_999_999, "999999999"),
            ],
        );
        check(
            "l2n7",
            &[
                (0, "AA0000000"),
                (9_999_999, "AA9999999"),
                (10_000_000, "AB0000000"),
            ],
        );
        check("Kn8", &[(12_345_678, "K12345678")]);
        check("ln4x", &[(0, "A00000"), (35, "A0000Z"), (36, "A00010")]);
        check(
            "pg8",
            &[(0, "C00000000"), (26, "C0000000Z"), (27, "C00000010")],
        );
        check("een7", &[(10_000_000, "AB0000000")]);
        // Its fourth character checks the others: the example of public descriptions.
        check("l3#n5", &[(26 * 100_000, "ABA300000")]);
        check(
            "n10%",
            &[
                (0, "000000000097"),
                (97, "000000009797"),
                (1, "000000000101"),
            ],
        );
    }

    #[test]
    fn numbers_rise_with_the_index() {
        for pattern in ["n9", "l2n7", "pg8", "x9", "l3#n5"] {
            let shape = Shape::parse(pattern).unwrap();
            let step = shape.capacity() / 5000 + 1;
            let mut last = None;
            for index in (0..shape.capacity()).step_by(step as usize) {
                let number = shape.number(index).as_bytes().to_vec();
                assert!(last.as_ref() < Some(&number), "{pattern} at {index}");
                last = Some(number);
            }
        }
    }

    #[test]
    fn refuses_what_is_no_pattern() {
        for pattern in ["", "n0", "z3", "n21", "x20", "n99999999999999999999"] {
            assert!(Shape::parse(pattern).is_none(), "{pattern}");
        }
    }
}
