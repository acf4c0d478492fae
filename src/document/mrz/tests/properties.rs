//! Any text gets an answer.

use super::*;
use proptest::prelude::*;

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = Mrz::read(&text);
    }

    #[test]
    fn any_bytes_are_answered(bytes in any::<Vec<u8>>()) {
        let _ = Mrz::read(&String::from_utf8_lossy(&bytes));
    }

    /// Of the right shape, whatever they say; often with the marks of a deviant.
    #[test]
    fn any_characters_are_segmented(
        start in "([PVIACD][A-Z0-9<](FRA|SVK|SEN|UTO|[A-Z0-9<]{3}))?",
        characters in "[A-Z0-9<]{90}",
        length in prop::sample::select(vec![90, 88, 72, 69, 68, 30]),
    ) {
        let zone = format!("{start}{characters}");
        match Mrz::read(&zone[..length]) {
            Ok(mrz) => {
                let filled = mrz.number.is_none_or(|number| !number.as_bytes().contains(&b'<'));
                prop_assert!(filled);
                let failed = mrz.failed.contains(CheckDigit::DocumentNumber);
                prop_assert_eq!(failed, mrz.number_check == NumberCheck::Failed);
            }
            Err(MrzError::DocumentCode { .. }) => prop_assert!(!zone.as_bytes()[0].is_ascii_uppercase()),
            Err(MrzError::Shape(_) | MrzError::NotSupported(_)) => {
                prop_assert!([69, 68, 30].contains(&length));
            }
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
