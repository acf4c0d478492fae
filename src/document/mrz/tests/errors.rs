//! Texts that cannot be segmented.

use super::*;

#[test]
fn texts_that_are_no_zone() {
    let good = "L898902C36UTO7408122F1204159ZE184226B<<<<<10";
    let name = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<";
    let shape = "expected 3 of 30 (TD1), 2 of 36 (TD2, MRV-B), 2 of 44 (TD3, MRV-A), or a national layout: 2 of 34 \
                 (Slovakia), 9, 30 and 30 (Swiss driving licence), one of 30 (French and Dutch driving licences)";
    let shaped = |found: &str| format!("{found}: {shape}");
    let character = |line, column| {
        format!("line {line}, column {column}: expected a letter A-Z, a digit or the filler <")
    };
    let unsupported = |what: &str| {
        format!(
            "{what}: known, not supported; expected the number, issuing State and type typed instead"
        )
    };
    for (text, message) in [
        (
            String::new(),
            "no machine-readable zone: expected its lines as printed".to_owned(),
        ),
        (
            "\u{feff} \r\n\n".to_owned(),
            "no machine-readable zone: expected its lines as printed".to_owned(),
        ),
        (
            format!("{name}\n{}", &good[1..]),
            shaped("lines of 44 and 43 characters"),
        ),
        (
            format!("{name}\n{good}<"),
            shaped("lines of 44 and 45 characters"),
        ),
        (good.to_owned(), shaped("one line of 44 characters")),
        (
            format!("{name}{good}<"),
            shaped("one line of 89 characters"),
        ),
        (
            format!("{name}\n{good}\n{name}"),
            shaped("lines of 44, 44 and 44 characters"),
        ),
        (format!("{name}\n{good}\nA\nB"), shaped("4 lines")),
        // The lengths of a national layout without what marks it.
        (
            "I<UTOERIKSSON<<ANNA<MARIA<<<<<".to_owned(),
            shaped("one line of 30 characters"),
        ),
        (
            format!("{}\n{}", &name[..34], &good[..34]),
            shaped("lines of 34 and 34 characters"),
        ),
        // Characters, by line and column; a blank within a line shifts columns.
        (
            format!("{name}\n{}", good.replace('7', "?")),
            character(2, 14),
        ),
        (
            format!("\n\n  {}\n{good}", name.replace("UTO", "UTÖ")),
            character(1, 5),
        ),
        // In the names only where all check digits verify.
        (
            format!(
                "{}\n{}",
                name.replace("<<ANNA", "< ANNA"),
                good.replace("740812", "740813")
            ),
            character(1, 15),
        ),
        (
            format!("{name}\n{}", good.replace("B<<<<<1", "B_<_1_1")),
            character(2, 38),
        ),
        (
            format!("{name} {}", good.replace('Z', "З")),
            character(2, 29),
        ),
        (
            format!("{name}\n{}", good.replace("10", "1€")),
            character(2, 44),
        ),
        // Known, and no public source says where the number stands.
        (
            "CSC123456780<<<<<<<<<<<<<<<<<<".to_owned(),
            unsupported("a Chinese permit of one line"),
        ),
        (
            "D1EST<<<<<<<<<<<<<<<<<<<<<<<<<".to_owned(),
            unsupported("an Estonian driving licence"),
        ),
        (
            "D1LUX<<<<<<<<<<<<<<<<<<<<<<<<<".to_owned(),
            unsupported("a Luxembourg driving licence"),
        ),
        (
            "I<PAK1234512345671<<<<<<<<<<<<<<<<<".to_owned(),
            unsupported("a Pakistani card"),
        ),
        // Lines in the wrong order.
        (
            format!("{}\n{name}", good.replace('L', "1")),
            "line 1, column 1: expected the letter that begins the document code".to_owned(),
        ),
    ] {
        let error = Mrz::read(&text).unwrap_err();
        assert_eq!(error.to_string(), message, "{text}");
    }
}
