//! Files of signatures.

use super::*;

#[test]
fn files_of_signatures_have_one_form() {
    let line = LINE;
    let malformed = |text: &[u8]| match Signatures::parse(text) {
        Err(SignatureError::Malformed { line }) => line,
        other => panic!("{}: {other:?}", String::from_utf8_lossy(text)),
    };
    for (text, number) in [
        (String::new(), 1),
        ("\n".to_owned(), 1),
        (line.trim_end().to_owned(), 1),
        (line.to_uppercase(), 1),
        (line.replace(' ', "\t"), 1),
        (line.replace(' ', "  "), 1),
        (line.replace('\n', "\r\n"), 1),
        (format!(" {line}"), 1),
        (format!("{line}\n"), 2),
        (format!("{line}{}", line.trim_end()), 2),
        (
            format!(
                "{line}{}",
                line.replacen(|c: char| c.is_ascii_digit(), "g", 1)
            ),
            2,
        ),
        (line.repeat(SIGNATURES_MAX + 1), SIGNATURES_MAX + 1),
        ("\0".repeat(line.len()), 1),
    ] {
        assert_eq!(malformed(text.as_bytes()), number, "{text:?}");
    }
    for lines in [1, 2, SIGNATURES_MAX] {
        let text = line.repeat(lines);
        assert!(text.len() <= FILE_MAX);
        let read = Signatures::parse(text.as_bytes()).unwrap();
        assert_eq!((read.keys().count(), read.to_string()), (lines, text));
    }
}

/// Something like a file of signatures: mostly of the right length, sometimes with a wrong character.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let line = ("[0-9a-f]{32}", "[ ]", "[0-9a-f]{128}", "[\n]");
    let line = line.prop_map(|(key, blank, signature, end)| [key, blank, signature, end].concat());
    let file = proptest::collection::vec(line, 0..=SIGNATURES_MAX + 1);
    let change = proptest::option::of((any::<prop::sample::Index>(), any::<u8>()));
    (file, change).prop_map(|(lines, change)| {
        let mut bytes = lines.concat().into_bytes();
        if let (Some((place, byte)), false) = (change, bytes.is_empty()) {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_is_read_is_what_is_written(bytes in files()) {
        let lines = bytes.len().div_ceil(LINE.len());
        match Signatures::parse(&bytes) {
            Ok(read) => {
                prop_assert_eq!(read.to_string().into_bytes(), bytes);
                prop_assert!((1..=SIGNATURES_MAX).contains(&lines));
            }
            Err(SignatureError::Malformed { line }) => {
                prop_assert!(line <= lines.max(1));
                let places = bytes.iter().enumerate().all(|(place, byte)| match place % LINE.len() {
                    32 => *byte == b' ',
                    161 => *byte == b'\n',
                    _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
                });
                let right = places && (1..=SIGNATURES_MAX).contains(&lines);
                prop_assert!(!right, "{:?}", String::from_utf8_lossy(&bytes));
            }
            Err(other) => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Signatures::parse(&bytes).is_err());
    }
}
