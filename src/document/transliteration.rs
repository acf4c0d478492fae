//! Letters of other scripts in the numbers of travel documents.
//!
//! Lists and officers write a series in the script at hand: the same mark is `СН` in a Ukrainian list, `CH` on the
//! document and `ＣＨ` from a full-width keyboard. [`fold`] gives each letter one fixed spelling in `A-Z`, the same
//! when a list is loaded and when a document is asked about; which of two spellings is the better one matters less
//! than that both sides use it.
//!
//! A series is a mark, not a word, so a Cyrillic letter that looks like a Latin one becomes that one (`В` is `B`,
//! `Н` is `H`, `Р` is `P`, `С` is `C`, `У` is `Y`, `Х` is `X`, whatever they sound like). All others follow the
//! transliteration of Doc 9303 part 3 section 6. Its exceptions for Ukrainian, and for the first letter of a word,
//! are left out: they need to know the language, and the number alone does not tell it.

/// The letter's spelling in `A-Z`; empty for the soft sign, which has none. `None` for a character that is no
/// letter of a script known here.
///
/// Takes capital and small letters alike. ASCII is none of its business: it answers `None`.
pub(super) fn fold(character: char) -> Option<&'static str> {
    Some(match capital(character) {
        // By look.
        'А' => "A",
        'В' => "B",
        'Е' => "E",
        'Ѕ' => "S",
        'І' => "I",
        'Ј' => "J",
        'К' => "K",
        'М' => "M",
        'Н' => "H",
        'О' => "O",
        'Р' => "P",
        'С' => "C",
        'Т' => "T",
        'У' => "Y",
        'Х' => "X",
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

/// The ASCII character that a full-width form or an ideographic space stands for (Unicode block "Halfwidth and
/// Fullwidth Forms", U+FF01 to U+FF5E, in the order of ASCII from `!`).
pub(super) fn half_width(character: char) -> Option<u8> {
    const IDEOGRAPHIC_SPACE: u32 = 0x3000;
    const FIRST: u32 = 0xFF01;
    const LAST: u32 = 0xFF5E;
    match u32::from(character) {
        IDEOGRAPHIC_SPACE => Some(b' '),
        code @ FIRST..=LAST => u8::try_from(code - FIRST).ok().map(|offset| b'!' + offset),
        _ => None,
    }
}

/// The capital of a letter in the Cyrillic block (U+0400 to U+045F, and Ґ); any other character as it is.
///
/// `char::to_uppercase` would also turn letters of other scripts into ASCII (`ı` into `I`, `ſ` into `S`).
fn capital(character: char) -> char {
    const ROW: u32 = 0x20;
    let code = u32::from(character);
    let capital = match character {
        'а'..='я' => code - ROW,
        'ѐ'..='џ' => code - 0x50,
        'ґ' => code - 1,
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

    #[test]
    fn each_letter_has_one_spelling_in_both_cases() {
        for &(large, small, spelling) in CYRILLIC {
            assert_eq!(fold(large), Some(spelling), "{large}");
            assert_eq!(fold(small), Some(spelling), "{small}");
            assert!(
                spelling.bytes().all(|byte| byte.is_ascii_uppercase()),
                "{large}"
            );
            // The table above must not hold a Latin letter that merely looks right.
            assert!(
                ('\u{400}'..='\u{491}').contains(&large),
                "{large} is not Cyrillic"
            );
            assert_eq!(small.to_uppercase().collect::<String>(), large.to_string());
        }
    }

    #[test]
    fn no_other_character_has_one() {
        let folded = (char::MIN..=char::MAX)
            .filter(|&character| fold(character).is_some())
            .count();
        assert_eq!(folded, 2 * CYRILLIC.len());
    }

    #[test]
    fn full_width_forms_stand_for_ascii() {
        let forms: Vec<char> = (char::MIN..=char::MAX)
            .filter(|&c| half_width(c).is_some_and(|b| b != b' '))
            .collect();
        assert_eq!(forms.len(), 94);
        let ascii: Vec<u8> = forms.iter().filter_map(|&form| half_width(form)).collect();
        assert!(ascii.iter().copied().eq(b'!'..=b'~'));
        assert_eq!(half_width('Ａ'), Some(b'A'));
        assert_eq!(half_width('ｚ'), Some(b'z'));
        assert_eq!(half_width('９'), Some(b'9'));
        assert_eq!(half_width('＜'), Some(b'<'));
        assert_eq!(half_width('\u{3000}'), Some(b' '));
        assert_eq!(half_width('ｱ'), None);
    }
}
