//! Numbers longer than their field.

use super::*;

#[test]
fn long_numbers() {
    let belgian = Expected {
        code: "ID",
        issuer: "BEL",
        nationality: "BEL",
        ..CARD
    };
    for (zone, number, number_check, expiry) in [
        // Belgium since 2020, and before.
        (
            "IDBEL600001795<0152<<<<<<<<<<<\n1301014F2311207BEL130101987398\nSPECIMEN<<SPECIMEN<<<<<<<<<<<<",
            "600001795015",
            WITHOUT,
            "231120",
        ),
        (
            "IDBEL000590240<6013<<<<<<<<<<<\n8512017F1311048BEL851201002007\nSPECIMEN<<SPECIMEN<<<<<<<<<<<<",
            "000590240601",
            WITH,
            "131104",
        ),
    ] {
        check(
            zone,
            Expected {
                number,
                number_check,
                expiry,
                ..belgian
            },
        );
    }
    let portuguese = Expected {
        issuer: "PRT",
        nationality: "PRT",
        ..CARD
    };
    check(
        "I<PRT007666667<ZZ00<<<<<<<<<<<\n8303143M3405293PRT<<<<<<<<<<<4\nSPECIMEN<<SPECIMEN<<<<<<<<<<<<",
        Expected {
            number: "007666667ZZ0",
            number_check: EITHER,
            expiry: "340529",
            ..portuguese
        },
    );
}

#[test]
fn long_numbers_of_every_length() {
    const FAILED: &[CheckDigit] = &[CheckDigit::DocumentNumber];
    for (first, number, number_check, failed) in [
        ("123456789<07", "1234567890", EITHER, &[][..]),
        ("D23145890<1244", "D23145890124", WITHOUT, &[]),
        ("D23145890<1240", "D23145890124", WITH, &[]),
        ("D23145890<7349", "D23145890734", EITHER, &[]),
        // Belgian cards since 2020, and before.
        ("000590696<1015", "000590696101", WITHOUT, &[]),
        ("000610035<7017", "000610035701", WITH, &[]),
        // 22 characters, the most there is room for.
        (
            "123456789<01234567890129",
            "1234567890123456789012",
            WITHOUT,
            &[],
        ),
        // Optional data after the end of the number.
        ("123456789<07<ABC", "1234567890", EITHER, &[]),
        // Wrong either way; a letter for a digit.
        ("123456789<08", "1234567890", NumberCheck::Failed, FAILED),
        ("123456789<0A", "1234567890", NumberCheck::Failed, FAILED),
        // No room for the closing filler: no long number, and the ordinary digit is missing.
        (
            "123456789<012345678901234",
            "123456789",
            NumberCheck::Failed,
            FAILED,
        ),
        // A digit with nothing before it.
        ("123456789<7", "123456789", NumberCheck::Failed, FAILED),
        ("123456789<", "123456789", NumberCheck::Failed, FAILED),
        // A number shorter than its field cannot go on elsewhere.
        ("12345678<<07", "12345678", NumberCheck::Failed, FAILED),
        // An ordinary number with optional data; one with a filler inside, which never becomes part of it.
        ("D231458907ABC", "D23145890", NumberCheck::Verified, &[]),
        ("123456<AA5", "123456AA", NumberCheck::Verified, &[]),
        ("A<<<<<<<<0", "A", NumberCheck::Verified, &[]),
        // No number at all.
        ("<<<<<<<<<0", "", NumberCheck::Absent, &[]),
        ("<<<<<<<<<<", "", NumberCheck::Absent, &[]),
        ("<<<<<<<<<<123", "", NumberCheck::Absent, &[]),
        ("<<<<<<<<<5", "", NumberCheck::Failed, FAILED),
    ] {
        check(
            &card("UTO", first),
            Expected {
                number,
                number_check,
                failed,
                ..CARD
            },
        );
    }
}

#[test]
fn long_numbers_of_td2() {
    // Rest and digit in the optional data, which ends with a filler.
    let td2 = Expected {
        layout: MrzLayout::Td2,
        ..CARD
    };
    check(
        "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD23145890<UTO7408122F12041597349<<<2",
        Expected {
            number: "D23145890734",
            number_check: EITHER,
            ..td2
        },
    );
    check(
        "I<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD23145890<UTO7408122F12041597341<<<2",
        Expected {
            number: "D23145890734",
            number_check: NumberCheck::Failed,
            failed: &[CheckDigit::DocumentNumber, CheckDigit::Composite],
            ..td2
        },
    );
    // Passports and visas have no long numbers.
    check(
        "V<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nD23145890<XXX4009078F96121097349<<<<",
        Expected {
            layout: MrzLayout::MrvB,
            code: "V",
            document_type: DocumentType::Visa,
            nationality: "XXX",
            number_check: NumberCheck::Failed,
            expiry: "961210",
            failed: &[CheckDigit::DocumentNumber],
            ..td2
        },
    );
}
