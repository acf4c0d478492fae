//! Zones as data. The specimens are those of Doc 9303 (Utopia) and of issuers' published samples; all holders are
//! fictional.

mod errors;
mod long_numbers;
mod national;
mod passports;
mod properties;
mod readers;
mod substitutions;

use super::*;

/// What [`check`] compares: layout, code, type, issuer, number, its check, expiry, failed check digits.
struct Expected {
    layout: MrzLayout,
    code: &'static str,
    document_type: DocumentType,
    issuer: &'static str,
    number: &'static str,
    number_check: NumberCheck,
    nationality: &'static str,
    expiry: &'static str,
    failed: &'static [CheckDigit],
}

/// The passport of Doc 9303 part 4, with which most cases have most in common.
const SPECIMEN: Expected = Expected {
    layout: MrzLayout::Td3,
    code: "P",
    document_type: DocumentType::Passport,
    issuer: "UTO",
    number: "L898902C3",
    number_check: NumberCheck::Verified,
    nationality: "UTO",
    expiry: "120415",
    failed: &[],
};

/// The card of Doc 9303 part 5.
const CARD: Expected = Expected {
    layout: MrzLayout::Td1,
    code: "I",
    document_type: DocumentType::IdentityCard,
    number: "D23145890",
    ..SPECIMEN
};

const WITHOUT: NumberCheck = NumberCheck::VerifiedLong(LongNumberForm::WithoutFiller);
const WITH: NumberCheck = NumberCheck::VerifiedLong(LongNumberForm::WithFiller);
const EITHER: NumberCheck = NumberCheck::VerifiedLong(LongNumberForm::Either);

/// Underscores for the fillers at the end of each line.
fn underscored(lines: &[&str]) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| {
            let end = line.trim_end_matches('<');
            end.to_owned() + &"_".repeat(line.len() - end.len())
        })
        .collect();
    lines.join("\n")
}

#[track_caller]
fn check(zone: &str, expected: Expected) {
    let lines: Vec<&str> = zone.lines().collect();
    let spaced = lines.join(" ");
    let full_width: String = zone
        .chars()
        .map(|c| {
            if c == '\n' {
                c
            } else {
                char::from_u32(u32::from(c) + 0xFEE0).unwrap()
            }
        })
        .collect();
    for text in [
        zone.to_owned(),
        zone.replace('\n', "\r\n") + "\r\n",
        format!("\u{feff}\n\n  {}  \n\n", lines.join(" \n\t\n ")),
        spaced.replace(' ', "   "),
        spaced,
        lines.concat(),
        format!("\u{2}{}\u{3}", lines.join("\r")),
        format!("\"{}\"", lines.join("\"\n\"")),
        lines.join("\u{1d}") + "\0",
        underscored(&lines),
        zone.to_lowercase(),
        full_width,
    ] {
        let found = Mrz::read(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let expiry = found
            .expiry
            .map(|ExpiryDate { year, month, day }| format!("{year:02}{month:02}{day:02}"));
        assert_eq!(found.layout, expected.layout, "{text}");
        assert_eq!(found.code.as_str(), expected.code, "{text}");
        assert_eq!(found.document_type, expected.document_type, "{text}");
        assert_eq!(
            found.issuer.as_ref().map_or("", Issuer::code),
            expected.issuer,
            "{text}"
        );
        assert_eq!(
            found.number.as_ref().map_or("", DocumentNumber::as_str),
            expected.number,
            "{text}"
        );
        assert_eq!(found.number_check, expected.number_check, "{text}");
        assert_eq!(
            found.nationality.as_ref().map_or("", Issuer::code),
            expected.nationality,
            "{text}"
        );
        assert_eq!(expiry.as_deref().unwrap_or(""), expected.expiry, "{text}");
        assert!(
            found.failed.iter().eq(expected.failed.iter().copied()),
            "{text}: {:?}",
            found.failed
        );
    }
}

/// Utopia's card with another issuer and other columns 6 to 30; its composite digit is made to fit.
fn card(issuer: &str, number_and_optional: &str) -> String {
    let second = format!("7408122F1204159{issuer}<<<<<<<<<<<");
    let first = format!("{number_and_optional:<<25}");
    let covered = format!("{first}{}{}{}", &second[..7], &second[8..15], &second[18..]);
    let composite = char::from(check_digit::compute(covered.bytes()));
    format!("I<{issuer}{first}\n{second}{composite}\nERIKSSON<<ANNA<MARIA<<<<<<<<<<")
}

#[test]
fn specimens_of_doc_9303() {
    check(
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10",
        SPECIMEN,
    );
    check(
        "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<",
        CARD,
    );
    check(
        "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD231458907UTO7408122F1204159<<<<<<<6",
        Expected {
            layout: MrzLayout::Td2,
            ..CARD
        },
    );
    let visa = Expected {
        code: "V",
        document_type: DocumentType::Visa,
        number: "L8988901C",
        // XXX on the specimen: unspecified.
        nationality: "XXX",
        expiry: "961210",
        ..SPECIMEN
    };
    check(
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL8988901C4XXX4009078F96121096ZE184226B<<<<<<",
        Expected {
            layout: MrzLayout::MrvA,
            ..visa
        },
    );
    check(
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nL8988901C4XXX4009078F9612109<<<<<<<<",
        Expected {
            layout: MrzLayout::MrvB,
            ..visa
        },
    );
    // Part 11: a number of twelve characters.
    check(
        "I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<",
        Expected {
            number: "D23145890734",
            number_check: EITHER,
            expiry: "950712",
            ..CARD
        },
    );
}

#[test]
fn issuers() {
    for (field, issuer) in [
        ("D<<", "D"),
        ("RKS", "RKS"),
        ("XXK", "RKS"),
        ("DEU", "D"),
        ("QQQ", "QQQ"),
        ("<<<", ""),
        ("U<O", ""),
        ("U3O", ""),
        ("U1O", "UIO"),
        ("UT0", "UTO"),
        ("FR4", ""),
        ("8GR", "BGR"),
        ("R05", "ROS"),
        ("5VK", "SVK"),
        ("NZ1", "NZI"),
    ] {
        let zone = format!(
            "P<{field}ERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
        );
        check(&zone, Expected { issuer, ..SPECIMEN });
    }
}

#[test]
fn types() {
    for (code, document_type) in [
        ("ID", DocumentType::IdentityCard),
        ("I<", DocumentType::IdentityCard),
        ("IP", DocumentType::IdentityCard),
        ("AC", DocumentType::IdentityCard),
        ("A<", DocumentType::IdentityCard),
        ("C<", DocumentType::IdentityCard),
        ("D<", DocumentType::Other),
        ("TS", DocumentType::Other),
        ("P<", DocumentType::Passport),
        // A visa has its own layouts, but a letter is a letter.
        ("V<", DocumentType::Visa),
    ] {
        let zone = card("UTO", "D231458907").replacen("I<", code, 1);
        let expected = code.trim_end_matches('<');
        check(
            &zone,
            Expected {
                code: expected,
                document_type,
                ..CARD
            },
        );
    }
}

#[test]
fn nothing_personal_is_printed() {
    for zone in [
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10".to_owned(),
        card("UTO", "D231458907"),
    ] {
        let printed = format!("{:?}", Mrz::read(&zone).unwrap());
        for secret in ["ERIKSSON", "ANNA", "MARIA", "L898902C3", "D23145890", "740812", "ZE184226B"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}
