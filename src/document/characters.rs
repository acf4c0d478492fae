//! What characters outside ASCII stand for in numbers and codes: digits of all scripts, dashes, full-width forms, and
//! characters that nobody sees.
//!
//! Numbers are copied from web pages, typed on keyboards of many scripts and put through spreadsheets. A digit is the
//! same digit in each script; a dash separates whatever its length; what has no width says nothing.

/// The ASCII character that a character stands for: of a digit of any script (general category Nd) the digit, of a
/// dash, hyphen or minus `-`, of a slash `/`, of a full-width form that form. ASCII stands for itself.
pub(super) fn ascii(character: char) -> Option<u8> {
    if character.is_ascii() {
        return u8::try_from(character).ok();
    }
    if let Some(digit) = digit(character) {
        return Some(digit);
    }
    if is_dash(character) {
        return Some(b'-');
    }
    match character {
        '\u{2044}' | '\u{2215}' | '\u{29F8}' => Some(b'/'),
        // The decimal and thousands separators of Arabic.
        '\u{66B}' | '\u{66C}' => Some(b','),
        _ => half_width(character),
    }
}

/// Whether nobody sees the character and it stands for nothing: soft hyphen, zero-width characters, marks of
/// direction, fillers, variation selectors, tags (Unicode 16, property Default_Ignorable_Code_Point), and the anchors of
/// annotations.
pub(super) fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{AD}'
            | '\u{34F}'
            | '\u{61C}'
            | '\u{115F}'..='\u{1160}'
            | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{3164}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
            | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1BCA0}'..='\u{1BCA3}'
            | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}'
    )
}

/// The zero of each run of ten decimal digits outside ASCII (Unicode 16, general category Nd), in order.
#[rustfmt::skip]
const ZEROS: [u32; 74] = [
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x10D40, 0x11066, 0x110F0, 0x11136, 0x111D0,
    0x112F0, 0x11450, 0x114D0, 0x11650, 0x116C0, 0x116D0, 0x116DA, 0x11730, 0x118E0, 0x11950, 0x11BF0, 0x11C50,
    0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0, 0x16B50, 0x16D70, 0x1CCF0, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC,
    0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E5F1, 0x1E950, 0x1FBF0,
];

fn digit(character: char) -> Option<u8> {
    let code = u32::from(character);
    let after = ZEROS.partition_point(|&zero| zero <= code);
    let zero = ZEROS.get(after.checked_sub(1)?)?;
    let value = u8::try_from(code - zero).ok().filter(|&value| value < 10)?;
    Some(b'0' + value)
}

/// Dashes (general category Pd), minus signs, and what keyboards and screens put in their place: the prolonged sound
/// mark of Japanese keyboards and the line of box drawings.
fn is_dash(character: char) -> bool {
    matches!(
        character,
        '\u{58A}' | '\u{5BE}' | '\u{1400}' | '\u{1806}' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2E17}'
                | '\u{2E1A}'
                | '\u{2E3A}'
                | '\u{2E3B}'
                | '\u{2E40}'
                | '\u{2E5D}'
                | '\u{301C}'
                | '\u{3030}'
                | '\u{30A0}'
                | '\u{FE31}'
                | '\u{FE32}'
                | '\u{FE58}'
                | '\u{FE63}'
                | '\u{FF0D}'
                | '\u{10EAD}'
                | '\u{2D7}'
                | '\u{2043}'
                | '\u{207B}'
                | '\u{208B}'
                | '\u{2212}'
                | '\u{2796}'
                | '\u{2500}'
                | '\u{30FC}'
                | '\u{FF70}'
    )
}

/// The ASCII character that a full-width form or an ideographic space stands for (Unicode block "Halfwidth and
/// Fullwidth Forms", U+FF01 to U+FF5E, in the order of ASCII from `!`).
fn half_width(character: char) -> Option<u8> {
    const IDEOGRAPHIC_SPACE: u32 = 0x3000;
    const FIRST: u32 = 0xFF01;
    const LAST: u32 = 0xFF5E;
    match u32::from(character) {
        IDEOGRAPHIC_SPACE => Some(b' '),
        code @ FIRST..=LAST => u8::try_from(code - FIRST).ok().map(|offset| b'!' + offset),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_all_scripts() {
        assert!(ZEROS.is_sorted_by(|a, b| a + 10 <= *b), "runs of ten");
        for zero in ZEROS {
            for value in 0..10 {
                let character = char::from_u32(zero + u32::from(value)).unwrap();
                assert!(character.is_numeric(), "U+{:04X}", zero + u32::from(value));
                assert_eq!(ascii(character), Some(b'0' + value));
            }
        }
        for (text, expected) in [
            ("\u{661}\u{662}\u{663}", "123"),
            ("\u{6F4}\u{6F5}\u{6F6}", "456"),
            ("७८९", "789"),
            ("๐๑", "01"),
            ("９", "9"),
        ] {
            let digits: Vec<u8> = text.chars().filter_map(ascii).collect();
            assert_eq!(digits, expected.as_bytes());
        }
        // Fractions, superscripts and numerals that are no digits.
        for character in ['½', '²', '①', 'Ⅷ', '八'] {
            assert_eq!(ascii(character), None, "{character}");
        }
    }

    #[test]
    fn dashes_and_what_nobody_sees() {
        for dash in "-\u{2010}\u{2011}‒–—―−﹣－ー".chars() {
            assert_eq!(ascii(dash), Some(b'-'), "U+{:04X}", u32::from(dash));
            assert!(!is_invisible(dash));
        }
        for unseen in
            "\u{AD}\u{200B}\u{200C}\u{200D}\u{200E}\u{200F}\u{202C}\u{2060}\u{2066}\u{FEFF}\u{61C}\u{1160}\u{3164}\u{E0041}"
                .chars()
        {
            assert!(is_invisible(unseen), "U+{:04X}", u32::from(unseen));
            assert_eq!(ascii(unseen), None);
        }
        assert!(!is_invisible(' ') && !is_invisible('a') && !is_invisible('\n'));
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
        assert_eq!(half_width('＜'), Some(b'<'));
        assert_eq!(half_width('\u{3000}'), Some(b' '));
        assert_eq!(half_width('ｱ'), None);
    }
}
