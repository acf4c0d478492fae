//! What readers make of zones: digits for letters, control characters, characters that no zone holds, and licences.

use super::*;

const NAME: &str = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
const SECOND: &str = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";

fn letters(zone: &str) -> Vec<LetterField> {
    Mrz::read(zone).unwrap().read_as_letters.iter().collect()
}

#[test]
fn digits_where_only_letters_stand() {
    use LetterField::{DocumentCode, IssuingState, Nationality};
    for (zone, expected) in [
        (format!("{NAME}\n{SECOND}"), vec![]),
        (
            format!("{}\n{SECOND}", NAME.replace("UTO", "UT0")),
            vec![IssuingState],
        ),
        (
            format!("{NAME}\n{}", SECOND.replace("UTO", "UT0")),
            vec![Nationality],
        ),
        (
            format!(
                "{}\n{}",
                NAME.replace("UTO", "UT0"),
                SECOND.replace("UTO", "UT0")
            ),
            vec![IssuingState, Nationality],
        ),
        (
            card("UTO", "D231458907").replacen("I<", "1<", 1),
            vec![DocumentCode],
        ),
        (
            card("UTO", "D231458907").replacen("I<UTO", "1<UT0", 1),
            vec![DocumentCode, IssuingState],
        ),
    ] {
        assert_eq!(letters(&zone), expected, "{zone}");
        let found = Mrz::read(&zone).unwrap();
        assert_eq!(found.issuer.unwrap().code(), "UTO");
        assert!(found.failed.is_empty(), "{zone}");
    }
    // The composite digit of the French card covers the issuer: of the letters.
    let french = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<\n9409923102854CORINNE<<<<<<<6512068F4";
    let found = Mrz::read(&french.replacen("ID", "1D", 1)).unwrap();
    assert_eq!(found.layout, MrzLayout::FrenchIdentityCard);
    assert!(found.failed.is_empty());
}

#[test]
fn layouts_are_told_by_the_letters() {
    let slovak = "I<5VKDOE<<JANE<<<<<<<<<<<<<<<<<<<<\nEA123456<9SVK8001014F2801016<<<<<<";
    let swiss = "AAA001D<<\nFAL1E123456789012<<800101<<<<<\nDOE<<JANE<<<<<<<<<<<<<<<<<<<<<";
    for (zone, layout, issuer) in [
        (slovak, MrzLayout::SlovakIdentityCard, "SVK"),
        (swiss, MrzLayout::SwissDrivingLicence, "LIE"),
    ] {
        let found = Mrz::read(zone).unwrap();
        assert_eq!(
            (found.layout, found.issuer.unwrap().code()),
            (layout, issuer)
        );
        assert_eq!(letters(zone), [LetterField::IssuingState]);
    }
    assert!(matches!(
        Mrz::read("D1E5T<<<<<<<<<<<<<<<<<<<<<<<<<"),
        Err(MrzError::NotSupported("an Estonian driving licence"))
    ));
}

#[test]
fn names_may_hold_what_no_zone_holds() {
    for name in [
        NAME.replace("ERIKSSON", "ER?KSS0N"),
        NAME.replace("ERIKSSON", "ERIKSSÖN"),
        NAME.replace("ERIKSSON", "ERIKSSO\u{308}N"),
        NAME.replace("<<ANNA", "< ANNA"),
        NAME.replace("ANNA<MARIA", "ANNA-MARIA"),
        NAME.replace("ANNA<MARIA", "ANNA_MARIA"),
        NAME.replace("<<<<<<<<<", "<<«<<<<<<"),
        // At the end of the line, where it might be no column.
        format!("{}«\"›", &NAME[..41]),
        format!("  {}» ", &NAME[..43]),
        format!("{}{}", &NAME[..25], " ".repeat(19)),
    ] {
        let found = Mrz::read(&format!("{name}\n{SECOND}")).unwrap();
        assert_eq!(found.number.unwrap().as_str(), "L898902C3", "{name}");
        // One check digit wrong, or another issuer's field: not intact.
        for second in [
            SECOND.replacen("36UTO", "37UTO", 1),
            SECOND.replacen("159", "158", 1),
        ] {
            let error = Mrz::read(&format!("{name}\n{second}")).unwrap_err();
            assert!(
                matches!(error, MrzError::Character { line: 1, .. }),
                "{name}: {error}"
            );
        }
    }
    // The composite digit of the French card covers the names: the number's and the date's digits vouch for the rest.
    let french = "IDFRABERTHI?R<<<<<<<<<<<<<<<<<<<<<<<\n9409923102854CORINNE<<<<<<<6512068F4";
    let found = Mrz::read(french).unwrap();
    assert_eq!(found.number.unwrap().as_str(), "940992310285");
    assert!(found.failed.iter().eq([CheckDigit::Composite]));
    for misread in ["9409923102864", "9409923102855"] {
        assert!(Mrz::read(&french.replace("9409923102854", misread)).is_err());
    }
    let no_issuer = NAME.replace("UTOERIKSSON", "3T?ERIKSSON");
    assert!(Mrz::read(&format!("{no_issuer}\n{SECOND}")).is_err());
}

#[test]
fn what_readers_put_around() {
    for text in [
        format!("\u{2}{NAME}\r{SECOND}\r\u{3}"),
        format!("\u{2}{NAME}\u{3}\u{2}{SECOND}\u{3}"),
        format!("\0{NAME}\n{SECOND}\0\0"),
        format!("{NAME}\u{1d}{SECOND}\u{1e}\u{4}"),
        format!("\"{NAME}\n{SECOND}\""),
        format!("“{NAME}”\n“{SECOND}”"),
        format!("'{NAME}{SECOND}'"),
        format!("\u{200e}{NAME}\u{200b}\n{SECOND}\u{feff}"),
        format!(
            "{}\n{SECOND}",
            NAME.trim_end_matches('<').to_owned() + &"_".repeat(19)
        ),
    ] {
        let found = Mrz::read(&text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(found.number.unwrap().as_str(), "L898902C3", "{text:?}");
        assert!(found.failed.is_empty(), "{text:?}");
    }
}

#[test]
fn dutch_driving_licences() {
    let licence = Expected {
        layout: MrzLayout::DutchDrivingLicence,
        code: "D1",
        document_type: DocumentType::Other,
        issuer: "NLD",
        number: "5990000017",
        nationality: "",
        expiry: "",
        ..CARD
    };
    check("D1NLD25990000017ABC12DEF34GH57", Expected { ..licence });
    check(
        "D1NLD25990000018ABC12DEF34GH57",
        Expected {
            number: "5990000018",
            number_check: NumberCheck::Failed,
            failed: &[CheckDigit::DocumentNumber],
            ..licence
        },
    );
}

#[test]
fn pakistani_cards_are_not_supported_in_lines_of_doc_9303_either() {
    let card = card("PAK", "D231458907");
    // With the number's check digit in column 15, in column 14, and misread.
    for zone in [
        card.clone(),
        card.replace("D231458907<", "D23145896<<"),
        card.replace("D231458907", "D231458908"),
        card.replacen("I<", "1<", 1),
    ] {
        assert!(
            matches!(
                Mrz::read(&zone),
                Err(MrzError::NotSupported("a Pakistani card"))
            ),
            "{zone}"
        );
        assert!(Mrz::has_layout(&zone));
    }
    assert!(Mrz::read(&card.replacen("I<", "AC", 1)).is_ok());
}

#[test]
fn parts_of_a_zone() {
    let td1 = card("UTO", "D231458907");
    let lines: Vec<&str> = td1.lines().collect();
    for (text, has_layout, begins) in [
        (NAME.to_owned(), false, true),
        (format!("{NAME}\n{SECOND}"), true, false),
        (format!("{NAME}\n\n{SECOND}"), true, false),
        (lines[0].to_owned(), false, true),
        (lines[..2].join("\n"), false, true),
        (td1.clone(), true, false),
        ("D1NLD25990000017ABC12DEF34GH57".to_owned(), true, true),
        // A Chinese permit, or the first line of a residence permit; and a Pakistani card.
        ("CSC123456780<<<<<<<<<<<<<<<<<<".to_owned(), false, true),
        (
            "I<PAK1234512345671<<<<<<<<<<<<<<<<<".to_owned(),
            true,
            false,
        ),
        (NAME[1..].to_owned(), false, false),
        (String::new(), false, false),
    ] {
        assert_eq!(Mrz::has_layout(&text), has_layout, "{text}");
        assert_eq!(Mrz::begins_layout(&text), begins, "{text}");
    }
    for (line, expected) in [
        (lines[0], true),
        (lines[1], false),
        ("CSC123456780<<<<<<<<<<<<<<<<<<", true),
        ("D1EST<<<<<<<<<<<<<<<<<<<<<<<<<", true),
        (NAME, false),
        (td1.as_str(), false),
    ] {
        assert_eq!(Mrz::is_first_of_card(line), expected, "{line}");
    }
}
