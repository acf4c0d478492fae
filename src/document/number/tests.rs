//! Numbers as they are written, and texts that are none.

use super::*;
use proptest::prelude::*;

fn check(raw: &str, expected: Result<&str, NumberError>) {
    let found = DocumentNumber::normalise(raw);
    assert_eq!(
        found
            .as_ref()
            .map(DocumentNumber::as_str)
            .map_err(|&error| error),
        expected,
        "{raw:?}"
    );
    assert_eq!(
        DocumentNumber::normalise_bytes(raw.as_bytes()),
        found,
        "{raw:?} as bytes"
    );
    assert_eq!(raw.parse(), found, "{raw:?} parsed");
}

#[test]
fn numbers_as_they_are_written() {
    for (raw, expected) in [
        ("L898902C3", "L898902C3"),
        ("l898902c3", "L898902C3"),
        ("  AB 12-34.56/78_9<<< ", "AB123456789"),
        ("000001", "000001"),
        ("0", "0"),
        ("ABCDEFGHIJKLMNOPQRSTUVWX", "ABCDEFGHIJKLMNOPQRSTUVWX"),
        // White space around is trimmed whatever it is, a no-break space within dropped.
        ("\tAB123\r\n", "AB123"),
        ("\u{a0}AB\u{a0}123\u{2009}4\u{3000}", "AB1234"),
        // Both of a confusable pair are kept.
        ("A08O26475", "A08O26475"),
        ("IO10", "IO10"),
        // Full width.
        ("ＡＢ－１２３　４５６", "AB123456"),
        ("ａｂ１２＜＜", "AB12"),
        // By look, in both cases, alone and mixed with Latin letters.
        ("СН 123456", "CH123456"),
        ("сн123456", "CH123456"),
        ("CН123456", "CH123456"),
        ("АВЕІКМНОРСТУХ", "ABEIKMHOPCTYX"),
        ("авеікмнорстух", "ABEIKMHOPCTYX"),
        // By Doc 9303's table; a Soviet series.
        ("ІІ-ЯЯ 123456", "IIIAIA123456"),
        ("ЖЩ1", "ZHSHCH1"),
        ("ЬЪ1ь", "IE1"),
        // Greek letters by look.
        ("ΑΒ 123456", "AB123456"),
        ("αβεζηικμνορτυχ1", "ABEZHIKMNOPTYX1"),
        // A letter and its marks are one letter, in one character or in several.
        ("Й1", "I1"),
        ("И\u{306}1", "I1"),
        ("У\u{306}1", "U1"),
        ("Ў1", "U1"),
        ("Е\u{308}Ё1", "EE1"),
        ("ΆΑ\u{301}1", "AA1"),
        ("Ќ1", "K1"),
        ("К\u{301}1", "K1"),
        // Digits of other scripts.
        ("AB\u{661}\u{662}\u{663}", "AB123"),
        ("\u{6F4}\u{6F5}\u{6F6}", "456"),
        ("AB ७८९", "AB789"),
        // Whatever separates, and what nobody sees.
        ("AB\u{2010}12\u{2011}34–56—78−9", "AB123456789"),
        (
            "\u{feff}AB\u{ad}1\u{200b}2\u{200d}3\u{2060}4\u{202a}5\u{202c}\u{200e}",
            "AB12345",
        ),
        ("\u{2066}AB1\u{2069}", "AB1"),
    ] {
        check(raw, Ok(expected));
    }
}

#[test]
fn texts_that_are_no_number() {
    let wrong = |character, position| {
        Err(NumberError::Character {
            character,
            position,
        })
    };
    for (raw, expected) in [
        ("", Err(NumberError::Empty)),
        ("   ", Err(NumberError::Empty)),
        (" -./_<<", Err(NumberError::Empty)),
        ("Ь", Err(NumberError::Empty)),
        (
            "ABCDEFGHIJKLMNOPQRSTUVWXY",
            Err(NumberError::TooLong { length: 25 }),
        ),
        ("ЩЩЩЩЩЩЩ", Err(NumberError::TooLong { length: 28 })),
        ("AB?123", wrong('?', 3)),
        // Positions count characters of the text as given, blanks and all.
        ("  AB,1", wrong(',', 5)),
        ("\u{a0}\u{a0}СН 1+", wrong('+', 7)),
        ("ＡＢ！１", wrong('！', 3)),
        ("AB\t123", wrong('\t', 3)),
        ("AB\n123", wrong('\n', 3)),
        ("AB\0", wrong('\0', 3)),
        // Letters that upper-casing would turn into ASCII, and letters of other scripts.
        ("ı1", wrong('ı', 1)),
        ("ſ1", wrong('ſ', 1)),
        ("ß1", wrong('ß', 1)),
        ("Ä1", wrong('Ä', 1)),
        ("A\u{308}1", wrong('Ä', 1)),
        ("1Ω", wrong('Ω', 2)),
        ("1½", wrong('½', 2)),
        ("В\u{301}1", wrong('\u{301}', 2)),
        // A wrong character counts for more than the length.
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZ#", wrong('#', 27)),
    ] {
        check(raw, expected);
    }
    assert_eq!(
        DocumentNumber::normalise_bytes(b"AB\xff1"),
        Err(NumberError::NotUtf8 { position: 3 })
    );
    assert_eq!(
        DocumentNumber::normalise_bytes("СН1".as_bytes())
            .unwrap()
            .as_str(),
        "CH1"
    );
}

#[test]
fn every_ascii_character() {
    let accepted: String = (0..128u8)
        .map(char::from)
        .filter(|&character| DocumentNumber::normalise(&format!("A{character}B")).is_ok())
        .collect();
    let expected = " -./0123456789<ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
    assert_eq!(accepted, expected);
}

#[test]
fn errors_repeat_one_character_at_most() {
    for (raw, expected) in [
        ("", "no letter or digit: expected 1 to 24 of them"),
        (
            "1234567890123456789012345",
            "25 letters and digits: expected 1 to 24",
        ),
        (
            "1234,5",
            "character 5 is U+002C ',': expected letters, digits, spaces and - . / _ <",
        ),
        (
            "12'3",
            "character 3 is U+0027 ''': expected letters, digits, spaces and - . / _ <",
        ),
        (
            "12Ä3",
            "character 3 is U+00C4 'Ä': expected letters, digits, spaces and - . / _ <",
        ),
        (
            "1\t2",
            "character 2 is U+0009: expected letters, digits, spaces and - . / _ <",
        ),
        (
            "1\u{301}2",
            "character 2 is U+0301: expected letters, digits, spaces and - . / _ <",
        ),
        (
            "1\u{85}2",
            "character 2 is U+0085: expected letters, digits, spaces and - . / _ <",
        ),
    ] {
        let error = DocumentNumber::normalise(raw).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn debug_keeps_the_number_back() {
    let number = DocumentNumber::normalise("AB123456").unwrap();
    assert_eq!(format!("{number:?}"), "DocumentNumber(8 characters)");
    assert_eq!(format!("{number:>10}"), "  AB123456");
}

#[test]
fn normalised_bytes_are_taken_as_they_are() {
    for bytes in [
        &b""[..],
        b"ab1",
        b"A 1",
        b"A<1",
        b"ABCDEFGHIJKLMNOPQRSTUVWXY",
        "Ä".as_bytes(),
    ] {
        assert_eq!(DocumentNumber::from_normalised(bytes), None, "{bytes:?}");
    }
    let number = DocumentNumber::from_normalised(b"ABCDEFGHIJKLMNOPQRSTUVWX").unwrap();
    assert_eq!(number.as_bytes(), b"ABCDEFGHIJKLMNOPQRSTUVWX");
}

proptest! {
    #[test]
    fn normalising_is_total_and_idempotent(raw in any::<String>()) {
        if let Ok(number) = DocumentNumber::normalise(&raw) {
            prop_assert_eq!(DocumentNumber::normalise(number.as_str()), Ok(number));
            prop_assert_eq!(DocumentNumber::from_normalised(number.as_bytes()), Some(number));
        }
    }

    #[test]
    fn both_paths_agree(raw in "[ -~]{0,30}|[ A-Za-z0-9<./_-]{0,30}|[А-яA-Zａ-ｚ0-9 ]{0,12}") {
        prop_assert_eq!(DocumentNumber::normalise(&raw), DocumentNumber::normalise_slowly(&raw));
    }

    /// What is taken for a number at a glance is one when looked at.
    #[test]
    fn cells_at_a_glance(
        raw in "[A-Za-z]{0,2}[0-9]{0,9}[ ./_<E-]{0,2}[0-9]{0,7}[ -]?[A-Z]{0,2}|[0-9]{1,3}[ .-]?[Ee][ .+-]?[0-9]{1,9}|[0-9A-Z ./-]{0,16}"
    ) {
        let found = DocumentNumber::from_cell(&raw);
        prop_assert_eq!(found, crate::document::cell::read(&raw));
        prop_assert_eq!(found, DocumentNumber::from_cell_bytes(raw.as_bytes()));
    }

    #[test]
    fn any_bytes_are_answered(raw in any::<Vec<u8>>()) {
        let text = std::str::from_utf8(&raw);
        match DocumentNumber::normalise_bytes(&raw) {
            Err(NumberError::NotUtf8 { position }) => {
                prop_assert_eq!(position, text.unwrap_err().valid_up_to() + 1);
            }
            other => prop_assert_eq!(other, DocumentNumber::normalise(text.unwrap())),
        }
    }

    #[test]
    fn order_is_that_of_the_bytes(a in "[A-Z0-9]{1,24}", b in "[A-Z0-9]{1,24}", shared in 0..24usize) {
        // Random texts rarely share a beginning, where order is decided by length.
        let b: String = a.chars().take(shared).chain(b.chars()).take(24).collect();
        let (x, y) = (DocumentNumber::normalise(&a).unwrap(), DocumentNumber::normalise(&b).unwrap());
        prop_assert_eq!(x.cmp(&y), a.as_bytes().cmp(b.as_bytes()));
    }
}
