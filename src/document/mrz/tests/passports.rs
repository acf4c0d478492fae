//! Passports with their optional data, and misread ones.

use super::*;

#[test]
fn passports() {
    let german = Expected {
        issuer: "D",
        nationality: "D",
        number: "C01X0006H",
        expiry: "171031",
        ..SPECIMEN
    };
    let name = "P<D<<MUSTERMANN<<ERIKA<<<<<<<<<<<<<<<<<<<<<<";
    // Optional data empty: both `<` and `0` are right, anything else is not.
    check(
        &format!("{name}\nC01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<<0"),
        Expected { ..german },
    );
    check(
        &format!("{name}\nC01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<00"),
        Expected { ..german },
    );
    check(
        &format!("{name}\nC01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<70"),
        Expected {
            failed: &[CheckDigit::OptionalData, CheckDigit::Composite],
            ..german
        },
    );
    check(
        &format!("{name}\nC01X0006H1D<<6408125F1710319<<<<<<<<<<<<<<A0"),
        Expected {
            failed: &[CheckDigit::OptionalData],
            ..german
        },
    );
    // Optional data not empty: a filler in place of the digit is wrong.
    check(
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<<0",
        Expected {
            failed: &[CheckDigit::OptionalData, CheckDigit::Composite],
            ..SPECIMEN
        },
    );
    // A filler inside the optional data stands for a space.
    check(
        "P<USAERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36USA7408122F1204159910000101<012384",
        Expected {
            issuer: "USA",
            nationality: "USA",
            ..SPECIMEN
        },
    );
    // Two letters in the issuer field; a superseded code.
    check(
        "P<GB<MARTIN<<SARAH<<<<<<<<<<<<<<<<<<<<<<<<<<\n980XG47<<9GBR8501019F2612281<<<<<<<<<<<<<<<6",
        Expected {
            issuer: "GBR",
            nationality: "GBR",
            number: "980XG47",
            expiry: "261228",
            ..SPECIMEN
        },
    );
    check(
        "P<INPSPECIMEN<<SAMPLE<<<<<<<<<<<<<<<<<<<<<<<\nXX000000<0FRA1901012F16073031234567890<<<<76",
        Expected {
            issuer: "XPO",
            nationality: "FRA",
            number: "XX000000",
            expiry: "160730",
            ..SPECIMEN
        },
    );
    // The first letter decides, whatever follows it.
    for code in ["PP", "PD", "PS", "PT", "PO", "PE", "PR", "P0"] {
        check(
            &format!(
                "{code}UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
            ),
            Expected { code, ..SPECIMEN },
        );
    }
    // India: names without the usual separators, and `<` in column 43.
    check(
        "P<INDERIKSSON<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<<\nL898902C36IND7408122F1204159<<<<<<<<<<<<<<<8",
        Expected {
            issuer: "IND",
            nationality: "IND",
            ..SPECIMEN
        },
    );
    // A sex of `<`, an unknown birth date, no expiry.
    check(
        "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO<<<<<<0<<<<<<<<<<<<<<<<<<<<<<<8",
        Expected {
            expiry: "",
            ..SPECIMEN
        },
    );
}

#[test]
fn misread_passports() {
    let second = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let name = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    // Column, what is read there, the number then, the failures.
    for (column, character, number, failed) in [
        (
            1,
            "I",
            "I898902C3",
            &[CheckDigit::DocumentNumber, CheckDigit::Composite][..],
        ),
        (
            6,
            "O",
            "L8989O2C3",
            &[CheckDigit::DocumentNumber, CheckDigit::Composite],
        ),
        (10, "G", "L898902C3", &[CheckDigit::DocumentNumber]),
        (
            10,
            "<",
            "L898902C3",
            &[CheckDigit::DocumentNumber, CheckDigit::Composite],
        ),
        (
            14,
            "8",
            "L898902C3",
            &[CheckDigit::DateOfBirth, CheckDigit::Composite],
        ),
        (
            20,
            "3",
            "L898902C3",
            &[CheckDigit::DateOfBirth, CheckDigit::Composite],
        ),
        (
            28,
            "8",
            "L898902C3",
            &[CheckDigit::DateOfExpiry, CheckDigit::Composite],
        ),
        (
            29,
            "1",
            "L898902C3",
            &[CheckDigit::OptionalData, CheckDigit::Composite],
        ),
        (44, "1", "L898902C3", &[CheckDigit::Composite]),
        // What no check digit covers, and what none can see: L for 1, K for <.
        (21, "M", "L898902C3", &[]),
        (1, "1", "1898902C3", &[]),
    ] {
        let misread = format!("{}{character}{}", &second[..column - 1], &second[column..]);
        let number_check = if failed.contains(&CheckDigit::DocumentNumber) {
            NumberCheck::Failed
        } else {
            NumberCheck::Verified
        };
        check(
            &format!("{name}\n{misread}"),
            Expected {
                number,
                number_check,
                failed,
                ..SPECIMEN
            },
        );
    }
}
