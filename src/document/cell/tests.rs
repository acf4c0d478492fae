use super::*;
use crate::document::{DocumentType, IssuingState};

fn read(raw: &str) -> Result<String, NumberError> {
    DocumentNumber::from_cell(raw).map(|number| number.to_string())
}

#[track_caller]
fn refused(raw: &str, expected: NumberError) {
    assert_eq!(read(raw), Err(expected), "{raw}");
    assert_eq!(
        DocumentNumber::from_cell_bytes(raw.as_bytes()),
        Err(expected),
        "{raw}"
    );
}

#[track_caller]
fn accepted(raw: &str, number: &str) {
    assert_eq!(read(raw).as_deref(), Ok(number), "{raw}");
}

#[test]
fn amounts_of_spreadsheets() {
    for raw in [
        "990000201.0",
        "990000201.00",
        "12345678.5",
        " 12345678.5 ",
        "-12345678.0",
        "12345678,5",
        "990000201,00",
        "990.000.201,00",
        "990,000,201.00",
        "990 000 201.0",
        "1234.567",
        "0.123",
        "1234.5678",
        "12.3456",
        ".5",
        "９９００００２０１．０",
        "\u{669}\u{669}\u{660}\u{660}\u{660}\u{660}\u{662}\u{660}\u{661}\u{66B}\u{660}",
    ] {
        refused(raw, NumberError::Decimal);
    }
    for (raw, number) in [
        ("12.345.678", "12345678"),
        ("1.234", "1234"),
        ("123.456", "123456"),
        ("12.34.56", "123456"),
        ("990000201.", "990000201"),
        ("AB.123456", "AB123456"),
        ("AB 1234.5", "AB12345"),
        ("123.456.789.0", "1234567890"),
    ] {
        accepted(raw, number);
    }
}

#[test]
fn numbers_with_an_exponent() {
    for raw in [
        "1.23457E8",
        "1,23457E+08",
        "1.23457e+11",
        "1E+08",
        "9.9E8",
        "9.90000201E+8",
        "1.0E9",
        "5E-12",
        "1.2E-5",
        "1.23457 E+08",
        "1.23457E 8",
        "+1.5E8",
        "１．２３Ｅ８",
        "123E+4",
        "1.E8",
    ] {
        refused(raw, NumberError::Exponent);
    }
    for (raw, number) in [
        ("12E45678", "12E45678"),
        ("12E-45678", "12E45678"),
        ("1E8", "1E8"),
        ("12.E45678", "12E45678"),
        ("AE+1", "!"),
        ("E12345678", "E12345678"),
        ("12 E 345", "12E345"),
        ("1.2E34567", "12E34567"),
    ] {
        if number == "!" {
            assert!(matches!(read(raw), Err(NumberError::Character { .. })));
        } else {
            accepted(raw, number);
        }
    }
}

#[test]
fn two_numbers_in_one_cell() {
    for raw in [
        "AB990204-AB990209",
        "AB990210/AB990211",
        "AB990210 / AB990211",
        "AB990210 AB990211",
        "AB990210;AB990211",
        "AB990210, AB990211",
        "AB990210–AB990211",
        "AB990210 — AB990211",
        "AB990204 to AB990209",
        "ab990204 bis ab990209",
        "AB990204 до AB990209",
        "AB 990204 - AB 990209",
        "AB 990204/AB 990209",
        "AB 990204 AB 990209",
        "AB-990204 / AB-990209",
        "990204-990209",
        "AB990204 to 990209",
        "AB990204 bis 09",
        "AB 990204 thru 09",
        "AB990204 and 5",
        "AB990204…AB990209",
        "AB990204 (AB990209)",
        "123456 / 123457 / 123458",
        "AB990204 AB990205 CD1",
        "AB990204\nAB990205",
        "АВ990204-АВ990209",
        "AB990204+AB990205",
        "12 34 56 / 12 34 57",
    ] {
        refused(raw, NumberError::TwoNumbers);
    }
    for (raw, number) in [
        ("1234 5678 9012 3456", "1234567890123456"),
        ("123-456-789", "123456789"),
        ("123 456 789 012", "123456789012"),
        ("590-1234567-12", "590123456712"),
        ("AB 990204", "AB990204"),
        ("AB990214/15", "AB99021415"),
        ("12 TO 34567", "12TO34567"),
        ("12 AL 34567", "12AL34567"),
        ("12345/19", "1234519"),
        ("12345-12346", "1234512346"),
        ("20010203-12345", "2001020312345"),
        ("AB1234-CD1234", "!"),
    ] {
        if number == "!" {
            refused(raw, NumberError::TwoNumbers);
        } else {
            accepted(raw, number);
        }
    }
}

#[test]
fn texts_that_are_placeholders_and_no_number() {
    for raw in [
        "-",
        "--",
        "?",
        "???",
        "***",
        ".",
        "#N/A",
        "(null)",
        "<unknown>",
        "[none]",
        "Néant",
        "NEZNÁMÝ",
        "\u{2014}",
        // No digit, and nothing that a number is made of.
        "né",
        "nicht lesbar (Brand)",
        "未知",
        "لا يوجد",
        "#GETTING_DATA",
        "#DIV/0!",
        // Words of letters.
        "brak numeru",
        "not yet issued",
        "no_reference",
        "Anna Maria",
        // No State prints more than a series in them.
        "НЕИЗВЕСТНО",
        "Отсутствует",
        "ΆΓΝΩΣΤΟΣ",
    ] {
        refused(raw, NumberError::Placeholder);
    }
    assert_eq!(read(""), Err(NumberError::Empty));
    assert_eq!(read("   "), Err(NumberError::Empty));
    assert!(matches!(
        read("AB?12345"),
        Err(NumberError::Character { .. })
    ));
    assert!(matches!(read("né 7"), Err(NumberError::Character { .. })));
    // Random numbers without a digit, and one letter over and over.
    for (raw, number) in [
        ("CFGHJKLMN", "CFGHJKLMN"),
        ("CFGHJ KLMN", "CFGHJKLMN"),
        ("JUCLMOTX", "JUCLMOTX"),
        ("AAAA AAAA", "AAAAAAAA"),
        ("МЮ 123456", "MIU123456"),
        ("brak numeru 1", "BRAKNUMERU1"),
    ] {
        accepted(raw, number);
    }
}

#[test]
fn numbers_that_are_placeholders() {
    let standard = Placeholders::default();
    let is_one = |raw: &str| {
        let number = DocumentNumber::from_cell(raw);
        match number {
            Ok(number) => standard.contains(&number, None),
            Err(error) => error == NumberError::Placeholder,
        }
    };
    for raw in [
        "NULL",
        "N/A",
        "n.a.",
        "NA",
        "none",
        "NIL",
        "Unknown",
        "UNBEKANNT",
        "NEZNAMY",
        "BRAK",
        "SANS",
        "NIEZNANY",
        "0",
        "00",
        "000000000",
        "0000000000000000",
        "X",
        "XX",
        "XXXXXXXXX",
        "xxx-xxx",
        "TEST",
        "7",
        "Q",
        "5",
        "НЕВІДОМО",
        "неизвестно",
        "б/н",
        "k.A.",
        "S/N",
        "keine Angabe",
        "KEINEANGABE",
        "TUNTEMATON",
        "notRecorded",
        "0.0.0",
        // Short and without a digit.
        "SMITH",
        "ABC",
        "nemo",
        "#REF!",
    ] {
        assert!(is_one(raw), "{raw}");
    }
    for raw in [
        "A1",
        "10",
        "0000001",
        "X1",
        "XX0",
        "AB000000",
        "TEST1",
        "NA123",
        "CFGHJKLMN",
        "AAAAAA",
        "ABCDEFG",
        "SMITH1",
        "0X",
        "11",
        "99999",
    ] {
        assert!(!is_one(raw), "{raw}");
    }
}

#[test]
fn cells_that_are_known_to_say_nothing() {
    for text in [
        "NULL",
        "#N/A",
        "k.A.",
        "neznámý",
        "000",
        "0",
        "xx",
        "-",
        "?",
        "#DIV/0!",
    ] {
        assert!(Placeholders::is_cell(text), "{text}");
    }
    for text in [
        "",
        " ",
        "5",
        "F",
        "ANNA",
        "Anna Maria",
        "Анна",
        "Zoë",
        "NULL1",
        "AB123456",
    ] {
        assert!(!Placeholders::is_cell(text), "{text}");
    }
}

#[test]
fn sources_add_placeholders_and_exempt_numbers() {
    let number = |raw: &str| DocumentNumber::normalise(raw).unwrap();
    let state = |code: &str| IssuingState::parse(code).unwrap();
    let placeholders = Placeholders::new(
        [number("999999999")],
        [
            Exemption {
                number: number("000000000"),
                issuing_state: Some(state("FRA")),
            },
            Exemption {
                number: number("XXX"),
                issuing_state: None,
            },
        ],
    );
    for (raw, issuer, expected) in [
        ("999999999", None, true),
        ("999999998", None, false),
        ("000000000", Some("FRA"), false),
        ("000000000", Some("D"), true),
        ("000000000", None, false),
        ("00000000", Some("FRA"), true),
        ("XXX", Some("D"), false),
        ("XXXX", None, true),
    ] {
        let issuer = issuer.map(state);
        let found = placeholders.contains(&number(raw), issuer.as_ref());
        assert_eq!(found, expected, "{raw} {issuer:?}");
    }
    assert_eq!(placeholders.exemptions().len(), 2);
}

#[test]
fn numbers_that_are_unlikely() {
    use Unlikely::{AbbreviatedRange, Date, RepeatedCharacter, UnknownFormat};
    let find = |raw: &str, state: &str, document_type| {
        let number = DocumentNumber::from_cell(raw).unwrap();
        let state = IssuingState::parse(state).unwrap();
        Unlikely::find(raw, &number, &state, document_type)
    };
    // Of Tuvalu's documents no format is known.
    for (raw, expected) in [
        ("1111111", Some(RepeatedCharacter)),
        ("AAAA", Some(RepeatedCharacter)),
        ("999-999-999", Some(RepeatedCharacter)),
        ("111", None),
        ("1111112", None),
        ("DELACRUZ", Some(UnknownFormat)),
        ("SMITH1", None),
        ("AB990214/15", Some(AbbreviatedRange)),
        ("AB 990214/15", Some(AbbreviatedRange)),
        ("AB990214 / 215", Some(AbbreviatedRange)),
        ("AB990214-15", Some(AbbreviatedRange)),
        ("12345/19", Some(AbbreviatedRange)),
        ("AB990204-990209", Some(AbbreviatedRange)),
        ("12345-12346", Some(AbbreviatedRange)),
        ("AB990214-7", None),
        ("AB990214-13", None),
        ("AB990214-990201", None),
        ("AB/990214", None),
        ("19900101", Some(Date)),
        ("01011990", Some(Date)),
        ("01.01.1990", Some(Date)),
        ("2026-11-01", Some(Date)),
        ("1/1/1990", Some(Date)),
        ("12/31/1990", Some(Date)),
        ("1990.01.01", Some(Date)),
        ("01/01/90", Some(Date)),
        ("1-Jan-1990", Some(Date)),
        ("19901301", None),
        ("12345678", None),
        ("20261231", Some(Date)),
        ("98.98.9898", None),
        ("1234567", None),
    ] {
        assert_eq!(find(raw, "TUV", DocumentType::Passport), expected, "{raw}");
    }
    assert_eq!(
        find("1234567", "FRA", DocumentType::Passport),
        Some(UnknownFormat)
    );
    assert_eq!(find("12AB34567", "FRA", DocumentType::Passport), None);
    assert_eq!(find("1234567", "FRA", DocumentType::Visa), None);
    let names: std::collections::HashSet<_> = Unlikely::ALL.map(Unlikely::name).into();
    assert_eq!(names.len(), Unlikely::ALL.len());
}
