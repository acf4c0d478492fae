//! Layouts of single issuers.

use super::*;

#[test]
fn national_layouts() {
    let french = Expected {
        layout: MrzLayout::FrenchIdentityCard,
        code: "ID",
        issuer: "FRA",
        nationality: "",
        expiry: "",
        number: "940992310285",
        ..CARD
    };
    let first = "IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<";
    check(
        &format!("{first}\n9409923102854CORINNE<<<<<<<6512068F4"),
        Expected { ..french },
    );
    check(
        &format!("{first}\n9409923102854CORINNE<<<<<<<6512068F5"),
        Expected {
            failed: &[CheckDigit::Composite],
            ..french
        },
    );
    check(
        &format!("{first}\n9409923102864CORINNE<<<<<<<6512069F4"),
        Expected {
            number: "940992310286",
            number_check: NumberCheck::Failed,
            failed: &[
                CheckDigit::DocumentNumber,
                CheckDigit::DateOfBirth,
                CheckDigit::Composite,
            ],
            ..french
        },
    );
    check(
        "IDFRATEST<NAME<<<<<<<<<<<<<<<<0CHE02\n1710GVA123451ROBERTA<<<<<<<9112311F2",
        Expected {
            number: "1710GVA12345",
            ..french
        },
    );

    let licence = Expected {
        layout: MrzLayout::FrenchDrivingLicence,
        code: "D1",
        document_type: DocumentType::Other,
        issuer: "FRA",
        number: "13AA00002",
        nationality: "",
        expiry: "181231",
        ..CARD
    };
    check("D1FRA13AA000026181231MARTIN<<9", Expected { ..licence });
    check(
        "D1FRA13AA000036181231MARTIN<<9",
        Expected {
            number: "13AA00003",
            number_check: NumberCheck::Failed,
            failed: &[CheckDigit::DocumentNumber, CheckDigit::Composite],
            ..licence
        },
    );

    for issuer in ["CHE", "LIE"] {
        check(
            &format!(
                "AAA001D<<\nFA{issuer}305142128097<<800126<<<<<\nMARCHAND<<FABIENNE<<<<<<<<<<<<"
            ),
            Expected {
                layout: MrzLayout::SwissDrivingLicence,
                code: "FA",
                document_type: DocumentType::Other,
                issuer,
                number: "305142128097",
                number_check: NumberCheck::Absent,
                nationality: "",
                expiry: "",
                failed: &[],
            },
        );
    }

    let slovak = Expected {
        layout: MrzLayout::SlovakIdentityCard,
        issuer: "SVK",
        nationality: "SVK",
        number: "123456AA",
        expiry: "180102",
        ..CARD
    };
    let first = "I<SVKNOVAK<<JAN<<<<<<<<<<<<<<<<<<<";
    check(
        &format!("{first}\n123456<AA5SVK8110251M1801020749313"),
        Expected { ..slovak },
    );
    check(
        &format!("{first}\n123456<AA6SVK8110251M1801021749313"),
        Expected {
            number_check: NumberCheck::Failed,
            failed: &[CheckDigit::DocumentNumber, CheckDigit::DateOfExpiry],
            ..slovak
        },
    );
}

#[test]
fn national_habits() {
    // Romania prints plain TD2.
    check(
        "IDROUERIKSSON<<ANNA<MARIA<<<<<<<<<<<\nSP123456<2ROU7408122F120415912345670",
        Expected {
            layout: MrzLayout::Td2,
            code: "ID",
            issuer: "ROU",
            nationality: "ROU",
            number: "SP123456",
            ..CARD
        },
    );
    // German cards leave the sex out.
    check(
        "IDD<<T220001293<<<<<<<<<<<<<<<\n6408125<2010315D<<<<<<<<<<<<<4\nMUSTERMANN<<ERIKA<<<<<<<<<<<<<",
        Expected {
            code: "ID",
            issuer: "D",
            nationality: "D",
            number: "T22000129",
            expiry: "201031",
            ..CARD
        },
    );
}

#[test]
fn senegalese_cards() {
    const FAILED: &[CheckDigit] = &[CheckDigit::DocumentNumber];
    for (first, number, number_check, failed) in [
        // Columns 6 to 23, its digit in 24.
        (
            "1234567891234567894",
            "123456789123456789",
            NumberCheck::Verified,
            &[][..],
        ),
        (
            "1234567891234567896",
            "123456789123456789",
            NumberCheck::Failed,
            FAILED,
        ),
        // The same number, no digit after it.
        (
            "123456789123456789",
            "123456789123456789",
            NumberCheck::Absent,
            &[],
        ),
        // Both digits right: the long reading is the issuer's rule.
        (
            "1234567897234567896",
            "123456789723456789",
            NumberCheck::Verified,
            &[],
        ),
        // Only the ordinary digit right, more behind the second one, less than eighteen characters: an ordinary
        // card with optional data.
        (
            "1234567897234567894",
            "123456789",
            NumberCheck::Verified,
            &[],
        ),
        (
            "123456789723456789",
            "123456789",
            NumberCheck::Verified,
            &[],
        ),
        (
            "1234567897234567896<1",
            "123456789",
            NumberCheck::Verified,
            &[],
        ),
        ("12345678972345", "123456789", NumberCheck::Verified, &[]),
        // A filler in column 15: the long number of Doc 9303, seventeen characters.
        ("101198501<010100019", "10119850101010001", WITHOUT, &[]),
        ("123456789<123456781", "12345678912345678", WITH, &[]),
        (
            "123456789<123456782",
            "12345678912345678",
            NumberCheck::Failed,
            FAILED,
        ),
    ] {
        check(
            &card("SEN", first),
            Expected {
                issuer: "SEN",
                nationality: "SEN",
                number,
                number_check,
                failed,
                ..CARD
            },
        );
        // Of any other issuer column 15 is the check digit and nothing else.
        if number.len() == 18 {
            let number = &number[..9];
            let ordinary = Mrz::read(&card("UTO", first)).unwrap();
            assert_eq!(ordinary.number.unwrap().as_str(), number);
        }
    }
}
