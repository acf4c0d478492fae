//! Letters of other scripts in the numbers of travel documents.
//!
//! Lists and officers write a series in the script at hand: the same mark is `СН` in a Ukrainian list, `CH` on the
//! document and `ＣＨ` from a full-width keyboard. [`fold`] gives each letter one fixed spelling in `A-Z`, the same
//! when a list is loaded and when a document is asked about; which of two spellings is the better one matters less
//! than that both sides use it.
//!
//! A series is a mark, not a word, so a Cyrillic or Greek letter that looks like a Latin one becomes that one (`В` is
//! `B`, `Н` is `H`, `Р` is `P`, `С` is `C`, `У` is `Y`, `Х` is `X`, whatever they sound like). All other Cyrillic
//! letters follow the transliteration of Doc 9303 part 3 section 6. Its exceptions for Ukrainian, and for the first
//! letter of a word, are left out: they need to know the language, and the number alone does not tell it. Other Greek
//! letters have no spelling: Greece prints series in the fourteen that look Latin, and Doc 9303 has no Greek table.

use unicode_normalization::char::{compose, decompose_canonical, is_combining_mark};

/// The letter's spelling in `A-Z`; empty for the soft sign, which has none. `None` for a character that is no
/// letter of a script known here.
///
/// Takes capital and small letters alike. ASCII is none of its business: it answers `None`.
pub(super) fn fold(character: char) -> Option<&'static str> {
    let capital = capital(character);
    if let Some(letter) = look_alike_of(capital) {
        return Some(letter);
    }
    Some(match capital {
        // By Doc 9303 part 3 section 6.
        'Б' => "B",
        'Г' | 'Ѓ' | 'Ґ' => "G",
        'Д' | 'Ђ' => "D",
        'Ё' | 'Э' => "E",
        'Є' | 'Ъ' => "IE",
        'Ж' => "ZH",
        'З' => "Z",
        'И' | 'Ї' | 'Й' => "I",
        'Л' => "L",
        'Љ' => "LJ",
        'Њ' => "NJ",
        'П' => "P",
        'Ў' => "U",
        'Ф' => "F",
        'Ц' => "TS",
        'Ч' => "CH",
        'Џ' => "DZ",
        'Ш' => "SH",
        'Щ' => "SHCH",
        'Ы' => "Y",
        'Ь' => "",
        'Ю' => "IU",
        'Я' => "IA",
        _ => return None,
    })
}

/// The Latin capital that a Cyrillic or Greek letter looks like. Takes capital and small letters alike.
pub(super) fn look_alike(character: char) -> Option<u8> {
    look_alike_of(capital(character))?.bytes().next()
}

/// The same for a capital, as its spelling.
fn look_alike_of(capital: char) -> Option<&'static str> {
    Some(match capital {
        'А' | 'Α' => "A",
        'В' | 'Β' => "B",
        'С' | 'Ϲ' => "C",
        'Е' | 'Ε' => "E",
        'Н' | 'Η' => "H",
        'І' | 'Ι' => "I",
        'Ј' | 'Ϳ' => "J",
        'К' | 'Κ' => "K",
        'М' | 'Μ' => "M",
        'Ν' => "N",
        'О' | 'Ο' => "O",
        'Р' | 'Ρ' => "P",
        'Ѕ' => "S",
        'Т' | 'Τ' => "T",
        'Х' | 'Χ' => "X",
        'У' | 'Υ' => "Y",
        'Ζ' => "Z",
        _ => return None,
    })
}

/// A letter and the marks behind it as one letter, where Unicode has it, and how many marks that took: `И` and a breve
/// are `Й`, however a keyboard or a file system has written it.
pub(super) fn composed(letter: char, behind: &str) -> (char, usize) {
    let mut composed = (letter, 0);
    for mark in behind.chars().take_while(|&mark| is_combining_mark(mark)) {
        match compose(composed.0, mark) {
            Some(both) => composed = (both, composed.1 + 1),
            None => break,
        }
    }
    composed
}

/// The letter under the marks of a composed one (`Ά` is `Α`, `Ќ` is `К`); the character itself without any.
pub(super) fn base(character: char) -> char {
    let mut base = None;
    decompose_canonical(character, |part| {
        base.get_or_insert(part);
    });
    base.unwrap_or(character)
}

/// The capital of a letter in the Cyrillic block (U+0400 to U+045F, and Ґ) or the Greek alphabet; any other character
/// as it is.
///
/// `char::to_uppercase` would also turn letters of other scripts into ASCII (`ı` into `I`, `ſ` into `S`).
fn capital(character: char) -> char {
    const ROW: u32 = 0x20;
    let code = u32::from(character);
    let capital = match character {
        'а'..='я' | 'α'..='ρ' | 'σ'..='ω' => code - ROW,
        'ѐ'..='џ' => code - 0x50,
        'ґ' => code - 1,
        'ϲ' => code + 7,
        'ϳ' => 0x37F,
        _ => code,
    };
    char::from_u32(capital).unwrap_or(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Capital, small letter, spelling.
    const CYRILLIC: &[(char, char, &str)] = &[
        ('А', 'а', "A"),
        ('Б', 'б', "B"),
        ('В', 'в', "B"),
        ('Г', 'г', "G"),
        ('Ґ', 'ґ', "G"),
        ('Д', 'д', "D"),
        ('Е', 'е', "E"),
        ('Ё', 'ё', "E"),
        ('Є', 'є', "IE"),
        ('Ж', 'ж', "ZH"),
        ('З', 'з', "Z"),
        ('И', 'и', "I"),
        ('І', 'і', "I"),
        ('Ї', 'ї', "I"),
        ('Й', 'й', "I"),
        ('К', 'к', "K"),
        ('Л', 'л', "L"),
        ('М', 'м', "M"),
        ('Н', 'н', "H"),
        ('О', 'о', "O"),
        ('П', 'п', "P"),
        ('Р', 'р', "P"),
        ('С', 'с', "C"),
        ('Т', 'т', "T"),
        ('У', 'у', "Y"),
        ('Ф', 'ф', "F"),
        ('Х', 'х', "X"),
        ('Ц', 'ц', "TS"),
        ('Ч', 'ч', "CH"),
        ('Ш', 'ш', "SH"),
        ('Щ', 'щ', "SHCH"),
        ('Ъ', 'ъ', "IE"),
        ('Ы', 'ы', "Y"),
        ('Ь', 'ь', ""),
        ('Э', 'э', "E"),
        ('Ю', 'ю', "IU"),
        ('Я', 'я', "IA"),
        // Belarus, Serbia, North Macedonia.
        ('Ў', 'ў', "U"),
        ('Ђ', 'ђ', "D"),
        ('Ѓ', 'ѓ', "G"),
        ('Ѕ', 'ѕ', "S"),
        ('Ј', 'ј', "J"),
        ('Љ', 'љ', "LJ"),
        ('Њ', 'њ', "NJ"),
        ('Џ', 'џ', "DZ"),
    ];

    /// The Greek letters that look like a Latin one, and no other.
    const GREEK: &[(char, char, &str)] = &[
        ('Α', 'α', "A"),
        ('Β', 'β', "B"),
        ('Ε', 'ε', "E"),
        ('Ζ', 'ζ', "Z"),
        ('Η', 'η', "H"),
        ('Ι', 'ι', "I"),
        ('Κ', 'κ', "K"),
        ('Μ', 'μ', "M"),
        ('Ν', 'ν', "N"),
        ('Ο', 'ο', "O"),
        ('Ρ', 'ρ', "P"),
        ('Τ', 'τ', "T"),
        ('Υ', 'υ', "Y"),
        ('Χ', 'χ', "X"),
        ('Ϲ', 'ϲ', "C"),
        ('Ϳ', 'ϳ', "J"),
    ];

    #[test]
    fn each_letter_has_one_spelling_in_both_cases() {
        for &(large, small, spelling) in CYRILLIC.iter().chain(GREEK) {
            assert_eq!(fold(large), Some(spelling), "{large}");
            assert_eq!(fold(small), Some(spelling), "{small}");
            assert!(
                spelling.bytes().all(|byte| byte.is_ascii_uppercase()),
                "{large}"
            );
            // The tables must not hold a Latin letter that merely looks right.
            assert!(
                ('\u{370}'..='\u{491}').contains(&large),
                "{large} is neither Greek nor Cyrillic"
            );
            assert_eq!(small.to_uppercase().collect::<String>(), large.to_string());
        }
    }

    #[test]
    fn no_other_character_has_one() {
        let folded = (char::MIN..=char::MAX)
            .filter(|&character| fold(character).is_some())
            .count();
        assert_eq!(folded, 2 * (CYRILLIC.len() + GREEK.len()));
    }

    #[test]
    fn letters_and_their_marks() {
        assert_eq!(composed('И', "\u{306}1"), ('Й', 1));
        assert_eq!(composed('ι', "\u{308}\u{301}"), ('ΐ', 2));
        assert_eq!(composed('В', "\u{301}"), ('В', 0));
        assert_eq!(composed('A', "1"), ('A', 0));
        for (letter, expected) in [('Ά', 'Α'), ('Ќ', 'К'), ('ΐ', 'ι'), ('A', 'A'), ('Я', 'Я')]
        {
            assert_eq!(base(letter), expected);
        }
    }
}
